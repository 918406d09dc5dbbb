"""Pattern 6: the effect per mentored school falls as a programme scales faster than its coordinators.

Regional hubs with 5 % mentors and 0.5 FTE each, in regions of 20 schools (1 cluster a coordinator) and of 160 (8 clusters). So the share of
mentors, and with it overlap and the mentors' level, stays. Worlds differ in size, so differences are between independent means.
"""

from functools import cache

import numpy as np

from school_mentoring.experiments.validation.checks import Curves, Pattern, Readings, above, curve, mean_se, vanishes
from school_mentoring.experiments.validation.runs import RunsByWorld, preset, study

PATTERN = Pattern(
    6,
    "scale",
    "Effect per school falls as a programme outgrows its coordinators",
    "Kraft, Blazar & Hogan 2018",
    "Regional hubs of 20 schools (40 worlds) and of 160 (12 worlds), 0.5 FTE each or in proportion.",
)
SMALL, LARGE = 20, 160
FTE = 0.5
INDIFFERENT = {"fit_floor": 1.0, "attrition_coordination": 0.0}


@cache
def at_size(schools: int, **parameters: float) -> RunsByWorld:
    """Return the runs of hubs of so many schools, with coordinators fixed or in proportion."""
    staff = {"fixed": FTE, "scaled": FTE * schools / SMALL}
    designs = {name: preset("regional_hub", cascade=0.0, fte=fte) for name, fte in staff.items()}
    return study(designs, parameters=parameters, worlds=40 if schools == SMALL else 12, schools_per_region=schools)


def by_size(design: str, **parameters: float) -> np.ndarray:
    """Return the added adopter-years per mentored school and their standard error in small and large regions, (2, 2)."""
    return np.array([mean_se(at_size(schools, **parameters).per_mentored(design)) for schools in (SMALL, LARGE)])


def fall(design: str, **parameters: float) -> tuple[float, float]:
    """Return by how much the added adopter-years per mentored school fall from small to large regions, and the standard error."""
    (small, error_small), (large, error_large) = by_size(design, **parameters).tolist()
    return small - large, float(np.hypot(error_small, error_large))


@PATTERN.check("Effect per mentored school falls where coordinators stay as many")
def _falls() -> Readings:
    yield above("added adopter-years per mentored school, small less large regions", fall("fixed"))
    runs = at_size(LARGE)
    scaled = runs.per_mentored("scaled") - runs.per_mentored("fixed")
    yield above("large regions: coordinators in proportion less as many as in small ones", scaled)


@PATTERN.check("It stays where coordinators grow along", contrast=True)
def _grows_along() -> Readings:
    yield vanishes("added adopter-years per mentored school, small less large regions", fall("scaled"))


@PATTERN.check("Where coordination does not matter, scale does not either", contrast=True)
def _indifferent() -> Readings:
    yield vanishes("added adopter-years per mentored school, small less large regions", fall("fixed", **INDIFFERENT))


@PATTERN.drawn
def _curves() -> Curves:
    axes, sizes = ("schools of a region", "added adopter-years per mentored school"), [f"{SMALL}", f"{LARGE}"]
    for series, design, parameters in (
        ("0.5 FTE a region", "fixed", {}),
        ("FTE in proportion", "scaled", {}),
        ("coordination does not matter", "fixed", INDIFFERENT),
    ):
        yield curve("Effect by size of the region", axes, series, sizes, *by_size(design, **parameters).T)
