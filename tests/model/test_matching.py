"""Who becomes a mentor and who is mentored by whom, in worlds so plain that the answer is known; both engines must give it."""

import numpy as np
import pytest
from scipy import stats

from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.mesa_model import run_batch_with_mesa
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.recruitment import quota
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL, SECONDARY
from tests.worlds import batch_of, build_practices, build_world, design

# No choice by chance: one trait of a mentor outweighs any Gumbel noise (below 37 for a 52-bit uniform), and ties never end.
CERTAIN = {"attrition": 0.0, "likeness_weight": 0.0, "reputation_weight": 0.0, "proximity_weight": 0.0, "peer_distance": 1.0}
WANTS_ANY = {"outside_option": -20.0}  # against a mentor worth 0, going without is chosen with chance 1 / (1 + e**20) = 2e-9


def first_round(world, way, values=None, replicates=1, seed=1, engine=run_batch):
    """Return (role, mentor) of each school in the first month of the programme, shapes (replicates, schools)."""
    inputs = world, build_practices(), parameter_table([{**CERTAIN, **(values or {})}]), design_table([way], 0, 100), batch_of(replicates)
    records = engine(Task(*inputs, seed=seed, months=1, end_of_funding=1), per_school=True).schools[:, 0]
    return records[:, -2], records[:, -1]


@pytest.fixture(params=[run_batch, run_batch_with_mesa], ids=["compiled", "mesa"])
def engine(request):
    return request.param


# --- mentors ---------------------------------------------------------------------------------------------------------


def test_a_coordinator_takes_the_schools_of_largest_capacity_and_share_in_each_region(engine):
    # Capacity alone would choose 1 and 5; adopters (of ten teachers) turn the first region's choice to school 0.
    world = build_world(
        [10] * 8,
        region=[0, 0, 0, 0, 1, 1, 1, 1],
        region_country=[0, 0],
        capacity=[0.6, 0.8, 0.1, 0.2, 0.3, 0.9, 0.2, 0.1],
        adopters_at_start=[4, 1, 3, 0, 0, 0, 0, 0],
    )
    role, _ = first_round(world, design("regional_hub", mentor_share=0.25), engine=engine)
    assert np.flatnonzero(role[0] == MENTOR).tolist() == [0, 5]


def test_equal_schools_become_mentors_in_the_order_of_the_table(engine):
    role, _ = first_round(build_world([10] * 6, adopters_at_start=2), design("regional_hub", mentor_share=0.34), engine=engine)
    assert np.flatnonzero(role[0] == MENTOR).tolist() == [0, 1]


def test_only_schools_at_the_threshold_volunteer(engine):
    # Capacity + share 0.7 reaches the threshold of 0.7 exactly; one teacher fewer does not.
    world = build_world([10] * 4, capacity=0.5, adopters_at_start=[2, 1, 0, 9])
    way = design("bottom_up", mentor_share=None)
    role, _ = first_round(world, way, {"volunteer_base": 20.0, "advanced_threshold": 0.7, "seek_base": -20.0}, engine=engine)
    assert np.flatnonzero(role[0] == MENTOR).tolist() == [0, 3]


def test_volunteers_come_with_the_chance_of_the_rule():
    # 500 schools alike x 20 replicates; 4 standard errors of a proportion.
    values = {"volunteer_base": -1.0, "volunteer_own_share": 2.0, "advanced_threshold": 0.0, "seek_base": -20.0}
    way = design("bottom_up", mentor_share=None, recognition=False)
    role, _ = first_round(build_world([10] * 500, adopters_at_start=3), way, values, replicates=20)
    chance = 1.0 / (1.0 + np.exp(1.0 - 2.0 * 0.3))
    assert abs((role == MENTOR).mean() - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / role.size)


