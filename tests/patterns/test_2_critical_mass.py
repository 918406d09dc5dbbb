"""Pattern 2: whole-school adoption below a share decays, above it holds (complex contagion: Centola & Macy 2007).

One school without peers, innovation or mentoring moves by readiness q_in s**gamma (1 - s) - s loss(s); the roots of that balance, found
with the rules themselves, are its thresholds. 400 such schools give means with known errors; they have 200 teachers each, as in small
ones chance carries some over the threshold.
"""

import numpy as np
import pytest

from model import rules
from model.designs import design_table
from model.engine import run_batch
from model.parameters import parameter_table
from tests.worlds import batch_of, build_practices, build_world, parameter_record

from .runs import MARGIN, NONE, mean_se

ALONE = {"p": 0.0, "q_out": 0.0}
SIMPLE = {"gamma": 1.0, "protection": 0.0}
MEAN, CAPABLE = 0.5, 0.75
SCHOOL = pytest.mark.parametrize("capacity", [MEAN, CAPABLE])
TEACHERS = 200
SCHOOLS = 400
YEARS = 6


def balance(share: float, capacity: float, **parameters: float) -> float:
    """Return the expected change of a lone school's adopting share in a month."""
    par = parameter_record({**ALONE, **parameters})
    gain = rules.adoption_chance(par, rules.readiness(par, capacity, 1.0), 0.5, 0.0, rules.social_influence(par, share), 0.0, 0.0)
    return (1.0 - share) * gain - share * rules.loss_chance(par, share, 0.0)


def roots(capacity: float, **parameters: float) -> list[float]:
    """Return the shares above 0 at which a lone school stays, in ascending order."""
    shares = np.linspace(0.001, 0.999, 1997)
    signs = np.sign([balance(s, capacity, **parameters) for s in shares])
    return [float(shares[i]) for i in np.flatnonzero(np.diff(signs))]


def change(adopters: int, capacity: float, years: int = YEARS, **parameters: float) -> tuple[float, float]:
    """Return by how much the share of lone schools has risen after some years, and its standard error over schools."""
    world = build_world(np.full(SCHOOLS, TEACHERS), capacity=capacity, adopters_at_start=adopters)
    tables = parameter_table([{**ALONE, **parameters}]), design_table([NONE], 0, 0)
    months = 12 * years + 1
    results = run_batch(world, build_practices(), *tables, batch_of(1), seed=1, months=months, end_of_funding=0, per_school=True, threads=1)
    return mean_se((results.schools[0, -1, 0] - adopters) / TEACHERS)


@SCHOOL
def test_a_school_of_mean_capacity_and_a_capable_one_have_a_threshold_and_a_share_that_holds(capacity):
    low, high = roots(capacity)
    assert 0.05 < low < 0.3
    assert 0.5 < high < 0.8


def test_the_more_capable_a_school_the_lower_its_threshold():
    thresholds = [roots(capacity)[0] for capacity in (MEAN, 0.6, CAPABLE, 0.9)]
    assert thresholds == sorted(thresholds, reverse=True)
    assert roots(0.3) == []  # a school of low capacity keeps the practice from no share, as long as it is alone


@SCHOOL
def test_below_the_threshold_adoption_decays_and_above_it_holds(capacity):
    low, high = roots(capacity)
    below, above = round(0.4 * low * TEACHERS), round(0.5 * (low + high) * TEACHERS)
    fall, error = change(below, capacity)
    assert fall < -MARGIN * error
    rise, error = change(above, capacity)
    assert rise > MARGIN * error


@SCHOOL
def test_above_the_upper_root_a_school_comes_down_to_it(capacity):
    _, high = roots(capacity)
    fall, error = change(TEACHERS, capacity, years=2 * YEARS)
    assert fall < -MARGIN * error
    assert abs(1.0 + fall - high) < 0.1


@SCHOOL
def test_with_simple_contagion_and_no_protection_there_is_no_critical_mass(capacity):
    assert len(roots(capacity, **SIMPLE)) == 1
    low, _ = roots(capacity)
    rise, error = change(round(0.4 * low * TEACHERS), capacity, **SIMPLE)
    assert rise > MARGIN * error
