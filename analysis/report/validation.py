"""The validation report: what was checked, by which rule, what came out; verdicts follow from the tables, by rules stated beforehand."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.analysis.economics.structural import Survival, best_by_worth, standings, survival
from school_mentoring.analysis.figures.validation import choices as draw_choices
from school_mentoring.analysis.figures.validation import panels
from school_mentoring.analysis.outcomes import design_name
from school_mentoring.model.world.structure import STRUCTURE

from .document import Document, Picture, Section, Table, Text
from .sentences import in_words

ROOT_LAW = 0.75, 1.33
MARGIN = 4.0
"""Standard errors within which means must agree (two-sided p = 6e-5)."""


@dataclass(frozen=True)
class ValidationFindings:
    """What was computed.

    ``frames``: patterns (readings), anchors, exact, docking, peer, convergence, order, choices (runs), sets, networks, face. ``curves``:
    what figures show, by key. ``patterns``: number, key, title, source and setting of each. ``facts``: peer_left_out, replicates, root_law,
    seed, draws, model. ``seconds``: what each part took. ``commands``: to make it again. ``notes``: what a reader must know of the
    parameters.
    """

    title: str
    quick: bool
    frames: Mapping[str, pd.DataFrame]
    curves: Mapping[str, pd.DataFrame]
    patterns: Sequence[Mapping[str, Any]]
    facts: Mapping[str, Any]
    seconds: Mapping[str, float]
    commands: Sequence[str]
    notes: Sequence[str] = ()


class Verdict(NamedTuple):
    """A part, its rule, whether it holds (None where the reader must judge), and what was found."""

    part: str
    rule: str
    holds: bool | None
    said: str


@dataclass(frozen=True)
class ValidationReport:
    """The document, the tables that it rests on by file name, what it says in lines, and one document for programs."""

    document: Document
    tables: Mapping[str, pd.DataFrame]
    lines: Sequence[str]
    json: dict[str, Any]


def validation_report(found: ValidationFindings, k: float) -> ValidationReport:
    """Return the report; ``k``: EUR per adopter-year in the net benefit of structural choices."""
    standing = standings(found.frames["choices"], found.frames["sets"], k)
    judged = verdicts(found.frames, found.facts, survival(standing))
    sections = [
        _summary(found, judged),
        *(pattern_section(found, pattern) for pattern in found.patterns),
        anchor_section(found.frames["anchors"]),
        exact_section(found),
        docking_section(found),
        peer_section(found),
        convergence_section(found),
        choices_section(found, standing, k),
        face_section(found),
        _again(found),
    ]
    subtitle = f"{found.title}. Patterns, anchors, exact limits, two engines, an independent peer, convergence, structure, face validity."
    subtitle = " ".join([subtitle, *found.notes])
    document = Document("Validation of the model" + (" (quick)" if found.quick else ""), subtitle, sections)
    names = ("patterns", "anchors", "exact", "docking", "peer", "convergence", "order", "networks", "face")
    tables = {f"{name}.csv": found.frames[name] for name in names if len(found.frames[name])}
    tables |= {"choices.csv": standing, "choices_runs.parquet": found.frames["choices"]}
    tables["curves.csv"] = pd.concat([frame.assign(figure=key) for key, frame in found.curves.items() if len(frame)], ignore_index=True)
    lines = [f"{'holds' if one.holds else 'LOOK' if one.holds is None else 'DOES NOT HOLD'}: {one.part}: {one.said}" for one in judged]
    spent = {part: round(seconds, 1) for part, seconds in found.seconds.items()}
    lines.append(f"Took {sum(found.seconds.values()):.0f} s: " + ", ".join(f"{part} {seconds:.0f}" for part, seconds in spent.items()))
    said = [{"part": one.part, "holds": one.holds, "said": one.said} for one in judged]
    return ValidationReport(document, tables, lines, {"verdicts": said, "quick": found.quick, "seconds": spent})


def _summary(found: ValidationFindings, judged: Sequence[Verdict]) -> Section:
    failed = [one.part for one in judged if one.holds is False]
    strong = f"Does not hold: {in_words(failed)}." if failed else "Everything that has a rule holds."
    rows = [[one.part, one.rule, {True: "holds", False: "does not hold", None: "for the reader"}[one.holds], one.said] for one in judged]
    blocks: list[Any] = [
        Text(strong, strong=True),
        Table("What was checked", ["part", "rule", "verdict", "found"], rows, words=(1, 2, 3)),
        Text(
            "A verdict follows from a rule that was stated before the figures; seeds are fixed, so it never changes by chance. That all "
            "hold says that the program computes the model described and that the model shows these patterns. It does not say that the "
            "strengths assumed are those of the world: only data of a pilot can, through calibration."
        ),
    ]
    if found.quick:
        left = "This is the quick version: patterns other than those shown are left out, and the rest rests on fewer runs."
        blocks.insert(0, Text(left, strong=True))
    return Section("summary", "In short", blocks)


def _again(found: ValidationFindings) -> Section:
    return Section(
        "again",
        "To make it again",
        [
            *(Text(command, code=True) for command in found.commands),
            Text(
                f"Seed {found.facts['seed']}, {found.facts['draws']} parameter sets; source of the model {found.facts['model']}. The "
                "tables beside this file hold every figure; study.json the scenario and versions."
            ),
        ],
    )


def verdicts(frames: Mapping[str, pd.DataFrame], facts: Mapping[str, Any], survived: Survival) -> list[Verdict]:
    """Return the verdict of each part, patterns one by one."""
    found = []
    for number, part in frames["patterns"].groupby("pattern"):
        checks = part.groupby("check", sort=False)["holds"].all()
        said = f"{int(checks.sum())} of {len(checks)} checks, {int(part['holds'].sum())} of {len(part)} readings hold"
        found.append(Verdict(f"pattern {number}", "every reading by its own rule", bool(part["holds"].all()), said))
    for letter, part in frames["anchors"].groupby("anchor"):
        counted = part[part["decides"]]
        failing = counted[counted["verdict"] != "pass"]
        said = f"{len(counted) - len(failing)} of {len(counted)} readings within their targets"
        outside = "; ".join(f"{row.title} {_number(row.found)}" for row in failing.itertuples())
        rule = "every reading that decides within its target"
        found.append(Verdict(f"anchor {letter}", rule, failing.empty, said + f" (outside: {outside})" * (not failing.empty)))
    exact = frames["exact"]
    furthest, square = float(exact["apart"].abs().max()), math.sqrt(float((exact["apart"] ** 2).mean()))
    said = f"{len(exact)} means, the furthest {furthest:.2f} standard errors away, root mean square {square:.2f}"
    found.append(Verdict("exact limits", f"every mean within {MARGIN:g} standard errors", furthest <= MARGIN, said))
    docking = frames["docking"]
    differing, compared = int(docking["differing"].sum()), int(docking["compared"].sum())
    said = f"{differing:,} of {compared:,} numbers differ, {int(docking['outcomes_compared'].sum()):,} outcomes among them"
    found.append(Verdict("two engines", "no number differs in any bit", differing == 0, said))
    found.append(_peer(frames["peer"], str(facts["peer_left_out"])))
    order = frames["order"]
    last = order.iloc[-1]
    said = (
        f"spread of batches {facts['root_law']:.2f} of what the root law gives; batches of {int(last['replicates'])} name the same first "
        f"design in {100 * last['first']:.0f} % and the same order in {100 * last['whole']:.0f} %"
    )
    holds = None if math.isnan(facts["root_law"]) else ROOT_LAW[0] <= facts["root_law"] <= ROOT_LAW[1]
    said = "no effect varies" if holds is None else said
    found.append(Verdict("convergence", "errors fall with the root of replicates", holds, said))
    found.append(Verdict("structural choices", "none: which choice is right is not known", None, survived.said))
    counts = frames["face"]["verdict"].value_counts()
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    found.append(Verdict("face validity", "none: differences are named", None, said))
    return found


def _peer(table: pd.DataFrame, left_out: str) -> Verdict:
    rule = f"means within {MARGIN:g} standard errors in every month"
    if left_out:
        return Verdict("NDlib", rule, None, f"left out: {left_out}")
    furthest = float(table["apart"].abs().max())
    return Verdict("NDlib", rule, furthest <= MARGIN, f"{len(table)} means, the furthest {furthest:.2f} standard errors apart")


# --- chapters ---------------------------------------------------------------------------------------------------------


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _cells(table: pd.DataFrame, *formats: str) -> list[list[str]]:
    """Return a line of cells for each row of a table, each with the row's values in its braces."""
    return [[cell.format(**row) for cell in formats] for row in table.to_dict("records")]


