"""What a gate is worth: a decision tree by hand, what no threshold can be, and what the runs of programmes say."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from school_mentoring.analysis.economics.gates import (
    ALWAYS,
    NEVER,
    best_threshold,
    gate_worth,
    gates_table,
    judged_worth,
    threshold_value,
)
from school_mentoring.analysis.report.chapters.gates import gate_sentence, gates_section

# A tree of two stages. In 40 of 100 cases the practice spreads, and going on brings 100; in 60 it does not, and going on loses 60. A survey
# finds 0.4 in 80 of 100 cases in which it spreads, and in 30 of 100 in which it does not; else it finds 0.2. Ending brings 0.
# Going on always: 0.4 x 100 - 0.6 x 60 = 4. Going on where 0.4 is found: 0.32 x 100 - 0.18 x 60 = 21.2. So the gate is worth 17.2.
TREE = [(32, 100.0, 0.4), (8, 100.0, 0.2), (18, -60.0, 0.4), (42, -60.0, 0.2)]
ALWAYS_ON = np.concatenate([[gain] * count for count, gain, _ in TREE])
ENDED = np.zeros(100)
FOUND = np.concatenate([[share] * count for count, _, share in TREE])


def test_a_tree_solved_by_hand():
    gated = threshold_value(FOUND, ALWAYS_ON, ENDED, 0.3)
    assert gated.mean() == pytest.approx(21.2) and ALWAYS_ON.mean() == pytest.approx(4.0)
    assert gate_worth(gated, ALWAYS_ON, ENDED).value == pytest.approx(17.2)
    assert best_threshold(FOUND, ALWAYS_ON, ENDED) == pytest.approx(0.3)
    assert gate_worth(gated - 2.0, ALWAYS_ON, ENDED).value == pytest.approx(15.2)  # a survey that costs 2


def test_the_error_is_that_of_the_difference_to_the_better_way_over_units():
    gated = threshold_value(FOUND, ALWAYS_ON, ENDED, 0.3)
    difference = gated - ALWAYS_ON
    found = gate_worth(gated, ALWAYS_ON, ENDED)
    assert found.se == pytest.approx(difference.std(ddof=1) / 10)
    pairs = np.arange(100) // 2
    by_pair = gate_worth(gated, ALWAYS_ON, ENDED, pairs)
    assert by_pair.value == pytest.approx(17.2)
    assert by_pair.se == pytest.approx(difference.reshape(50, 2).mean(axis=1).std(ddof=1) / math.sqrt(50))
    low, high = found.interval
    assert low < found.value < high and high - found.value == pytest.approx(1.6449 * found.se, rel=1e-4)


@pytest.mark.parametrize(("at_least", "worth"), [(0.1, 0.0), (0.5, -4.0)])
def test_a_threshold_that_does_not_fit_is_worth_nothing_or_less(at_least, worth):
    assert gate_worth(threshold_value(FOUND, ALWAYS_ON, ENDED, at_least), ALWAYS_ON, ENDED).value == pytest.approx(worth)


def test_where_asking_costs_more_than_it_tells_nobody_is_asked():
    assert best_threshold(FOUND, ALWAYS_ON, ENDED, 17.0) == pytest.approx(0.3)
    assert best_threshold(FOUND, ALWAYS_ON, ENDED, 18.0) == ALWAYS
    assert best_threshold(FOUND, ALWAYS_ON - 10, ENDED, 18.0) == NEVER


def test_runs_that_never_came_to_the_gate_decide_nothing():
    more = np.full(20, 7.0)
    found, always, never = np.append(FOUND, np.full(20, np.nan)), np.append(ALWAYS_ON, more), np.append(ENDED, more)
    assert best_threshold(found, always, never) == pytest.approx(0.3)
    assert gate_worth(threshold_value(found, always, never, 0.3), always, never).value == pytest.approx(17.2 * 100 / 120)


NUMBERS = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, math.nan]), NUMBERS, NUMBERS), min_size=1, max_size=30))
def test_the_best_threshold_of_a_free_survey_is_never_worse_than_always_or_never(runs):
    found, always, never = np.array(runs).T
    always = np.where(np.isnan(found), never, always)
    best = best_threshold(found, always, never)
    value = threshold_value(found, always, never, best).mean()
    assert value >= max(always.mean(), never.mean()) - 1e-6
    for share in np.unique(found[~np.isnan(found)]):
        assert threshold_value(found, always, never, share).mean() <= value + 1e-6


def test_what_a_choice_is_worth_to_runs_that_did_not_choose_it():
    rng = np.random.default_rng(3)
    quality = rng.normal(0, 1, 2000)
    told = judged_worth(quality + rng.normal(0, 0.3, 2000), quality, np.zeros(2000), np.arange(2000))
    # E[max(q, 0)] = 0.3989 with perfect information; with an error of 0.3 by correlation 1 / sqrt(1.09), less max(mean, 0).
    assert told.value == pytest.approx(0.3989 / math.sqrt(1.09) - max(quality.mean(), 0), abs=3 * told.se)
    luck = judged_worth(rng.uniform(0, 1, 2000), quality, np.zeros(2000), np.arange(2000))
    assert luck.value <= 2 * luck.se  # a survey that tells nothing is worth nothing; the best threshold on the same runs would be


def runs_of(worth: float = 1.0) -> pd.DataFrame:
    """Return the runs of the tree as a comparison keeps them, an adopter-year standing for each EUR of the tree, over 1,000 without it."""
    keys = {
        "design": "first_try",
        "gate": "phases.1",
        "at_least": 0.3,
        "parameter_set": np.arange(100) // 2 + 1,
        "replicate": np.arange(100) % 2,
    }
    order = np.random.default_rng(1).permutation(100)
    ways = {"none": ENDED, "gate": np.where(FOUND >= 0.3, ALWAYS_ON, 0.0), "always": ALWAYS_ON, "never": ENDED}
    tables = []
    for way, added in ways.items():
        costs = {f"cost_{payer}": 50.0 if way == "gate" else 0.0 for payer in ("programme", "schools", "society")}
        years = 1000.0 + worth * added[order]
        tables.append(pd.DataFrame({**keys, "way": way, "asked": True, "found": FOUND[order], "effect_adopter_years": years, **costs}))
    return pd.concat(tables, ignore_index=True)


def test_the_table_of_gates_is_that_of_the_tree():
    table = gates_table(runs_of(), [1.0, 100.0])
    row = table.iloc[1]
    assert row[["runs", "sets", "asked", "goes_on", "found"]].tolist() == [100, 50, 1.0, 0.5, pytest.approx(0.3)]
    assert row[["net_benefit", "net_benefit_always", "net_benefit_never"]].tolist() == pytest.approx([2070.0, 400.0, 0.0])
    assert row["worth"] == pytest.approx(1670.0) and row["survey"] == pytest.approx(50.0)
    assert row["best_at_least"] == pytest.approx(0.3) and row["best_worth"] == pytest.approx(1670.0)
    assert table.iloc[0]["worth"] == pytest.approx(17.2 - 50) and table.iloc[0]["best_at_least"] == ALWAYS


def test_what_is_said_of_a_gate():
    said = gate_sentence(gates_table(runs_of(), 100.0).iloc[0].to_dict())
    assert said.startswith("Gate of first try at phases.1: 50 % of 100 runs go on; 30 % use the practice on average")
    assert "At EUR 100 per adopter-year it is worth EUR 1,700 ± " in said and "beside always going on" in said
    assert "The best threshold on these runs, 30 %, is worth EUR 1,700 ± " in said
    nobody = runs_of().assign(asked=False, found=math.nan)
    assert "none of 100 runs came to it." in gate_sentence(gates_table(nobody, 100.0).iloc[0].to_dict())
    section = gates_section(gates_table(runs_of(), 100.0))
    assert section.blocks[1].rows[0][:3] == ["Gate of first try at phases.1", "50 %", "30 %"]
