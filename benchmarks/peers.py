"""The exact limit in the idiom of other tools: plain Mesa, NDlib, NumPy with SciPy's sparse matrices.

Each function makes independent runs of the contagion of ``cases.limit`` with random numbers of its own and returns the adopting
schools at the end of every run. They are written as users of these tools write, with what makes them fast: ties listed once,
no collection of data beyond a count per month.
"""

import mesa
import numpy as np
import scipy.sparse as sp
from ndlib.models.compartments.EdgeStochastic import EdgeStochastic
from ndlib.models.compartments.NodeStochastic import NodeStochastic
from numpy.typing import NDArray

from school_mentoring.experiments.validation.ndlib_peer import INFECTED, adopters_by_month
from school_mentoring.experiments.validation.runs import network_of
from school_mentoring.model.world.arrays import World
from school_mentoring.model.world.network import Peers

from .cases import LIMIT

__all__ = ["with_mesa", "with_ndlib", "with_ndlib_custom", "with_numpy", "with_numpy_batched"]

P, Q, D = LIMIT["p"], LIMIT["q_out"], LIMIT["d"]


def _weights(world: World) -> NDArray[np.float64]:
    return Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()


# --- Mesa ------------------------------------------------------------------------------------------------------------


class School(mesa.Agent):
    """A school that has adopted or not."""

    def __init__(self, model: "Contagion", adopting: bool) -> None:
        super().__init__(model)
        self.adopting = adopting
        self.next = adopting
        self.peers: list[tuple[School, float]] = []

    def decide(self) -> None:
        """Draw next month's state."""
        if self.adopting:
            self.next = self.random.random() >= D
            return
        exposure = sum(weight for peer, weight in self.peers if peer.adopting)
        self.next = self.random.random() < 1.0 - (1.0 - P) * (1.0 - Q * exposure)

    def commit(self) -> None:
        """Let it happen."""
        self.adopting = self.next


class Contagion(mesa.Model):
    """The contagion on a world's network."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(seed=seed)
        schools = [School(self, bool(k)) for k in world.adopters_at_start[0]]
        start, peer, weight = world.peer_start.tolist(), world.peer.tolist(), _weights(world).tolist()
        for i, school in enumerate(schools):
            school.peers = [(schools[peer[a]], weight[a]) for a in range(start[i], start[i + 1])]
        self.adopters: list[int] = []

    def step(self) -> None:
        """Let one month pass."""
        self.agents.do("decide")
        self.agents.do("commit")
        self.adopters.append(sum(school.adopting for school in self.agents))


def with_mesa(world: World, runs: int, months: int) -> NDArray[np.float64]:
    """Run the contagion as a small Mesa model."""
    ends = []
    for seed in range(runs):
        model = Contagion(world, seed)
        for _ in range(months - 1):
            model.step()
        ends.append(model.adopters[-1])
    return np.array(ends, float)


# --- NDlib -----------------------------------------------------------------------------------------------------------


def with_ndlib(world: World, runs: int, months: int) -> NDArray[np.float64]:
    """Run NDlib's nearest built-in composite, in which each adopting peer persuades on its own with chance q / mean degree.

    NDlib keeps one chance per undirected edge, so a chance that depends on the own degree, as a share does, cannot be stated there, and its
    mean is not the limit's.
    """
    graph = network_of(world)
    mean_degree = 2 * graph.number_of_edges() / graph.number_of_nodes()
    rules = [NodeStochastic(P), EdgeStochastic(threshold=Q / mean_degree, triggering_status=INFECTED)]
    return adopters_by_month(world, runs, months, (P, Q, D), rules=rules)[:, -1]


def with_ndlib_custom(world: World, runs: int, months: int) -> NDArray[np.float64]:
    """Run NDlib with a compartment of one's own that has the exact chance; equal weights only."""
    return adopters_by_month(world, runs, months, (P, Q, D))[:, -1]


# --- NumPy and SciPy -------------------------------------------------------------------------------------------------


def _matrix(world: World) -> sp.csr_array:
    n = world.teachers.size
    return sp.csr_array((_weights(world), world.peer, world.peer_start), shape=(n, n))


def with_numpy(world: World, runs: int, months: int) -> NDArray[np.float64]:
    """Run the contagion with one sparse product and one vector of uniforms a month, run by run."""
    matrix, ends = _matrix(world), []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        x = world.adopters_at_start[0].astype(float)
        for _ in range(months - 1):
            adopt = 1.0 - (1.0 - P) * (1.0 - Q * (matrix @ x))
            u = rng.random(x.size)
            x = np.where(x > 0.0, u >= D, u < adopt).astype(float)
        ends.append(x.sum())
    return np.array(ends)


def with_numpy_batched(world: World, runs: int, months: int) -> NDArray[np.float64]:
    """Run all runs at once: the state is a dense matrix of schools x runs."""
    matrix, rng = _matrix(world), np.random.default_rng(1)
    x = np.repeat(world.adopters_at_start[0].astype(float)[:, None], runs, axis=1)
    for _ in range(months - 1):
        adopt = 1.0 - (1.0 - P) * (1.0 - Q * (matrix @ x))
        u = rng.random(x.shape)
        x = np.where(x > 0.0, u >= D, u < adopt).astype(float)
    return np.asarray(x.sum(axis=0))
