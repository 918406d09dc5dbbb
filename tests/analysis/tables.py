"""Small tables of runs whose answers are known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.observe import OUTCOMES


def table_of_runs(values: Mapping[str, Mapping[str, Sequence[float]]], sets: int = 1, designs: Sequence[str] | None = None) -> pd.DataFrame:
    """Return runs in the order design, parameter set, replicate from ``{design: {outcome: values}}``."""
    parts = []
    for design, outcomes in values.items():
        count = len(next(iter(outcomes.values())))
        index = np.arange(count)
        keys = {"parameter_set": index // (count // sets), "replicate": index % (count // sets)}
        parts.append(pd.DataFrame({"design": design, **keys, **outcomes}))
    runs = pd.concat(parts, ignore_index=True)
    runs["design"] = pd.Categorical(runs["design"], categories=list(designs or values))
    return runs


def random_runs(designs: Sequence[str], sets: int = 1, replicates: int = 20, seed: int = 1) -> pd.DataFrame:
    """Return runs with every outcome: of the sizes that a small study has, dearer and more effective design by design."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, 30, sets * replicates)
    values = {}
    for k, design in enumerate(designs):
        outcomes = {name: np.abs(100.0 * (k + 1) + shared + rng.normal(0, 10, sets * replicates)) for name in OUTCOMES}
        outcomes |= {name: rng.normal(0.05, 0.02, sets * replicates) for name in OUTCOMES if name.startswith("gap")}
        outcomes |= {
            f"cost_{name}": k * 1e5 * rng.uniform(0.9, 1.1, sets * replicates) for name in (*CATEGORIES, *PAYERS, "total", "society")
        }
        values[design] = outcomes
    return table_of_runs(values, sets)
