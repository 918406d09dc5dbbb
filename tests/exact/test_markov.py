"""The exact limit: on small networks the model is a Bass contagion with abandonment, whose distribution is known for every month.

Schools have one teacher, so the state of a network of n schools is one of 2**n; the exact distribution is the start state times powers of
the transition matrix. The engine makes 20,000 replicates (40,000 where states are counted); every bound is 4 standard errors (two-sided
p = 6e-5) or a p value, and seeds are fixed, so the verdict never changes.
"""

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from school_mentoring.experiments.validation.exact_limits import CASES, LIMIT, MONTHS, NETWORKS, RATES, exact, simulated_network, states
from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.parameters import parameter_table
from tests.worlds import batch_of, build_practices, build_world, complete, design

REPLICATES = 20_000


@cache
def simulated(network: str, rates: str, replicates: int = REPLICATES, months: int = max(MONTHS) + 1) -> np.ndarray:
    """Return the adoption states of the engine, shape (replicates, months, schools)."""
    return simulated_network(network, rates, replicates, months)


def assert_mean(sample: np.ndarray, probability: np.ndarray, values: np.ndarray) -> None:
    """Hold the sample's mean to that of ``values`` under ``probability``, within 4 exact standard errors."""
    mean = probability @ values
    error = math.sqrt(probability @ (values - mean) ** 2 / sample.shape[0])
    assert abs(sample.mean() - mean) <= 4.0 * error + 1e-12


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize(("network", "rates"), CASES)
def test_mean_number_of_adopters_is_the_exact_one(network, rates, month):
    weights, start = NETWORKS[network]
    probability = exact(weights, start, *RATES[rates], month)
    assert_mean(simulated(network, rates)[:, month].sum(axis=1), probability, states(len(start)).sum(axis=1))


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize(("network", "rates"), CASES)
def test_variance_of_the_number_of_adopters_is_the_exact_one(network, rates, month):
    # The mean squared deviation from the exact mean is the mean of a known variable, so its standard error is exact too.
    weights, start = NETWORKS[network]
    probability = exact(weights, start, *RATES[rates], month)
    count = states(len(start)).sum(axis=1)
    centre = probability @ count
    assert_mean((simulated(network, rates)[:, month].sum(axis=1) - centre) ** 2, probability, (count - centre) ** 2)


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize(("network", "rates"), CASES)
def test_each_school_adopts_with_its_exact_chance(network, rates, month):
    weights, start = NETWORKS[network]
    probability = exact(weights, start, *RATES[rates], month)
    for school in range(len(start)):
        assert_mean(simulated(network, rates)[:, month, school], probability, states(len(start))[:, school])


@pytest.mark.parametrize(("network", "rates"), [("unequal", "fast"), ("star", "fast"), ("isolated", "fast"), ("ring", "no innovation")])
def test_joint_distribution_of_all_schools_is_the_exact_one(network, rates):
    # Chi-square over all states at month 5, those expected fewer than 10 times pooled: sees dependence between schools.
    weights, start = NETWORKS[network]
    n = len(start)
    sample = simulated(network, rates, 40_000, 6)[:, 5] @ (1 << np.arange(n))
    observed, expected = np.bincount(sample, minlength=2**n), 40_000 * exact(weights, start, *RATES[rates], 5)
    rare = expected < 10.0
    observed, expected = (np.append(a[~rare], a[rare].sum()) for a in (observed, expected))
    kept = expected > 0.0
    assert observed[~kept].sum() == 0
    assert stats.chisquare(observed[kept], expected[kept]).pvalue > 1e-4


def test_successive_months_move_by_the_exact_transition():
    # Chi-square over pairs of states at months 4 and 5: sees draws reused between months, which one month does not.
    weights, start = NETWORKS["unequal"]
    both = simulated("unequal", "fast", 40_000, 6)[:, 4:6] @ (1 << np.arange(4))
    p, q, d = RATES["fast"]
    move = np.array([exact(weights, list(state), p, q, d, 1) for state in states(4)])
    expected = 40_000 * exact(weights, start, p, q, d, 4)[:, None] * move
    observed = np.histogram2d(both[:, 0], both[:, 1], [np.arange(17) - 0.5] * 2)[0]
    common = expected >= 10.0
    observed, expected = (np.append(a[common], a[~common].sum()) for a in (observed, expected))
    assert stats.chisquare(observed, expected).pvalue > 1e-4


def test_month_zero_is_the_given_start():
    assert (simulated("path", "fast")[:, 0] == NETWORKS["path"][1]).all()


def test_without_innovation_a_network_without_adopters_stays_so():
    results = run_batch(
        Task(
            build_world(np.ones(4), weights=complete(4), openness=1.0, adopters_at_start=[0, 0, 0, 0]),
            build_practices(),
            parameter_table([{**LIMIT, "p": 0.0, "q_out": 1.0}]),
            design_table([design("none")], 6, 34),
            batch_of(200),
            seed=1,
            months=30,
            end_of_funding=1,
        ),
        per_school=True,
    )
    assert not results.schools[:, :, 0].any()