def test_schools_seek_a_mentor_with_the_chance_of_the_rule():
    # One mentor, named by its capacity, with places for all; 400 schools alike x 20 replicates; 4 standard errors.
    world = build_world([10] * 401, capacity=[1.0] + [0.3] * 400, openness=0.7, adopters_at_start=[10] + [0] * 400)
    values = {
        **WANTS_ANY,
        "volunteer_base": 20.0,
        "advanced_threshold": 1.5,
        "seek_base": -0.4,
        "seek_openness": 2.0,
        "seek_need": 1.0,
        "seek_grant": 0.5,
    }
    way = design("virtual", mentor_share=None, places=1000, mentee_grant=500.0)
    role, _ = first_round(world, way, values, replicates=20)
    chance = 1.0 / (1.0 + np.exp(0.4 - 2.0 * 0.2 - 0.2 - 0.5 * np.log(1.5)))
    assert abs((role[:, 1:] == MENTEE).mean() - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / (20 * 400))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.13, 0.5, 1.0])
def test_quotas_of_regions_add_up_to_the_rounded_quota_of_all_schools(share):
    sizes = np.random.default_rng(3).integers(0, 30, 50)
    before = np.concatenate([[0], np.cumsum(sizes)])
    quotas = [quota(share, int(b), int(s)) for b, s in zip(before, sizes, strict=False)]
    assert sum(quotas) == int(share * sizes.sum() + 0.5)
    assert all(abs(q - share * s) <= 1.0 for q, s in zip(quotas, sizes, strict=True))


# --- order of mentees ------------------------------------------------------------------------------------------------


def served(world, priority, engine, **fields):
    """Return the mentees of a design with one mentor (school 0) with two places."""
    way = design("regional_hub", mentor_share=1.0 / world.teachers.size, places=2, priority=priority, **fields)
    role, _ = first_round(world, way, engine=engine)
    return np.flatnonzero(role[0] == MENTEE).tolist()


def test_need_serves_schools_that_are_rural_and_disadvantaged_first(engine):
    traits = [0, 0, RURAL, RURAL | DISADVANTAGED, SECONDARY, RURAL | DISADVANTAGED | SECONDARY, DISADVANTAGED]
    world = build_world([10] * 7, capacity=[0.9] + [0.5] * 6, traits=traits, adopters_at_start=0)
    assert served(world, "need", engine) == [3, 5]


def test_motivation_serves_the_most_open_schools_first(engine):
    world = build_world([10] * 6, capacity=[0.9] + [0.5] * 5, openness=[0.5, 0.2, 0.8, 0.1, 0.9, 0.3], adopters_at_start=0)
    assert served(world, "motivation", engine) == [2, 4]


def test_proximity_serves_the_schools_nearest_to_a_mentor_first(engine):
    world = build_world([10] * 6, capacity=[0.9] + [0.5] * 5, x=[0, 50, 3, 20, 0, 10], y=[0, 0, 4, 0, 12, 0], adopters_at_start=0)
    assert served(world, "proximity", engine) == [2, 5]  # at 5 and 10 km


def test_centrality_serves_the_schools_with_the_most_peers_first(engine):
    # Schools 2 and 4 have three peers each, the others one or two.
    peers = np.zeros((7, 7))
    for i, j in ((2, 1), (2, 3), (2, 5), (4, 3), (4, 5), (4, 6)):
        peers[i, j] = peers[j, i] = 1.0
    world = build_world([10] * 7, capacity=[0.9] + [0.5] * 6, weights=peers, adopters_at_start=0)
    assert served(world, "centrality", engine) == [2, 4]


def test_need_draws_lots_among_the_equally_needy():
    # Four alike schools for two places: each is served half the time; 4 standard errors at 2,000 replicates.
    world = build_world([10] * 5, capacity=[0.9] + [0.5] * 4, adopters_at_start=0)
    role, _ = first_round(world, design("regional_hub", mentor_share=0.2, places=2, priority="need"), replicates=2000)
    assert np.all(np.abs((role[:, 1:] == MENTEE).mean(axis=0) - 0.5) < 4.0 * np.sqrt(0.25 / 2000))


# --- choice of mentor ------------------------------------------------------------------------------------------------


