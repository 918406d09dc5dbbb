"""Settings that all tests share."""

import os

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

MOST_EXAMPLES = os.environ.get("MOST_EXAMPLES")
"""Where lines are counted, a few examples of each property run the same lines as hundreds do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items if MOST_EXAMPLES else ():
        test = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is not None:
            test._hypothesis_internal_use_settings = settings(own, max_examples=min(own.max_examples, int(MOST_EXAMPLES)))
