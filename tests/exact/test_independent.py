"""Schools without peers, mentors or influence of colleagues: teachers are independent two-state chains with a closed form.

A teacher adopts with chance a and is lost with chance l a month, so the chance to use the practice after t months is
x_t = x* + (x_0 - x*) (1 - a - l)**t with x* = a / (a + l), and the number of adopters given the start k_0 is
Binomial(k_0, x_t | 1) + Binomial(n - k_0, x_t | 0). Bounds are 4 standard errors or a p value, at fixed seeds.
"""

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from school_mentoring.experiments.validation.exact_limits import (
    ALONE_CAPACITY,
    ALONE_OPENNESS,
    ALONE_START,
    ALONE_TEACHERS,
    INDEPENDENT,
    rates,
    use_chance,
)
from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.parameters import parameter_table
from tests.worlds import batch_of, build_practices, build_world, design

TEACHERS, CAPACITY, OPENNESS, START = ALONE_TEACHERS, ALONE_CAPACITY, ALONE_OPENNESS, ALONE_START
MONTHS = (0, 1, 6, 24, 60)
DIFFICULTY = (1.0, 1.7)


def run(replicates: int, world, practices, values, way, months: int, seed: int) -> np.ndarray:
    results = run_batch(
        Task(
            world,
            practices,
            parameter_table([values]),
            design_table([way], 6, 34),
            batch_of(replicates),
            seed,
            months=months,
            end_of_funding=1,
        ),
        per_school=True,
        threads=1,
    )
    return results.schools[:, :, :-2, :]


@cache
def simulated() -> np.ndarray:
    """Return adopters (replicates, months, practices, schools): two alike schools that have no peers."""
    world = build_world([TEACHERS] * 2, capacity=CAPACITY, openness=OPENNESS, adopters_at_start=START, practices=2)
    return run(20_000, world, build_practices(DIFFICULTY), INDEPENDENT, design("none"), max(MONTHS) + 1, 77)


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("practice", [0, 1])
def test_mean_adopters_follow_the_closed_form(practice, month):
    stay, join = use_chance(DIFFICULTY[practice], month, 1.0), use_chance(DIFFICULTY[practice], month, 0.0)
    mean = START * stay + (TEACHERS - START) * join
    variance = START * stay * (1.0 - stay) + (TEACHERS - START) * join * (1.0 - join)
    sample = simulated()[:, month, practice, :].ravel()
    assert abs(sample.mean() - mean) <= 4.0 * math.sqrt(variance / sample.size) + 1e-12


@pytest.mark.parametrize("month", MONTHS[1:])
@pytest.mark.parametrize("practice", [0, 1])
def test_adopters_have_the_exact_distribution(practice, month):
    # Chi-square against the convolution of two binomials, counts expected fewer than 10 times pooled.
    stay, join = use_chance(DIFFICULTY[practice], month, 1.0), use_chance(DIFFICULTY[practice], month, 0.0)
    pmf = np.convolve(
        stats.binom.pmf(np.arange(START + 1), START, stay), stats.binom.pmf(np.arange(TEACHERS - START + 1), TEACHERS - START, join)
    )
    sample = simulated()[:, month, practice, :].ravel()
    observed, expected = np.bincount(sample, minlength=TEACHERS + 1), sample.size * pmf
    common = expected >= 10.0
    observed, expected = (np.append(a[common], a[~common].sum()) for a in (observed, expected))
    assert stats.chisquare(observed, expected).pvalue > 1e-5


@pytest.mark.parametrize("month", MONTHS[1:])
def test_schools_without_ties_are_uncorrelated(month):
    first, second = simulated()[:, month, 0, 0], simulated()[:, month, 0, 1]
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.0 / math.sqrt(first.size)


@pytest.mark.parametrize("month", MONTHS[1:])
def test_practices_are_uncorrelated(month):
    first, second = simulated()[:, month, 0, 0], simulated()[:, month, 1, 0]
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.0 / math.sqrt(first.size)


