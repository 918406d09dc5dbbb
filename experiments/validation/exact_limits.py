"""Limits in which the model has an exact solution that shares no code with it.

With one teacher a school, gamma 1 and readiness 1 the model is a Bass contagion on a network with abandonment: a Markov chain over the
2**n states of n schools, and on the complete network over the number of adopters, which tends to the Bass equation as n grows. Without
peers, mentors and colleagues' influence teachers are independent two-state chains.
"""

import itertools
import math

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from school_mentoring.experiments.progress import Stage
from school_mentoring.model.world.arrays import Floats

from .checks import curve
from .runs import build_world, complete, simulate

MONTHS = (1, 3, 10, 24)
LIMIT = {"gamma": 1.0, "readiness_floor": 1.0, "q_in": 0.0, "protection": 0.0, "shield": 0.0, "turnover": 0.0}
"""The parameters of the Bass limit, but for its rates."""


# Symmetric ties of unequal strength: rows made to sum to 1 are then not symmetric.
UNEQUAL = np.array([[0, 5, 1, 0], [5, 0, 2, 0.5], [1, 2, 0, 9], [0, 0.5, 9, 0]])
# Influence that goes mostly one way, as a user's own weights may.
ONE_WAY = np.array([[0, 1, 0], [0.2, 0, 0.8], [0, 1, 0]])
LONELY = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])  # the last school has no peer

NETWORKS: dict[str, tuple[Floats, list[int]]] = {
    "pair": (complete(2), [1, 0]),
    "path": (nx.to_numpy_array(nx.path_graph(5)), [1, 0, 0, 0, 1]),
    "star": (nx.to_numpy_array(nx.star_graph(5)), [1, 0, 0, 0, 0, 0]),
    "ring": (nx.to_numpy_array(nx.cycle_graph(6)), [1, 1, 0, 0, 0, 0]),
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

INDEPENDENT = {
    **{"p": 0.04, "q_in": 0.0, "protection": 0.0, "d": 0.05, "turnover": 0.02, "readiness_floor": 0.3},
    **{"enrolment": 0.25, "completion": 0.4, "uptake": 0.5},
}
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


def _alone_moments(month: int) -> tuple[float, float]:
    """Return the mean and the variance of the adopters of an independent school."""
    stay, join, others = use_chance(1.0, month, 1.0), use_chance(1.0, month, 0.0), ALONE_TEACHERS - ALONE_START
    return ALONE_START * stay + others * join, ALONE_START * stay * (1.0 - stay) + others * join * (1.0 - join)


def _alone_run(replicates: int, seed: int) -> Floats:
    """Return the adopters of an independent school, (replicates, months)."""
    world = build_world([ALONE_TEACHERS], capacity=ALONE_CAPACITY, openness=ALONE_OPENNESS, adopters_at_start=ALONE_START)
    return simulate(world, INDEPENDENT, replicates, 61, seed)[:, :, 0].astype(float)


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
    world = build_world(np.ones(n), weights=complete(n), openness=1.0, adopters_at_start=(np.arange(n) < n // 20).astype(int))
    p, q, d = BASS
    return simulate(world, {**LIMIT, "p": p, "q_out": q, "d": d}, replicates, BASS_MONTHS, seed).mean(axis=2)


# --- tables ----------------------------------------------------------------------------------------------------------


def _row(limit: str, case: str, month: int, sample: Floats, mean: float, variance: float) -> dict[str, object]:
    """Return a row: the engine's mean, the exact one, and their difference over the exact standard error."""
    error = math.sqrt(variance / sample.size)
    found = float(sample.mean())
    apart = 0.0 if abs(found - mean) <= 1e-12 else math.inf if error == 0.0 else (found - mean) / error
    row = {"limit": limit, "case": case, "month": month, "runs": sample.size}
    return {**row, "exact": mean, "engine": found, "error": error, "apart": apart}


def _moments(chance: Floats, count: NDArray[np.int64]) -> tuple[float, float]:
    """Return the mean and the variance of a count under its distribution."""
    mean = float(chance @ count)
    return mean, float(chance @ (count - mean) ** 2)


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
            moments = _moments(exact(weights, start, *RATES[name], month), count)
            rows.append(_row("Bass contagion on a network", f"{network}, {name}", month, found[:, month], *moments))
    stage("exact limits", len(CASES), len(CASES) + 2)
    found = _alone_run(replicates, 77)
    rows += [_row("Independent schools", "25 teachers, 6 at the start", t, found[:, t], *_alone_moments(t)) for t in (1, 6, 24, 60)]
    stage("exact limits", len(CASES) + 1, len(CASES) + 2)
    n = 60
    share = _complete_run(n, replicates // 4, 5) * n
    chances = count_chain(n, n // 20, *BASS, BASS_MONTHS)
    for month in (1, 6, 24, 48, 72):
        moments = _moments(chances[month], np.arange(n + 1))
        rows.append(_row("Bass contagion among all", f"{n} schools", month, share[:, month], *moments))
    return pd.DataFrame(rows)


def bass_curves(replicates: int) -> pd.DataFrame:
    """Return the share of adopters by the Bass equation, by the exact chain of 60 schools, and by the engine with 60 and 1,000.

    Also the adopters of independent schools, by the closed form and by the engine.
    """
    panel, axes, months = "Adopters where all are peers", ("month", "% of schools"), np.arange(BASS_MONTHS)
    chain = count_chain(60, 3, *BASS, BASS_MONTHS) @ np.arange(61) / 60
    lines = {"Bass equation": bass_equation(0.05, *BASS, BASS_MONTHS), "60 schools, exact": chain}
    rows = [curve(panel, axes, series, months, 100.0 * share) for series, share in lines.items()]
    for n, runs in ((60, replicates), (1000, max(8, replicates // 100))):
        rows.append(_marks(panel, axes, f"{n:,} schools, engine", (100.0 * _complete_run(n, runs, 6))[:, months[::6]]))
    panel, axes, months = "Independent schools", ("month", "adopters of 25 teachers"), np.arange(61)
    rows.append(curve(panel, axes, "closed form", months, [_alone_moments(t)[0] for t in months.tolist()]))
    rows.append(_marks(panel, axes, "engine", _alone_run(10 * replicates, 78)[:, ::6]))
    return pd.concat(rows, ignore_index=True)


def _marks(panel: str, axes: tuple[str, str], series: str, found: Floats) -> pd.DataFrame:
    """Return the means of runs in every sixth month, (runs, months)."""
    error = found.std(axis=0, ddof=1) / math.sqrt(len(found))
    return curve(panel, axes, series, 6 * np.arange(found.shape[1]), found.mean(axis=0), error, joined=False)
