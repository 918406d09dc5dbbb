"""Face validity: what is reported of MenSI and the Living Schools Lab beside what the model has or gives, and where they differ.

Facts stand in ``facts.csv`` with their source; figures of the model are read off its scenarios and runs and filled in there. A fact without
a verdict is one that a figure decides.
"""

import csv
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS
from school_mentoring.scenarios import Scenario, load_scenario

REPLICATES = 20


class _Seen(NamedTuple):
    """Means over replicates of a design: schools that mentored and were mentored, and the share of ties within a region."""

    mentors: float
    mentees: float
    within_region: float


def face_table(stage: Stage = lambda *_: None) -> pd.DataFrame:
    """Return the facts: project, topic, reported, source, model, verdict."""
    found = {}
    for position, (project, read) in enumerate({"MenSI": _mensi, "Living Schools Lab": _lab}.items()):
        stage("face validity", position, 2)
        found[project] = read()
    facts = list(csv.DictReader(files(__package__).joinpath("facts.csv").read_text(encoding="utf-8").splitlines()))
    for fact in facts:
        figures, agrees = found[fact["project"]]
        fact["model"] = fact["model"].format(**figures).replace("%", " %")
        fact["verdict"] = fact["verdict"] or ("as reported" if agrees[fact["topic"]] else "differs")
    return pd.DataFrame(facts)


def _mensi() -> tuple[dict[str, Any], dict[str, bool]]:
    """Return the figures of the pilot that facts name, and whether those that decide a fact agree with it."""
    pilot, alone = load_scenario("mensi-pilot"), load_scenario("mensi-pilot-only")
    top, hub = _runs(pilot, "top_down"), _runs(pilot, "regional_hub")
    unpaid = pilot.base_parameters()["voluntary_hours"]
    hours = [(unpaid + PRESETS[name].release_hours) / PRESETS[name].places for name in ("top_down", "regional_hub")]
    schools, own = (sum(one.regions()) * one.world.schools_per_region for one in (pilot, alone))
    codes = [country.code for country in pilot.world.countries]
    figures = {"months": _months(pilot), "countries": ", ".join(codes), "places": PRESETS["top_down"].places}
    figures |= {"top": top, "hub": hub, "top_hours": hours[0], "hub_hours": hours[1], "pilot": schools, "alone": own}
    figures["meeting"] = PRESETS["regional_hub"].meeting_hours
    return figures, {
        "duration": figures["months"] == 28,
        "countries": set(codes) == {"BE-VLG", "HR", "CZ", "HU", "IT", "PT"},
        "mentor schools": abs(top.mentors - 24) < 0.5,
        "schools": own == 120,
    }


def _lab() -> tuple[dict[str, Any], dict[str, bool]]:
    """Return the figures of the Living Schools Lab, as ``_mensi`` does."""
    lab = load_scenario("living-schools-lab")
    base = lab.base_parameters()
    world, _ = Worlds(lab).get(base, 0)
    schools, countries, months = world.teachers.size, len(lab.world.countries), _months(lab)
    advanced = int(base["advanced_fraction"] * schools + 0.5)
    figures = {"countries": countries, "schools": schools, "advanced": advanced, "months": months, "base": base}
    agrees = {"countries": countries == 12, "schools": schools == 84 and advanced == 24, "duration": months == 24}
    return {**figures, "teachers": int(world.teachers.sum()), "team": lab.plain_design("regional_hub").team}, agrees


def _months(scenario: Scenario) -> int:
    return scenario.programme.last_month - scenario.programme.first_month


def _runs(scenario: Scenario, name: str) -> _Seen:
    chosen = scenario.model_copy(update={"designs": {name: scenario.designs[name]}, "worlds": REPLICATES})
    homes = Worlds(chosen)
    found = run_ensemble(chosen, [{}], REPLICATES, worlds=homes, per_school=True)
    near = []
    for replicate, mentor in enumerate(found.results.schools[:, chosen.programme.first_month, -1]):
        region = homes.get(chosen.base_parameters(), replicate)[0].region
        tied = np.flatnonzero(mentor >= 0)
        near.append(float((region[tied] == region[mentor[tied]]).mean()) if tied.size else np.nan)
    return _Seen(float(found.runs["mentor_schools"].mean()), float(found.runs["mentee_schools"].mean()), float(np.nanmean(near)))
