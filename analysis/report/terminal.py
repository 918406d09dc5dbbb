"""What the commands show at their end: a table and sentences for the terminal, files for the study folder, one JSON document.

Numbers come from ``summary.py``, words from ``sentences.py``, pictures from ``figures/``; here they are only put together.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from school_mentoring.analysis.economics.gates import gates_table
from school_mentoring.analysis.economics.psa import HEADLINE, WILLINGNESS_TO_PAY
from school_mentoring.analysis.economics.structural import by_structure, structure_sentence
from school_mentoring.analysis.outcomes import COMPARATOR, design_name, names_in
from school_mentoring.analysis.summary import (
    between_designs,
    by_discount_rate,
    cost_effectiveness,
    cost_of_reach,
    differences,
    ranking,
    summarise,
)

from .chapters.gates import gate_sentence
from .sentences import in_words, percent, sentences, with_error

DISCOUNT_RATES = (0.0, 0.05)
"""Shown beside the scenario's own, as a discount rate is chosen and not known."""

WIDTH = 100
MOST_DRAWN = 16  # designs in one figure
MANY_FIGURES = 16  # from which on more processes are worth starting


@dataclass
class Report:
    """A command's result: ``columns`` and ``rows`` of the terminal's table, ``said`` below it, ``files`` and ``figures`` for the folder.

    ``figures`` holds functions that make a figure, by file name; ``document`` is what ``--json`` prints; ``warnings`` come before all.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    said: list[str]
    files: dict[str, pd.DataFrame]
    document: dict[str, Any]
    figures: dict[str, Callable[[], Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def write_figures(self, folder: Path, stage: Callable[[str, int, int], None] = lambda *_: None, *, processes: int = 1) -> None:
        """Write every figure into a folder as PNG and SVG; with several ``processes`` what makes them must be picklable."""
        count = len(self.figures)
        if processes == 1 or count < MANY_FIGURES:
            for done, (name, make) in enumerate(self.figures.items()):
                stage("figures", done, count)
                _write_figure(make, folder, name)
            return
        # Started anew, not forked, as the engine's threads do not survive a fork.
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(_write_figure, make, folder, name) for name, make in self.figures.items()]
            for done, job in enumerate(jobs):
                stage("figures", done, count)
                job.result()


def _write_figure(make: Callable[[], Any], folder: Path, name: str) -> None:
    from school_mentoring.analysis.figures.style import save

    save(make(), folder, name)


def comparison_report(
    *,
    runs: pd.DataFrame,
    monthly: pd.DataFrame,
    teams: pd.DataFrame,
    costs: pd.DataFrame,
    uncertain: pd.DataFrame,
    sets: pd.DataFrame,
    worlds: int,
    months: int,
    funding: Mapping[str, tuple[int, int]],
    end_of_funding: int,
    discount_rate: float,
    public_funds: float,
    schools: pd.DataFrame | None = None,
    peers: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    place: str = "",
    gates: pd.DataFrame | None = None,
) -> Report:
    """Return the report of a comparison of designs.

    ``runs``, ``monthly``, ``teams``, ``costs``: replicates at the base parameters; ``uncertain``: runs under drawn parameter sets (may be
    empty), ``sets``: these; ``schools``, ``peers``, ``contacts``, ``place``: the picture of one country, where there is one;
    ``funding``: each design's funded window; ``gates``: the runs of gates, where a programme has any.
    """
    rates = sorted({*DISCOUNT_RATES, discount_rate})
    drawn = uncertain if uncertain["parameter_set"].nunique() > 1 else None
    effects, reach = cost_effectiveness(runs, worlds=worlds), cost_of_reach(runs)
    ranks = None if drawn is None else ranking(drawn, willingness_to_pay=WILLINGNESS_TO_PAY)
    files = {
        "summary.csv": summarise(runs, worlds=worlds),
        "differences.csv": differences(runs, worlds=worlds),
        "pairs.csv": pd.concat([between_designs(runs, name, worlds=worlds) for name in ("effect_adopter_years", "cost_society")]),
        "cost_effectiveness.csv": effects,
        "reach.csv": reach,
        "discounting.csv": by_discount_rate(monthly, costs, rates, public_funds=public_funds),
    }
    structures = pd.DataFrame() if drawn is None else by_structure(drawn, sets, HEADLINE)
    if ranks is not None:
        files["ranking.csv"] = ranks
    if len(structures):
        files["structures.csv"] = structures
    window = end_of_funding, months - 1
    columns, rows = _comparison_rows(effects, files["summary.csv"], _shares(monthly, window), ranks, window)
    said = sentences(runs, drawn, worlds=worlds, willingness_to_pay=HEADLINE if drawn is not None else None)
    said += [
        structure_sentence(structures, HEADLINE),
        _reached(reach),
        _discounted(effects, files["discounting.csv"]),
        _saved(files["pairs.csv"]),
    ]
    at_gates = pd.DataFrame() if gates is None or gates.empty else gates_table(gates, WILLINGNESS_TO_PAY)
    if len(at_gates):
        files["gates.csv"] = at_gates
        said += [gate_sentence(row) for row in at_gates[at_gates["willingness_to_pay"] == HEADLINE].to_dict("records")]
    shown = _shown(effects)
    if len(shown) < len(effects):
        said.append(
            f"Figures show {design_name(COMPARATOR)} and, of {len(effects) - 1} designs, the {len(shown) - 1} of highest net benefit at "
            f"EUR {HEADLINE:,.0f} an adopter-year; the tables hold all."
        )
    document = {
        "designs": _by_design(files["summary.csv"]),
        "differences": records(files["differences.csv"]),
        "cost_effectiveness": records(effects),
        "reach": records(reach),
        "ranking": [] if ranks is None else records(ranks),
        "structures": records(structures),
        **({"gates": records(at_gates)} if len(at_gates) else {}),
        "said": said,
    }
    from school_mentoring.analysis import figures as draw

    runs, monthly, teams, costs = (table[table["design"].isin(shown)] for table in (runs, monthly, teams, costs))
    drawn, schools = (None if table is None else table[table["design"].isin(shown)] for table in (drawn, schools))
    count = runs[["parameter_set", "replicate"]].drop_duplicates().shape[0]
    figures: dict[str, Callable[[], Any]] = {
        "adoption": lambda: draw.adoption(monthly, funding),
        **({"teams": lambda: draw.teams(teams, monthly, funding)} if (teams.loc[teams["group"] == "team", "teachers"] > 0).any() else {}),
        "costs": lambda: draw.costs(costs, runs=count, discount_rate=discount_rate),
        "gaps": lambda: draw.gaps(runs),
    }
    if len(names_in(runs["design"])) > 1:
        figures["cost_effect"] = lambda: draw.cost_effect(runs, drawn)
        if window[0] < window[1]:
            figures["durability"] = lambda: draw.durability(runs, end_of_funding=window[0], end=window[1])
    for design in [] if schools is None else names_in(schools["design"]):
        look: dict[str, Any] = {"design": design, "funding": funding.get(design), "place": place}
        figures[f"network_{design}"] = partial(draw.network, schools, peers, contacts, **look)
    return Report(columns, rows, [text for text in said if text], files, document, figures)


def _shown(effects: pd.DataFrame) -> list[str]:
    """Return the designs that figures show: all, or none and those of highest net benefit where they are too many to be told apart."""
    benefit = HEADLINE * effects["incremental_effect"] - effects["incremental_cost"]
    best = benefit.where(effects["design"].astype(str) != COMPARATOR, math.inf).sort_values(ascending=False, kind="stable").index
    return effects["design"].astype(str)[best[:MOST_DRAWN]].tolist()


def _shares(monthly: pd.DataFrame, months: tuple[int, int]) -> pd.DataFrame:
    """Return the mean share of adopting teachers by design (index) and month (columns)."""
    rows = monthly[(monthly["group"] == "all") & monthly["month"].isin(months)]
    runs = rows.groupby(["design", "replicate", "month"], observed=True)[["adopters", "teachers"]].sum()
    return (runs["adopters"] / runs["teachers"]).groupby(["design", "month"], observed=True).mean().unstack("month")


def _comparison_rows(
    effects: pd.DataFrame,
    summary: pd.DataFrame,
    shares: pd.DataFrame,
    ranks: pd.DataFrame | None,
    window: tuple[int, int],
) -> tuple[list[str], list[list[str]]]:
    columns = ["design", f"% in\nmonth\n{window[0]}", f"month\n{window[1]}", "added\nadopter-\nyears", "gap of\ndisadv.\npoints"]
    columns += ["pro-\ngramme\nkEUR", "schools\nkEUR", "society\nEUR per\nadopter-\nyear"]
    if ranks is not None:
        columns += ["P(most\neffect)", f"P(best)\nat EUR\n{HEADLINE:,.0f}"]
    means = summary.assign(design=summary["design"].astype(str)).set_index(["design", "outcome"])["mean"]
    rows = []
    for row in effects.to_dict("records"):
        design = str(row["design"])
        cells = [design_name(design), *(f"{100 * shares.loc[design, month]:.1f}" for month in window)]
        cells.append("-" if design == COMPARATOR else with_error(row["incremental_effect"], row["incremental_effect_se"]))
        gap = means[design, "gap_disadvantaged"]
        cells.append("-" if math.isnan(gap) else f"{100 * gap:+.1f}")
        cells += [f"{means[design, name] / 1000:z,.0f}" for name in ("cost_programme", "cost_schools")]
        ratio = row["cost_per_effect"]
        cells.append("-" if design == COMPARATOR or math.isnan(ratio) else with_error(ratio, row["cost_per_effect_se"]))
        if ranks is not None:
            mine = ranks[ranks["design"].astype(str) == design]
            best = mine[mine["criterion"] == "effect_adopter_years"], mine[mine["willingness_to_pay"] == HEADLINE]
            cells += [percent(float(rank["probability_best"].iloc[0])).replace("less than", "<").replace("more than", ">") for rank in best]
        rows.append(cells)
    return columns, rows


def _reached(reach: pd.DataFrame) -> str:
    """Say what a mentored school costs the programme with each design that mentors any."""
    rows = reach[reach["programme_per_school"].notna()].to_dict("records")
    if not rows:
        return ""
    listed = in_words([f"{design_name(str(row['design']))} {row['programme_per_school']:,.0f}" for row in rows[:MOST_DRAWN]])
    return f"A mentored school costs the programme, in EUR: {listed} (reach.csv)."


def _discounted(effects: pd.DataFrame, rates: pd.DataFrame) -> str:
    """Say what an added adopter-year costs at several discount rates with the design, of those told from 0, where it costs least."""
    priced = effects[effects["cost_per_effect"].notna() & (effects["note"] == "")]
    if priced.empty:
        return ""
    design = str(priced["design"].iloc[int(priced["cost_per_effect"].argmin())])
    rows = rates[rates["design"].astype(str) == design]
    at = in_words([f"{100 * rate:g}" for rate in rows["discount_rate"]])
    costs = in_words([f"{cost:,.0f}" for cost in rows["cost_per_effect"]])
    return f"Discounted at {at} % a year, an adopter-year added by {design_name(design)} costs EUR {costs} (discounting.csv)."


def _saved(pairs: pd.DataFrame) -> str:
    """Say how many times fewer replicates common random numbers need for the difference between two mentoring designs."""
    effect = pairs[(pairs["outcome"] == "effect_adopter_years") & pairs["replicates_saved"].notna()]
    values = sorted(float(v) for v in effect["replicates_saved"] if math.isfinite(v))
    if not values:
        return ""
    middle = values[len(values) // 2]
    return (
        f"Shared random numbers: the difference in adopter-years between two designs needs {values[0]:.1f} to {values[-1]:.1f} times fewer "
        f"replicates than independent runs would (middle {middle:.1f}; each pair in pairs.csv)."
    )


def simulation_report(monthly: pd.DataFrame, teams: pd.DataFrame, runs: pd.DataFrame, funding: tuple[int, int], worlds: int) -> Report:
    """Return the report of one design's simulation: a line per year."""
    from school_mentoring.analysis import figures as draw

    design = names_in(runs["design"])[0]
    rows_all = monthly[monthly["group"] == "all"]
    totals = {"teachers": "sum", "adopters": "sum", "mainstreamed": "sum", "active_ties": "first", "cost_programme": "first"}
    each = rows_all.groupby(["replicate", "month"])[[*totals, "cost_schools"]].agg({**totals, "cost_schools": "first"}).reset_index()
    each["share"] = 100 * each["adopters"] / each["teachers"]
    for payer in ("cost_programme", "cost_schools"):
        each[payer] = each.groupby("replicate")[payer].cumsum()
    last = int(each["month"].max())
    shown = sorted({*range(0, last + 1, 12), last})
    rows = []
    for month, part in each[each["month"].isin(shown)].groupby("month"):
        low, high = part["share"].quantile([0.05, 0.95])
        paid = [f"{part[name].mean() / 1000:,.0f}" for name in ("cost_programme", "cost_schools")]
        schools = [f"{part['mainstreamed'].mean():,.1f}", f"{part['active_ties'].mean():,.0f}"]
        rows.append([str(month), f"{part['share'].mean():.1f}", f"{low:.1f} to {high:.1f}", *schools, *paid])
    columns = ["month", "teachers %", "5 to 95 % of runs", "mainstreamed\nschools", "active\nties", "kEUR so far\nprogramme", "schools"]
    summary = summarise(runs, worlds=worlds)
    said = [f"{design_name(design)}: means of {runs['replicate'].nunique()} runs; costs are not discounted."]
    months = [{"month": int(m), "share_percent": float(p)} for m, p in each.groupby("month")["share"].mean().items()]
    document: dict[str, Any] = {"design": design, "outcomes": _by_design(summary)[design], "months": months}
    figures = {"adoption": lambda: draw.adoption(monthly, {design: funding})}
    if (teams.loc[teams["group"] == "team", "teachers"] > 0).any():
        figures["teams"] = lambda: draw.teams(teams, monthly, {design: funding})
    return Report(columns, rows, said, {"summary.csv": summary}, document, figures)


