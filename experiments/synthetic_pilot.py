"""Makes the SYNTHETIC pilot that ships with the project: schools, ties and observations by the model itself, with known parameters.

python -m school_mentoring.experiments.synthetic_pilot [TRUTH.yaml [FOLDER]]
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from school_mentoring import scenarios
from school_mentoring.experiments.sweep.store import write_atomically
from school_mentoring.model.draws import binomial
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import PARAMETERS, row_of
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.network import generate_peers
from school_mentoring.model.world.schools import Schools, generate_schools
from school_mentoring.scenarios import Scenario, load_scenario
from school_mentoring.scenarios.gone import refusal
from school_mentoring.scenarios.yaml_file import read_yaml

from .ensemble import run_ensemble
from .worlds import Worlds

FOLDER = Path(scenarios.__file__).parent / "synthetic-pilot"
NOTE = "synthetic"

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class SurveyPlan(BaseModel):
    """When schools were asked, and who answered, as ``truth.yaml`` explains."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    months: tuple[int, ...]
    mentors_answering: tuple[Share, ...]
    mentees_answering: tuple[Share, ...]
    teachers_answering: tuple[Share, Share]
    fewest: Annotated[int, Field(ge=1)]


class Truth(BaseModel):
    """What a synthetic pilot is made with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    seed: int
    design: str
    fields: dict[str, int | float] = {}
    parameters: dict[str, float]
    survey: SurveyPlan

    @property
    def sets(self) -> list[str]:
        """The parameters, and the fields in which the design differs from the base's, as ``load_scenario`` takes them."""
        fields = {f"{self.design}.{field}": value for field, value in self.fields.items()}
        return [f"{name}={value!r}" for name, value in {**fields, **self.parameters}.items()]


def read_truth(path: Path = FOLDER / "truth.yaml") -> Truth:
    """Return what a file says. Raises InputError where it says something else."""
    try:
        truth = Truth.model_validate(read_yaml(path).values)
    except ValidationError as error:
        one = error.errors(include_url=False)[0]
        raise InputError(f"{path}, {'.'.join(map(str, one['loc']))}", one["msg"]) from None
    survey = truth.survey
    if not len(survey.months) == len(survey.mentors_answering) == len(survey.mentees_answering):
        raise InputError(f"{path}, survey", "waves and shares of schools that answer differ in number", "give one share per month")
    if unknown := [name for name in truth.parameters if row_of(name) is None]:
        raise InputError(f"{path}, parameters", *refusal(unknown, "no parameter named {}", PARAMETERS)[1:])
    return truth


def make(truth: Truth, folder: Path) -> None:
    """Write schools.csv, ties.csv and observations.csv; the same truth gives the same bytes."""
    base = load_scenario(truth.base, truth.sets, seed=truth.seed)
    schools = _schools(base)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "schools.csv", schools.to_frame())
    _write(folder / "ties.csv", _ties(base, schools))
    stated = load_scenario(truth.base, truth.sets, seed=truth.seed, schools=folder / "schools.csv", ties=folder / "ties.csv")
    observed = load_scenario(stated, months=max(truth.survey.months) + 1, replicates=1, designs=[truth.design])
    _write(folder / "observations.csv", _observations(observed, truth))


def _write(path: Path, frame: pd.DataFrame) -> None:
    write_atomically(path, frame.to_csv(index=False, lineterminator="\n").encode())


def _schools(scenario: Scenario) -> Schools:
    """Return generated schools; in each region the one with the highest capacity mentors the others. Their names say what they are."""
    places = scenario.country_list(), scenario.regions(), scenario.world.schools_per_region
    schools = generate_schools(*places, scenario.base_parameters(), scenario.seed, 0)
    n = len(schools)
    role, mentor = np.full(n, MENTEE, np.int8), np.full(n, -1, np.int32)
    labels = np.empty(n, dtype=object)
    for region, name in enumerate(schools.region_names):
        rows = np.flatnonzero(schools.region == region)
        leader = rows[np.argmax(schools.capacity[rows])]
        role[leader], mentor[rows], mentor[leader] = MENTOR, leader, -1
        labels[leader] = f"{NOTE}-{name}-mentor"
        labels[rows[rows != leader]] = [f"{NOTE}-{name}-mentee-{k + 1}" for k in range(len(rows) - 1)]
    return replace(schools, school_id=labels.astype(str), named_role=role, named_mentor=mentor)


def _ties(scenario: Scenario, schools: Schools) -> pd.DataFrame:
    """Return a random peer network and the mentoring ties of the clusters."""
    peers = generate_peers(schools, scenario.base_parameters(), scenario.seed, 0, scenario.world.structure)
    source = np.repeat(np.arange(len(schools), dtype=np.int32), np.diff(peers.peer_start))
    once = source < peers.peer
    mentees = np.flatnonzero(schools.named_mentor >= 0)
    label = schools.school_id
    peer = pd.DataFrame({"source": label[source[once]], "target": label[peers.peer[once]], "kind": "peer"})
    mentoring = pd.DataFrame({"source": label[schools.named_mentor[mentees]], "target": label[mentees], "kind": "mentoring"})
    return pd.concat([peer, mentoring], ignore_index=True)


def _observations(scenario: Scenario, truth: Truth) -> pd.DataFrame:
    """Return what a survey of one run of the design finds: answers are binomial with the school's share of adopters in that month."""
    worlds = Worlds(scenario)
    _, schools = worlds.get(scenario.base_parameters(), 0)
    adopters = run_ensemble(scenario, [{}], 1, worlds=worlds, per_school=True, threads=1).results.schools[0, :, 0]
    survey, rows = truth.survey, []
    low, high = survey.teachers_answering
    # Only ``random`` is promised to give the same numbers in every version of numpy; counts come from it by inversion.
    u = np.random.default_rng(truth.seed).random((len(survey.months), len(schools), 4))
    for wave, month in enumerate(survey.months):
        for i in range(len(schools)):
            chance = (survey.mentors_answering if schools.named_role[i] == MENTOR else survey.mentees_answering)[wave]
            teachers = int(schools.teachers[i])
            respondents = int(binomial(u[wave, i, 1], teachers, low + (high - low) * u[wave, i, 2]))
            if u[wave, i, 0] < chance and respondents >= survey.fewest:
                count = int(binomial(u[wave, i, 3], respondents, adopters[month, i] / teachers))
                rows.append((schools.school_id[i], month, wave + 1, respondents, count, NOTE))
    return pd.DataFrame(rows, columns=["school_id", "month", "wave", "respondents", "adopters", "note"])


def main(words: list[str]) -> None:
    """Make the shipped pilot again, or another from a file of one's own."""
    truth = Path(words[0]) if words else FOLDER / "truth.yaml"
    folder = Path(words[1]) if len(words) > 1 else truth.parent
    make(read_truth(truth), folder)
    print(f"SYNTHETIC pilot (made by the model, no evidence of anything) written to {folder}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
