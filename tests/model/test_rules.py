"""Each rule against its equation, typed again from the specification in plain floating-point arithmetic.

Where a test compares with a formula the tolerance is relative 1e-12: the portable functions err by 2 units in the last place (4e-16), a
rule takes a handful of operations, and an exponent of up to some hundred magnifies that to 1e-13.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.model import rules
from school_mentoring.model.parameters import PARAMETERS
from tests.worlds import parameter_record, random_parameters, source_of

SHARE = st.floats(0.0, 1.0)
FLAG = st.sampled_from([0.0, 1.0])
HOURS = st.floats(0.0, 500.0)
MONEY = st.floats(0.0, 1e6)
KILOMETRES = st.floats(0.0, 20000.0)
QUANTITIES = {
    "abroad": st.sampled_from([0, 1]),
    "capacity": SHARE,
    "capacity_rank": st.integers(0, 1000),
    "clusters": st.integers(0, 5000).map(float),
    "colleagues": SHARE,
    "difficulty": st.floats(0.5, 3.0),
    "distance": KILOMETRES,
    "effective": HOURS,
    "face_to_face": HOURS,
    "fte": st.one_of(st.just(0.0), st.floats(0.0, 1000.0)),
    "grant": MONEY,
    "hours": HOURS,
    "incentive": MONEY,
    "initial_share": SHARE,
    "load": st.floats(0.0, 50.0),
    "mandated": FLAG,
    "mentees": st.integers(1, 100),
    "mentor_share": SHARE,
    "mentoring": SHARE,
    "noise": st.floats(-4.0, 40.0),
    "openness": SHARE,
    "outreach": SHARE,
    "past_mentees": st.integers(0, 10_000),
    "peers": SHARE,
    "quality": SHARE,
    "ready": st.floats(0.0, 2.0),
    "recognition": FLAG,
    "release_hours": st.floats(0.0, 200.0),
    "schools": st.integers(1, 1001),
    "share": SHARE,
    "stipend": MONEY,
    "travel": HOURS,
    "unlike": st.integers(0, 4).map(float),
    "virtual_share": SHARE,
    "visits_made": st.floats(0.0, 1000.0),
}
"""The range of every argument that a rule takes besides the parameter set."""


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z)) if z > -700.0 else 0.0


# Every formula of the specification, with q for the parameter set and the arguments by the rule's own names.
FORMULAS = {
    "start_share": lambda q, capacity, initial_share: min(1.0, initial_share * (capacity / q.capacity_mean) ** 2),
    "advanced": lambda q, capacity_rank, schools: capacity_rank < math.floor(q.advanced_fraction * schools + 0.5),
    "volunteer_chance": lambda q, share, stipend, release_hours, recognition: sigmoid(
        q.volunteer_base
        + q.volunteer_own_share * share
        + q.volunteer_stipend * math.log1p(stipend / 1000)
        + q.volunteer_release * release_hours
        + q.volunteer_recognition * recognition
    ),
    "seek_chance": lambda q, openness, capacity, grant: sigmoid(
        q.seek_base + q.seek_openness * (openness - 0.5) + q.seek_need * (0.5 - capacity) + q.seek_grant * math.log1p(grant / 1000)
    ),
    "mentor_score": lambda q, distance, unlike, past_mentees, noise: (
        -q.proximity_weight * (distance / q.peer_distance)
        - q.likeness_weight * unlike
        + q.reputation_weight * math.log1p(past_mentees)
        + noise
    ),
    "outside_score": lambda q, noise: q.outside_option + noise,
    "coordination_quality": lambda q, fte, clusters: 1.0 - math.exp(-fte * q.caseload / max(1.0, clusters)),
    "attrition_chance": lambda q, quality, virtual_share, incentive, recognition, load, mandated: min(
        1.0,
        q.attrition
        * (1.0 + q.virtual_attrition * virtual_share)
        * math.exp(
            -q.attrition_coordination * quality
            - q.attrition_incentive * math.log1p(incentive / 1000)
            - q.attrition_recognition * recognition
        )
        * (1.0 + q.attrition_load * max(0.0, load - 1.0))
        * (q.mandate_attrition if mandated else 1.0),
    ),
    "hours_per_mentee": lambda q, release_hours, mentees: (q.voluntary_hours + release_hours) / mentees,
    "visits": lambda q, hours, virtual_share, abroad: 0.0 if abroad else (1.0 - virtual_share) * hours / q.visit_hours,
    "travel_hours": lambda q, visits_made, distance: visits_made * (2.0 * distance / q.travel_speed),
    "face_to_face_hours": lambda q, visits_made, travel: max(0.0, visits_made * q.visit_hours - travel),
    "effective_hours": lambda q, face_to_face, hours, virtual_share: face_to_face + virtual_share * hours * q.virtual_fidelity,
    "dose": lambda q, effective, unlike, quality, mandated, mentor_share: (
        effective
        * (math.exp(-q.likeness_effect * unlike) * (q.fit_floor + (1.0 - q.fit_floor) * quality))
        * (q.mandate_engagement if mandated else 1.0)
        * (q.expertise_floor + (1.0 - q.expertise_floor) * mentor_share)
    ),
    "saturation": lambda q, hours: -math.expm1(-hours / q.dose_half * math.log(2.0)),
    "readiness": lambda q, capacity, difficulty: (q.readiness_floor + (1.0 - q.readiness_floor) * capacity) / difficulty,
    "social_influence": lambda q, share: share**q.gamma,
    "adoption_chance": lambda q, ready, openness, outreach, colleagues, peers, mentoring: min(
        1.0,
        ready
        * (
            1.0
            - (1.0 - (q.p + q.outreach_effect * outreach) * openness)
            * (1.0 - q.q_in * colleagues)
            * (1.0 - q.q_out * peers)
            * (1.0 - q.beta * mentoring)
        ),
    ),
    "loss_chance": lambda q, share, mentoring: (
        1.0 - (1.0 - q.d * (1.0 - q.protection * share) * (1.0 - q.shield * mentoring)) * (1.0 - q.turnover)
    ),
}
ARGUMENTS = {name: formula.__code__.co_varnames[1 : formula.__code__.co_argcount] for name, formula in FORMULAS.items()}


@st.composite
def parameter_sets(draw, wild=None):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_parameters(rng, draw(st.sampled_from([0.0, 0.1, 1.0])) if wild is None else wild)


@st.composite
def calls(draw, rule, wild=None):
    """Draw a parameter set and arguments of a rule."""
    return draw(parameter_sets(wild)), [draw(QUANTITIES[name]) for name in ARGUMENTS[rule]]


def test_every_rule_of_the_model_has_its_formula_here():
    assert set(FORMULAS) | {"logistic", "unlikeness"} == set(rules.__all__)


@pytest.mark.parametrize("rule", FORMULAS)
@given(data=st.data())
def test_rule_equals_its_formula(rule, data):
    values, arguments = data.draw(calls(rule))
    expected = FORMULAS[rule](SimpleNamespace(**values), *arguments)
    # Absolute 1e-13 where the result is a difference from 1, which is what a chance near 0 is computed as.
    assert getattr(rules, rule)(parameter_record(values), *arguments) == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("rule", FORMULAS)
@given(data=st.data())
def test_compiled_and_interpreted_rule_give_the_same_bits(rule, data):
    values, arguments = data.draw(calls(rule))
    par, function = parameter_record(values), getattr(rules, rule)
    assert function(par, *arguments) == source_of(function)(par, *arguments)


@given(st.floats(-1000.0, 1000.0))
def test_logistic_equals_its_formula(z):
    assert rules.logistic(z) == pytest.approx(sigmoid(z), rel=1e-12, abs=1e-300)


@given(st.floats(-1000.0, 1000.0))
def test_compiled_and_interpreted_logistic_give_the_same_bits(z):
    assert rules.logistic(z) == source_of(rules.logistic)(z)


@pytest.mark.parametrize("abroad", [0, 1])
@pytest.mark.parametrize("a", range(8))
@pytest.mark.parametrize("b", range(8))
def test_unlikeness_counts_the_traits_that_differ(a, b, abroad):
    assert rules.unlikeness(np.uint8(a), np.uint8(b), abroad) == bin(a ^ b).count("1") + abroad


# --- chances are chances, for every parameter that the table allows --------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        "start_share",
        "volunteer_chance",
        "seek_chance",
        "coordination_quality",
        "attrition_chance",
        "saturation",
        "adoption_chance",
        "loss_chance",
    ],
)
@given(data=st.data())
def test_chance_lies_between_0_and_1_for_all_allowed_parameters(rule, data):
    values, arguments = data.draw(calls(rule, wild=1.0))
    assert 0.0 <= getattr(rules, rule)(parameter_record(values), *arguments) <= 1.0


@pytest.mark.parametrize(
    "rule", ["hours_per_mentee", "visits", "travel_hours", "face_to_face_hours", "effective_hours", "dose", "readiness"]
)
@given(data=st.data())
def test_amount_is_finite_and_never_negative_for_all_allowed_parameters(rule, data):
    values, arguments = data.draw(calls(rule, wild=1.0))
    assert 0.0 <= getattr(rules, rule)(parameter_record(values), *arguments) < math.inf


# --- limits ----------------------------------------------------------------------------------------------------------


@given(parameter_sets(), QUANTITIES["clusters"])
def test_without_coordinators_there_is_no_quality(values, clusters):
    assert rules.coordination_quality(parameter_record(values), 0.0, clusters) == 0.0


@pytest.mark.parametrize(("clusters", "shared_by"), [(0.0, 1.0), (1.0, 1.0), (2.0, 2.0), (7.0, 7.0)])
def test_up_to_one_cluster_has_the_coordinators_to_itself(clusters, shared_by):
    quality = rules.coordination_quality(parameter_record({"caseload": 3.0}), 0.5, clusters)
    assert quality == pytest.approx(1.0 - math.exp(-1.5 / shared_by), rel=1e-14)


@given(parameter_sets(), HOURS)
def test_wholly_virtual_mentoring_makes_no_visits(values, hours):
    assert rules.visits(parameter_record(values), hours, 1.0, 0) == 0.0


@given(parameter_sets(), HOURS, SHARE)
def test_nobody_visits_a_school_across_a_border(values, hours, virtual_share):
    assert rules.visits(parameter_record(values), hours, virtual_share, 1) == 0.0


@given(parameter_sets())
def test_half_the_full_effect_comes_at_the_half_dose(values):
    # Within rounding: 1 - exp(-ln 2).
    assert rules.saturation(parameter_record(values), values["dose_half"]) == pytest.approx(0.5, abs=1e-15)


@given(parameter_sets())
def test_no_dose_has_no_effect(values):
    assert rules.saturation(parameter_record(values), 0.0) == 0.0


@given(parameter_sets(), st.floats(1.0, 1000.0), SHARE)
def test_distance_beyond_a_visits_length_leaves_no_face_to_face_hours(values, hours, virtual_share):
    par = parameter_record(values)
    visits = rules.visits(par, hours, virtual_share, 0)
    distance = 1.001 * values["visit_hours"] * values["travel_speed"] / 2.0  # the road takes longer than the visit
    assert rules.face_to_face_hours(par, visits, rules.travel_hours(par, visits, distance)) == 0.0


@given(calls("attrition_chance"), st.floats(0.0, 1.0))
def test_a_mentor_with_free_places_loses_no_more_mentees_for_its_load(call, load):
    values, (quality, virtual, incentive, recognition, _, mandated) = call
    par = parameter_record(values)
    at_most_full = rules.attrition_chance(par, quality, virtual, incentive, recognition, load, mandated)
    assert at_most_full == rules.attrition_chance(par, quality, virtual, incentive, recognition, 1.0, mandated)


@given(SHARE, QUANTITIES["openness"], SHARE, SHARE)
def test_bass_limit_is_the_bass_rule(share, openness, exposure, p):
    # gamma = 1, readiness 1, no colleagues, no mentoring: 1 - (1 - p openness)(1 - q_out E).
    par = parameter_record({"gamma": 1.0, "readiness_floor": 1.0, "q_in": 0.0, "p": p, "q_out": share})
    ready = rules.readiness(par, 0.3, 1.0)
    chance = rules.adoption_chance(par, ready, openness, 0.0, 0.7, rules.social_influence(par, exposure), 0.0)
    assert chance == pytest.approx(1.0 - (1.0 - p * openness) * (1.0 - share * exposure), abs=1e-15)


# --- what helps never hurts ------------------------------------------------------------------------------------------

RISES = {
    "adoption_chance": (
        "ready",
        "openness",
        "outreach",
        "colleagues",
        "peers",
        "mentoring",
        "p",
        "q_in",
        "q_out",
        "beta",
        "outreach_effect",
    ),
    "loss_chance": ("d", "turnover"),
    "saturation": ("hours",),
    "dose": ("effective", "quality", "mentor_share", "fit_floor", "expertise_floor", "mandate_engagement"),
    "effective_hours": ("face_to_face", "virtual_fidelity"),
    "coordination_quality": ("fte", "caseload"),
    "attrition_chance": ("virtual_share", "load", "attrition", "virtual_attrition", "attrition_load", "mandate_attrition"),
    "volunteer_chance": ("share", "stipend", "release_hours", "recognition", "volunteer_base"),
    "seek_chance": ("openness", "grant", "seek_base"),
    "readiness": ("capacity", "readiness_floor"),
    "start_share": ("capacity", "initial_share"),
    "mentor_score": ("past_mentees", "noise"),
    "outside_score": ("outside_option", "noise"),
    "hours_per_mentee": ("release_hours", "voluntary_hours"),
    "travel_hours": ("visits_made", "distance"),
    "social_influence": ("share",),
}
FALLS = {
    "loss_chance": ("share", "mentoring", "protection", "shield"),
    "saturation": ("dose_half",),
    "dose": ("unlike", "likeness_effect"),
    "coordination_quality": ("clusters",),
    "attrition_chance": ("quality", "incentive", "recognition", "attrition_coordination", "attrition_incentive", "attrition_recognition"),
    "mentor_score": ("distance", "unlike"),
    "visits": ("virtual_share", "abroad"),
    "hours_per_mentee": ("mentees",),
    "travel_hours": ("travel_speed",),
    "readiness": ("difficulty",),
    "social_influence": ("gamma",),
}
SIGNS = [(rule, by, 1) for rule, names in RISES.items() for by in names] + [(rule, by, -1) for rule, names in FALLS.items() for by in names]


@pytest.mark.parametrize(("rule", "by", "sign"), SIGNS)
@given(data=st.data())
def test_rule_moves_one_way(rule, by, sign, data):
    # The plausible range, where no effect has its sign turned. Slack 1e-12 of the size: rounding in the last place.
    values, arguments = data.draw(calls(rule, wild=0.0))
    before = getattr(rules, rule)(parameter_record(values), *arguments)
    if by in PARAMETERS:
        values = {**values, by: data.draw(st.floats(values[by], max(values[by], PARAMETERS[by].maximum)))}
    else:
        place = ARGUMENTS[rule].index(by)
        arguments[place] = max(arguments[place], data.draw(QUANTITIES[by]))
    after = getattr(rules, rule)(parameter_record(values), *arguments)
    assert sign * (after - before) >= -1e-12 * max(1.0, abs(before))
