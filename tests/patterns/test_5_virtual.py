"""Pattern 5: virtual mentoring has less effect and costs less per mentored school than face to face, and wins where distances are long.

One design with all hours online and with none, 40 worlds: in the pilot (regions of 60 km) and in small-islands (200 km, slow travel).
Per mentored school, effect and cost are compared at equal numbers, the 24 clusters of the pilot: the hub's mentees do not become mentors
there, as fewer would online and the hub's fixed costs would be spread over fewer schools. Winning is cost per added adopter-year, of the
designs as they are.
"""

from functools import cache

import numpy as np
import pytest

from .runs import MARGIN, Study, mean_se, preset, study

BASES = ("top_down", "regional_hub")
AS_LONG = {"virtual_attrition": 0.0}
NOBODY_TRAVELS = {
    "region_km": 0.1,
    "town_km": 0.0,
    "rural": 0.0,
}  # all schools of a region at one point, countries a few hundred metres wide


@cache
def both_ways(base: str, scenario: str = "mensi-pilot", *, cascade: bool = False, **parameters: float) -> Study:
    changes: dict[str, float] = {} if cascade else {"cascade": 0.0}
    designs = {"face_to_face": preset(base, virtual_share=0.0, **changes), "virtual": preset(base, virtual_share=1.0, **changes)}
    return study(designs, scenario=scenario, parameters=parameters, per_school=True)


def compare(runs: Study, what: str = "") -> tuple[float, float]:
    """Return virtual less face to face, per mentored school, and the standard error of this paired difference."""
    return mean_se(runs.per_mentored("virtual", what) - runs.per_mentored("face_to_face", what))


def cost_of_a_year(runs: Study, design: str) -> np.ndarray:
    """Return the cost per mentored school and year of mentoring, (worlds,)."""
    return 12.0 * runs.outcome(design, "cost_total") / runs.mentored(design).sum(axis=(1, 2))


def dearer_per_added_year(runs: Study) -> tuple[float, float]:
    """Return by how much an added adopter-year costs more online, in EUR, and the standard error.

    A difference of two ratios of means, paired by world, its error by the delta method.
    """
    difference, influence = 0.0, 0.0
    for design, sign in (("virtual", 1.0), ("face_to_face", -1.0)):
        cost, added = runs.outcome(design, "cost_total"), runs.added(design)
        ratio = cost.mean() / added.mean()
        difference += sign * ratio
        influence = influence + sign * (cost - ratio * added) / added.mean()
    return float(difference), mean_se(influence)[1]


@pytest.mark.parametrize("base", BASES)
def test_virtual_mentoring_has_less_effect_and_costs_less_per_mentored_school(base):
    runs = both_ways(base)
    for what in ("", "cost_total"):
        difference, error = compare(runs, what)
        assert difference < -MARGIN * error
    mentored = [runs.outcome(design, "mentee_schools").mean() for design in ("virtual", "face_to_face")]
    assert abs(mentored[0] / mentored[1] - 1.0) < 0.03  # equal numbers
    difference, error = mean_se(runs.outcome("virtual", "cost_total") - runs.outcome("face_to_face", "cost_total"))
    assert difference < -MARGIN * error  # and in total


@pytest.mark.parametrize("base", BASES)
def test_where_ties_last_as_long_virtual_mentoring_costs_less_by_what_is_spent_on_the_road(base):
    # So it is cheaper not only because its ties end sooner.
    runs = both_ways(base, **AS_LONG)
    assert (runs.mentored("virtual") == runs.mentored("face_to_face")).all()
    difference, error = mean_se(cost_of_a_year(runs, "virtual") - cost_of_a_year(runs, "face_to_face"))
    assert difference < -MARGIN * error


@pytest.mark.parametrize("base", BASES)
def test_an_online_hour_as_good_as_another_gives_and_costs_the_same_where_nobody_travels(base):
    runs = both_ways(base, **AS_LONG, **NOBODY_TRAVELS, virtual_fidelity=1.0)
    difference, _ = compare(runs)
    assert abs(difference) <= 0.001 * runs.per_mentored("face_to_face").mean()
    difference, _ = compare(runs, "cost_total")
    assert abs(difference) <= 0.001 * runs.per_mentored("face_to_face", "cost_total").mean()


@pytest.mark.parametrize("base", BASES)
def test_virtual_mentoring_has_more_effect_per_mentored_school_at_long_distances(base):
    difference, error = compare(both_ways(base, "small-islands", cascade=True))
    assert difference > MARGIN * error


@pytest.mark.parametrize("base", BASES)
def test_virtual_mentoring_is_cheaper_per_added_year_where_distances_are_long_and_dearer_where_they_are_short(base):
    for scenario, sign in (("mensi-pilot", 1.0), ("small-islands", -1.0)):
        difference, error = dearer_per_added_year(both_ways(base, scenario, cascade=True))
        assert sign * difference > MARGIN * error


@pytest.mark.parametrize("other", BASES)
def test_the_virtual_structure_costs_less_per_mentored_school_than_the_others(other):
    runs = study({name: preset(name) for name in ("virtual", other)})
    difference, error = mean_se(runs.per_mentored("virtual", "cost_total") - runs.per_mentored(other, "cost_total"))
    assert difference < -MARGIN * error