def test_outreach_adds_to_the_chance_to_adopt_only_while_funded():
    # Adoption chance with p + 0.6 x 0.25 x 0.4 x 0.5 (who enrols, finishes and then adopts) from month 6 to 34, with p else; exact mean at
    # months 6, 34 and 60, 4 standard errors.
    world = build_world([TEACHERS], capacity=CAPACITY, openness=OPENNESS, adopters_at_start=START)
    adopters = run(20_000, world, build_practices(), INDEPENDENT, design("none", outreach=0.6), 61, 78)[:, :, 0, 0]
    a, loss = rates(1.0)
    more = a * (0.04 + 0.6 * 0.05) / 0.04
    stay, join = 1.0, 0.0
    for month in range(61):
        if month in (6, 34, 60):
            mean = START * stay + (TEACHERS - START) * join
            variance = START * stay * (1.0 - stay) + (TEACHERS - START) * join * (1.0 - join)
            assert abs(adopters[:, month].mean() - mean) < 4.0 * math.sqrt(variance / 20_000)
        gain = more if 6 <= month < 34 else a
        stay, join = (x + gain * (1.0 - x) - loss * x for x in (stay, join))


def test_one_teacher_under_influence_of_colleagues_is_influenced_by_none():
    # q_in s**gamma acts on those who do not adopt; with one teacher s = 0 for them, so q_in must change nothing at all.
    world = build_world([1] * 50, openness=OPENNESS, adopters_at_start=0)
    with_influence, without = (run(100, world, build_practices(), {**INDEPENDENT, "q_in": q}, design("none"), 30, 79) for q in (0.9, 0.0))
    np.testing.assert_array_equal(with_influence, without)


# --- the start -------------------------------------------------------------------------------------------------------

CAPACITIES = np.array([0.2, 0.5, 0.7, 0.45, 0.95, 0.9, 0.3, 0.35, 0.4, 0.1])
POPULATION = {"initial_share": 0.12, "capacity_mean": 0.5, "advanced_fraction": 0.2, "advanced_share": 0.55}


@cache
def started() -> np.ndarray:
    world = build_world([40] * 10, capacity=CAPACITIES)
    return run(20_000, world, build_practices(), POPULATION, design("none"), 1, 80)[:, 0, 0, :]


def start_chances() -> np.ndarray:
    chance = 0.12 * (CAPACITIES / 0.5) ** 2
    chance[[4, 5]] = 0.55  # the fifth of the schools with the highest capacity
    return chance


def test_adopters_at_the_start_have_the_binomial_mean():
    chance = start_chances()
    error = np.sqrt(40 * chance * (1 - chance) / len(started()))
    assert np.all(np.abs(started().mean(axis=0) - 40 * chance) < 4.0 * error)


def test_adopters_at_the_start_have_the_binomial_variance():
    # Standard error of a variance from the fourth central moment: variance sqrt((kurtosis + 2) / replicates).
    chance = start_chances()
    variance, kurtosis = stats.binom.stats(40, chance, moments="vk")
    error = variance * np.sqrt((kurtosis + 2.0) / len(started()))
    assert np.all(np.abs(started().var(axis=0) - variance) < 4.0 * error)


def test_a_practices_own_start_replaces_the_parameter():
    world = build_world([40] * 10, capacity=0.5)
    values = {**POPULATION, "advanced_fraction": 0.0}
    adopters = run(5_000, world, build_practices(initial_share=0.3), values, design("none"), 1, 81)
    assert abs(adopters.mean() - 40 * 0.3) < 4.0 * math.sqrt(40 * 0.3 * 0.7 / adopters.size)


def test_given_adopters_replace_the_drawn_ones():
    given = [0, -1, 17, 40, -1, 3, 0, 0, 1, 2]
    adopters = run(200, build_world([40] * 10, adopters_at_start=given), build_practices(), POPULATION, design("none"), 1, 82)[:, 0, 0]
    fixed = np.array(given) >= 0
    assert (adopters[:, fixed] == np.array(given)[fixed]).all()
    assert np.ptp(adopters[:, ~fixed], axis=0).min() > 0  # the others vary
