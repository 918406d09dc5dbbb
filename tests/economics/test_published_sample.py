"""A sample that was published whole, with what its authors computed from it: all printed digits come out again."""

from pathlib import Path

import pandas as pd
import pytest

from school_mentoring.analysis.economics.acceptability import acceptability, incremental
from school_mentoring.analysis.economics.psa import Sample
from school_mentoring.analysis.economics.value_of_information import evpi
from tests.economics.test_cost_effectiveness import sample_of

K = 100_000.0
DESIGNS = ["warfarin", "device"]
PRINTED = {
    "cost": {"warfarin": 20253.0, "device": 25770.7},
    "net_benefit": {"warfarin": 435839.7, "device": 443750.5},
    "highest_net_benefit": 446688.0,
    "evpi": 2937.4,
}
"""The table's last line: expectations over the ten iterations, to a tenth of a dollar."""


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parent / "data/left_atrial_appendage.csv", comment="#")


@pytest.fixture(scope="module")
def sample(table) -> Sample:
    """Return the sample; the effects that the authors computed with follow from their net benefits, which have more digits."""
    costs = {name: table[f"{name}_cost"].to_numpy() for name in DESIGNS}
    return sample_of(costs, {name: (table[f"{name}_net_benefit"].to_numpy() + costs[name]) / K for name in DESIGNS})


def test_costs_and_net_benefits_belong_to_the_printed_effects(table, sample) -> None:
    for name in DESIGNS:
        assert sample.effect[name].round(2).tolist() == table[f"{name}_effect"].tolist()


def test_each_iteration_has_the_printed_net_benefits_best_design_and_opportunity_loss(table, sample) -> None:
    benefit = sample.net_benefit(K)
    assert benefit.idxmax(axis=1).tolist() == table["best"].tolist()
    assert benefit.max(axis=1).tolist() == pytest.approx(table["highest_net_benefit"].tolist(), abs=1e-6)
    best = evpi(sample, K).best
    assert (benefit.max(axis=1) - benefit[best]).tolist() == pytest.approx(table["opportunity_loss"].tolist(), abs=1e-6)


def test_expectations_and_the_value_of_perfect_information_have_the_printed_digits(sample) -> None:
    found = acceptability(sample, K).set_index("design")
    assert found["net_benefit"].round(1).to_dict() == PRINTED["net_benefit"]
    assert incremental(sample, "warfarin").set_index("design")["cost"].round(1).to_dict() == PRINTED["cost"]
    assert round(float(sample.net_benefit(K).max(axis=1).mean()), 1) == PRINTED["highest_net_benefit"]
    perfect = evpi(sample, K)
    assert (perfect.best, round(perfect.value, 1)) == ("device", PRINTED["evpi"])
    assert found["expected_loss"].round(1).to_dict() == {"warfarin": 10848.3, "device": PRINTED["evpi"]}  # 446,688.0 less either mean


def test_the_device_is_best_in_seven_iterations_of_ten(sample) -> None:
    found = acceptability(sample, K).set_index("design")
    assert found["probability_best"].to_dict() == {"warfarin": 0.3, "device": 0.7}
    assert found["highest_mean"].to_dict() == {"warfarin": False, "device": True}
