"""What happens round by round: places that are reserved, ties that end, cohorts that follow, teams that become mentors."""

import numpy as np
import pytest

from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.matching import open_places
from school_mentoring.model.mesa_model import MentoringModel, run_batch_with_mesa
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.state import ALUMNUS, MENTEE, MENTOR, NO_ROLE
from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL
from tests.worlds import batch_of, build_practices, build_world, design

from .test_matching import CERTAIN


def roles(world, way, months, values=None, replicates=1, seed=1, engine=run_batch):
    """Return the role of each school in each month, (replicates, months, schools)."""
    inputs = world, build_practices(), parameter_table([{**CERTAIN, **(values or {})}]), design_table([way], 0, 100), batch_of(replicates)
    return engine(Task(*inputs, seed=seed, months=months, end_of_funding=months), per_school=True).schools[:, :, -2]


@pytest.fixture(params=[run_batch, run_batch_with_mesa], ids=["compiled", "mesa"])
def engine(request):
    return request.param


# --- reserved places -------------------------------------------------------------------------------------------------


def place_by_place(target, reserve, traits, engine, places=4, teachers=20):
    """Return who is served by one mentor (school 0) whose other schools queue in the order of the table."""
    n = len(traits)
    world = build_world(
        np.broadcast_to(teachers, n),
        traits=traits,
        capacity=[0.9] + [0.5] * (n - 1),
        openness=np.linspace(0.9, 0.1, n),
        adopters_at_start=0,
    )
    way = design("regional_hub", mentor_share=1 / n, places=places, priority="motivation", target=target, reserve=reserve)
    return np.flatnonzero(roles(world, way, 1, {"small_school": 12.0}, engine=engine)[0, 0] == MENTEE).tolist()


@pytest.mark.parametrize(
    ("reserve", "mentees"),
    [(0.0, [1, 2, 3, 4]), (0.25, [1, 2, 3, 6]), (0.5, [1, 2, 6, 7]), (0.75, [1, 6, 7, 8]), (1.0, [6, 7, 8, 9])],
)
def test_reserved_places_go_to_schools_of_the_target_wherever_they_queue(reserve, mentees, engine):
    assert place_by_place("disadvantaged", reserve, [0] * 6 + [DISADVANTAGED] * 5, engine) == mentees


def test_what_the_target_leaves_goes_to_all(engine):
    # Two of four places are reserved and one school is a target: the third that is none gets the last place.
    assert place_by_place("disadvantaged", 0.5, [0] * 8 + [DISADVANTAGED], engine) == [1, 2, 3, 8]
    assert place_by_place("disadvantaged", 1.0, [0] * 8, engine) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("target", "mentees"),
    [("none", [1, 2]), ("disadvantaged", [2, 4]), ("rural", [3, 5]), ("small", [6, 7]), ("rural_or_disadvantaged", [2, 3])],
)
def test_each_target_means_its_own_schools(target, mentees, engine):
    # All places reserved; small is below 12 teachers.
    traits = [0, 0, DISADVANTAGED, RURAL, DISADVANTAGED, RURAL, 0, 0]
    assert place_by_place(target, 1.0, traits, engine, places=2, teachers=[20] * 5 + [12, 11, 3]) == mentees


@pytest.mark.parametrize("free", [0, 1, 2, 3, 7, 40])
@pytest.mark.parametrize("reserve", [0.0, 0.25, 0.5, 1.0])
def test_the_share_of_free_places_that_is_not_reserved_is_open_to_all(free, reserve):
    des = design_table([design("regional_hub", reserve=reserve)], 0, 1).view(np.recarray)[0]
    assert abs(open_places(des, free) - (1.0 - reserve) * free) <= 0.5
    assert 0 <= open_places(des, free) <= free


# --- ties that end ---------------------------------------------------------------------------------------------------


