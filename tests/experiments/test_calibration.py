"""Calibrations of other shapes than the pilot, pooled countries, and the parts that no command shows."""

import numpy as np
import pandas as pd
import pytest

from experiments import calibration_sampler
from experiments.calibrate import asked, calibrate, observations_of, problem_of
from experiments.calibration_emulator import fit_emulator
from experiments.calibration_predict import ranked_scores
from experiments.calibration_survey import survey_of
from experiments.pilot_data import read_observations
from experiments.worlds import Worlds
from model.errors import InputError
from model.networks import Peers
from scenarios import load_scenario
from tests.pilots import adoption_years, many_nodes


def fitted(pilot, folder, fit, runs):
    options = asked(fit=fit, runs=runs)
    scenario = pilot.scenario.model_copy(update={"designs": {"none": next(iter(pilot.scenario.designs.values()))}})
    problem, _ = problem_of(scenario, pilot.observations, options, start=pilot.start, end=pilot.end)
    return calibrate(problem, options, folder / "out")


def exact_posterior(pilot, p, q):
    """Return mean and sd of p and q_out on a grid, from the months of adoption themselves: each month of each school has a known chance."""
    world, _ = Worlds(pilot.scenario).get(pilot.scenario.base_parameters(), 0)
    weights = np.zeros((len(pilot.months),) * 2)
    tie = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()
    for i in range(len(weights)):
        here = slice(world.peer_start[i], world.peer_start[i + 1])
        weights[i, world.peer[here]] = tie[here]
    a, b = np.meshgrid(p, q, indexing="ij")
    found = np.zeros_like(a)
    for month in range(71):
        adopted = (pilot.months >= 0) & (pilot.months <= month)
        exposure = weights @ adopted
        for i in np.flatnonzero(~adopted):
            stays = (1 - a) * (1 - b * exposure[i])
            found += np.log(1 - stays) if pilot.months[i] == month + 1 else np.log(stays)
    weight = np.exp(found - found.max())
    weight /= weight.sum()
    means = (weight * a).sum(), (weight * b).sum()
    return {name: (m, np.sqrt((weight * (g - m) ** 2).sum())) for name, m, g in zip(("p", "q_out"), means, (a, b), strict=True)}


def test_38_schools_that_adopt_once_seen_by_the_year_have_about_the_posterior_that_months_would_give(tmp_path):
    pilot = adoption_years(tmp_path)
    found = fitted(pilot, tmp_path, "p=0.0005:0.02,q_out=0.005:0.2", 2048)
    assert found.state["likelihood"] == "synthetic"
    rows = found.parameters.set_index("parameter")
    exact = exact_posterior(pilot, np.linspace(0.0005, 0.02, 80), np.linspace(0.005, 0.2, 80))
    for name, (mean, sd) in exact.items():
        # Years say less than months, and summaries less than all. The bound holds for this seed: over four, means lay within about 2 sd.
        assert abs(rows.loc[name, "posterior_mean"] - mean) < 1.5 * sd
        assert 0.5 < rows.loc[name, "posterior_sd"] / sd < 1.6


def test_many_nodes_seen_at_ten_steps_tell_both_parameters(tmp_path):
    pilot = many_nodes(tmp_path, 500)
    found = fitted(pilot, tmp_path, "p=0.001:0.05,q_out=0.05:0.8", 1024)
    rows = found.parameters.set_index("parameter")
    for name, truth in pilot.truth.items():
        assert abs(rows.loc[name, "posterior_mean"] - truth) < 3 * rows.loc[name, "posterior_sd"]
    assert (rows["told"] == "well").all()


def test_pooled_countries_have_parameters_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration_sampler, "SETTLED", 10)  # some 1,000 effective draws are enough for what is asked below
    scenario = load_scenario("synthetic-pilot", ["p=0.0045 q_in=0.08 q_out=0.06 d=0.022"], designs=["regional_hub"])
    seen = str(scenario.world.schools).replace("schools.csv", "observations.csv")
    options = asked(fit="beta", pool="beta", runs=512)
    found = calibrate(problem_of(scenario, seen, options)[0], options, tmp_path / "out")
    rows = found.countries.set_index("country")
    assert set(scenario.base_parameters()) >= set(found.countries["parameter"])
    assert {"BE-VLG", "HR", "CZ", "HU", "IT", "PT"} <= set(rows.index)
    # All countries of the made-up pilot have the same truth, 0.11: the 90 % interval of most holds it (4 of 6 in 99 % of data sets).
    countries = rows.drop(index=["spread between countries", "spread, prior"])
    assert ((countries["low"] <= 0.11) & (countries["high"] >= 0.11)).sum() >= 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"fit": "peer_degree"}, "--fit peer_degree: takes no values in between"),
        ({"fit": "rural"}, "--fit rural: decides which schools there are"),
        ({"fit": "beta,beta"}, "--fit beta: is given twice"),
        ({"fit": ","}, "--fit: names no parameter"),
        ({"fit": "beta=0.3:0.2"}, "--fit beta=0.3:0.2: low 0.3 is above high 0.2"),
        ({"fit": "overdispersion=0.5:0.2"}, "--fit overdispersion=0.5:0.2: 0.5 to 0.2 is out of range"),
        ({"fit": "beta", "pool": "p"}, "--pool p: is not fitted"),
        ({"fit": "p", "compare": True}, "--compare: asks what mentoring explains, and beta is not fitted"),
        ({"overdispersion": 1.0}, "--overdispersion 1: is out of range"),
        ({"runs": 10}, "--runs 10: is too few to learn from"),
        ({"likelihood": "exakt"}, "--likelihood exakt: is not known"),
        ({"likelihood": "exact"}, "--likelihood exact: there is none here"),
        ({"hold_out": "wave=0"}, "--hold-out wave=0: there are 3 waves"),
        ({"hold_out": "clusters=2"}, "--hold-out clusters=2: is no share of the clusters"),
        ({"hold_out": "schools=2"}, "--hold-out schools=2: names nothing that can be held out"),
    ],
)
def test_what_cannot_be_fitted_is_refused(tmp_path, options, told):
    scenario = load_scenario("synthetic-pilot", designs=["regional_hub"])
    with pytest.raises(InputError) as refused:
        chosen = asked(**options)
        problem, _ = problem_of(scenario, observations_of(None, scenario), chosen)
        calibrate(problem, chosen, tmp_path / "out")
    assert str(refused.value).startswith(told)
    assert not (tmp_path / "out").exists()


