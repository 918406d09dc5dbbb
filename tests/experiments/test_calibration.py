"""Calibrations that no command shows, what cannot be fitted, and the parts that calibrations are made of."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from school_mentoring.analysis.report.calibration import calibration_report
from school_mentoring.experiments.calibration.calibrate import (
    _without_mentoring,
    asked,
    calibrate,
    observations_of,
    problem_of,
    runs_of,
    state_of,
)
from school_mentoring.experiments.calibration.emulator import excess_score, fit_emulator, learn_directions
from school_mentoring.experiments.calibration.findings import Predicted, log_scores, ranked_scores
from school_mentoring.experiments.calibration.survey import Survey, survey_of
from school_mentoring.experiments.pilot_data.observations import read_observations
from school_mentoring.experiments.synthetic_pilot import read_truth
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import NO_CONTACTS
from school_mentoring.scenarios import load_scenario


@pytest.fixture(scope="module")
def known():
    """Return the scenario of the synthetic pilot with all but beta at its truth, which makes small calibrations sharp."""
    known = [f"{name}={value}" for name, value in read_truth().parameters.items() if name != "beta"]
    return load_scenario("synthetic-pilot", known, designs=["regional_hub"])


def test_where_nobody_has_peers_or_contacts_q_out_keeps_its_prior_and_the_report_says_so(tmp_path):
    folder = Path(load_scenario("synthetic-pilot").world.ties).parent
    ties = pd.read_csv(folder / "ties.csv")
    ties[ties["kind"] == "mentoring"].to_csv(tmp_path / "ties.csv", index=False)
    scenario = load_scenario("synthetic-pilot", ["peer_degree=0 world.contacts=none"], designs=["regional_hub"], ties=tmp_path / "ties.csv")
    options = asked(fit="beta,q_out", runs=512)
    problem, seen = problem_of(scenario, observations_of(None, scenario), options)
    assert len(problem.world.peer) == 0
    found = calibrate(problem, options, tmp_path / "out")
    row = found.parameters.set_index("parameter").loc["q_out"]
    # The draws leave an error of about 2 % of a sd in mean and sd, the emulator what it takes chance for.
    assert abs(row["posterior_mean"] - row["prior_mean"]) < 0.15 * row["prior_sd"]
    assert row["sd_ratio"] == pytest.approx(1, abs=0.1)
    said = calibration_report(found.tables(), {**found.state, **state_of(problem, seen)}).said
    assert any(line.startswith("The data cannot tell q_out, which keeps its prior") for line in said)


def test_a_wave_that_was_held_out_is_predicted_and_mentoring_is_compared_with_none_by_proper_scores(known, tmp_path):
    options = asked(fit="beta,p=0.0002:0.003:pert", runs=256, hold_out="wave=last", compare=True)
    problem, seen = problem_of(known, observations_of(None, known), options)
    found = calibrate(problem, options, tmp_path / "out")
    cells = found.cells
    assert set(cells.loc[cells["held_out"], "month"]) == {34}
    scores = found.scores.set_index("prediction")
    assert (scores["cells"] == cells["held_out"].sum()).all()
    assert {"posterior", "prior", "posterior without mentoring", "Bass"} <= set(scores.index)
    # The pilot was made with mentoring: without it the last wave is predicted worse, beyond two standard errors, by both scores.
    for score, sign in (("log_score", 1), ("crps", -1)):
        rival = scores.loc["posterior without mentoring"]
        assert -sign * rival[f"{score}_less_posterior"] > 2 * rival[f"{score}_less_posterior_se"] > 0
    said = calibration_report(found.tables(), {**found.state, **state_of(problem, seen)}).said
    assert any(line.startswith("The fitted model predicts them better than") and "without mentoring" in line for line in said)


def test_a_model_without_mentoring_has_nothing_of_it_left(known):
    problem, _ = problem_of(known, observations_of(None, known), asked(fit="beta,p=0.0002:0.003"))
    without = _without_mentoring(problem)
    base = without.scenario.base_parameters()
    assert (base["beta"], base["shield"]) == (0.0, 0.0)
    assert (without.scenario.world.contacts, without.world.contacts) == ("none", NO_CONTACTS)
    assert without.prior.names == ("p",)


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
        ({"hold_out": "pupils=2"}, "--hold-out pupils=2: names nothing that can be held out"),
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
    emulator = fit_emulator(values, features, learn_directions(values, features))
    at, seen = rng.uniform(0.1, 0.9, (200, 2)), np.array([1.2, 0.1])
    exact = []
    for c, d in at:
        covariance = np.array([[(1 + c / 2) ** 2, (1 + c / 2) * d / 2], [(1 + c / 2) * d / 2, 1.0]])
        left = seen - [c, c * d]
        exact.append(-0.5 * (left @ np.linalg.solve(covariance, left) + np.linalg.slogdet(covariance)[1]))
    found = emulator.log_likelihood(at, emulator.directions.of(seen[None])[0])
    difference = found - np.array(exact)
    assert np.abs(difference - difference.mean()).max() < 0.06


@pytest.mark.parametrize(("noise", "excess"), [(1.0, 1.0), (1.5, 2.25)])
def test_a_likelihood_whose_score_varies_more_than_its_curvature_says_is_found_out(noise, excess):
    """Features are parameters and normal noise: the score varies as noise**2, the curvature knows the noise that was learned, 1."""
    rng = np.random.default_rng(6)
    values, new = rng.uniform(-1.0, 1.0, (20_000, 2)), rng.uniform(-1.0, 1.0, (8_000, 2))
    features = 3.0 * values + rng.standard_normal(values.shape)
    emulator = fit_emulator(values[1::2], features[1::2], learn_directions(values[::2], features[::2]))
    found = excess_score(emulator, new, 3.0 * new + noise * rng.standard_normal(new.shape))
    assert abs(found - excess) < 4.0 * excess * np.sqrt(2.0 / (2 * 8_000)) + 0.01  # a mean of 16,000 squares; 0.01 for what is learned


def test_ranked_score_is_its_definition():
    rng = np.random.default_rng(2)
    draws, seen = rng.random((50, 4)), rng.random(4)
    spread = np.abs(draws[:, None] - draws[None]).mean(axis=(0, 1))
    np.testing.assert_allclose(ranked_scores(draws, seen), np.abs(draws - seen).mean(axis=0) - spread / 2, atol=1e-12)


def test_the_log_score_is_the_chance_of_what_was_seen_and_is_highest_for_the_truth():
    """A school of 20 teachers with 6 adopters answers 4,000 times: the truth beats its neighbours by 4 standard errors."""
    rng = np.random.default_rng(3)
    cells = 4000
    answers = rng.binomial(10, 0.3, cells)
    ones = np.ones((1, cells), np.int64)
    survey = Survey("counts", (5,), (0,), answers[None] / 10, 10 * ones, 0.0 * ones, ("practice",))

    def scores(adopters: list[int]) -> np.ndarray:
        drawn = np.repeat(np.array(adopters)[:, None, None], cells, axis=2)
        teachers = np.full((len(adopters), cells), 20, np.int32)
        return log_scores(survey, Predicted(drawn, teachers, np.zeros(0)), np.zeros(len(adopters)))

    # The mean of the draws' chances, and of a uniform one over 0 to 10.
    chance = (stats.binom.pmf(answers, 10, 0.3) + stats.binom.pmf(answers, 10, 0.5) + 1 / 11) / 3
    np.testing.assert_allclose(scores([6, 10]), np.log(chance), rtol=1e-10)
    truth = scores([6] * 50)
    for wrong in (4, 5, 7, 8):
        lead = truth - scores([wrong] * 50)
        assert lead.mean() > 4 * lead.std() / np.sqrt(cells)


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


def test_the_runs_of_a_table_are_as_many_as_memory_holds():
    assert [runs_of(0, cells, 31 * 20) for cells in (360, 60_000, 240_000)] == [32_768, 1024, 1024]
    assert [runs_of(0, 60_000, months * 20_000) for months in (12, 31, 72)] == [1024, 1024, 512]
    assert runs_of(4096, 60_000, 1) == 4096
    with pytest.raises(InputError, match="--runs 8192: take 5 GiB; allowed here: at most 4,473"):
        runs_of(8192, 60_000, 1)
    with pytest.raises(InputError, match="fit a sample of schools, or fewer waves: at most 1,048,576 in all"):
        runs_of(0, 2_000_000, 1)
