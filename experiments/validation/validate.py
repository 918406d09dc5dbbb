"""The whole validation: every part computed in turn, as tables that the report is written from."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from school_mentoring.experiments.anchors.table import anchor_table, pattern_anchors
from school_mentoring.experiments.compare import DRAW_REPLICATES
from school_mentoring.experiments.evidence import refuse_no_choice
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import result_fingerprint
from school_mentoring.scenarios import COMPARATOR, Scenario

from .checks import Pattern
from .docking import compare_with_ndlib, docking_table
from .exact_limits import bass_curves, exact_table
from .face import face_table
from .patterns import PATTERNS
from .robustness import convergence, describe_networks, runs_under_choices, variants

QUICK_PATTERNS = (2, 3)
QUICK_DRAWS = 8
REPLICATES, QUICK_REPLICATES = 800, 50
MOST_SCHOOL_MONTHS = 20_000_000_000
"""About an hour's work of two processors."""


@dataclass
class Validation:
    """What ``validate`` found, as ``analysis.report.validation.ValidationFindings`` takes it.

    ``frames``: tables by name, which the study keeps as CSV. ``curves``: what the figures show. ``patterns``: number, key, title, source
    and setting of those looked at. ``facts``: single figures and words by name. ``seconds``: what each part took.
    """

    title: str
    quick: bool
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    curves: dict[str, pd.DataFrame] = field(default_factory=dict)
    patterns: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Note how long a part takes."""
        begun = time.monotonic()
        yield
        self.seconds[part] = time.monotonic() - begun


def validate(scenario: Scenario, *, quick: bool = False, threads: int | None = None, stage: Stage = lambda *_: None) -> Validation:
    """Compute every part of the validation.

    Patterns, anchors, exact limits, docking and face validity are of the model as it is shipped; ``scenario`` is what convergence and
    structural choices are asked of. ``quick``: the patterns ``QUICK_PATTERNS`` only, and fewer runs of the rest. Raises InputError for a
    scenario without a design to compare, and for one that would take hours.
    """
    _refuse(scenario, quick)
    found = Validation(scenario.title or scenario.name, quick)
    chosen = [pattern for pattern in PATTERNS if not quick or pattern.number in QUICK_PATTERNS]
    with found.timed("patterns"):
        rows = []
        for position, pattern in enumerate(chosen):
            stage("patterns", position, len(chosen))
            rows += pattern_rows(pattern)
            found.curves[pattern.key] = pattern.curves()
            found.patterns.append({name: getattr(pattern, name) for name in ("number", "key", "title", "source", "setting")})
            pattern.forget()
        found.frames["patterns"] = pd.DataFrame(rows)
    with found.timed("anchors"):
        found.frames["anchors"] = pd.concat([anchor_table(stage, threads), pattern_anchors(_failing(chosen, rows))], ignore_index=True)
    replicates, batches = (2_000, QUICK_REPLICATES) if quick else (20_000, REPLICATES)
    with found.timed("exact limits"):
        found.frames["exact"] = exact_table(replicates, stage)
        found.curves["exact"] = bass_curves(replicates // 10)
    with found.timed("docking"):
        found.frames["docking"] = docking_table(quick, stage)
    with found.timed("NDlib"):
        found.frames["peer"], found.curves["peer"], found.facts["peer_left_out"] = compare_with_ndlib(quick, stage)
    with found.timed("convergence"):
        settled = convergence(scenario, batches, stage, threads)
        found.frames["convergence"], found.frames["order"] = settled.table(), settled.order()
        found.curves["convergence"] = settled.curves()
        found.facts |= {"replicates": len(settled.added), "root_law": settled.root_law()}
    with found.timed("structural choices"):
        drawn = scenario.model_copy(update={"draws": QUICK_DRAWS}) if quick else scenario
        found.frames["choices"], found.frames["sets"] = runs_under_choices(drawn, stage, threads)
        found.frames["networks"] = describe_networks(scenario, 2 if quick else 20)
    with found.timed("face validity"):
        found.frames["face"] = face_table(stage)
    found.facts |= {"seed": scenario.seed, "draws": drawn.draws, "model": result_fingerprint()}
    return found


def pattern_rows(pattern: Pattern) -> list[dict[str, Any]]:
    """Return the readings of a pattern, a row each: pattern, check, contrast, reading, estimate, error, rule, holds."""
    names = ("pattern", "check", "contrast", "reading", "estimate", "error", "rule", "holds")
    read = ((check.statement, check.contrast, *vars(one).values()) for check in pattern.checks.values() for one in check.read())
    return [dict(zip(names, (pattern.number, *row), strict=True)) for row in read]


def _failing(patterns: Sequence[Pattern], rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str, str, int]]:
    """Give number, title and source of each pattern, and how many of its checks fail."""
    for pattern in patterns:
        missed = {row["check"] for row in rows if row["pattern"] == pattern.number and not row["holds"]}
        yield pattern.number, pattern.title, pattern.source, len(missed)


def _refuse(scenario: Scenario, quick: bool) -> None:
    """Raise InputError where there is nothing to compare, or more to do than anybody waits for."""
    refuse_no_choice(scenario)
    draws, replicates = (QUICK_DRAWS, QUICK_REPLICATES) if quick else (scenario.draws, REPLICATES)
    runs = len({COMPARATOR, *scenario.designs}) * (len(variants(scenario)) * draws * DRAW_REPLICATES + replicates)
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    if runs * len(schools) * scenario.months > MOST_SCHOOL_MONTHS:
        problem = f"{runs:,} runs of {len(schools):,} schools over {scenario.months} months would take hours"
        raise InputError(scenario.name, problem, "allowed: fewer schools, as --set world.schools_per_region=20 makes, or fewer draws")
