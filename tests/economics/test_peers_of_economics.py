"""heormodel, a library of health economics, and EMA workbench, one of robust decisions, find the same on the same samples."""

import numpy as np
import pandas as pd
import pytest
from heormodel.cea import ceac, ceaf, expected_loss, icer_table
from heormodel.models import Outcomes
from heormodel.voi import evpi as peer_evpi
from heormodel.voi import evppi as peer_evppi

from school_mentoring.analysis.economics.acceptability import acceptability, incremental
from school_mentoring.analysis.economics.psa import Sample
from school_mentoring.analysis.economics.scenario_discovery import best_box, cart, prim
from school_mentoring.analysis.economics.value_of_information import evpi, evppi
from tests.economics.test_cost_effectiveness import sample_of
from tests.economics.test_scenario_discovery import rule, states
from tests.economics.test_value_of_information import LINEAR

GRID = np.array([0.0, 50.0, 150.0, 300.0, 500.0, 1000.0, 5000.0])
STATUS = {"frontier": "ND", "dominated": "D", "extended dominated": "ED"}


def uncertain(sets: int = 1000) -> Sample:
    """Return a sample of six designs, two of which are dominated on average, one of them only by a mixture of others."""
    rng = np.random.default_rng(11)
    names = {"none": (0, 0), "cheap": (100, 1), "between": (600, 2), "wide": (900, 4), "waste": (950, 3), "most": (2500, 6)}
    speed, wage = rng.lognormal(0, 0.4, sets), rng.gamma(25, 1 / 25, sets)
    effects = {n: effect * speed + rng.normal(0, 0.3, sets) * (effect > 0) for n, (_, effect) in names.items()}
    costs = {n: cost * wage + rng.normal(0, 10, sets) * (cost > 0) for n, (cost, _) in names.items()}
    return sample_of(costs, effects, {"speed": speed, "wage": wage})


def in_peers_form(sample: Sample) -> Outcomes:
    index = pd.RangeIndex(sample.sets, name="iteration")
    return Outcomes.from_wide(sample.cost.set_axis(index), sample.effect.set_axis(index))


SAMPLE = uncertain()
PEER = in_peers_form(SAMPLE)


def test_frontier_dominance_and_ratios_are_the_peers() -> None:
    ours, theirs = incremental(SAMPLE, "none").set_index("design"), icer_table(PEER)
    assert {n: STATUS[s] for n, s in ours["status"].items()} == theirs["status"].to_dict()
    assert set(ours["status"]) == set(STATUS)
    for name in SAMPLE.designs:
        assert ours.at[name, "icer"] == pytest.approx(theirs.at[name, "icer"], rel=1e-12, nan_ok=True)


def test_acceptability_curves_and_their_frontier_are_the_peers() -> None:
    ours, theirs, frontier = acceptability(SAMPLE, GRID), ceac(PEER, GRID), ceaf(PEER, GRID)
    for k, rows in ours.groupby("willingness_to_pay"):
        table = rows.set_index("design")
        assert table["probability_best"].to_dict() == theirs.loc[k].to_dict()
        best = table[table["highest_mean"]]
        assert best.index.tolist() == [frontier.at[k, "intervention"]]
        assert best["probability_best"].iloc[0] == frontier.at[k, "prob"]
    assert ours["probability_best"].between(0.05, 0.95).sum() > len(GRID)  # the case is uncertain, so the curves have something to say


def test_expected_losses_and_the_value_of_perfect_information_are_the_peers() -> None:
    theirs = expected_loss(PEER, GRID)
    for k, rows in acceptability(SAMPLE, GRID).groupby("willingness_to_pay"):
        # Amounts up to 40,000 EUR summed in another order.
        np.testing.assert_allclose(rows.set_index("design")["expected_loss"].loc[SAMPLE.designs], theirs.loc[k, SAMPLE.designs], atol=1e-8)
        assert evpi(SAMPLE, k).value == pytest.approx(peer_evpi(PEER, k), abs=1e-8)


@pytest.fixture
def few_shuffles(monkeypatch) -> None:
    """Shuffle less: the floor is not looked at here."""
    monkeypatch.setattr("school_mentoring.analysis.economics.value_of_information.SHUFFLES", 10)


@pytest.mark.parametrize("k", [1.0, 2.0, 3.0])
@pytest.mark.usefixtures("few_shuffles")
def test_partial_perfect_information_is_the_peers_where_the_regression_is_a_line(k) -> None:
    linear = in_peers_form(LINEAR)
    for row in evppi(LINEAR, k).to_dict("records"):
        theirs = peer_evppi(linear, LINEAR.parameters.rename_axis("iteration"), row["name"], k)
        # Splines with a penalty here, without one there, over 4,096 points: the values lie between 0.06 and 0.4.
        assert row["value"] == pytest.approx(theirs, abs=0.001)


@pytest.mark.parametrize("k", [150.0, 500.0])
@pytest.mark.usefixtures("few_shuffles")
def test_partial_perfect_information_is_near_the_peers_among_six_designs(k) -> None:
    row = evppi(SAMPLE, k, {"speed": ["speed"]}).iloc[0]
    theirs = peer_evppi(PEER, SAMPLE.parameters.rename_axis("iteration"), "speed", k)
    # Two fits to the same noise differ by less than half of what the sample itself leaves open.
    assert row["value"] == pytest.approx(theirs, abs=0.5 * row["se"])


PEELED = {
    # Wrong labels: (lowest distance, highest stipend, coverage, density, states) of the box with the highest harmonic mean of coverage
    # and density on the path.
    "none": (0.601158218736273, 0.5023881869374238, 1.0, 195 / 197, 197),
    "8 %": (0.6021118100000549, 0.50375282276759, 0.736, 184 / 197, 197),
}
"""What `ema_workbench.analysis.prim` of EMA workbench 2.5.3 finds, as ``Prim(x, y, threshold=0.8, peel_alpha=0.05, mass_min=0.05)`` and
``find_box()``, on 1,000 states of four uniform parameters (``default_rng(4)``), labelled by the rule distance > 0.6 and stipend < 0.5."""


@pytest.mark.parametrize(("noise", "wrong"), [("none", 0.0), ("8 %", 0.08)])
def test_prim_finds_the_box_of_ema_workbench(noise, wrong) -> None:
    inputs = states(1000, 4)
    box = best_box(prim(inputs, rule(inputs) ^ (np.random.default_rng(1).random(1000) < wrong)))
    low, high, coverage, density, count = PEELED[noise]
    # The peer prints where the free ends of the data are; a limit that is open here is at the end of the data there.
    assert box.limits == {"distance": (pytest.approx(low, abs=1e-12), np.inf), "stipend": (-np.inf, pytest.approx(high, abs=1e-12))}
    assert (box.coverage, box.density, box.states) == (pytest.approx(coverage), pytest.approx(density), count)


def test_cart_finds_the_leaf_of_ema_workbench() -> None:
    inputs = states(1000, 4)
    box = cart(inputs, rule(inputs))[0]
    # `CART(x, y, mass_min=0.05)` of EMA workbench 2.5.3 prints six digits: distance from 0.601158, stipend to 0.499978, both shares 1.
    assert {name: [round(x, 6) for x in ends] for name, ends in box.limits.items()} == {
        "distance": [0.601158, np.inf],
        "stipend": [-np.inf, 0.499978],
    }
    assert (box.coverage, box.density, box.mass) == (1.0, 1.0, 0.195)
