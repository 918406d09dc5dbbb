"""Pattern 4: teachers give a practice up after support ends, more so where the school's share was still low at that moment.

What the end does is the difference between a programme that ends and the same programme going on, equal until that month: first in the
pilot as it is, by how much lower shares come to be, then with nobody starting, so that all that changes is who gives up. Schools are
grouped by their share in the month in which support ends.
"""

from functools import cache

import numpy as np

from model.designs import design_table
from model.engine import run_batch
from model.parameters import parameter_table
from tests.worlds import batch_of, build_practices, build_world

from .runs import MARGIN, NONE, mean_se, preset, study

END, LATER = 34, 71
LOW, HIGH = (0.0, 0.35), (0.5, 1.01)
TEACHERS = 40
NOBODY_STARTS = {"p": 0.0, "q_in": 0.0, "q_out": 0.0, "beta": 0.0, "turnover": 0.0}
SHORT, YEAR = 6, 12  # months of support, and after it


@cache
def mentored_schools(**parameters: float) -> np.ndarray:
    """Return, per world and for schools mentored at the end with a low or a high share, mean shares, (worlds, 2, 2).

    Later, where the programme ended and where it went on.
    """
    designs = {"ended": preset("top_down"), "continued": preset("top_down", last_month=LATER + 1)}
    runs = study(designs, parameters=parameters, per_school=True)
    rows = []
    for index in range(runs.worlds):
        teachers = runs.world(index).teachers
        ended, continued = (runs.adopters(design)[index] / teachers for design in ("ended", "continued"))
        mentored = runs.mentored("ended")[index, END - 1]
        row = []
        for low, high in (LOW, HIGH):
            chosen = mentored & (ended[END] >= low) & (ended[END] < high)
            row.append([ended[LATER][chosen].mean(), continued[LATER][chosen].mean()])
        rows.append(row)
    return np.array(rows)


def lost(**parameters: float) -> np.ndarray:
    """Return the part of the later share that the end of support costs schools of low and of high share, (worlds, 2)."""
    shares = mentored_schools(**parameters)
    return 1.0 - shares[..., 0] / shares[..., 1]


def test_the_end_of_support_costs_schools_adopters():
    for group in (0, 1):
        mean, error = mean_se(lost()[:, group])
        assert mean > MARGIN * error


def test_it_costs_schools_of_low_share_more_than_schools_of_high_share():
    difference, error = mean_se(lost()[:, 0] - lost()[:, 1])
    assert difference > MARGIN * error


@cache
def given_up(**parameters: float) -> np.ndarray:
    """Return the part of adopters that give up in the year after a programme's end, where nobody starts, (worlds, 2, 2).

    Of schools mentored at that moment with a low or a high share; where the programme ended and where it went on.
    """
    designs = {"ended": preset("top_down", first_month=0, last_month=SHORT), "continued": preset("top_down", first_month=0, last_month=48)}
    changes = {**NOBODY_STARTS, "initial_share": 0.35, **parameters}
    runs = study(designs, parameters=changes, worlds=200, months=SHORT + YEAR + 1, per_school=True)
    rows = []
    for index in range(runs.worlds):
        ended, continued = runs.adopters("ended")[index], runs.adopters("continued")[index]
        share = ended[SHORT] / runs.world(index).teachers
        mentored = runs.mentored("ended")[index, SHORT - 1] & (share > 0.0)
        row = []
        for low, high in (LOW, HIGH):
            chosen = mentored & (share >= low) & (share < high)
            row.append([1.0 - part[-1][chosen].sum() / part[SHORT][chosen].sum() for part in (ended, continued)])
        rows.append(row)
    return np.array(rows)


def test_more_adopters_give_up_once_support_has_ended_and_most_where_the_share_was_low():
    shares = given_up()
    caused = shares[..., 0] - shares[..., 1]
    for group in (0, 1):
        mean, error = mean_se(caused[:, group])
        assert mean > MARGIN * error
    for low_less_high in (caused[:, 0] - caused[:, 1], shares[:, 0, 0] - shares[:, 1, 0]):
        difference, error = mean_se(low_less_high)
        assert difference > MARGIN * error


def test_without_protection_by_colleagues_the_end_costs_schools_of_either_share_alike():
    shares = given_up(protection=0.0)
    caused = shares[..., 0] - shares[..., 1]
    for low_less_high in (caused[:, 0] - caused[:, 1], shares[:, 0, 0] - shares[:, 1, 0]):
        difference, error = mean_se(low_less_high)
        assert abs(difference) < MARGIN * error


def test_where_mentoring_does_not_shield_nobody_gives_up_because_it_ends():
    shares = given_up(shield=0.0)
    assert (shares[..., 0] == shares[..., 1]).all()  # exactly: the same draws with the same chances


def alone(adopters: int, **parameters: float) -> tuple[float, float]:
    """Return the part of a lone school's adopters that give up in a year without support, and its standard error over 400 schools."""
    world = build_world(np.full(400, TEACHERS), adopters_at_start=adopters)
    tables = parameter_table([{**NOBODY_STARTS, **parameters}]), design_table([NONE], 0, 0)
    results = run_batch(world, build_practices(), *tables, batch_of(1), seed=2, months=13, end_of_funding=0, per_school=True, threads=1)
    return mean_se(1.0 - results.schools[0, -1, 0] / adopters)


def test_one_of_few_adopters_gives_up_sooner_than_one_of_many():
    few, error_few = alone(6)
    many, error_many = alone(30)
    assert few - many > MARGIN * np.hypot(error_few, error_many)


def test_without_protection_by_colleagues_one_of_few_gives_up_as_soon_as_one_of_many():
    few, error_few = alone(6, protection=0.0)
    many, error_many = alone(30, protection=0.0)
    assert abs(few - many) < MARGIN * np.hypot(error_few, error_many)
