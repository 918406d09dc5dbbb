import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from school_mentoring.analysis.economics.acceptability import (
    acceptability,
    best_by_willingness,
    by_group,
    incremental,
    quadrant,
    willingness_grid,
)
from school_mentoring.analysis.economics.psa import Sample, psa_sample
from tests.analysis.tables import table_of_runs


def sample_of(costs, effects, parameters=None) -> Sample:
    """Return a sample from {design: value per parameter set}, one replicate each."""
    sets = len(next(iter(costs.values())))
    index = pd.MultiIndex.from_product([range(sets), [0]], names=["parameter_set", "replicate"])
    table = pd.DataFrame(parameters or {}, index=pd.RangeIndex(sets, name="parameter_set"))
    return Sample(pd.DataFrame(costs, index=index), pd.DataFrame(effects, index=index), table)


WORKED = sample_of(
    {"none": [0.0, 0, 0, 0], "a": [100.0, 100, 100, 100], "b": [300.0, 300, 300, 300]},
    {"none": [0.0, 0, 0, 0], "a": [1.0, 2, 0, 1], "b": [1.0, 4, 2, 0]},
)
"""At 200 EUR a unit the net benefits by parameter set are: none 0; a 100, 300, -100, 100; b -100, 500, 100, -300."""


def test_acceptability_and_losses_agree_with_a_hand_worked_table() -> None:
    table = acceptability(WORKED, [200.0]).set_index("design")
    assert table["net_benefit"].to_dict() == {"none": 0.0, "a": 100.0, "b": 50.0}
    assert table["probability_best"].to_dict() == {"none": 0.0, "a": 0.5, "b": 0.5}
    assert table["highest_mean"].to_dict() == {"none": False, "a": True, "b": False}
    # Best of each set: 100, 500, 100, 100, mean 200.
    assert table["expected_loss"].to_dict() == {"none": 200.0, "a": 100.0, "b": 150.0}


def test_the_acceptability_frontier_follows_the_highest_mean_not_the_highest_probability() -> None:
    sample = sample_of({"none": [0.0] * 5, "a": [100.0] * 5}, {"none": [0.0] * 5, "a": [0.0, 0.0, 0.0, 0.0, 10.0]})
    table = acceptability(sample, [100.0]).set_index("design")
    assert table.at["none", "probability_best"] == 0.8
    assert table["highest_mean"].to_dict() == {"none": False, "a": True}


def test_equal_designs_share_the_probability_evenly() -> None:
    sample = sample_of({"a": [1.0, 1.0], "b": [1.0, 1.0], "c": [9.0, 9.0]}, {"a": [1.0, 1.0], "b": [1.0, 1.0], "c": [1.0, 1.0]})
    table = acceptability(sample, [10.0]).set_index("design")
    assert table["probability_best"].to_dict() == {"a": 0.5, "b": 0.5, "c": 0.0}
    assert table["highest_mean"].to_dict() == {"a": True, "b": True, "c": False}
    assert best_by_willingness(sample)[["design", "equal"]].to_numpy().tolist() == [["a", "b"]]


def test_a_design_on_the_line_between_two_others_is_best_at_no_worth_in_particular() -> None:
    sample = sample_of({"none": [0.0], "a": [100.0], "b": [200.0]}, {"none": [0.0], "a": [1.0], "b": [2.0]})
    ranges = best_by_willingness(sample)
    assert ranges[["design", "from", "to"]].to_numpy().tolist() == [["none", 0.0, 100.0], ["b", 100.0, np.inf]]


@settings(max_examples=50)
@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 10_000))
def test_probabilities_sum_to_one_and_the_least_loss_is_that_of_the_highest_mean(designs, sets, seed) -> None:
    rng = np.random.default_rng(seed)
    names = [f"d{k}" for k in range(designs)]
    sample = sample_of({n: rng.integers(0, 4, sets) * 100.0 for n in names}, {n: rng.integers(0, 4, sets) * 1.0 for n in names})
    for _, rows in acceptability(sample, [0.0, 50.0, 100.0, 400.0]).groupby("willingness_to_pay"):
        assert rows["probability_best"].sum() == pytest.approx(1.0, abs=1e-12)
        assert (rows["expected_loss"] >= 0).all()
        # Losses are differences of amounts up to 2,000 EUR: 1e-9 is far above their rounding.
        assert rows.loc[rows["highest_mean"], "expected_loss"].max() <= rows["expected_loss"].min() + 1e-9


