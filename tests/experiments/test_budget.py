"""Equal budgets: the largest size of each design that is within, by the very runs that a comparison shows."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.experiments.budget import Budget, budget_of, largest_within
from school_mentoring.experiments.compare import compare
from school_mentoring.experiments.search.archive import design_of
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import scenario_from

from .test_scaling import SMALL

DESIGNS = ("outreach", "top_down", "regional_hub", "virtual", "bottom_up", "specialist")


def scenario(designs=DESIGNS, **changes):
    return scenario_from({**SMALL, **changes, "designs": list(designs)}, "here")


@pytest.fixture(scope="module")
def fitted():
    return compare(scenario(), budget=Budget(45_000.0))


def climb(start, top, stride, excess):
    search, tried = largest_within(start, top, stride), []
    try:
        step = next(search)
        while True:
            tried.append(step)
            step = search.send(excess(step))
    except StopIteration as end:
        return end.value, tried


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 100), st.integers(0, 10_001), st.floats(0.2, 4.0))
def test_the_largest_step_within_is_found_from_anywhere_in_few_tries_and_the_next_one_was_tried(top, start, stride, last, bend):
    found, tried = climb(start, top, stride, lambda step: (step + 0.5) ** bend - (last + 1.0) ** bend)
    assert found == min(last, top)
    assert set(tried) >= {step for step in (found, found + 1) if 1 <= step <= top}
    assert len(tried) == len(set(tried)) <= 4 * math.log2(top + 2) + 4


def test_a_risk_lets_so_many_runs_exceed_the_budget_and_none_more():
    costs = np.arange(1.0, 11.0)[:, None]
    assert [Budget(1.0, risk=risk).needed(costs) for risk in (0.0, 0.1, 0.25, 0.9)] == [10.0, 9.0, 8.0, 1.0]
    assert Budget(1.0).needed(costs) == 5.5


def test_a_budget_of_each_year_is_that_of_the_dearest_one():
    costs = np.array([[1.0, 4.0], [3.0, 2.0]])
    assert Budget(3.5, per_year=True).needed(costs) == 3.0
    assert Budget(3.5, per_year=True, risk=0.0).needed(costs) == 4.0
    assert Budget(3.5, per_year=True).chance_within(costs) == 0.5


def mean_costs(found, column="cost_programme"):
    return found.base.runs.groupby("design", observed=True)[column].mean()


def test_every_design_is_within_the_budget_and_one_cluster_more_exceeds_it(fitted):
    table = fitted.budget().set_index("design")
    shown = mean_costs(fitted)
    for name, row in table.iterrows():
        assert row["cost"] == pytest.approx(shown[name], rel=1e-12)
        assert row["left_over"] == pytest.approx(45_000.0 - shown[name])
        assert row["left_over"] >= 0
    scaled = table[table["one_more"].notna()]
    assert set(scaled.index) == {"top_down", "regional_hub", "specialist"}
    more = scenario(scaled.index)
    designs = {
        name: design.model_copy(update={"mentor_share": (scaled.at[name, "clusters"] + 1) / 42})
        for name, design in more.designs.items()
        if name != "none"
    }
    beyond = mean_costs(compare(more.model_copy(update={"designs": designs})))
    for name, row in scaled.iterrows():
        assert beyond[name] == pytest.approx(row["one_more"], rel=1e-12)
        assert beyond[name] > 45_000.0


def test_mentors_are_as_many_as_clusters_where_they_are_assigned(fitted):
    runs, table = fitted.base.runs, fitted.budget().set_index("design")
    assert (runs.loc[runs["design"] == "top_down", "mentor_schools"] == table.at["top_down", "clusters"]).all()


def test_what_cannot_spend_the_money_says_why_and_stands_at_its_end(fitted):
    table = fitted.budget().set_index("design")
    assert table.loc[["outreach", "virtual", "bottom_up"], "limit"].str.len().gt(0).all()
    assert table.at["outreach", "outreach"] == 1.0
    assert math.isnan(table.at["bottom_up", "clusters"]) and math.isnan(table.at["bottom_up", "mentor_share"])


def test_a_smaller_budget_narrows_a_campaign():
    (row,) = compare(scenario(("outreach",)), budget=Budget(4_000.0)).budget().to_dict("records")
    assert 0.0 < row["outreach"] < 1.0 and row["cost"] <= 4_000.0 < row["one_more"] and row["scaled"] == "campaign"


def test_a_design_without_a_quota_is_given_one():
    (row,) = compare(scenario(("bottom_up",)), budget=Budget(20_000.0)).budget().to_dict("records")
    assert row["mentor_share"] == row["clusters"] / 42 and row["cost"] <= 20_000.0 < row["one_more"]


def test_places_are_raised_where_they_cost_money_and_all_volunteers_are_taken():
    paid = scenario(("bottom_up",)).designs["bottom_up"].model_copy(update={"mentee_grant": 3000.0, "places": 1})
    found = compare(scenario(("bottom_up",)).model_copy(update={"designs": {"paid": paid}}), budget=Budget(100_000.0))
    (row,) = found.budget().to_dict("records")
    assert (row["scaled"], row["places"], row["limit"]) == ("places", 12, "no more schools volunteer")


def test_the_same_on_any_number_of_threads(fitted):
    other = compare(scenario(), budget=Budget(45_000.0), threads=2)
    pd.testing.assert_frame_equal(other.budget(), fitted.budget(), check_exact=True)
    pd.testing.assert_frame_equal(other.runs(), fitted.runs(), check_exact=True)


def test_a_risk_is_kept_by_the_runs_under_drawn_parameters():
    found = compare(scenario(("top_down", "regional_hub"), draws=8), budget=Budget(45_000.0, risk=0.25))
    drawn = found.uncertain
    for row in found.budget().to_dict("records"):
        costs = drawn.loc[drawn["design"] == row["design"], "cost_programme"]
        assert (costs > 45_000.0).mean() <= 0.25 and row["chance_within"] >= 0.75
        assert row["one_more"] > 45_000.0


def test_a_budget_of_each_year_holds_in_every_year_of_the_spending_that_runs_record():
    found = compare(scenario(("top_down", "specialist")), budget=Budget(30_000.0, per_year=True))
    runs = found.base.runs
    for row in found.budget().to_dict("records"):
        mine = runs[runs["design"] == row["design"]]
        years = [mine.filter(regex=f"^spent_programme:.*:{year}$").sum(axis=1).mean() for year in (1, 2)]
        assert max(years) == pytest.approx(row["cost"]) and max(years) <= 30_000.0 < row["one_more"]


def test_society_s_costs_are_those_beyond_no_programme():
    found = compare(scenario(("top_down",)), budget=Budget(120_000.0, perspective="society"))
    costs, (row,) = mean_costs(found, "cost_society"), found.budget().to_dict("records")
    assert row["cost"] == pytest.approx(costs["top_down"] - costs["none"]) and row["cost"] <= 120_000.0 < row["one_more"]


def test_no_programme_alone_cannot_be_scaled():
    with pytest.raises(InputError, match="there is no design but none to scale"):
        compare(scenario(("none",)), budget=Budget(1.0))


def test_less_than_one_cluster_costs_is_refused_with_what_one_costs():
    one = scenario(("top_down",))
    design = one.designs["top_down"].model_copy(update={"mentor_share": 1 / 42})
    least = math.ceil(mean_costs(compare(one.model_copy(update={"designs": {"top_down": design}})))["top_down"])
    with pytest.raises(InputError) as error:
        compare(one, budget=Budget(least - 1.0))
    assert str(error.value) == (
        f"--budget {least - 1}: is too little for top_down (one cluster takes EUR {least:,}); "
        f"allowed: EUR {least:,} or more, or only other --designs"
    )
    assert compare(one, budget=Budget(float(least))).budget()["clusters"].tolist() == [1]


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ({"budget": 0.0}, "--budget 0: is no budget; allowed: EUR above 0"),
        ({"budget_per_year": 0.0}, "--budget-per-year 0: is no budget; allowed: EUR above 0"),
        ({"budget": 5.0, "budget_per_year": 5.0}, "--budget 5: is given beside --budget-per-year; allowed: one of the two"),
        ({"budget": 5.0, "budget_risk": 1.0}, "--budget-risk 1: is no share of runs; allowed: 0 to less than 1"),
        ({"budget": 5.0, "budget_risk": math.nan}, "--budget-risk nan: is no share of runs; allowed: 0 to less than 1"),
        ({"budget_risk": 0.1}, "--budget-risk 0.1: belongs to a budget; give --budget EUR or --budget-per-year EUR too"),
        ({"perspective": "society"}, "--perspective society: belongs to a budget; give --budget EUR or --budget-per-year EUR too"),
        ({"budget": 5.0, "perspective": "programe"}, "--perspective programe: no perspective named 'programe'; did you mean 'programme'?"),
        ({"budget_per_year": 5.0, "perspective": "society"}, "--perspective society: a budget of each year is the programme's; leave it"),
    ],
)
def test_what_is_no_budget_is_refused(stated, says):
    with pytest.raises(InputError) as error:
        budget_of(**stated)
    assert str(error.value).startswith(says)


def test_a_programme_is_scaled_as_a_whole_and_its_sheet_reads_back():
    course = {"phases": [{"months": 7, "design": "top_down"}, {"months": 7, "design": "top_down", "mentor_share": 0.1}]}
    whole = scenario_from({**SMALL, "designs": {"grown": course, "top_down": None}}, "here")
    found = compare(whole, budget=Budget(45_000.0))
    table, design = found.budget().set_index("design"), found.scenario.designs["grown"]
    assert table.at["grown", "cost"] <= 45_000 < table.at["grown", "one_more"]
    first, last = (phase.mentor_share for phase in design.phases)
    assert last * 42 == pytest.approx(table.at["grown", "clusters"]) and first == pytest.approx(last / 2)
    assert design_of({"stated": table.at["grown", "stated"]}) == design
