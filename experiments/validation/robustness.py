"""What is said of a scenario's designs under more replicates, and under other ways to build the model.

Convergence: how the mean effect of each design settles, and how many replicates the order of designs needs. Each replicate lives in a world
of its own, so that more of them average over worlds too. Structural choices: the same designs and parameter sets under the default and each
alternative for one choice at a time, as what is asked is whether the answer survives the choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.compare import DRAW_REPLICATES, drawn_sets, with_comparator
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.world.arrays import World
from school_mentoring.model.world.structure import STRUCTURE, WORLD_WORDS, Structure
from school_mentoring.scenarios import COMPARATOR, Scenario

from .checks import MARGIN, curve
from .runs import network_of

SIZES = (5, 10, 20, 40, 80, 160)
DEFAULT = "default"
KEPT = ("design", "parameter_set", "replicate", "effect_adopter_years", "cost_society", "cost_programme", "cost_schools")


# --- convergence -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Converged:
    """Added adopter-years of every design in each replicate, (replicates, designs)."""

    designs: list[str]
    added: NDArray[np.float64]

    def _batches(self) -> dict[int, NDArray[np.float64]]:
        """Return the means of batches of each size of which there are five, (batches, designs)."""
        counts = {size: len(self.added) // size for size in SIZES if len(self.added) // size >= 5}
        return {size: self.added[: count * size].reshape(count, size, -1).mean(axis=1) for size, count in counts.items()}

    def table(self) -> pd.DataFrame:
        """Return, for batches of each size, how far their means lie from that of all replicates.

        Columns: design, replicates (of a batch), batches, mean, spread (standard deviation of the batches' means), expected (the standard
        deviation of one replicate over the root of the batch's size), relative (two spreads over the mean).
        """
        rows = []
        for k, design in enumerate(self.designs):
            sd, mean = float(self.added[:, k].std(ddof=1)), float(self.added[:, k].mean())
            for size, means in self._batches().items():
                spread = float(means[:, k].std(ddof=1))
                rows.append((design, size, len(means), mean, spread, sd / np.sqrt(size), 2.0 * spread / mean if mean else np.nan))
        return pd.DataFrame(rows, columns=["design", "replicates", "batches", "mean", "spread", "expected", "relative"])

    def order(self) -> pd.DataFrame:
        """Return how often batches of each size rank designs by effect as all replicates do.

        Columns: replicates, batches, first (share of batches with the same best design), whole (with the same order of all designs),
        ``told`` (pairs of neighbours in that order that all replicates tell apart by ``MARGIN`` standard errors), pairs.
        """
        ranking = np.argsort(-self.added.mean(axis=0))
        apart = [self.added[:, better] - self.added[:, worse] for better, worse in pairwise(ranking.tolist())]
        told = sum(bool(one.mean() > MARGIN * one.std(ddof=1) / np.sqrt(len(one))) for one in apart)
        rows = []
        for size, means in self._batches().items():
            same = np.argsort(-means, axis=1) == ranking
            rows.append((size, len(means), float(same[:, 0].mean()), float(same.all(axis=1).mean()), told, len(apart)))
        return pd.DataFrame(rows, columns=["replicates", "batches", "first", "whole", "told", "pairs"])

    def root_law(self) -> float:
        """Return the mean ratio of the spread of batches of 10 replicates to the one that independent replicates would have.

        Not a number where no design's effect varies.
        """
        tens = self.table().query("replicates == 10 and expected > 0.0")
        return float((tens["spread"] / tens["expected"]).mean())

    def curves(self) -> pd.DataFrame:
        """Return the running means of the designs, and the relative spread of batches by their size."""
        counts = np.unique(np.geomspace(5, len(self.added), 40).astype(int))
        parts, table = [], self.table()
        for k, design in enumerate(self.designs):
            running = [self.added[:count, k] for count in counts]
            errors = [values.std(ddof=1) / np.sqrt(len(values)) for values in running]
            axes = ("replicates", "added adopter-years")
            parts.append(curve("Running mean", axes, design, counts, [values.mean() for values in running], errors))
            mine = table[table["design"] == design]
            axes = ("replicates of a batch", "two spreads, % of the mean")
            parts.append(curve("Spread of batches", axes, design, mine["replicates"], 100.0 * mine["relative"]))
        return pd.concat(parts, ignore_index=True)


def convergence(scenario: Scenario, replicates: int, stage: Stage = lambda *_: None, threads: int | None = None) -> Converged:
    """Return the added adopter-years of each design of a scenario at its base parameters, in so many worlds and replicates."""
    whole = with_comparator(scenario).model_copy(update={"worlds": replicates})
    runs = run_ensemble(whole, [{}], replicates, worlds=Worlds(whole), threads=threads, progress=partial(stage, "convergence")).runs
    effect = runs.pivot_table(index="replicate", columns="design", values="effect_adopter_years", observed=False)
    designs = [name for name in whole.designs if name != COMPARATOR]
    return Converged(designs, effect[designs].to_numpy() - effect[[COMPARATOR]].to_numpy())


# --- structural choices ----------------------------------------------------------------------------------------------


class Variant(NamedTuple):
    """One way to build the model: which choice was changed, to what, and the structure and parameters that follow."""

    choice: str
    value: str
    structure: Structure
    parameters: Mapping[str, float]


def alternatives(own: Structure) -> list[Variant]:
    """Return every structure that differs from a given one in one choice."""
    changes: list[tuple[str, Any]] = [(choice, word) for choice, words in STRUCTURE.items() for word in words]
    return [Variant(choice, word, own._replace(**{choice: word}), {}) for choice, word in changes if word != getattr(own, choice)]


def variants(scenario: Scenario) -> list[Variant]:
    """Return the scenario's own structure, each that differs in one choice, and gamma fixed at the ends and the base of its range."""
    own, given = scenario.world.structure, scenario.parameters["gamma"]
    gammas = dict.fromkeys((given.low, given.base, given.high))
    fixed = [Variant("gamma", f"{value:g}", own, {"gamma": value}) for value in gammas]
    return [Variant(DEFAULT, "", own, {}), *alternatives(own), *fixed]


def runs_under_choices(scenario: Scenario, stage: Stage = lambda *_: None, threads: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the runs of every design under every drawn parameter set and each variant, and the sets.

    The runs carry ``choice``, ``value`` and ``variant`` beside the columns ``KEPT``. Random numbers and parameter sets are the same in all.
    """
    scenario = with_comparator(scenario)
    sets = drawn_sets(scenario).drop(columns=list(WORLD_WORDS), errors="ignore")  # each variant has one structure
    if not len(sets):  # nothing is uncertain: the base parameters are the one set
        sets = pd.DataFrame(index=[0])
    chosen = variants(scenario)
    total = len(chosen) * len(sets) * len(scenario.designs) * DRAW_REPLICATES
    parts = []
    for position, variant in enumerate(chosen):
        built = scenario.model_copy(update={"world": scenario.world.model_copy(update=variant.structure._asdict())})
        table = sets.assign(**variant.parameters).to_dict("records")

        def tell(done: int, _: int, before: int = position * total // len(chosen)) -> None:
            stage("structural choices", before + done, total)

        runs = run_ensemble(built, table, DRAW_REPLICATES, worlds=Worlds(built), first_set=1, threads=threads, progress=tell).runs
        labels = {"choice": variant.choice, "value": variant.value, "variant": f"{variant.choice} {variant.value}".strip()}
        parts.append(runs[list(KEPT)].assign(**labels))
    return pd.concat(parts, ignore_index=True), sets.assign(parameter_set=range(1, len(sets) + 1))


def describe_networks(scenario: Scenario, worlds: int = 10) -> pd.DataFrame:
    """Return what the networks of each generator are like, means over worlds at the base parameters.

    Columns: network, ties, degree (mean), degree_sd, clustering (mean local coefficient), km (mean length of a tie), unlike (mean
    unlikeness by traits), no_peers (share of schools without).
    """
    base = scenario.base_parameters()
    rows = []
    for network in STRUCTURE["network"]:
        homes = Worlds(scenario.model_copy(update={"world": scenario.world.model_copy(update={"network": network})}))
        found = pd.DataFrame([_description(homes.get(base, index)[0]) for index in range(worlds)])
        rows.append({"network": network, **found.mean().to_dict()})
    return pd.DataFrame(rows)


def _description(world: World) -> dict[str, float]:
    degree = np.diff(world.peer_start)
    row = np.repeat(np.arange(world.teachers.size), degree)
    return {
        "ties": len(world.peer) / 2,
        "degree": float(degree.mean()),
        "degree_sd": float(degree.std()),
        "clustering": float(nx.average_clustering(network_of(world))),
        "km": float(np.hypot(world.x[row] - world.x[world.peer], world.y[row] - world.y[world.peer]).mean()),
        "unlike": float(np.bitwise_count(world.traits[row] ^ world.traits[world.peer]).mean()),
        "no_peers": float((degree == 0).mean()),
    }
