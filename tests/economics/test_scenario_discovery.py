import numpy as np
import pandas as pd
import pytest

from school_mentoring.analysis.economics.scenario_discovery import Box, best_box, cart, in_words, prim, where_better
from tests.economics.test_cost_effectiveness import WORKED

NAMES = ["distance", "stipend", "turnover", "homophily"]


def states(count: int = 1000, seed: int = 4) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(seed).random((count, 4)), columns=NAMES)


def rule(inputs: pd.DataFrame) -> pd.Series:
    """Return a constructed rule: long distances and small stipends, 0.4 x 0.5 of all states."""
    return (inputs["distance"] > 0.6) & (inputs["stipend"] < 0.5)


@pytest.mark.parametrize("find", [lambda x, y: best_box(prim(x, y)), lambda x, y: cart(x, y)[0]], ids=["prim", "cart"])
def test_the_box_of_a_constructed_rule_is_found(find) -> None:
    inputs = states()
    box = find(inputs, rule(inputs))
    assert set(box.limits) == {"distance", "stipend"}
    low, high = box.limits["distance"]
    # Limits lie within one peel (5 % of the states inside) of the rule's.
    assert (low, high) == (pytest.approx(0.6, abs=0.03), np.inf)
    assert box.limits["stipend"] == (-np.inf, pytest.approx(0.5, abs=0.03))
    assert box.coverage > 0.93
    assert box.density > 0.93
    assert box.contains(inputs).sum() == box.states


@pytest.mark.parametrize("find", [lambda x, y: best_box(prim(x, y)), lambda x, y: cart(x, y)[0]], ids=["prim", "cart"])
def test_a_rule_behind_noise_is_found_and_other_parameters_stay_free(find) -> None:
    inputs = states(2000, 9)
    flags = rule(inputs) ^ (np.random.default_rng(1).random(2000) < 0.08)
    box = find(inputs, flags)
    assert {"distance", "stipend"} == set(box.limits)
    assert max(box.p_values.values()) < 0.001
    assert box.density > 0.85


def test_an_interval_in_the_middle_is_found_from_both_ends() -> None:
    inputs = states()
    box = best_box(prim(inputs, inputs["turnover"].between(0.3, 0.7)))
    assert box.limits.keys() == {"turnover"}
    assert box.limits["turnover"] == (pytest.approx(0.3, abs=0.03), pytest.approx(0.7, abs=0.03))
    assert in_words(box).startswith("turnover lies between 0.")


def test_coverage_and_density_are_those_of_counting() -> None:
    inputs = states(400, 2)
    flags = rule(inputs)
    for box in [*prim(inputs, flags), *cart(inputs, flags)]:
        inside = box.contains(inputs)
        assert box.coverage == flags[inside].sum() / flags.sum()
        assert box.density == flags[inside].mean()
        assert box.mass == inside.mean()


def test_the_path_begins_with_all_states_and_keeps_the_least_mass() -> None:
    inputs = states(400, 3)
    path = prim(inputs, rule(inputs), least_mass=0.1)
    assert (path[0].coverage, path[0].mass, path[0].limits) == (1.0, 1.0, {})
    assert all(box.mass >= 0.1 for box in path)
    assert path[-1].density >= path[0].density


def test_parameters_of_few_values_are_cut_between_them() -> None:
    inputs = states(400, 5).assign(stipend=np.random.default_rng(2).integers(0, 3, 400))
    box = best_box(prim(inputs, inputs["stipend"] == 2))
    assert box.limits == {"stipend": (1.5, np.inf)}
    assert (box.coverage, box.density) == (1.0, 1.0)
    assert in_words(box) == "stipend exceeds 1.5"


def test_pure_noise_gives_no_condition_to_speak_of() -> None:
    inputs = states(500, 6)
    box = best_box(prim(inputs, pd.Series(np.random.default_rng(3).random(500) < 0.5)))
    assert box.density < 0.65


def test_boxes_are_put_into_words() -> None:
    box = Box({"region_km": (70.0, np.inf), "hub.stipend": (-np.inf, 2000.0)}, 0.8, 0.9, 0.3, 30, {"region_km": 0.01, "hub.stipend": 0.02})
    assert in_words(box) == "region_km exceeds 70 and hub.stipend stays below 2,000"
    words = in_words(box, lambda n: n.replace("_", " "))
    assert words == "region km exceeds 70 and hub.stipend stays below 2,000"
    assert in_words(Box({}, 1.0, 0.5, 1.0, 10, {})) == "always"


def test_what_is_of_interest_may_be_where_a_design_is_better() -> None:
    assert where_better(WORKED, "b", "a", 200.0).tolist() == [False, True, True, False]
    with pytest.raises(ValueError, match="no design 'hub'; there are none, a, b"):
        where_better(WORKED, "hub", "a", 200.0)


@pytest.mark.parametrize("find", [prim, cart])
def test_where_there_is_nothing_to_tell_apart_that_is_said(find) -> None:
    inputs = states(50)
    with pytest.raises(ValueError, match="none of the 50 states are of interest"):
        find(inputs, pd.Series(np.zeros(50, bool)))
    with pytest.raises(ValueError, match="all of the 50 states are of interest"):
        find(inputs, pd.Series(np.ones(50, bool)))
    with pytest.raises(ValueError, match="inputs, stipend, row 3: nan is not a finite number"):
        find(inputs.assign(stipend=np.where(np.arange(50) == 3, np.nan, 1.0)), pd.Series(np.arange(50) > 4))
    with pytest.raises(ValueError, match="10 states are too few"):
        find(inputs[:10], pd.Series(np.arange(50) > 4))
