"""Costs and effects of every design under every parameter set: the sample on which decisions under uncertainty are analysed.

Health economics calls it the sample of a probabilistic sensitivity analysis (PSA; Briggs, Claxton & Sculpher 2006, Decision Modelling for
Health Economic Evaluation). Each parameter set is a state of the world that may be true; a calibrated study gives draws from a posterior.
It need not be of this model: ``wide_sample`` and ``long_sample`` take that of any other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.outcomes import COMPARATOR, OWN_TERMS, Terms
from school_mentoring.analysis.summary import complete, wide
from school_mentoring.model.errors import InputError, nearest

EFFECT = "effect_adopter_years"
"""The effect that costs are held against."""

PERSPECTIVES: Mapping[str, str] = {"programme": "cost_programme", "schools": "cost_schools", "society": "cost_society"}
"""Whose costs count, and the column that holds them: a ministry that looks at its budget alone, the schools, or all of society.

Society bears every resource, whoever pays, and what it takes to raise the programme's money."""

WILLINGNESS_TO_PAY = (200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 20000.0)
"""What an adopter-year may be worth, in EUR: from what a teacher's course costs elsewhere to several times a coached teacher's year."""

HEADLINE = 1000.0
"""The one that single figures and sentences are given at where nobody asks for another."""

EFFECT_UNIT = "effect unit"
"""What a unit of effect of another model is called where it says nothing of it."""

SET, RUN = "parameter_set", "replicate"


@dataclass(frozen=True)
class Sample:
    """Costs (EUR) and effects of designs (columns), run by run.

    ``cost_runs``, ``effect_runs``: index (parameter_set, replicate), or one of parameter sets alone, each run once; a column per design.
    ``parameters``: the values of what was varied, index parameter_set; no columns where nothing is known of them. Designs and parameter
    sets are matched by their labels and put into the order of the costs. Raises InputError where the tables do not have the same ones, one
    stands twice, a value is not a finite number, or the comparator is no design. ``terms``: what effect and comparator are called.
    """

    cost_runs: pd.DataFrame
    effect_runs: pd.DataFrame
    parameters: pd.DataFrame
    terms: Terms = OWN_TERMS

    def __post_init__(self) -> None:
        """Check and order the tables."""
        cost, effect = (sound(what, _run_by_run(table)) for what, table in (("costs", self.cost_runs), ("effects", self.effect_runs)))
        if cost.empty:
            raise InputError("costs", "hold no design or no parameter set", "give a column per design and a row per parameter set")
        object.__setattr__(self, "cost_runs", cost)
        object.__setattr__(self, "effect_runs", matched("effects", effect, cost.index, cost.columns))
        parameters = sound("parameters", self.parameters) if len(self.parameters.columns) else pd.DataFrame(index=self.cost.index)
        object.__setattr__(self, "parameters", matched("parameters", parameters, self.cost.index))
        if self.terms.comparator not in (*self.designs, COMPARATOR):
            raise InputError("comparator", f"no design {self.terms.comparator!r}", nearest(self.terms.comparator, self.designs))

    @property
    def designs(self) -> list[str]:
        """The names of the designs, in order."""
        return [str(name) for name in self.cost_runs]

    @cached_property
    def cost(self) -> pd.DataFrame:
        """Cost by parameter set (index) and design: means over replicates."""
        return self.cost_runs.groupby(level=SET, sort=False).mean()

    @cached_property
    def effect(self) -> pd.DataFrame:
        """Effect by parameter set (index) and design: means over replicates."""
        return self.effect_runs.groupby(level=SET, sort=False).mean()

    @property
    def sets(self) -> int:
        """How many parameter sets there are."""
        return len(self.cost)

    def net_benefit(self, willingness_to_pay: float) -> pd.DataFrame:
        """Return k E - C in EUR by parameter set (index) and design: means over replicates."""
        return willingness_to_pay * self.effect - self.cost

    def net_benefit_runs(self, willingness_to_pay: float) -> pd.DataFrame:
        """Return k E - C in EUR run by run, index (parameter_set, replicate)."""
        return willingness_to_pay * self.effect_runs - self.cost_runs