# --- parts -----------------------------------------------------------------------------------------------------------


def test_an_emulator_finds_a_normal_likelihood_whose_mean_and_covariance_depend_on_parameters():
    # Two features: mean (a, a b), sd (1 + a / 2, 1), correlation b / 2. 40,000 rows: coefficients are known to some 1 / sqrt(40,000 / 15).
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 1, (40_000, 2))
    a, b = values.T
    first, second = rng.standard_normal((2, len(a)))
    features = np.stack([a + (1 + a / 2) * first, a * b + b / 2 * first + np.sqrt(1 - b**2 / 4) * second], axis=1)
    emulator = fit_emulator(values, features, ("x", "y"))
    at, seen = rng.uniform(0.1, 0.9, (200, 2)), np.array([1.2, 0.1])
    exact = []
    for c, d in at:
        covariance = np.array([[(1 + c / 2) ** 2, (1 + c / 2) * d / 2], [(1 + c / 2) * d / 2, 1.0]])
        left = seen - [c, c * d]
        exact.append(-0.5 * (left @ np.linalg.solve(covariance, left) + np.linalg.slogdet(covariance)[1]))
    found = emulator.log_likelihood(at, emulator.discriminants(seen[None])[0])
    difference = found - np.array(exact)
    assert np.abs(difference - difference.mean()).max() < 0.06


def test_ranked_score_is_its_definition():
    rng = np.random.default_rng(2)
    draws, seen = rng.random((50, 4)), rng.random(4)
    spread = np.abs(draws[:, None] - draws[None]).mean(axis=(0, 1))
    np.testing.assert_allclose(ranked_scores(draws, seen), np.abs(draws - seen).mean(axis=0) - spread / 2, atol=1e-12)


def test_answers_are_beta_binomial_whatever_the_order_of_runs(tmp_path):
    pd.DataFrame({"school_id": ["a"], "teachers": [40], "country": ["IT"]}).to_csv(tmp_path / "schools.csv", index=False)
    pd.DataFrame({"school_id": ["a"], "month": [5], "respondents": [20], "adopters": [4]}).to_csv(tmp_path / "seen.csv", index=False)
    scenario = load_scenario("mensi-pilot", schools=tmp_path / "schools.csv")
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    survey = survey_of(read_observations(tmp_path / "seen.csv", schools), 1, ("digital_practice",))
    runs, share, rho = 20_000, 0.3, 0.1
    adopters, teachers = np.full((runs, 1, 1), 12), np.full((runs, 1), 40, np.int32)
    keys = np.arange(runs)
    counts = 20 * survey.answers(adopters, teachers, keys, 7, np.full(runs, rho))[:, 0, 0]
    variance = 20 * share * (1 - share) * (1 + 19 * rho)
    # Standard errors: sqrt(variance / runs) of the mean, about sqrt(2.5 / runs) of the variance; bounds are 4 of them.
    assert abs(counts.mean() - 20 * share) < 4 * np.sqrt(variance / runs)
    assert abs(counts.var() / variance - 1) < 4 * np.sqrt(2.5 / runs)
    backwards = 20 * survey.answers(adopters, teachers, keys[::-1], 7, np.full(runs, rho))[:, 0, 0]
    np.testing.assert_array_equal(backwards[::-1], counts)


@pytest.mark.parametrize("kind", ["counts", "scale"])
def test_a_survey_asks_for_the_months_it_saw(tmp_path, kind):
    pd.DataFrame({"school_id": ["a", "b"], "teachers": [40, 30], "country": ["IT", "IT"]}).to_csv(tmp_path / "schools.csv", index=False)
    measured = {"adopters": [4, 5, 6]} if kind == "counts" else {"mean": [2.0, 3.0, 4.0], "sd": [1.0, 1.0, 1.0]}
    seen = pd.DataFrame({"school_id": ["a", "b", "a"], "month": [5, 5, 9], "respondents": [20, 10, 20], **measured})
    seen.to_csv(tmp_path / "seen.csv", index=False)
    scenario = load_scenario("mensi-pilot", schools=tmp_path / "schools.csv")
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    survey = survey_of(
        read_observations(tmp_path / "seen.csv", schools, mapping="linear:1:5" if kind == "scale" else None), 2, ("digital_practice",)
    )
    assert (survey.record().months, survey.horizon, survey.follows) == ((5, 9), 10, (1, -1))
    np.testing.assert_array_equal(survey.seen, [[True, True], [True, False]])
    expected = {"counts": [[0.2, 0.5], [0.3, 0.0]], "scale": [[0.25, 0.5], [0.75, 0.0]]}[kind]
    np.testing.assert_allclose(survey.shares, expected)
