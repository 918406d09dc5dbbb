"""What a sensitivity study looks at: outcomes of designs and their differences, as means of parameter sets, with what chance adds to them.

Runs are read part by part, so memory grows with the parameter sets, not with the runs. Designs of a cell share their random numbers, so a
difference between designs is taken within it (common random numbers).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from school_mentoring.experiments.folder.model_1 import recorded_as
from school_mentoring.experiments.sweep.plan import Plan
from school_mentoring.experiments.sweep.store import sweep_store
from school_mentoring.model.errors import InputError, nearest, quoted
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.world.arrays import Floats
from school_mentoring.scenarios import COMPARATOR

OUTPUTS = (
    "effect_adopter_years", "adopters_end_of_funding", "adopters_end", "sustained_share", "gap_disadvantaged", "gap_rural",
    "cost_programme", "cost_society", "net_benefit", "cost_per_adopter_year", "best_design",
)  # fmt: skip
"""The outputs looked at where nothing else is asked for."""

DERIVED = ("net_benefit", "cost_per_adopter_year")
"""Outputs against the comparator: k dE - dC, and dC / dE, with E adopter-years and C the cost to society, means of a set."""

DECISION = "best_design"
"""Whether a design has the highest net benefit of all, 0 or 1: the decision, as means of a set make it."""

HALVES = 32  # draws of half the replicates, which tell how often chance makes the decision
SEED = 30103
NOISE_WANTED = 0.05  # replicates suffice where chance makes up at most this share of the variance of the means of sets


class Target(NamedTuple):
    """One output that indices are estimated for: ``design`` less ``comparator``; the output itself where that is blank."""

    output: str
    design: str
    comparator: str


@dataclass(frozen=True)
class Targets:
    """Means over replicates of every target (sets x targets), with the variance that chance leaves in them.

    ``noise``: variance of such a mean due to chance (nan with one replicate). ``seed``: share of the variance of single runs that is due to
    their random numbers, alone and in all (first and total order index of the seed), shape (2, targets). ``problems``: why a target is not
    analysed, blank otherwise.
    """

    names: tuple[Target, ...]
    means: Floats
    noise: Floats
    seed: Floats
    replicates: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> list[int]:
        """Positions of the targets that are analysed."""
        return [k for k, problem in enumerate(self.problems) if not problem]

    @property
    def analysed(self) -> tuple[tuple[Target, ...], Floats, Floats]:
        """The targets that are analysed, their means, and the noise in these."""
        return tuple(self.names[k] for k in self.sound), self.means[:, self.sound], self.noise[self.sound]

    def table(self) -> pd.DataFrame:
        """Return one row per target: mean, sd over sets, what of the variance is chance, replicates that suffice, and the problem."""
        variance = self.means.var(axis=0, ddof=1) if len(self.means) > 1 else np.full(len(self.names), np.nan)
        decision = np.array([target.output == DECISION for target in self.names])
        frame = pd.DataFrame(self.names)
        frame["mean"], frame["sd"] = self.means.mean(axis=0), np.sqrt(variance)
        frame["noise_variance"] = self.noise
        frame["noise_share"] = noise_share(variance, self.noise)
        frame["seed_S1"], frame["seed_ST"] = self.seed
        frame["replicates"] = self.replicates
        frame["replicates_needed"] = enough_replicates(variance, self.noise, self.replicates, np.where(decision, 2.0, 1.0))
        frame["problem"] = self.problems
        return frame


def noise_share(variance: Floats, noise: Floats) -> Floats:
    """Return the share of the variance of means of sets that is chance."""
    with np.errstate(all="ignore"):
        return np.where(variance > 0, np.minimum(1.0, noise / variance), np.where(np.isnan(noise), np.nan, 0.0))


def enough_replicates(variance: Floats, noise: Floats, replicates: int, power: Floats | float = 1.0) -> Floats:
    """Return the least replicates with which chance is at most NOISE_WANTED of the variance: R with s^2 / R <= w (V + s^2 / R).

    V is what is left of the variance of the means without chance, s^2 the variance between replicates; infinite where nothing is left.
    ``power``: 2 for a decision, whose noise falls with the square root of the replicates only, as it is made by near ties.
    """
    signal = variance - noise
    with np.errstate(all="ignore"):
        times = (noise * (1.0 - NOISE_WANTED) / (NOISE_WANTED * signal)) ** power
        needed = np.ceil(times * replicates - 1e-9)
    return np.where(np.isnan(noise), np.nan, np.where(noise <= 0, 1.0, np.where(signal > 0, np.maximum(needed, 1.0), np.inf)))


def targets_of(outputs: Sequence[str], designs: Sequence[str], pairs: Sequence[tuple[str, str]]) -> tuple[Target, ...]:
    """Return the targets: every output of every design, and its difference between the designs of each pair.

    Raises InputError for a name that is none.
    """
    known = [*OUTCOMES, *DERIVED, DECISION]
    if strange := [name for name in outputs if name not in known]:
        raise InputError("--outputs", f"no output named {quoted(strange)}", nearest(strange, known))
    for design in (name for pair in pairs for name in pair):
        if design not in designs:
            raise InputError("--pairs", f"no design named {design!r}", nearest(design, designs))
    found = []
    for output in dict.fromkeys(outputs):
        if output == DECISION:
            found += [Target(output, design, "") for design in designs if len(designs) > 1]
        elif output in DERIVED:
            found += [Target(output, design, COMPARATOR) for design in designs if design != COMPARATOR]
            found += [Target(output, *pair) for pair in pairs if pair[1] != COMPARATOR and output == "net_benefit"]
        else:
            found += [Target(output, design, "") for design in designs]
            found += [Target(output, *pair) for pair in pairs]
    return tuple(found)


def read_targets(folder: Path, plan: Plan, targets: Sequence[Target], willingness_to_pay: float) -> Targets:
    """Return the targets of all runs of a sweep that is complete.

    A set's chance is the spread of its replicates. With common random numbers what a replicate adds to all sets alike does not blur their
    comparison, so it is left out: the noise is the interaction of sets and replicates (two-way analysis of variance). A decision is made by
    the means of a set, so its chance is how often the means of half the replicates decide otherwise: they spread about the mean of all as
    that does about the truth.
    """
    replicates, sets = plan.scenario.replicates, len(plan.sets)
    outputs, ours = {target.output for target in targets}, {*DERIVED, DECISION}
    columns = sorted(outputs - ours | ({"effect_adopter_years", "cost_society"} if outputs & ours else set()))
    decisions = [k for k, target in enumerate(targets) if target.output == DECISION]
    others = [k for k, target in enumerate(targets) if target.output != DECISION]
    means = np.full((sets, len(targets)), np.nan)
    by_halves, by_runs = _Spread(len(decisions), HALVES), _Spread(len(others), replicates)
    missing: list[list[str]] = [[] for _ in targets]
    for first, cube in _cubes(folder, plan, columns):
        here = slice(first, first + len(cube))
        if decisions:
            values, means[here, decisions] = _decisions([targets[k] for k in decisions], cube, columns, plan, willingness_to_pay)
            by_halves.add(values)
        if others:
            values = np.stack([_values(targets[k], cube, columns, plan, willingness_to_pay) for k in others], axis=2)
            means[here, others] = values.mean(axis=1)
            by_runs.add(values)
            for s, r, k in np.argwhere(~np.isfinite(values)).tolist():
                missing[others[k]].append(f"parameter set {first + s}, replicate {r}")
    common, variance = plan.random == "common", means.var(axis=0, ddof=1) if sets > 1 else np.full(len(targets), np.nan)
    noise, seed = np.full(len(targets), np.nan), np.full((2, len(targets)), np.nan)
    if replicates > 1:
        noise[others], noise[decisions] = by_runs.noise(common) / replicates, by_halves.noise(common)
        seed[:, others] = by_runs.seed(common, variance[others])
    problems = tuple(_problem(means[:, k], missing[k], target) for k, target in enumerate(targets))
    return Targets(tuple(targets), means, noise, seed, replicates, problems)


def _cubes(folder: Path, plan: Plan, columns: list[str]) -> Iterator[tuple[int, Floats]]:
    """Give the runs part by part: the first set, and all runs of whole sets, shape (sets, replicates, designs, columns).

    What a part holds of a set that it cuts in two waits for the next.
    """
    designs, replicates = len(plan.scenario.designs), plan.scenario.replicates
    parts = sweep_store(folder).checked()
    first, rest = 0, np.empty((0, designs, len(columns)))
    for chunk in range(plan.chunks):
        cells = np.concatenate([rest, _cells(parts[chunk], plan, chunk, columns)])
        sets = len(cells) // replicates
        if sets:
            yield first, cells[: sets * replicates].reshape(sets, replicates, designs, len(columns))
        first, rest = first + sets, cells[sets * replicates :]


def _cells(path: Path, plan: Plan, chunk: int, columns: list[str]) -> Floats:
    """Return the runs of a part, shape (cells, designs, columns); nan where a run failed."""
    designs, replicates = len(plan.scenario.designs), plan.scenario.replicates
    recorded = pq.read_schema(path).names
    stored = [recorded_as(name, recorded) for name in columns]
    table = pq.read_table(path, columns=["design", "parameter_set", "replicate", *dict.fromkeys(stored)])
    cell = table["parameter_set"].to_numpy() * replicates + table["replicate"].to_numpy() - chunk * plan.chunk
    order = {name: position for position, name in enumerate(plan.scenario.designs)}
    encoded = table["design"].combine_chunks()
    row = cell * designs + np.array([order[name] for name in encoded.dictionary.to_pylist()])[encoded.indices.to_numpy()]
    cube = np.full((plan.runs_of(chunk), len(columns)), np.nan)
    cube[row] = np.column_stack([table[name].to_numpy() for name in stored])
    return cube.reshape(-1, designs, len(columns))


def _values(target: Target, cube: Floats, columns: list[str], plan: Plan, k: float) -> Floats:
    """Return a target of every set and replicate. A ratio of means is spread by the delta method, so that its mean is the ratio."""
    designs = list(plan.scenario.designs)

    def difference(output: str) -> Floats:
        values = cube[:, :, designs.index(target.design), columns.index(output)]
        if target.comparator:
            values = values - cube[:, :, designs.index(target.comparator), columns.index(output)]
        return np.asarray(values)

    if target.output not in DERIVED:
        return difference(target.output)
    effect, cost = difference("effect_adopter_years"), difference("cost_society")
    if target.output == "net_benefit":
        return k * effect - cost
    gained, paid = effect.mean(axis=1, keepdims=True), cost.mean(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        ratio = np.where(gained > 0, paid / gained, np.nan)
        return np.asarray(ratio + (cost - ratio * effect) / gained)


def _decisions(targets: Sequence[Target], cube: Floats, columns: list[str], plan: Plan, k: float) -> tuple[Floats, Floats]:
    """Return whether each design has the highest net benefit by the means of drawn halves of the replicates, and by the mean of all.

    Shapes (sets, HALVES, targets) and (sets, targets); nan where a run has no number. Of equals the first design is taken.
    """
    benefit = k * cube[..., columns.index("effect_adopter_years")] - cube[..., columns.index("cost_society")]
    replicates = benefit.shape[1]
    drawn = np.random.default_rng(SEED).permuted(np.tile(np.arange(replicates), (HALVES, 1)), axis=1)[:, : max(1, replicates // 2)]
    weights = np.zeros((HALVES, replicates))
    np.put_along_axis(weights, drawn, 1.0 / drawn.shape[1], axis=1)
    known = np.isfinite(benefit).all(axis=(1, 2))
    mine = [list(plan.scenario.designs).index(target.design) for target in targets]
    halves = np.einsum("hr,srd->shd", weights, benefit)
    found = []
    for means in (halves, benefit.mean(axis=1)):
        best = np.argmax(np.nan_to_num(means), axis=-1)[..., None]
        found.append(np.where(known.reshape(-1, *[1] * (means.ndim - 1)), (best == np.array(mine)).astype(np.float64), np.nan))
    return found[0], found[1]


class _Spread:
    """Adds up, part by part, how the draws of a set (its replicates) spread about its mean, for several targets at once."""

    def __init__(self, targets: int, draws: int) -> None:
        self.sets, self.draws = 0, draws
        self.squares, self.by_draw = np.zeros(targets), np.zeros((draws, targets))

    def add(self, values: Floats) -> None:
        """Take in values, shape (sets, draws, targets)."""
        deviation = values - values.mean(axis=1, keepdims=True)
        self.sets += len(values)
        self.squares += np.nan_to_num(np.einsum("srk,srk->k", deviation, deviation))
        self.by_draw += np.nan_to_num(deviation.sum(axis=0))

    def noise(self, common: bool) -> Floats:
        """Return the variance of a draw by chance; where draws are ``common`` to all sets, of its interaction with the set."""
        if common and self.sets > 1:
            squares = np.maximum(0.0, self.squares - (self.by_draw**2).sum(axis=0) / self.sets)
            return np.asarray(squares / ((self.sets - 1) * (self.draws - 1)))
        return np.asarray(self.squares / (self.sets * (self.draws - 1)))

    def seed(self, common: bool, variance: Floats) -> Floats:
        """Return first and total order index of the seed of a single run; ``variance``: of the means of sets."""
        noise = self.noise(common)
        alone = np.zeros_like(noise)
        if common and self.sets > 1:
            alone = np.maximum(0.0, (self.by_draw**2).sum(axis=0) / self.sets**2 / (self.draws - 1) - noise / self.sets)
        whole = np.maximum(0.0, variance - noise / self.draws) + alone + noise
        with np.errstate(all="ignore"):
            return np.where(whole > 0, np.array([alone, alone + noise]) / whole, np.nan)


def _problem(means: Floats, runs: list[str], target: Target) -> str:
    """Return why a target is not analysed: ``runs`` in which it is no finite number, or means that do not differ; blank if it is."""
    if runs or not np.isfinite(means).all():
        why = "adds nothing to divide by, or failed," if target.output == "cost_per_adopter_year" else "is no finite number"
        more = f" and {len(runs) - 3:,} more" if len(runs) > 3 else ""
        return f"{why} in {'; '.join(runs[:3])}{more}"
    if np.ptp(means) <= 1e-12 * max(1.0, float(np.abs(means).max())):
        return f"is the same, {means[0]:.6g}, in every parameter set"
    return ""
