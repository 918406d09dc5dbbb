"""The answer of a recommendation in three sentences, whose words follow from the numbers by rule.

The unit of uncertainty is the parameter set (its replicates averaged); with a single set it is the replicate, and all that may be said is
what holds for that set. Rules:

- Designs are ordered by mean net benefit. One whose net benefit agrees with the first's in every unit is **tied** with it; one whose mean
  lies within two standard errors (paired) of it is **not told apart** from it. Otherwise the first is ahead in expectation.
- A design ahead in expectation is called **more likely than not**, **likely** or **very likely** the best only where the 90 % interval of
  its probability of being best lies above one half, 0.66, 0.9 (the IPCC's words; Mastrandrea et al. 2010); below, none is clearly ahead.
- An effect or cost is called more or less than the comparator's only where 95 % of the units agree.
- Nothing is called worth knowing whose value is not told apart from that of shuffled parameters, and of several whose values lie within two
  standard errors of the highest none is called the most worth knowing. Values come with two standard errors.
- Where doing nothing comes first, that is the advice.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.outcomes import COMPARATOR, OWN_TERMS, Terms, design_name
from school_mentoring.analysis.report.sentences import in_words, percent, with_error

from .acceptability import acceptability
from .psa import Sample
from .value_of_information import ENOUGH_SETS, Perfect

AGREE = 0.95
MOST_RANGES = 4
"""Ranges of the worth of an adopter-year that one sentence lists; of more, those around the one in question."""
LIKELY = ((0.9, "very likely"), (0.66, "likely"), (0.5, "more likely than not"))
"""Words for a probability whose interval lies above a bound."""


@dataclass(frozen=True)
class Standing:
    """How designs stand by net benefit.

    ``table``: one row per design, the best mean first: ``design``, ``net_benefit``, ``behind``: mean shortfall from the first, ``error``:
    its standard error (nan with one unit), ``tied``, ``not_told_apart``, ``probability_best``, ``low``, ``high``, ``expected_loss``.
    ``sets``: parameter sets; ``units``: what the errors are taken over; ``terms``: of the sample.
    """

    table: pd.DataFrame
    willingness_to_pay: float
    sets: int
    units: int
    terms: Terms = OWN_TERMS

    @property
    def first(self) -> str:
        """The design with the highest mean net benefit."""
        return str(self.table["design"].iloc[0])

    @property
    def beside(self) -> list[str]:
        """The designs that are tied with the first or not told apart from it."""
        rows = self.table.iloc[1:]
        return [str(name) for name in rows.loc[rows["tied"] | rows["not_told_apart"], "design"]]

    def row(self, design: str) -> dict[str, Any]:
        """Return the figures of one design."""
        return dict(self.table[self.table["design"] == design].iloc[0])


def standing(sample: Sample, willingness_to_pay: float) -> Standing:
    """Return how designs stand at a willingness to pay in EUR per unit of effect."""
    by_set = sample.net_benefit(willingness_to_pay)
    units = by_set if sample.sets > 1 else sample.net_benefit_runs(willingness_to_pay)
    chances = acceptability(sample, willingness_to_pay).assign(design=lambda t: t["design"].astype(str)).set_index("design")
    means = {name: math.fsum(by_set[name].tolist()) / len(by_set) for name in by_set}
    order = sorted(means, key=lambda name: -means[name])
    rows = []
    for name in order:
        short = (units[order[0]] - units[name]).to_numpy(np.float64)
        behind = math.fsum(short.tolist()) / len(short)
        error = float(short.std(ddof=1) / math.sqrt(len(short))) if len(short) > 1 else math.nan
        tied = bool((short == 0).all())
        row = {"design": name, "net_benefit": means[name], "behind": behind, "error": error, "tied": tied}
        row["not_told_apart"] = not tied and not behind > 2 * (0.0 if math.isnan(error) else error)
        figures = ("probability_best", "low", "high", "expected_loss")
        rows.append(row | {figure: float(chances.loc[name, figure]) for figure in figures})
    return Standing(pd.DataFrame(rows), willingness_to_pay, sample.sets, len(units), sample.terms)


def about(value: float) -> str:
    """Return a number to three significant digits, thousands apart."""
    if not math.isfinite(value):
        return "no number"
    rounded = float(f"{value:.3g}")
    if abs(rounded) >= 100 or value == int(value):
        return f"{rounded:,.0f}"
    return f"{rounded:.{2 - math.floor(math.log10(abs(rounded)))}f}"


def euros(value: float) -> str:
    """Return money to three significant digits: EUR 4.88 million, EUR 612,000, EUR 540, less than nothing as such."""
    if not math.isfinite(value):
        return "no amount"
    sign = "-" if value < 0 else ""
    size = abs(float(f"{value:.3g}"))
    return f"EUR {sign}{size / 1e6:,.3g} million" if 1e6 <= size < 1e9 else f"EUR {sign}{size:,.0f}"


def euros_with_error(value: float, se: float) -> str:
    """Return money and two standard errors, both to two figures of the latter: EUR 260,000 ± 110,000, EUR 1.24 ± 0.11 million."""
    if not se > 0:
        return euros(value)
    scale, unit = (1e6, " million") if abs(value) >= 1e6 else (1.0, "")
    return f"EUR {with_error(value / scale, se / scale)}{unit}"


def choice_sentence(found: Standing) -> str:
    """Return what to choose at the willingness to pay, and how sure that is."""
    worth = f"If an added {found.terms.unit} is worth EUR {found.willingness_to_pay:,.0f}"
    first, row = found.first, found.row(found.first)
    beside = found.beside
    if beside:
        names = in_words([design_name(name) for name in (first, *beside)])
        alike = "are not told apart: their mean net benefits differ by less than two standard errors"
        if all(found.row(name)["tied"] for name in beside):
            alike = "are tied: they have the same net benefit in every run"
        listed = in_words([f"{design_name(name)} in {percent(found.row(name)['probability_best'])}" for name in (first, *beside)])
        chances = f" (the best of all: {listed} of {found.sets:,} parameter sets)" if found.sets > 1 else ""
        return f"{worth}, {names} {alike}{chances}."
    if found.units == 1:
        return f"{worth}, {_advice(found)} in the one run made; a single run does not tell how much of that is chance."
    if found.sets == 1:
        return f"{worth}, {_advice(found)} under the one parameter set looked at; nothing is known of other assumptions."
    chance = f"it is the best in {percent(row['probability_best'])} of {found.sets:,} parameter sets"
    if row["probability_best"] < 1.0:
        chance += f" (90 % interval {round(100 * row['low'])} to {round(100 * row['high'])} %)"
    if row["low"] <= 0.5:
        rival = found.table[found.table["design"] != first].sort_values("probability_best", kind="stable").iloc[-1]
        other = f"; {design_name(str(rival['design']))} is the best in {percent(float(rival['probability_best']))}"
        return f"{worth}, {_advice(found)}, but no design is clearly ahead: {chance}{other}."
    strength = next(words for least, words in LIKELY if row["low"] > least)
    return f"{worth}, {_advice(found)}, and {strength} is the best choice: {chance}."


def _advice(found: Standing) -> str:
    if found.first == found.terms.comparator:
        other = "" if found.first == COMPARATOR else "other "
        return f"no {other}design is worth what it costs, and {found.terms.nothing} has the highest expected net benefit"
    return f"{design_name(found.first)} has the highest expected net benefit"


def consequence_sentence(found: Standing, table: pd.DataFrame, payers: Mapping[str, float]) -> str:
    """Return what the first design adds and costs; ``table``: of ``incremental``, ``payers``: its added cost by who bears it."""
    first = next((name for name in (found.first, *found.beside) if name != found.terms.comparator), None)
    rows = table.assign(design=table["design"].astype(str)).set_index("design")
    if first is None:
        return _least_bad(found, rows)
    row = dict(rows.loc[first])
    spread = found.sets > 1
    effect, cost = row["incremental_effect"], row["incremental_cost"]
    many = f"{about(abs(effect))} {found.terms.units}"
    if spread:
        many += f" (90 % of parameter sets: {about(row['incremental_effect_low'])} to {about(row['incremental_effect_high'])})"
    chance = row["probability_more_effective"]
    if effect == 0:
        does = f"{design_name(first).capitalize()} adds nothing to {found.terms.none}"
    elif spread and not (chance >= AGREE or chance <= 1 - AGREE):
        open_ = f"more in {percent(chance)} of parameter sets, on average {about(effect)}"
        does = f"Whether {design_name(first)} adds {found.terms.units} is open ({open_})"
    else:
        adds, to = ("adds", "to") if effect > 0 else ("loses", "against")
        does = f"{design_name(first).capitalize()} {adds} {many} {to} {found.terms.none}"
    return f"{does}{_and_costs(found.terms, row, cost, payers, spread)}."


def _and_costs(terms: Terms, row: Mapping[str, Any], cost: float, payers: Mapping[str, float], spread: bool) -> str:
    if cost == 0:
        return " and costs nothing"
    said = f" and {'costs' if cost > 0 else 'saves'} {euros(abs(cost))}"
    if spread:
        low, high = sorted((abs(row["incremental_cost_low"]), abs(row["incremental_cost_high"])))
        if row["incremental_cost_low"] * row["incremental_cost_high"] >= 0:
            said += f" ({euros(low)} to {euros(high)})"
    parts = [f"{euros(value)} {whose}" for whose, value in payers.items() if round(value) > 0]
    if cost > 0 and len(parts) > 1:
        said += f", of which {in_words(parts)}"
        received = -sum(value for value in payers.values() if round(value) < 0)
        said += f", less {euros(received)} that the schools receive beyond what they spend" if received else ""
    price = row["cost_per_effect"]
    return said + (f": {euros(price)} per {terms.unit}" if price > 0 else "")


def _least_bad(found: Standing, rows: pd.DataFrame) -> str:
    """Return what the design that comes next after the comparator would add and cost."""
    others = [str(name) for name in found.table["design"] if name != found.terms.comparator]
    row = dict(rows.loc[others[0]])
    effect = row["incremental_effect"]
    adds = f"would {'add' if effect >= 0 else 'lose'} {about(abs(effect))} {found.terms.units}"
    cost = row["incremental_cost"]
    paid = f"for {euros(cost)}" if cost >= 0 else f"and save {euros(-cost)}"
    behind = euros(found.row(others[0])["behind"])
    return f"The next, {design_name(others[0])}, {adds} {paid}, which leaves it {behind} behind {found.terms.nothing} in net benefit."


def dependence_sentence(
    found: Standing, ranges: pd.DataFrame, perfect: Perfect, known: pd.DataFrame | None, names: Mapping[str, str]
) -> str:
    """Return what the choice hangs on: what an adopter-year is worth, and what is not known.

    ``ranges``: of ``best_by_willingness``; ``perfect``: of ``evpi``; ``known``: table of ``evppi``, None where there was too little to
    tell; ``names``: what parameters are called.
    """
    said = _worth_range(found, ranges)
    if found.sets == 1:
        return f"{said}; the study varies no assumption, so it cannot say on which of them this hangs."
    if not perfect.value > 0:
        return f"{said}; none is better under any of the {found.sets:,} parameter sets, so nothing more needs to be known for this choice."
    everything = f"knowing all that is uncertain before choosing would be worth {euros_with_error(perfect.value, perfect.se)}"
    if known is None:
        few = f"{found.sets} parameter sets are too few" if found.sets < ENOUGH_SETS else "the sample holds no parameters"
        return f"{said}; {everything}, and {few} to say which assumption matters."
    top = known[known["worth_knowing"]]
    if top.empty:
        return f"{said}; {everything}, and no single assumption is worth knowing by itself."
    first = top[top["near_first"]].to_dict("records")
    near = [f"{names.get(str(row['name']), str(row['name']))}, worth {euros_with_error(row['value'], row['se'])}" for row in first]
    if len(near) == 1:
        return f"{said}; {everything}, and most of all it would help to know: {near[0]}."
    more = f" (and {len(near) - 2} more)" if len(near) > 2 else ""
    return f"{said}; {everything}, and most of all it would help to know either of: {'; '.join(near[:2])}{more}, which are not told apart."


def _worth_range(found: Standing, ranges: pd.DataFrame) -> str:
    rows = ranges.assign(design=ranges["design"].astype(str))
    parts = []
    for row in rows.to_dict("records"):
        name = design_name(row["design"]) if row["design"] != found.terms.comparator else found.terms.nothing
        if row["equal"]:
            name = in_words([name, *(design_name(other) for other in str(row["equal"]).split("+"))])
        low, high = row["from"], row["to"]
        if low <= 0 and math.isinf(high):
            return f"Whatever {found.terms.a_unit} is worth, {name} has the highest mean net benefit"
        span = f"below {euros(high)}" if low <= 0 else f"above {euros(low)}" if math.isinf(high) else f"from {euros(low)} to {euros(high)}"
        parts.append(f"{name} {span}")
    here = sum(low <= found.willingness_to_pay for low in rows["from"]) - 1
    said = in_words(parts)
    if len(parts) > MOST_RANGES:
        said = f"{in_words(parts[max(0, here - 1) : here + 2])} (all {len(parts)} ranges stand below)"
    return f"By the means, which design is best hangs on what {found.terms.a_unit} is worth: {said}"
