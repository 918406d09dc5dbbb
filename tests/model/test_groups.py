"""Groups, ties and outcomes of a run tell the same story as the records of its schools, from which they are rebuilt in plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given

from school_mentoring.model.observe import GROUPS, OUTCOMES
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL
from tests.worlds import cases

from .taken_apart import EXAMPLES, Run, runs

REACHED = {"schools_reached", "teachers_in_team", "pupils_reached"}


def members(r: Run) -> dict[str, np.ndarray]:
    """Return which schools belong to each group that fixed traits define."""
    rural, poor = (r.world.traits & RURAL) > 0, (r.world.traits & DISADVANTAGED) > 0
    small = r.world.teachers < r.values["small_school"]
    named = {"all": np.ones_like(rural), "disadvantaged": poor, "not_disadvantaged": ~poor, "rural": rural, "not_rural": ~rural}
    named |= {"small": small, "not_small": ~small}
    pairs = {"rural": rural, "not_rural": ~rural}, {"disadvantaged": poor, "not_disadvantaged": ~poor}
    named |= {f"{where}_{who}": inside & of for where, inside in pairs[0].items() for who, of in pairs[1].items()}
    return named | {f"country {c}": r.world.country == c for c in range(r.world.salary.size)}


def mainstreamed(r: Run) -> np.ndarray:
    return r.adopters / r.world.teachers >= r.values["mainstream_threshold"]


@EXAMPLES
@given(cases())
def test_groups_count_the_schools_that_belong_to_them(case):
    for r in runs(case):
        names = [*GROUPS, *(f"country {c}" for c in range(r.world.salary.size))]
        for name, inside in members(r).items():
            group = r.groups[:, names.index(name)]  # months, practices, counts
            assert (group[..., 0] == inside.sum()).all(), name
            assert (group[..., 1] == r.world.teachers[inside].sum()).all(), name
            np.testing.assert_array_equal(group[..., 2], r.adopters[..., inside].sum(axis=-1), err_msg=name)
            np.testing.assert_array_equal(group[..., 3], mainstreamed(r)[..., inside].sum(axis=-1), err_msg=name)


@EXAMPLES
@given(cases())
def test_the_group_of_mentors_holds_the_schools_that_have_become_mentors(case):
    for r in runs(case):
        group = r.groups[:, GROUPS.index("mentors")]
        for month in range(r.months):
            inside = r.role[month] == MENTOR
            assert (group[month, :, 0] == inside.sum()).all()
            np.testing.assert_array_equal(group[month, :, 2], r.adopters[month][:, inside].sum(axis=1))


@EXAMPLES
@given(cases())
def test_mentors_mentees_and_unmentored_schools_make_up_all(case):
    for r in runs(case):
        parts = sum(r.groups[:, GROUPS.index(name)] for name in ("mentors", "mentees", "unmentored"))
        np.testing.assert_array_equal(parts, r.groups[:, GROUPS.index("all")])


@EXAMPLES
@given(cases())
def test_every_school_seen_as_a_mentee_counts_among_those_ever_mentored(case):
    # A tie may end in the month in which it began, before the month is recorded: so at least, not exactly.
    for r in runs(case):
        ever = np.logical_or.accumulate(r.role == MENTEE, axis=0) & (r.role != MENTOR)
        assert (r.groups[:, GROUPS.index("mentees"), 0, 0] >= ever.sum(axis=1)).all()


@EXAMPLES
@given(cases())
def test_active_ties_are_the_mentees_of_the_month(case):
    for r in runs(case):
        np.testing.assert_array_equal(r.ties, r.tied.sum(axis=1))


def teams(r: Run) -> np.ndarray:
    """Return teachers and adopters in teams, beside them, and in schools without a tie, shape (months, 3, practices, 2)."""
    adopters, tied = r.adopters, r.tied[:, None]
    using, team = r.team_adopters, np.broadcast_to(r.team, adopters.shape)
    teachers = np.broadcast_to(r.world.teachers, adopters.shape)
    parts = (team * tied, using), ((teachers - team) * tied, (adopters - using) * tied), (teachers * ~tied, adopters * ~tied)
    return np.stack([np.stack([counts.sum(axis=2) for counts in part], axis=-1) for part in parts], axis=1)


@EXAMPLES
@given(cases())
def test_groups_of_teachers_are_those_in_a_team_their_colleagues_and_the_others(case):
    for r in runs(case):
        np.testing.assert_array_equal(r.teams, teams(r))


@EXAMPLES
@given(cases())
def test_schools_reached_are_all_that_have_ever_had_a_mentor_with_their_teams_and_pupils(case):
    # A tie that ends in the month in which it begins is not recorded: so at least those that are, and exactly those where none ends so.
    lasting = case._replace(parameters=[{**values, "attrition": 0.0} for values in case.parameters])
    for same, found in ((False, runs(case)), (True, runs(lasting))):
        for r in found:
            ever = r.tied.any(axis=0)
            pupils = r.world.pupils.astype(int) * r.team // r.world.teachers
            seen = {"schools_reached": ever.sum(), "teachers_in_team": r.team[ever].sum(), "pupils_reached": pupils[ever].sum()}
            for name, count in seen.items():
                assert r.outcomes[name] == count if same else r.outcomes[name] >= count, name


def rebuilt_outcomes(r: Run) -> dict[str, float]:
    """Return the outcomes that follow from the school records."""
    funded, last = r.end_of_funding, r.months - 1
    adopters = r.adopters.sum(axis=(1, 2))
    teachers = r.world.teachers * r.practices.weight.size
    found = {
        "effect_adopter_years": float((adopters * r.discount()).sum() / 12),
        "adopters_start": adopters[0],
        "adopters_end_of_funding": adopters[funded],
        "adopters_end": adopters[last],
        "mainstreamed_end_of_funding": mainstreamed(r)[funded].sum(),
        "mainstreamed_end": mainstreamed(r)[last].sum(),
        "pupils_end": (r.world.pupils.astype(int) * r.adopters[last] // r.world.teachers).sum(),
        "sustained_share": adopters[last] / adopters[funded] if adopters[funded] else math.nan,
        "active_ties_end_of_funding": r.ties[funded],
        "active_ties_end": r.ties[last],
        "contacts_end_of_funding": (r.partners[0] >= 0).sum() / 2,
        "contacts_end": (r.partners[1] >= 0).sum() / 2,
        "mentor_schools": (r.role[last] == MENTOR).sum(),
        "mentee_schools": r.groups[last, GROUPS.index("mentees"), 0, 0],
    }
    for group, (there, users) in zip(("team", "colleagues", "others"), teams(r)[funded].sum(axis=1).tolist(), strict=True):
        found[f"use_{group}_end_of_funding"] = users / there if there else math.nan
    for name in ("disadvantaged", "rural", "small"):
        inside = members(r)[name]
        for suffix, month in (("_end_of_funding", funded), ("", last)):
            both = inside.any() and not inside.all()
            counts = r.adopters[month].sum(axis=0)
            gap = counts[~inside].sum() / teachers[~inside].sum() - counts[inside].sum() / teachers[inside].sum() if both else math.nan
            found[f"gap_{name}{suffix}"] = gap
    return {name: float(value) for name, value in found.items()}


@EXAMPLES
@given(cases())
def test_outcomes_are_those_that_follow_from_the_school_records(case):
    # Counts exactly; shares, gaps and discounted sums to 1e-9, some thousand roundings.
    for r in runs(case):
        expected = rebuilt_outcomes(r)
        assert set(expected) == {name for name in OUTCOMES if not name.startswith("cost_")} - REACHED
        for name, value in expected.items():
            assert r.outcomes[name] == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True), name
