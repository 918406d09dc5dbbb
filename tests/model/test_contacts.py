"""Contacts that outlast the ties that made them: with whom, how strong, for how long, and how many."""

import numpy as np
import pytest

from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Results, Task, run_batch
from school_mentoring.model.mesa_model import MentoringModel, run_batch_with_mesa
from school_mentoring.model.parameters import parameter_table
from tests.worlds import batch_of, build_practices, build_world, design

from .test_matching import CERTAIN

FOR_EVER = {**CERTAIN, "contact_lasts": 1.0, "contact_fade": 0.0, "voluntary_hours": 4.0, "visit_hours": 6.0, "travel_speed": 60.0}
AHEAD = {"cascade": 0.0, "tie_months": 12, "first_month": 0, "last_month": 12, "virtual_share": 0.0, "release_hours": 6.0}
"""One round, whose ties all last a year; ten hours a month for the mentees of each mentor."""


@pytest.fixture(params=[run_batch, run_batch_with_mesa], ids=["compiled", "mesa"])
def engine(request):
    return request.param


def after(world, values, months=13, replicates=1, engine=run_batch, **fields) -> Results:
    """Return the records of a cluster whose mentor is the first school, of all others."""
    n = world.teachers.size
    way = design("regional_hub", **{**AHEAD, "mentor_share": 1.0 / n, "places": n - 1, "meeting_hours": 0.0, **fields})
    inputs = build_practices(), parameter_table([{**FOR_EVER, **values}]), design_table([way], 0, 12), batch_of(replicates)
    return engine(Task(world, *inputs, seed=3, months=months, end_of_funding=12), monthly=True, per_school=True)


def cluster(mentees: int, **attributes):
    return build_world([20] * (mentees + 1), capacity=[0.9] + [0.5] * mentees, adopters_at_start=0, **attributes)


def weights(results: Results) -> np.ndarray:
    """Return what each school's contacts weigh for it in the last month, (schools, schools)."""
    n = results.partners.shape[3]
    found = np.zeros((n, n))
    place, school = np.nonzero(results.partners[0, 1] >= 0)
    found[school, results.partners[0, 1][place, school]] = results.partner_weights[0, 1][place, school]
    return found


def test_contacts_begin_when_ties_end_and_weigh_the_hours_of_the_team_over_those_of_the_staff(engine):
    # Two mentees have five hours a month each; all three meet for two hours, an hour for each pair. A year of 6 h and of 1 h by teams of 4
    # (and of 3 in the smallest school) over staffs of 20, 20 and 3, at contact_hours 30.
    world = build_world([20, 20, 3], capacity=[0.9, 0.5, 0.5], adopters_at_start=0)
    results = after(world, {"contact_hours": 30.0}, engine=engine, meeting_hours=2.0, team=4)
    assert results.contacts[0].tolist() == [0] * 12 + [3]
    part = 4 / 20 / 30
    expected = [[0, 72 * part, 72 * part], [72 * part, 0, 12 * part], [1.0, 12 / 30, 0]]  # 72 / 30 is more than a peer's 1
    np.testing.assert_allclose(weights(results), expected, rtol=1e-12)


def test_mentees_who_never_meet_have_no_contact_with_each_other(engine):
    found = weights(after(cluster(4), {}, engine=engine)) > 0.0
    assert found[0, 1:].all() and found[1:, 0].all() and not found[1:, 1:].any()


def test_peers_need_no_contact(engine):
    peers = np.zeros((4, 4))
    peers[0, 1] = peers[1, 0] = peers[2, 3] = peers[3, 2] = 1.0
    found = weights(after(cluster(3, weights=peers), {}, engine=engine, meeting_hours=1.0)) > 0.0
    np.testing.assert_array_equal(found, (peers == 0.0) & ~np.eye(4, dtype=bool))


def test_a_ninth_contact_takes_the_place_of_the_oldest_where_all_weigh_the_same(engine):
    # Ties end in the order of the table, so the mentor's first two contacts give way to its last two, and have none then themselves.
    results = after(cluster(10), {}, engine=engine)
    assert results.partners[0, 1, :, 0].tolist() == list(range(3, 11))
    assert results.contacts[0, 12] == 8
    assert (results.partners[0, 1, :, 1:3] == -1).all() and (results.partners[0, 1, 0, 3:] == 0).all()


def test_a_ninth_contact_takes_the_place_of_the_one_that_weighs_least(engine):
    # An hour on the road is an hour less: the mentees farthest away of those that the mentor keeps when the ninth and the tenth come.
    away = np.array([0, 1, 2, 9, 3, 4, 8, 5, 6, 7, 0])
    results = after(cluster(10, x=away), {}, engine=engine, scope="anywhere")
    assert results.partners[0, 1, :, 0].tolist() == [1, 2, 4, 5, 7, 8, 9, 10]


@pytest.mark.parametrize("later", [0, 1, 6, 24])
def test_a_contact_lasts_and_fades_with_its_chances(later):
    # Eight contacts of a mentor in 2,500 replicates; 4 standard errors. In the month of the tie's end none has faded.
    results = after(cluster(8), {"contact_lasts": 0.7, "contact_fade": 0.05}, months=13 + later, replicates=2500)
    chance = 0.7 * 0.95**later
    assert abs(results.contacts[:, 12 + later].mean() / 8 - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / (8 * 2500))


def test_a_contact_of_schools_that_are_tied_again_rests_and_the_larger_weight_holds():
    # By hand, as a tie ends by chance: eight months as a mentee (of half the mentor's hours), two without, three as a mentee again.
    way = design("regional_hub", **{**AHEAD, "mentor_share": 1 / 3, "places": 2, "tie_months": 0, "last_month": 60, "meeting_hours": 0.0})
    model = MentoringModel(cluster(2), build_practices(), way, {**FOR_EVER, "contact_fade": 1e-6, "contact_hours": 100.0})
    mentor, mentee, _ = model.schools

    def step(months):
        for _ in range(months):
            model.step()

    step(8)
    hours = mentee.hours_shared
    mentee.leave_mentor()
    step(2)
    (contact,) = mentee.contacts
    end = contact.end
    assert contact.weight == pytest.approx(hours * 4 / (20 * 100)) and dict(mentee.met()[0])[mentor] == contact.weight
    mentee.follow(mentor)
    step(3)
    assert contact.end == end + 3 and mentor.contacts[0].end == contact.end
    assert 0.0 < mentee.weight_of(mentee.hours_shared) < contact.weight
    assert [weight for other, weight in mentee.met()[1] if other is mentor] == [contact.weight]
    step(12)
    assert [weight for other, weight in mentee.met()[1] if other is mentor] == [mentee.weight_of(mentee.hours_shared)]
