"""From the answers of a survey to the few numbers that observed and simulated data are compared by: features, and scores of schools.

Every feature is a weighted mean over schools, so that it is near normal, and together they hold what the likelihood of the model asks of
the data: levels, what goes with what a school brings along, memory from wave to wave, and what goes with peers and mentors.

Each school's answers over the waves have a mean and a covariance that parameters move; both are learned from simulations. The best linear
and quadratic statistics of the answers (the score of a Gaussian likelihood of independent schools; Godambe 1960) are sums over schools with
the weights that this gives, so a large or telling school counts for more. What they miss, such as peers that go together, features hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from school_mentoring.model.world.arrays import Counts, Flags, Floats, Ints, World
from school_mentoring.model.world.network import Peers
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .emulator import ParameterBox, cross_inverse
from .survey import FEWEST as FEWEST_OF_STRUCTURE
from .survey import Groups, Survey

FEWEST = 3  # schools that a mean over a group is taken of
MOST_CELLS = 30_000_000  # answers of simulations that weights are learned from

Values = Callable[[Floats, Floats, Floats], Floats]


def exposure_matrix(start: Counts, peer: Ints, weight: Floats, seen: Flags) -> csr_array:
    """Return the weights of a world's peers (compressed rows) among the schools ``seen``, each row scaled to sum to 1, or empty.

    ``weight`` is empty where all ties of a school weigh the same, as in ``model.world.arrays.World``.
    """
    schools = len(start) - 1
    tie = weight if weight.size else np.ones(peer.size)
    matrix = csr_array((tie * seen[peer], peer, start), shape=(schools, schools))
    rows = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.divide(1.0, rows, out=np.zeros_like(rows), where=rows > 0.0)
    return csr_array((matrix.data * np.repeat(scale, np.diff(start)), peer, start), shape=(schools, schools))


class Term(NamedTuple):
    """A feature: the weighted mean over schools of ``values`` of shares, residuals and peers' shares (B, W, n), on a ``scale``."""

    weight: Floats
    values: Values
    scale: Callable[[Floats], Floats] = np.asarray


@dataclass(frozen=True)
class FeatureSet:
    """Features of shares of adopting teachers observed at W waves in n schools.

    ``weight``: respondents behind each share, 0 where a school was not observed, (W, n). ``follows``: the wave after each wave, of the same
    practice, or -1. ``groups``: masks of the schools whose levels are told apart. ``covariates``: what is known of each school before,
    standardised, (n,) each. ``exposure``: for each wave, weights of the peers observed then (``exposure_matrix``); empty where there are no
    peers. ``mentor``: each school's mentor, or -1; empty where no mentors are known. ``own``: weights of the user's, or None.
    """

    weight: Floats
    follows: tuple[int, ...]
    groups: list[Flags]
    covariates: list[Floats]
    exposure: list[csr_array]
    mentor: Ints
    own: Floats | None = None

    @cached_property
    def terms(self) -> list[Term]:
        """The features, in the order of ``of``."""
        return [term for w in range(len(self.weight)) for term in self._terms_of(w)]

    def of(self, shares: Floats) -> Floats:
        """Return the features of shares (B, W, n), shape (B, features). What was not observed may hold anything."""
        shares = np.where(self.weight > 0.0, shares, 0.0)
        residuals, left = shares.copy(), np.ones(self.weight.shape[1], bool)
        for member in [*self.groups, left]:  # a school is of the first of its groups, else of the rest
            weight = self.weight * (member & left)
            total = weight.sum(axis=-1)
            mean = (shares * weight).sum(axis=-1) / np.where(total > 0.0, total, 1.0)
            residuals -= mean[..., None] * (member & left)
            left = left & ~member
        residuals = np.where(self.weight > 0.0, residuals, 0.0)
        exposed = [np.ascontiguousarray((ties @ np.ascontiguousarray(shares[:, w].T)).T) for w, ties in enumerate(self.exposure)]
        peers = np.stack(exposed, axis=1) if exposed else shares[:, :0]
        return np.stack([term.scale(_weighted(term.values(shares, residuals, peers), term.weight)) for term in self.terms], axis=1)

    def _terms_of(self, w: int) -> list[Term]:
        """Return a wave's levels, what shares go with, likeness with each later wave, and what the gain to the next wave goes with."""
        seen, after = self.weight[w], self.follows[w]

        def along(covariate: Floats) -> Values:
            return lambda s, r, p: r[:, w] * covariate

        def alike(later: int) -> Values:
            return lambda s, r, p: r[:, w] * r[:, later]

        def gain(shares: Floats) -> Floats:
            return shares[:, after] - shares[:, w]

        levels = [  # of teachers and of schools, on the arcsine scale, on which they vary alike
            Term(weight, lambda s, r, p: s[:, w], lambda x: np.arcsin(np.sqrt(np.clip(x, 0.0, 1.0))))
            for member in self.groups
            for weight in (seen * member, (seen > 0) * 1.0 * member)
        ]
        own = [Term(seen, along(covariate)) for covariate in self.covariates]
        own.append(Term(seen, lambda s, r, p: r[:, w] ** 2, np.sqrt))  # the spread between schools
        if self.exposure:
            own.append(Term(seen, lambda s, r, p: r[:, w] * _centred(p[:, w], seen)))
        later, ahead = after, []
        while later >= 0:
            ahead.append(Term(np.sqrt(seen * self.weight[later]), alike(later)))
            later = self.follows[later] if len(self.weight) <= 4 else -1
        if after >= 0:  # what the gain goes with: the square of the own share, peers, the mentor's share
            both = np.sqrt(seen * self.weight[after])
            ahead.append(Term(both, lambda s, r, p: gain(s) * s[:, w] ** 2))
            if self.exposure:
                ahead.append(Term(both, lambda s, r, p: gain(s) * _centred(p[:, w], both)))
            if len(mentor := self.mentor):
                known = np.where(mentor >= 0, both * (seen[mentor] > 0), 0.0)
                ahead.append(Term(known, lambda s, r, p: gain(s) * _centred(s[:, w][:, mentor], known)))
        levels, ahead = ([term for term in part if (term.weight > 0).sum() >= FEWEST] for part in (levels, ahead))
        return levels + own + ahead


