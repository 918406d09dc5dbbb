"""What is said of the gates of programmes: how often each way is taken, and what asking first is worth."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from school_mentoring.analysis.economics.advice import euros, euros_with_error
from school_mentoring.analysis.economics.gates import ALWAYS, NEVER
from school_mentoring.analysis.outcomes import design_name
from school_mentoring.analysis.report.document import Section, Table, Text
from school_mentoring.analysis.report.sentences import percent


def gate_sentence(row: Mapping[str, Any]) -> str:
    """Say of a row of ``gates_table`` which ways were taken, what the gate is worth, and which threshold would be best."""
    return f"{_gate(row)}: {_ways(row)} {_worth(row)} {_best(row)}"


def gates_section(table: pd.DataFrame) -> Section:
    """Return the chapter on gates; ``table``: of ``gates_table``, at one willingness to pay."""
    rows = table.to_dict("records")
    columns = ["gate", "goes on", "found", "with the gate", "always", "never", "worth ± two standard errors"]
    cells = []
    for row in rows:
        seen = [percent(row["goes_on"]) if row["asked"] else "-", _share(row["found"])]
        cells.append([_gate(row), *seen, *map(euros, _benefits(row)), _with(row, "worth")])
    caption = "Net benefit over no programme of asking first, and of going on always and never"
    about = (
        "The worth of a gate is the net benefit of the programme with it less the better of always and never going on: the value of trying "
        "first, after the cost of the survey. The phases before a gate are the same in all three. A threshold that does not fit what an "
        "adopter-year is worth makes it negative; the best one is judged by runs that did not choose it."
    )
    words = [Text(gate_sentence(row)) for row in rows]
    return Section(
        "gates", "What trying first is worth", [*words, Table(caption, columns, cells, (), (26, 9, 9, 14, 14, 14, 18)), Text(about)]
    )


def _gate(row: Mapping[str, Any]) -> str:
    return f"Gate of {design_name(str(row['design']))} at {row['gate']}"


def _ways(row: Mapping[str, Any]) -> str:
    runs = f"{row['runs']:,} runs"
    if not row["asked"] > 0:
        return f"none of {runs} came to it."
    came = f"of the {percent(row['asked'])} of {runs} that came to it" if row["asked"] < 1 else f"of {runs}"
    spread = "" if math.isnan(row["found_sd"]) else f" (standard deviation {100 * row['found_sd']:.2g} points)"
    went, found, asked = percent(row["goes_on"]), _share(row["found"]), _share(row["at_least"])
    return f"{went} {came} go on; {found} use the practice on average{spread}, and {asked} are asked for."


def _worth(row: Mapping[str, Any]) -> str:
    better = "always" if row["net_benefit_always"] >= row["net_benefit_never"] else "never"
    return (
        f"At EUR {row['willingness_to_pay']:,.0f} per adopter-year it is worth {_told(row, 'worth')} beside {better} going on, the better "
        "way without it."
    )


def _best(row: Mapping[str, Any]) -> str:
    best = row["best_at_least"]
    if best in (ALWAYS, NEVER):
        return f"On these runs no threshold does better than {'always' if best == ALWAYS else 'never'} going on."
    return f"The best threshold on these runs, {_share(best)}, is worth {_told(row, 'best_worth')} to runs that did not choose it."


def _benefits(row: Mapping[str, Any]) -> list[float]:
    return [float(row[name]) for name in ("net_benefit", "net_benefit_always", "net_benefit_never")]


def _with(row: Mapping[str, Any], name: str) -> str:
    se = float(row[f"{name}_se"])
    return euros(float(row[name])) if math.isnan(se) else euros_with_error(float(row[name]), se)


def _told(row: Mapping[str, Any], name: str) -> str:
    """Return a worth as a sentence says it."""
    vague = 0 < abs(row[name]) <= 2 * row[f"{name}_se"]
    return _with(row, name) + (", not told apart from 0," if vague else "")


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.3g} %"
