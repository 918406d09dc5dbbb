"""An independent peer: NDlib and the engine run the same contagion on the same network, each with random numbers of its own."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from school_mentoring.experiments.progress import Stage
from school_mentoring.model.parameters import base_values
from school_mentoring.model.world.arrays import Floats
from school_mentoring.model.world.network import generate_world
from school_mentoring.scenarios import load_scenario

from .by_hand import simulate
from .checks import curve
from .exact_limits import LIMIT

HOW_TO_INSTALL = "pip install -e '.[peer]'"
RATES = 0.01, 0.3, 0.03
"""p, q_out and d of the contagion."""
SI = 0.0, 0.15, 0.0
"""The same with neither innovation nor abandonment: the SI model on a network."""
MONTHS = 61
CHUNK = 20


@dataclass(frozen=True)
class Peer:
    """What a comparison with NDlib gave: a row per model and month, what is drawn of it; or why it is left out."""

    table: pd.DataFrame
    curves: pd.DataFrame
    left_out: str = ""


def compare_with_ndlib(quick: bool, stage: Stage = lambda *_: None) -> Peer:
    """Return the number of adopting schools by the engine and by NDlib, month by month, on the network of 120 schools of the pilot.

    Columns: model, month, runs_ndlib, ndlib, runs_engine, engine, error (of the difference of means), apart (in such errors), sd_ndlib,
    sd_engine. Left out where NDlib cannot be imported.
    """
    try:
        from .ndlib_peer import adopters_by_month
    except ImportError as missing:
        return Peer(pd.DataFrame(), pd.DataFrame(), f"NDlib cannot be imported here ({missing}); install it with: {HOW_TO_INSTALL}")
    scenario = load_scenario("mensi-pilot")
    drawn, _ = generate_world(scenario.country_list(), scenario.regions(), 5, base_values(), 1, 0)
    n = drawn.teachers.size
    started = (np.arange(n) % 20 == 0).astype(np.int32).reshape(1, n)
    equal = 1.0 / np.maximum(np.diff(drawn.peer_start), 1)
    world = drawn._replace(teachers=np.ones(n, np.int32), openness=np.ones(n), adopters_at_start=started, row_weight=equal)
    runs, engine_runs = (40, 1000) if quick else (400, 4000)
    rows, curves = [], []
    models = {"Bass contagion with abandonment": RATES, "SI contagion": SI}
    months, axes = np.arange(MONTHS), ("month", "% of schools that have adopted")
    for position, (name, rates) in enumerate(models.items()):
        parts = []
        for first in range(0, runs, CHUNK):
            stage("NDlib", position * runs + first, len(models) * runs)
            parts.append(adopters_by_month(world, min(CHUNK, runs - first), MONTHS, rates, seed=1 + first))
        theirs = np.concatenate(parts)
        ours = simulate(world, {**LIMIT, **dict(zip(("p", "q_out", "d"), rates, strict=True))}, engine_runs, MONTHS, 3).sum(axis=2)
        rows += [_row(name, month, theirs[:, month], ours[:, month].astype(float)) for month in (1, 6, 12, 24, 36, 48, 60)]
        curves.append(curve(name, axes, "engine", months, 100.0 / n * ours.mean(axis=0)))
        here = theirs[:, months[::6]]
        error = 100.0 / n * here.std(axis=0, ddof=1) / math.sqrt(runs)
        curves.append(curve(name, axes, "NDlib", months[::6], 100.0 / n * here.mean(axis=0), error, joined=False))
    return Peer(pd.DataFrame(rows), pd.concat(curves, ignore_index=True))


def _row(name: str, month: int, theirs: Floats, ours: Floats) -> dict[str, object]:
    error = math.sqrt(theirs.var(ddof=1) / theirs.size + ours.var(ddof=1) / ours.size)
    apart = (theirs.mean() - ours.mean()) / error if error else 0.0
    means = {"runs_ndlib": theirs.size, "ndlib": theirs.mean(), "runs_engine": ours.size, "engine": ours.mean()}
    spreads = {"sd_ndlib": theirs.std(ddof=1), "sd_engine": ours.std(ddof=1)}
    return {"model": name, "month": month, **means, "error": error, "apart": apart, **spreads}