def pattern_section(found: ValidationFindings, pattern: Mapping[str, Any]) -> Section:
    """Return what was read off for one pattern, with its figure."""
    readings = found.frames["patterns"]
    mine = readings[readings["pattern"] == pattern["number"]]
    statement = (mine["check"] + np.where(mine["contrast"], " (contrast)", "")).where(~mine["check"].eq(mine["check"].shift()), "")
    shown = mine.assign(
        statement=statement,  # once, above all its readings
        estimate=mine["estimate"].map(_number),
        error=mine["error"].map(_number),
        verdict=np.where(mine["holds"], "holds", "does not hold"),
    )
    rows = _cells(shown, "{statement}", "{reading}", "{estimate}", "{error}", "{rule}", "{verdict}")
    said = f"{pattern['setting']} Source: {pattern['source']}. {int(mine['holds'].sum())} of {len(mine)} readings hold."
    caption = "Readings; a contrast says where the pattern must vanish; se: standard errors over worlds"
    table = Table(caption, ["statement", "reading", "estimate", "se", "must be", "verdict"], rows, words=(1, 4, 5))
    title = f"Pattern {pattern['number']}: {pattern['title']}"
    picture = _picture(pattern["key"], found.curves[pattern["key"]], title)
    return Section(f"pattern-{pattern['number']}", title, [Text(said), picture, table])


