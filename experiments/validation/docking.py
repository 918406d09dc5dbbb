"""Docking: the Mesa model and the compiled engine, run side by side under every structural choice, must give the same bits.

After Axtell, Axelrod, Epstein & Cohen 1996, "Aligning simulation models: a case study and results". Here both are ours and share the rules
and the draws; what is compared is the order of events, the bookkeeping and the arithmetic, which they do not share.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.progress import Stage
from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Batch, Task, run_batch
from school_mentoring.model.mesa_model import run_batch_with_mesa
from school_mentoring.model.parameters import PARAMETERS, base_values, parameter_table
from school_mentoring.model.world.network import generate_world
from school_mentoring.model.world.structure import Structure
from school_mentoring.scenarios import load_scenario

from .by_hand import build_practices
from .robustness import alternatives

SCHOOLS_PER_REGION = 5
MONTHS, FIRST, LAST = 72, 6, 34


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
    outcomes, monthly counts by group, ties, costs by month, country, category and payer, and every school's adopters, role and mentor in
    each month.
    """
    scenario = load_scenario("mensi-pilot")
    places = scenario.country_list(), scenario.regions(), SCHOOLS_PER_REGION
    names, months = (["regional_hub", "bottom_up"], 24) if quick else (list(PRESETS), MONTHS)
    rng = np.random.default_rng(3)
    rows = []
    chosen = [Structure(), *(other.structure for other in alternatives(Structure()))]
    for position, structure in enumerate(chosen):
        stage("two engines", position, len(chosen))
        world, _ = generate_world(*places, base_values(), 7, position, structure=structure)
        designs = design_table([PRESETS[name] for name in names], FIRST, LAST)
        sets = parameter_table([_random_set(rng) for _ in names])
        batch = Batch(np.arange(len(names)), np.arange(len(names)), np.full(len(names), position))
        task = Task(world, build_practices(), sets, designs, batch, 11, months, LAST)
        ours, theirs = (engine(task, monthly=True, per_school=True) for engine in (run_batch, run_batch_with_mesa))
        pairs = [(getattr(ours, part), getattr(theirs, part)) for part in ours._fields]
        compared, differing = sum(one.size for one, _ in pairs), sum(_differing(one, other) for one, other in pairs)
        row = {**structure._asdict(), "runs": len(names), "compared": compared, "differing": differing}
        apart = _differing(ours.outcomes, theirs.outcomes)
        rows.append({**row, "outcomes_compared": ours.outcomes.size, "outcomes_differing": apart})
    return pd.DataFrame(rows)
