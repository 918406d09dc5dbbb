import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.analysis.economics.frontier import DOMINATED, EXTENDED, FRONTIER, frontier, net_benefit

UC = {"UC": (5000, 1.0), "A": (12000, 1.5), "B": (10000, 2.0), "C": (25000, 3.0), "D": (35000, 4.0), "E": (55000, 5.0)}
HIV = {
    "a": (26000, 277.25 / 12),
    "b": (27000, 277.57 / 12),
    "c": (28020, 277.78 / 12),
    "d": (28440, 277.83 / 12),
    "e": (29440, 277.76 / 12),
}
DIFFICILE = {
    "s3": (57336.0060, 12.9399639),
    "s27": (57541.2526, 13.0140641),
    "s33": (57642.2588, 13.0389116),
    "s31": (57934.0743, 13.0966258),
    "s43": (58072.1137, 13.1128577),
    "s44": (58665.7823, 13.1283328),
    "s39": (57814.6471, 13.0462790),
    "s4": (57887.4815, 12.9970657),
    "s13": (58018.6252, 13.0650412),
    "s37": (58081.7948, 13.1029711),
    "s20": (58634.2026, 13.1100569),
}


def standing(points):
    table = frontier(list(points), [c for c, _ in points.values()], [e for _, e in points.values()])
    return table.set_index("design")


def test_a_textbook_example_has_its_published_frontier() -> None:
    table = standing(UC)
    assert table["status"].to_dict() == {"UC": FRONTIER, "A": DOMINATED, "B": FRONTIER, "C": EXTENDED, "D": FRONTIER, "E": FRONTIER}
    assert table["icer"].dropna().to_dict() == {"B": 5000.0, "D": 12500.0, "E": 20000.0}
    assert table["icer_against"].to_dict() == {"UC": "", "A": "", "B": "UC", "C": "", "D": "B", "E": "D"}
    assert table.at["A", "dominated_by"] == "B"
    assert table.at["C", "dominated_by"] == "B+D"


def test_hiv_prophylaxis_has_its_published_ratios() -> None:
    table = standing(HIV)  # Paltiel et al. 2006
    # Published to the cent.
    assert table["icer"].dropna().to_list() == pytest.approx([37500, 58285.71, 100800], abs=0.01)
    assert table.at["e", "status"] == DOMINATED


def test_c_difficile_has_its_published_ratios_and_dominance() -> None:
    table = standing(DIFFICILE)
    # 1e-5: the effects are published with 7 decimals, and their differences, about 0.02, with 5 figures.
    assert table["icer"].dropna().to_list() == pytest.approx([2769.855, 4065.031, 5056.222, 8504.216, 38362.652], rel=1e-5)
    assert table.index[table["status"] == EXTENDED].to_list() == ["s39"]
    assert set(table.index[table["status"] == DOMINATED]) == {"s4", "s13", "s37", "s20"}


def test_equal_designs_share_their_standing() -> None:
    table = standing({**UC, "B again": UC["B"], "A again": UC["A"]})
    assert table.at["B again", "status"] == FRONTIER
    assert table.at["B again", "icer"] == 5000.0
    assert table.at["A again", "status"] == DOMINATED


def test_what_costs_the_same_and_does_less_is_dominated() -> None:
    table = standing({"a": (0, 1.0), "b": (0, 2.0), "c": (1, 2.0)})
    assert table["status"].to_list() == [DOMINATED, FRONTIER, DOMINATED]


def test_three_designs_on_one_line_are_all_on_the_frontier() -> None:
    table = standing({"a": (0, 0.0), "b": (1, 1.0), "c": (2, 2.0)})
    assert table["status"].to_list() == [FRONTIER] * 3


def test_a_value_that_is_not_finite_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="of b is not"):
        frontier(["a", "b"], [1.0, float("nan")], [1.0, 2.0])


def test_net_benefit_is_effect_at_its_worth_less_cost() -> None:
    assert net_benefit([2.0, 3.0], [500.0, 100.0], 1000.0).tolist() == [1500.0, 2900.0]


points = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=9)


@given(points, st.randoms(use_true_random=False))
def test_the_frontier_depends_on_neither_order_nor_duplicates(given_points, random) -> None:
    plain = dict(zip(given_points, _rows(given_points), strict=True))
    shuffled = given_points * 2
    random.shuffle(shuffled)
    for point, row in zip(shuffled, _rows(shuffled), strict=True):
        assert row == plain[point]


@given(points, st.integers(0, 1000))
def test_a_cost_added_to_all_leaves_ratios_and_standing(given_points, cost) -> None:
    assert _rows(given_points) == _rows([(c + cost, e) for c, e in given_points])


@given(points)
def test_ratios_rise_along_the_frontier_and_net_benefit_is_greatest_on_it(given_points) -> None:
    costs, effects = (np.array(part, float) for part in zip(*given_points, strict=True))
    table = frontier([str(k) for k in range(len(costs))], costs.tolist(), effects.tolist())
    kept = table[table["status"] == FRONTIER].drop_duplicates(["cost", "effect"]).sort_values("cost")
    ratios = kept["icer"].to_list()[1:]
    assert ratios == sorted(ratios)
    for k in (0.5, 3.0, 70.0):
        assert net_benefit(kept["effect"], kept["cost"], k).max() == net_benefit(effects, costs, k).max()


def _rows(given_points):
    names = [str(k) for k in range(len(given_points))]
    table = frontier(names, [float(c) for c, _ in given_points], [float(e) for _, e in given_points])
    return list(zip(table["status"], table["icer"].fillna(-1.0), strict=True))