def anchor_section(table: pd.DataFrame) -> Section:
    """Return what has been measured of programmes like these beside what the model gives at the base values."""
    shown = table.assign(
        design=table["design"].map(lambda name: design_name(name) if name else ""),
        target=[
            _number(low) if low == high else f"{_number(low)} to {_number(high)}"
            for low, high in table[["target_low", "target_high"]].to_numpy()
        ],
        found=table["found"].map(_number),
        error=table["error"].map(_number),
    )
    columns = ["anchor", "reading", "design", "target", "found", "se", "verdict", "source", "fixes"]
    rows = _cells(shown, "{anchor}", "{title}: {reading}", "{design}", "{target}", "{found}", "{error}", "{verdict}", "{source}", "{fixes}")
    return Section(
        "anchors",
        "Anchors",
        [
            Text(
                "What has been measured of programmes like these, and what the model gives where it is read as that was: in the pilot's "
                "world at the base values. Only one design decides each reading; others are reported. A single figure as target is that of "
                "one programme, for comparison. H are the patterns."
            ),
            Table("Anchors; se: standard error over worlds", columns, rows, words=(1, 2, 6, 7, 8)),
        ],
    )


def _picture(key: str, curves: pd.DataFrame, title: str, note: str = "") -> Picture:
    ends = curves.groupby(["panel", "series"], sort=False)["y"].last()
    said = "; ".join(f"{panel}, {series}: {_number(value)}" for (panel, series), value in ends.items())
    return Picture(key, lambda: panels(curves, title, note), f"{title}. Last values: {said}.", f"{title}.")


def exact_section(found: ValidationFindings) -> Section:
    """Return how far the engine lies from exact solutions."""
    table = found.frames["exact"]
    columns = ["limit", "comparisons", "runs each", "largest distance, se", "root mean square, se", "of the case"]
    rows = []
    for limit, part in table.groupby("limit", sort=False):
        worst = part.loc[part["apart"].abs().idxmax()]
        far, square = f"{abs(worst['apart']):.2f}", f"{math.sqrt(float((part['apart'] ** 2).mean())):.2f}"
        rows.append([str(limit), str(len(part)), f"{int(part['runs'].iloc[0]):,}", far, square, worst["case"]])
    return Section(
        "exact",
        "Exact limits",
        [
            Text(
                "Where each school has one teacher the model is a Bass contagion on a network with abandonment, whose distribution over "
                "all states is known: the start times a power of the transition matrix. Among all, it is a chain over the number of "
                "adopters and tends to the Bass equation. Without any influence teachers are independent two-state chains. The solutions "
                f"share no code with the engine. Rule: every mean lies within {MARGIN:g} exact standard errors."
            ),
            _picture("exact", found.curves["exact"], "The engine against exact solutions", "Marks: the engine; lines: the solution."),
            Table("The engine's mean number of adopters against the exact one", columns, rows, words=(5,)),
        ],
    )


