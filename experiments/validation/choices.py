"""Sensitivity of the recommendation to structural choices: the same designs and parameter sets under each way to build the model.

The default against each alternative for one choice at a time, as what is asked is whether the answer survives the choice.
"""

from collections.abc import Mapping

import networkx as nx
import numpy as np
import pandas as pd

from school_mentoring.experiments.compare import DRAW_REPLICATES, drawn_sets, with_comparator
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.world.arrays import World
from school_mentoring.model.world.structure import STRUCTURE, Structure
from school_mentoring.scenarios import Scenario

from .structures import alternatives

DEFAULT = "default"
KEPT = ("design", "parameter_set", "replicate", "effect_adopter_years", "cost_total", "cost_programme", "cost_schools")


class Variant:
    """One way to build the model: what was changed, to what, and the scenario's world and parameters that follow."""

    def __init__(self, choice: str, value: str, structure: Structure, parameters: Mapping[str, float]) -> None:
        self.choice, self.value, self.structure, self.parameters = choice, value, structure, parameters

    @property
    def name(self) -> str:
        """What it is called in tables and figures."""
        return DEFAULT if self.choice == DEFAULT else f"{self.choice} {self.value}"


def variants(scenario: Scenario) -> list[Variant]:
    """Return the scenario's own structure, each that differs in one choice, and gamma fixed at the ends and the base of its range."""
    own = scenario.world.structure
    found = [Variant(DEFAULT, "", own, {})]
    found += [Variant(*alternative, {}) for alternative in alternatives(own)]
    given = scenario.parameters["gamma"]
    found += [Variant("gamma", f"{value:g}", own, {"gamma": value}) for value in dict.fromkeys((given.low, given.base, given.high))]
    return found


def runs_under_choices(scenario: Scenario, stage: Stage = lambda *_: None, threads: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the runs of every design under every drawn parameter set and each variant, and the sets.

    The runs carry ``choice``, ``value`` and ``variant`` beside the columns ``KEPT``. Random numbers and parameter sets are the same in all.
    """
    scenario = with_comparator(scenario)
    sets = drawn_sets(scenario)
    if not len(sets):  # nothing is uncertain: the base parameters are the one set
        sets = pd.DataFrame(index=[0])
    chosen = variants(scenario)
    total = len(chosen) * len(sets) * len(scenario.designs) * DRAW_REPLICATES
    parts = []
    for position, variant in enumerate(chosen):
        world = scenario.world.model_copy(update=variant.structure._asdict())
        built = scenario.model_copy(update={"world": world})
        table = sets.assign(**variant.parameters)

        def tell(done: int, _: int, before: int = position * total // len(chosen)) -> None:
            stage("structural choices", before + done, total)

        runs = run_ensemble(
            built, table.to_dict("records"), DRAW_REPLICATES, worlds=Worlds(built), first_set=1, threads=threads, progress=tell
        ).runs
        parts.append(runs[list(KEPT)].assign(choice=variant.choice, value=variant.value, variant=variant.name))
    return pd.concat(parts, ignore_index=True), sets.assign(parameter_set=range(1, len(sets) + 1))


def describe_networks(scenario: Scenario, worlds: int = 10) -> pd.DataFrame:
    """Return what the networks of each generator are like, means over worlds at the base parameters.

    Columns: network, ties, degree (mean), degree_sd, clustering (mean local coefficient), km (mean length of a tie), unlike (mean
    unlikeness by traits), no_peers (share of schools without).
    """
    base = scenario.base_parameters()
    rows = []
    for network in STRUCTURE["network"]:
        built = scenario.model_copy(update={"world": scenario.world.model_copy(update={"network": network})})
        homes = Worlds(built)
        found = pd.DataFrame([_description(homes.get(base, index)[0]) for index in range(worlds)])
        rows.append({"network": network, **found.mean().to_dict()})
    return pd.DataFrame(rows)


def _description(world: World) -> dict[str, float]:
    row = np.repeat(np.arange(world.teachers.size), np.diff(world.peer_start))
    graph = nx.empty_graph(world.teachers.size)
    graph.add_edges_from(zip(row.tolist(), world.peer.tolist(), strict=True))
    degree = np.diff(world.peer_start)
    return {
        "ties": len(world.peer) / 2,
        "degree": float(degree.mean()),
        "degree_sd": float(degree.std()),
        "clustering": float(nx.average_clustering(graph)),
        "km": float(np.hypot(world.x[row] - world.x[world.peer], world.y[row] - world.y[world.peer]).mean()),
        "unlike": float(np.bitwise_count(world.traits[row] ^ world.traits[world.peer]).mean()),
        "no_peers": float((degree == 0).mean()),
    }
