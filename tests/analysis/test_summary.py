import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.analysis.summary import (
    between_designs,
    by_discount_rate,
    cost_effectiveness,
    cost_of_reach,
    differences,
    ranking,
    round_figures,
    summarise,
)
from school_mentoring.model.observe import OUTCOMES

from .tables import random_runs, table_of_runs

YEARS = "effect_adopter_years"


def plain(values, sets=1):
    return table_of_runs({design: {YEARS: numbers} for design, numbers in values.items()}, sets)


def test_means_and_spread_are_those_worked_by_hand() -> None:
    row = summarise(plain({"none": [1.0, 2.0, 3.0, 6.0]}), worlds=4).iloc[0]
    assert row["mean"] == 3.0
    assert row["sd"] == round_figures(math.sqrt(14 / 3))
    assert row["se"] == round_figures(math.sqrt(14 / 3 / 4))
    assert (row["q05"], row["q50"], row["q95"]) == (1.15, 2.5, 5.55)
    assert row["n"] == 4


def test_replicates_of_one_population_count_as_one_observation_of_it() -> None:
    # Two populations, alike within: (1, 3, 1, 3) is two observations with mean 2 and sd sqrt 2, so se is 1, not sd / sqrt(4).
    row = summarise(plain({"none": [1.0, 3.0, 1.0, 3.0]}), worlds=2).iloc[0]
    assert row["se"] == 1.0


def test_with_one_population_the_error_is_that_of_its_replicates() -> None:
    one = summarise(plain({"none": [1.0, 2.0, 3.0, 6.0]}), worlds=1)
    own = summarise(plain({"none": [1.0, 2.0, 3.0, 6.0]}), worlds=4)
    pd.testing.assert_frame_equal(one, own)


def test_errors_by_population_hold_over_repeated_studies() -> None:
    # Studies of 20 replicates in 5 populations: the root mean square of se is the sd of the means. Their ratio has a standard error of
    # about 2.4 % (1.8 % from 400 errors with 4 degrees of freedom, 1.6 % from 2,000 means); 10 % is four of them.
    rng = np.random.default_rng(3)
    populations, noise = rng.normal(0, 1, (2000, 5)), rng.normal(0, 1, (2000, 4, 5))
    studies = (populations[:, None, :] + noise).reshape(2000, 20)
    errors = [summarise(plain({"none": study}), worlds=5)["se"].iloc[0] for study in studies[:400]]
    assert math.sqrt(np.mean(np.square(errors))) == pytest.approx(studies.mean(axis=1).std(), rel=0.1)


def test_runs_without_an_outcome_are_left_out_and_counted() -> None:
    row = summarise(plain({"none": [1.0, math.nan, 3.0]}), worlds=3).iloc[0]
    assert (row["mean"], row["n"]) == (2.0, 2)


def test_a_single_run_has_no_error() -> None:
    row = summarise(plain({"none": [1.0]}), worlds=10).iloc[0]
    assert row["mean"] == 1.0
    assert math.isnan(row["se"]) and math.isnan(row["sd"])


def test_several_parameter_sets_are_not_summarised_as_replicates() -> None:
    with pytest.raises(ValueError, match="2 parameter sets"):
        summarise(plain({"none": [1.0, 2.0]}, sets=2), worlds=1)


def test_a_summary_covers_every_design_and_outcome_whatever_the_order_of_rows() -> None:
    runs = random_runs(["none", "virtual"])
    table = summarise(runs, worlds=10)
    assert len(table) == 2 * len(OUTCOMES)
    pd.testing.assert_frame_equal(table, summarise(runs.sample(frac=1, random_state=1), worlds=10))


def test_differences_are_taken_within_pairs() -> None:
    runs = plain({"none": [10.0, 20.0, 30.0], "virtual": [11.0, 22.0, 33.0]})
    row = differences(runs, worlds=3).iloc[0]
    assert (row["design"], row["comparator"], row["mean"]) == ("virtual", "none", 2.0)
    assert row["se"] == round_figures(1 / math.sqrt(3))
    assert row["variance_paired"] == 1.0
    assert row["variance_independent"] == 100.0 + 121.0
    assert row["replicates_saved"] == 221.0


def test_pairs_that_never_differ_save_without_limit() -> None:
    row = differences(plain({"none": [1.0, 2.0], "virtual": [1.0, 2.0]}), worlds=2).iloc[0]
    assert (row["mean"], row["se"], row["replicates_saved"]) == (0.0, 0.0, math.inf)