def cost_column(perspective: str) -> str:
    """Return the column of the costs that count in a perspective; raises ValueError for one that is not known."""
    if perspective not in PERSPECTIVES:
        raise ValueError(f"no perspective named {perspective!r}; there are {', '.join(PERSPECTIVES)}")
    return PERSPECTIVES[perspective]


def psa_sample(runs: pd.DataFrame, parameters: pd.DataFrame | None = None, *, perspective: str = "society", group: str = "") -> Sample:
    """Return the sample of a study's runs.

    ``runs``: one row per run, columns ``design, parameter_set, replicate`` and the outcomes. ``parameters``: a row per parameter set with
    the column ``parameter_set`` and one per varied parameter; runs of sets that it does not hold, such as those at the base parameters of a
    comparison, are left out, and columns that never vary or are no numbers are not kept. ``group``: count only the costs and effects of one
    group of schools, such as ``country:HR``; the runs must carry them (columns ``cost_society:country:HR`` and so on).

    Only runs in which every design has a value are kept, so that all designs face the same states of the world. Raises ValueError where
    nothing is left, a value is not finite, or a column is missing.
    """
    names = [name + (f":{group}" if group else "") for name in (cost_column(perspective), EFFECT)]
    for name in names:
        if name not in runs:
            raise ValueError(f"the runs have no column {name!r}" + (f"; is {group!r} a group whose costs are kept apart?" if group else ""))
    if parameters is not None and len(parameters):
        runs = runs[runs[SET].isin(parameters[SET])]
        if runs.empty:
            raise ValueError("no run belongs to any of the parameter sets given")
    costs, effects = (complete(wide(runs, name), name) for name in names)
    both = costs.index.intersection(effects.index)
    if both.empty:
        raise ValueError("no run holds cost and effect for all designs")
    sets = both.get_level_values(SET).unique()
    return Sample(costs.loc[both], effects.loc[both], _varied(parameters, sets))


def _varied(parameters: pd.DataFrame | None, sets: "pd.Index[Any]") -> pd.DataFrame:
    """Return the columns of numbers that vary over the sets, by parameter set."""
    if parameters is None or not len(parameters):
        return pd.DataFrame(index=sets)
    table = parameters.set_index(SET).loc[sets].select_dtypes("number").astype(np.float64)
    return table.loc[:, table.nunique() > 1]


# --- samples of others ------------------------------------------------------------------------------------------------


def wide_sample(
    costs: pd.DataFrame,
    effects: pd.DataFrame,
    parameters: pd.DataFrame | None = None,
    *,
    of_set: str = "",
    comparator: str = COMPARATOR,
    unit: str = EFFECT_UNIT,
) -> Sample:
    """Return the sample of three tables with a row per parameter set: costs in EUR and effects by design, parameters by name.

    ``of_set``: the column that names the set, in each of them; default their indexes. ``comparator``: the design that others are compared
    with where nothing else is asked for; ``unit``: one unit of effect in words. Raises InputError as ``Sample`` does.
    """
    given = {"costs": costs, "effects": effects, "parameters": pd.DataFrame() if parameters is None else parameters}
    if of_set:
        given |= {what: table.set_index(_known(what, table, of_set)) for what, table in given.items() if len(table.columns)}
    return Sample(given["costs"], given["effects"], given["parameters"], Terms(comparator, unit))


def long_sample(
    table: pd.DataFrame,
    *,
    design: str = "design",
    cost: str = "cost",
    effect: str = "effect",
    of_set: str = SET,
    of_run: str = "",
    parameters: Iterable[str] | None = None,
    comparator: str = COMPARATOR,
    unit: str = EFFECT_UNIT,
) -> Sample:
    """Return the sample of one table with a row per parameter set (and run, where ``of_run`` names it) and design.

    The other words are its columns; ``parameters``: default all columns that are left. ``comparator``, ``unit``: see ``wide_sample``.
    Raises InputError as ``Sample`` does, and where a parameter differs between designs or runs of a set.
    """
    keys = [of_set, *([of_run] if of_run else [])]
    used = [*keys, design, cost, effect]
    names = [name for name in table if name not in used] if parameters is None else list(parameters)
    for name in (*used, *names):
        _known("the table", table, name)
    for name in (*keys, design):
        if table[name].isna().any():
            raise InputError(f"the table, {name}", "is blank in some row", "name set and design in every row")
    twice = table[table.duplicated([*keys, design])]
    if len(twice):
        row = twice.iloc[0]
        said = f"design {row[design]!r} stands twice in parameter set {row[of_set]!r}"
        raise InputError("the table", said, "give each once, or name the column of runs")
    costs, effects = (table.pivot(index=keys if of_run else of_set, columns=design, values=name) for name in (cost, effect))
    sets, order = list(pd.unique(table[of_set])), list(pd.unique(table[design]))
    by_set = table.groupby(of_set, sort=False)[names]
    differing = by_set.nunique(dropna=False).gt(1)
    if names and differing.to_numpy().any():
        label, name = differing.stack().loc[lambda differs: differs].index[0]
        raise InputError(f"the table, {name}", f"differs within parameter set {label!r}", "give a parameter one value in a set")
    return Sample(costs.loc[sets, order], effects, by_set.first() if names else pd.DataFrame(), Terms(comparator, unit))


