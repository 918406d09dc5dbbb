"""``python -m tests.patterns``: write the verdicts of all checks anew."""

import csv

from school_mentoring.experiments.validation.patterns import PATTERNS

from .holds import RECORD, sentences

with RECORD.open("w", encoding="utf-8", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("pattern", "check", "missed"))
    for pattern in PATTERNS:
        for statement, check in pattern.checks.items():
            names, full = sentences(check)
            rows.writerow((pattern.number, statement, "; ".join(names)))
            print(f"{pattern.number} {statement}: {'; '.join(full) or 'holds'}", flush=True)
        pattern.forget()
