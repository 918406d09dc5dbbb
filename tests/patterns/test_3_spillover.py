"""Pattern 3: mentored schools lead unmentored ones, and neighbours of mentored schools lead schools with no mentored neighbour.

A group's lead is its schools' mean share under the programme less that of the same schools under ``none`` in the same world and under the
same random numbers, so differences in size, capacity and place cancel. 40 worlds, end of funding.
"""

from functools import cache

import numpy as np
import pytest

from .runs import MARGIN, mean_se, preset, study

END = 34
DESIGNS = ("top_down", "regional_hub")


@cache
def leads(design: str, **parameters: float) -> np.ndarray:
    """Return the lead of mentored schools, of their neighbours and of the others, in points of share, (worlds, 3)."""
    runs = study({design: preset(design)}, parameters=parameters, months=END + 1, per_school=True)
    rows = []
    for index in range(runs.worlds):
        world = runs.world(index)
        lead = (runs.adopters(design)[index, END] - runs.adopters("none")[index, END]) / world.teachers
        mentored = runs.mentored(design)[index].any(axis=0)
        mentor = runs.mentors(design)[index].any(axis=0)
        near = np.zeros(len(lead), bool)
        here = np.repeat(np.arange(len(lead)), np.diff(world.peer_start))
        np.logical_or.at(near, here, (mentored | mentor)[world.peer])
        plain = ~mentored & ~mentor
        rows.append([lead[mentored & ~mentor].mean(), lead[plain & near].mean(), lead[plain & ~near].mean()])
    return np.array(rows)


@pytest.mark.parametrize("design", DESIGNS)
def test_mentored_schools_lead_their_neighbours_who_lead_the_rest(design):
    lead = leads(design)
    lead = lead[~np.isnan(lead).any(axis=1)]  # in a dense world every school may have a mentored neighbour
    assert len(lead) >= 30
    for ahead, behind in ((0, 1), (1, 2)):
        difference, error = mean_se(lead[:, ahead] - lead[:, behind])
        assert difference > MARGIN * error


@pytest.mark.parametrize("design", DESIGNS)
def test_without_influence_between_schools_only_mentored_ones_gain(design):
    lead = leads(design, q_out=0.0)
    mentored, error = mean_se(lead[:, 0])
    assert mentored > MARGIN * error
    assert (np.nan_to_num(lead[:, 1:]) == 0.0).all()  # exactly: unmentored schools draw the same numbers with the same chances
