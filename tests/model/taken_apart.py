"""Runs of random worlds, designs and parameters on the compiled engine, taken apart: what tests of conservation share."""

import numpy as np
from hypothesis import settings

from school_mentoring.model.costs import CATEGORIES
from school_mentoring.model.engine import Results, run_batch
from school_mentoring.model.observe import GROUPS, OUTCOMES
from school_mentoring.model.parameters import PARAMETERS
from tests.worlds import Case

__all__ = ["EXAMPLES", "Run", "run", "runs"]

EXAMPLES = settings(max_examples=150)


def run(case: Case) -> Results:
    return run_batch(case.task(), monthly=True, per_school=True, threads=1)


class Run:
    """One run of a case, taken apart."""

    def __init__(self, case: Case, results: Results, row: int) -> None:
        self.world, self.practices, self.months = case.world, case.practices, case.months
        self.design = case.designs[case.batch.design[row]]
        self.values = {**{name: p.base for name, p in PARAMETERS.items()}, **case.parameters[case.batch.parameter_set[row]]}
        self.factors = case.factors[case.batch.parameter_set[row]]  # countries
        self.first = case.window[0] if self.design.first_month is None else self.design.first_month
        self.last = case.window[1] if self.design.last_month is None else self.design.last_month
        self.end_of_funding = min(case.end_of_funding, case.months - 1)
        self.adopters = results.schools[row, :, :-2].astype(int)  # months, practices, schools
        self.role, self.mentor = results.schools[row, :, -2].astype(int), results.schools[row, :, -1].astype(int)
        self.tied = self.mentor >= 0  # months, schools
        self.team = case.world.teachers if case.world.whole_staff else np.minimum(self.design.team, case.world.teachers)  # schools
        self.team_adopters = results.team_adopters[row].astype(int)  # months, practices, schools
        self.groups, self.teams, self.ties, self.country_costs = (
            results.groups[row],
            results.teams[row],
            results.ties[row],
            results.costs[row],
        )
        self.contacts = results.contacts[row]  # months
        self.partners, self.partner_weights = results.partners[row], results.partner_weights[row]  # ends, places, schools
        self.costs = self.country_costs.sum(axis=1)  # months, categories, payers
        self.outcomes = dict(zip(OUTCOMES, results.outcomes[row].tolist(), strict=True))

    def funded(self, month: int) -> bool:
        return self.first <= month < self.last

    def is_round(self, month: int) -> bool:
        """Tell whether a month is that of a yearly round."""
        return self.design.recruitment != "none" and month >= self.first and (month - self.first) % 12 == 0

    def recruits(self, month: int) -> bool:
        """Tell whether schools are recruited in a month: in rounds with half a funded year left, and in all where nobody coordinates."""
        return self.is_round(month) and (month + 6 <= self.last or self.design.tier == "none")

    def group(self, name: str) -> np.ndarray:
        """Return the counts of a group, shape (months, practices, 4)."""
        return self.groups[:, GROUPS.index(name)]

    def cost(self, category: str) -> np.ndarray:
        """Return the cents of a category, shape (months, payers)."""
        return self.costs[:, CATEGORIES.index(category)]

    def discount(self) -> np.ndarray:
        return (1.0 + self.values["discount_rate"]) ** (-np.arange(self.months) / 12.0)


def runs(case: Case) -> list[Run]:
    results = run(case)
    return [Run(case, results, row) for row in range(case.batch.design.size)]
