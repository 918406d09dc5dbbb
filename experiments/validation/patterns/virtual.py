"""Pattern 5: virtual mentoring has less effect and costs less per mentored school than face to face, and wins where distances are long.

One design with all hours online and with none: in the pilot (regions of 60 km) and in small-islands (200 km, slow travel).
Per mentored school, effect and cost are compared at equal numbers, the 24 clusters of the pilot: the hub's mentees do not become mentors
there, as fewer would online and the hub's fixed costs would be spread over fewer schools. Winning is cost per added adopter-year, of the
designs as they are.
"""

from functools import cache

import numpy as np

from school_mentoring.experiments.validation.checks import (
    Curves,
    Pattern,
    Readings,
    above,
    below,
    between,
    curve,
    exactly,
    mean_se,
    over_worlds,
)
from school_mentoring.experiments.validation.runs import RunsByWorld, preset, study

PATTERN = Pattern(
    5,
    "virtual",
    "Virtual mentoring has less effect and costs less per mentored school, and wins at long distances",
    "Cilliers et al. 2020; comparisons in richer countries show no large difference",
    "One design all online and all face to face; the pilot and small islands, 40 worlds each.",
)
BASES = ("top_down", "regional_hub")
WAYS = ("face_to_face", "virtual")
AS_LONG = {"virtual_attrition": 0.0}
NOBODY_TRAVELS = {"region_km": 0.1, "town_km": 0.0, "rural": 0.0}
"""All schools of a region at one point, countries a few hundred metres wide."""


@cache
def both_ways(base: str, scenario: str = "mensi-pilot", *, cascade: bool = False, **parameters: float) -> RunsByWorld:
    """Return the runs of a design all face to face and all online."""
    changes: dict[str, float] = {} if cascade else {"cascade": 0.0}
    designs = {way: preset(base, virtual_share=share, **changes) for way, share in zip(WAYS, (0.0, 1.0), strict=True)}
    return study(designs, scenario=scenario, parameters=parameters, per_school=True)


def difference(runs: RunsByWorld, what: str = "") -> np.ndarray:
    """Return virtual less face to face, per mentored school, (worlds,)."""
    return runs.per_mentored("virtual", what) - runs.per_mentored("face_to_face", what)


def cost_of_a_year(runs: RunsByWorld, design: str) -> np.ndarray:
    """Return the cost per mentored school and year of mentoring, (worlds,)."""
    return np.asarray(12.0 * runs.outcome(design, "cost_total") / runs.mentored(design).sum(axis=(1, 2)))


def price(runs: RunsByWorld, design: str) -> tuple[float, np.ndarray]:
    """Return the cost of an added adopter-year, a ratio of means, and each world's influence on it (delta method)."""
    cost, added = runs.outcome(design, "cost_total"), runs.added(design)
    ratio = cost.mean() / added.mean()
    return float(ratio), (cost - ratio * added) / added.mean()


def dearer(runs: RunsByWorld) -> tuple[float, float]:
    """Return by how much an added adopter-year costs more online, in EUR, and the standard error, paired by world."""
    (online, of_online), (visits, of_visits) = price(runs, "virtual"), price(runs, "face_to_face")
    return online - visits, mean_se(of_online - of_visits)[1]


@PATTERN.check("Virtual mentoring has less effect and costs less per mentored school, at equal numbers")
def _per_school() -> Readings:
    for base in BASES:
        runs = both_ways(base)
        yield below(f"{base}: added adopter-years per mentored school, virtual less face to face", difference(runs))
        yield below(f"{base}: EUR per mentored school, virtual less face to face", difference(runs, "cost_total"))
        visited, online = (runs.outcome(way, "mentee_schools").mean() for way in WAYS)
        yield between(f"{base}: mentored schools, virtual over face to face", online / visited, 0.97, 1.03)
        yield below(f"{base}: EUR in all", runs.outcome("virtual", "cost_total") - runs.outcome("face_to_face", "cost_total"))


@PATTERN.check("Where ties last as long, virtual mentoring costs less by what is spent on the road")
def _as_long() -> Readings:
    for base in BASES:  # it is cheaper not only because its ties end sooner
        runs = both_ways(base, **AS_LONG)
        yield exactly(f"{base}: months of mentoring that differ", int((runs.mentored("virtual") != runs.mentored("face_to_face")).sum()))
        years = cost_of_a_year(runs, "virtual") - cost_of_a_year(runs, "face_to_face")
        yield below(f"{base}: EUR per mentored school and year, virtual less face to face", years)


@PATTERN.check("Where distances are long virtual mentoring has more effect per mentored school")
def _far() -> Readings:
    for base in BASES:
        yield above(f"{base}: added adopter-years per mentored school", difference(both_ways(base, "small-islands", cascade=True)))


@PATTERN.check("An added adopter-year is cheaper online where distances are long and dearer where they are short")
def _prices() -> Readings:
    for base in BASES:
        yield above(f"{base}, pilot: EUR per added adopter-year, virtual less face to face", dearer(both_ways(base, cascade=True)))
        yield below(f"{base}, small islands: the same", dearer(both_ways(base, "small-islands", cascade=True)))


@PATTERN.check("The virtual structure costs less per mentored school than the others")
def _structures() -> Readings:
    for other in BASES:
        runs = study({name: preset(name) for name in ("virtual", other)})
        less = runs.per_mentored("virtual", "cost_total") - runs.per_mentored(other, "cost_total")
        yield below(f"EUR per mentored school, virtual less {other}", less)


@PATTERN.check("An online hour as good as another gives and costs the same where nobody travels", contrast=True)
def _nobody_travels() -> Readings:
    for base in BASES:
        runs = both_ways(base, **AS_LONG, **NOBODY_TRAVELS, virtual_fidelity=1.0)
        for what, words in (("", "added adopter-years"), ("cost_total", "EUR")):
            relative = difference(runs, what).mean() / runs.per_mentored("face_to_face", what).mean()
            yield between(f"{base}: {words} per mentored school, relative difference", relative, -0.001, 0.001)


@PATTERN.drawn
def _curves() -> Curves:
    ways = ("face to face", "virtual")
    for base in BASES:
        runs = both_ways(base)
        for panel, what, label in (("Effect in the pilot", "", "added adopter-years"), ("Cost in the pilot", "cost_total", "EUR")):
            values = np.column_stack([runs.per_mentored(way, what) for way in WAYS])
            yield over_worlds(panel, ("", f"{label} per mentored school"), base, ways, values)
        for panel, scenario in (("Price in the pilot", "mensi-pilot"), ("Price in small islands", "small-islands")):
            both = both_ways(base, scenario, cascade=True)
            prices, influences = zip(*(price(both, way) for way in WAYS), strict=True)
            yield curve(panel, ("", "EUR per added adopter-year"), base, ways, prices, [mean_se(one)[1] for one in influences])
