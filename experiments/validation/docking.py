"""Docking: the compiled engine beside the Mesa model, with which it must agree to the bit, and beside NDlib, an independent peer.

After Axtell, Axelrod, Epstein & Cohen 1996, "Aligning simulation models: a case study and results". Both engines are ours and share the
rules and the draws; what is compared is the order of events, the bookkeeping and the arithmetic, which they do not share. NDlib runs the
same contagion on the same network with random numbers of its own.
"""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.progress import Stage
from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Batch, Task, run_batch
from school_mentoring.model.mesa_model import run_batch_with_mesa
from school_mentoring.model.parameters import COUNTRY, PARAMETERS, SALARY, TABLE, base_values, parameter_table
from school_mentoring.model.world.arrays import Floats
from school_mentoring.model.world.network import generate_world
from school_mentoring.model.world.structure import Structure
from school_mentoring.scenarios import load_scenario

from .checks import curve
from .exact_limits import LIMIT
from .robustness import alternatives
from .runs import build_practices, simulate

SCHOOLS_PER_REGION = 5
FACTOR = TABLE[f"{SALARY}{COUNTRY}"]
DOCKED_MONTHS, FIRST, LAST = 72, 6, 34


def _random_set(rng: np.random.Generator) -> dict[str, float]:
    """Return a parameter set, each value anywhere in its plausible range."""
    values = {name: float(rng.uniform(row.low, row.high)) for name, row in PARAMETERS.items()}
    return {name: float(round(value)) if PARAMETERS[name].distribution == "integer" else value for name, value in values.items()}


def _differing(one: NDArray[np.generic], other: NDArray[np.generic]) -> int:
    """Return how many numbers of two arrays differ in any bit; all not-a-numbers are alike."""
    if one.dtype == np.float64:
        one, other = (np.where(np.isnan(values), np.nan, values).view(np.uint64) for values in (one, other))
    return int(np.count_nonzero(one != other))


def docking_table(quick: bool, stage: Stage = lambda *_: None) -> pd.DataFrame:
    """Return, for each structural choice, how many numbers of both engines were compared and how many differ in any bit.

    All presets in a world of 120 schools over 72 months (``quick``: two presets, 24 months), each under a random parameter set of its own:
    outcomes, monthly counts by group and team, ties, contacts, costs by month, country, category and payer, and what every school is and
    has in each month.
    """
    scenario = load_scenario("mensi-pilot")
    places = scenario.country_list(), scenario.regions(), SCHOOLS_PER_REGION
    names, months = (["regional_hub", "bottom_up"], 24) if quick else (list(PRESETS), DOCKED_MONTHS)
    rng = np.random.default_rng(3)
    rows = []
    chosen = [Structure(), *(other.structure for other in alternatives(Structure()))]
    for position, structure in enumerate(chosen):
        stage("two engines", position, len(chosen))
        world, _ = generate_world(*places, base_values(), 7, position, structure=structure)
        designs = design_table([PRESETS[name] for name in names], FIRST, LAST)
        sets = parameter_table([_random_set(rng) for _ in names])
        batch = Batch(np.arange(len(names)), np.arange(len(names)), np.full(len(names), position))
        factors = rng.uniform(FACTOR.low, FACTOR.high, (len(names), world.salary.size))
        task = Task(world, build_practices(), sets, designs, batch, 11, months, LAST, factors)
        ours, theirs = (engine(task, monthly=True, per_school=True) for engine in (run_batch, run_batch_with_mesa))
        pairs = [(getattr(ours, part), getattr(theirs, part)) for part in ours._fields]
        compared, differing = sum(one.size for one, _ in pairs), sum(_differing(one, other) for one, other in pairs)
        row = {**structure._asdict(), "runs": len(names), "compared": compared, "differing": differing}
        apart = _differing(ours.outcomes, theirs.outcomes)
        rows.append({**row, "outcomes_compared": ours.outcomes.size, "outcomes_differing": apart})
    return pd.DataFrame(rows)


# --- an independent peer ---------------------------------------------------------------------------------------------

HOW_TO_INSTALL = "pip install -e '.[peer]'"
RATES = 0.01, 0.3, 0.03
"""p, q_out and d of the contagion."""
SI = 0.0, 0.15, 0.0
"""The same with neither innovation nor abandonment: the SI model on a network."""
MONTHS = 61
CHUNK = 20


def compare_with_ndlib(quick: bool, stage: Stage = lambda *_: None) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return the number of adopting schools by the engine and by NDlib, month by month, on the network of 120 schools of the pilot.

    Columns: model, month, runs_ndlib, ndlib, runs_engine, engine, error (of the difference of means), apart (in such errors), sd_ndlib,
    sd_engine. Also what is drawn of it; and why it is left out, where NDlib cannot be imported.
    """
    try:
        from .ndlib_peer import adopters_by_month
    except ImportError as missing:
        return pd.DataFrame(), pd.DataFrame(), f"NDlib cannot be imported here ({missing}); install it with: {HOW_TO_INSTALL}"
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
    return pd.DataFrame(rows), pd.concat(curves, ignore_index=True), ""


def _row(name: str, month: int, theirs: Floats, ours: Floats) -> dict[str, object]:
    error = math.sqrt(theirs.var(ddof=1) / theirs.size + ours.var(ddof=1) / ours.size)
    apart = (theirs.mean() - ours.mean()) / error if error else 0.0
    means = {"runs_ndlib": theirs.size, "ndlib": theirs.mean(), "runs_engine": ours.size, "engine": ours.mean()}
    spreads = {"sd_ndlib": theirs.std(ddof=1), "sd_engine": ours.std(ddof=1)}
    return {"model": name, "month": month, **means, "error": error, "apart": apart, **spreads}
