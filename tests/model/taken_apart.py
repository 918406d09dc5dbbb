"""Runs of random worlds, designs and parameters on the compiled engine, taken apart: what tests of conservation share."""

import numpy as np
from hypothesis import settings

from school_mentoring.model.costs import CATEGORIES
from school_mentoring.model.engine import Results, run_batch
from school_mentoring.model.observe import OUTCOMES
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
        self.first = case.window[0] if self.design.first_month is None else self.design.first_month
        self.last = case.window[1] if self.design.last_month is None else self.design.last_month
        self.end_of_funding = min(case.end_of_funding, case.months - 1)
        self.adopters = results.schools[row, :, :-2].astype(int)  # months, practices, schools
        self.role, self.mentor = results.schools[row, :, -2].astype(int), results.schools[row, :, -1].astype(int)
        self.groups, self.ties, self.country_costs = results.groups[row], results.ties[row], results.costs[row]
        self.costs = self.country_costs.sum(axis=1)  # months, categories, payers
        self.outcomes = dict(zip(OUTCOMES, results.outcomes[row].tolist(), strict=True))

    def funded(self, month: int) -> bool:
        return self.first <= month < self.last

    def cost(self, category: str) -> np.ndarray:
        """Return the cents of a category, shape (months, payers)."""
        return self.costs[:, CATEGORIES.index(category)]

    def discount(self) -> np.ndarray:
        return (1.0 + self.values["discount_rate"]) ** (-np.arange(self.months) / 12.0)


def runs(case: Case) -> list[Run]:
    results = run(case)
    return [Run(case, results, row) for row in range(case.batch.design.size)]
