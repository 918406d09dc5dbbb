"""What of a design is scaled: whole numbers of clusters, which the model recruits, then places; the intensity of a campaign."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.scaling import ladder_of
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.recruitment import quota
from school_mentoring.scenarios import scenario_from

SMALL = {
    **{"name": "small", "months": 20, "replicates": 4, "draws": 3, "worlds": 2, "programme": {"first_month": 2, "last_month": 16}},
    "world": {"countries": ["IT", "PT"], "regions_per_country": 3, "schools_per_region": 7},
}


@given(st.lists(st.integers(1, 300), min_size=1, max_size=30), st.data())
def test_the_quotas_of_all_regions_come_to_the_clusters_that_a_step_means(regions, data):
    schools = sum(regions)
    ladder = ladder_of(PRESETS["top_down"].model_copy(update={"places": 1}), schools)
    step = data.draw(st.integers(1, ladder.top))
    share = ladder.at(step).mentor_share
    assert sum(quota(share, sum(regions[:k]), here) for k, here in enumerate(regions)) == step


def test_the_model_recruits_as_many_mentors_as_there_are_clusters():
    steps = (1, 3, 5, 8)
    ladder = ladder_of(PRESETS["top_down"], 42)
    designs = {f"d{step}": ladder.at(step) for step in steps}
    scenario = scenario_from({**SMALL, "designs": {name: design.model_dump() for name, design in designs.items()}}, "here")
    runs = run_ensemble(scenario, [{}], scenario.replicates, worlds=Worlds(scenario)).runs
    for step in steps:
        assert (runs.loc[runs["design"] == f"d{step}", "mentor_schools"] == step).all()


def test_assigned_clusters_end_where_no_schools_are_left():
    ladder = ladder_of(PRESETS["top_down"], 480)
    assert (ladder.top, ladder.own, ladder.unit) == (480 // 5, 24, "cluster")
    assert ladder.at(24).model_dump() == {**PRESETS["top_down"].model_dump(), "mentor_share": 24 / 480}
    many = PRESETS["top_down"].model_copy(update={"mentor_share": 0.3})
    assert ladder_of(many, 480).top == 144


def test_volunteers_go_on_to_all_who_volunteer_and_then_to_more_places():
    ladder = ladder_of(PRESETS["bottom_up"], 100)
    assert ladder.own == ladder.whole == 51
    assert [ladder.at(step).mentor_share for step in (1, 50, 51, 53)] == [0.01, 0.5, None, None]
    assert [ladder.at(step).places for step in (1, 51, 52, ladder.top)] == [3, 3, 4, 12]
    assert ladder_of(PRESETS["virtual"], 100).own == 5


def test_a_campaign_without_mentors_is_scaled_by_its_intensity():
    ladder = ladder_of(PRESETS["outreach"], 100)
    assert (ladder.top, ladder.own, ladder.unit, ladder.at(7).outreach) == (100, 100, "campaign", 0.07)


@pytest.mark.parametrize("name", ["none", "top_down"])
def test_what_cannot_be_scaled_has_no_steps_and_says_why(name):
    ladder = ladder_of(PRESETS[name], 100, named=True)
    assert (ladder.top, ladder.unit) == (0, "") and ladder.limit
    assert ladder.at(0) == PRESETS[name]
    assert ladder_of(PRESETS["virtual"], 100, named=True).top > 0


def test_all_quotas_of_a_programme_grow_together():
    phases = [{"months": 12, "design": "regional_hub", "mentor_share": 0.02}, {"months": 12, "design": "virtual", "mentor_share": 0.05}]
    designs = {"two": {"phases": phases}, "places": {"by_country": {"IT": "regional_hub", "others": "outreach"}}}
    programmes = scenario_from({**SMALL, "months": 40, "designs": designs}, "here").designs
    ladder = ladder_of(programmes["two"], 200)
    assert (ladder.unit, ladder.own) == ("cluster", 10)
    assert [phase.mentor_share for phase in ladder.at(20).phases] == pytest.approx([0.04, 0.1])
    assert ladder.at(10) == programmes["two"]
    fullest = max(phase.mentor_share * (1 + phase.places) for phase in ladder.at(ladder.top).phases)
    assert 1.0 - 1 / ladder.top < fullest <= 1.0
    half = ladder_of(programmes["places"], 200).at(5).by_country
    assert (
        half["IT"].mentor_share == pytest.approx(5 / 200)
        and half["others"].mentor_share == programmes["places"].by_country["others"].mentor_share
    )
