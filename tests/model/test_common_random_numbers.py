"""Designs share every draw that they both make, so a difference between two designs is due to the designs."""

import numpy as np
import pytest

from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import ADD, NO_CONTACTS
from tests.worlds import batch_of, build_practices, build_world, design

RNG = np.random.default_rng(42)
N = 80
REGION = np.arange(N) % 4
NEAR = np.triu(RNG.random((N, N)) < 0.15, 1)
NEAR = (NEAR | NEAR.T) & (REGION[:, None] // 2 == REGION[None, :] // 2)  # no peers across the border
ATTRIBUTES = {
    "region": REGION,
    "region_country": [0, 0, 1, 1],
    "x": RNG.uniform(0, 60, N),
    "y": RNG.uniform(0, 60, N),
    "traits": RNG.integers(0, 8, N),
    "capacity": RNG.beta(4, 4, N),
    "openness": RNG.random(N),
    "salary": [20000.0, 40000.0],
}
TEACHERS = RNG.integers(5, 50, N)
HOME = REGION // 2 == 0
WORLD = build_world(TEACHERS, weights=NEAR, **ATTRIBUTES)
MONTHS = 48


def run(ways, world=WORLD, seed=5, replicates=20, practices=None, values=None):
    """Return one ``Results`` for each design, over the same replicates."""
    return [
        run_batch(
            Task(
                world,
                practices or build_practices(),
                parameter_table([values or {}]),
                design_table(ways, 6, 34),
                batch_of(replicates, design=d),
                seed=seed,
                months=MONTHS,
                end_of_funding=34,
            ),
            monthly=True,
            per_school=True,
        )
        for d in range(len(ways))
    ]


def adopters(results) -> np.ndarray:
    """Return adopters, shape (replicates, months, schools)."""
    return results.schools[:, :, 0]


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "none"])
def test_until_a_programmes_first_month_acts_it_equals_no_programme(preset):
    # Month 6 is recorded before the teachers of that month adopt, so months 0 to 6 have the adopters of none.
    none, other = run([PRESETS["none"], PRESETS[preset]])
    np.testing.assert_array_equal(adopters(none)[:, :7], adopters(other)[:, :7])


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "none"])
def test_a_programme_acts_from_its_first_month_on(preset):
    none, other = run([PRESETS["none"], PRESETS[preset]], replicates=200)
    assert (adopters(none)[:, 7] != adopters(other)[:, 7]).any()


def test_designs_that_differ_in_their_end_are_equal_until_then():
    # The rounds of months 6 and 18 are both of either, as half a year is left after them.
    short, long = run([design("regional_hub", last_month=25), design("regional_hub", last_month=45)])
    np.testing.assert_array_equal(short.schools[:, :25], long.schools[:, :25])


def test_designs_that_differ_in_their_end_differ_from_then_on():
    short, long = run([design("regional_hub", last_month=25), design("regional_hub", last_month=45)])
    assert (short.schools[:, 25:] != long.schools[:, 25:]).any()


def test_a_change_of_price_changes_costs_only():
    # Stipends draw volunteers and keep ties, but a fee per school and an hour's price move nobody.
    way = PRESETS["hybrid"]
    cheap, dear = (run([way], values={"platform_per_school": fee, "teacher_cost_factor": 1.0 + fee / 100})[0] for fee in (2.0, 25.0))
    np.testing.assert_array_equal(cheap.schools, dear.schools)
    assert (cheap.costs.sum(axis=(1, 2, 3, 4)) < dear.costs.sum(axis=(1, 2, 3, 4))).all()


def test_outreach_beside_assigned_mentoring_changes_no_tie():
    # Where mentors are assigned by region and mentees by need, nothing of recruitment, matching or retention in the first year depends on
    # who adopts later; without a cascade this holds for the whole programme.
    plain, louder = run([design("top_down"), design("top_down", outreach=1.0)])
    np.testing.assert_array_equal(plain.schools[:, :, 1:], louder.schools[:, :, 1:])


def test_outreach_raises_adoption_beside_assigned_mentoring():
    plain, louder = run([design("top_down"), design("top_down", outreach=1.0)])
    assert adopters(louder)[:, 34].sum(axis=1).mean() > adopters(plain)[:, 34].sum(axis=1).mean()


def test_outreach_reaches_no_lonely_school_that_is_closed_to_novelty():
    # Openness 0 and no peers: outreach acts on p times openness alone.
    closed = np.arange(N) % 3 == 0
    peers = NEAR & ~closed[:, None] & ~closed[None, :]
    world = build_world(TEACHERS, weights=peers, **{**ATTRIBUTES, "openness": np.where(closed, 0.0, ATTRIBUTES["openness"])})
    none, outreach = run([PRESETS["none"], PRESETS["outreach"]], world=world, replicates=100)
    changed = (adopters(none) != adopters(outreach)).any(axis=(0, 1))
    assert not changed[closed].any()
    assert changed[~closed].mean() > 0.9  # a school of openness near 0 may see no difference in 100 replicates


def pilot_world():
    """Return the world with a pilot in the home country: four named mentors, each with three named mentees."""
    role, mentor = np.zeros(N, int), np.full(N, -1)
    home = np.flatnonzero(HOME)
    role[home[:4]], role[home[4:16]] = MENTOR, MENTEE
    mentor[home[4:16]] = np.repeat(home[:4], 3)
    return build_world(TEACHERS, weights=NEAR, **ATTRIBUTES, named_role=role, named_mentor=mentor)


