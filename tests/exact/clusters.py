"""The exact distribution of a cluster: a mentor and its mentees, their teams, ties that end, and contacts that last and fade.

An oracle of its own: it takes no rule from the model. What the schools share (ties, hours, contacts) does not depend on who adopts, so the
chain goes through the states of that network, each with the distribution of adopters: of the mentor k, of each mentee those in its team and
those outside.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Cluster(NamedTuple):
    """Teachers and adopters at the start of the mentor and its mentees; the design's team, hours and meetings; parameters."""

    teachers: tuple[int, ...]
    start: tuple[int, ...]
    team: int
    release: float
    meeting: float
    par: dict[str, float]
    contacts: str = "add"


Tied = tuple[float, float] | None
"""Hours that a mentee has shared with its mentor, and those in which it met the others, or no tie."""

Contact = tuple[int, int, float, float]
"""Two schools, and what their contact weighs for each."""


class Network(NamedTuple):
    ties: tuple[Tied, ...]
    lasting: frozenset[Contact]


class Chain:
    """The distribution over networks and adopters, month by month; ``parts`` are the axes of the adopters."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.mentees = cluster, range(1, len(cluster.teachers))
        self.teams = [min(cluster.team, n) for n in cluster.teachers]
        # The mentor's staff is one part, a mentee's its team and the rest.
        self.sizes = [(0, cluster.teachers[0]), *((self.teams[i], cluster.teachers[i] - self.teams[i]) for i in self.mentees)]
        self.flat = [size for pair in self.sizes for size in pair]
        self.states = list(itertools.product(*(range(size + 1) for size in self.flat)))
        self.place = {state: number for number, state in enumerate(self.states)}
        fresh = Network(tuple((0.0, 0.0) for _ in self.mentees), frozenset())
        self.distribution = {fresh: self._formed()}
        self.month = 0

    def _formed(self) -> np.ndarray:
        """Return the distribution of adopters when the teams have formed: floor(T k / n + u) of them are in a team."""
        choices = [[((0, self.cluster.start[0]), 1.0)]]
        for i in self.mentees:
            k = self.cluster.start[i]
            expected = self.teams[i] * k / self.cluster.teachers[i]
            low = math.floor(expected + 1e-12)
            more = expected - low if expected > low + 1e-12 else 0.0
            choices.append([((low + up, k - low - up), chance) for up, chance in ((0, 1.0 - more), (1, more)) if chance > 0.0])
        first = np.zeros(len(self.states))
        for chosen in itertools.product(*choices):
            first[self.place[tuple(count for (parts, _) in chosen for count in parts)]] += math.prod(chance for _, chance in chosen)
        return first

    # --- ties and contacts ---

    def open_month(self) -> None:
        """Let contacts fade, ties end and the others share another month of hours."""
        moved: dict[Network, np.ndarray] = defaultdict(lambda: np.zeros(len(self.states)))
        for network, probability in self.distribution.items():
            for faded, chance in self._fade(network):
                for ended, also in self._end(faded):
                    moved[self._share(ended)] += chance * also * probability
        self.distribution = dict(moved)

    def _fade(self, network: Network) -> Iterator[tuple[Network, float]]:
        contacts, fade = sorted(network.lasting), self.cluster.par["contact_fade"]
        for stay in itertools.product((True, False), repeat=len(contacts)):
            kept = frozenset(contact for contact, stays in zip(contacts, stay, strict=True) if stays)
            yield network._replace(lasting=kept), math.prod(1.0 - fade if stays else fade for stays in stay)

    def _end(self, network: Network) -> Iterator[tuple[Network, float]]:
        par = self.cluster.par
        tied = [i for i in self.mentees if network.ties[i - 1] is not None]
        chance = par["attrition"] * (1.0 + par["virtual_attrition"]) * math.exp(-par["attrition_coordination"] * par["self_organisation"])
        for ends in itertools.product((False, True), repeat=len(tied)):
            weight = math.prod(chance if end else 1.0 - chance for end in ends)
            made: list[Contact] = []
            present = list(tied)
            for i in (i for i, end in zip(tied, ends, strict=True) if end):
                shared, met = network.ties[i - 1]
                made += [self._contact(0, i, shared)] if shared > 0.0 else []
                for j in (j for j in present if j != i):
                    hours = min(met, network.ties[j - 1][1])
                    made += [self._contact(*sorted((i, j)), hours)] if hours > 0.0 else []
                present.remove(i)
            ties = tuple(None if i not in present else tie for i, tie in zip(self.mentees, network.ties, strict=True))
            for lasts in itertools.product((True, False), repeat=len(made)):
                kept = {contact for contact, last in zip(made, lasts, strict=True) if last}
                also = math.prod(par["contact_lasts"] if last else 1.0 - par["contact_lasts"] for last in lasts)
                yield Network(ties, network.lasting | kept), weight * also

    def _weight(self, school: int, hours: float) -> float:
        return min(1.0, hours * self.teams[school] / (self.cluster.teachers[school] * self.cluster.par["contact_hours"]))

    def _contact(self, i: int, j: int, hours: float) -> Contact:
        return i, j, self._weight(i, hours), self._weight(j, hours)

    def _hours(self, network: Network) -> float:
        count = sum(tie is not None for tie in network.ties)
        return (self.cluster.par["voluntary_hours"] + self.cluster.release) / max(count, 1)

    def _share(self, network: Network) -> Network:
        count, hours = sum(tie is not None for tie in network.ties), self._hours(network)
        met = self.cluster.meeting / max(count, 1)
        ties = tuple(None if tie is None else (round(tie[0] + hours + met, 9), round(tie[1] + met, 9)) for tie in network.ties)
        return network._replace(ties=ties)

    # --- teachers ---

    def close_month(self) -> None:
        """Let teachers adopt and give up."""
        self.distribution = {network: probability @ self._kernel(network) for network, probability in self.distribution.items()}
        self.month += 1

    def _seen(self, network: Network) -> list[list[tuple[int, float]]]:
        """Return, for each school, the schools that it is in contact with and what each weighs."""
        contacts = list(network.lasting)
        tied = [i for i in self.mentees if network.ties[i - 1] is not None]
        contacts += [self._contact(0, i, network.ties[i - 1][0]) for i in tied]
        contacts += [self._contact(i, j, min(network.ties[i - 1][1], network.ties[j - 1][1])) for i, j in itertools.combinations(tied, 2)]
        seen: list[list[tuple[int, float]]] = [[] for _ in self.cluster.teachers]
        for i, j, of_i, of_j in contacts:
            seen[i].append((j, of_i))
            seen[j].append((i, of_j))
        return seen if self.cluster.contacts != "none" else [[] for _ in self.cluster.teachers]

    def _kernel(self, network: Network) -> np.ndarray:
        par, count = self.cluster.par, len(self.cluster.teachers)
        seen, hours = self._seen(network), self._hours(network)
        kernel = np.empty((len(self.states),) * 2)
        fit = par["fit_floor"] + (1.0 - par["fit_floor"]) * par["self_organisation"]
        for number, state in enumerate(self.states):
            share = [(state[2 * i] + state[2 * i + 1]) / self.cluster.teachers[i] for i in range(count)]
            ways = np.ones(1)
            for i in range(count):
                met, weights = sum(c * share[j] for j, c in seen[i]), sum(c for _, c in seen[i])
                exposure = min(1.0, met / (1.0 + weights) if self.cluster.contacts == "share" else met)
                x = 0.0
                if i > 0 and network.ties[i - 1] is not None:
                    worth = min(1.0, share[0] / par["expertise_full"])
                    x = hours * par["virtual_fidelity"] * self.teams[i] ** -par["dilution"] * fit * worth
                for part, dose in zip((0, 1), (x, 0.0), strict=True):
                    k, size = state[2 * i + part], self.sizes[i][part]
                    ways = np.outer(ways, self._moves(k, size, share[i], exposure, dose)).ravel()
            kernel[number] = ways
        return kernel

    def _moves(self, k: int, size: int, share: float, exposure: float, dose: float) -> np.ndarray:
        """Return the chances of 0..size adopters next month of a part of the staff with k."""
        par = self.cluster.par
        raised, keeping = (dose / par["dose_half"]) ** par["dose_power"], (dose / par["shield_half"]) ** par["dose_power"]
        effect, kept = raised / (1.0 + raised), keeping / (1.0 + keeping)
        none = (1.0 - par["p"]) * (1.0 - par["q_in"] * share ** par["gamma"]) * (1.0 - par["q_out"] * exposure ** par["gamma"])
        gain = 1.0 - none * (1.0 - par["beta"] * effect)
        loss = 1.0 - (1.0 - par["d"] * (1.0 - par["protection"] * share) * (1.0 - par["shield"] * kept)) * (1.0 - par["turnover"])
        # Stayers and newcomers are independent binomials.
        return np.convolve(_binomial(k, 1.0 - loss), _binomial(size - k, gain))

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all states of the adopters (parts in order) and the probability of each."""
        return np.array(self.states), sum(self.distribution.values())


def _binomial(trials: int, chance: float) -> list[float]:
    return [math.comb(trials, k) * chance**k * (1.0 - chance) ** (trials - k) for k in range(trials + 1)]


def exact(cluster: Cluster, months: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return ``Chain.counts`` of each month before teachers decide."""
    chain, found = Chain(cluster), []
    for _ in range(months):
        chain.open_month()
        found.append(chain.counts())
        chain.close_month()
    return found