def two_mentors(engine, values, replicates=1, **attributes):
    """Return the mentor that each mentee has, where schools 0 and 1 mentor without limit."""
    n = np.size(attributes.get("x", attributes.get("traits")))
    world = build_world([10] * n, capacity=[0.9] * 2 + [0.5] * (n - 2), adopters_at_start=0, **attributes)
    way = design("regional_hub", mentor_share=2.0 / n, places=1000, scope="anywhere")
    return first_round(world, way, values, replicates, engine=engine)[1][:, 2:]


def test_where_only_distance_counts_each_mentee_takes_the_nearest_mentor(engine):
    chosen = two_mentors(engine, {"proximity_weight": 1000.0}, x=[0, 100, 10, 90, 40, 60])
    assert chosen.tolist() == [[0, 1, 0, 1]]


def test_where_only_likeness_counts_each_mentee_takes_the_mentor_most_like_it(engine):
    traits = [SECONDARY, RURAL | DISADVANTAGED, SECONDARY, RURAL, RURAL | DISADVANTAGED, 0]
    chosen = two_mentors(engine, {"likeness_weight": 1000.0}, traits=traits)
    assert chosen.tolist() == [[0, 1, 1, 0]]


def test_where_only_reputation_counts_all_follow_the_first_choice(engine):
    chosen = two_mentors(engine, {"reputation_weight": 1000.0}, x=np.zeros(12))
    assert len(set(chosen[0].tolist())) == 1


def test_where_nothing_counts_mentors_are_chosen_evenly():
    # 2,000 replicates x 4 mentees, independent noise for each pair; 4 standard errors.
    chosen = two_mentors(run_batch, {}, replicates=2000, x=np.zeros(6))
    assert abs((chosen == 0).mean() - 0.5) < 4.0 * np.sqrt(0.25 / chosen.size)


def test_mentors_are_chosen_with_the_chances_of_a_logit():
    # Two mentors at 10 and 30 km, weight 1 per 20 km: odds e (McFadden 1974); 4 standard errors at 5,000 replicates.
    chosen = two_mentors(run_batch, {"proximity_weight": 1.0, "peer_distance": 20.0}, replicates=5000, x=[0, 40, 10])
    chance = np.e / (1.0 + np.e)
    assert abs((chosen == 0).mean() - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / 5000)


def test_a_mentee_considers_a_random_sample_of_mentors():
    # 20 mentors, of which it looks at 5 and takes the nearest: the j-th nearest is taken with chance C(20 - j, 4) / C(20, 5). Chi-square.
    world = build_world([10] * 21, capacity=[0.9] * 20 + [0.1], x=[*range(1, 21), 0], adopters_at_start=0)
    way = design("regional_hub", mentor_share=20 / 21, scope="anywhere")
    _, mentor = first_round(world, way, {"proximity_weight": 1000.0, "consideration_set": 5.0}, replicates=5000)
    observed = np.bincount(mentor[:, 20], minlength=20)
    expected = 5000 * stats.hypergeom.pmf(0, 20, np.arange(20), 5) * 5 / (20 - np.arange(20))
    assert observed[16:].sum() == 0
    pooled = np.append(observed[:10], observed[10:].sum()), np.append(expected[:10], expected[10:].sum())
    assert stats.chisquare(*pooled).pvalue > 1e-5


# --- going without ---------------------------------------------------------------------------------------------------


def volunteers(engine, values, replicates=1, mentors=1, seekers=400, **fields):
    """Return the mentor of each of ``seekers`` alike schools that all seek one; the first ``mentors`` schools mentor without limit."""
    n = mentors + seekers
    x = np.where(np.arange(n) < mentors, 0.0, 10.0)
    world = build_world([10] * n, x=x, capacity=np.where(np.arange(n) < mentors, 1.0, 0.3), adopters_at_start=0)
    all_seek = {"volunteer_base": 20.0, "advanced_threshold": 0.9, "seek_base": 20.0, "seek_need": 0.0, "seek_openness": 0.0}
    way = design("virtual", mentor_share=None, places=1000, **fields)
    return first_round(world, way, {**all_seek, **values}, replicates, engine=engine)[1][:, mentors:]


