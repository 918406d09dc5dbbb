"""What a gate is worth: a programme that asks before it goes on, beside the better of always and of never going on.

That is the value of piloting first: the value of the sample information that the survey gives (Raiffa & Schlaifer 1961, Applied Statistical
Decision Theory), for the threshold that the gate has. It may be negative, as a threshold that is badly chosen goes on where it should not.
As what a survey finds does not hang on the threshold, the same runs tell what any other would be worth.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from school_mentoring.analysis.summary import Z90, round_figures
from school_mentoring.model.world.arrays import Floats

from .psa import psa_sample

ALWAYS, NEVER = 0.0, math.inf
"""The thresholds that ask nobody: the phase begins whatever would be found, or never."""

FOLDS = 10
"""Parts of the runs, each judged by the threshold that the others choose."""

WAYS = ("none", "gate", "always", "never")
"""What was run of a gate: no programme, the programme as it is, and going on always and never."""


class GateWorth(NamedTuple):
    """A mean over units and its standard error, nan of one unit."""

    value: float
    se: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 90 % interval."""
        return self.value - Z90 * self.se, self.value + Z90 * self.se


def gate_worth(gated: ArrayLike, always: ArrayLike, never: ArrayLike, unit: ArrayLike | None = None) -> GateWorth:
    """Return the mean net benefit of a gate less the larger of those of always and of never going on, all run by run, in EUR.

    ``unit``: what each run belongs to, its parameter set, over which the error is taken; default each run by itself. Where always and never
    lie close the larger of two means is a little too large, so the worth a little too small.
    """
    return _beyond(np.asarray(gated, np.float64), np.asarray(always, np.float64), np.asarray(never, np.float64), unit)


def threshold_value(found: ArrayLike, always: ArrayLike, never: ArrayLike, at_least: float, survey: ArrayLike = 0.0) -> Floats:
    """Return the net benefit of each run with a gate at a threshold, EUR; ``found``: the share that its survey finds, nan where none is.

    ``survey``: what the survey takes off the net benefit of each run; nothing at the thresholds ``ALWAYS`` and ``NEVER``.
    """
    goes, stays = np.asarray(always, np.float64), np.asarray(never, np.float64)
    if at_least in (ALWAYS, NEVER):
        return goes if at_least == ALWAYS else stays
    return np.where(np.asarray(found) >= at_least, goes, stays) - np.asarray(survey, np.float64)


def best_threshold(found: ArrayLike, always: ArrayLike, never: ArrayLike, survey: ArrayLike = 0.0) -> float:
    """Return the threshold of the highest mean net benefit over runs: midway between two shares that were found, ``ALWAYS`` or ``NEVER``.

    By construction no lower than the better of always and never.
    """
    seen = np.asarray(found, np.float64)
    gain = np.asarray(always, np.float64) - np.asarray(never, np.float64)
    shares, place = np.unique(seen[~np.isnan(seen)], return_inverse=True)
    by_share = np.bincount(place, gain[~np.isnan(seen)], len(shares))
    above = np.cumsum(by_share[::-1])[::-1][1:]  # what going on from each share but the lowest adds to never going on
    options = {ALWAYS: gain.sum(), NEVER: 0.0}
    if len(above):
        at = int(above.argmax())
        options[(shares[at] + shares[at + 1]) / 2] = above[at] - np.broadcast_to(survey, seen.shape).sum()
    return float(max(options, key=lambda threshold: options[threshold]))


def judged_worth(found: ArrayLike, always: ArrayLike, never: ArrayLike, unit: ArrayLike, survey: ArrayLike = 0.0) -> GateWorth:
    """Return what the best threshold is worth, judged by runs that did not choose it (``FOLDS`` parts of the units)."""
    seen, goes, stays = (np.asarray(values, np.float64) for values in (found, always, never))
    paid = np.broadcast_to(np.asarray(survey, np.float64), seen.shape)
    fold = np.unique(np.asarray(unit), return_inverse=True)[1] % FOLDS
    value = np.empty_like(goes)
    for part in np.unique(fold):
        mine, others = fold == part, fold != part
        chosen = best_threshold(seen[others], goes[others], stays[others], paid[others])
        value[mine] = threshold_value(seen[mine], goes[mine], stays[mine], chosen, paid[mine])
    return _beyond(value, goes, stays, unit)


