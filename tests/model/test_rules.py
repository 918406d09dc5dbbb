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
from school_mentoring.model.designs import CHOICES, design_table
from school_mentoring.model.parameters import PARAMETERS
from school_mentoring.model.world.arrays import ADD, NO_CONTACTS, SHARE
from tests.worlds import design, parameter_record, random_parameters, source_of

SHARES = st.floats(0.0, 1.0)
FLAG = st.sampled_from([0.0, 1.0])
HOURS = st.floats(0.0, 500.0)
MONEY = st.floats(0.0, 1e6)
KILOMETRES = st.floats(0.0, 20000.0)
QUANTITIES = {
    "abroad": st.sampled_from([0, 1]),
    "adopters": st.integers(0, 1000),
    "age": st.integers(0, 200),
    "capacity": SHARES,
    "capacity_rank": st.integers(0, 1000),
    "clusters": st.integers(0, 5000).map(float),
    "colleagues": SHARES,
    "community": SHARES,
    "contacts": st.sampled_from([ADD, SHARE, NO_CONTACTS]),
    "des": st.builds(
        lambda tier, hours: design_table([design(tier=tier, meeting_hours=hours)], 6, 34).view(np.recarray)[0],
        st.sampled_from(CHOICES["tier"]),
        st.floats(0.0, 100.0),
    ),
    "difficulty": st.floats(0.5, 3.0),
    "distance": KILOMETRES,
    "face_to_face": HOURS,
    "fading": st.booleans(),
    "fte": st.one_of(st.just(0.0), st.floats(0.0, 1000.0)),
    "funded": st.sampled_from([0, 1]),
    "grant": MONEY,
    "hours": HOURS,
    "incentive": MONEY,
    "initial_share": SHARES,
    "kept": SHARES,
    "load": st.floats(0.0, 50.0),
    "mandated": FLAG,
    "mentees": st.integers(1, 100),
    "mentor_share": SHARES,
    "mentoring": SHARES,
    "met": st.floats(0.0, 20.0),
    "noise": st.floats(-4.0, 40.0),
    "openness": SHARES,
    "outreach": SHARES,
    "past_mentees": st.integers(0, 10_000),
    "per_hour": SHARES,
    "peer_weight": SHARES,
    "peers": SHARES,
    "quality": SHARES,
    "raised_dose": st.floats(0.0, 1e6),
    "raised_half": st.floats(1e-6, 1e6),
    "ready": st.floats(0.0, 2.0),
    "recognition": FLAG,
    "release_hours": st.floats(0.0, 200.0),
    "schools": st.integers(1, 1001),
    "share": SHARES,
    "stipend": MONEY,
    "teachers": st.integers(1, 1000),
    "team": st.integers(1, 1000),
    "tier": st.integers(0, 3),
    "travel": HOURS,
    "u": st.floats(0.0, 1.0, exclude_max=True),
    "unlike": st.integers(0, 4).map(float),
    "virtual_share": SHARES,
    "visits_made": st.floats(0.0, 1000.0),
    "weight": st.floats(0.0, 20.0),
    "whole_staff": st.booleans(),
    "worth": SHARES,
}
"""The range of every argument that a rule takes beside the parameter set."""


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z)) if z > -700.0 else 0.0


def worth_online(q, fading, age):
    """Return the worth of an online hour by the corners of its course: 1 up to month 12, then down to the end in month 36."""
    end = max(0.0, 2.0 * q.virtual_fidelity - 1.0)
    return float(np.interp(age, [12.0, 36.0], [1.0, end])) if fading else q.virtual_fidelity


def months_of_a_contact(q, u):
    """Return how many months in a row a contact does not end, by inversion of the geometric distribution."""
    if q.contact_fade == 0.0:
        return rules.FOREVER
    return 0 if q.contact_fade == 1.0 else min(math.floor(math.log1p(-u) / math.log(1.0 - q.contact_fade)), rules.FOREVER)


# Every formula of the specification, with q for the parameter set, where the rule takes it, and the arguments by the rule's own names.
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
    "is_small": lambda q, teachers: q.small_school > teachers,
    "team_size": lambda team, teachers, whole_staff: teachers if whole_staff or teachers < team else team,
    "team_adopters": lambda adopters, teachers, team, u: min(math.floor(team * adopters / teachers + u), team, adopters),
    "coordination_quality": lambda q, tier, fte, clusters: (
        q.self_organisation if tier == 0 else 1.0 - math.exp(-fte * q.caseload / max(1.0, clusters))
    ),
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
    "online_worth": worth_online,
    "effective_hours": lambda face_to_face, hours, virtual_share, worth: face_to_face + worth * (virtual_share * hours),
    "dilution": lambda q, team: team**-q.dilution,
    "dose": lambda q, hours, unlike, quality, mandated, mentor_share: (
        hours
        * (math.exp(-q.likeness_effect * unlike) * (q.fit_floor + (1.0 - q.fit_floor) * quality))
        * (q.mandate_engagement if mandated else 1.0)
        * min(1.0, mentor_share / q.expertise_full)
    ),
    "raised": lambda q, hours: hours**q.dose_power,
    "saturation": lambda raised_dose, raised_half: 1.0 / (1.0 + raised_half / raised_dose) if raised_dose else 0.0,
    "meeting_hours": lambda des, funded: des.meeting_hours * (funded or des.tier == 0),
    "contact_per_hour": lambda q, team, teachers: team / teachers / q.contact_hours,
    "contact_weight": lambda hours, per_hour: min(1.0, hours * per_hour),
    "contact_months": months_of_a_contact,
    "community_contact": lambda q, community, team, teachers: community * q.community_weight * (team / teachers),
    "exposure": lambda contacts, peers, peer_weight, met, weight: min(
        1.0, (peers + peer_weight * met) / (1.0 + peer_weight * weight if contacts == SHARE else 1.0)
    ),
    "readiness": lambda q, capacity, difficulty: (q.readiness_floor + (1.0 - q.readiness_floor) * capacity) / difficulty,
    "social_influence": lambda q, share: share**q.gamma,
    "adoption_chance": lambda q, ready, openness, outreach, colleagues, peers, mentoring: min(
        1.0,
        ready
        * (
            1.0
            - (1.0 - (q.p + outreach * q.enrolment * q.completion * q.uptake) * openness)
            * (1.0 - q.q_in * colleagues)
            * (1.0 - q.q_out * peers)
            * (1.0 - q.beta * mentoring)
        ),
    ),
    "loss_chance": lambda q, share, kept: 1.0 - (1.0 - q.d * (1.0 - q.protection * share) * (1.0 - q.shield * kept)) * (1.0 - q.turnover),
}
NAMES = {name: formula.__code__.co_varnames[: formula.__code__.co_argcount] for name, formula in FORMULAS.items()}
ARGUMENTS = {name: [argument for argument in names if argument != "q"] for name, names in NAMES.items()}


