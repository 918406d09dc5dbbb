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
from school_mentoring.model.state import ALUMNUS, LASTING, MENTEE, MENTOR, NO_ROLE
from school_mentoring.model.world.arrays import NO_CONTACTS
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
                assert r.recruits(month)


@EXAMPLES
@given(cases())
def test_who_was_mentored_as_long_as_planned_is_never_mentored_again_and_mentors_only_of_its_own_will(case):
    for r in runs(case):
        month, school = np.nonzero(r.role[:-1] == ALUMNUS)
        later = r.role[month + 1, school]
        assert np.isin(later, [ALUMNUS, MENTOR]).all()
        assert r.design.recruitment == "volunteer" or (later == ALUMNUS).all()


@EXAMPLES
@given(cases())
def test_a_planned_tie_ends_in_the_first_yearly_round_in_which_it_is_that_old(case):
    for r in runs(case):
        planned, begun = r.design.tie_months, np.full(r.world.teachers.size, -1)
        for month in range(r.months):
            new = r.tied[month] & (True if month == 0 else r.mentor[month] != r.mentor[month - 1])
            begun[new] = month
            age = month - begun[r.tied[month]]
            # Of 13 months planned in yearly rounds, 24 pass.
            assert planned == 0 or (age < 12 * -(-planned // 12)).all()
            for i in np.flatnonzero((r.role[month] == ALUMNUS) & (month > 0) & r.tied[month - 1]):
                assert r.is_round(month) and month - begun[i] >= planned > 0


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
        if r.design.recruitment != "assigned" or not named.any() or r.first >= r.months or not r.recruits(r.first):
            continue
        np.testing.assert_array_equal(r.role[r.first] == MENTOR, named)


# --- teams -----------------------------------------------------------------------------------------------------------


@EXAMPLES
@given(cases())
def test_a_team_has_no_more_adopters_and_no_more_others_than_its_school_and_none_without_a_tie(case):
    for r in runs(case):
        using = r.team_adopters
        assert (using >= 0).all() and (using <= r.team).all() and (using <= r.adopters).all()
        rest = (r.team - using) <= (r.world.teachers - r.adopters)
        assert (rest | ~r.tied[:, None]).all()
        assert not (using * ~r.tied[:, None]).any()


@EXAMPLES
@given(cases())
def test_teachers_in_teams_their_colleagues_and_all_others_make_up_all(case):
    for r in runs(case):
        np.testing.assert_array_equal(r.teams.sum(axis=1), r.group("all")[..., 1:3])


def records(case: Case, **values: float) -> Results:
    return run(case._replace(parameters=[{**drawn, **values} for drawn in case.parameters]))


@EXAMPLES
@given(cases(runs=2))
def test_ties_without_hours_neither_win_nor_keep_anybody(case):
    # Every record, school by school, is that of ties without effect; the ties themselves are there.
    idle = case._replace(designs=[way.model_copy(update={"release_hours": 0.0}) for way in case.designs])
    for one, other in zip(records(idle, voluntary_hours=0.0), records(idle, voluntary_hours=0.0, beta=0.0, shield=0.0), strict=True):
        np.testing.assert_array_equal(one, other)


@EXAMPLES
@given(cases())
def test_nobody_learns_from_mentors_who_do_not_use_the_practice(case):
    # From zero users, none of whom comes by itself, none come from mentoring, colleagues, peers or contacts.
    nobody = case._replace(world=case.world._replace(adopters_at_start=np.zeros_like(case.world.adopters_at_start)))
    assert not records(nobody, p=0.0, enrolment=0.0, beta=1.0).schools[:, :, :-2].any()


def test_a_team_learns_from_a_mentor_school_in_which_somebody_uses_the_practice():
    for users, taught in ((0, False), (1, True)):
        world = build_world([10, 10], capacity=[0.9, 0.1], adopters_at_start=[users, 0])
        values = {"p": 0.0, "q_in": 0.0, "q_out": 0.0, "beta": 1.0, "dose_half": 0.01, "d": 0.0, "turnover": 0.0, "attrition": 0.0}
        way = design("regional_hub", mentor_share=0.5, places=1, cascade=0.0, first_month=0, last_month=24)
        inputs = world, build_practices(), parameter_table([values]), design_table([way], 0, 24), batch_of(1)
        results = run_batch(Task(*inputs, seed=1, months=24, end_of_funding=23), per_school=True)
        assert results.schools[0, -1, 0].tolist() == [users, 4 * taught]  # the whole team, and nobody beside it


# --- contacts --------------------------------------------------------------------------------------------------------


@EXAMPLES
@given(cases())
def test_lasting_contacts_are_few_mutual_between_members_and_never_between_peers(case):
    n = case.world.teachers.size
    peers = np.zeros((n, n), bool)
    peers[np.repeat(np.arange(n), np.diff(case.world.peer_start)), case.world.peer] = True
    for r in runs(case):
        for end, month in enumerate((r.end_of_funding, r.months - 1)):
            place, school = np.nonzero(r.partners[end] >= 0)
            partner = r.partners[end][place, school]
            weight = np.zeros((n, n))
            weight[school, partner] = r.partner_weights[end][place, school]
            listed = np.bincount(school, minlength=n)
            assert listed.max() <= LASTING == len(r.partners[end])
            assert (np.count_nonzero(weight, axis=1) == listed).all()  # none twice, none without weight
            np.testing.assert_array_equal(weight > 0.0, weight.T > 0.0)
            assert not weight[peers].any() and not weight.diagonal().any() and weight.max() <= 1.0
            assert 2 * r.contacts[month] == listed.sum()
            assert not (r.partner_weights[end][r.partners[end] < 0]).any()
            assert np.count_nonzero(listed) <= r.group("mentors")[month, 0, 0] + r.group("mentees")[month, 0, 0]
            assert case.world.contacts != NO_CONTACTS or not listed.any()


@EXAMPLES
@given(cases(runs=2))
def test_contacts_that_never_last_are_none_and_those_that_never_fade_end_only_where_a_ninth_takes_the_place(case):
    assert not records(case, contact_lasts=0.0).contacts.any()
    lasting = records(case, contact_lasts=1.0, contact_fade=0.0)
    fewer = np.diff(lasting.contacts, axis=1) < 0
    for row in np.flatnonzero(fewer.any(axis=1)):
        assert (lasting.partners[row, 1] >= 0).all(axis=0).any()


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
    assert (other[:, OUTCOMES.index("cost_programme")] > 0.0).all() and not none[:, OUTCOMES.index("cost_programme")].any()


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
def test_where_nothing_is_lost_no_school_ever_has_fewer_adopters_because_its_ties_teach(case):
    # The same ties (assigned, no cascade, so nothing of them depends on who adopts), that teach and that do not: counts come by inversion,
    # so a part of a staff that is ahead, or whose chance is larger, never falls behind. Against no programme this holds on average only,
    # as team and colleagues draw apart.
    same = case._replace(designs=[way.model_copy(update={"recruitment": "assigned", "cascade": 0.0}) for way in case.designs])
    taught, idle = (records(same, d=0.0, turnover=0.0, **effect) for effect in ({}, {"beta": 0.0}))
    np.testing.assert_array_equal(taught.schools[:, :, -1], idle.schools[:, :, -1])
    assert (taught.schools[:, :, :-2] >= idle.schools[:, :, :-2]).all()
    assert (taught.team_adopters >= idle.team_adopters).all()


def test_roles_have_the_codes_that_the_records_use():
    assert (NO_ROLE, MENTOR, MENTEE, ALUMNUS) == (0, 1, 2, 3)
