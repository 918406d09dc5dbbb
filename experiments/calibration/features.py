"""What a survey of schools comes to, in few numbers: the features that observed and simulated data are compared by.

Every feature is a weighted mean over schools, so that it is near normal, and together they hold what the likelihood of the model asks of
the data: levels, what goes with what a school brings along, memory from wave to wave, and what goes with peers and mentors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from school_mentoring.model.world.arrays import Floats

Parts = dict[str, Floats]
Term = tuple[str, Callable[[Parts], Floats]]
FEWEST = 3  # schools that a mean over a group is taken of


def exposure_matrix(start: NDArray[np.int64], peer: NDArray[np.int32], weight: Floats, seen: NDArray[np.bool_]) -> csr_array:
    """Return the weights of a world's peers (compressed rows) among the schools ``seen``, each row scaled to sum to 1, or empty.

    ``weight`` is empty where all ties of a school weigh the same, as in ``model.world.arrays.World``.
    """
    schools = len(start) - 1
    tie = weight if weight.size else np.ones(peer.size)
    matrix = csr_array((tie * seen[peer], peer, start), shape=(schools, schools))
    rows = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.divide(1.0, rows, out=np.zeros_like(rows), where=rows > 0.0)
    return csr_array((matrix.data * np.repeat(scale, np.diff(start)), peer, start), shape=(schools, schools))


@dataclass(frozen=True)
class FeatureSet:
    """Features of shares of adopting teachers observed at W waves in n schools.

    ``weight``: respondents behind each share, 0 where a school was not observed, (W, n). ``follows``: the wave after each wave, of the same
    practice, or -1. ``groups``: boolean masks of the schools whose levels are told apart, by name. ``covariates``: what is known of each
    school before, standardised, by name, (n,). ``exposure``: for each wave, weights of the peers observed then (``exposure_matrix``); empty
    where there are no peers. ``mentor``: each school's mentor, or -1; empty where no mentors are known. ``waves``: what waves are called.
    """

    weight: Floats
    follows: tuple[int, ...]
    groups: dict[str, NDArray[np.bool_]]
    covariates: dict[str, Floats]
    exposure: tuple[csr_array, ...]
    mentor: NDArray[np.int32]
    waves: tuple[str, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in the order of ``of``."""
        return tuple(name for name, _ in self._terms)

    def of(self, shares: Floats) -> Floats:
        """Return the features of shares (B, W, n), shape (B, features). What was not observed may hold anything."""
        shares = np.where(self.weight > 0.0, shares, 0.0)
        residuals = self._residuals(shares)
        peers = [self._exposed(shares[:, w], w) for w in range(len(self.waves))] if self.exposure else []
        parts = {"shares": shares, "residuals": residuals, "peers": np.stack(peers, axis=1) if peers else shares[:, :0]}
        return np.stack([term(parts) for _, term in self._terms], axis=1)

    def _exposed(self, shares: Floats, wave: int) -> Floats:
        return np.ascontiguousarray((self.exposure[wave] @ np.ascontiguousarray(shares.T)).T)

    def _residuals(self, shares: Floats) -> Floats:
        """Return shares less the mean of their group and wave."""
        residuals = shares.copy()
        for member in self._disjoint:
            weight = self.weight * member
            total = weight.sum(axis=-1)
            mean = (shares * weight).sum(axis=-1) / np.where(total > 0.0, total, 1.0)
            residuals -= mean[..., None] * member
        return np.where(self.weight > 0.0, residuals, 0.0)

    @cached_property
    def _disjoint(self) -> list[NDArray[np.bool_]]:
        left = np.ones(self.weight.shape[1], bool)
        parts = []
        for member in self.groups.values():
            parts.append(member & left)
            left &= ~member
        return [*parts, left] if left.any() else parts

    @cached_property
    def _terms(self) -> list[Term]:
        terms: list[Term] = []
        for w, wave in enumerate(self.waves):
            terms += self._levels(w, wave) + self._memory(w, wave)
            later = self.follows[w]
            if later >= 0:
                terms += self._gains(w, later, f"{wave} to {self.waves[later]}")
        return terms

    def _levels(self, w: int, wave: str) -> list[Term]:
        """Return the level of each group (on the arcsine scale, on which it varies alike), and what it has to do with covariates."""
        terms: list[Term] = []
        for name, member in self.groups.items():
            for label, weight in (("", self.weight[w] * member), (" of schools", (self.weight[w] > 0) * 1.0 * member)):
                if (weight > 0).sum() >= FEWEST:
                    terms.append((f"level{label}, {name}, {wave}", partial(_level, w=w, weight=weight)))
        for name, covariate in self.covariates.items():
            terms.append((f"share with {name}, {wave}", partial(_with_covariate, w=w, weight=self.weight[w], covariate=covariate)))
        return terms

    def _memory(self, w: int, wave: str) -> list[Term]:
        """Return the spread between schools, the likeness of peers, and the likeness of a school with itself in every later wave."""
        terms: list[Term] = [(f"spread, {wave}", partial(_spread, w=w, weight=self.weight[w]))]
        if self.exposure:
            terms.append((f"share with peers, {wave}", partial(_with_peers, w=w, weight=self.weight[w])))
        later = self.follows[w]
        while later >= 0:
            both = np.sqrt(self.weight[w] * self.weight[later])
            if (both > 0).sum() >= FEWEST:
                terms.append((f"memory, {wave} to {self.waves[later]}", partial(_alike, w=w, later=later, weight=both)))
            later = self.follows[later] if len(self.waves) <= 4 else -1
        return terms

    def _gains(self, w: int, later: int, label: str) -> list[Term]:
        """Return what the gain to the next wave goes with: the square of the own share, peers, the mentor's share."""
        both = np.sqrt(self.weight[w] * self.weight[later])
        if (both > 0).sum() < FEWEST:
            return []
        terms: list[Term] = [(f"gain with own share squared, {label}", partial(_gain_squared, w=w, later=later, weight=both))]
        if self.exposure:
            terms.append((f"gain with peers, {label}", partial(_gain_peers, w=w, later=later, weight=both)))
        if len(self.mentor):
            mentored = np.where(self.mentor >= 0, both * (self.weight[w][self.mentor] > 0), 0.0)
            if (mentored > 0).sum() >= FEWEST:
                gain = partial(_gain_mentor, w=w, later=later, weight=mentored, mentor=self.mentor)
                terms.append((f"gain with the mentor's share, {label}", gain))
        return terms


