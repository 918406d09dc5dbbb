"""``python -m tests.patterns``: write the verdicts of all checks, and what the anchors give, anew; with ``anchors`` these alone."""

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from school_mentoring.experiments.validation.patterns import PATTERNS

from .holds import ANCHOR_RECORD, RECORD, recorded_anchors_now, sentences


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(head)
        lines.writerows(rows)


def _verdicts() -> Iterable[Sequence[object]]:
    for pattern in PATTERNS:
        for statement, check in pattern.checks.items():
            names, full = sentences(check)
            print(f"{pattern.number} {statement}: {'; '.join(full) or 'holds'}", flush=True)
            yield pattern.number, statement, "; ".join(names)
        pattern.forget()


if sys.argv[1:] != ["anchors"]:
    _write(RECORD, ("pattern", "check", "missed"), list(_verdicts()))
found = recorded_anchors_now()
_write(ANCHOR_RECORD, [*found[0]], [[*row.values()] for row in found])
for row in found:
    print(*(text for text in row.values() if text), sep=" | ")