@pytest.mark.parametrize("preset", ["top_down", "regional_hub"])
def test_a_pilot_leaves_another_country_untouched_where_no_tie_crosses_the_border(preset):
    none, pilot = run([PRESETS["none"], design(preset, scope="country")], world=pilot_world())
    np.testing.assert_array_equal(none.schools[..., ~HOME], pilot.schools[..., ~HOME])


def test_a_pilot_changes_its_own_country():
    none, pilot = run([PRESETS["none"], design("regional_hub", scope="country")], world=pilot_world())
    assert (adopters(none)[..., HOME] != adopters(pilot)[..., HOME]).any()


def test_what_happens_in_one_country_never_reaches_another_without_ties():
    # The same schools abroad, while those at home start with no adopters or with all; a community of practice knows no border.
    start = np.where(HOME, 0, -1), np.where(HOME, TEACHERS, -1)
    ways = [design("bottom_up", scope="country", community=0.0)]
    empty, full = (run(ways, world=build_world(TEACHERS, weights=NEAR, **ATTRIBUTES, adopters_at_start=s))[0] for s in start)
    np.testing.assert_array_equal(empty.schools[..., ~HOME], full.schools[..., ~HOME])
    assert (empty.schools[..., HOME] != full.schools[..., HOME]).any()


@pytest.mark.parametrize("preset", [name for name in PRESETS if PRESETS[name].recruitment != "none"])
def test_schools_without_a_tie_have_the_draws_that_they_have_without_a_programme(preset):
    # Without influence between schools nothing of mentoring reaches a mentor, a school that is never tied, or one before its first tie.
    none, mentored = run([PRESETS["none"], PRESETS[preset]], values={"q_out": 0.0, "attrition": 0.0})
    before = ~np.logical_or.accumulate(mentored.schools[:, :-1, -1] >= 0, axis=1)  # until a tie acts on the month that follows
    assert 0.05 < before[:, -1].mean() < 1.0
    np.testing.assert_array_equal(adopters(none)[:, 1:][before], adopters(mentored)[:, 1:][before])
    assert (adopters(none)[:, 1:] != adopters(mentored)[:, 1:])[~before].any()


def test_contacts_alone_carry_a_programme_to_schools_of_which_no_peer_is_mentored():
    # Nobody has peers: what the mentor of a cluster sees of its mentees, and after its end its former mentees of it, are contacts.
    way = design("regional_hub", community=0.0, cascade=0.0)
    alone = {contacts: build_world(TEACHERS, **ATTRIBUTES, contacts=contacts) for contacts in (NO_CONTACTS, ADD)}
    without, with_them = (run([way], world=world)[0] for world in alone.values())
    np.testing.assert_array_equal(without.schools[:, :, 1:], with_them.schools[:, :, 1:])
    changed = (adopters(without) != adopters(with_them)).any(axis=1)
    tied = (with_them.schools[:, :, -1] >= 0).any(axis=1) | (with_them.schools[:, :, -2] == MENTOR).any(axis=1)
    assert not changed[~tied].any()
    assert changed[(with_them.schools[:, :, -2] == MENTOR).any(axis=1)].any()


def test_a_practice_is_untouched_by_another_one_without_mentoring():
    alone = run([PRESETS["outreach"]])[0]
    two = build_world(TEACHERS, weights=NEAR, **ATTRIBUTES, practices=2)
    beside = run([PRESETS["outreach"]], world=two, practices=build_practices((1.0, 1.6)))[0]
    np.testing.assert_array_equal(alone.schools[:, :, 0], beside.schools[:, :, 0])


def test_schools_added_at_the_end_of_the_table_leave_the_others_draws_alone():
    # No peers, no mentoring, and advanced schools fixed by their start: the first 80 schools must not notice ten more.
    more = {name: np.concatenate([value, value[:10]]) for name, value in ATTRIBUTES.items() if len(value) == N}
    start = np.full(N + 10, 3)
    small = build_world(TEACHERS, **ATTRIBUTES, adopters_at_start=start[:N])
    large = build_world(np.concatenate([TEACHERS, TEACHERS[:10]]), **{**ATTRIBUTES, **more}, adopters_at_start=start)
    few, many = (run([PRESETS["outreach"]], world=w)[0] for w in (small, large))
    np.testing.assert_array_equal(few.schools, many.schools[..., :N])


def test_replicates_differ():
    results = run([PRESETS["none"]], replicates=50)[0]
    assert len(np.unique(results.outcomes[:, OUTCOMES.index("effect_adopter_years")])) == 50


def test_seeds_differ():
    first, second = (run([PRESETS["none"]], seed=seed, replicates=50)[0].schools for seed in (1, 2))
    assert (first != second).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("preset", ["outreach", "top_down", "regional_hub", "virtual"])
def test_shared_draws_make_a_difference_between_designs_surer(preset):
    # 400 replicates: the variance of the difference must be below half of that under independent seeds. By the F distribution a ratio of
    # true variances of 1 gives an estimate below 0.5 with chance 1e-11.
    effect = OUTCOMES.index("effect_adopter_years")
    none, other = (r.outcomes[:, effect] for r in run([PRESETS["none"], PRESETS[preset]], replicates=400))
    apart = run([PRESETS[preset]], seed=6, replicates=400)[0].outcomes[:, effect]
    assert np.var(other - none) < 0.5 * np.var(apart - none)
