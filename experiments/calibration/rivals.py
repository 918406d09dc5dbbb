"""Four simple rivals of the model, fitted to the same observations and asked for the same forecasts.

Each is a chance per month that who has not adopted does so: the same always (constant hazard); p + q F, where F is the share of adopters
in the cluster (Bass 1969); r F (logistic growth); or a logit of the share of a school's peers and of time (a discrete-time event history;
Allison 1982). Shares of schools follow it month by month from where they were last seen, and nobody gives up. Parameters are fitted by
maximum likelihood under a wide prior; forecasts take draws of the normal approximation to what is known of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from school_mentoring.model.world.arrays import Flags, Floats, World
from school_mentoring.model.world.network import Peers

from .findings import Predicted
from .survey import Survey

DRAWS = 400
SHRINK = 2.0  # respondents that the mean of a wave counts as, in what a school's answers say of it
TINY = 1e-9

Hazard = Callable[[Floats, Floats, Floats, float], Floats]
"""The chance to adopt, by parameters (d, ...), share among the school's peers, share in its cluster, and time from 0 to 1."""


@dataclass(frozen=True)
class Rival:
    """A rival: its name, its chance of adoption, and the prior of its parameters (mean and sd, (d,) each, normal)."""

    name: str
    hazard: Hazard
    mean: tuple[float, ...]
    sd: tuple[float, ...]


def _logistic(x: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def _constant(q: Floats, _: Floats, within: Floats, at: float) -> Floats:
    return _logistic(q[0]) + 0.0 * within


def _bass(q: Floats, _: Floats, within: Floats, at: float) -> Floats:
    return 1.0 - (1.0 - _logistic(q[0])) * (1.0 - _logistic(q[1]) * within)


def _growth(q: Floats, _: Floats, within: Floats, at: float) -> Floats:
    return np.asarray(_logistic(q[0]) * np.maximum(within, _logistic(q[1])))  # from a least share, as nothing grows from none


def _logit(q: Floats, peers: Floats, _: Floats, at: float) -> Floats:
    return _logistic(q[0] + q[1] * peers + q[2] * at)


RIVALS = (
    Rival("constant hazard", _constant, (-4.0,), (3.0,)),
    Rival("Bass", _bass, (-5.0, -2.0), (3.0, 2.0)),
    Rival("logistic", _growth, (-2.0, -4.0), (2.0, 2.0)),
    Rival("logit of exposure and time", _logit, (-5.0, 0.0, 0.0), (3.0, 5.0, 5.0)),
)


@dataclass(frozen=True)
class Watched:
    """What rivals see: the survey, which of its cells are ``kept`` (W, n), peers, clusters (n,) by number, and teachers (n,)."""

    survey: Survey
    kept: Flags
    peers: csr_array
    cluster: csr_array
    teachers: Floats

    @property
    def waves(self) -> list[list[int]]:
        """The waves of each practice, in the order of their months."""
        survey = self.survey
        of = [[w for w in range(len(survey.months)) if survey.practices[w] == practice] for practice in sorted(set(survey.practices))]
        return [sorted(waves, key=lambda w: survey.months[w]) for waves in of]


def course_of(survey: Survey, kept: Flags, world: World, clusters: dict[str, Flags]) -> Watched:
    """Return what rivals see of a survey; schools that stand in no cluster are one."""
    n = len(world.teachers)
    number = np.full(n, len(clusters))
    for k, member in enumerate(clusters.values()):
        number[member] = k
    one = csr_array((np.ones(n), (number, np.arange(n))), shape=(len(clusters) + 1, n))
    mean = csr_array((1.0 / np.maximum(one.sum(axis=1), 1.0)[number], (np.arange(n), number)), shape=(n, len(clusters) + 1)) @ one
    ties = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()
    teachers = np.ones(n) if survey.kind == "times" else world.teachers.astype(np.float64)
    return Watched(survey, survey.seen & kept, csr_array((ties, world.peer, world.peer_start), shape=(n, n)), csr_array(mean), teachers)


def _believed(course: Watched) -> Floats:
    """Return the share that each kept cell says its school has, (W, n): of counts drawn towards the wave's mean, nan elsewhere."""
    survey, kept = course.survey, course.kept
    shares = np.where(kept, survey.shares, np.nan)
    if survey.kind != "counts":
        return np.clip(shares, 0.0, 1.0)
    asked = np.where(kept, survey.respondents, 0)
    mean = (asked * survey.shares).sum(axis=1, keepdims=True) / np.maximum(asked.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.where(kept, (asked * survey.shares + SHRINK * mean) / (asked + SHRINK), np.nan))


def _log_chance(survey: Survey, w: int, cells: Flags, share: Floats, spread: float) -> float:
    """Return the log chance of the answers of some schools in a wave at shares (n,); ``spread``: the rival's own error, a logit or log."""
    from scipy import stats

    inside = np.clip(share[cells], TINY, 1.0 - TINY)
    seen, asked = survey.shares[w, cells], survey.respondents[w, cells]
    if survey.kind == "times":
        return float(np.where(seen > 0.5, np.log(inside), np.log1p(-inside)).sum())
    if survey.kind == "scale":
        return float(stats.norm.logpdf(seen, inside, np.hypot(survey.errors[w, cells], np.exp(spread))).sum())
    size = 1.0 / max(float(_logistic(np.array(spread))), 1e-6) - 1.0
    return float(stats.betabinom.logpmf(np.rint(seen * asked), asked, inside * size, (1.0 - inside) * size).sum())


def _log_likelihood(rival: Rival, course: Watched, believed: Floats, point: Floats) -> float:
    """Return the log-likelihood of kept cells, each given what was last seen of its school."""
    survey, total, end = course.survey, 0.0, course.survey.horizon
    for waves in course.waves:
        share: Floats | None = None
        month = survey.months[waves[0]]
        for w in waves:
            if share is None:
                share = np.where(course.kept[w], believed[w], np.nanmean(believed[w]) if course.kept[w].any() else 0.0)
                continue
            while month < survey.months[w]:
                share = share + (1.0 - share) * rival.hazard(point, course.peers @ share, course.cluster @ share, month / end)
                month += 1
            known = course.kept[w] & ((share < 1.0) if survey.kind == "times" else True)
            total += _log_chance(survey, w, known, share, point[-1])
            share = np.where(course.kept[w], believed[w], share)
    return total


def fit_rival(rival: Rival, course: Watched, seed: int) -> Floats:
    """Return draws of a rival's parameters (DRAWS, d) given the kept cells; of counts and scales the last is the spread of its errors."""
    from scipy.optimize import minimize

    noisy = course.survey.kind != "times"
    mean, sd = np.array([*rival.mean, *([-2.0] if noisy else [])]), np.array([*rival.sd, *([1.5] if noisy else [])])
    believed = _believed(course)

    def lost(z: Floats) -> float:
        return 0.5 * float(z @ z) - _log_likelihood(rival, course, believed, mean + sd * z)

    best = minimize(lost, np.zeros(len(mean)), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3, "maxfev": 600}).x
    step = 0.02 * np.eye(len(mean))
    curvature = np.array([[_second(lost, best, a, b) for a in step] for b in step]) / 0.02**2
    values, axes = np.linalg.eigh(0.5 * (curvature + curvature.T))
    root = axes / np.sqrt(np.maximum(values, 1.0))  # no less is known than the prior knew
    return np.asarray(mean + sd * (best + np.random.default_rng(seed).standard_normal((DRAWS, len(mean))) @ root.T))


