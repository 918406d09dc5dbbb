"""The Bass contagion with abandonment in NDlib, a library of spreading processes by others: an independent peer of the exact limit.

Needs ``pip install -e '.[peer]'``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ndlib.models import ModelConfig
from ndlib.models.compartments.Compartment import Compartiment
from ndlib.models.compartments.NodeStochastic import NodeStochastic
from ndlib.models.CompositeModel import CompositeModel
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import World

from .runs import network_of

SUSCEPTIBLE, INFECTED = "Susceptible", "Infected"  # names that NDlib demands


class ShareAdoption(Compartiment):
    """The exact rule as a compartment of one's own, NDlib's extension point: a node adopts with 1 - (1 - p)(1 - q E)."""

    def __init__(self, p: float, q: float) -> None:
        super().__init__({})
        self.p, self.q = p, q

    def execute(self, node: int, graph: Any, status: Any, status_map: Any, *args: Any, **kwargs: Any) -> bool:
        """Tell whether a node adopts."""
        neighbours = list(graph.neighbors(node))
        adopting = sum(status[v] == status_map[INFECTED] for v in neighbours)
        exposure = adopting / len(neighbours) if neighbours else 0.0
        return bool(np.random.random_sample() < 1.0 - (1.0 - self.p) * (1.0 - self.q * exposure))


def adopters_by_month(
    world: World, runs: int, months: int, rates: tuple[float, float, float], *, rules: Sequence[Compartiment] = (), seed: int = 1
) -> NDArray[np.float64]:
    """Return the adopting schools of each run and month, (runs, months), with p, q_out and d in ``rates``; equal weights only.

    ``rules``: those by which schools adopt, in place of the exact chance.
    """
    p, q, d = rates
    graph, found = network_of(world), np.empty((runs, months))
    for run in range(runs):
        model = CompositeModel(graph)
        model.add_status(SUSCEPTIBLE)
        model.add_status(INFECTED)
        for rule in rules or [ShareAdoption(p, q)]:
            model.add_rule(SUSCEPTIBLE, INFECTED, rule)
        model.add_rule(INFECTED, SUSCEPTIBLE, NodeStochastic(d))
        config = ModelConfig.Configuration()
        config.add_model_initial_configuration(INFECTED, np.flatnonzero(world.adopters_at_start[0]).tolist())
        model.set_initial_status(config)
        np.random.seed(seed + run)  # NDlib draws from numpy's global generator, which its models seed anew when they are made
        for month in range(months):  # the first iteration only reports the start
            found[run, month] = model.iteration(node_status=False)["node_count"][1]
    return found
