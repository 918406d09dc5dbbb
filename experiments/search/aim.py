"""What a search seeks, in whose money and how hard, and what a design is worth to it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError, nearest, quoted
from school_mentoring.model.observe import OUTCOMES

PERSPECTIVES: Mapping[str, str] = {"society": "cost_society", "programme": "cost_programme"}
"""Whose costs count: society's, or those the programme pays; with the outcome that holds them."""

OBJECTIVES = ("effect", "cost", "gap", "gap_rural")
"""What may be sought: adopter-years added (most), cost (least), how far disadvantaged or rural schools are behind at the end (least)."""


AT_RISK = "cost_at_risk"
"""The cost that no more than the share ``Aim.budget_risk`` of a design's runs exceed."""

OF_PROGRAMMES: Mapping[str, Any] = {"phases": 1, "by_country": False, "budget_risk": None}
"""What an aim says only where it is not this, so that the search of plain designs by their means stays what it was."""


@dataclass(frozen=True)
class Aim:
    """What is sought, and how hard.

    ``objectives``: names of ``OBJECTIVES``, effect and cost among them; ``perspective``: whose costs; ``budgets``: EUR, discounted, may be
    empty; ``evaluations``: designs tried; ``population``: designs of a generation; ``cells``: runs of each; ``draws``: parameter sets among
    them (0: the base parameters); ``space``: texts that narrow the space; ``phases``: so many at most has a design; ``by_country``: whether
    each country has its own; ``budget_risk``: share of the runs of a design that may exceed a budget, None where its mean counts.
    """

    objectives: tuple[str, ...] = ("effect", "cost", "gap")
    perspective: str = "society"
    budgets: tuple[float, ...] = ()
    evaluations: int = 5000
    population: int = 100
    cells: int = 50
    draws: int = 50
    space: tuple[str, ...] = ()
    phases: int = 1
    by_country: bool = False
    budget_risk: float | None = None

    @property
    def cost(self) -> str:
        """The outcome that is the cost."""
        return PERSPECTIVES[self.perspective]

    @property
    def within(self) -> str:
        """The column of ``worth_of`` that a budget holds for."""
        return self.cost if self.budget_risk is None else AT_RISK

    @property
    def generations(self) -> int:
        """How many generations the evaluations make."""
        return -(-self.evaluations // self.population)

    def describe(self) -> dict[str, Any]:
        """Return all that decides which designs are tried, as JSON holds it; a search may go on with more evaluations."""
        kept = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        absent = {"evaluations", *(name for name, value in OF_PROGRAMMES.items() if kept[name] == value)}
        return {name: value for name, value in kept.items() if name not in absent}


def aim_of(
    *, objectives: str, perspective: str, budgets: Sequence[float], evaluations: int, population: int, cells: int, draws: int | None,
    space: Sequence[str], phases: int = 1, by_country: bool = False, budget_risk: float | None = None,
) -> Aim:  # fmt: skip
    """Return the aim that options of the command line state; raises InputError for what is not allowed."""
    chosen = tuple(name.strip() for name in objectives.split(",") if name.strip())
    if strange := [name for name in chosen if name not in OBJECTIVES]:
        raise InputError(f"--objectives {objectives}", f"no objective named {quoted(strange)}", nearest(strange, OBJECTIVES))
    if not {"effect", "cost"} <= set(chosen) or len(set(chosen)) < len(chosen):
        allowed = "allowed: effect,cost and gap, gap_rural"
        raise InputError(f"--objectives {objectives}", "effect and cost are always sought, each once", allowed)
    if perspective not in PERSPECTIVES:
        raise InputError(f"--perspective {perspective}", f"no perspective named {perspective!r}", nearest(perspective, PERSPECTIVES))
    for budget in budgets:
        if not 0.0 < budget < np.inf:
            raise InputError(f"--budget {budget:g}", "is no budget", "allowed: EUR above 0")
    if population > evaluations:
        raise InputError(f"--population {population}", f"is more than the {evaluations} evaluations", "allowed: at most --evaluations")
    if draws is not None and draws > cells:
        raise InputError(f"--draws {draws}", f"is more than the {cells} runs of a design", "allowed: at most --replicates")
    if budget_risk is not None and not 0.0 <= budget_risk < 1.0:
        raise InputError(f"--budget-risk {budget_risk:g}", "is no share of runs", "allowed: 0 to below 1, for example 0.1")
    kept = tuple(sorted(set(budgets)))
    drawn = cells if draws is None else draws
    return Aim(
        chosen, perspective, kept, evaluations, population, cells, drawn, tuple(space),
        phases=phases, by_country=by_country, budget_risk=budget_risk,
    )  # fmt: skip


def worth_of(outcomes: NDArray[np.float64], comparator: NDArray[np.float64], aim: Aim) -> pd.DataFrame:
    """Return what is kept of every design: means over the cells of a panel, of effect and costs beyond no programme, and of gaps.

    ``outcomes`` (designs, cells, outcomes) of ``model.observe.OUTCOMES``; ``comparator`` (cells, outcomes): the same of no programme. A gap
    counts as it is, below 0 where disadvantaged schools are ahead. Where a share of runs may exceed a budget, ``AT_RISK`` stands beside.
    """
    mean, extra = (pd.DataFrame(part.mean(axis=1), columns=list(OUTCOMES)) for part in (outcomes, outcomes - comparator))
    columns = {"effect": extra["effect_adopter_years"], **extra[["cost_society", "cost_programme"]]}
    worth = pd.DataFrame({**columns, "gap": mean["gap_disadvantaged"], "gap_rural": mean["gap_rural"]})
    return worth if aim.budget_risk is None else worth.assign(**{AT_RISK: _at_risk(outcomes, comparator, aim.cost, aim.budget_risk)})


def _at_risk(outcomes: NDArray[np.float64], comparator: NDArray[np.float64], cost: str, risk: float) -> NDArray[np.float64]:
    """Return the least cost of each design that at most a share ``risk`` of its cells exceed."""
    at = OUTCOMES.index(cost)
    extra = np.sort(outcomes[..., at] - comparator[:, at], axis=1)
    cells = extra.shape[1]
    return extra[:, cells - 1 - int(risk * cells + 1e-9)]


def minimised(worth: pd.DataFrame, aim: Aim) -> NDArray[np.float64]:
    """Return what is minimised, a column per objective: the effect negated, a gap where it is above 0, as being ahead is no aim."""
    columns = {"effect": -worth["effect"], "cost": worth[aim.cost]}
    columns |= {name: worth[name].clip(lower=0.0) for name in ("gap", "gap_rural")}
    return np.column_stack([columns[name].to_numpy(np.float64) for name in aim.objectives])