def _weighted(values: Floats, weight: Floats) -> Floats:
    """Return the weighted mean over schools, (B,); the order of the sum does not depend on B."""
    return np.asarray((values * weight).sum(axis=-1) / max(weight.sum(), 1e-12))


def _centred(values: Floats, weight: Floats) -> Floats:
    return values - _weighted(values, weight)[:, None]


def _gain(parts: Parts, w: int, later: int) -> Floats:
    return parts["shares"][:, later] - parts["shares"][:, w]


def _level(parts: Parts, w: int, weight: Floats) -> Floats:
    return np.asarray(np.arcsin(np.sqrt(np.clip(_weighted(parts["shares"][:, w], weight), 0.0, 1.0))))


def _with_covariate(parts: Parts, w: int, weight: Floats, covariate: Floats) -> Floats:
    return _weighted(parts["residuals"][:, w] * covariate, weight)


def _spread(parts: Parts, w: int, weight: Floats) -> Floats:
    return np.sqrt(_weighted(parts["residuals"][:, w] ** 2, weight))


def _with_peers(parts: Parts, w: int, weight: Floats) -> Floats:
    return _weighted(parts["residuals"][:, w] * _centred(parts["peers"][:, w], weight), weight)


def _alike(parts: Parts, w: int, later: int, weight: Floats) -> Floats:
    return _weighted(parts["residuals"][:, w] * parts["residuals"][:, later], weight)


def _gain_squared(parts: Parts, w: int, later: int, weight: Floats) -> Floats:
    return _weighted(_gain(parts, w, later) * parts["shares"][:, w] ** 2, weight)


def _gain_peers(parts: Parts, w: int, later: int, weight: Floats) -> Floats:
    return _weighted(_gain(parts, w, later) * _centred(parts["peers"][:, w], weight), weight)


def _gain_mentor(parts: Parts, w: int, later: int, weight: Floats, mentor: NDArray[np.int32]) -> Floats:
    return _weighted(_gain(parts, w, later) * _centred(parts["shares"][:, w][:, mentor], weight), weight)
