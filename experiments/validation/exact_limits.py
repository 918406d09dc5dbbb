"""Limits in which the model has an exact solution that shares no code with it.

With one teacher a school, gamma 1 and readiness 1 the model is a Bass contagion on a network with abandonment: a Markov chain over the
2**n states of n schools, and on the complete network over the number of adopters, which tends to the Bass equation as n grows. Without
peers, mentors and colleagues' influence teachers are independent two-state chains.
"""

import itertools
import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from school_mentoring.experiments.progress import Stage
from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.world.arrays import Floats, World

from .by_hand import batch_of, build_practices, build_world, complete
from .curves import curve

MONTHS = (1, 3, 10, 24)
LIMIT = {"gamma": 1.0, "readiness_floor": 1.0, "q_in": 0.0, "protection": 0.0, "shield": 0.0, "turnover": 0.0}
"""The parameters of the Bass limit, but for its rates."""


def path(n: int) -> Floats:
    """Return the weights of a path of n schools."""
    return np.eye(n, k=1) + np.eye(n, k=-1)


def star(n: int) -> Floats:
    """Return the weights of a star of n schools."""
    weights = np.zeros((n, n))
    weights[0, 1:] = weights[1:, 0] = 1.0
    return weights


def ring(n: int) -> Floats:
    """Return the weights of a ring of n schools."""
    return path(n) + np.eye(n, k=n - 1) + np.eye(n, k=1 - n)


# Symmetric ties of unequal strength: rows made to sum to 1 are then not symmetric.
UNEQUAL = np.array([[0, 5, 1, 0], [5, 0, 2, 0.5], [1, 2, 0, 9], [0, 0.5, 9, 0]])
# Influence that goes mostly one way, as a user's own weights may.
ONE_WAY = np.array([[0, 1, 0], [0.2, 0, 0.8], [0, 1, 0]])
LONELY = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])  # the last school has no peer

NETWORKS: dict[str, tuple[Floats, list[int]]] = {
    "pair": (complete(2), [1, 0]),
    "path": (path(5), [1, 0, 0, 0, 1]),
    "star": (star(6), [1, 0, 0, 0, 0, 0]),
    "ring": (ring(6), [1, 1, 0, 0, 0, 0]),
    "complete": (complete(5), [1, 0, 0, 0, 0]),
    "unequal": (UNEQUAL, [0, 1, 0, 0]),
    "one way": (ONE_WAY, [1, 0, 0]),
    "isolated": (LONELY, [1, 0, 0, 0]),
}
"""Weights and adopters at the start."""

RATES: dict[str, tuple[float, float, float]] = {
    "slow": (0.003, 0.04, 0.03),
    "fast": (0.05, 0.6, 0.15),
    "no innovation": (0.0, 0.3, 0.1),
    "no abandonment": (0.02, 0.3, 0.0),
}
"""p, q_out and d of each."""

CASES = list(itertools.product(NETWORKS, RATES))


def states(n: int) -> NDArray[np.int64]:
    """Return all adoption states, shape (2**n, n); school i is bit i of the row number."""
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def exact(weights: Floats, start: list[int], p: float, q: float, d: float, month: int) -> Floats:
    """Return the probability of each state after a number of months: the start times a power of the transition matrix."""
    n = len(start)
    x = states(n)
    rows = weights.sum(axis=1, keepdims=True)
    w = np.divide(weights, rows, out=np.zeros_like(weights, float), where=rows > 0)
    adopt = 1.0 - (1.0 - p) * (1.0 - q * (x @ w.T))  # of each school in each state, were it not adopting
    chance = np.where(x == 1, 1.0 - d, adopt)
    move = np.prod(np.where(x[None, :, :] == 1, chance[:, None, :], 1.0 - chance[:, None, :]), axis=2)
    if np.abs(move.sum(axis=1) - 1.0).max() > 1e-12:
        raise ArithmeticError("the rows of the transition matrix do not sum to 1")
    first = np.zeros(2**n)
    first[sum(value << i for i, value in enumerate(start))] = 1.0
    return np.asarray(first @ np.linalg.matrix_power(move, month))


def simulate(world: World, parameters: dict[str, float], replicates: int, months: int, seed: int) -> NDArray[np.int32]:
    """Return the adopters of each school without a programme, (replicates, months, schools)."""
    results = run_batch(
        Task(
            world,
            build_practices(),
            parameter_table([parameters]),
            design_table([PRESETS["none"]], 6, 34),
            batch_of(replicates),
            seed,
            months=months,
            end_of_funding=1,
        ),
        per_school=True,
        threads=1,
    )
    return results.schools[:, :, 0, :]


