"""How designs stand under each structural choice: net benefit, probability of being best, and whether the advice survives."""

from typing import NamedTuple

import pandas as pd
from scipy.stats import kendalltau

from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.report.sentences import in_words
from school_mentoring.model.world.structure import WORLD_WORDS

from .advice import standing
from .psa import WILLINGNESS_TO_PAY, psa_sample

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


def by_structure(runs: pd.DataFrame, sets: pd.DataFrame, k: float, perspective: str = "society") -> pd.DataFrame:
    """Return what the parameter sets of each structure alone would advise, a row for each word of the choices that vary over the sets.

    ``sets``: a column for each choice (``world.network``) beside parameters. Columns: choice, value, sets (their number), design (of the
    highest mean net benefit), net_benefit (over no programme, EUR), probability_best with its 90 % interval (low, high), most_effect (the
    design of the highest mean effect). Words of fewer than two sets are left out.
    """
    rows = []
    for name in (name for name in WORLD_WORDS if name in sets and sets[name].nunique() > 1):
        for word in (word for word in WORLD_WORDS[name] if (sets[name] == word).sum() > 1):
            sample = psa_sample(runs, sets[sets[name] == word], perspective=perspective)
            found = standing(sample, k)
            first, none = found.row(found.first), found.row(COMPARATOR)
            figures = {figure: first[figure] for figure in ("probability_best", "low", "high")}
            benefit = first["net_benefit"] - none["net_benefit"]
            row = {"choice": name.partition(".")[2], "value": word, "sets": sample.sets, "design": found.first, "net_benefit": benefit}
            rows.append({**row, **figures, "most_effect": str(sample.effect.mean().idxmax())})
    return pd.DataFrame(rows)


def structure_sentence(table: pd.DataFrame, k: float) -> str:
    """Say in which structures of ``by_structure`` alone another design would come first than in most of them; nothing of no rows."""
    if table.empty:
        return ""
    most = str(table["design"].mode().iloc[0])
    others = table[table["design"] != most]
    listed = in_words([f"{design_name(row.design)} under {row.choice} {row.value}".replace("_", " ") for row in others.itertuples()])
    said = f"The sets of each structure alone put {design_name(most)} first at EUR {k:,.0f} per adopter-year"
    return f"{said}, but {listed}." if len(others) else f"{said}, whichever the structure."


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
        row = {f"EUR {k:,.0f}": design_name(str(sample.net_benefit(k).mean().idxmax())) for k in WILLINGNESS_TO_PAY}
        effect, spent = sample.effect.mean(), programme.cost.mean()
        row |= {f"up to EUR {budget / 1e6:g} million": design_name(str(effect[spent <= budget].idxmax())) for budget in BUDGETS}
        rows[variant] = row
    return pd.DataFrame.from_dict(rows, orient="index")