def _beyond(value: Floats, always: Floats, never: Floats, unit: ArrayLike | None) -> GateWorth:
    better = always if always.mean() >= never.mean() else never
    labels = np.arange(len(value)) if unit is None else np.unique(np.asarray(unit), return_inverse=True)[1]
    units = np.bincount(labels, value - better) / np.bincount(labels)
    return GateWorth(float(units.mean()), float(units.std(ddof=1) / math.sqrt(len(units))) if len(units) > 1 else math.nan)


def gates_table(runs: pd.DataFrame, willingness_to_pay: ArrayLike, *, perspective: str = "society") -> pd.DataFrame:
    """Return what each gate of the programmes is worth at each willingness to pay, in EUR per adopter-year.

    ``runs``: one row for each run and way of ``WAYS``, columns ``design, gate, at_least, way, parameter_set, replicate, asked, found`` and
    the outcomes.

    Columns: ``design``, ``gate``: where it stands in the programme, ``at_least``; ``runs``, ``sets``; ``asked``: share of runs that came to
    it, ``goes_on``: of those, the share that went on; ``found``, ``found_sd``: mean and spread of what the survey found;
    ``willingness_to_pay``; ``net_benefit``, ``net_benefit_always``, ``net_benefit_never``: means over no programme, EUR; ``survey``: what
    the survey takes off it; ``worth``, ``worth_se``, ``worth_low``, ``worth_high`` (90 %); ``best_at_least``: the best threshold on these
    runs (0: go on always; inf: never), ``best_worth``, ``best_worth_se``: what such a choice is worth to runs that did not choose it.
    """
    rows = []
    for (design, gate), table in runs.groupby(["design", "gate"], sort=False, observed=True):
        sample = psa_sample(table.drop(columns="design").rename(columns={"way": "design"}), perspective=perspective)
        first = table[table["way"] == "gate"].set_index(["parameter_set", "replicate"]).loc[sample.cost_runs.index]
        asked, found, at_least = first["asked"].to_numpy(bool), first["found"].to_numpy(), float(first["at_least"].iloc[0])
        unit = first.index.get_level_values("parameter_set" if sample.sets > 1 else "replicate").to_numpy()
        goes_on = asked & (found >= at_least)
        about: dict[str, Any] = {"design": str(design), "gate": gate, "at_least": at_least, "runs": len(first), "sets": sample.sets}
        about |= {"asked": float(asked.mean()), "goes_on": float(goes_on.sum() / asked.sum()) if asked.any() else math.nan}
        about |= {"found": float(found[asked].mean()) if asked.any() else math.nan, "found_sd": _spread(found[asked])}
        for k in np.atleast_1d(np.asarray(willingness_to_pay, np.float64)).tolist():
            benefit = sample.net_benefit_runs(k)
            gated, always, never = ((benefit[way] - benefit["none"]).to_numpy() for way in WAYS[1:])
            rows.append({**about, "willingness_to_pay": k, **_worths(gated, always, never, found, goes_on, unit)})
    table = pd.DataFrame(rows)
    for name in table.select_dtypes("float"):
        table[name] = [round_figures(value) for value in table[name]]
    return table


def _worths(gated: Floats, always: Floats, never: Floats, found: Floats, goes_on: NDArray[np.bool_], unit: Any) -> dict[str, float]:
    paid = np.where(goes_on, always, never) - gated
    own, best = gate_worth(gated, always, never, unit), judged_worth(found, always, never, unit, paid)
    row = {"net_benefit": gated.mean(), "net_benefit_always": always.mean(), "net_benefit_never": never.mean(), "survey": paid.mean()}
    row |= {"worth": own.value, "worth_se": own.se, "worth_low": own.interval[0], "worth_high": own.interval[1]}
    threshold = best_threshold(found, always, never, paid)
    return {name: float(value) for name, value in row.items()} | {
        "best_at_least": threshold, "best_worth": best.value, "best_worth_se": best.se,
    }  # fmt: skip


def _spread(found: Floats) -> float:
    return float(found.std(ddof=1)) if len(found) > 1 else math.nan