def simulated_network(
    network: str, name: str, replicates: int, months: int = max(MONTHS) + 1, seed: int | None = None
) -> NDArray[np.int32]:
    """Return the adoption states of the engine on one of the ``NETWORKS`` with one of the ``RATES``, (replicates, months, schools).

    Each case has a seed of its own, unless one is given.
    """
    weights, start = NETWORKS[network]
    p, q, d = RATES[name]
    n = len(start)
    world = build_world(np.ones(n), weights=weights, openness=1.0, capacity=np.linspace(0.1, 0.9, n), adopters_at_start=start)
    own = 20_240_511 + CASES.index((network, name))
    return simulate(world, {**LIMIT, "p": p, "q_out": q, "d": d}, replicates, months, own if seed is None else seed)


# --- independent schools ---------------------------------------------------------------------------------------------

INDEPENDENT = {"p": 0.04, "q_in": 0.0, "protection": 0.0, "d": 0.05, "turnover": 0.02, "readiness_floor": 0.3, "outreach_effect": 0.05}
"""Parameters under which teachers of schools without peers are independent."""
ALONE_TEACHERS, ALONE_CAPACITY, ALONE_OPENNESS, ALONE_START = 25, 0.6, 0.8, 6


def rates(difficulty: float) -> tuple[float, float]:
    """Return the monthly chances of adoption and of loss of an independent teacher."""
    adopt = INDEPENDENT["p"] * ALONE_OPENNESS * (0.3 + 0.7 * ALONE_CAPACITY) / difficulty
    return adopt, 1.0 - (1.0 - INDEPENDENT["d"]) * (1.0 - INDEPENDENT["turnover"])


def use_chance(difficulty: float, month: int, first: float) -> float:
    """Return the chance that a teacher who starts as an adopter (1) or not (0) is one after some months.

    x_t = x* + (x_0 - x*) (1 - a - l)**t with x* = a / (a + l), a the chance to adopt and l that to be lost.
    """
    adopt, lose = rates(difficulty)
    rest = adopt / (adopt + lose)
    return rest + (first - rest) * (1.0 - adopt - lose) ** month


# --- the complete network --------------------------------------------------------------------------------------------

BASS = 0.01, 0.15, 0.01
"""p, q and d of the complete network."""
BASS_MONTHS = 73


def count_chain(n: int, start: int, p: float, q: float, d: float, months: int) -> Floats:
    """Return the exact distribution of the number of adopters of n schools that are all peers of each other, (months, n + 1)."""
    counts = np.arange(n + 1)
    move = np.empty((n + 1, n + 1))
    for k in counts.tolist():
        adopt = 1.0 - (1.0 - p) * (1.0 - q * k / (n - 1.0))  # of a school that has not, so none of the k is itself
        gains, kept = stats.binom.pmf(np.arange(n - k + 1), n - k, adopt), stats.binom.pmf(np.arange(k + 1), k, 1.0 - d)
        move[k] = np.convolve(gains, kept)
    chance = np.zeros((months, n + 1))
    chance[0, start] = 1.0
    for month in range(1, months):
        chance[month] = chance[month - 1] @ move
    return chance


def bass_equation(start: float, p: float, q: float, d: float, months: int) -> Floats:
    """Return the share of adopters by the Bass equation with abandonment, the limit of many schools, (months,)."""
    share = np.empty(months)
    share[0] = start
    for month in range(1, months):
        x = share[month - 1]
        share[month] = x + (1.0 - x) * (1.0 - (1.0 - p) * (1.0 - q * x)) - d * x
    return share


