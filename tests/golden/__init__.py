"""A small study whose every result is known: what it is (`study.json`), and a digest of each column of each table (`digests.json`).

A change of any bit of any result is seen by `test_golden.py`. Where a change is meant, `python -m tests.golden` writes the digests anew,
and CHANGELOG.md says why results have changed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from school_mentoring.analysis.report.terminal import comparison_report
from school_mentoring.experiments.compare import compare
from school_mentoring.experiments.simulate import simulate
from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.scenarios import Scenario, load_scenario, scenario_from

FOLDER = Path(__file__).parent
STUDY, DIGESTS = FOLDER / "study.json", FOLDER / "digests.json"

SMALL = (
    *("world.schools_per_region=4", "world.regions_per_country=2", "programme.last_month=12"),
    *("draws=4", "worlds=2", "replicates=3", "months=20"),
)
"""48 schools of six countries in two worlds, 20 months of which 6 to 11 are funded, every design of the pilot."""

SWEPT = ("p", "gamma", "regional_hub.stipend=0:5000", "world.schools_per_region=3:6")


def golden_scenario() -> Scenario:
    """Return the scenario that the golden study is made of when it is made anew."""
    return load_scenario("mensi-pilot", SMALL)


def stated_scenario() -> Scenario:
    """Return the scenario that `study.json` states."""
    return scenario_from(json.loads(STUDY.read_text(encoding="utf-8"))["scenario"], str(STUDY))


def results(scenario: Scenario) -> dict[str, dict[str, str]]:
    """Return a digest of each column of every table that a comparison, a simulation and a sweep of the scenario write."""
    found = compare(scenario)
    tables = {**found.tables(), **comparison_report(**found.for_report()).files}
    alone = scenario.model_copy(update={"designs": {"regional_hub": scenario.designs["regional_hub"]}, "replicates": 1})
    schools = simulate(alone, per_school=True).schools
    assert schools is not None
    plan = plan_sweep(scenario, SWEPT, "sobol:4", broken_down=True)
    runs, failures = Sweep(plan).chunk(0)
    assert failures == [] and runs.num_rows == plan.runs
    written = {
        **{f"compare/{name}": table for name, table in tables.items()},
        "simulate/schools.parquet": schools,
        "sweep/parameters.parquet": plan.sets,
        "sweep/runs.parquet": runs.to_pandas(),
    }
    return {name: {str(column): _digest(table[column], name) for column in table} for name, table in written.items()}


def _digest(column: "pd.Series[Any]", name: str) -> str:
    """Return a digest of what a column holds: numbers to the last bit, in a sheet to the 10 digits it is written with."""
    if name.endswith(".csv"):
        data = column.to_csv(index=False, header=False, float_format="%.10g", lineterminator="\n").encode()
    elif pd.api.types.is_numeric_dtype(column):
        kind = "<f8" if pd.api.types.is_float_dtype(column) else "<i8"
        data = column.to_numpy(kind).tobytes()
    else:
        data = json.dumps([None if pd.isna(value) else str(value) for value in column.astype(object)]).encode()
    return hashlib.sha256(data).hexdigest()[:16]
