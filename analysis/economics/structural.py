"""How designs stand under each structural choice: net benefit, probability of being best, and whether the advice survives."""

from typing import NamedTuple

import pandas as pd
from scipy.stats import kendalltau

from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.report.sentences import in_words

from .advice import standing
from .psa import psa_sample

WORTHS = (250.0, 500.0, 1000.0, 2000.0, 5000.0)
BUDGETS = (1e6, 2.5e6)


class Survival(NamedTuple):
    """Whether the advice is the same under all structural choices: how many agree of how many others, and a sentence."""

    same: int
    others: int
    said: str


def standings(runs: pd.DataFrame, sets: pd.DataFrame, k: float) -> pd.DataFrame:
    """Return one row per variant and design, the best mean net benefit first.

    Columns: variant, design, net_benefit (mean over parameter sets, over no programme, EUR), probability_best with its 90 % interval (low,
    high), expected_loss, ``beside``: whether it is not told apart from the first, effect (added adopter-years), cost (added, EUR),
    ``agreement``: Kendall's tau of the order of designs with that of the first variant.
    """
    parts = []
    default: pd.Series | None = None
    for variant, mine in runs.groupby("variant", sort=False):
        sample = psa_sample(mine, sets)
        found = standing(sample, k)
        benefit = found.table.set_index("design")["net_benefit"]
        default = benefit if default is None else default
        effect, cost = (means.sub(means[COMPARATOR])[benefit.index].to_numpy() for means in (sample.effect.mean(), sample.cost.mean()))
        table = found.table.assign(variant=variant, beside=found.table["design"].isin(found.beside), effect=effect, cost=cost)
        agreement = float(kendalltau(benefit, default[benefit.index]).statistic)
        parts.append(table.assign(net_benefit=table["net_benefit"] - float(benefit[COMPARATOR]), agreement=agreement))
    columns = ["variant", "design", "net_benefit", "probability_best", "low", "high", "expected_loss", "beside"]
    return pd.concat(parts, ignore_index=True)[[*columns, "effect", "cost", "agreement"]]


def survival(table: pd.DataFrame) -> Survival:
    """Return whether the first design of ``standings`` is the same under every structural choice."""
    firsts = table.groupby("variant", sort=False)["design"].first()
    own, others = str(firsts.iloc[0]), firsts.iloc[1:]
    differing = [f"{str(variant).replace('_', ' ')} ({design_name(str(design))})" for variant, design in others.items() if design != own]
    same = len(others) - len(differing)
    said = f"{design_name(own)} has the highest mean net benefit by default and under {same} of {len(others)} other structures"
    said = said[0].upper() + said[1:]
    return Survival(same, len(others), f"{said}; not under {in_words(differing)}." if differing else f"{said}.")


def best_by_worth(runs: pd.DataFrame, sets: pd.DataFrame) -> pd.DataFrame:
    """Return the best design by variant (index): at several worths of an adopter-year, and of the most effect within several budgets."""
    rows = {}
    for variant, mine in runs.groupby("variant", sort=False):
        sample, programme = psa_sample(mine, sets), psa_sample(mine, sets, perspective="programme")
        row = {f"EUR {k:,.0f}": design_name(str(sample.net_benefit(k).mean().idxmax())) for k in WORTHS}
        effect, spent = sample.effect.mean(), programme.cost.mean()
        row |= {f"up to EUR {budget / 1e6:g} million": design_name(str(effect[spent <= budget].idxmax())) for budget in BUDGETS}
        rows[variant] = row
    return pd.DataFrame.from_dict(rows, orient="index")
