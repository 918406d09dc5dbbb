"""Equal budgets: every design of a scenario scaled until it costs what a budget allows, so that designs are compared at the same money.

A few runs find about where that is; then all runs that a comparison shows decide, so that what it shows is within the budget and one step
more is not. All of them share random numbers, so that two sizes of a design differ by their size alone.
"""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.search.aim import PERSPECTIVES
from school_mentoring.experiments.search.archive import design_columns
from school_mentoring.model.designs import Design
from school_mentoring.model.errors import InputError, listed, nearest
from school_mentoring.model.programmes import Programme
from school_mentoring.model.state import MENTOR
from school_mentoring.scenarios import COMPARATOR, Scenario

from .ensemble import run_ensemble
from .progress import Stage
from .scaling import Ladder, ladder_of
from .worlds import Worlds

FEW_RUNS = 10
"""Runs of a design that find about where its budget is met: one in each population of most scenarios."""

WORTH_PLACES = 0.01
"""Share of the budget that more places must cost at least: where they cost next to nothing, they would be changed for no money's sake."""


OPTIONS = ("budget", "budget_per_year", "budget_risk", "perspective")
"""The options of the command line that ``budget_of`` takes."""


@dataclass(frozen=True)
class Budget:
    """What a design may cost beyond no programme.

    ``amount``: EUR in all, discounted as outcomes are, or with ``per_year`` in each year of the study, as spent.
    ``risk``: None where the mean over runs counts, else the share of runs that may cost more. ``perspective``: of ``PERSPECTIVES``.
    """

    amount: float
    per_year: bool = False
    risk: float | None = None
    perspective: str = "programme"

    @property
    def options(self) -> dict[str, float | str]:
        """The options that state it, by their names in ``OPTIONS``."""
        amount: dict[str, float | str] = {"budget_per_year" if self.per_year else "budget": self.amount, "perspective": self.perspective}
        return amount if self.risk is None else {**amount, "budget_risk": self.risk}

    @property
    def typed(self) -> str:
        """How it is stated on a command line."""
        risk = "" if self.risk is None else f" --budget-risk {self.risk:.10g}"
        return f"{self.option} --perspective {self.perspective}{risk}"

    @property
    def option(self) -> str:
        """How its amount is stated on a command line."""
        return f"--budget{'-per-year' if self.per_year else ''} {self.amount:.10g}"

    @property
    def words(self) -> str:
        """What it is, in words."""
        whose = "the programme's costs" if self.perspective == "programme" else "the added cost to society"
        how = "in each year of the study, as spent" if self.per_year else "over the whole study, discounted"
        risk = "" if self.risk is None else f", which at most {100 * self.risk:g} % of runs may exceed"
        return f"EUR {self.amount:,.10g} of {whose} {how}{risk}"

    def charged(self, runs: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        """Return what each design costs beyond no programme, in EUR, shape (runs, 1) or (runs, years); ``runs``: as ``Ensemble.runs``."""
        if self.per_year:
            columns: dict[int, list[str]] = {}
            for name in runs:
                if name.startswith("spent_programme:"):
                    columns.setdefault(int(name.rpartition(":")[2]), []).append(name)
            costs = np.column_stack([runs[names].to_numpy().sum(axis=1) for names in columns.values()])
        else:
            costs = runs[[PERSPECTIVES[self.perspective]]].to_numpy()
        parts = {str(name): costs[rows] for name, rows in runs.groupby("design", observed=True, sort=False).indices.items()}
        return {name: part - parts[COMPARATOR] for name, part in parts.items()}

    def mean(self, charged: NDArray[np.float64]) -> float:
        """Return the mean cost over runs, of the dearest year where each has its budget."""
        return max(math.fsum(year) / len(year) for year in charged.T.tolist())

    def needed(self, charged: NDArray[np.float64]) -> float:
        """Return the least amount that would be enough for these runs."""
        if self.risk is None:
            return self.mean(charged)
        dearest = np.sort(charged.max(axis=1))
        return float(dearest[len(dearest) - 1 - math.floor(self.risk * len(dearest) + 1e-9)])

    def chance_within(self, charged: NDArray[np.float64]) -> float:
        """Return the share of runs that stay within the amount, in every year where each has its budget."""
        return float((charged.max(axis=1) <= self.amount).mean())


def budget_of(
    *, budget: float | None = None, budget_per_year: float | None = None, budget_risk: float | None = None, perspective: str | None = None
) -> Budget | None:
    """Return the budget that options of the command line state, None where they state none. Raises InputError for what is not allowed."""
    if budget is None and budget_per_year is None:
        for name, value in (("--budget-risk", budget_risk), ("--perspective", perspective)):
            if value is not None:
                raise InputError(f"{name} {value}", "belongs to a budget", "give --budget EUR or --budget-per-year EUR too")
        return None
    if budget is not None and budget_per_year is not None:
        raise InputError(f"--budget {budget:.10g}", "is given beside --budget-per-year", "allowed: one of the two")
    amount = budget if budget_per_year is None else budget_per_year
    whole = Budget(amount or 0.0, budget_per_year is not None, budget_risk, perspective or "programme")
    if not 0.0 < whole.amount < math.inf:
        raise InputError(whole.option, "is no budget", "allowed: EUR above 0")
    if budget_risk is not None and not 0.0 <= budget_risk < 1.0:
        raise InputError(f"--budget-risk {budget_risk:g}", "is no share of runs", "allowed: 0 to less than 1")
    if whole.perspective not in PERSPECTIVES:
        raise InputError(f"--perspective {perspective}", f"no perspective named {perspective!r}", nearest(whole.perspective, PERSPECTIVES))
    if whole.per_year and whole.perspective != "programme":
        raise InputError(f"--perspective {perspective}", "a budget of each year is the programme's", "leave it out, or give --budget EUR")
    return whole


@dataclass(frozen=True)
class Fitted:
    """The designs of a scenario scaled to a budget.

    ``table``: a row per design but ``none``: ``design``; ``scaled``: clusters, places (beside all clusters), campaign, or empty;
    ``limit``: why it is not scaled, or not so far as the money would reach; ``clusters`` (nan: no quota, or no mentors); ``needed``: the
    least budget that would do for it, on the runs that decided; ``one_more``: the same of one step more, nan where there is none; then its
    fields as scaled.
    """

    budget: Budget
    scenario: Scenario
    table: pd.DataFrame

    def spent(self, base: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
        """Return the table with what the designs cost in the runs of their comparison, at the base parameters and under drawn ones.

        After ``clusters`` come ``budget`` and what it is ``per``, study or year; ``cost``: the mean over ``base``, of the dearest year if
        each has a budget; ``left_over``; ``cost_drawn``, ``chance_within``: the mean over the runs under drawn parameters (else at the
        base parameters), and the share of them that stays within the budget; ``runs`` and ``sets``: how many these are.
        """
        at_base, over = self.budget.charged(base), drawn if len(drawn) else base
        under_drawn = self.budget.charged(over)
        costs = [self.budget.mean(at_base[name]) for name in self.table["design"]]
        columns = {
            "budget": self.budget.amount,
            "per": "year" if self.budget.per_year else "study",
            "cost": costs,
            "left_over": [self.budget.amount - cost for cost in costs],
            "cost_drawn": [self.budget.mean(under_drawn[name]) for name in self.table["design"]],
            "chance_within": [self.budget.chance_within(under_drawn[name]) for name in self.table["design"]],
            "runs": len(under_drawn[COMPARATOR]),
            "sets": over["parameter_set"].nunique(),
        }
        before = self.table.columns.get_indexer_for(["clusters"])[0] + 1
        return pd.concat([self.table.iloc[:, :before], pd.DataFrame(columns), self.table.iloc[:, before:]], axis=1)


LeastBudgets = Callable[[Sequence[Design | Programme]], list[float]]
"""Returns the least budget that would be enough for each of several designs."""


def fit(scenario: Scenario, budget: Budget, worlds: Worlds, sets: pd.DataFrame, replicates: int, *, stage: Stage, **how: Any) -> Fitted:
    """Return the designs of a scenario, which holds ``none``, at the largest size within a budget.

    ``sets``, ``replicates``: the drawn parameter sets of the comparison, and its runs of each, which decide where the budget has a risk;
    else its replicates at the base parameters do. ``how``: engine and threads. Raises InputError where a design's least size costs more.
    """
    world, schools = worlds.get(scenario.base_parameters(), 0)
    named = bool((world.named_role == MENTOR).any())
    designs = {name: design for name, design in scenario.designs.items() if name != COMPARATOR}
    if not designs:
        raise InputError(budget.option, f"there is no design but {COMPARATOR} to scale", "allowed: one or more others by --designs")
    ladders = {name: ladder_of(design, len(schools), named=named) for name, design in designs.items()}
    drawn = budget.risk is not None and len(sets)
    chosen, runs = (sets.to_dict("records"), replicates) if drawn else ([{}], scenario.replicates)
    few = _measure(scenario, budget, worlds, chosen[:FEW_RUNS], 1 if drawn else min(FEW_RUNS, runs), stage, how)
    all_runs = _measure(scenario, budget, worlds, chosen, runs, stage, how)
    ladders = _with_places_that_cost(ladders, few, budget)
    wide = {name: largest_within(ladder.own, ladder.top, max(1, ladder.own // 2)) for name, ladder in ladders.items()}
    about, _ = _climb(ladders, wide, few, budget.amount)
    found, needed = _climb(ladders, {name: largest_within(about[name], ladders[name].top) for name in about}, all_runs, budget.amount)
    _refuse_too_little(budget, ladders, found, needed)
    rows = [_row(name, ladder, found[name], needed) for name, ladder in ladders.items()]
    fitted = {name: ladders[name].at(found[name]) for name in ladders}
    whole = {COMPARATOR: scenario.designs[COMPARATOR], **fitted}
    table = pd.DataFrame(rows)
    if any(isinstance(design, Programme) for design in fitted.values()):  # which a row of fields does not hold
        table = pd.concat([table, design_columns(fitted.values(), True)], axis=1)
    return Fitted(budget, scenario.model_copy(update={"designs": whole}), table)


def largest_within(start: int, top: int, stride: int = 1) -> Generator[int, float, int]:
    """Return the largest step of 1 to ``top`` that is within, 0 where none is; yields a step to try, and takes by how much it exceeds.

    It begins at ``start``, goes in strides, each twice the last, to where steps begin to exceed, and closes in from both sides, by turns as
    if between the two all went in proportion, and by halves. Where ever larger steps do not exceed ever more, it finds one of several such.
    """
    low, high = 0, top + 1
    below, above = math.nan, math.nan  # by how much these exceed, once tried
    step, halve = min(max(start, 1), top), False
    while high - low > 1:
        excess = yield step
        if excess <= 0.0:
            low, below = step, excess
        else:
            high, above = step, excess
        if math.isnan(above):
            step = min(low + stride, top)
        elif math.isnan(below):
            step = max(high - stride, 1)
        else:
            share = 0.5 if halve else -below / (above - below)
            step, halve = min(max(low + round(share * (high - low)), low + 1), high - 1), not halve
        stride *= 2
    return low


def _measure(
    scenario: Scenario, budget: Budget, worlds: Worlds, sets: Sequence[Mapping[str, Any]], replicates: int, stage: Stage,
    how: Mapping[str, Any],
) -> LeastBudgets:  # fmt: skip
    """Return what tells the least budget of designs, by runs under some parameter sets."""
    rounds = 0

    def needed(designs: Sequence[Design | Programme]) -> list[float]:
        nonlocal rounds
        rounds += 1
        tried = {COMPARATOR: scenario.designs[COMPARATOR], **{str(number): design for number, design in enumerate(designs)}}
        what = f"scaling with {len(sets) * replicates:,} runs a design, round {rounds}"
        runs = run_ensemble(
            scenario.model_copy(update={"designs": tried}), sets, replicates, worlds=worlds, broken_down=budget.per_year,
            progress=lambda done, total: stage(what, done, total), **how,
        ).runs  # fmt: skip
        charged = budget.charged(runs)
        return [budget.needed(charged[name]) for name in tried if name != COMPARATOR]

    return needed


def _with_places_that_cost(ladders: Mapping[str, Ladder], measure: LeastBudgets, budget: Budget) -> dict[str, Ladder]:
    """Return the ladders without their steps of more places where these cost next to nothing."""
    asked = {name: ladder for name, ladder in ladders.items() if ladder.places}
    costs = measure([ladder.at(step) for ladder in asked.values() for step in (ladder.whole, ladder.top)]) if asked else []
    kept = dict(ladders)
    for (name, ladder), before, after in zip(asked.items(), costs[::2], costs[1::2], strict=True):
        if after - before < WORTH_PLACES * budget.amount:
            kept[name] = Ladder(ladder.design, ladder.schools, ladder.unit, ladder.limit, ladder.first)
    return kept


def _climb(
    ladders: Mapping[str, Ladder], searches: Mapping[str, Generator[int, float, int]], measure: LeastBudgets, amount: float
) -> tuple[dict[str, int], dict[tuple[str, int], float]]:
    """Return the largest step of each ladder that the amount is enough for, and the least budget of every step that was tried.

    All ladders are climbed at once, so that their runs fill all processors.
    """
    found, needed = dict.fromkeys(ladders, 0), {}
    asked = {name: next(searches[name]) for name, ladder in ladders.items() if ladder.top}
    while asked:
        costs = measure([ladders[name].at(step) for name, step in asked.items()])
        tried, asked = asked, {}
        for (name, step), cost in zip(tried.items(), costs, strict=True):
            needed[name, step] = cost
            try:
                asked[name] = searches[name].send(cost - amount)
            except StopIteration as end:
                found[name] = end.value
    return found, needed


def _refuse_too_little(budget: Budget, ladders: Mapping[str, Ladder], found: Mapping[str, int], needed: Mapping[Any, float]) -> None:
    short = {name: needed[name, 1] for name, ladder in ladders.items() if ladder.top and not found[name]}
    if not short:
        return
    one = {"cluster": "one cluster", "campaign": "a hundredth of its campaign"}
    told = listed(f"{name} ({one[ladders[name].unit]} takes EUR {math.ceil(cost):,})" for name, cost in short.items())
    allowed = f"allowed: EUR {math.ceil(max(short.values())):,} or more, or only other --designs"
    raise InputError(budget.option, f"is too little for {told}", allowed)


def _row(name: str, ladder: Ladder, step: int, needed: Mapping[tuple[str, int], float]) -> dict[str, Any]:
    design = ladder.at(step)
    quota = ladder.unit == "cluster" and (isinstance(design, Programme) or design.mentor_share is not None)
    by = "places" if step > ladder.whole else {"cluster": "clusters"}.get(ladder.unit, ladder.unit)
    return {
        "design": name,
        "scaled": by,
        "limit": ladder.limit if step == ladder.top else "",
        "clusters": min(step, ladder.first) if quota else math.nan,
        "needed": needed.get((name, step), math.nan),
        "one_more": needed.get((name, step + 1), math.nan),
        **(design.model_dump() if isinstance(design, Design) else {}),
    }
