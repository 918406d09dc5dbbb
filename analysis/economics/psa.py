"""Costs and effects of every design under every parameter set: the sample on which decisions under uncertainty are analysed.

Health economics calls it the sample of a probabilistic sensitivity analysis (PSA; Briggs, Claxton & Sculpher 2006, Decision Modelling for
Health Economic Evaluation). Each parameter set is a state of the world that may be true; a calibrated study gives draws from a posterior.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.analysis.summary import complete, wide

from .frontier import net_benefit

EFFECT = "effect_adopter_years"
"""The effect that costs are held against where nothing else is asked for."""

PERSPECTIVES: Mapping[str, str] = {"programme": "cost_programme", "schools": "cost_schools", "society": "cost_total"}
"""Whose costs count, and the column that holds them: a ministry that looks at its budget alone, the schools, or all of society."""


@dataclass(frozen=True)
class Sample:
    """Costs (EUR) and effects of designs (columns), run by run.

    ``cost_runs``, ``effect_runs``: index (parameter_set, replicate), a column per design; the same runs in both. ``parameters``: the
    values of what was varied, index parameter_set, the same sets as the runs; no columns where nothing is known of them.
    """

    cost_runs: pd.DataFrame
    effect_runs: pd.DataFrame
    parameters: pd.DataFrame

    @property
    def designs(self) -> list[str]:
        """The names of the designs, in order."""
        return [str(name) for name in self.cost_runs]

    @cached_property
    def cost(self) -> pd.DataFrame:
        """Cost by parameter set (index) and design: means over replicates."""
        return self.cost_runs.groupby(level="parameter_set").mean()

    @cached_property
    def effect(self) -> pd.DataFrame:
        """Effect by parameter set (index) and design: means over replicates."""
        return self.effect_runs.groupby(level="parameter_set").mean()

    @property
    def sets(self) -> int:
        """How many parameter sets there are."""
        return len(self.cost)

    def net_benefit(self, willingness_to_pay: float) -> pd.DataFrame:
        """Return k E - C in EUR by parameter set (index) and design: means over replicates."""
        return self._benefit(self.effect, self.cost, willingness_to_pay)

    def net_benefit_runs(self, willingness_to_pay: float) -> pd.DataFrame:
        """Return k E - C in EUR run by run, index (parameter_set, replicate)."""
        return self._benefit(self.effect_runs, self.cost_runs, willingness_to_pay)

    @staticmethod
    def _benefit(effect: pd.DataFrame, cost: pd.DataFrame, k: float) -> pd.DataFrame:
        return pd.DataFrame(net_benefit(effect, cost, k), index=effect.index, columns=effect.columns)

    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return cost and effect, each of shape (parameter sets, designs)."""
        return self.cost.to_numpy(np.float64), self.effect.to_numpy(np.float64)


def cost_column(perspective: str) -> str:
    """Return the column of the costs that count in a perspective; raises ValueError for one that is not known."""
    if perspective not in PERSPECTIVES:
        raise ValueError(f"no perspective named {perspective!r}; there are {', '.join(PERSPECTIVES)}")
    return PERSPECTIVES[perspective]


def psa_sample(
    runs: pd.DataFrame, parameters: pd.DataFrame | None = None, *, perspective: str = "society", effect: str = EFFECT, group: str = ""
) -> Sample:
    """Return the sample of a study's runs.

    ``runs``: one row per run, columns ``design, parameter_set, replicate`` and the outcomes. ``parameters``: a row per parameter set with
    the column ``parameter_set`` and one per varied parameter; runs of sets that it does not hold, such as those at the base parameters of a
    comparison, are left out, and columns that never vary or are no numbers are not kept. ``group``: count only the costs and effects of one
    group of schools, such as ``country:HR``; the runs must carry them (columns ``cost_total:country:HR`` and so on).

    Only runs in which every design has a value are kept, so that all designs face the same states of the world. Raises ValueError where
    nothing is left, a value is not finite, or a column is missing.
    """
    names = [name + (f":{group}" if group else "") for name in (cost_column(perspective), effect)]
    for name in names:
        if name not in runs:
            raise ValueError(f"the runs have no column {name!r}" + (f"; is {group!r} a group whose costs are kept apart?" if group else ""))
    if parameters is not None and len(parameters):
        runs = runs[runs["parameter_set"].isin(parameters["parameter_set"])]
        if runs.empty:
            raise ValueError("no run belongs to any of the parameter sets given")
    costs, effects = (complete(wide(runs, name), name) for name in names)
    both = costs.index.intersection(effects.index)
    if both.empty:
        raise ValueError("no run holds cost and effect for all designs")
    sets = both.get_level_values("parameter_set").unique()
    return Sample(costs.loc[both], effects.loc[both], _varied(parameters, sets))


def _varied(parameters: pd.DataFrame | None, sets: "pd.Index[Any]") -> pd.DataFrame:
    """Return the columns of numbers that vary over the sets, by parameter set."""
    if parameters is None or not len(parameters):
        return pd.DataFrame(index=sets)
    table = parameters.set_index("parameter_set").loc[sets].select_dtypes("number").astype(np.float64)
    return table.loc[:, table.nunique() > 1]