def test_with_several_parameter_sets_these_are_the_units() -> None:
    # Differences by set: (1, 3) and (5, 7): set means 2 and 6; se = sd of (2, 6) / sqrt 2 = 2; within sets the variance is 2.
    runs = plain({"none": [0.0, 0.0, 0.0, 0.0], "virtual": [1.0, 3.0, 5.0, 7.0]}, sets=2)
    row = differences(runs, worlds=10).iloc[0]
    assert (row["mean"], row["se"], row["n"], row["variance_paired"]) == (4.0, 2.0, 2, 2.0)


def test_differences_need_the_comparator() -> None:
    with pytest.raises(ValueError, match="no runs of 'none'"):
        differences(plain({"virtual": [1.0, 2.0]}), worlds=2)


def test_all_pairs_of_designs_are_compared_once() -> None:
    table = between_designs(random_runs(["none", "virtual", "hybrid"]), YEARS, worlds=10)
    pairs = list(zip(table["design"], table["comparator"], strict=True))
    assert pairs == [("virtual", "none"), ("hybrid", "none"), ("hybrid", "virtual")]
    assert (table["replicates_saved"] > 1).all()


def test_a_run_that_stands_twice_is_refused() -> None:
    runs = plain({"none": [1.0, 2.0]})
    with pytest.raises(ValueError, match="twice"):
        summarise(pd.concat([runs, runs]), worlds=2)


def costed(values):
    """Return runs from ``{design: (costs, effects)}``; the programme pays half."""
    outcomes = {d: {"cost_society": c, "cost_programme": [x / 2 for x in c], YEARS: e} for d, (c, e) in values.items()}
    return table_of_runs(outcomes)


def test_costs_of_reach_are_ratios_of_means_and_blank_where_nobody_is_reached() -> None:
    nobody = {"schools_reached": [0.0, 0.0], "teachers_in_team": [0.0, 0.0], "pupils_reached": [0.0, 0.0]}
    none = {"cost_programme": [0.0, 0.0], "cost_society": [100.0, 300.0], **nobody}
    some = {"schools_reached": [2.0, 6.0], "teachers_in_team": [10.0, 10.0], "pupils_reached": [100.0, 300.0]}
    runs = table_of_runs({"none": none, "virtual": {"cost_programme": [400.0, 1200.0], "cost_society": [700.0, 1700.0], **some}})
    table = cost_of_reach(runs).set_index("design")
    # Means: 4 schools, 10 teachers, 200 pupils; programme 800; society 1,200 less the comparator's 200.
    assert table.loc["virtual", ["programme_per_school", "programme_per_teacher", "programme_per_pupil"]].tolist() == [200.0, 80.0, 4.0]
    assert table.loc["virtual", ["society_per_school", "society_per_teacher", "society_per_pupil"]].tolist() == [250.0, 100.0, 5.0]
    assert table.loc["none"].drop(list(nobody)).isna().all()


def test_effects_and_costs_are_discounted_anew_at_other_rates() -> None:
    keys = {"parameter_set": 0, "replicate": [0, 0, 1, 1] * 2, "month": [0, 12] * 4, "group": "all"}
    monthly = pd.DataFrame({"design": ["none"] * 4 + ["virtual"] * 4, **keys, "adopters": [12] * 4 + [12, 36, 12, 60]})
    costs = pd.DataFrame({"design": ["none", "virtual", "virtual"], "month": [0, 0, 12], "payer": ["schools", "programme", "schools"]})
    monthly["design"] = pd.Categorical(monthly["design"], categories=["none", "virtual"])
    costs = costs.assign(cost=[100.0, 1000.0, 440.0], design=pd.Categorical(costs["design"], categories=["none", "virtual"]))
    table = by_discount_rate(monthly, costs, (0.0, 0.1), public_funds=0.2).query("design == 'virtual'")
    # Two runs: (2 + 4) / 2 adopter-years more in month 12; 1,200 in month 0 and 440 in month 12 less the comparator's 100, over two runs.
    assert table["incremental_effect"].tolist() == pytest.approx([3.0, 3.0 / 1.1])
    assert table["incremental_cost"].tolist() == pytest.approx([(1200 + 440 - 100) / 2, (1200 + 400 - 100) / 2])
    assert table["cost_per_effect"].tolist() == pytest.approx([770 / 3, 750 / (3 / 1.1)])


def test_cost_per_effect_is_a_ratio_of_means() -> None:
    table = cost_effectiveness(costed({"none": ([0, 0], [10, 20]), "virtual": ([100, 300], [11, 23])}), worlds=2).set_index("design")
    row = table.loc["virtual"]
    assert (row["incremental_cost"], row["incremental_effect"], row["cost_per_effect"]) == (200.0, 2.0, 100.0)
    assert row["cost_per_effect_programme"] == 50.0
    # Residuals dC - R dE are 0 and 0: cost and effect move together, so the ratio is sure though neither is.
    assert row["cost_per_effect_se"] == 0.0
    assert row["incremental_cost_se"] == 100.0