def test_a_tie_ends_with_the_chance_of_the_rule():
    # 400 mentees of one mentor, no discouragement but the base rate; 4 standard errors of the share tied after 12 months.
    world = build_world([10] * 401, capacity=[1.0] + [0.5] * 400, adopters_at_start=0)
    values = {**CERTAIN, "attrition": 0.05, "virtual_attrition": 0.0, "attrition_coordination": 0.0, "attrition_incentive": 0.0}
    way = design("regional_hub", mentor_share=1 / 401, places=1000, recognition=False, scope="anywhere", cascade=0.0)
    inputs = world, build_practices(), parameter_table([values]), design_table([way], 0, 100), batch_of(20)
    ties = run_batch(Task(*inputs, seed=9, months=12, end_of_funding=11), monthly=True).ties[:, 11] / 400
    chance = 0.95**12
    assert abs(ties.mean() - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / (20 * 400))


# One mentor (school 0) with two places, and schools that queue in the order of the table.
QUEUE = {"capacity": [0.9] + [0.5] * 5, "openness": np.linspace(0.9, 0.1, 6), "adopters_at_start": 0}
COHORTS = design("regional_hub", mentor_share=1 / 6, places=2, priority="motivation", cascade=0.0, tie_months=12)


def mentees_of(role):
    """Return the mentees of each month of a run."""
    return [np.flatnonzero(month == MENTEE).tolist() for month in role]


def test_ties_of_a_year_make_room_for_the_next_cohort_and_nobody_comes_twice(engine):
    role = roles(build_world([20] * 6, **QUEUE), COHORTS, 48, engine=engine)[0]
    assert mentees_of(role) == [[1, 2]] * 12 + [[3, 4]] * 12 + [[5]] * 12 + [[]] * 12
    for school, left in ((1, 12), (2, 12), (3, 24), (4, 24), (5, 36)):
        assert (role[left:, school] == ALUMNUS).all() and not (role[:left, school] == ALUMNUS).any()
    assert (role[:, 0] == MENTOR).all()


@pytest.mark.parametrize(("planned", "lasts"), [(0, 48), (7, 12), (12, 12), (13, 24), (24, 24), (36, 36)])
def test_a_tie_lasts_to_the_yearly_round_at_which_it_is_as_old_as_planned(planned, lasts, engine):
    way = COHORTS.model_copy(update={"tie_months": planned})
    role = roles(build_world([20] * 6, **QUEUE), way, 48, engine=engine)[0]
    assert mentees_of(role)[: lasts + 1] == ([[1, 2]] * lasts + [[3, 4]])[:48]


def test_a_planned_end_comes_after_the_funding_too(engine):
    way = COHORTS.model_copy(update={"tie_months": 24, "last_month": 12})
    assert mentees_of(roles(build_world([20] * 6, **QUEUE), way, 30, engine=engine)[0]) == [[1, 2]] * 24 + [[]] * 6


@pytest.mark.parametrize(("last", "tier", "recruits"), [(17, "hub", False), (18, "hub", True), (17, "none", True), (12, "none", True)])
def test_only_clusters_that_nobody_coordinates_recruit_with_less_than_six_funded_months_left(last, tier, recruits, engine):
    way = COHORTS.model_copy(update={"last_month": last, "tier": tier})
    role = roles(build_world([20] * 6, **QUEUE), way, 13, engine=engine)[0]
    assert mentees_of(role)[12] == ([3, 4] if recruits else [])


def test_a_programme_shorter_than_six_months_recruits_nobody(engine):
    way = COHORTS.model_copy(update={"last_month": 5})
    assert not roles(build_world([20] * 6, **QUEUE), way, 13, engine=engine).any()


@pytest.mark.parametrize("recruitment", ["assigned", "volunteer"])
def test_an_alumnus_becomes_a_mentor_only_of_its_own_will(recruitment, engine):
    # Capable schools that all seek: of those not volunteering at first (half) some have a mentor, and half of these volunteer afterwards.
    world = build_world([10] * 40, capacity=0.6, adopters_at_start=0)
    values = {"volunteer_base": 0.0, "volunteer_recognition": 0.0, "volunteer_release": 0.0, "advanced_threshold": 0.5, "seek_base": 20.0}
    way = design("virtual", recruitment=recruitment, mentor_share=None if recruitment == "volunteer" else 0.5, places=2, cascade=0.0)
    role = roles(world, way, 25, {**values, "outside_option": -20.0}, engine=engine)[0]
    alumni = role[23] == ALUMNUS
    assert alumni.sum() > 3
    assert (role[24, alumni] == MENTOR).any() == (recruitment == "volunteer")