@pytest.mark.parametrize("outside", [-1.5, 0.0, 2.0])
def test_a_school_that_nobody_assigns_goes_without_with_the_chance_of_a_logit(outside):
    # One mentor at 10 km, worth -10 / 20: odds of going without e**(outside + 0.5) (McFadden 1974); 8,000 schools, 4 standard errors.
    mentor = volunteers(run_batch, {"outside_option": outside, "proximity_weight": 1.0, "peer_distance": 20.0}, replicates=20)
    chance = 1.0 / (1.0 + np.exp(-0.5 - outside))
    assert abs((mentor < 0).mean() - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / mentor.size)


def test_going_without_is_one_more_choice_beside_the_mentors():
    # Three mentors worth 0 each, going without worth ln 2: it takes 2 of 5, each mentor 1 of 5. Chi-square over 8,000 schools.
    mentor = volunteers(run_batch, {"outside_option": float(np.log(2.0))}, replicates=20, mentors=3)
    observed = np.bincount(mentor.ravel() + 1, minlength=4)
    assert stats.chisquare(observed, mentor.size * np.array([0.4, 0.2, 0.2, 0.2])).pvalue > 1e-4


def test_likeness_decides_whether_a_school_is_mentored():
    # A like and an unlike school before one mentor, weight 1 per trait: chances 1 / (1 + e**-2) and 1 / (1 + e) of being mentored.
    traits = [0] + [0, SECONDARY | RURAL | DISADVANTAGED] * 200
    world = build_world([10] * 401, traits=traits, capacity=[1.0] + [0.3] * 400, adopters_at_start=0)
    values = {"outside_option": -2.0, "likeness_weight": 1.0, "volunteer_base": 20.0, "advanced_threshold": 0.9, "seek_base": 20.0}
    role, _ = first_round(world, design("virtual", mentor_share=None, places=1000), values, replicates=20)
    for first, chance in ((1, 1.0 / (1.0 + np.exp(-2.0))), (2, 1.0 / (1.0 + np.e))):
        share = (role[:, first::2] == MENTEE).mean()
        assert abs(share - chance) < 4.0 * np.sqrt(chance * (1.0 - chance) / (20 * 200))


def test_no_mentor_is_worth_an_outside_option_beyond_all_noise(engine):
    # Outside 20 against a reputation that costs 1,000 km: nobody; outside -20 against a mentor at no distance: everybody.
    far = {"outside_option": 20.0, "proximity_weight": 5.0}
    assert (volunteers(engine, far, seekers=20) == -1).all()
    assert (volunteers(engine, {"outside_option": -20.0}, seekers=20) == 0).all()


def test_whether_a_school_goes_without_is_drawn_anew_each_year(engine):
    # Odds of one: of 40 seekers, those that went without in the first round are not those of the second (chance 2**-40 of that).
    world = build_world([10] * 41, capacity=[1.0] + [0.3] * 40, adopters_at_start=0)
    values = {**CERTAIN, "outside_option": 0.0, "volunteer_base": 20.0, "advanced_threshold": 0.9, "seek_base": 20.0, "p": 0.0}
    way = design("virtual", mentor_share=None, places=1000, cascade=0.0, tie_months=0)
    inputs = world, build_practices(), parameter_table([values]), design_table([way], 0, 100), batch_of(1)
    role = engine(Task(*inputs, seed=1, months=13, end_of_funding=12), per_school=True).schools[0, :, 1, 1:]
    without = [(role[month] != MENTEE) for month in (0, 11, 12)]
    assert without[0].tolist() == without[1].tolist()  # no tie ends, and none begins within the year
    assert 0 < without[2].sum() < without[0].sum()  # some of those without find one in the second year


@pytest.mark.parametrize("outside", [-20.0, 20.0])
def test_an_assigned_school_is_never_asked_whether_it_wants_a_mentor(engine, outside):
    world = build_world([10] * 21, capacity=[0.9] + [0.5] * 20, adopters_at_start=0)
    role, _ = first_round(world, design("regional_hub", mentor_share=1 / 21, places=100), {"outside_option": outside}, engine=engine)
    assert (role[0, 1:] == MENTEE).all()