def test_a_ratio_is_blank_where_nothing_is_gained_and_says_why() -> None:
    table = cost_effectiveness(costed({"none": ([0, 0], [10, 20]), "virtual": ([100, 300], [9, 20])}), worlds=2).set_index("design")
    assert math.isnan(table.at["virtual", "cost_per_effect"])
    assert table.at["virtual", "note"] == "no added effect to divide by"
    assert table.at["virtual", "status"] == "dominated"
    assert table.at["none", "note"] == ""


def test_an_effect_within_its_error_is_noted() -> None:
    table = cost_effectiveness(costed({"none": ([0, 0], [10, 20]), "virtual": ([100, 300], [5, 30])}), worlds=2).set_index("design")
    assert table.at["virtual", "note"] == "effect within two standard errors of 0"


def test_means_that_are_not_finite_are_refused_with_the_run() -> None:
    with pytest.raises(ValueError, match="virtual, parameter set 0, replicate 1"):
        cost_effectiveness(costed({"none": ([0, 0], [1, 2]), "virtual": ([1, 2], [1, math.inf])}), worlds=2)


def test_ranking_averages_replicates_first_and_splits_ties() -> None:
    # Set 0: means 2 against 2, a tie, though 'a' has the best single run. Set 1: 'b' is best.
    runs = plain({"a": [0.0, 4.0, 1.0, 1.0], "b": [2.0, 2.0, 5.0, 5.0]}, sets=2)
    table = ranking(runs, YEARS).set_index("design")
    assert table["probability_best"].to_dict() == {"a": 0.25, "b": 0.75}
    assert table["behind"].to_dict() == {"a": 2.0, "b": 0.0}
    assert table.at["a", "se"] == 0.25  # sd of (0.5, 0) / sqrt 2
    # b - a: by set 0 and 4, variance 8; between replicates 8 and 0, pooled 4, halved in a mean of two: 2 / 8.
    assert table.at["a", "noise_share"] == 0.25


def test_ranking_by_cost_prefers_less() -> None:
    runs = table_of_runs({"a": {"cost_society": [1.0, 1.0]}, "b": {"cost_society": [2.0, 2.0]}}, sets=2)
    assert ranking(runs, "cost_society").set_index("design")["probability_best"].to_dict() == {"a": 1.0, "b": 0.0}


def test_ranking_by_net_benefit_turns_with_what_an_effect_is_worth() -> None:
    outcomes = {"none": ([0, 0], [0, 0]), "virtual": ([100, 100], [1, 1])}
    runs = table_of_runs({d: {"cost_society": c, YEARS: e} for d, (c, e) in outcomes.items()}, sets=2)
    table = ranking(runs, YEARS, willingness_to_pay=(50, 100, 200))
    virtual = table[(table["criterion"] == "net_benefit") & (table["design"] == "virtual")]
    assert virtual["probability_best"].to_list() == [0.0, 0.5, 1.0]


def test_an_interval_of_a_probability_is_not_nothing_at_its_ends() -> None:
    runs = plain({"a": np.ones(128), "b": np.zeros(128)}, sets=128)
    row = ranking(runs, YEARS).iloc[0]
    assert (row["probability_best"], row["high"]) == (1.0, 1.0)
    assert row["low"] == pytest.approx(128 / (128 + 1.6448536**2), rel=1e-6)  # Wilson at p = 1: n / (n + z^2)


def test_an_outcome_without_direction_ranks_nothing() -> None:
    runs = table_of_runs({"a": {"gap_rural": [0.0, 0.1]}}, sets=2)
    with pytest.raises(ValueError, match="neither better nor worse"):
        ranking(runs, "gap_rural")


def test_one_parameter_set_says_nothing_of_uncertainty() -> None:
    with pytest.raises(ValueError, match="at least two parameter sets"):
        ranking(plain({"a": [1.0, 2.0]}), YEARS)


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=2, max_size=12), st.integers(0, 5))
def test_probabilities_of_being_best_sum_to_one(rows, k) -> None:
    effects, costs = np.array(rows, float), np.array(rows, float)[:, ::-1]
    runs = table_of_runs({d: {YEARS: effects[:, j], "cost_society": costs[:, j]} for j, d in enumerate("abc")}, sets=len(rows))
    sums = ranking(runs, YEARS, willingness_to_pay=(k,)).groupby("criterion")["probability_best"].sum()
    assert sums.to_list() == pytest.approx([1.0, 1.0], abs=1e-9)


def test_figures_keep_ten_digits() -> None:
    assert round_figures(1 / 3) == 0.3333333333
    assert round_figures(123456789012.0) == 123456789000.0
    assert math.isnan(round_figures(math.nan))
