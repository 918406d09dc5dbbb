"""What fitted parameters lead to: curves to lay data over, and proper scores of observations that were not fitted to.

Scores: the logarithm of the predictive chance of what each school answered (Good 1952), and the continuous ranked probability score of its
share (Gneiting & Raftery 2007), both with the answers' own chance in the prediction.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.ensemble import BatchRunner, run_rows
from school_mentoring.experiments.sweep.chunks import parameter_rows
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Batch
from school_mentoring.model.world.arrays import Flags, Floats, Ints
from school_mentoring.scenarios import Scenario

from .survey import Survey

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
RUNS_AT_A_TIME = 64


class Predicted(NamedTuple):
    """Simulated schools under D parameter sets: adopters as a survey's record has them, (D, W, n), and curves by group of schools.

    ``teachers``: (D, n). ``monthly``: adopting share of each group's teachers, (D, groups, months, practices).
    """

    adopters: Ints
    teachers: Ints
    monthly: Floats


def predict(
    scenario: Scenario, sets: pd.DataFrame, country_sets: tuple[pd.DataFrame, ...], survey: Survey, groups: list[Flags], *,
    first_replicate: int, engine: BatchRunner, threads: int | None,
) -> Predicted:  # fmt: skip
    """Return one run under each parameter set; where there are sets of countries, each country's schools follow its own."""
    worlds, base, record, window = Worlds(scenario), scenario.base_parameters(), survey.record(), scenario.programme
    kept = [worlds.get(base, index)[0] for index in range(scenario.worlds)]
    practices = len(scenario.practices)
    replicates = first_replicate + np.arange(len(sets))
    teachers = np.stack([kept[replicate % len(kept)].teachers for replicate in replicates.tolist()])
    adopters = np.empty((len(sets), len(record.months), record.schools), np.int32)
    monthly = np.empty((len(sets), len(groups), scenario.months, practices))
    designs = design_table(list(scenario.designs.values()), window.first_month, window.last_month)
    how: dict[str, Any] = {"worlds": worlds, "per_school": True, "engine": engine, "threads": threads}
    for low in range(0, len(sets), RUNS_AT_A_TIME):
        here = slice(low, min(low + RUNS_AT_A_TIME, len(sets)))
        count = here.stop - here.start
        batch = Batch(np.zeros(count, np.int64), np.arange(count), replicates[here])
        tables = (parameter_rows(base, chosen.iloc[here]) for chosen in country_sets or (sets,))
        schools, *others = (run_rows(scenario, table, designs, batch, **how).schools for table in tables)
        for country, found in enumerate(others, start=1):
            mine = kept[0].country == country
            schools[..., mine] = found[..., mine]
        threshold = parameter_rows(base, sets.iloc[here])["mainstream_threshold"]
        adopters[here] = record.read(schools, threshold, teachers[here])
        for g, member in enumerate(groups):
            monthly[here, g] = schools[:, :, :practices][..., member].sum(axis=-1) / teachers[here][:, member].sum(axis=1)[:, None, None]
    return Predicted(adopters, teachers, monthly)


def curves(predicted: Predicted, names: list[str], practices: list[str], source: str) -> pd.DataFrame:
    """Return quantiles of the adopting share by group, practice and month."""
    low, quarter, middle, more, high = np.quantile(predicted.monthly, LEVELS, axis=0)
    groups, months, count = middle.shape
    g, m, p = (axis.ravel() for axis in np.meshgrid(np.arange(groups), np.arange(months), np.arange(count), indexing="ij"))
    return pd.DataFrame(
        {
            "source": source, "group": np.array(names, dtype=object)[g], "practice": np.array(practices, dtype=object)[p], "month": m,
            "low": low.ravel(), "quarter": quarter.ravel(), "median": middle.ravel(), "three_quarters": more.ravel(), "high": high.ravel(),
        }
    )  # fmt: skip


def log_scores(survey: Survey, predicted: Predicted, overdispersion: Floats) -> Floats:
    """Return the log chance of each observed cell under a prediction, (cells,); the uniform chance is one more draw, so it is finite."""
    from scipy import stats

    cells = survey.seen
    shares = (predicted.adopters / (1 if survey.kind == "times" else predicted.teachers[:, None]))[:, cells]
    seen, respondents = survey.shares[cells], survey.respondents[cells]
    if survey.kind == "scale":
        chance = stats.norm.pdf(seen, shares, survey.errors[cells])
        return np.log((chance.sum(axis=0) + 1.0) / (len(shares) + 1))
    yes = np.rint(seen * respondents)
    chance = stats.binom.pmf(yes, respondents, shares)
    more = np.flatnonzero(overdispersion > 0.0)
    if len(more):
        size = 1.0 / overdispersion[more, None] - 1.0
        inside = np.clip(shares[more], 1e-9, 1.0 - 1e-9)
        chance[more] = stats.betabinom.pmf(yes, respondents, inside * size, (1.0 - inside) * size)
    return np.log((chance.sum(axis=0) + 1.0 / (respondents + 1.0)) / (len(shares) + 1))


def ranked_scores(answers: Floats, seen: Floats) -> Floats:
    """Return the continuous ranked probability score of each cell: E|X - y| - E|X - X'| / 2 over draws X (D, cells)."""
    ordered = np.sort(answers, axis=0)
    draws = len(ordered)
    weight = (2.0 * np.arange(draws) - draws + 1.0) / draws**2
    return np.asarray(np.abs(answers - seen).mean(axis=0) - weight @ ordered)


def cells_table(survey: Survey, school_ids: NDArray[np.str_], answers: Floats) -> pd.DataFrame:
    """Return one row per observed cell: what was seen, what answers were to be expected (median, 90 %), and whether it lies within."""
    wave, school = np.nonzero(survey.seen)
    drawn = answers[:, wave, school]
    low, middle, high = np.quantile(drawn, (0.05, 0.5, 0.95), axis=0)
    seen = survey.shares[wave, school]
    return pd.DataFrame(
        {
            "school_id": school_ids[school], "month": np.array(survey.months)[wave],
            "practice": np.array(survey.practice_names, dtype=object)[np.array(survey.practices)[wave]],
            "respondents": survey.respondents[wave, school], "share": seen, "low": low, "median": middle, "high": high,
            "within": (seen >= low - 1e-9) & (seen <= high + 1e-9),
        }
    )  # fmt: skip
