"""Pattern 6: the effect per mentored school falls as a programme scales faster than its coordinators (Kraft, Blazar & Hogan 2018).

Regional hubs with 5 % mentors and 0.5 FTE each, in regions of 20 schools (1 cluster a coordinator) and of 160 (8 clusters). So the share of
mentors, and with it overlap and the mentors' level, stays. Worlds differ in size, so differences are between independent means.
"""

from functools import cache

import numpy as np

from .runs import MARGIN, Study, mean_se, preset, study

SMALL, LARGE = 20, 160
FTE = 0.5


@cache
def at_size(schools: int, **parameters: float) -> Study:
    designs = {
        "fixed": preset("regional_hub", cascade=0.0, fte=FTE),
        "scaled": preset("regional_hub", cascade=0.0, fte=FTE * schools / SMALL),
    }
    return study(designs, parameters=parameters, worlds=40 if schools == SMALL else 12, schools_per_region=schools)


def fall(design: str, **parameters: float) -> tuple[float, float]:
    """Return by how much the added adopter-years per mentored school fall from small to large regions, and the standard error."""
    small, error_small = mean_se(at_size(SMALL, **parameters).per_mentored(design))
    large, error_large = mean_se(at_size(LARGE, **parameters).per_mentored(design))
    return small - large, float(np.hypot(error_small, error_large))


def test_effect_per_mentored_school_falls_where_coordinators_stay_as_many():
    difference, error = fall("fixed")
    assert difference > MARGIN * error


def test_effect_per_mentored_school_stays_where_coordinators_grow_along():
    difference, error = fall("scaled")
    assert abs(difference) < MARGIN * error
    runs = at_size(LARGE)  # and directly, in the same large worlds
    difference, error = mean_se(runs.per_mentored("scaled") - runs.per_mentored("fixed"))
    assert difference > MARGIN * error


def test_where_coordination_does_not_matter_scale_does_not_either():
    difference, error = fall("fixed", fit_floor=1.0, attrition_coordination=0.0)
    assert abs(difference) < MARGIN * error
