"""A large school is no free lunch: a team of the same size gains as much in it as in a small one, and its colleagues learn only from it."""

import numpy as np

from school_mentoring.experiments.validation.checks import mean_se
from school_mentoring.experiments.validation.runs import preset, study
from school_mentoring.model.parameters import PARAMETERS

WORLDS = 120


def per_school_reached(times: int) -> tuple[float, float]:
    """Return the adopter-years that a regional hub adds per school reached, a ratio of means, and its relative standard error.

    In schools so many ``times`` as large, where colleagues do not influence each other.
    """
    sizes = {name: times * PARAMETERS[name].base for name in ("teachers_primary", "teachers_secondary")}
    runs = study({"regional_hub": preset("regional_hub")}, parameters={"q_in": 0.0, **sizes}, worlds=WORLDS)
    added, reached = runs.added("regional_hub"), runs.outcome("regional_hub", "schools_reached")
    ratio = added.mean() / reached.mean()
    return ratio, mean_se((added - ratio * reached) / reached.mean())[1] / ratio


def test_schools_eight_times_as_large_gain_as_many_adopter_years_where_colleagues_do_not_influence_each_other():
    # Paired with no programme on common random numbers; the standard error of the quotient must be below 4 %.
    (small, small_error), (large, large_error) = per_school_reached(1), per_school_reached(8)
    assert np.hypot(small_error, large_error) < 0.04
    assert abs(large / small - 1.0) < 0.15
