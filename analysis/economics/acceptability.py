"""Cost-effectiveness under uncertainty: increments and ratios, who is acceptable at which willingness to pay, what a wrong choice costs.

Functions of a ``psa.Sample`` (all but the first lines need several parameter sets to say anything of uncertainty). Net benefit of a
design at a willingness to pay of k EUR per unit of effect: NB = k E - C. Formulas with their sources: docs/economics.md.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from school_mentoring.analysis.summary import ranged, wilson
from school_mentoring.model.world.arrays import Floats

from .frontier import FRONTIER, frontier
from .psa import Sample, psa_sample, with_designs


def incremental(sample: Sample, comparator: str | None = None) -> pd.DataFrame:
    """Return what each design costs and brings over the comparator, and where it stands among all, by means over parameter sets.

    Columns: ``design``, ``comparator``; ``cost``, ``effect``: means; ``incremental_cost``, ``incremental_effect`` and, over parameter sets,
    their 5 and 95 % quantiles ``..._low``, ``..._high``; ``probability_cheaper``, ``probability_more_effective``: shares of parameter sets
    in which the design costs less, does more than the comparator; ``cost_per_effect``: ratio of mean increments, only where it is a price
    (more effect at no less cost); ``saved_per_effect_lost``: the same ratio where both are negative; ``quadrant``: in words; ``status``,
    ``icer``, ``icer_against``, ``dominated_by``: see ``economics.frontier``; ``sets``. Raises ValueError where there is no such comparator.
    """
    comparator = sample.terms.comparator if comparator is None else comparator
    if comparator not in sample.designs:
        raise ValueError(f"no design {comparator!r} to compare with; there are {', '.join(sample.designs)}")
    cost, effect = sample.cost, sample.effect
    standing = frontier(sample.designs, cost.mean().tolist(), effect.mean().tolist())
    rows = []
    for place in standing.to_dict("records"):
        design = str(place["design"])
        more, gained = cost[design] - cost[comparator], effect[design] - effect[comparator]
        extra, gain = float(more.mean()), float(gained.mean())
        row: dict[str, Any] = {"design": design, "comparator": comparator, "cost": place["cost"], "effect": place["effect"]}
        for name, values in (("incremental_cost", more), ("incremental_effect", gained)):
            row |= ranged(name, values)
        row |= {"probability_cheaper": float((more < 0).mean()), "probability_more_effective": float((gained > 0).mean())}
        row |= {"cost_per_effect": extra / gain if gain > 0 and extra >= 0 else np.nan}
        row |= {"saved_per_effect_lost": extra / gain if gain < 0 and extra < 0 else np.nan}
        row |= {"quadrant": "" if design == comparator else quadrant(extra, gain)}
        rows.append(row | {name: place[name] for name in ("status", "icer", "icer_against", "dominated_by")} | {"sets": sample.sets})
    return with_designs(pd.DataFrame(rows), sample.designs)


def quadrant(incremental_cost: float, incremental_effect: float) -> str:
    """Return in words where a design lies on the cost-effectiveness plane: 'costs more and does more', and so on."""
    cost = "costs more" if incremental_cost > 0 else "costs less" if incremental_cost < 0 else "costs the same"
    effect = "does more" if incremental_effect > 0 else "does less" if incremental_effect < 0 else "does the same"
    return f"{cost} and {effect}"


def acceptability(sample: Sample, willingness_to_pay: ArrayLike) -> pd.DataFrame:
    """Return for each willingness to pay (EUR per unit of effect) how likely each design is best, and what choosing it risks.

    Columns: ``willingness_to_pay``, ``design``; ``net_benefit``: mean over parameter sets, EUR; ``probability_best``: share of parameter
    sets in which it has the highest net benefit, ties split evenly (the acceptability curve, CEAC), with its 90 % interval ``low``,
    ``high``; ``highest_mean``: whether its mean net benefit is the highest, so that its acceptability is that of the frontier (CEAF; ties
    in the mean are all True); ``expected_loss``: mean of how far it stays behind the best of each parameter set, EUR; that of the design
    with the highest mean is the expected value of perfect information; ``sets``.
    """
    parts = []
    for k in np.atleast_1d(np.asarray(willingness_to_pay, np.float64)).tolist():
        benefit = sample.net_benefit(k).to_numpy()
        best = benefit.max(axis=1, keepdims=True)
        winners = benefit == best
        shares = (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)
        means = benefit.mean(axis=0)
        intervals = np.array([wilson(float(p), sample.sets) for p in shares])
        columns = {"net_benefit": means, "probability_best": shares, "low": intervals[:, 0], "high": intervals[:, 1]}
        columns |= {"highest_mean": means == means.max(), "expected_loss": (best - benefit).mean(axis=0)}
        parts.append(pd.DataFrame({"willingness_to_pay": k, "design": sample.designs, **columns, "sets": sample.sets}))
    return with_designs(pd.concat(parts, ignore_index=True), sample.designs)


def best_by_willingness(sample: Sample) -> pd.DataFrame:
    """Return which design has the highest mean net benefit in which range of the willingness to pay.

    Columns: ``design``; ``from``, ``to``: the range in EUR per unit of effect, from 0 to infinity; ``cost``, ``effect``: its means;
    ``equal``: designs with the very same mean cost and effect, joined by ``+``. The limits are the ratios along the frontier, so designs
    that no willingness to pay above 0 makes best do not appear.
    """
    standing = frontier(sample.designs, sample.cost.mean().tolist(), sample.effect.mean().tolist())
    kept = standing[standing["status"] == FRONTIER].sort_values(["cost", "effect", "design"])
    points = kept.groupby(["cost", "effect"], sort=False)["design"].agg(list)
    ratios = kept.drop_duplicates(["cost", "effect"])["icer"].fillna(0.0).tolist()
    rows = []
    for names, (cost, effect), low, high in zip(points, points.index, ratios, [*ratios[1:], np.inf], strict=True):
        if high > low:
            rows.append({"design": names[0], "from": low, "to": high, "cost": cost, "effect": effect, "equal": "+".join(names[1:])})
    return with_designs(pd.DataFrame(rows), sample.designs)


def willingness_grid(sample: Sample) -> Floats:
    """Return 101 evenly spaced willingnesses to pay from 0 to twice the highest ratio on the frontier, rounded up."""
    limits = best_by_willingness(sample)["from"]
    top = 2 * float(limits.max()) or 1000.0
    step = 10.0 ** np.floor(np.log10(top))
    return np.linspace(0.0, float(np.ceil(top / step) * step), 101)


def by_group(
    runs: pd.DataFrame, groups: Iterable[str], parameters: pd.DataFrame | None = None, *, perspective: str = "society"
) -> pd.DataFrame:
    """Return ``incremental`` of each group of schools for itself, such as ``country:HR``, with the column ``group`` in front.

    The runs must carry costs and effects of the groups (see ``psa_sample``).
    """
    tables = {group: incremental(psa_sample(runs, parameters, perspective=perspective, group=group)) for group in groups}
    return pd.concat(tables, names=["group"]).reset_index("group").reset_index(drop=True)