def _complete_run(n: int, replicates: int, seed: int) -> Floats:
    """Return the share of adopters on the complete network, (replicates, months)."""
    start = np.zeros(n, int)
    start[: n // 20] = 1
    world = build_world(np.ones(n), weights=complete(n), openness=1.0, adopters_at_start=start)
    p, q, d = BASS
    parameters = {**LIMIT, "p": p, "q_out": q, "d": d}
    return simulate(world, parameters, replicates, BASS_MONTHS, seed).mean(axis=2)


# --- tables ----------------------------------------------------------------------------------------------------------


def _row(limit: str, case: str, month: int, sample: Floats, mean: float, variance: float) -> dict[str, object]:
    """Return a row: the engine's mean, the exact one, and their difference over the exact standard error."""
    error = math.sqrt(variance / sample.size)
    found = float(sample.mean())
    apart = 0.0 if abs(found - mean) <= 1e-12 else math.inf if error == 0.0 else (found - mean) / error
    return {
        "limit": limit,
        "case": case,
        "month": month,
        "runs": sample.size,
        "exact": mean,
        "engine": found,
        "error": error,
        "apart": apart,
    }


def exact_table(replicates: int, stage: Stage = lambda *_: None) -> pd.DataFrame:
    """Return the engine's mean number of adopters against the exact one, case by case.

    Columns: limit, case, month, runs, exact, engine, error (the exact standard error of the engine's mean), apart (in such errors).
    """
    rows = []
    for position, (network, name) in enumerate(CASES):
        stage("exact limits", position, len(CASES) + 2)
        weights, start = NETWORKS[network]
        count = states(len(start)).sum(axis=1)
        found = simulated_network(network, name, replicates).sum(axis=2).astype(float)
        for month in MONTHS:
            chance = exact(weights, start, *RATES[name], month)
            mean = float(chance @ count)
            rows.append(
                _row("Bass contagion on a network", f"{network}, {name}", month, found[:, month], mean, chance @ (count - mean) ** 2)
            )
    stage("exact limits", len(CASES), len(CASES) + 2)
    world = build_world([ALONE_TEACHERS], capacity=ALONE_CAPACITY, openness=ALONE_OPENNESS, adopters_at_start=ALONE_START)
    found = simulate(world, INDEPENDENT, replicates, 61, 77)[:, :, 0].astype(float)
    for month in (1, 6, 24, 60):
        stay, join = use_chance(1.0, month, 1.0), use_chance(1.0, month, 0.0)
        others = ALONE_TEACHERS - ALONE_START
        mean, variance = ALONE_START * stay + others * join, ALONE_START * stay * (1.0 - stay) + others * join * (1.0 - join)
        rows.append(_row("Independent schools", "25 teachers, 6 at the start", month, found[:, month], mean, variance))
    stage("exact limits", len(CASES) + 1, len(CASES) + 2)
    n = 60
    share = _complete_run(n, replicates // 4, 5) * n
    chances = count_chain(n, n // 20, *BASS, BASS_MONTHS)
    counts = np.arange(n + 1)
    for month in (1, 6, 24, 48, 72):
        mean = float(chances[month] @ counts)
        rows.append(_row("Bass contagion among all", f"{n} schools", month, share[:, month], mean, chances[month] @ (counts - mean) ** 2))
    return pd.DataFrame(rows)


def bass_curves(replicates: int) -> pd.DataFrame:
    """Return the share of adopters by the Bass equation, by the exact chain of 60 schools, and by the engine with 60 and 1,000."""
    axes, months = ("month", "% of schools"), np.arange(BASS_MONTHS)
    rows = [curve("Adopters where all are peers", axes, "Bass equation", months, 100.0 * bass_equation(0.05, *BASS, BASS_MONTHS))]
    chain = count_chain(60, 3, *BASS, BASS_MONTHS) @ np.arange(61) / 60
    rows.append(curve("Adopters where all are peers", axes, "60 schools, exact", months, 100.0 * chain))
    for n, runs in ((60, replicates), (1000, max(8, replicates // 100))):
        found = 100.0 * _complete_run(n, runs, 6)
        here = months[::6]
        error = found[:, here].std(axis=0, ddof=1) / math.sqrt(runs)
        rows.append(
            curve("Adopters where all are peers", axes, f"{n:,} schools, engine", here, found[:, here].mean(axis=0), error, joined=False)
        )
    alone = build_world([ALONE_TEACHERS], capacity=ALONE_CAPACITY, openness=ALONE_OPENNESS, adopters_at_start=ALONE_START)
    found = simulate(alone, INDEPENDENT, 10 * replicates, 61, 78)[:, :, 0].astype(float)
    here = np.arange(61)
    true = [ALONE_START * use_chance(1.0, t, 1.0) + (ALONE_TEACHERS - ALONE_START) * use_chance(1.0, t, 0.0) for t in here.tolist()]
    axes = ("month", "adopters of 25 teachers")
    rows.append(curve("Independent schools", axes, "closed form", here, true))
    error = found[:, ::6].std(axis=0, ddof=1) / math.sqrt(10 * replicates)
    rows.append(curve("Independent schools", axes, "engine", here[::6], found[:, ::6].mean(axis=0), error, joined=False))
    return pd.concat(rows, ignore_index=True)
