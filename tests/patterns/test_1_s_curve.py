"""Pattern 1: a practice spreads over a network along an S (Rogers; Bass 1969).

Nobody mentors, 480 schools, 30 years, 40 worlds; new adopters are taken per span of two years, which are far apart in standard errors.
"""

from functools import cache

import numpy as np
import pytest

from .runs import MARGIN, Study, mean_se, preset, study

MONTHS = 361
SPAN = 24


@cache
def spread(**parameters: float) -> Study:
    return study({"outreach": preset("outreach")}, parameters=parameters, months=MONTHS, monthly=True)


def gains(design: str, **parameters: float) -> np.ndarray:
    """Return the rise of the adopting share in each span of two years, (worlds, spans)."""
    return np.diff(spread(**parameters).share(design)[:, ::SPAN], axis=1)


@pytest.mark.parametrize("design", ["none", "outreach"])
def test_new_adopters_rise_to_a_peak_inside_the_horizon_and_then_fall(design):
    rises = gains(design)
    peak = int(rises.mean(axis=0).argmax())
    assert 2 <= peak <= rises.shape[1] - 4  # years 4 to 22 of 30
    mean = rises.mean(axis=0)
    assert (np.diff(mean[: peak + 1]) > 0).all()
    falling = np.diff(mean[peak:])
    assert (falling[mean[peak + 1 :] > 0.1 * mean[peak]] < 0).all()  # until it has all but ended; the rest is noise about nothing
    for other in (0, peak + 4):
        difference, error = mean_se(rises[:, peak] - rises[:, other])
        assert difference > MARGIN * error


def test_the_inflection_lies_between_the_start_and_the_final_share():
    share = spread().share("none").mean(axis=0)
    inflection = share[(int(gains("none").mean(axis=0).argmax())) * SPAN]
    reached = (inflection - share[0]) / (share[-1] - share[0])
    assert 0.2 < reached < 0.8
    assert share[-1] - share[-SPAN] < 0.01  # the horizon is long enough


def test_without_influence_among_teachers_there_is_no_s():
    # Nothing but innovation: the rise is steepest in the first span and falls from then on.
    rises = gains("outreach", q_in=0.0, q_out=0.0, advanced_fraction=0.0, initial_share=0.0)
    assert int(rises.mean(axis=0).argmax()) == 0
    difference, error = mean_se(rises[:, 0] - rises[:, 1])
    assert difference > MARGIN * error
