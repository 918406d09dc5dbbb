"""What figures draw, on paper and on the page: curves over months, sums of costs, spreads, increments over the comparator."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from school_mentoring.model.costs import CATEGORIES, PAYERS

from .outcomes import COMPARATOR, names_in
from .summary import wide

EFFECT, COST = "effect_adopter_years", "cost_society"

HULL = 0.9
"""Share of parameter sets inside an outline."""


def adoption_curve(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean, 5 and 95 % quantile over runs of the adopting share in per cent, by month.

    ``rows``: columns ``parameter_set, replicate, month, teachers, adopters`` of one design, practice and group.
    """
    share = 100.0 * rows["adopters"] / rows["teachers"].where(rows["teachers"] > 0)
    table = rows.assign(share=share).pivot(index=["parameter_set", "replicate"], columns="month", values="share")
    return pd.DataFrame({"mean": table.mean(), "q05": table.quantile(0.05), "q95": table.quantile(0.95)})


def discounted_costs(table: pd.DataFrame, discount_rate: float) -> "pd.Series[float]":
    """Return sums by design, category and payer, each cost times (1 + rate)^(-month / 12).

    ``table``: columns ``design, month, category, payer, cost``; designs are the categories of the column, so that those without costs are
    there.
    """
    present = table["cost"] * np.power(1.0 + discount_rate, -table["month"] / 12.0)
    keys = [table[name].astype(str) for name in ("design", "category", "payer")]
    summed: pd.Series[float] = present.groupby(keys).sum()
    full = pd.MultiIndex.from_product([names_in(table["design"], present=False), CATEGORIES, PAYERS], names=["design", "category", "payer"])
    return summed.reindex(full, fill_value=0.0)


def stacked_ends(totals: "pd.Series[float]", payer: str) -> tuple[float, float]:
    """Return the lowest and highest end of the stacked bars of what a payer pays: what it receives is stacked below 0."""
    mine = totals.xs(payer, level="payer")
    below, above = (part.groupby(level="design").sum() for part in (mine.clip(upper=0.0), mine.clip(lower=0.0)))
    return float(below.min()), float(above.max())


def costing(totals: "pd.Series[float]") -> list[str]:
    """Return the categories that cost anybody anything; what one pays to the other is among them."""
    return [name for name in CATEGORIES if len(totals) and totals.xs(name, level="category").abs().sum() > 0]


def spread(values: "pd.Series[float]") -> tuple[float, float, float] | None:
    """Return mean, 5 and 95 % quantile of the runs in which a value exists; None where there is none."""
    present = values.dropna().to_numpy()
    if not len(present):
        return None
    low, high = np.quantile(present, [0.05, 0.95])
    return float(present.mean()), float(low), float(high)


def increments(runs: pd.DataFrame) -> pd.DataFrame:
    """Return ``design, parameter_set, effect, cost`` beyond no programme, means over replicates."""
    effect, cost = (wide(runs, name).groupby(level="parameter_set").mean() for name in (EFFECT, COST))
    parts = [
        pd.DataFrame({name: table[design] - table[COMPARATOR] for name, table in (("effect", effect), ("cost", cost))}).assign(
            design=design
        )
        for design in effect
    ]
    return pd.concat(parts).reset_index()


def outline(points: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the corners of the convex hull of the 90 % of points nearest to their median (Mahalanobis distance).

    None where they are too few or lie on a line. ``points``: shape (n, 2).
    """
    if len(points) < 10:
        return None
    centred = points - np.median(points, axis=0)
    covariance = np.cov(points.T)
    if np.linalg.matrix_rank(covariance) < 2:
        return None
    distance = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(covariance), centred)
    inner = points[np.argsort(distance, kind="stable")[: math.ceil(HULL * len(points))]]
    try:
        return np.asarray(inner[ConvexHull(inner).vertices], np.float64)
    except QhullError:
        return None
