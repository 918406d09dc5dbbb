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
    stage("face validity", 0, 2)
    found = {"MenSI": _mensi()}
    stage("face validity", 1, 2)
    found["Living Schools Lab"] = _lab()
    text = files(__package__).joinpath("facts.csv").read_text(encoding="utf-8")
    facts = list(csv.DictReader(text.splitlines()))
    for fact in facts:
        figures, agrees = found[fact["project"]]
        fact["model"] = fact["model"].format(**figures).replace("%", " %")
        fact["verdict"] = fact["verdict"] or ("as reported" if agrees[fact["topic"]] else "differs")
    return pd.DataFrame(facts)


def _mensi() -> tuple[dict[str, Any], dict[str, bool]]:
    """Return the figures of the pilot that facts name, and whether those that decide a fact agree with it."""
    pilot, alone = load_scenario("mensi-pilot"), load_scenario("mensi-pilot-only")
    seen = _runs(pilot, ("top_down", "regional_hub"))
    unpaid = pilot.base_parameters()["voluntary_hours"]
    hours = {name: (unpaid + PRESETS[name].release_hours) / PRESETS[name].places for name in seen}
    codes = [country.code for country in pilot.world.countries]
    figures = {
        "months": _months(pilot),
        "countries": ", ".join(codes),
        "top": seen["top_down"],
        "hub": seen["regional_hub"],
        "top_hours": hours["top_down"],
        "hub_hours": hours["regional_hub"],
        "places": PRESETS["top_down"].places,
        "pilot": sum(pilot.regions()) * pilot.world.schools_per_region,
        "alone": sum(alone.regions()) * alone.world.schools_per_region,
    }
    return figures, {
        "duration": figures["months"] == 28,
        "countries": set(codes) == {"BE-VLG", "HR", "CZ", "HU", "IT", "PT"},
        "mentor schools": abs(seen["top_down"].mentors - 24) < 0.5,
        "schools": figures["alone"] == 120,
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
    return {**figures, "teachers": int(world.teachers.sum())}, agrees


def _months(scenario: Scenario) -> int:
    return scenario.programme.last_month - scenario.programme.first_month


def _runs(scenario: Scenario, names: tuple[str, ...]) -> dict[str, _Seen]:
    chosen = scenario.model_copy(update={"designs": {name: scenario.designs[name] for name in names}, "worlds": REPLICATES})
    homes = Worlds(chosen)
    found = run_ensemble(chosen, [{}], REPLICATES, worlds=homes, per_school=True)
    seen = {}
    for position, name in enumerate(names):
        rows = found.runs[found.runs["design"] == name]
        near = []
        for replicate in range(REPLICATES):
            world, _ = homes.get(chosen.base_parameters(), replicate)
            mentor = found.results.schools[position * REPLICATES + replicate, chosen.programme.first_month, -1]
            tied = np.flatnonzero(mentor >= 0)
            near.append(float((world.region[tied] == world.region[mentor[tied]]).mean()) if tied.size else np.nan)
        seen[name] = _Seen(float(rows["mentor_schools"].mean()), float(rows["mentee_schools"].mean()), float(np.nanmean(near)))
    return seen
