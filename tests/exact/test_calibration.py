"""Calibration of independent schools against a grid posterior of the exact likelihood, which shares no code with it.

Schools have no peers (q_out 0), no mentoring, and no influence of colleagues (q_in 0), so teachers are two-state chains (pilot_likelihood).
Means must agree within 5 % of the posterior sd and 90 % intervals within 5 % of their width, as a modeller would ask. The draws leave an
error of about 2 % of a sd in a mean and 1.5 % in a width (3,000 effective ones), the grid of 61 x 61 less than 1 %.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from school_mentoring.experiments.calibration.calibrate import asked, calibrate, problem_of
from school_mentoring.scenarios import load_scenario
from tests.exact.pilot_likelihood import log_likelihood

LOW, HIGH = np.array([0.002, 0.005]), np.array([0.12, 0.15])
MONTHS = np.array([6, 18, 30])
TURNOVER, FLOOR = 0.01, 0.4
GRID = 61


def make(folder, seed, schools=40):
    """Write the files of a pilot whose truth is (p, d) = (0.02, 0.03); return what the exact likelihood needs."""
    rng = np.random.default_rng(seed)
    teachers = rng.integers(8, 22, schools)
    capacity, openness = rng.uniform(0.2, 0.9, schools).round(3), rng.uniform(0.2, 1.0, schools).round(3)
    start = rng.binomial(teachers, 0.15)
    adopt, lose = 0.02 * (FLOOR + (1 - FLOOR) * capacity) * openness, 1 - (1 - 0.03) * (1 - TURNOVER)
    respondents = np.where(rng.random((3, schools)) < 0.85, rng.binomial(teachers, 0.7, (3, schools)), 0)
    answers, adopters, before = np.zeros_like(respondents), start, 0
    for w, month in enumerate(MONTHS.tolist()):
        rest, memory = adopt / (adopt + lose), (1 - adopt - lose) ** (month - before)
        adopters = rng.binomial(adopters, rest + (1 - rest) * memory) + rng.binomial(teachers - adopters, rest * (1 - memory))
        answers[w], before = rng.binomial(respondents[w], adopters / teachers), month
    columns = {"school_id": [f"s{i}" for i in range(schools)], "country": "IT", "teachers": teachers, "digital_capacity": capacity}
    pd.DataFrame({**columns, "openness": openness, "adopters_at_start": start}).to_csv(folder / "schools.csv", index=False)
    wave, school = np.nonzero(respondents)
    seen = {"respondents": respondents[wave, school], "adopters": answers[wave, school]}
    frame = pd.DataFrame({"school_id": [f"s{i}" for i in school], "month": MONTHS[wave], **seen})
    frame.to_csv(folder / "observations.csv", index=False)
    return teachers, capacity, openness, start, respondents, answers


def grid_posterior(data):
    """Return the grid of (p, d) and its weights under uniform priors on LOW..HIGH."""
    teachers, capacity, openness, start, respondents, answers = data
    p, d = (LOW[j] + (HIGH[j] - LOW[j]) * (np.arange(GRID) + 0.5) / GRID for j in (0, 1))  # middles, so that no edge counts twice
    ready = (FLOOR + (1 - FLOOR) * capacity) * openness
    found = np.array(
        [[log_likelihood(teachers, start, a * ready, 1 - (1 - b) * (1 - TURNOVER), MONTHS, respondents, answers) for b in d] for a in p]
    )
    weight = np.exp(found - found.max())
    return (p, d), weight / weight.sum()


def interval(values, weight):
    """Return the central 90 % interval of a density on a grid."""
    total = np.concatenate([[0.0], np.cumsum((weight[1:] + weight[:-1]) / 2)])
    return np.interp([0.05, 0.95], total / total[-1], values)


def test_independent_schools_have_the_grid_posterior_of_the_exact_likelihood(tmp_path):
    data = make(tmp_path, seed=1)
    fixed = f"q_in=0 q_out=0 protection=0 turnover={TURNOVER} readiness_floor={FLOOR}"
    scenario = load_scenario("mensi-pilot-only", [fixed], designs=["none"], schools=tmp_path / "schools.csv")
    options = asked(fit=f"p={LOW[0]}:{HIGH[0]},d={LOW[1]}:{HIGH[1]}")
    problem, _ = problem_of(scenario, tmp_path / "observations.csv", options)
    found = calibrate(problem, options, tmp_path / "out")
    assert found.state["likelihood"] == "exact"
    axes, weight = grid_posterior(data)
    for j, name in enumerate(("p", "d")):
        marginal = weight.sum(axis=1 - j)
        mean = marginal @ axes[j]
        sd = np.sqrt(marginal @ (axes[j] - mean) ** 2)
        draws = found.draws[name]
        low, high = interval(axes[j], marginal)
        assert abs(draws.mean() - mean) < 0.05 * sd
        assert np.abs(np.quantile(draws, [0.05, 0.95]) - [low, high]).max() < 0.05 * (high - low)


def test_the_oracle_is_the_binomial_where_one_wave_says_all():
    # One school, everybody answers once: start at 0 adopters, so the count is Binomial(n, join) with the closed form of two-state chains.
    adopt, lose = 0.01, 0.04
    join = adopt / (adopt + lose) * (1 - (1 - adopt - lose) ** 12)
    for seen in (0, 3, 20):
        one = np.array([20]), np.array([0]), np.array([adopt]), lose, np.array([12]), np.array([[1000]]), np.array([[50 * seen]])
        # 1,000 answers pin the share, so what is left is the chance of the count.
        certain = stats.binom.pmf(50 * seen, 1000, seen / 20)
        assert log_likelihood(*one) == pytest.approx(np.log(stats.binom.pmf(seen, 20, join) * certain), rel=2e-3)
