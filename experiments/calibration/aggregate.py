"""Whether a fitted model leads to the curves that were seen: predictive checks on shares of groups of schools, wave by wave.

Answers of single schools, 0 or 1 as they often are, lie within almost any prediction; their sums over schools do not (Gelman, Meng & Stern
1996).
"""

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.model.world.arrays import Flags, Floats

from .survey import Survey

MOST_WAVES = 12  # of a curve that are compared
MISFIT = 0.01  # chance of curves as far out as those seen, below which the model is said not to fit


class Aggregate(NamedTuple):
    """``p``: the share of the model's own curves that lie as far from the rest as those seen; ``table``: of each group and wave."""

    p: float
    table: pd.DataFrame


def _chance(curve: Floats, centre: Floats, spread: Floats, draws: int) -> Floats:
    """Return the chance of curves (B, W) at least so far out, by Hotelling's T of a curve that was not learned from, (B,)."""
    from scipy.stats import f

    waves = curve.shape[1]
    left = curve - centre
    square = np.einsum("bw,wv,bv->b", left, np.linalg.inv(spread), left)
    return np.asarray(f.sf(square * draws * (draws - waves) / ((draws + 1) * waves * (draws - 1)), waves, draws - waves))


def check_aggregates(survey: Survey, answers: Floats, groups: dict[str, Flags], kept: Flags) -> Aggregate:
    """Return how the curves of groups (masks of schools) in kept cells (W, n) compare with predicted answers (D, W, n).

    Half of the draws say what curves to expect, the other half how far out such a curve lies: of all groups the one that is farthest out.
    """
    half, rows, far = len(answers) // 2, [], []
    for name, member in groups.items():
        cells = survey.seen & kept & member
        # Of adoption times within years it depends on the time itself who is known at a month, so only months count at which all are.
        whole = cells.sum(axis=1) == cells.any(axis=0).sum() if survey.kind == "times" else np.zeros(1, bool)
        waves = np.flatnonzero(whole if whole.any() else cells.any(axis=1))
        if not len(waves):
            continue
        waves = waves[np.unique(np.linspace(0, len(waves) - 1, MOST_WAVES).astype(int))]
        weight = np.where(cells, survey.counting, 0.0)[waves]
        total = np.maximum(weight.sum(axis=1), 1e-12)
        made, seen = ((one * weight).sum(axis=-1) / total for one in (answers[:, waves], survey.shares[waves]))
        learned = made[:half]
        spread = np.atleast_2d(np.cov(learned.T)) + np.diag((0.5 / total) ** 2)  # a share is seen to one answer only
        curves = np.concatenate([seen[None], made[half:]])
        far.append(_chance(curves, learned.mean(axis=0), spread, half))
        low, middle, high = np.quantile(made, (0.05, 0.5, 0.95), axis=0)
        column = {"group": name, "month": np.array(survey.months)[waves], "seen": seen, "low": low, "median": middle, "high": high}
        off = (seen - learned.mean(axis=0)) / np.sqrt(np.diag(spread))
        rows.append(pd.DataFrame({**column, "sds": off, "p": far[-1][0]}))
    least = np.min(far, axis=0)
    return Aggregate(float((1 + (least[1:] <= least[0]).sum()) / len(least)), pd.concat(rows, ignore_index=True))


def misfit_of(checked: Aggregate) -> dict[str, object]:
    """Return what a report says of the curves: where they are farthest from those expected, and by how much in all."""
    group = checked.table[checked.table["p"] == checked.table["p"].min()]
    group = group[group["group"] == group["group"].iloc[0]]
    worst = group.loc[group["sds"].abs().idxmax()]
    whole = checked.table[checked.table["group"] == checked.table["group"].iloc[0]]
    return {
        "aggregate_p": checked.p,
        "worst": {
            "group": str(worst["group"]), "month": int(worst["month"]), **{name: float(worst[name]) for name in ("seen", "low", "high")}
        },
        "gap": float(np.sqrt(((whole["seen"] - whole["median"]) ** 2).mean())),
    }  # fmt: skip


def observed_shares(survey: Survey, groups: dict[str, Flags], held: Flags | None) -> pd.DataFrame:
    """Return the share seen in each group and wave, with its 90 % interval from the survey's own sampling."""
    rows = []
    for (name, member), (w, month), out in product(groups.items(), enumerate(survey.months), (False, True)):
        cells = survey.seen[w] & member & ((held[w] if held is not None else False) == out)
        if not cells.any():
            continue
        weight = np.maximum(survey.counting[w, cells], 1e-12)
        share = float((survey.shares[w, cells] * weight).sum() / weight.sum())
        if survey.kind == "scale":
            error = float(np.sqrt(((survey.errors[w, cells] * weight) ** 2).sum()) / weight.sum())
        else:
            error = float(np.sqrt(max(share * (1.0 - share), 0.0) / weight.sum()))
        low, high = np.clip([share - 1.645 * error, share + 1.645 * error], 0.0, 1.0)
        rows.append(
            (
                name,
                survey.practice_names[survey.practices[w]],
                month,
                share,
                low,
                high,
                cells.sum(),
                int(survey.respondents[w, cells].sum()),
                out,
            )
        )
    return pd.DataFrame(rows, columns=["group", "practice", "month", "share", "low", "high", "schools", "respondents", "held_out"])