def print_report(report: Report, title: str, notes: Iterable[str] = ()) -> None:
    """Print a report's table, its sentences and some notes to the terminal."""
    from rich.console import Console

    console = Console(width=WIDTH, highlight=False)
    for text in [*report.warnings, title]:
        console.print(text, markup=False)
    table = _table(report, " ± ")
    # A cell that is cut would mislead: long figures first draw together, then the table grows beyond the usual width.
    if _width(console, table) > WIDTH:
        table = _table(report, "±")
    Console(width=max(WIDTH, _width(console, table)), highlight=False).print(table)
    for text in [*report.said, *notes]:
        console.print(text, markup=False)
    console.print()


def _table(report: Report, plus_minus: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for position, column in enumerate(report.columns):
        table.add_column(column, justify="left" if position == 0 else "right", no_wrap=True)
    for row in report.rows:
        table.add_row(*(cell.replace(" ± ", plus_minus) for cell in row))
    return table


def _width(console: Any, table: Any) -> int:
    return int(console.measure(table, options=console.options.update(width=10 * WIDTH)).maximum)


def print_parameters(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the parameter table: a line of figures each, with meaning and source below."""
    from rich.console import Console

    console = Console(width=WIDTH, highlight=False)
    for row in rows:
        range_ = f"{row['low']:g} to {row['high']:g}; {row['unit']}; {row['distribution']}"
        console.print(f"[bold]{row['name']}[/bold]  {row['base']:g}  ({range_})")
        console.print(f"  {row['meaning']}. Group: {row['group']}.", markup=False)
        console.print(f"  {row['kind']}: {row['source']}", markup=False, style="dim")


def _by_design(summary: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the summary as design -> outcome -> figures."""
    designs: dict[str, dict[str, Any]] = {}
    for row in records(summary):
        designs.setdefault(row.pop("design"), {})[row.pop("outcome")] = row
    return designs


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON holds them."""
    return [{str(key): finite(value) for key, value in row.items()} for row in table.astype(object).to_dict("records")]


def finite(value: Any) -> Any:
    """Return a value as JSON holds it: what is not a finite number is null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
