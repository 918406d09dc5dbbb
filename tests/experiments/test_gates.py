"""The runs of gates: a gate goes either of its two ways, run by run, but for the cost of its survey."""

import math

import numpy as np
import pytest

from school_mentoring.analysis.economics.gates import best_threshold, threshold_value
from school_mentoring.experiments.compare import compare
from school_mentoring.experiments.ensemble import EFFECT
from school_mentoring.experiments.gates import ways_of
from school_mentoring.model.designs import PRESETS
from school_mentoring.scenarios import scenario_from

GATE = {"outcome": "mentee_share", "at_least": 0.15, "survey": 1000, "survey_cost": 0}
HUB = {"months": 12, "design": "regional_hub"}
DESIGNS = {
    "free": {
        "phases": [HUB, {"months": 12, "design": "regional_hub", "places": 8, "if": GATE, "else": [{"months": 6, "design": "outreach"}]}]
    },
    "paid": {"phases": [HUB, {"months": 12, "design": "virtual", "if": {**GATE, "survey": 3, "survey_cost": 100}}]},
    "nested": {
        "by_country": {
            "IT": {
                "phases": [
                    HUB,
                    {**HUB, "if": GATE, "else": [HUB, {**HUB, "months": 6, "if": {**GATE, "at_least": 0.2}}]},
                    {**HUB, "if": GATE},
                ]
            },
            "others": "virtual",
        }
    },
}


@pytest.fixture(scope="module")
def gates():
    world = {"countries": ["IT", "PT"], "regions_per_country": 2, "schools_per_region": 20}
    given = {"name": "x", "designs": DESIGNS, "world": world, "replicates": 2, "draws": 40, "months": 60}
    return compare(scenario_from(given, "x.yaml"), threads=1).gates


def of(table, design, gate, way):
    return table[(table["design"] == design) & (table["gate"] == gate) & (table["way"] == way)].sort_values(["parameter_set", "replicate"])


def test_every_gate_has_its_runs_and_what_comes_after_it_is_not_before(gates):
    assert gates.groupby(["design", "gate"], sort=False).size().to_dict() == {
        ("free", "phases.1"): 320,
        ("paid", "phases.1"): 320,
        ("nested", "by_country.IT.phases.1"): 320,
        ("nested", "by_country.IT.phases.1.else.1"): 320,
        ("nested", "by_country.IT.phases.2"): 320,
    }
    first = of(gates, "nested", "by_country.IT.phases.1", "gate")
    yes = (first["found"] >= 0.15).to_numpy()
    assert first["asked"].all() and 0 < yes.sum() < 80
    assert (of(gates, "nested", "by_country.IT.phases.1.else.1", "gate")["asked"].to_numpy() == ~yes).all()
    assert (of(gates, "nested", "by_country.IT.phases.2", "gate")["asked"].to_numpy() == yes).all()


@pytest.mark.parametrize(("design", "gate"), [("free", "phases.1"), ("paid", "phases.1"), ("nested", "by_country.IT.phases.2")])
def test_a_gate_is_always_or_never_by_what_was_found_but_for_the_survey(gates, design, gate):
    gated, always, never = (of(gates, design, gate, way) for way in ("gate", "always", "never"))
    yes = (gated["found"] >= gated["at_least"]).to_numpy()
    np.testing.assert_array_equal(gated[EFFECT], np.where(yes, always[EFFECT], never[EFFECT]))
    paid = gated["cost_programme"].to_numpy() - np.where(yes, always["cost_programme"], never["cost_programme"])
    if design == "paid":
        discount = 1.03 ** (-18 / 12)
        assert ((paid > 0) & (paid < 300 * discount + 1)).all()
    else:
        np.testing.assert_allclose(paid, 0.0, atol=1e-6)


@pytest.mark.parametrize("k", [200.0, 1000.0, 5000.0, 20000.0])
def test_with_a_free_and_exact_survey_the_best_threshold_is_worth_no_less_than_nothing(gates, k):
    gated, always, never = (of(gates, "free", "phases.1", way) for way in ("gate", "always", "never"))
    found = gated["found"].to_numpy()
    goes, stays = ((k * way[EFFECT] - way["cost_society"]).to_numpy() for way in (always, never))
    best = threshold_value(found, goes, stays, best_threshold(found, goes, stays)).mean()
    assert best >= max(goes.mean(), stays.mean())


def test_ways_of_gates_leave_the_programme_but_for_the_gate():
    designs = scenario_from({"name": "x", "designs": DESIGNS}, "x.yaml").designs
    (only,) = ways_of(designs["free"])
    assert only.always.phases[1].gate is None and only.always.phases[1].otherwise == ()
    assert only.never.phases[1].gate.at_least == math.inf and only.never.phases[1].otherwise == designs["free"].phases[1].otherwise
    assert only.ending.phases[1].otherwise == () and only.always.phases[0] == designs["free"].phases[0]
    inner = ways_of(designs["nested"])[1]
    assert inner.where == "by_country.IT.phases.1.else.1"
    assert inner.always.by_country["IT"][1].otherwise[1].gate is None
    assert inner.always.by_country["others"] == designs["nested"].by_country["others"]
    assert ways_of(PRESETS["virtual"]) == []
