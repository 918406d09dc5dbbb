"""Convergence in replicates: how the mean effect of each design settles, and how many replicates the order of designs needs.

Each replicate lives in a world of its own, so that more of them average over worlds too.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.compare import with_comparator
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.scenarios import COMPARATOR, Scenario

from .checks import MARGIN
from .curves import curve

SIZES = (5, 10, 20, 40, 80, 160)


class Converged:
    """Added adopter-years of every design in each replicate, (replicates, designs)."""

    def __init__(self, designs: list[str], added: NDArray[np.float64]) -> None:
        self.designs, self.added = designs, added

    @property
    def replicates(self) -> int:
        """How many replicates there are."""
        return len(self.added)

    def table(self) -> pd.DataFrame:
        """Return, for batches of each size, how far their means lie from that of all replicates.

        Columns: design, replicates (of a batch), batches, mean, spread (standard deviation of the batches' means), expected (the standard
        deviation of one replicate over the root of the batch's size), relative (two spreads over the mean).
        """
        rows = []
        for k, design in enumerate(self.designs):
            sd = float(self.added[:, k].std(ddof=1))
            mean = float(self.added[:, k].mean())
            for size in self._sizes():
                means = self._batches(size)[:, k]
                spread = float(means.std(ddof=1))
                expected = sd / np.sqrt(size)
                rows.append((design, size, len(means), mean, spread, expected, 2.0 * spread / mean if mean else np.nan))
        return pd.DataFrame(rows, columns=["design", "replicates", "batches", "mean", "spread", "expected", "relative"])

    def order(self) -> pd.DataFrame:
        """Return how often batches of each size rank designs by effect as all replicates do.

        Columns: replicates, batches, first (share of batches with the same best design), whole (with the same order of all designs),
        ``told`` (pairs of neighbours in that order that all replicates tell apart by ``MARGIN`` standard errors), pairs.
        """
        ranking = np.argsort(-self.added.mean(axis=0))
        told = 0
        for better, worse in pairwise(ranking.tolist()):
            apart = self.added[:, better] - self.added[:, worse]
            told += bool(apart.mean() > MARGIN * apart.std(ddof=1) / np.sqrt(len(apart)))
        rows = []
        for size in self._sizes():
            found = np.argsort(-self._batches(size), axis=1)
            same = found == ranking
            rows.append((size, len(found), float(same[:, 0].mean()), float(same.all(axis=1).mean()), told, len(ranking) - 1))
        return pd.DataFrame(rows, columns=["replicates", "batches", "first", "whole", "told", "pairs"])

    def root_law(self) -> float:
        """Return the mean ratio of the spread of batches of 10 replicates to the one that independent replicates would have.

        Not a number where no design's effect varies.
        """
        table = self.table()
        tens = table[(table["replicates"] == 10) & (table["expected"] > 0.0)]
        return float((tens["spread"] / tens["expected"]).mean())

    def curves(self) -> pd.DataFrame:
        """Return the running means of the designs, and the relative spread of batches by their size."""
        counts = np.unique(np.geomspace(5, self.replicates, 40).astype(int))
        parts = []
        table = self.table()
        for k, design in enumerate(self.designs):
            values = self.added[:, k]
            running = [values[:count].mean() for count in counts]
            errors = [values[:count].std(ddof=1) / np.sqrt(count) for count in counts]
            parts.append(curve("Running mean", ("replicates", "added adopter-years"), design, counts, running, errors))
            mine = table[table["design"] == design]
            axes = ("replicates of a batch", "two spreads, % of the mean")
            parts.append(curve("Spread of batches", axes, design, mine["replicates"], 100.0 * mine["relative"]))
        return pd.concat(parts, ignore_index=True)

    def _sizes(self) -> list[int]:
        return [size for size in SIZES if self.replicates // size >= 5]

    def _batches(self, size: int) -> NDArray[np.float64]:
        count = self.replicates // size
        return self.added[: count * size].reshape(count, size, -1).mean(axis=1)


def convergence(scenario: Scenario, replicates: int, stage: Stage = lambda *_: None, threads: int | None = None) -> Converged:
    """Return the added adopter-years of each design of a scenario at its base parameters, in so many worlds and replicates."""
    whole = with_comparator(scenario).model_copy(update={"worlds": replicates})
    runs = run_ensemble(
        whole, [{}], replicates, worlds=Worlds(whole), threads=threads, progress=lambda done, total: stage("convergence", done, total)
    ).runs
    effect = runs.pivot_table(index="replicate", columns="design", values="effect_adopter_years", observed=False)
    designs = [name for name in whole.designs if name != COMPARATOR]
    return Converged(designs, effect[designs].to_numpy() - effect[[COMPARATOR]].to_numpy())
