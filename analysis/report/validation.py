"""The validation report: what was checked, by which rule, what came out; verdicts follow from the tables, by rules stated beforehand."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from school_mentoring.analysis.economics.structural import Survival, standings, survival

from .document import Document, Section, Table, Text
from .sentences import in_words
from .validation_chapters import (
    MARGIN,
    ValidationFindings,
    choices_section,
    convergence_section,
    docking_section,
    exact_section,
    face_section,
    pattern_section,
    peer_section,
)

ROOT_LAW = 0.75, 1.33


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
        exact_section(found),
        docking_section(found),
        peer_section(found),
        convergence_section(found),
        choices_section(found, standing, k),
        face_section(found),
        _again(found),
    ]
    subtitle = f"{found.title}. Patterns, exact limits, two engines, an independent peer, convergence, structure, face validity."
    subtitle = " ".join([subtitle, *found.notes])
    document = Document("Validation of the model" + (" (quick)" if found.quick else ""), subtitle, sections)
    names = ("patterns", "exact", "docking", "peer", "convergence", "order", "networks", "face")
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
