import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.analysis.economics.robustness import agreement, regrets, robustness

# The stock example of decision theory: pay-offs of bonds, shares and deposits in a growing, stable and falling economy, in USD.
PAYOFFS = pd.DataFrame(
    {"bonds": [40.0, 45, 5], "shares": [70.0, 30, -13], "deposits": [53.0, 45, -5]}, index=["growing", "stable", "falling"]
)


def test_regrets_agree_with_a_hand_worked_table() -> None:
    table = regrets(PAYOFFS)
    assert table.to_dict("list") == {"bonds": [30.0, 0.0, 0.0], "shares": [0.0, 15.0, 18.0], "deposits": [17.0, 0.0, 10.0]}


def test_each_criterion_chooses_as_worked_by_hand() -> None:
    table = robustness(PAYOFFS, 40.0).set_index("design")
    assert table["worst"].to_dict() == {"bonds": 5.0, "shares": -13.0, "deposits": -5.0}
    assert table["mean"].to_dict() == pytest.approx({"bonds": 30.0, "shares": 29.0, "deposits": 31.0})
    assert table["regret_max"].to_dict() == {"bonds": 30.0, "shares": 18.0, "deposits": 17.0}
    # 90 % lies 0.8 of the way from the second to the third of three.
    assert table["regret_90"].to_dict() == pytest.approx({"bonds": 24.0, "shares": 17.4, "deposits": 15.6})
    assert table["satisfied"].to_dict() == pytest.approx({"bonds": 2 / 3, "shares": 1 / 3, "deposits": 2 / 3})
    chosen, concordance = agreement(table.reset_index())
    best = chosen.set_index("criterion")["best"].to_dict()
    assert best == {"worst": "bonds", "mean": "deposits", "regret_max": "deposits", "regret_90": "deposits", "satisfied": "bonds+deposits"}
    assert 0 < concordance < 1


def test_rankings_that_are_the_same_agree_fully() -> None:
    table = robustness(pd.DataFrame({"a": [3.0, 4.0], "b": [2.0, 2.0], "c": [-1.0, -1.0]}), "b")
    assert table["satisfied"].tolist() == [1.0, 1.0, 0.0]
    strict = robustness(pd.DataFrame({"a": [3.0, 4.0], "b": [2.0, -1.0], "c": [-1.0, -3.0]}))
    assert agreement(strict)[1] == pytest.approx(1.0)


def test_equal_designs_tie_by_every_criterion() -> None:
    table = robustness(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}))
    chosen, concordance = agreement(table)
    assert set(chosen["best"]) == {"a+b"}
    assert np.isnan(concordance)


def test_a_satisfactory_state_may_be_told_by_a_table() -> None:
    told = pd.DataFrame({"a": [True, False], "b": [False, False]})
    assert robustness(pd.DataFrame({"a": [0.0, 0.0], "b": [0.0, 0.0]}), told)["satisfied"].tolist() == [0.5, 0.0]


@given(st.integers(1, 5), st.integers(1, 20), st.integers(0, 1000))
def test_regret_is_never_negative_and_nobody_regrets_the_best(designs, states, seed) -> None:
    benefit = pd.DataFrame(np.random.default_rng(seed).integers(-5, 5, (states, designs)).astype(float)).rename(columns=str)
    table = regrets(benefit)
    assert (table >= 0).all().all()
    assert (table.min(axis=1) == 0).all()
    ranks = robustness(benefit)[["rank_worst", "rank_mean", "rank_regret_max", "rank_regret_90", "rank_satisfied"]]
    assert (ranks.min() == 1).all()


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(ValueError, match="no design 'hub'; there are a"):
        robustness(pd.DataFrame({"a": [1.0]}), "hub")
    with pytest.raises(ValueError, match="not a finite number"):
        robustness(pd.DataFrame({"a": [np.nan]}))
    with pytest.raises(ValueError, match="no states"):
        robustness(pd.DataFrame())