def test_ranges_of_the_best_design_are_bounded_by_the_published_ratios() -> None:
    points = {"UC": (5000, 1.0), "A": (12000, 1.5), "B": (10000, 2.0), "C": (25000, 3.0), "D": (35000, 4.0), "E": (55000, 5.0)}
    sample = sample_of({n: [float(c)] for n, (c, _) in points.items()}, {n: [e] for n, (_, e) in points.items()})
    table = best_by_willingness(sample)
    assert table["design"].tolist() == ["UC", "B", "D", "E"]
    assert table["from"].tolist() == [0.0, 5000.0, 12500.0, 20000.0]
    assert table["to"].tolist() == [5000.0, 12500.0, 20000.0, np.inf]
    assert willingness_grid(sample)[-1] == 40000.0


@pytest.mark.parametrize(
    ("cost", "effect", "words"),
    [
        (1, 1, "costs more and does more"),
        (-1, 1, "costs less and does more"),
        (0, 1, "costs the same and does more"),
        (1, -1, "costs more and does less"),
        (-1, -1, "costs less and does less"),
        (1, 0, "costs more and does the same"),
        (0, 0, "costs the same and does the same"),
    ],
)
def test_the_plane_is_put_into_words(cost, effect, words) -> None:
    assert quadrant(cost, effect) == words


def test_a_ratio_is_given_only_where_it_is_a_price() -> None:
    names = {"none": (0, 0), "dear": (100, 2), "free": (0, 3), "saves": (-50, 1), "cuts": (-60, -2), "harms": (10, -1), "same": (0, 0)}
    names |= {"thrifty": (-40, 0), "wasteful": (70, 0)}
    names |= {"dropped": (0, -1), "bargain": (-0.5, 0.5), "trimmed": (-0.5, -1), "spare": (1, 0.5)}
    sample = sample_of({n: [float(c)] for n, (c, _) in names.items()}, {n: [float(e)] for n, (_, e) in names.items()})
    table = incremental(sample).set_index("design")
    assert table["cost_per_effect"].dropna().to_dict() == {"dear": 50.0, "free": 0.0, "spare": 2.0}
    assert table["saved_per_effect_lost"].dropna().to_dict() == {"cuts": 30.0, "trimmed": 0.5}
    assert table.at["free", "quadrant"] == "costs the same and does more"
    assert table.at["same", "quadrant"] == "costs the same and does the same"
    assert table.at["none", "quadrant"] == ""
    assert table.at["dear", "dominated_by"] == "free"


def test_increments_are_paired_by_parameter_set() -> None:
    sample = sample_of({"none": [0.0, 100.0], "a": [10.0, 110.0]}, {"none": [1.0, 5.0], "a": [3.0, 4.0]})
    row = incremental(sample).set_index("design").loc["a"]
    assert (row["incremental_cost"], row["incremental_cost_low"], row["incremental_cost_high"]) == (10.0, 10.0, 10.0)
    assert row["incremental_effect"] == 0.5


def test_a_design_that_costs_and_does_the_same_is_neither_cheaper_nor_more_effective() -> None:
    # Of the eight parameter sets one is cheaper, two are more effective, and three are the same in both.
    sample = sample_of({"none": [5.0] * 8, "a": [4.0, 6, 6, 6, 6, 5, 5, 5]}, {"none": [5.0] * 8, "a": [4.0, 6, 6, 4, 4, 5, 5, 5]})
    row = incremental(sample).set_index("design").loc["a"]
    assert (row["probability_cheaper"], row["probability_more_effective"]) == (1 / 8, 2 / 8)


@pytest.mark.parametrize(("ratio", "last"), [(20_000.0, 40_000.0), (21_500.0, 50_000.0), (0.3, 0.6), (0.0, 1000.0)])
def test_willingnesses_to_pay_run_from_nothing_to_twice_the_highest_ratio_rounded_up_to_one_digit(ratio, last) -> None:
    grid = willingness_grid(sample_of({"none": [0.0], "a": [ratio]}, {"none": [0.0], "a": [1.0]}))
    np.testing.assert_allclose(grid, np.arange(101) * last / 100, rtol=1e-12, atol=0)


def test_a_design_that_is_best_at_a_single_price_only_has_no_range() -> None:
    sample = sample_of({"none": [0.0], "half": [100.0], "all": [200.0]}, {"none": [0.0], "half": [1.0], "all": [2.0]})
    assert best_by_willingness(sample)[["design", "from", "to"]].to_numpy().tolist() == [["none", 0.0, 100.0], ["all", 100.0, np.inf]]