def test_the_outside_option_moves_nothing_where_mentors_are_assigned():
    world = build_world([10] * 40, capacity=np.linspace(0.1, 0.9, 40), traits=np.arange(40) % 8)
    tables = [parameter_table([{"outside_option": value}]) for value in (-20.0, 20.0)]
    way = design_table([design("top_down"), design("regional_hub"), design("hybrid", recruitment="assigned")], 6, 34)
    for number in range(3):
        low, high = (
            run_batch(
                Task(world, build_practices(), table, way, batch_of(5, number), seed=1, months=30, end_of_funding=29), per_school=True
            ).schools
            for table in tables
        )
        np.testing.assert_array_equal(low, high)


# --- mandate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("recruitment", "binds"), [("assigned", 1.0), ("volunteer", 0.0), ("none", 0.0)])
def test_a_mandate_binds_only_schools_that_it_assigns(recruitment, binds):
    table = design_table([design("top_down", recruitment=recruitment, mandate=True)], 6, 34)
    assert table["mandate"][0] == binds
    assert design_table([design("top_down", recruitment=recruitment, mandate=False)], 6, 34)["mandate"][0] == 0.0


@pytest.mark.parametrize("recruitment", ["volunteer", "none"])
def test_a_mandate_without_assignment_changes_nothing(engine, recruitment):
    # Parameters under which a mandate would keep every tie and take all effect away.
    world = build_world([10] * 30, capacity=np.linspace(0.1, 0.9, 30))
    values = {"mandate_attrition": 0.0, "mandate_engagement": 0.0, "attrition": 0.3, "volunteer_base": 5.0, "seek_base": 5.0}
    records = []
    for mandate in (True, False):
        way = design("virtual", recruitment=recruitment, mandate=mandate)
        inputs = world, build_practices(), parameter_table([values]), design_table([way], 0, 30), batch_of(2)
        records.append(engine(Task(*inputs, seed=1, months=30, end_of_funding=29), monthly=True, per_school=True))
    for one, other in zip(*records, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_mandate_with_assignment_keeps_every_tie_that_it_may(engine):
    world = build_world([10] * 30, capacity=np.linspace(0.1, 0.9, 30))
    values = {"mandate_attrition": 0.0, "attrition": 0.3}
    inputs = world, build_practices(), parameter_table([values]), design_table([design("top_down", first_month=0, last_month=12)], 0, 12)
    ties = engine(Task(*inputs, batch_of(1), seed=1, months=18, end_of_funding=12), monthly=True).ties[0]
    assert (ties[:12] == ties[0]).all()
    assert ties[0] > ties[17]


@pytest.mark.parametrize(
    ("scope", "mentors"),
    [("region", {0}), ("country", {0, 1}), ("anywhere", {0, 1, 2})],
)
def test_scope_bounds_the_mentors_in_reach(scope, mentors, engine):
    # A mentor in each of three regions, two of them in one country; the mentee sits in the first region.
    world = build_world([10] * 4, region=[0, 1, 2, 0], region_country=[0, 0, 1], capacity=[0.9, 0.9, 0.9, 0.1], named_role=[1, 1, 1, 2])
    _, mentor = first_round(world, design("regional_hub", scope=scope), replicates=60, engine=engine)
    assert set(mentor[:, 3].tolist()) == mentors  # a mentor in reach is missed by 60 replicates with chance (2/3)**60 = 3e-11


def test_peers_reach_to_the_peers_of_peers(engine):
    # A line 0 - 1 - 2 - 3 with the only mentor at its end: schools 1 and 2 reach it, school 3 does not.
    line = np.eye(4, k=1) + np.eye(4, k=-1)
    world = build_world([10] * 4, weights=line, capacity=[0.9, 0.5, 0.5, 0.5], named_role=[1, 2, 2, 2])
    _, mentor = first_round(world, design("regional_hub", scope="peers"), engine=engine)
    assert mentor.tolist() == [[-1, 0, 0, -1]]
