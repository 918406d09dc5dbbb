"""Settings that all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Derandomised: a test gives the same verdict on every machine. No deadline: the first example of a test may compile.
settings.register_profile(
    "project",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("project")

QUICK = (
    "tests/golden/test_golden.py",
    "tests/model/test_engines_equal.py",
    "tests/model/test_rules.py",
    "tests/model/test_costs.py",
    "tests/scenarios/test_scenario_load.py",
    "tests/scenarios/test_scenario_errors.py",
    "tests/experiments/test_store.py",
    "tests/experiments/test_execution.py",
    "tests/analysis/test_summary.py",
    "tests/economics/test_cost_effectiveness.py",
    "tests/commands/test_compare.py::test_the_",
    "tests/web/test_parts.py",
    "tests/test_architecture.py",
    "tests/docs/test_odd.py",
    "tests/docs/test_pages.py::test_every_command_in_the_documentation_is_one_that_the_program_takes",
)
"""What ``-m quick`` runs: of each part of the project the tests that notice most. Whole modules, or single tests of them."""

FEW_EXAMPLES = 10
MOST_EXAMPLES = os.environ.get("MOST_EXAMPLES")
"""Where lines are counted, a few examples of each property run the same lines as hundreds do."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare the loading of all other modules where only the quick tests are asked for."""
    name = collection_path.relative_to(config.rootpath).as_posix()
    wanted = name.startswith(tuple(quick.partition("::")[0] for quick in QUICK))
    return True if config.option.markexpr == "quick" and collection_path.match("test_*.py") and not wanted else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the quick tests, and let each property be tried on fewer examples where that is asked for."""
    quick = [item for item in items if item.nodeid.startswith(QUICK)]
    for item in quick:
        item.add_marker(pytest.mark.quick)
    most = MOST_EXAMPLES
    if config.option.markexpr == "quick":
        most = most or FEW_EXAMPLES
        gone = [name for name in QUICK if not any(item.nodeid.startswith(name) for item in quick)]
        if gone:
            raise pytest.UsageError(f"no quick test begins with {gone}")
    for item in items if most else ():
        test = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is not None:
            test._hypothesis_internal_use_settings = settings(own, max_examples=min(own.max_examples, int(most)))
