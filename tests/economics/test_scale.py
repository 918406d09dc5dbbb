"""Economies of scale on runs made by hand: averages, margins, and where lines of cost cross."""

import math

import pandas as pd
import pytest

from school_mentoring.analysis.economics.scale import break_even, growth


def runs_of(sizes):
    """Return runs of one replicate and of one twin of it; ``sizes``: (design, clusters, mentored schools, adopter-years, cost)."""
    rows = [
        {
            **{"design": design, "clusters": clusters, "parameter_set": 0, "replicate": replicate, "mentor_schools": float(clusters)},
            **{"schools_reached": reached, "teachers_in_team": 0.0, "pupils_reached": 0.0, "effect_adopter_years": effect},
            **{"cost_programme": cost, "cost_society": 2 * cost},
        }
        for replicate in (0, 1)
        for design, clusters, reached, effect, cost in [("none", 0, 0.0, 100.0, 0.0), *sizes]
    ]
    return pd.DataFrame(rows)


FRAME = [("a", 0, 0.0, 100.0, 1000.0), ("a", 1, 4.0, 110.0, 1400.0), ("a", 2, 8.0, 118.0, 1800.0), ("a", 4, 8.0, 119.0, 2000.0)]
CHEAP = [("b", 0, 0.0, 100.0, 0.0), ("b", 1, 4.0, 104.0, 1000.0), ("b", 2, 8.0, 108.0, 2400.0)]


def test_costs_of_a_mentored_school_are_fixed_average_and_marginal():
    table = growth(runs_of(FRAME), worlds=1, perspective="programme").set_index("clusters")
    assert table["fixed_cost"].tolist() == [1000.0] * 4
    assert table.loc[[1, 2, 4], "cost_per_school"].tolist() == [350.0, 225.0, 250.0]
    assert table.loc[[1, 2, 4], "fixed_per_school"].tolist() == [250.0, 125.0, 125.0]
    assert table.loc[[1, 2], "marginal_per_school"].tolist() == [100.0, 100.0]
    assert math.isnan(table.at[4, "marginal_per_school"])  # no school more
    assert table.loc[[1, 2], "effect"].tolist() == [10.0, 18.0]
    assert table.at[1, "cost_per_effect"] == 140.0
    assert growth(runs_of(FRAME), worlds=1, perspective="society")["cost"].tolist() == [2000.0, 2800.0, 3600.0, 4000.0]


def test_designs_break_even_where_their_lines_cross():
    table = growth(runs_of([*FRAME, *CHEAP]), worlds=1, perspective="programme")
    evens = break_even(table).set_index("by")
    assert evens[["cheaper_below", "cheaper_above"]].to_numpy().tolist() == [["b", "a"], ["b", "a"]]
    # 1000 + 100 x = 1000 + 350 (x - 4) at x = 5.6; at 4 schools b costs 1000, a 1400.
    assert evens.at["schools_reached", "size"] == pytest.approx(5.6) and evens.at["schools_reached", "cost"] == pytest.approx(1560.0)
    # 1000 + 40 x = 1000 + 350 (x - 4), in adopter-years.
    assert evens.at["effect", "size"] == pytest.approx(1400 / 310)


def test_lines_that_do_not_cross_or_that_touch_at_their_start_break_even_nowhere():
    table = growth(runs_of([*CHEAP, *(("c", *rest) for _, *rest in CHEAP)]), worlds=1, perspective="programme")
    assert break_even(table).empty
