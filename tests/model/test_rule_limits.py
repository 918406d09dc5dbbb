"""What rules come to at their ends: without coordinators, at half the dose, for whole staffs, for contacts that never fade."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.model import rules
from school_mentoring.model.world.arrays import ADD, SHARE
from tests.worlds import parameter_record

from .test_rules import HOURS, QUANTITIES, SHARES, calls, parameter_sets


@given(parameter_sets(), st.integers(1, 3), QUANTITIES["clusters"])
def test_a_tier_without_coordinators_gives_no_quality(values, tier, clusters):
    assert rules.coordination_quality(parameter_record(values), tier, 0.0, clusters) == 0.0


@given(parameter_sets(), QUANTITIES["fte"], QUANTITIES["clusters"])
def test_clusters_that_nobody_coordinates_organise_themselves_however_many_they_are(values, fte, clusters):
    assert rules.coordination_quality(parameter_record(values), 0, fte, clusters) == values["self_organisation"]


@pytest.mark.parametrize(("clusters", "shared_by"), [(0.0, 1.0), (1.0, 1.0), (2.0, 2.0), (7.0, 7.0)])
def test_up_to_one_cluster_has_the_coordinators_to_itself(clusters, shared_by):
    quality = rules.coordination_quality(parameter_record({"caseload": 3.0}), 1, 0.5, clusters)
    assert quality == pytest.approx(1.0 - math.exp(-1.5 / shared_by), rel=1e-14)


@given(parameter_sets(), HOURS)
def test_wholly_virtual_mentoring_makes_no_visits(values, hours):
    assert rules.visits(parameter_record(values), hours, 1.0, 0) == 0.0


@given(parameter_sets(), HOURS, SHARES)
def test_nobody_visits_a_school_across_a_border(values, hours, virtual_share):
    assert rules.visits(parameter_record(values), hours, virtual_share, 1) == 0.0


def effect_of(values, dose, half):
    """Return the saturation by a dose, as both engines form it of two rules."""
    par = parameter_record(values)
    return rules.saturation(rules.raised(par, dose), rules.raised(par, values[half]))


@pytest.mark.parametrize("half", ["dose_half", "shield_half"])
@given(values=parameter_sets(0.0), dose=st.floats(0.0, 1000.0))
def test_saturation_is_the_share_of_a_power_of_the_dose_over_its_half(half, values, dose):
    x = (dose / values[half]) ** values["dose_power"]
    assert effect_of(values, dose, half) == pytest.approx(x / (1.0 + x), rel=1e-12)


@pytest.mark.parametrize("half", ["dose_half", "shield_half"])
@given(values=parameter_sets())
def test_half_the_full_effect_comes_at_the_half_dose_and_none_without_a_dose(half, values):
    assert effect_of(values, values[half], half) == 0.5
    assert effect_of(values, 0.0, half) == 0.0


@given(parameter_sets(), st.floats(0.0, 1000.0))
def test_keeping_takes_no_more_hours_than_winning_where_its_half_dose_is_smaller(values, dose):
    smaller = min(values["dose_half"], values["shield_half"])
    assert effect_of({**values, "shield_half": smaller}, dose, "shield_half") >= effect_of(values, dose, "dose_half")


@given(calls("dose"))
def test_an_hour_is_worth_nothing_where_nobody_uses_the_practice_and_no_more_beyond_full_expertise(call):
    values, (*before, _) = call
    par = parameter_record(values)
    assert rules.dose(par, *before, 0.0) == 0.0
    assert rules.dose(par, *before, values["expertise_full"]) == rules.dose(par, *before, 1.0)


@given(parameter_sets(), st.integers(0, 12))
def test_in_its_first_year_an_online_hour_of_a_tie_is_worth_one_face_to_face_where_it_fades(values, age):
    assert rules.online_worth(parameter_record(values), True, age) == 1.0


@given(parameter_sets())
def test_an_online_hours_worth_at_both_ends_has_the_mean_that_it_has_where_it_does_not_fade(values):
    par = parameter_record({**values, "virtual_fidelity": max(0.5, values["virtual_fidelity"])})
    ends = [rules.online_worth(par, True, age) for age in (12, 36)]
    assert sum(ends) / 2.0 == pytest.approx(par.virtual_fidelity, rel=1e-15)
    assert rules.online_worth(par, True, 1000) == ends[1]


# --- teams and contacts ----------------------------------------------------------------------------------------------


@st.composite
def staffs(draw):
    """Draw (adopters k, teachers n, team T) of a school."""
    n = draw(st.integers(1, 60))
    return draw(st.integers(0, n)), n, draw(st.integers(1, n))


@given(staffs(), QUANTITIES["u"])
def test_a_team_has_no_more_adopters_and_no_more_others_than_its_school(staff, u):
    adopters, teachers, team = staff
    using = rules.team_adopters(adopters, teachers, team, u)
    assert 0 <= using <= min(team, adopters)
    assert team - using <= teachers - adopters


@given(staffs())
def test_a_team_has_the_share_of_adopters_of_its_school_on_average(staff):
    # The mean over u of floor(T k / n + u), exactly: each stretch of u between two multiples of 1 / n counts the same (Hermite's identity).
    adopters, teachers, team = staff
    drawn = [rules.team_adopters(adopters, teachers, team, (j + 0.5) / teachers) for j in range(teachers)]
    assert sum(drawn) == team * adopters


@given(st.floats(0.005, 0.3), st.integers(1, 30))
def test_a_contact_lasts_some_months_or_more_with_the_chance_that_it_ends_in_none_of_them(fade, months):
    # P(months >= m) = (1 - fade)**m: of all u, those from 1 - (1 - fade)**m on; tried at a relative 1e-6 on both sides of the border.
    par, chance = parameter_record({"contact_fade": fade}), (1.0 - fade) ** months
    assert rules.contact_months(par, 1.0 - chance * (1.0 - 1e-6)) == months
    assert rules.contact_months(par, 1.0 - chance * (1.0 + 1e-6)) == months - 1


@given(QUANTITIES["u"])
def test_a_contact_that_never_fades_outlasts_every_run_and_one_that_always_does_is_gone_at_once(u):
    assert rules.contact_months(parameter_record({"contact_fade": 0.0}), u) == rules.FOREVER > 2 * 1200
    assert rules.contact_months(parameter_record({"contact_fade": 1.0}), u) == 0


@given(parameter_sets(), staffs(), st.floats(0.0, 1000.0))
def test_a_contact_reaches_a_peers_weight_at_so_many_hours_of_the_whole_staff_and_no_more(values, staff, more):
    _, teachers, team = staff
    enough = values["contact_hours"] * teachers / team
    par = parameter_record(values)
    per_hour = rules.contact_per_hour(par, team, teachers)
    assert rules.contact_weight(enough, per_hour) == pytest.approx(1.0, rel=1e-14)
    assert rules.contact_weight(enough * 1.001 + more, per_hour) == 1.0
    assert rules.contact_weight(enough / 4.0, per_hour) == pytest.approx(0.25, rel=1e-14)


@given(SHARES, SHARES, st.floats(0.0, 1.0), st.floats(1.0, 20.0))
def test_a_contact_that_does_not_use_the_practice_lowers_exposure_only_where_attention_is_shared(peers, peer_weight, met, weight):
    added, without = (rules.exposure(ADD, peers, peer_weight, met, w) for w in (met + weight, met))
    assert added == without
    shared, before = (rules.exposure(SHARE, peers, peer_weight, met, w) for w in (met + weight, met))
    assert shared <= before <= max(peers, 1.0)


@given(parameter_sets(), st.floats(1.0, 1000.0), SHARES)
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


@given(SHARES, QUANTITIES["openness"], SHARES, SHARES)
def test_bass_limit_is_the_bass_rule(share, openness, exposure, p):
    # gamma = 1, readiness 1, no colleagues, no mentoring: 1 - (1 - p openness)(1 - q_out E).
    par = parameter_record({"gamma": 1.0, "readiness_floor": 1.0, "q_in": 0.0, "p": p, "q_out": share})
    ready = rules.readiness(par, 0.3, 1.0)
    chance = rules.adoption_chance(par, ready, openness, 0.0, 0.7, rules.social_influence(par, exposure), 0.0)
    assert chance == pytest.approx(1.0 - (1.0 - p * openness) * (1.0 - share * exposure), abs=1e-15)