def docking_section(found: ValidationFindings) -> Section:
    """Return what of the two engines was compared, and what differs."""
    counts = ("{outcomes_compared:,}", "{outcomes_differing:,}", "{compared:,}", "{differing:,}")
    rows = _cells(found.frames["docking"], "{network}, {update}, {likeness}", "{runs}", *counts)
    return Section(
        "docking",
        "Two engines",
        [
            Text(
                "The Mesa model, school by school, and the compiled engine, over arrays, call the same rules with the same draws; their "
                "order of events, their bookkeeping and their arithmetic are two. 120 schools, 72 months, each design under a random "
                "parameter set: outcomes, monthly counts by group, ties, costs, and every school's adopters, role and mentor in each "
                "month. Rule: no number differs in any bit."
            ),
            Table("Numbers compared, and those that differ", ["structure", "runs", "outcomes", "differ", "all numbers", "differ"], rows),
        ],
    )


def peer_section(found: ValidationFindings) -> Section:
    """Return how far NDlib and the engine lie apart, or why that is left out."""
    title = "An independent peer: NDlib"
    if found.facts["peer_left_out"]:
        return Section("peer", title, [Text(f"Left out. {found.facts['peer_left_out']}", strong=True)])
    table = found.frames["peer"]
    figures = ("{ndlib:.2f}", "{engine:.2f}", "{error:.2f}", "{apart:+.1f}", "{sd_ndlib:.2f}", "{sd_engine:.2f}")
    rows = _cells(table, "{model}", "{month}", *figures)
    columns = ["model", "month", "NDlib", "engine", "se of the difference", "distance, se", "sd of runs, NDlib", "sd of runs, engine"]
    return Section(
        "peer",
        title,
        [
            Text(
                "NDlib is a library of spreading processes by others. Both run the contagion that both can express, on the same network "
                "of 120 schools of the pilot, each with random numbers of its own; NDlib's is a composite model with the exact chance as "
                f"a compartment of one's own. {int(table['runs_ndlib'].iloc[0]):,} runs of NDlib, {int(table['runs_engine'].iloc[0]):,} of "
                f"the engine. Rule: means lie within {MARGIN:g} standard errors of each other in every month shown."
            ),
            _picture("peer", found.curves["peer"], "Adopting schools by the engine and by NDlib"),
            Table("Adopting schools of 120", columns, rows),
        ],
    )


def convergence_section(found: ValidationFindings) -> Section:
    """Return what fewer replicates would have said."""
    order, table = found.frames["order"], found.frames["convergence"]
    percent = order.assign(first=100 * order["first"], whole=100 * order["whole"])
    rows = _cells(percent, "{replicates}", "{batches}", "{first:.0f} %", "{whole:.0f} %")
    wide = table.pivot_table(index="replicates", columns="design", values="relative", sort=False, observed=True)
    spread = [[str(size), *(f"{100 * value:.1f} %" for value in line)] for size, line in zip(wide.index, wide.to_numpy(), strict=True)]
    told, pairs = int(order["told"].iloc[0]), int(order["pairs"].iloc[0])
    columns, designs = ["replicates of a batch", "batches", "same first", "same order"], [design_name(str(name)) for name in wide.columns]
    return Section(
        "convergence",
        "Convergence in replicates",
        [
            Text(
                f"{found.facts['replicates']} replicates at the base parameters, each in a world of its own; batches of them show what "
                f"fewer would have said. All together tell {told} of {pairs} neighbours in the order of designs apart by {MARGIN:g} "
                "standard errors. Spread of the means of batches of 10 over what independent replicates would have: "
                f"{found.facts['root_law']:.2f} (rule: .75 to 1.33), so errors fall with the root of the number of replicates."
            ),
            _picture("convergence", found.curves["convergence"], "Added adopter-years by number of replicates"),
            Table("How often a batch names the same design as most effective, and the same order of all", columns, rows),
            Table("Two spreads of the batches' mean added adopter-years, in per cent of the mean", [columns[0], *designs], spread),
        ],
    )


