"""Verdicts of a validation follow from its tables: what misses its rule is said to, and what is left out is not said to hold."""

import sys

import numpy as np
import pandas as pd
import pytest

from school_mentoring.analysis.economics.structural import best_by_worth, standings, survival
from school_mentoring.analysis.report.validation import verdicts
from school_mentoring.experiments.validation.checks import above, below, between, exactly, not_above, vanishes
from school_mentoring.experiments.validation.docking import compare_with_ndlib


def anchors(*readings):
    """Return a table of anchors, each with its letter and verdict."""
    rows = [(letter, "name", 0.2, verdict != "reported", verdict) for letter, verdict in readings]
    return pd.DataFrame(rows, columns=["anchor", "title", "found", "decides", "verdict"])


def frames(**changed):
    """Return tables in which everything holds, but for those given."""
    readings = {"pattern": [1, 1, 2], "check": ["a", "b", "a"], "holds": [True, True, True]}
    peer = pd.DataFrame({"apart": [0.5, -3.9]})
    tables = {
        "patterns": pd.DataFrame(readings),
        "anchors": anchors(("A", "pass"), ("A", "reported"), ("D", "pass")),
        "exact": pd.DataFrame({"apart": [1.0, -3.0]}),
        "docking": pd.DataFrame({"differing": [0, 0], "compared": [10, 20], "outcomes_compared": [3, 3]}),
        "peer": peer,
        "order": pd.DataFrame({"replicates": [5, 10], "first": [0.9, 1.0], "whole": [0.5, 0.8]}),
        "face": pd.DataFrame({"verdict": ["as reported", "differs"]}),
    }
    return tables | changed


def judged(root_law=1.0, left_out="", **changed):
    survived = survival(pd.DataFrame({"variant": ["default", "network nearest"], "design": ["virtual", "virtual"]}))
    found = verdicts(frames(**changed), {"peer_left_out": left_out, "root_law": root_law}, survived)
    return {one.part: one for one in found}


def test_all_that_has_a_rule_holds_where_all_tables_are_good():
    found = judged()
    assert [one.part for one in found.values() if one.holds is None] == ["structural choices", "face validity"]
    assert all(one.holds is not False for one in found.values())
    assert "30 numbers differ" in found["two engines"].said


def test_an_anchor_holds_where_each_reading_that_decides_is_within_its_target():
    found = judged(anchors=anchors(("A", "pass"), ("A", "fail"), ("D", "pass"), ("D", "reported")))
    assert [found[f"anchor {letter}"].holds for letter in "AD"] == [False, True]
    assert found["anchor A"].said == "1 of 2 readings within their targets (outside: name 0.2)"


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("pattern 2", {"patterns": pd.DataFrame({"pattern": [1, 2, 2], "check": ["a", "a", "a"], "holds": [True, True, False]})}),
        ("exact limits", {"exact": pd.DataFrame({"apart": [0.1, -4.1]})}),
        ("two engines", {"docking": pd.DataFrame({"differing": [0, 1], "compared": [10, 20], "outcomes_compared": [3, 3]})}),
        ("NDlib", {"peer": pd.DataFrame({"apart": [4.2]})}),
        ("convergence", {"root_law": 1.5}),
    ],
)
def test_what_misses_its_rule_does_not_hold_and_nothing_else(part, change):
    assert [one.part for one in judged(**change).values() if one.holds is False] == [part]


def test_a_peer_that_is_not_installed_is_left_out_and_not_said_to_hold():
    found = judged(left_out="install it", peer=pd.DataFrame())["NDlib"]
    assert found.holds is None
    assert found.said == "left out: install it"


def test_without_ndlib_the_comparison_says_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "school_mentoring.experiments.validation.ndlib_peer", raising=False)
    monkeypatch.setitem(sys.modules, "ndlib", None)
    table, curves, left_out = compare_with_ndlib(quick=True)
    assert left_out.endswith("install it with: pip install -e '.[peer]'")
    assert table.empty and curves.empty


def runs(variant, effects, costs):
    """Return runs of three parameter sets and one replicate; ``effects`` and ``costs`` by design, of each set."""
    rows = [
        (variant, design, s + 1, 0, effects[design][s], costs[design][s], costs[design][s], 0.0) for design in effects for s in range(3)
    ]
    names = ["variant", "design", "parameter_set", "replicate", "effect_adopter_years", "cost_society", "cost_programme", "cost_schools"]
    return pd.DataFrame(rows, columns=names)


def test_standings_order_designs_by_net_benefit_and_survival_names_what_turns_them_over():
    sets = pd.DataFrame({"parameter_set": [1, 2, 3], "p": [0.1, 0.2, 0.3]})
    nothing = {"none": [0.0, 0.0, 0.0]}
    costs = nothing | {"virtual": [400.0, 400.0, 400.0], "top_down": [600.0, 600.0, 600.0]}
    one = runs("default", {"none": [0.0] * 3, "virtual": [2.0, 3.0, 4.0], "top_down": [1.0, 1.0, 5.0]}, costs)
    other = runs("gamma 2", {"none": [0.0] * 3, "virtual": [1.0] * 3, "top_down": [2.0] * 3}, costs)
    found = standings(pd.concat([one, other]), sets, 1000.0)
    first = found.groupby("variant", sort=False).first()
    assert first["design"].tolist() == ["virtual", "top_down"]
    # virtual: mean effect 3, so 3,000 - 400; best in sets 1 and 2, top-down in set 3 (5,000 - 600 against 4,000 - 400).
    assert first.loc["default", "net_benefit"] == pytest.approx(2600.0)
    assert first.loc["default", "probability_best"] == pytest.approx(2 / 3)
    assert first["agreement"].tolist() == pytest.approx([1.0, 1 / 3])
    said = survival(found)
    assert (said.same, said.others) == (0, 1)
    assert (
        said.said == "Virtual has the highest mean net benefit by default and under 0 of 1 other structures; not under gamma 2 (top-down)."
    )
    worth = best_by_worth(pd.concat([one, other]), sets)
    assert worth.loc["gamma 2", "EUR 200"] == "no programme"  # 200 - 400 and 500 - 600 are below 0
    assert worth.loc["default", "up to EUR 1 million"] == "virtual"


def test_readings_hold_by_four_standard_errors():
    sure = np.array([1.0, 1.1, 0.9, 1.0])
    unsure = np.array([-3.0, 5.0, 1.0, 1.0])
    assert above("", sure).holds and not above("", unsure).holds and not above("", -sure).holds
    assert below("", -sure).holds and not below("", sure).holds and not below("", -unsure).holds
    assert vanishes("", unsure).holds and not vanishes("", sure).holds and vanishes("", (0.3, 0.01), slack=0.3).holds
    assert not_above("", -sure).holds and not_above("", unsure).holds and not not_above("", sure).holds
    assert between("", 0.5, 0.4, 0.6).holds and not between("", 0.4, 0.4, 0.6).holds and between("", -9.0, high=0.0).rule == "< 0"
    assert exactly("", 0).holds and not exactly("", 1).holds
