"""What must hold in any run: counts within bounds, every tie lawful, nothing from designs that do nothing, never less from what helps."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Results, Task, run_batch
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.state import MENTEE, MENTOR, NO_ROLE
from tests.worlds import Case, batch_of, build_practices, build_world, cases, design, random_parameters

from .taken_apart import EXAMPLES, run, runs

# --- schools and ties ------------------------------------------------------------------------------------------------


@EXAMPLES
@given(cases())
def test_adopters_lie_between_none_and_all_teachers(case):
    for r in runs(case):
        assert (r.adopters >= 0).all() and (r.adopters <= case.world.teachers).all()


@EXAMPLES
@given(cases())
def test_no_mentor_has_more_mentees_than_places(case):
    for r in runs(case):
        for mentor in r.mentor:
            assert max(Counter(mentor[mentor >= 0].tolist()).values(), default=0) <= r.design.places


@EXAMPLES
@given(cases())
def test_exactly_the_mentees_have_a_mentor(case):
    for r in runs(case):
        np.testing.assert_array_equal(r.role == MENTEE, r.mentor >= 0)


@EXAMPLES
@given(cases())
def test_every_mentor_of_a_tie_has_the_role_of_a_mentor(case):
    # So nobody mentors itself either, since a school has one role.
    for r in runs(case):
        month, school = np.nonzero(r.mentor >= 0)
        assert (r.role[month, r.mentor[month, school]] == MENTOR).all()


@EXAMPLES
@given(cases())
def test_once_a_mentor_always_a_mentor(case):
    for r in runs(case):
        was = r.role[:-1] == MENTOR
        assert (r.role[1:][was] == MENTOR).all()


@EXAMPLES
@given(cases())
def test_ties_stay_within_the_scope_of_the_design(case):
    world = case.world
    near = np.zeros((world.teachers.size,) * 2, bool)
    near[np.repeat(np.arange(len(near)), np.diff(world.peer_start)), world.peer] = True
    near |= near @ near
    pilot = (world.named_role == MENTOR).any()
    for r in runs(case):
        if pilot and r.design.recruitment == "assigned":
            continue  # a pilot's own pairs may cross any border
        month, school = np.nonzero(r.mentor >= 0)
        mentor = r.mentor[month, school]
        if r.design.scope == "country":
            assert (world.country[school] == world.country[mentor]).all()
        elif r.design.scope == "region":
            assert (world.region[school] == world.region[mentor]).all()
        elif r.design.scope == "peers":
            assert near[school, mentor].all()


@EXAMPLES
@given(cases())
def test_ties_and_mentors_begin_only_in_months_of_recruitment(case):
    for r in runs(case):
        for month in range(r.months):
            before = r.role[month - 1] if month else np.zeros_like(r.role[0])
            tied_before = r.mentor[month - 1] if month else np.full_like(r.mentor[0], -1)
            begun = (r.mentor[month] >= 0) & (r.mentor[month] != tied_before)
            made = (r.role[month] == MENTOR) & (before != MENTOR)
            if begun.any() or made.any():
                assert r.design.recruitment != "none"
                assert month >= r.first and (month - r.first) % 12 == 0
                assert month < r.last or r.design.tier == "none"


@EXAMPLES
@given(cases())
def test_a_quota_bounds_the_mentors_that_are_recruited(case):
    # Rounding runs on from region to region, so all mentors stay within the rounded quota of all schools; a cascade may add to them.
    pilot = (case.world.named_role == MENTOR).any()
    for r in runs(case):
        share = r.design.mentor_share
        if share is None or r.design.cascade > 0.0 or (pilot and r.design.recruitment == "assigned"):
            continue
        assert (r.role == MENTOR).sum(axis=1).max() <= math.floor(share * case.world.teachers.size + 0.5)


@EXAMPLES
@given(cases())
def test_an_assigning_programme_takes_exactly_the_mentors_that_a_pilot_named(case):
    named = case.world.named_role == MENTOR
    for r in runs(case):
        if r.design.recruitment != "assigned" or not named.any() or r.first >= min(r.months, r.last):
            continue
        np.testing.assert_array_equal(r.role[r.first] == MENTOR, named)


# --- designs that do nothing -----------------------------------------------------------------------------------------


def assert_equal_records(case: Case, left, right) -> None:
    records = []
    for way in (left, right):
        results = run(case._replace(designs=[way] * 3))
        records.append(results)
    for name in Results._fields:
        np.testing.assert_array_equal(getattr(records[0], name), getattr(records[1], name), err_msg=name)


@EXAMPLES
@given(cases(runs=2))
def test_a_design_without_recruitment_coordinators_and_outreach_equals_none(case):
    empty = case.designs[0].model_copy(update={"recruitment": "none", "fte": 0.0, "outreach": 0.0})
    assert_equal_records(case, empty, PRESETS["none"])


@EXAMPLES
@given(cases(runs=2), st.sampled_from(["platform", "hub", "ministry"]))
def test_a_coordinated_design_that_is_never_funded_equals_none(case, tier):
    never = case.designs[0].model_copy(update={"tier": tier, "first_month": 5, "last_month": 5})
    assert_equal_records(case, never, PRESETS["none"])


@EXAMPLES
@given(cases(runs=2))
def test_a_design_that_starts_after_the_horizon_equals_none(case):
    late = case.designs[0].model_copy(update={"first_month": case.months, "last_month": 1200})
    assert_equal_records(case, late, PRESETS["none"])


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "none"])
def test_each_preset_but_none_does_something(preset):
    world = build_world([20] * 60, weights=np.ones((60, 60)), capacity=np.linspace(0.2, 0.95, 60))
    inputs = world, build_practices(), parameter_table([{}]), design_table([PRESETS["none"], PRESETS[preset]], 6, 34)
    none, other = (run_batch(Task(*inputs, batch_of(5, design=d), seed=1, months=40, end_of_funding=34)).outcomes for d in (0, 1))
    assert (other[:, OUTCOMES.index("effect_adopter_years")] > none[:, OUTCOMES.index("effect_adopter_years")]).all()
    assert (other[:, OUTCOMES.index("cost_total")] > 0.0).all()


# --- more of what helps is never less --------------------------------------------------------------------------------


@EXAMPLES
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.floats(0.0, 1.0), st.integers(0, 2**64 - 1))
def test_where_nothing_is_lost_no_school_ever_has_fewer_adopters_under_outreach(entropy, n, outreach, seed):
    # Draws are shared and counts come by inversion, so without losses a school's path under a stronger push never lies below.
    rng = np.random.default_rng(entropy)
    values = {**random_parameters(rng, 0.1), "d": 0.0, "turnover": 0.0}
    near = rng.random((n, n)) < 0.3
    world = build_world(
        rng.integers(1, 50, n), weights=(near | near.T) & ~np.eye(n, dtype=bool), capacity=rng.random(n), openness=rng.random(n)
    )
    pair = [PRESETS["none"], design("none", outreach=outreach)]
    without, with_it = (
        run_batch(
            Task(
                world,
                build_practices(),
                parameter_table([values]),
                design_table(pair, 3, 20),
                batch_of(3, design=d),
                seed=seed,
                months=30,
                end_of_funding=20,
            ),
            per_school=True,
            threads=1,
        ).schools[:, :, 0]
        for d in (0, 1)
    )
    assert (with_it >= without).all()


@EXAMPLES
@given(cases(wild=0.0))
def test_where_nothing_is_lost_no_school_ever_has_fewer_adopters_under_mentoring(case):
    kept = case._replace(parameters=[{**values, "d": 0.0, "turnover": 0.0} for values in case.parameters])
    mentored, alone = run(kept), run(kept._replace(designs=[PRESETS["none"]] * 3))
    assert (mentored.schools[:, :, :-2] >= alone.schools[:, :, :-2]).all()


def test_roles_have_the_codes_that_the_records_use():
    assert (NO_ROLE, MENTOR, MENTEE) == (0, 1, 2)