def choices_section(found: ValidationFindings, standing: pd.DataFrame, k: float) -> Section:
    """Return how the recommendation stands under each structural choice."""
    rows = []
    for variant, part in standing.groupby("variant", sort=False):
        first = part.iloc[0]
        strongest = part.loc[part["effect"].idxmax()]
        rows.append(
            [
                str(variant).replace("_", " "),
                design_name(first["design"]),
                f"{100 * first['probability_best']:.0f} % ({100 * first['low']:.0f} to {100 * first['high']:.0f})",
                f"{first['net_benefit'] / 1e6:,.2f}",
                in_words([design_name(name) for name in part.loc[part["beside"], "design"]]) if part["beside"].any() else "none",
                design_name(strongest["design"]),
                f"{strongest['effect']:,.0f}",
                f"{first['agreement']:.2f}",
            ]
        )
    worth = best_by_worth(found.frames["choices"], found.frames["sets"])
    table = found.frames["networks"]
    table = table.assign(network=table["network"].str.replace("_", " "), no_peers=100 * table["no_peers"])
    figures = ("{degree:.1f}", "{degree_sd:.1f}", "{clustering:.2f}", "{km:.0f}", "{unlike:.2f}", "{no_peers:.1f} %")
    networks = _cells(table, "{network}", *figures)
    traits = ["network", "mean degree", "its sd", "clustering", "km of a tie", "traits that differ", "schools without peers"]
    meanings = "; ".join(f"{word.replace('_', ' ')}: {said}" for words in STRUCTURE.values() for word, said in words.items())
    columns = ["structure", "highest mean net benefit", "best in (90 %)", "EUR million over no programme", "not told apart from it"]
    columns += ["most effect", "added adopter-years", "order as in the default (tau)"]
    by_worth = [[str(name).replace("_", " "), *line] for name, line in zip(worth.index, worth.to_numpy().tolist(), strict=True)]
    most = "The design of the highest mean net benefit, by the worth of an adopter-year; and of the most effect within a programme budget"
    sets, at = len(found.frames["sets"]), f"EUR {k:,.0f} per adopter-year"
    said = "; ".join(f"{row[0]}: {row[1]} best in {row[2]}" for row in rows)
    return Section(
        "choices",
        "What hangs on the structure",
        [
            Text(survival(standing).said, strong=True),
            Text(
                f"Each row changes one choice and keeps the {sets} drawn parameter sets and all random numbers. gamma is fixed at the ends "
                f"and the base of its range, and varies with the other parameters elsewhere. {meanings}."
            ),
            Picture(
                "choices",
                lambda: draw_choices(standing, k),
                f"Probability of being best and mean net benefit by structural choice. {said}.",
                f"How designs stand at {at} under each structural choice.",
            ),
            Table(f"The recommendation at {at}, by structural choice; over {sets} parameter sets", columns, rows, words=(1, 4, 5)),
            Table(most, ["structure", *worth.columns], by_worth, words=tuple(range(1, 1 + len(worth.columns)))),
            Table("What the networks are like at the base parameters", traits, networks),
        ],
    )


def face_section(found: ValidationFindings) -> Section:
    """Return what is reported of the projects beside what the model has."""
    blocks: list[Any] = [
        Text(
            "What is reported of the pilot and of its forerunner beside what the model has or gives. No effect, cost or attrition of "
            "either was found, so nothing here compares outcomes: this is face validity of structure only."
        )
    ]
    for project, part in found.frames["face"].groupby("project", sort=False):
        rows = [[row["topic"], row["reported"], row["model"], row["verdict"], row["source"]] for row in part.to_dict("records")]
        blocks.append(Table(str(project), ["topic", "reported", "in the model", "verdict", "source"], rows, words=(1, 2, 3, 4)))
    return Section("face", "Face validity", blocks)