def _second(function: Callable[[Floats], float], at: Floats, a: Floats, b: Floats) -> float:
    return 0.25 * (function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b))


def forecast_rival(rival: Rival, course: Watched, draws: Floats, seed: int) -> tuple[Predicted, Floats]:
    """Return simulated schools under draws of the parameters (D, d), in the survey's waves, and the overdispersion of answers, (D,).

    A school that was seen in a wave goes on from there; of one that was never seen the beginning is that of another one, drawn.
    """
    survey, believed, rng = course.survey, _believed(course), np.random.default_rng(seed + 1)
    adopters = np.zeros((len(draws), *survey.shares.shape), np.int64)
    point, teachers, end = draws.T[:, :, None], course.teachers, survey.horizon
    for waves in course.waves:
        first = waves[0]
        pool = believed[first][course.kept[first]] if course.kept[first].any() else np.zeros(1)
        share, month = rng.choice(pool, size=(len(draws), len(teachers))), survey.months[first]
        if survey.kind == "times":
            share = np.zeros_like(share)
        for w in waves:
            while month < survey.months[w]:
                chance = rival.hazard(point, (course.peers @ share.T).T, (course.cluster @ share.T).T, month / end)
                had = np.rint(share * teachers).astype(np.int64)
                share = (had + rng.binomial((teachers - had).astype(np.int64), np.clip(chance, 0.0, 1.0))) / teachers
                month += 1
            share = np.where(course.kept[w], _drawn(course, w, believed[w], len(draws), rng), share)
            adopters[:, w] = np.rint(share * teachers)
    spread = _logistic(draws[:, -1]) if survey.kind == "counts" else np.zeros(len(draws))
    return Predicted(adopters.astype(np.int32), np.tile(teachers.astype(np.int32), (len(draws), 1)), np.zeros(0)), spread


def _drawn(course: Watched, w: int, believed: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return draws of the shares (count, n) that schools may have had in a wave in which they were seen."""
    survey = course.survey
    mean = np.where(course.kept[w], believed, 0.0)
    if survey.kind == "times":
        return np.tile(mean, (count, 1))
    if survey.kind == "scale":
        return np.clip(rng.normal(mean, survey.errors[w], (count, len(mean))), 0.0, 1.0)
    size = survey.respondents[w] + SHRINK
    return np.asarray(rng.beta(np.maximum(mean * size, TINY), np.maximum((1.0 - mean) * size, TINY), (count, len(mean))))
