"""Robustness: which design does acceptably whatever the future, by several criteria, and whether they agree.

Functions of net benefits, or of any figure of which more is better, by state of the world (rows, parameter sets) and design (columns).
That all criteria name the same design is a stronger recommendation than that one does (McPhail et al. 2018, Earth's Future 6, 169-191).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .psa import matched, sound

CRITERIA: Mapping[str, tuple[str, bool]] = {
    "worst": ("maximin: the best worst case (Wald 1950)", True),
    "mean": ("Laplace: the best mean over equally likely states", True),
    "regret_max": ("minimax regret (Savage 1951)", False),
    "regret_90": ("least regret in nine of ten states: its 90 % quantile", False),
    "satisfied": ("domain criterion: satisfactory in most states (Starr 1963)", True),
}
"""Criteria by column: what each is called, and whether more of it is better."""


def regrets(benefit: pd.DataFrame) -> pd.DataFrame:
    """Return by how much each design falls short of the best one of each state, shape as given."""
    return (-benefit).add(benefit.max(axis=1), axis=0)


def robustness(benefit: pd.DataFrame, satisfactory: float | str | pd.DataFrame = 0.0) -> pd.DataFrame:
    """Return each design by each criterion.

    ``satisfactory``: a state satisfies where the benefit reaches this level, or that of the design so named, or where this table of True
    and False says so. Columns: ``design``; ``worst``, ``mean``: of the benefit; ``regret_max``, ``regret_90``: largest regret and its 90 %
    quantile (linear interpolation); ``satisfied``: share of states; and ``rank_...`` of each, 1 the best, equal ones sharing the best
    rank. Raises ValueError where there is nothing to compare, a value is not finite, or no such design.
    """
    if benefit.empty:
        raise ValueError("there are no states or no designs to compare")
    benefit = sound("benefits", benefit)
    short = regrets(benefit)
    columns = {"worst": benefit.min(), "mean": benefit.mean(), "regret_max": short.max(), "regret_90": short.quantile(0.9)}
    table = pd.DataFrame({**columns, "satisfied": _satisfied(benefit, satisfactory).mean()})
    for name, (_, more) in CRITERIA.items():
        table[f"rank_{name}"] = table[name].rank(ascending=not more, method="min").astype(int)
    table.insert(0, "design", pd.Categorical(benefit.columns.astype(str), categories=benefit.columns.astype(str)))
    return table.reset_index(drop=True)


def _satisfied(benefit: pd.DataFrame, satisfactory: float | str | pd.DataFrame) -> pd.DataFrame:
    if isinstance(satisfactory, pd.DataFrame):
        return matched("satisfactory", satisfactory, benefit.index, benefit.columns, like="benefits").astype(bool)
    if isinstance(satisfactory, str):
        if satisfactory not in benefit:
            raise ValueError(f"no design {satisfactory!r}; there are {', '.join(map(str, benefit.columns))}")
        return benefit.ge(benefit[satisfactory], axis=0)
    return benefit >= satisfactory


def agreement(table: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Return which designs each criterion of ``robustness`` puts first, and how far the rankings agree.

    Columns: ``criterion``, ``meaning``, ``best``: designs joined by ``+`` where they tie. The figure is Kendall's coefficient of
    concordance W over the criteria, 0 (none) to 1 (the same order everywhere), corrected for ties (Kendall & Babington Smith 1939, Annals
    of Mathematical Statistics 10, 275-287); nan with one design, or where no criterion tells any two apart.
    """
    names = table["design"].astype(str)
    rows = [(name, meaning, "+".join(names[table[f"rank_{name}"] == 1])) for name, (meaning, _) in CRITERIA.items()]
    return pd.DataFrame(rows, columns=["criterion", "meaning", "best"]), _concordance(
        table[[f"rank_{name}" for name in CRITERIA]].rank().to_numpy(np.float64)
    )


def _concordance(ranks: NDArray[np.float64]) -> float:
    """Return Kendall's W of ranks (designs, criteria), ties having mean ranks."""
    n, m = ranks.shape
    counts = [np.unique(column, return_counts=True)[1].astype(float) for column in ranks.T]
    ties = sum(float((count**3 - count).sum()) for count in counts)
    spread = float(((ranks.sum(axis=1) - m * (n + 1) / 2) ** 2).sum())
    most = m * m * (n**3 - n) - m * ties
    return 12 * spread / most if most > 0 else float("nan")
