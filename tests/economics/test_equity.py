import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.analysis.economics.equity import (
    EquityDistribution,
    best_by_aversion,
    distribution,
    ede,
    equity_plane,
    equity_weighted,
    gains,
)
from school_mentoring.analysis.economics.psa import psa_sample
from school_mentoring.model.observe import SCHOOL_TYPES
from tests.analysis.tables import table_of_runs

HALVES = np.array([0.5, 0.5])


def test_equivalents_agree_with_hand_worked_values() -> None:
    levels = np.array([1.0, 4.0])
    assert ede(levels, HALVES, 0.0) == 2.5
    assert ede(levels, HALVES, 1.0) == pytest.approx(2.0)  # geometric mean
    assert ede(levels, HALVES, 2.0) == pytest.approx(1.6)  # harmonic mean
    assert ede(levels, HALVES, 0.5) == pytest.approx(2.25)  # ((1 + 2) / 2)^2
    assert ede(levels, HALVES, np.log(2.0), "kolm") == pytest.approx(-np.log2((0.5 + 0.0625) / 2))
    assert ede(levels, HALVES, 0.0, "kolm") == 2.5


levels_of_groups = st.lists(st.floats(0.01, 50.0), min_size=2, max_size=6)


@given(levels_of_groups, st.floats(0.0, 30.0), st.sampled_from(["atkinson", "kolm"]))
def test_an_equivalent_lies_between_the_least_and_the_mean_and_falls_with_aversion(levels, aversion, kind) -> None:
    h = np.array(levels)
    w = np.full(len(h), 1 / len(h))
    value = float(ede(h, w, aversion, kind))
    assert h.min() * (1 - 1e-9) <= value <= h.mean() * (1 + 1e-9)
    assert float(ede(h, w, aversion + 1.0, kind)) <= value * (1 + 1e-9)


@given(levels_of_groups, st.floats(0.0, 30.0))
def test_atkinson_follows_scale_and_kolm_follows_shift(levels, aversion) -> None:
    h = np.array(levels)
    w = np.full(len(h), 1 / len(h))
    assert float(ede(3 * h, w, aversion)) == pytest.approx(3 * float(ede(h, w, aversion)), rel=1e-9)
    assert float(ede(h + 7, w, aversion, "kolm")) == pytest.approx(float(ede(h, w, aversion, "kolm")) + 7, rel=1e-9)


def test_equal_levels_are_their_own_equivalent_and_empty_groups_do_not_count() -> None:
    assert ede(np.array([2.0, 2.0]), HALVES, 5.0) == pytest.approx(2.0)
    assert ede(np.array([2.0, 0.0]), np.array([1.0, 0.0]), 5.0) == pytest.approx(2.0)
    assert ede(np.array([2.0, 0.0]), np.array([1.0, 0.0]), 5.0, "kolm") == pytest.approx(2.0)


def test_a_group_that_has_nothing_counts_for_all_from_aversion_one_on() -> None:
    levels = np.array([[0.0, 4.0], [0.0, 0.0]])
    assert ede(levels, HALVES, 0.5).tolist() == pytest.approx([1.0, 0.0])  # (0.5 x 2)^2
    assert ede(levels, HALVES, 1.0).tolist() == [0.0, 0.0]
    assert ede(levels, HALVES, 3.0).tolist() == [0.0, 0.0]


def test_what_an_index_does_not_bear_is_said() -> None:
    with pytest.raises(ValueError, match="Atkinson's index does not bear; allowed: kind='kolm'"):
        ede(np.array([1.0, -0.5]), HALVES, 1.0)
    with pytest.raises(ValueError, match="no index named 'gini'; there are atkinson, kolm"):
        ede(np.array([1.0, 2.0]), HALVES, 1.0, "gini")
    with pytest.raises(ValueError, match="costs are 'shared'; allowed: apart, borne"):
        equity_weighted(CASE, 100.0, 2.0, costs="shared")
    with pytest.raises(ValueError, match="aversion to inequality is -1"):
        ede(np.array([1.0, 2.0]), HALVES, -1.0)


def two_groups(none, fair, strong, cost=(0.0, 10.0, 10.0)) -> EquityDistribution:
    """Return one parameter set with 100 teachers in each of two groups; levels per teacher by design, the same costs for both groups."""
    effect = np.array([[none, fair, strong]], float)
    costs = np.array([[[c, c] for c in cost]])
    return EquityDistribution(("none", "fair", "strong"), ("rural", "not_rural"), np.array([[100.0, 100.0]]), effect, costs)


CASE = two_groups([1.0, 2.0], [1.5, 2.0], [1.0, 3.0])
"""fair adds 50 adopter-years where there are fewest, strong 100 where there are most; both cost 2,000 EUR."""


@pytest.mark.parametrize("costs", ["apart", "borne"])
def test_without_aversion_the_weighted_net_benefit_is_the_plain_one(costs) -> None:
    table = equity_weighted(CASE, 100.0, 0.0, costs=costs).set_index("design")
    assert table["equity_weighted"].to_dict() == pytest.approx({"none": 30000.0, "fair": 33000.0, "strong": 38000.0})
    assert table["cost_of_inequality"].abs().max() < 1e-9
    assert table["incremental"].to_dict() == pytest.approx({"none": 0.0, "fair": 3000.0, "strong": 8000.0})


def test_aversion_prices_inequality_as_worked_by_hand() -> None:
    # At aversion 2 the equivalent is the harmonic mean; net of 0.1 a teacher: fair 1.4 and 1.9, strong 0.9 and 2.9.
    table = equity_weighted(CASE, 100.0, 2.0, costs="borne").set_index("design")["equity_weighted"]
    assert table["fair"] == pytest.approx(100 * 200 * 2 / (1 / 1.4 + 1 / 1.9))
    assert table["strong"] == pytest.approx(100 * 200 * 2 / (1 / 0.9 + 1 / 2.9))
    apart = equity_weighted(CASE, 100.0, 2.0).set_index("design")["equity_weighted"]
    assert apart["fair"] == pytest.approx(100 * 200 * 2 / (1 / 1.5 + 1 / 2.0) - 2000)


