"""The compiled engine against a C program of the same rules, first proved to give the same bits, then timed on one core."""

import numpy as np

from school_mentoring.model.designs import PRESETS
from school_mentoring.model.engine import run_batch

from . import cases
from .c_program import FLAGS, NATIVE_FLAGS, run_in_c
from .timing import alternate, table

__all__ = ["check_equal", "section"]

BOTH = (FLAGS, NATIVE_FLAGS)


def check_equal(work: cases.Work) -> int:
    """Return the number of outcomes that agree to the last bit; raise where one does not."""
    ours = run_batch(*work.arguments, **work.options, threads=1).outcomes
    for flags in BOTH:
        theirs = run_in_c(*work.arguments, **work.options, flags=flags)
        same = (ours.view(np.int64) == theirs.view(np.int64)) | (np.isnan(ours) & np.isnan(theirs))
        if not same.all():
            row, column = np.argwhere(~same)[0]
            raise AssertionError(f"run {row}, outcome {column}: engine {ours[row, column]!r}, C {theirs[row, column]!r} ({flags})")
    return ours.size


def _compare(title: str, work: cases.Work, turns: int) -> list[object]:
    best = alternate(
        {
            "engine": lambda: run_batch(*work.arguments, **work.options, threads=1),
            "plain": lambda: run_in_c(*work.arguments, **work.options, flags=FLAGS),
            "native": lambda: run_in_c(*work.arguments, **work.options, flags=NATIVE_FLAGS),
        },
        turns,
    )
    each = {name: seconds / work.school_months * 1e9 for name, seconds in best.items()}
    return [title, *each.values(), each["engine"] / each["plain"], each["engine"] / each["native"]]


def section(quick: bool) -> str:
    """Return the comparison with C as Markdown."""
    replicates, turns = (10, 5) if quick else (40, 15)
    work = cases.pilot(replicates)
    agreed = check_equal(work) + check_equal(cases.pilot(2, sets=30))
    rows = [_compare("pilot, all seven designs", work, turns)]
    rows += [_compare(f"pilot, {name}", cases.pilot(replicates, (name,)), turns) for name in PRESETS]
    months = 36 if quick else 120
    for names in (("none",),) if quick else (("none",), ("regional_hub",), ("virtual",), ("bottom_up",)):
        large = cases.national(names, months)
        agreed += check_equal(large)
        rows.append(_compare(f"249,750 schools, {months} months, {names[0]}", large, 3))
    head = ["work", "engine, ns per school-month", f"C, gcc {' '.join(FLAGS)}", "C, also -march=native", "engine / C", "engine / C native"]
    return (
        "## Against C\n\nThe same rules written in C (`benchmarks/c/`), one thread, processor seconds, best of several turns taken "
        f"alternately. Before timing, {agreed:,} outcomes agreed to the last bit with both builds, also under 30 random parameter sets.\n\n"
        + table(head, rows)
    )