def test_a_quota_is_filled_again_at_the_next_round_and_not_with_alumni():
    # By hand, as nothing in the model takes a mentor away: the most capable of the others takes its place, but for schools once mentored.
    way = design(
        "regional_hub", mentor_share=0.25, places=1, priority="motivation", tie_months=12, cascade=0.0, first_month=0, last_month=60
    )
    world = build_world([20] * 4, capacity=[0.9, 0.8, 0.7, 0.6], openness=[0.5, 0.9, 0.4, 0.3], adopters_at_start=0)
    model = MentoringModel(world, build_practices(), way, {**CERTAIN, "p": 0.0}, window=(0, 60))
    for _ in range(12):
        model.step()
    assert [school.role for school in model.schools] == [MENTOR, MENTEE, NO_ROLE, NO_ROLE]
    model.schools[0].role = NO_ROLE
    model.schools[0].capacity = 0.1
    model.step()
    assert [school.role for school in model.schools] == [MENTEE, ALUMNUS, MENTOR, NO_ROLE]


# --- teams that become mentors ---------------------------------------------------------------------------------------


def test_mainstreamed_mentees_become_mentors_with_the_chance_of_the_design():
    # 400 mentees with every teacher adopting; a year later each becomes a mentor with chance 0.3; 4 standard errors at 20 replicates.
    world = build_world([10] * 401, capacity=[1.0] + [0.5] * 400, adopters_at_start=10)
    values = {**CERTAIN, "mainstream_threshold": 0.0}
    way = design("regional_hub", mentor_share=1 / 401, places=1000, scope="anywhere", cascade=0.3)
    inputs = world, build_practices(), parameter_table([values]), design_table([way], 0, 100), batch_of(20)
    role = run_batch(Task(*inputs, seed=9, months=13, end_of_funding=12), per_school=True).schools[:, :, 1, 1:]
    assert (role[:, 11] == MENTEE).all()
    assert abs((role[:, 12] == MENTOR).mean() - 0.3) < 4.0 * np.sqrt(0.3 * 0.7 / (20 * 400))


def test_a_mentee_below_the_threshold_never_becomes_a_mentor():
    world = build_world([10] * 41, capacity=[1.0] + [0.5] * 40, adopters_at_start=0)
    values = {**CERTAIN, "mainstream_threshold": 1.0, "d": 1.0}
    way = design("regional_hub", mentor_share=1 / 41, places=100, scope="anywhere", cascade=1.0)
    inputs = world, build_practices(), parameter_table([values]), design_table([way], 0, 100), batch_of(5)
    role = run_batch(Task(*inputs, seed=9, months=40, end_of_funding=39), per_school=True).schools[:, :, 1, 1:]
    assert (role == MENTEE).all()


TEACHES = {"beta": 1.0, "readiness_floor": 1.0, "dose_half": 0.01, "p": 0.0, "q_in": 0.0, "q_out": 0.0, "d": 0.0, "turnover": 0.0}
"""A year of mentoring wins every teacher of a team, and nobody else."""


def large_mentee(engine, whole_staff=False):
    """Return (role, adopters) after a year of a school of 30 teachers with a team of four, where a full team mentors without fail."""
    world = build_world([30, 30], capacity=[0.9, 0.5], adopters_at_start=[30, 0], whole_staff=whole_staff)
    way = design("regional_hub", mentor_share=0.5, places=1, cascade=1.0, release_hours=40.0)
    inputs = parameter_table([{**CERTAIN, **TEACHES, "mainstream_threshold": 0.9}]), design_table([way], 0, 100), batch_of(1)
    results = engine(Task(world, build_practices(), *inputs, seed=1, months=13, end_of_funding=12), per_school=True)
    assert results.outcomes[0, OUTCOMES.index("teachers_in_team")] == (30 if whole_staff else 4)
    return results.schools[0, 12, -2, 1], results.schools[0, 12, 0, 1]


def test_a_mentee_becomes_a_mentor_by_its_teams_share_and_not_by_its_schools(engine):
    assert large_mentee(engine) == (MENTOR, 4)


def test_where_the_whole_staff_is_mentored_the_school_is_the_team(engine):
    assert large_mentee(engine, whole_staff=True) == (MENTOR, 30)
