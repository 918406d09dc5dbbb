"""Who gains, by school type and country, and whether minding inequality changes the choice."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.economics.acceptability import by_group
from school_mentoring.analysis.economics.advice import about
from school_mentoring.analysis.economics.equity import AVERSION, EquityDistribution, best_by_aversion, distribution, gains
from school_mentoring.analysis.figures import economics as draw
from school_mentoring.analysis.outcomes import COMPARATOR, design_name, group_name
from school_mentoring.analysis.report.document import Picture, Section, Table, Text
from school_mentoring.analysis.report.sentences import in_words, percent

from .facts import StudyFacts, not_recorded


def gains_section(facts: StudyFacts, tables: dict[str, pd.DataFrame]) -> Section:
    """Return who gains, by school type and country, and whether minding inequality changes the choice."""
    title = "Who gains"
    if "teachers:rural_disadvantaged" not in facts.used:
        return Section("gains", title, [Text(not_recorded("by school type and country"))])
    parameters = facts.evidence.parameters if len(facts.evidence.parameters) else None
    spread = distribution(facts.used, parameters, over="school_types", perspective=facts.perspective)
    types = gains(spread)
    places = [name.removeprefix("teachers:") for name in facts.used.columns if name.startswith("teachers:country:")]
    parts, prices = [types], pd.DataFrame({"group": [], "design": [], "cost_per_effect": []})
    if len(places) > 1:
        parts.append(gains(distribution(facts.used, parameters, over="countries", perspective=facts.perspective)))
        prices = by_group(facts.used, places, parameters, perspective=facts.perspective)
        tables["countries.csv"] = prices
    tables["gains.csv"] = pd.concat(parts, ignore_index=True)
    names = dict(facts.evidence.countries)
    said = who_gains(spread, facts.chosen, names)
    shown = [design for design in dict.fromkeys((facts.chosen, *facts.found.beside)) if design != COMPARATOR]
    blocks: list[Any] = [Text(said), Text(_flips(spread, facts.k, tables))]
    blocks += [_table(design, tables["gains.csv"], prices, names) for design in shown]
    by_country = " Those of a country are what is spent in it, against what is added in it." if len(places) > 1 else ""
    of_costs = (
        f"Costs are recorded by country, not by school type: what a school type costs is not known.{by_country} Where a table asks for "
        "the costs of a school type (gains.csv), all teachers bear the same."
    )
    blocks += [
        Text(of_costs),
        Picture(
            "gains",
            lambda: draw.gains(tables["gains.csv"], names),
            f"Dot plot of adopter-years added per 100 teachers by school type and country. {said}",
            "What each design adds in each group of schools, per 100 teachers, so that large and small groups compare.",
        ),
    ]
    return Section("gains", title, blocks)


def _table(design: str, gained: pd.DataFrame, prices: pd.DataFrame, names: Mapping[str, str]) -> Table:
    of_design = prices[prices["design"].astype(str) == design]
    price = dict(zip(of_design["group"], of_design["cost_per_effect"], strict=True))
    rows = []
    for row in gained[gained["design"].astype(str) == design].to_dict("records"):
        cells = [_group(row["group"], names), percent(row["share_of_teachers"]), about(row["gain"])]
        cells += [f"{about(row['low'])} to {about(row['high'])}", _share(row)]
        rows.append([*cells, "-" if pd.isna(price.get(row["group"])) else f"{price[row['group']]:,.0f}"])
    columns = ["group", "of all teachers", "adopter-years per 100 teachers", "90 % range", "of all that is added", "EUR per adopter-year"]
    caption = f"What {design_name(design)} adds to no programme in each group of schools (means over parameter sets)"
    return Table(caption, columns, rows, (), (34, 11, 16, 15, 13, 14))


def _share(row: Mapping[str, Any]) -> str:
    if pd.isna(row["share_of_gain"]):
        return "-"
    return percent(row["share_of_gain"]) if row["share_of_gain"] >= 0 else "loses"


def _group(name: str, names: Mapping[str, str]) -> str:
    return group_name(str(name), names).removeprefix("schools in ")


def who_gains(spread: EquityDistribution, design: str, names: Mapping[str, str]) -> str:
    """Say which groups gain most and least of a design, per teacher; those within two standard errors (paired) are named together."""
    if design not in spread.designs or design == COMPARATOR:
        return "No design is there whose gains could be shared out."
    gained = 100 * (spread.effect[:, spread.position(design)] - spread.effect[:, spread.position(COMPARATOR)])
    means, start = gained.mean(axis=0), f"With {design_name(design)}"
    order = np.argsort(-means, kind="stable")
    top = [g for g in order if not _apart(gained[:, order[0]] - gained[:, g])]
    last = [g for g in order if g not in top and not _apart(gained[:, g] - gained[:, order[-1]])]
    if not last:
        return f"{start} no school type gains more or less than the others by more than two standard errors, per teacher."

    def listed(groups: list[int]) -> str:
        return in_words([f"{_group(spread.groups[g], names)} ({about(means[g])})" for g in groups])

    said = f"{start}, by the means, {listed(top)} gain most, in adopter-years per 100 teachers, and {listed(last)} least"
    if len(gained) == 1:
        return f"{said}, under the one parameter set looked at."
    sure = percent(float((gained[:, order[0]] > gained[:, order[-1]]).mean()))
    return f"{said}; in {sure} of parameter sets the first of these gain more than the last."


def _apart(difference: "np.ndarray[Any, Any]") -> bool:
    """Tell whether a mean difference exceeds two standard errors; with one value, whether it is above 0."""
    error = difference.std(ddof=1) / np.sqrt(len(difference)) if len(difference) > 1 else 0.0
    return bool(difference.mean() > 2 * error)


def _flips(spread: EquityDistribution, k: float, tables: dict[str, pd.DataFrame]) -> str:
    """Say whether minding inequality between school types changes the choice."""
    try:
        flips = best_by_aversion(spread, k)
    except ValueError:  # a group of schools is left with less than nothing, of which Atkinson's index says nothing
        return "Costs exceed what some group of schools has in adopter-years, so minding inequality cannot be weighed at this worth of one."
    tables["aversion.csv"] = flips
    weighed = "Only adopter-years are weighed so; costs count in full, whoever bears them."
    if len(flips) < 2:
        most = f"Atkinson aversion up to {flips['to'].iloc[-1]:g}"
        return f"However much inequality between school types is minded ({most}), the best design by the means stays the same. {weighed}"
    rows = flips.to_dict("records")
    later = in_words([f"{design_name(str(row['design']))} above {row['from']:.3g}" for row in rows[1:]])
    return (
        f"By the means, whoever minds inequality between school types would choose {later} in Atkinson aversion, instead of "
        f"{design_name(str(rows[0]['design']))} (0 is indifference; for health, a sample of the public in England was found at "
        f"{AVERSION['atkinson']:g}: Robson et al. 2017). {weighed}"
    )