@st.composite
def parameter_sets(draw, wild=None):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_parameters(rng, draw(st.sampled_from([0.0, 0.1, 1.0])) if wild is None else wild)


@st.composite
def calls(draw, rule, wild=None):
    """Draw a parameter set and arguments of a rule."""
    return draw(parameter_sets(wild)), [draw(QUANTITIES[name]) for name in ARGUMENTS[rule]]


def apply(function, rule, par, arguments):
    """Return what a rule or its formula gives; ``par`` only where it takes a parameter set."""
    return function(par, *arguments) if "q" in NAMES[rule] else function(*arguments)


def given_by(rule, values, arguments):
    """Return what a rule gives under a parameter set."""
    return apply(getattr(rules, rule), rule, parameter_record(values), arguments)


def test_every_rule_of_the_model_has_its_formula_here():
    assert set(FORMULAS) | {"logistic", "unlikeness"} == set(rules.__all__)


@pytest.mark.parametrize("rule", FORMULAS)
@given(data=st.data())
def test_rule_equals_its_formula(rule, data):
    values, arguments = data.draw(calls(rule))
    expected = apply(FORMULAS[rule], rule, SimpleNamespace(**values), arguments)
    # Absolute 1e-13 where the result is a difference from 1, which is what a chance near 0 is computed as.
    assert given_by(rule, values, arguments) == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("rule", FORMULAS)
@given(data=st.data())
def test_compiled_and_interpreted_rule_give_the_same_bits(rule, data):
    values, arguments = data.draw(calls(rule))
    par, function = parameter_record(values), getattr(rules, rule)
    assert apply(function, rule, par, arguments) == apply(source_of(function), rule, par, arguments)


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
        "online_worth",
        "dilution",
        "saturation",
        "contact_weight",
        "exposure",
        "adoption_chance",
        "loss_chance",
    ],
)
@given(data=st.data())
def test_share_or_chance_lies_between_0_and_1_for_all_allowed_parameters(rule, data):
    values, arguments = data.draw(calls(rule, wild=1.0))
    assert 0.0 <= given_by(rule, values, arguments) <= 1.0


@pytest.mark.parametrize(
    "rule",
    [
        *("hours_per_mentee", "visits", "travel_hours", "face_to_face_hours", "effective_hours", "dose", "raised", "readiness"),
        *("meeting_hours", "contact_months", "contact_per_hour", "community_contact"),
    ],
)
@given(data=st.data())
def test_amount_is_finite_and_never_negative_for_all_allowed_parameters(rule, data):
    values, arguments = data.draw(calls(rule, wild=1.0))
    assert 0.0 <= given_by(rule, values, arguments) < math.inf


# --- what helps never hurts ------------------------------------------------------------------------------------------

RISES = {
    "adoption_chance": (
        *("ready", "openness", "outreach", "colleagues", "peers", "mentoring"),
        *("p", "q_in", "q_out", "beta", "enrolment", "completion", "uptake"),
    ),
    "loss_chance": ("d", "turnover"),
    "raised": ("hours",),
    "saturation": ("raised_dose",),
    "dose": ("hours", "quality", "mentor_share", "fit_floor", "mandate_engagement"),
    "effective_hours": ("face_to_face", "hours", "virtual_share", "worth"),
    "online_worth": ("virtual_fidelity",),
    "team_size": ("team", "teachers"),
    "team_adopters": ("adopters", "team", "u"),
    "contact_per_hour": ("team",),
    "contact_weight": ("hours", "per_hour"),
    "contact_months": ("u",),
    "community_contact": ("community", "community_weight", "team"),
    "exposure": ("peers", "met"),
    "coordination_quality": ("fte", "caseload", "self_organisation"),
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
    "loss_chance": ("share", "kept", "protection", "shield"),
    "saturation": ("raised_half",),
    "dilution": ("team", "dilution"),
    "dose": ("unlike", "likeness_effect", "expertise_full"),
    "online_worth": ("age",),
    "team_adopters": ("teachers",),
    "contact_per_hour": ("teachers", "contact_hours"),
    "contact_months": ("contact_fade",),
    "community_contact": ("teachers",),
    "exposure": ("weight",),
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
    before = given_by(rule, values, arguments)
    if by in PARAMETERS:
        values = {**values, by: data.draw(st.floats(values[by], max(values[by], PARAMETERS[by].maximum)))}
    else:
        place = ARGUMENTS[rule].index(by)
        arguments[place] = max(arguments[place], data.draw(QUANTITIES[by]))
    after = given_by(rule, values, arguments)
    assert sign * (after - before) >= -1e-12 * max(1.0, abs(before))
