"""Studies described in YAML files: ``load_scenario`` reads a file or a shipped name, ``Scenario`` is what all else works with."""

from .anchored import anchored, joint_draws, stated_instead
from .country_entry import CountryEntry
from .funding import Funding
from .json_schema import json_schema
from .load import (
    FILE_KEYS,
    RunOptions,
    ScenarioLike,
    ScenarioOptions,
    Settings,
    assignments,
    dump_yaml,
    load_design,
    load_scenario,
    own_headers,
    resolved,
    scenario_from,
    shipped_scenarios,
    uploaded_scenario,
)
from .posterior import check_draws, fitted_draws, parameter_rows, read_draws, read_parquet
from .programmes import has_mentors, parts, written
from .ranges import Range
from .schema import COMPARATOR, Practice, Scenario, WorldSpec
from .template import template

__all__ = [
    "COMPARATOR", "FILE_KEYS", "CountryEntry", "Funding", "Practice", "Range", "RunOptions", "Scenario", "ScenarioLike",
    "ScenarioOptions", "Settings", "WorldSpec", "anchored", "assignments", "check_draws", "dump_yaml", "fitted_draws", "has_mentors",
    "joint_draws", "json_schema", "load_design", "load_scenario", "own_headers", "parameter_rows", "parts", "read_draws", "read_parquet",
    "resolved", "scenario_from", "shipped_scenarios", "stated_instead", "template", "uploaded_scenario", "written",
]  # fmt: skip
