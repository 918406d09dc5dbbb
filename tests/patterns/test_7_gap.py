"""Pattern 7: assignment by need narrows the gap between school types relative to the mean; self-organisation by likeness widens it.

Gap: share in other schools less share in disadvantaged (rural) schools, over the share in all schools under the same design, at the end
of funding. By likeness: the designs in which nobody assigns, where schools choose by likeness, against where they do not; 200 worlds, as at
its base value likeness moves little. Else 40.
"""

from functools import cache

import numpy as np
import pytest

from model.parameters import PARAMETERS

from .runs import MARGIN, Study, mean_se, preset, study

END = 34
TRAITS = ("disadvantaged", "rural")
SELF_ORGANISED = ("bottom_up", "virtual")
LIKENESS = PARAMETERS["likeness_weight"]
ALWAYS = -20.0  # worth of going without a mentor at which every school takes one
SERVED = {"mentor_share": 0.2}  # one mentor of four places for every four others: places for all


def gap(runs: Study, design: str, trait: str) -> np.ndarray:
    """Return the gap of each world at the end of funding, (worlds,)."""
    outside, inside, whole = (runs.share(design, group)[:, END] for group in (f"not_{trait}", trait, "all"))
    return (outside - inside) / whole


@cache
def by_priority(base: str, **changes: float) -> Study:
    designs = {priority: preset(base, priority=priority, **changes) for priority in ("need", "motivation")}
    return study(designs, months=END + 1, monthly=True)


@cache
def self_organised(**parameters: float) -> Study:
    return study({name: preset(name) for name in SELF_ORGANISED}, parameters=parameters, worlds=200, months=END + 1, monthly=True)


@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("base", ["regional_hub", "top_down"])
def test_assignment_by_need_narrows_the_gap(base, trait):
    runs = by_priority(base)
    for other in ("none", "motivation"):
        difference, error = mean_se(gap(runs, "need", trait) - gap(runs, other, trait))
        assert difference < -MARGIN * error


@pytest.mark.parametrize("trait", TRAITS)
def test_where_there_are_places_for_all_priority_makes_no_difference(trait):
    scarce, plenty = by_priority("regional_hub"), by_priority("regional_hub", **SERVED)
    narrowed = abs(np.mean(gap(scarce, "need", trait) - gap(scarce, "motivation", trait)))
    difference, _ = mean_se(gap(plenty, "need", trait) - gap(plenty, "motivation", trait))
    assert abs(difference) < 0.05 * narrowed  # who is first still chooses among more mentors


def widening(base: str, trait: str, likeness: float, **parameters: float) -> np.ndarray:
    """Return by how much choosing by likeness widens the gap of a design relative to its own mean, (worlds,)."""
    alike, blind = (self_organised(likeness_weight=weight, **parameters) for weight in (likeness, 0.0))
    return gap(alike, base, trait) - gap(blind, base, trait)


@pytest.mark.parametrize("likeness", [LIKENESS.base, LIKENESS.high], ids=["base", "high"])
@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("base", SELF_ORGANISED)
def test_self_organisation_by_likeness_widens_the_gap(base, trait, likeness):
    difference, error = mean_se(widening(base, trait, likeness))
    assert difference > MARGIN * error


@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("base", SELF_ORGANISED)
def test_likeness_does_not_widen_the_gap_where_every_school_takes_a_mentor(base, trait):
    difference, error = mean_se(widening(base, trait, LIKENESS.high, outside_option=ALWAYS))
    assert difference < MARGIN * error
    difference, error = mean_se(widening(base, trait, LIKENESS.high) - widening(base, trait, LIKENESS.high, outside_option=ALWAYS))
    assert difference > MARGIN * error


@pytest.mark.parametrize("trait", TRAITS)
@pytest.mark.parametrize("base", SELF_ORGANISED)
def test_self_organisation_leaves_a_wider_gap_than_assignment_by_need(base, trait):
    for assigned in ("regional_hub", "top_down"):
        difference, error = mean_se(gap(self_organised(), base, trait)[:40] - gap(by_priority(assigned), "need", trait))
        assert difference > MARGIN * error
