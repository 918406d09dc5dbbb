"""What the tables say in two or three plain sentences, whose words follow from the numbers by rule.

Rules. A difference counts where it exceeds two standard errors, else designs are not told apart. A design is called ahead under
uncertainty only where the 90 % interval of its probability of being best lies above one half, else no design is clearly ahead. Figures
are rounded to what their error leaves of them. Every probability comes with what it is conditional on.
"""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.summary import between_designs, cost_effectiveness, ranking


def sentences(
    runs: pd.DataFrame,
    uncertain: pd.DataFrame | None = None,
    *,
    worlds: int,
    willingness_to_pay: float | None = None,
    effects: pd.DataFrame | None = None,
) -> list[str]:
    """Return what ``runs`` at the base parameters say of effect and of cost, and ``uncertain`` of how sure the ranking is.

    ``uncertain`` holds runs of several parameter sets; with ``willingness_to_pay`` (EUR per adopter-year) it is ranked by net benefit too.
    ``effects``: the ``cost_effectiveness`` of the runs, where it is known already.
    """
    table = cost_effectiveness(runs, worlds=worlds) if effects is None else effects
    if len(table) < 2:
        return [f"There is no design to compare with {design_name(COMPARATOR)}."]
    said = [_effect(table, runs, worlds), _cost(table)]
    if uncertain is not None:
        said.append(ranking_sentence(ranking(uncertain, willingness_to_pay=() if willingness_to_pay is None else (willingness_to_pay,))))
    return said


def in_words(names: Sequence[str]) -> str:
    """Return names as a list in words: 'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def with_error(value: float, se: float) -> str:
    """Return a value and two standard errors, both to two figures of the latter: '7,620 ± 280'."""
    error = 2 * se
    if not error > 0:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    decimals = 1 - math.floor(math.log10(error))
    shown = max(0, decimals)
    return f"{round(value, decimals):,.{shown}f} ± {round(error, decimals):,.{shown}f}"


def percent(share: float) -> str:
    """Return a share in per cent that says 0 or 100 only where it is."""
    rounded = round(100 * share)
    if rounded == 100 and share < 1:
        return "more than 99 %"
    return "less than 1 %" if rounded == 0 and share > 0 else f"{rounded} %"


def _effect(table: pd.DataFrame, runs: pd.DataFrame, worlds: int) -> str:
    rows = table[table["design"] != COMPARATOR].sort_values("incremental_effect", ascending=False, kind="stable")
    best = rows.iloc[0]
    count, base = runs[["parameter_set", "replicate"]].drop_duplicates().shape[0], design_name(COMPARATOR)
    leader, gained = str(best["design"]), with_error(best["incremental_effect"], best["incremental_effect_se"])
    if not best["incremental_effect"] > 2 * _error(best["incremental_effect_se"]):
        return f"No design adds adopter-years to {base} that {count} runs at the base parameters can tell from 0."
    if count == 1:
        return f"In a single run at the base parameters {design_name(leader)} adds most, {gained} adopter-years over {base}."
    beside = {}
    for row in between_designs(runs, "effect_adopter_years", worlds=worlds, involving=leader).to_dict("records"):
        other = str(row["comparator"] if row["design"] == leader else row["design"])
        if other != COMPARATOR and abs(row["mean"]) <= 2 * _error(row["se"]):
            beside[other] = row["mean"] == 0 and row["sd"] == 0
    if not beside:
        return f"At the base parameters {design_name(leader)} adds most: {gained} adopter-years over {base} ({count} runs)."
    names = in_words([design_name(name) for name in (leader, *beside)])
    why = "they are tied" if all(beside.values()) else f"{count} runs do not tell them apart"
    return f"At the base parameters {names} add most, about {gained} adopter-years over {base}; {why}."


def _cost(table: pd.DataFrame) -> str:
    priced = table[table["cost_per_effect"].notna() & (table["note"] == "")].sort_values("cost_per_effect", kind="stable")
    if priced.empty:
        return "No design adds enough to state what an added adopter-year costs."

    def price(row: "pd.Series[Any]") -> str:
        return f"{design_name(str(row['design']))} ({with_error(row['cost_per_effect'], row['cost_per_effect_se'])} EUR)"

    first = priced.iloc[0]
    error = [2 * math.hypot(_error(first["cost_per_effect_se"]), _error(se)) for se in priced["cost_per_effect_se"]]
    near = priced[priced["cost_per_effect"] - first["cost_per_effect"] <= error]
    listed = in_words([price(row) for _, row in near.iterrows()])
    said = f"An added adopter-year costs least with {listed}" + (", which cannot be told apart" if len(near) > 1 else "")
    most = priced.sort_values("incremental_effect", ascending=False, kind="stable").iloc[0]
    if most["design"] not in set(near["design"]):
        said += f"; with the largest effect, {price(most)}"
    worse = [design_name(str(name)) for name in table.loc[(table["status"] != "frontier") & (table["design"] != COMPARATOR), "design"]]
    if worse:
        said += f"; going by the means, other designs, or mixes of them, do as much for less than {in_words(worse)}"
    return said + "."


def ranking_sentence(table: pd.DataFrame) -> str:
    """Return in a sentence what a ``ranking`` over parameter sets says."""
    parts = []
    for (criterion, k), rows in table.groupby(["criterion", "willingness_to_pay"], dropna=False, sort=False):
        priced = f"has the highest net benefit at {k:,.0f} EUR per adopter-year"
        parts.append(_who(rows, priced if criterion == "net_benefit" else "has the most adopter-years"))
    sets = int(table["sets"].iloc[0])
    return f"Over {sets} drawn parameter sets, given this model and these designs, {'; '.join(parts)}."


def _who(rows: pd.DataFrame, what: str) -> str:
    top = float(rows["probability_best"].max())
    first = rows[rows["probability_best"] >= top - 1e-9]
    names = [design_name(str(name)) for name in first["design"]]
    low, high = float(first["low"].iloc[0]), float(first["high"].iloc[0])
    if len(names) > 1:
        return f"no design is clearly ahead: {in_words(names)} are tied, each {what} in {percent(top)}"
    if top == 1.0:
        return f"{names[0]} {what} in all of them"
    range_ = f"{percent(top)} (90 % interval {round(100 * low)} to {round(100 * high)} %)"
    return f"{names[0]} {what} in {range_}" if low > 0.5 else f"no design is clearly ahead: {names[0]} {what} in {range_}, no other in more"


def _error(se: float) -> float:
    """Return a standard error, 0 where one run leaves none."""
    return 0.0 if math.isnan(se) else se
