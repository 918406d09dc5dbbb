"""The golden study: the same scenario and seed give the same results as ever, to the last bit."""

import json

import pytest

from . import DIGESTS, golden_scenario, results, stated_scenario


@pytest.fixture(scope="module")
def known():
    return json.loads(DIGESTS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found():
    return results(stated_scenario())


def test_every_column_of_every_table_is_what_it_has_always_been(known, found):
    changed = [
        f"{table}: {column}" for table in known for column in known[table] if found.get(table, {}).get(column) != known[table][column]
    ]
    assert changed == [], "results have changed; if that is meant: python -m tests.golden, and say why in CHANGELOG.md"
    assert {table: list(columns) for table, columns in found.items()} == {table: list(columns) for table, columns in known.items()}


def test_the_stated_scenario_is_the_one_it_would_be_made_of():
    assert stated_scenario() == golden_scenario()


def test_a_parameter_changed_by_a_thousandth_is_seen(known):
    scenario = stated_scenario()
    turnover = scenario.parameters["turnover"]
    nudged = {**scenario.parameters, "turnover": turnover.model_copy(update={"base": turnover.base * 1.001})}
    changed = results(scenario.model_copy(update={"parameters": nudged}))
    assert changed["compare/results.parquet"]["adopters"] != known["compare/results.parquet"]["adopters"]