def test_a_probability_comes_with_its_interval() -> None:
    row = acceptability(WORKED, [200.0]).set_index("design").loc["a"]
    # Wilson's interval of 2 of 4 at 90 %: (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), z = 1.6449.
    assert (row["low"], row["high"]) == (pytest.approx(0.1824, abs=5e-5), pytest.approx(0.8176, abs=5e-5))


def test_rows_are_numbered_through_over_willingnesses_to_pay_and_groups() -> None:
    assert acceptability(WORKED, [0.0, 200.0]).index.tolist() == list(range(6))
    runs = runs_of_two_designs()
    columns = [name for name in runs if name.startswith(("effect_", "cost_"))]
    runs = runs.join(pd.concat([runs[columns].add_suffix(f":country:{code}") for code in ("HR", "IT")], axis=1))
    table = by_group(runs, ["country:HR", "country:IT"], parameters=None)
    assert table.index.tolist() == list(range(4))
    assert table.columns[0] == "group"
    whole = incremental(psa_sample(runs))
    for _, part in table.groupby("group"):
        pd.testing.assert_frame_equal(part.drop(columns="group").reset_index(drop=True), whole)


def runs_of_two_designs() -> pd.DataFrame:
    values = {
        "none": {"effect_adopter_years": [1.0, 3, 5, 7], "cost_society": [0.0] * 4, "cost_programme": [0.0] * 4, "cost_schools": [0.0] * 4},
        "a": {
            "effect_adopter_years": [2.0, 4, 6, 8],
            "cost_society": [5.0, 7, 9, 11],
            "cost_programme": [4.0] * 4,
            "cost_schools": [1.0, 3, 5, 7],
        },
    }
    return table_of_runs(values, sets=2)


def test_replicates_are_averaged_within_parameter_sets_and_perspectives_choose_whose_costs_count() -> None:
    runs = runs_of_two_designs()
    sample = psa_sample(runs)
    assert sample.effect["a"].tolist() == [3.0, 7.0]
    assert sample.cost["a"].tolist() == [6.0, 10.0]
    assert psa_sample(runs, perspective="programme").cost["a"].tolist() == [4.0, 4.0]
    assert psa_sample(runs, perspective="schools").cost["a"].tolist() == [2.0, 6.0]


def test_only_the_given_parameter_sets_and_what_varies_are_kept() -> None:
    table = pd.DataFrame({"parameter_set": [1], "beta": [0.5]})
    sample = psa_sample(runs_of_two_designs(), table)
    assert sample.sets == 1
    assert list(sample.parameters) == []
    both = pd.DataFrame({"parameter_set": [0, 1], "beta": [0.5, 0.6], "fixed": [1.0, 1.0], "word": ["x", "y"]})
    assert list(psa_sample(runs_of_two_designs(), both).parameters) == ["beta"]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="no perspective named 'ministry'; there are programme, schools, society"):
        psa_sample(runs_of_two_designs(), perspective="ministry")
    with pytest.raises(ValueError, match="no column 'cost_society:rural'"):
        psa_sample(runs_of_two_designs(), group="rural")
    with pytest.raises(ValueError, match="no design 'nothing' to compare with"):
        incremental(psa_sample(runs_of_two_designs()), "nothing")


def test_a_study_without_runs_to_compare_is_refused_with_the_reason() -> None:
    columns = {"cost_society": [1.0, 2.0], "effect_adopter_years": [1.0, 2.0]}
    runs = table_of_runs({"none": columns, "a": columns}, sets=2)
    with pytest.raises(ValueError, match="no run belongs to any of the parameter sets given"):
        psa_sample(runs, pd.DataFrame({"parameter_set": [7, 8]}))
    with pytest.raises(ValueError, match="no run holds effect_adopter_years for all designs"):
        psa_sample(runs.assign(effect_adopter_years=np.nan))
    apart = runs.assign(cost_society=[np.nan, 2.0, np.nan, 2.0], effect_adopter_years=[1.0, np.nan, 1.0, np.nan])
    with pytest.raises(ValueError, match="no run holds cost and effect for all designs"):
        psa_sample(apart)
    with pytest.raises(ValueError, match="is 'country:XX' a group whose costs are kept apart"):
        psa_sample(runs, group="country:XX")
    with pytest.raises(ValueError, match="no perspective named 'pupils'; there are programme, schools, society"):
        psa_sample(runs, perspective="pupils")
