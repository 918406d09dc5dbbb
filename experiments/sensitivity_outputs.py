"""What a sensitivity study looks at: outcomes of designs and their differences, as means of parameter sets, with what chance adds to them.

Runs are read part by part, so memory grows with the parameter sets, not with the runs. Designs of a cell share their random numbers, so a
difference between designs is taken within it (common random numbers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from model.errors import InputError, nearest
from model.observe import OUTCOMES
from scenarios import COMPARATOR

from .execution import RESULTS
from .store import Store
from .sweep import Plan

__all__ = ["DERIVED", "OUTPUTS", "Target", "Targets", "enough_replicates", "read_targets", "targets_of", "time_targets"]

Array = NDArray[np.float64]

OUTPUTS = (
    "effect_adopter_years",
    "adopters_end_of_funding",
    "adopters_end",
    "sustained_share",
    "gap_disadvantaged",
    "gap_rural",
    "cost_programme",
    "cost_total",
    "net_benefit",
    "cost_per_adopter_year",
)
"""The outputs looked at where nothing else is asked for."""

DERIVED = ("net_benefit", "cost_per_adopter_year")
"""Outputs against the comparator: k dE - dC, and dC / dE, with E adopter-years and C the total cost, means of a set."""

NOISE_WANTED = 0.05
"""Replicates suffice where chance makes up at most this share of the variance of the means of sets."""


class Target(NamedTuple):
    """One output that indices are estimated for: ``design`` less ``comparator``; the output itself where that is blank."""

    output: str
    design: str
    comparator: str


@dataclass(frozen=True)
class Targets:
    """Means over replicates of every target (sets x targets), with the variance that chance leaves in them.

    ``noise``: variance of such a mean due to chance (nan with one replicate). ``problems``: why a target is not analysed, blank otherwise.
    """

    names: tuple[Target, ...]
    means: Array
    noise: Array
    replicates: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> list[int]:
        """Positions of the targets that are analysed."""
        return [k for k, problem in enumerate(self.problems) if not problem]

    def table(self) -> pd.DataFrame:
        """Return one row per target: mean, sd over sets, what of the variance is chance, replicates that suffice, and the problem."""
        variance = self.means.var(axis=0, ddof=1) if len(self.means) > 1 else np.full(len(self.names), np.nan)
        frame = pd.DataFrame(self.names)
        frame["mean"], frame["sd"] = self.means.mean(axis=0), np.sqrt(variance)
        frame["noise_variance"] = self.noise
        frame["noise_share"] = noise_share(variance, self.noise)
        frame["replicates"] = self.replicates
        frame["replicates_needed"] = enough_replicates(variance, self.noise, self.replicates)
        frame["problem"] = self.problems
        return frame


def noise_share(variance: Array, noise: Array) -> Array:
    """Return the share of the variance of means of sets that is chance."""
    with np.errstate(all="ignore"):
        return np.where(variance > 0, np.minimum(1.0, noise / variance), np.where(np.isnan(noise), np.nan, 0.0))


def enough_replicates(variance: Array, noise: Array, replicates: int) -> Array:
    """Return the least replicates with which chance is at most NOISE_WANTED of the variance: R with s^2 / R <= w (V + s^2 / R).

    V is what is left of the variance of the means without chance, s^2 the variance between replicates; infinite where nothing is left.
    """
    signal = variance - noise
    with np.errstate(all="ignore"):
        needed = np.ceil(noise * replicates * (1.0 - NOISE_WANTED) / (NOISE_WANTED * signal) - 1e-9)
    return np.where(np.isnan(noise), np.nan, np.where(noise <= 0, 1.0, np.where(signal > 0, np.maximum(needed, 1.0), np.inf)))


def targets_of(outputs: Sequence[str], designs: Sequence[str], pairs: Sequence[tuple[str, str]]) -> tuple[Target, ...]:
    """Return the targets: every output of every design, and its difference between the designs of each pair.

    Raises InputError for a name that is none.
    """
    known = [*OUTCOMES, *DERIVED]
    for name in outputs:
        if name not in known:
            raise InputError("--outputs", f"no output named {name!r}", nearest(name, known))
    for design in (name for pair in pairs for name in pair):
        if design not in designs:
            raise InputError("--pairs", f"no design named {design!r}", nearest(design, designs))
    found = []
    for output in dict.fromkeys(outputs):
        if output in DERIVED:
            found += [Target(output, design, COMPARATOR) for design in designs if design != COMPARATOR]
            found += [Target(output, *pair) for pair in pairs if pair[1] != COMPARATOR and output == "net_benefit"]
        else:
            found += [Target(output, design, "") for design in designs]
            found += [Target(output, *pair) for pair in pairs]
    return tuple(found)


def time_targets(designs: Sequence[str], months: int) -> tuple[Target, ...]:
    """Return the adopting share of every design in every month."""
    return tuple(Target(f"share_{month:03d}", design, "") for design in designs for month in range(months))


def read_targets(folder: Path, plan: Plan, targets: Sequence[Target], willingness_to_pay: float) -> Targets:
    """Return the targets of all runs of a sweep that is complete.

    A set's chance is the spread of its replicates. With common random numbers what a replicate adds to all sets alike does not blur their
    comparison, so it is left out: the noise is the interaction of sets and replicates (two-way analysis of variance).
    """
    replicates, sets = plan.scenario.replicates, len(plan.sets)
    columns = _columns(targets)
    means = np.full((sets, len(targets)), np.nan)
    squares, by_replicate = np.zeros(len(targets)), np.zeros((replicates, len(targets)))
    missing: dict[int, list[str]] = {}
    store = Store(folder / RESULTS, plan.chunks)
    for chunk, path in store.parts().items():
        if chunk >= plan.chunks:
            continue
        first = chunk * plan.chunk // replicates
        cube = _cube(path, plan, chunk, columns)
        values = np.stack([_values(target, cube, columns, plan, willingness_to_pay) for target in targets], axis=2)
        mean = values.mean(axis=1)
        means[first : first + len(values)] = mean
        deviation = values - mean[:, None]
        squares += np.nan_to_num((deviation**2).sum(axis=(0, 1)))
        by_replicate += np.nan_to_num(deviation.sum(axis=0))
        _note_missing(missing, values, first)
    noise = _noise(squares, by_replicate, sets, replicates, plan.random == "common")
    problems = tuple(_problem(k, means[:, k], missing, targets[k]) for k in range(len(targets)))
    return Targets(tuple(targets), means, noise, replicates, problems)


def _columns(targets: Sequence[Target]) -> list[str]:
    names = {target.output for target in targets if target.output not in DERIVED}
    if any(target.output in DERIVED for target in targets):
        names |= {"effect_adopter_years", "cost_total"}
    return sorted(names)


def _cube(path: Path, plan: Plan, chunk: int, columns: list[str]) -> Array:
    """Return the runs of a part, shape (sets, replicates, designs, columns); nan where a run failed."""
    designs, replicates = len(plan.scenario.designs), plan.scenario.replicates
    table = pq.read_table(path, columns=["design", "parameter_set", "replicate", *columns])
    cell = table["parameter_set"].to_numpy() * replicates + table["replicate"].to_numpy() - chunk * plan.chunk
    order = {name: position for position, name in enumerate(plan.scenario.designs)}
    encoded = table["design"].combine_chunks()
    names = np.array([order[name] for name in encoded.dictionary.to_pylist()])
    row = cell * designs + names[encoded.indices.to_numpy()]
    cells = plan.runs_of(chunk) // designs
    cube = np.full((cells * designs, len(columns)), np.nan)
    cube[row] = np.column_stack([table[name].to_numpy() for name in columns])
    return cube.reshape(-1, replicates, designs, len(columns))


def _values(target: Target, cube: Array, columns: list[str], plan: Plan, k: float) -> Array:
    """Return a target of every set and replicate. A ratio of means is spread by the delta method, so that its mean is the ratio."""
    designs = list(plan.scenario.designs)

    def difference(output: str) -> Array:
        values = cube[:, :, designs.index(target.design), columns.index(output)]
        if target.comparator:
            values = values - cube[:, :, designs.index(target.comparator), columns.index(output)]
        return np.asarray(values)

    if target.output not in DERIVED:
        return difference(target.output)
    effect, cost = difference("effect_adopter_years"), difference("cost_total")
    if target.output == "net_benefit":
        return k * effect - cost
    gained, paid = effect.mean(axis=1, keepdims=True), cost.mean(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        ratio = np.where(gained > 0, paid / gained, np.nan)
        return np.asarray(ratio + (cost - ratio * effect) / gained)


def _note_missing(missing: dict[int, list[str]], values: Array, first: int) -> None:
    """Note the runs in which targets are no finite numbers, by the position of the target."""
    for k in np.flatnonzero(~np.isfinite(values).all(axis=(0, 1))):
        noted = missing.setdefault(int(k), [])
        noted += [f"parameter set {first + s}, replicate {r}" for s, r in np.argwhere(~np.isfinite(values[:, :, k]))]


def _noise(squares: Array, by_replicate: Array, sets: int, replicates: int, common: bool) -> Array:
    if replicates < 2:
        return np.full(squares.shape, np.nan)
    if common and sets > 1:
        squares = np.maximum(0.0, squares - (by_replicate**2).sum(axis=0) / sets)
        return np.asarray(squares / ((sets - 1) * (replicates - 1)) / replicates)
    return np.asarray(squares / (sets * (replicates - 1)) / replicates)


def _problem(k: int, means: Array, missing: dict[int, list[str]], target: Target) -> str:
    if k in missing or not np.isfinite(means).all():
        runs = missing.get(k, [])
        why = "adds nothing to divide by, or failed," if target.output == "cost_per_adopter_year" else "is no finite number"
        more = f" and {len(runs) - 3:,} more" if len(runs) > 3 else ""
        return f"{why} in {'; '.join(runs[:3])}{more}"
    if np.ptp(means) <= 1e-12 * max(1.0, float(np.abs(means).max())):
        return f"is the same, {means[0]:.6g}, in every parameter set"
    return ""
