"""The verdicts of a validation: one for each part, by a rule stated beforehand, from the tables alone."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from school_mentoring.analysis.economics.structural import Survival

MARGIN = 4.0
"""Standard errors within which means must agree (two-sided p = 6e-5)."""

ROOT_LAW = 0.75, 1.33


class Verdict(NamedTuple):
    """A part, its rule, whether it holds (None where the reader must judge), and what was found."""

    part: str
    rule: str
    holds: bool | None
    said: str


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
    low, high = ROOT_LAW
    holds = None if math.isnan(facts["root_law"]) else low <= facts["root_law"] <= high
    found.append(
        Verdict("convergence", "errors fall with the root of replicates", holds, said if holds is not None else "no effect varies")
    )
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