def feature_set(scenario: Scenario, world: World, schools: Schools, survey: Survey, groups: Groups, who: Flags | None = None) -> FeatureSet:
    """Return the features of a survey; of the schools of a mask only where one is given."""
    member = np.ones(len(schools), bool) if who is None else who
    weight = survey.counting * member
    drawn = {*schools.drawn, *(schools.partly_drawn or ())}
    columns = {"digital_capacity": world.capacity, "openness": world.openness}
    known = [values for name, values in columns.items() if name not in drawn]
    starts = [world.adopters_at_start[practice] for practice in sorted(set(survey.practices))]
    known += [start / world.teachers for start in starts if (start >= 0).all()]
    covariates = [(values - values[member].mean()) / values[member].std() for values in known if values[member].std() > 1e-9]
    exposure = []
    if scenario.world.ties is not None and len(world.peer) > 0:
        ties = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()
        exposure = [exposure_matrix(world.peer_start, world.peer, ties, seen > 0) for seen in weight]
    structures = [mask & member for mask in groups.structures.values() if (mask & member).sum() >= FEWEST_OF_STRUCTURE]
    mentor = world.named_mentor if (world.named_mentor >= 0).any() else np.zeros(0, np.int32)
    return FeatureSet(weight.astype(np.float64), survey.follows, structures or [member], covariates, exposure, mentor, survey.weights)


def _weighted(values: Floats, weight: Floats) -> Floats:
    """Return the weighted mean over schools, (B,); the order of the sum does not depend on B."""
    return np.asarray((values * weight).sum(axis=-1) / max(weight.sum(), 1e-12))


def _centred(values: Floats, weight: Floats) -> Floats:
    return values - _weighted(values, weight)[:, None]


@dataclass(frozen=True)
class Summaries:
    """Summaries of a survey's answers (B, W, n): quasi-scores of schools, then ``features``.

    ``expected`` answers, (W, n); ``linear`` weights, (terms, W n); ``quadratic`` ones, (d, n, W, W).
    """

    features: FeatureSet
    expected: Floats
    linear: Floats
    quadratic: Floats

    def of(self, shares: Floats) -> Floats:
        """Return the summaries of shares (B, W, n), (B, S)."""
        left = np.where(self.features.weight > 0, shares - self.expected, 0.0)
        square = np.zeros((len(left), len(self.quadratic)))
        for a in range(left.shape[1]):
            for b in range(a + 1):
                square += (0.5 if a == b else 1.0) * (left[:, a] * left[:, b]) @ self.quadratic[:, :, a, b].T
        return np.concatenate([left.reshape(len(left), -1) @ self.linear.T, square, self.features.of(shares)], axis=1)


def learn_summaries(values: Floats, shares: Floats, features: FeatureSet) -> Summaries:
    """Return the summaries that simulations at parameters (N, d) with shares (N, W, n) teach, of what the survey of ``features`` sees."""
    seen = features.weight > 0
    shares = np.where(seen, shares, 0.0)
    count, waves, schools = shares.shape
    terms = ParameterBox.around(values).basis(values, 2)
    answers = shares.reshape(count, -1)
    coefficients = cross_inverse(terms) @ (terms.T @ answers)
    left = (answers - terms @ coefficients).reshape(count, waves, schools)
    line = terms[:, : values.shape[1] + 1]
    solve = cross_inverse(line) @ line.T
    spread = np.zeros((line.shape[1], schools, waves, waves))
    for a in range(waves):
        for b in range(a + 1):
            spread[:, :, a, b] = spread[:, :, b, a] = solve @ (left[:, a] * left[:, b])
    known = spread[0].copy()
    known[:, np.arange(waves), np.arange(waves)] += np.where(seen.T, 1e-6, 1.0)
    inverse = np.linalg.pinv(known, rcond=1e-6, hermitian=True)
    moved = coefficients[1:].reshape(-1, waves, schools)
    linear = np.einsum("nab,tbn->tan", inverse, moved).reshape(len(moved), -1)
    quadratic = np.einsum("nab,tnbc,ncd->tnad", inverse, spread[1:], inverse)
    if features.own is not None:
        linear = linear * features.own.ravel()
        quadratic = quadratic * np.sqrt(features.own.T[:, :, None] * features.own.T[:, None, :])
    return Summaries(features, coefficients[0].reshape(waves, schools), linear, quadratic)
