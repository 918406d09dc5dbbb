"""Pattern 7: assignment by need narrows the gap between school types relative to the mean; self-organisation by likeness widens it.

Gap: share in other schools less share in disadvantaged (rural) schools, over the share in all schools under the same design, at the end
of funding. By likeness: the designs in which nobody assigns, where schools choose by likeness, against where they do not; 200 worlds, as at
its base value likeness moves little. Else 40.
"""

from functools import cache
from itertools import product

import numpy as np

from school_mentoring.experiments.validation.checks import Curves, Pattern, Readings, above, below, between, not_above, over_worlds
from school_mentoring.experiments.validation.runs import RunsByWorld, preset, study
from school_mentoring.model.parameters import PARAMETERS

PATTERN = Pattern(
    7,
    "gap",
    "Assignment by need narrows the gap relative to the design's mean, self-organisation by likeness widens it",
    "homophily and equity in diffusion; the pilot's partners chose disadvantaged and small schools as targets",
    "Gap over the mean share at the end of funding; 40 worlds, 200 where schools choose by likeness.",
)
END = 34
TRAITS = ("disadvantaged", "rural")
SELF_ORGANISED = ("bottom_up", "virtual")
ASSIGNED = ("regional_hub", "top_down")
LIKENESS = PARAMETERS["likeness_weight"]
ALWAYS = -20.0
"""Worth of going without a mentor at which every school takes one."""
SERVED = {"mentor_share": 0.2}
"""One mentor of four places for every four others: places for all."""


def gap(runs: RunsByWorld, design: str, trait: str) -> np.ndarray:
    """Return the gap of each world at the end of funding, (worlds,)."""
    outside, inside, whole = (runs.share(design, group)[:, END] for group in (f"not_{trait}", trait, "all"))
    return np.asarray((outside - inside) / whole)


@cache
def by_priority(base: str, **changes: float) -> RunsByWorld:
    """Return the runs of a design that serves by need, and by motivation."""
    designs = {priority: preset(base, priority=priority, **changes) for priority in ("need", "motivation")}
    return study(designs, months=END + 1, monthly=True)


@cache
def self_organised(**parameters: float) -> RunsByWorld:
    """Return the runs of the designs in which nobody assigns."""
    return study({name: preset(name) for name in SELF_ORGANISED}, parameters=parameters, worlds=200, months=END + 1, monthly=True)


def widening(base: str, trait: str, likeness: float, **parameters: float) -> np.ndarray:
    """Return by how much choosing by likeness widens the gap of a design relative to its own mean, (worlds,)."""
    alike, blind = (self_organised(likeness_weight=weight, **parameters) for weight in (likeness, 0.0))
    return gap(alike, base, trait) - gap(blind, base, trait)


@PATTERN.check("Assignment by need narrows the gap")
def _need() -> Readings:
    for base, trait, other in product(ASSIGNED, TRAITS, ("none", "motivation")):
        runs = by_priority(base)
        yield below(f"{base}, {trait}: gap by need less that under {other}", gap(runs, "need", trait) - gap(runs, other, trait))


@PATTERN.check("Self-organisation by likeness widens the gap")
def _likeness() -> Readings:
    for base, trait, weight in product(SELF_ORGANISED, TRAITS, (LIKENESS.base, LIKENESS.high)):
        yield above(f"{base}, {trait}, likeness_weight {weight:g}: widening of the gap", widening(base, trait, weight))


@PATTERN.check("Self-organisation leaves a wider gap than assignment by need")
def _wider() -> Readings:
    for base, trait, assigned in product(SELF_ORGANISED, TRAITS, ASSIGNED):
        apart = gap(self_organised(), base, trait)[:40] - gap(by_priority(assigned), "need", trait)  # the same 40 worlds
        yield above(f"{trait}: gap of {base} less that of {assigned} by need", apart)


@PATTERN.check("Where there are places for all, priority makes no difference", contrast=True)
def _places_for_all() -> Readings:
    scarce, plenty = by_priority("regional_hub"), by_priority("regional_hub", **SERVED)
    for trait in TRAITS:
        narrowed, left = (float(np.mean(gap(runs, "need", trait) - gap(runs, "motivation", trait))) for runs in (scarce, plenty))
        # Who is first still chooses among more mentors.
        yield between(f"{trait}: need less motivation, over that where places are scarce", left / abs(narrowed), -0.05, 0.05)


@PATTERN.check("Where every school takes a mentor, likeness does not widen the gap", contrast=True)
def _always() -> Readings:
    for base, trait in product(SELF_ORGANISED, TRAITS):
        forced = widening(base, trait, LIKENESS.high, outside_option=ALWAYS)
        yield not_above(f"{base}, {trait}: widening of the gap", forced)
        yield above(f"{base}, {trait}: widening where schools may go without, less that", widening(base, trait, LIKENESS.high) - forced)


@PATTERN.drawn
def _curves() -> Curves:
    weights = (0.0, LIKENESS.base, LIKENESS.high)
    for trait in TRAITS:
        for base in ASSIGNED:
            values = np.column_stack([gap(by_priority(base), design, trait) for design in ("none", "motivation", "need")])
            words = ("no programme", "by motivation", "by need")
            yield over_worlds(f"Assigned, {trait}", ("", "gap over the mean share"), base, words, values)
        for base in SELF_ORGANISED:
            values = np.column_stack([gap(self_organised(likeness_weight=weight), base, trait) for weight in weights])
            axes = ("weight of likeness", "gap over the mean share")
            yield over_worlds(f"Self-organised, {trait}", axes, base, [f"{weight:g}" for weight in weights], values)
