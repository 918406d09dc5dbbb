"""The parameter sets of a sensitivity study: Saltelli's design, trajectories of Morris, plain samples, one parameter at a time.

All are nested: the sets of N points are the first sets of 2 N points, so that a study which is doubled keeps every run it has made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.experiments.distributions import Variable, correlated, dimensions, sobol_points
from school_mentoring.model.parameters import row_of
from school_mentoring.model.world.arrays import Floats
from school_mentoring.scenarios import Scenario

DUMMY = "dummy"  # a column that nothing reads: what it seems to do is what chance does
LEVELS = 4  # of Morris's grid; a step is LEVELS / (2 (LEVELS - 1)) of the range of cumulative probabilities (Morris 1991)
SCRAMBLINGS = 8  # independent ones of the Sobol sequence that make up a sample (as many as it has points, if fewer)
BATCH = 16  # trajectories that are chosen together
CANDIDATES = 8  # batches of which the one that spreads best is kept


@dataclass(frozen=True)
class Factor:
    """What is changed alone: one parameter, a group of them together, or the dummy. ``columns``: positions among the columns."""

    name: str
    group: str
    columns: tuple[int, ...]
    kind: str  # parameter, group or dummy


@dataclass(frozen=True)
class Layout:
    """How the sets of a study are laid out.

    ``method``: ``sobol`` (a point has A, one AB for each factor, with ``second`` one BA for each single one, B; the order of SALib),
    ``morris`` (a point is a trajectory of a set for each factor and one more; of parameters, then of groups) or ``sample`` (a point is a
    set). Points of ``sobol`` take turns among the ``scramblings``.
    ``variables``: what varies; the dummy is the column after them. ``correlation``: of the Gaussian copula, if there is one.
    """

    method: str
    variables: tuple[Variable, ...]
    factors: tuple[Factor, ...]
    second: bool
    seed: int
    start: int
    correlation: Floats | None = None

    @property
    def singles(self) -> list[int]:
        """Positions of the factors of one column, the dummy among them."""
        return [k for k, factor in enumerate(self.factors) if factor.kind != "group"]

    @property
    def step(self) -> int:
        """Sets of one point."""
        if self.method == "sample":
            return 1
        if self.method == "morris":
            return sum(len(trajectory) + 1 for trajectory in self.trajectories)
        return len(self.factors) + 2 + (len(self.singles) if self.second else 0)

    @property
    def scramblings(self) -> int:
        """Independent scramblings, each of as many points."""
        return min(SCRAMBLINGS, self.start)

    @property
    def trajectories(self) -> list[list[int]]:
        """Positions of the factors that are moved in turn by each trajectory of a point: single ones with the dummy, then groups."""
        groups, singles = [k for k, factor in enumerate(self.factors) if factor.kind == "group"], self.singles
        return [[*groups, *singles]] if len(singles) == 1 else [part for part in (singles, groups) if part]  # one: the dummy alone

    @property
    def names(self) -> list[str]:
        """The columns of the table of sets."""
        return [*(variable.name for variable in self.variables), DUMMY]

    def sets(self, points: int) -> pd.DataFrame:
        """Return the parameter sets of the first ``points`` points."""
        return self._saltelli(points) if self.method == "sobol" else self._frame(self.unit_points(points))

    def unit_points(self, points: int) -> Floats:
        """Return the sets of a Morris or plain sample as cumulative probabilities, shape (sets, columns)."""
        if self.method == "morris":
            batch = next(size for size in range(BATCH, 0, -1) if self.start % size == 0)
            paths = enumerate([self.factors[k] for k in moved] for moved in self.trajectories)
            parts = [morris_points(path, len(self.names), points, batch, (self.seed, number)) for number, path in paths]
            return np.concatenate(parts, axis=1).reshape(-1, len(self.names))
        followed = dimensions(self.variables)
        u = sobol_points(max(followed) + 2, points, self.seed)
        return np.column_stack([correlated(u[:, followed], self.correlation), u[:, -1]])

    def _frame(self, u: Floats) -> pd.DataFrame:
        columns: dict[str, Any] = {variable.name: variable.values(u[:, j]) for j, variable in enumerate(self.variables)}
        return pd.DataFrame({**columns, DUMMY: u[:, -1]})

    def _saltelli(self, points: int) -> pd.DataFrame:
        """Return A, AB, (BA) and B of every point; the quantiles are taken of A and B only."""
        base = np.empty((points, 2 * len(self.names)))
        for number in range(self.scramblings):
            base[number :: self.scramblings] = sobol_points(base.shape[1], points // self.scramblings, (self.seed, number))
        a, b = (self._frame(part) for part in np.split(base, 2, axis=1))
        own = np.array([[j in factor.columns for j in range(len(self.names))] for factor in self.factors])
        ends = np.zeros((1, len(self.names)), bool), np.ones((1, len(self.names)), bool)
        from_b = np.concatenate([ends[0], own, ~own[self.singles if self.second else []], ends[1]])
        both = {name: (b[name].to_numpy()[:, None], a[name].to_numpy()[:, None]) for name in self.names}
        return pd.DataFrame({name: np.where(taken, *both[name]).reshape(-1) for taken, name in zip(from_b.T, both, strict=True)})


def group_of(name: str) -> str:
    """Return the group of a variable: that of the parameter table, ``design`` for fields of designs, ``world`` for its size."""
    if row := row_of(name):
        return row.group
    return "world" if name.startswith("world.") else "design"


def layout_of(
    method: str, variables: Sequence[Variable], *, groups: str = "with", second: bool = False, seed: int, start: int,
    correlation: Floats | None = None,
) -> Layout:  # fmt: skip
    """Return the layout of a study. ``groups``: ``with`` (as well as each parameter), ``only``, or ``without``."""
    members: dict[str, list[int]] = {}
    for j, variable in enumerate(variables):
        members.setdefault(group_of(variable.name), []).append(j)
    factors = [Factor(v.name, group_of(v.name), (j,), "parameter") for j, v in enumerate(variables)] if groups != "only" else []
    if groups == "only" or (groups == "with" and method != "sample" and len(members) > 1):
        factors += [Factor(name, name, tuple(columns), "group") for name, columns in members.items()]
    factors.append(Factor(DUMMY, DUMMY, (len(variables),), "dummy"))
    return Layout(method, tuple(variables), tuple(factors), second, seed, start, correlation)


def morris_points(factors: Sequence[Factor], columns: int, points: int, batch: int, seed: Sequence[int]) -> Floats:
    """Return trajectories of Morris (1991), shape (points, factors + 1, columns).

    They come in batches, each drawn from a seed of its own, so more trajectories keep the earlier ones. In a batch every parameter starts
    equally often from every level (sampling for uniformity; Khare et al. 2015, Environmental Modelling & Software 64, 221-233), and of
    CANDIDATES such batches that is taken whose nearest trajectories lie farthest apart (the distance of Campolongo et al. 2007). Choosing
    single trajectories for their distance alone, as SALib does, draws them to the edges of the ranges, where effects differ: mu* of a
    product comes out 5 to 22 % too high, and intervals miss it (``benchmarks/sensitivity_intervals.py``).
    """
    drawn = (np.random.default_rng([*seed, number]) for number in range(-(-points // batch)))
    parts = [max((_balanced(factors, columns, batch, rng) for _ in range(CANDIDATES)), key=_spread) for rng in drawn]
    return np.concatenate(parts)[:points]


def _balanced(factors: Sequence[Factor], columns: int, batch: int, rng: np.random.Generator) -> Floats:
    """Return a batch of trajectories, shape (batch, factors + 1, columns); a level tells in which direction its parameter moves."""
    start = rng.permuted(np.resize(np.arange(LEVELS), (columns, batch)), axis=1).T
    end = np.where(start < LEVELS // 2, start + LEVELS // 2, start - LEVELS // 2)
    turn = rng.permuted(np.tile(np.arange(len(factors)), (batch, 1)), axis=1)
    when = np.full((batch, columns), len(factors))  # what belongs to no factor stays
    for position, factor in enumerate(factors):
        when[:, list(factor.columns)] = turn[:, [position]]
    moved = np.arange(len(factors) + 1)[None, :, None] > when[:, None, :]
    return np.asarray(np.where(moved, end[:, None], start[:, None]) / (LEVELS - 1.0))


def _spread(trajectories: Floats) -> float:
    """Return the least distance between two trajectories: the sum of the distances between all their points."""
    from scipy.spatial.distance import cdist

    count, length, columns = trajectories.shape
    flat = trajectories.reshape(-1, columns)
    distance = cdist(flat, flat).reshape(count, length, count, length).sum(axis=(1, 3))
    return float(distance[~np.eye(count, dtype=bool)].min()) if count > 1 else 0.0


def base_value(name: str, scenario: Scenario) -> float | str:
    """Return the value that a variable has in the scenario as it stands."""
    if name in scenario.parameters:
        return float(scenario.parameters[name].base)
    owner, _, field = name.partition(".")
    value = getattr(scenario.world if owner == "world" else scenario.designs[owner], field)
    if value is None:
        value = getattr(scenario.programme, field, -1.0)
    return value if isinstance(value, str) else float(value)


def one_at_a_time(variables: Sequence[Variable], scenario: Scenario) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the base set and, for every variable of numbers, a set with it alone at its low and at its high end.

    And what each set is: columns ``parameter_set``, ``parameter`` (blank for the base), ``end`` (base, low, high), ``value``.
    """
    base: dict[str, Any] = {variable.name: base_value(variable.name, scenario) for variable in variables}
    ends = [(one.name, end, float(getattr(one, end))) for one in variables if not one.choices for end in ("low", "high")]
    rows = [(at, *end) for at, end in enumerate([("", "base", np.nan), *ends])]
    described = pd.DataFrame(rows, columns=["parameter_set", "parameter", "end", "value"])
    return pd.DataFrame([base, *({**base, name: value} for name, _, value in ends)]), described