def sample_of_tables(tables: Mapping[str, pd.DataFrame], comparator: str | None = None, unit: str | None = None) -> Sample:
    """Return the sample of a user's files: of ``sample`` alone, one long table; with ``effects`` (and ``parameters``), costs by design.

    Columns have the names of ``long_sample``; a row's set is in ``parameter_set``, in wide tables else its place. Raises InputError.
    """
    terms = {"comparator": comparator or COMPARATOR, "unit": unit or EFFECT_UNIT}
    first = tables["sample"]
    if "effects" not in tables:
        return long_sample(first, of_run=RUN if RUN in first else "", **terms)
    of_set = SET if any(SET in table for table in tables.values()) else ""
    return wide_sample(first, tables["effects"], tables.get("parameters"), of_set=of_set, **terms)


def with_designs(table: pd.DataFrame, designs: Iterable[str]) -> pd.DataFrame:
    """Return a table with its column of designs as categories, in their order."""
    return table.assign(design=pd.Categorical(table["design"], categories=list(designs)))


def _known(what: str, table: pd.DataFrame, name: str) -> str:
    if name not in table:
        raise InputError(what, f"no column {name!r}", nearest(name, map(str, table)))
    return name


def _run_by_run(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its designs named by words and its index (parameter_set, replicate)."""
    index = table.index if table.index.nlevels == 2 else pd.MultiIndex.from_arrays([table.index, np.zeros(len(table), int)])
    return table.set_axis(index.set_names([SET, RUN]), axis=0).set_axis(table.columns.astype(str), axis=1)


def sound(what: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as floats; raises InputError for a row or column that stands twice and for what is not a finite number."""
    for kind, labels in (("column", table.columns), ("row", table.index)):
        if labels.has_duplicates:
            raise InputError(what, f"the {kind} {_label(labels[labels.duplicated()][0])} stands twice", "give each once")
    numbers = table.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    wrong = np.argwhere(~np.isfinite(numbers.to_numpy()))
    if len(wrong):
        row, column = wrong[0]
        where = f"{what}, {table.columns[column]}, row {_label(table.index[row])}"
        said = f"{_label(table.iat[row, column])} is not a finite number"
        raise InputError(where, said, "fill it in, or leave the row out of all tables")
    return numbers


def matched(
    what: str, table: pd.DataFrame, rows: "pd.Index[Any]", columns: "pd.Index[Any] | None" = None, *, like: str = "costs"
) -> pd.DataFrame:
    """Return a table in the order of the labels of another, ``like``; raises InputError where it has not the same ones."""
    columns = table.columns if columns is None else columns
    for kind, own, theirs in (("column", table.columns, columns), ("row", table.index, rows)):
        for has, labels, have in (("has no", theirs[~theirs.isin(own)], "have"), ("has a", own[~own.isin(theirs)], "have not")):
            if len(labels):
                more = f" (and {len(labels) - 1:,} more)" if len(labels) > 1 else ""
                problem = f"{has} {kind} {_label(labels[0])}{more}, which the {like} {have}"
                raise InputError(what, problem, "name rows and columns alike in all tables")
    return table.loc[rows, columns]


def _label(label: Any) -> str:
    """Return what a row or column is called; a run's label is that of its set, where each was run once."""
    plain = label[0] if isinstance(label, tuple) and label[1:] == (0,) else label
    return repr(plain) if isinstance(plain, str) else str(plain)