def test_the_choice_flips_where_both_are_worth_the_same() -> None:
    table = best_by_aversion(CASE, 100.0, costs="borne")
    assert table["design"].tolist() == ["strong", "fair"]
    flip = table["to"][0]
    shares = np.array([0.5, 0.5])
    both = [float(ede(np.array(h), shares, flip)) for h in ([1.4, 1.9], [0.9, 2.9])]
    assert both[0] == pytest.approx(both[1], abs=5e-4)
    assert table["from"][1] == flip


def test_the_plane_tells_efficiency_from_equity() -> None:
    table = equity_plane(CASE, 100.0, 2.0).set_index("design")
    assert table["efficiency"].to_dict() == pytest.approx({"fair": 3000.0, "strong": 8000.0})
    assert table["quadrant"].to_dict() == {"fair": "more efficient and more equal", "strong": "more efficient and less equal"}
    assert table["probability_both"].to_dict() == {"fair": 1.0, "strong": 0.0}
    weighted = equity_weighted(CASE, 100.0, 2.0).set_index("design")["incremental"]
    assert (table["efficiency"] + table["equity"]).to_dict() == pytest.approx(weighted.drop("none").to_dict())


def test_equal_designs_lie_at_the_origin() -> None:
    case = two_groups([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], cost=(0.0, 0.0, 0.0))
    assert equity_plane(case, 100.0, 2.0)["quadrant"].tolist() == ["the same", "the same"]
    assert equity_weighted(case, 100.0, 2.0)["probability_best"].tolist() == pytest.approx([1 / 3] * 3)


def test_gains_are_shared_out() -> None:
    table = gains(CASE).set_index(["design", "group"])
    assert table.loc[("fair", "rural"), "gain"] == 50.0
    assert table.loc[("fair", "rural"), "share_of_gain"] == 1.0
    assert table.loc[("strong", "not_rural"), "share_of_gain"] == 1.0
    assert table.loc[("strong", "rural"), "cost"] == 1000.0
    assert np.isnan(table.loc[("none", "rural"), "share_of_gain"])


def broken_down() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    values = {}
    for d, design in enumerate(("none", "hub")):
        columns: dict[str, np.ndarray] = {}
        for groups in (SCHOOL_TYPES, ("country:HR", "country:PT")):
            parts = np.array([10.0, 20.0, 30.0, 40.0]) if len(groups) == 4 else np.array([35.0, 65.0])
            for group, part in zip(groups, parts, strict=True):
                columns[f"teachers:{group}"] = np.full(6, 0.0 if group == SCHOOL_TYPES[0] else part)
                columns[f"effect_adopter_years:{group}"] = np.zeros(6) if group == SCHOOL_TYPES[0] else part * rng.uniform(1, 2, 6)
        columns["teachers:country:HR"] -= 10.0
        columns["effect_adopter_years"] = sum(columns[f"effect_adopter_years:{group}"] for group in SCHOOL_TYPES)
        for payer in ("programme", "schools", "society"):
            for place in ("HR", "PT"):
                columns[f"cost_{payer}:country:{place}"] = np.full(
                    6, d * (100.0 if place == "HR" else 50.0) * (2 if payer == "society" else 1)
                )
            columns[f"cost_{payer}"] = columns[f"cost_{payer}:country:HR"] + columns[f"cost_{payer}:country:PT"]
        values[design] = columns
    return table_of_runs(values, sets=3)


def test_the_distribution_adds_up_to_the_sample_of_the_study() -> None:
    runs = broken_down()
    spread = distribution(runs)
    assert spread.groups == SCHOOL_TYPES[1:]  # nobody works in the first type
    sample = psa_sample(runs)
    assert (spread.effect * spread.teachers[:, None]).sum(axis=2) == pytest.approx(sample.effect.to_numpy())
    assert (spread.cost * spread.teachers[:, None]).sum(axis=2) == pytest.approx(sample.cost.to_numpy())


def test_countries_bear_what_is_spent_in_them_and_school_types_an_even_share() -> None:
    runs = broken_down()
    by_country = distribution(runs, over="countries")
    assert by_country.cost[0, 1].tolist() == pytest.approx([200 / 25, 100 / 65])
    assert distribution(runs, over="countries", burden="even").cost[0, 1].tolist() == pytest.approx([300 / 90] * 2)
    assert distribution(runs).cost[0, 1].tolist() == pytest.approx([300 / 90] * 3)
    assert distribution(runs, perspective="programme").cost[0, 1, 0] == pytest.approx(150 / 90)
    with pytest.raises(ValueError, match="not recorded; allowed: burden='even'"):
        distribution(runs, burden="spent")


def test_runs_that_are_not_broken_down_are_refused() -> None:
    with pytest.raises(ValueError, match="not broken down by rural_disadvantaged, "):
        distribution(broken_down()[["design", "parameter_set", "replicate", "cost_society"]])
    with pytest.raises(ValueError, match="not broken down by country"):
        distribution(broken_down()[["design", "parameter_set", "replicate", "cost_society"]], over="countries")
    with pytest.raises(ValueError, match="no burden named 'fair'; there are spent, even"):
        distribution(broken_down(), burden="fair")
    with pytest.raises(ValueError, match="no design 'hybrid'; there are none, fair, strong"):
        CASE.position("hybrid")
    with pytest.raises(ValueError, match="give a willingness to pay above 0"):
        CASE.net(0.0)
