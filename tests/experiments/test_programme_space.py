"""The space of programmes holds those of its kind, gives one programme for all points that mean the same, and refuses what none may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.experiments.search.aim import Aim, worth_of
from school_mentoring.experiments.search.archive import design_columns, design_key, design_of, key_of
from school_mentoring.experiments.search.design_space import design_space
from school_mentoring.experiments.search.evolve import search_variables
from school_mentoring.experiments.search.panel import Panel
from school_mentoring.experiments.search.programme_space import programme_space
from school_mentoring.model.designs import PRESETS, Design
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.programmes import Programme
from school_mentoring.scenarios import dump_yaml, load_scenario, scenario_from, written

PILOT = load_scenario("mensi-pilot")
SMALL = load_scenario("mensi-pilot", ["world.schools_per_region=4", "world.regions_per_country=1"], months=36)
SPACES = {"two phases": (2, False), "three phases": (3, False), "by country": (1, True), "both": (2, True)}
HUB = {"months": 12, "design": "regional_hub"}


def space_of(name, *narrowed, scenario=PILOT):
    return programme_space(scenario, *SPACES[name], narrowed)


def drawn(space, seed):
    rng = np.random.default_rng(seed)
    return {name: variable.sample(random_state=rng) for name, variable in search_variables(space.variables).items()}


def programme(stated, scenario=PILOT):
    text = {"name": "x", "months": scenario.months, "designs": {"one": stated}}
    return scenario_from(text, "study.json").designs["one"]


def gate(at_least=0.25, survey=30):
    return {"outcome": "mentee_share", "at_least": at_least, "survey": survey}


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_point_means_a_programme_that_a_scenario_may_hold_and_that_means_itself(name, seed):
    space = space_of(name)
    found = space.design(drawn(space, seed))
    assert space.holds(found)
    assert space.design(space.point(found)) == found
    assert programme(written(found)) == found
    (row,) = design_columns([found], True).to_dict("records")
    assert (design_of(row), key_of(row)) == (found, design_key(found))


def test_its_variables_are_those_of_a_plain_design_once_for_each_phase_of_each_place():
    plain = {variable.name: variable for variable in design_space(PILOT).variables}
    for space, starts in (
        (space_of("two phases"), ["phase_1.", "phase_2."]),
        (space_of("by country"), [f"{c}.phase_1." for c in PILOT.country_codes]),
    ):
        names = {variable.name for variable in space.variables}
        assert {start + name for start in starts for name in plain if name != "last_month"} <= names
        rest = names - {start + name for start in starts for name in plain}
        assert {name.rpartition(".")[2] for name in rest} <= {"months", "at_least", "survey"}
        assert not any(name.endswith("phase_1.at_least") for name in rest)


@pytest.mark.parametrize("name", PRESETS)
def test_a_space_of_phases_holds_every_preset_as_a_plain_design(name):
    space = space_of("three phases")
    assert space.holds(PRESETS[name])
    assert isinstance(space.design(space.point(PRESETS[name])), Design)


def test_own_programmes_of_its_kind_are_points_of_it_and_others_are_not():
    phases, places = space_of("two phases"), space_of("both")
    piloted = programme({"phases": [HUB, {**HUB, "places": 8, "if": gate()}]})
    assert phases.holds(piloted)
    assert phases.design(phases.point(piloted)) == piloted
    by_country = programme({"by_country": {"IT": {"phases": [HUB, {"months": 9, "design": "virtual"}]}, "others": "none"}})
    assert places.holds(by_country)
    assert places.design(places.point(by_country)).by_country["IT"] == by_country.by_country["IT"]
    three = programme({"phases": [HUB, {"months": 9, "design": "virtual"}, {"months": 5, "design": "outreach"}]})
    otherwise = programme({"phases": [HUB, {**HUB, "places": 8, "if": gate(), "else": [{"months": 6, "design": "outreach"}]}]})
    by_region = programme({"by_region": {"IT-1": "virtual", "others": "none"}})
    for other in (three, otherwise, by_region, by_country):
        assert not phases.holds(other)
        assert isinstance(phases.design(phases.point(other)), (Design, Programme))  # but it has a nearest point
    assert not places.holds(PRESETS["virtual"])  # each country's schools are matched among themselves


def test_what_means_the_same_is_one_programme():
    space = space_of("two phases")
    point = space.point(programme({"phases": [HUB, {**HUB, "places": 8, "if": gate()}]}))
    whole = space.design({**point, "phase_2.places": 4, "phase_2.at_least": 0.0})
    assert whole == space.design({**space.point(whole), "phase_2.tier": "ministry", "phase_2.stipend": 50.0})  # of no months
    assert isinstance(whole, Design)
    assert whole.last_month == PILOT.programme.first_month + 24
    no_gate = space.design({**point, "phase_2.at_least": -0.2})
    assert no_gate == space.design({**point, "phase_2.at_least": 0.0, "phase_2.survey": 60})
    assert space.design({**point, "phase_1.recruitment": "none"}).phases[1].gate is None  # nothing was seen
    nothing = {name: "none" if name.endswith("recruitment") else 0.0 if name.endswith("outreach") else point[name] for name in point}
    assert space.design(nothing) == PRESETS["none"]


def test_what_is_made_one_gives_the_same_runs():
    """Phases that go on without a change, a stipend before there are mentors, funding after the horizon: no figure differs."""
    panel = Panel(SMALL, 4, 4, 0, threads=1)
    stated = programme({"phases": [{"months": 6, "design": "outreach", "stipend": 500}, HUB, HUB]}, SMALL)
    space = space_of("three phases", scenario=SMALL)
    late = PRESETS["virtual"].model_copy(update={"last_month": 60})
    for design in (stated, late):
        meant = space.design(space.point(design))
        assert meant != design
        first, second = panel.outcomes([design, meant])
        np.testing.assert_array_equal(first, second)


def test_a_later_phase_that_recruits_nobody_keeps_what_it_gives_to_those_mentored_before():
    space = space_of("two phases", scenario=SMALL)
    ending = [programme({"phases": [HUB, {"months": 6, "design": "outreach", "stipend": euros}]}, SMALL) for euros in (0, 500)]
    assert all(space.holds(one) for one in ending)
    first, second = Panel(SMALL, 4, 4, 0, threads=1).outcomes(ending)
    paid = OUTCOMES.index("cost_programme")
    assert (second[:, paid] >= first[:, paid]).all()
    assert (second[:, paid] > first[:, paid]).any()


def test_one_country_alone_has_the_space_of_all_schools():
    alone = scenario_from({"name": "x", "designs": ["virtual"], "world": {"countries": ["IT"]}}, "study.json")
    assert programme_space(alone, 2, True).variables == programme_space(alone, 2, False).variables


def test_a_field_is_narrowed_everywhere_in_a_phase_in_a_country_or_in_both():
    space = space_of("both", "tier=hub", "phase_2.tier=ministry", "IT.phase_2.tier=platform|none", "IT.places=2:3", "months=12:14")
    names = {variable.name for variable in space.variables}
    assert {name for name in names if name.endswith("tier")} == {"IT.phase_2.tier"}
    for seed in range(20):
        point = drawn(space, seed)
        for place, track in space.design(point).by_country.items():
            for k, phase in enumerate(track if isinstance(track, tuple) else (track,)):
                if phase.tier != "none":
                    assert phase.tier == ("hub", "platform" if place == "IT" else "ministry")[k]
                if place == "IT" and phase.recruitment != "none":
                    assert phase.places in (2, 3)
                if isinstance(track, tuple):
                    assert phase.months in (12, 13, 14)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("two phases", "phase_3.tier=hub", "no field of a phase named 'phase_3.tier'"),
        ("two phases", "phase_2.teir=hub", "did you mean 'phase_2.tier'?"),
        ("two phases", "phase_1.at_least=0.2", "no field of a phase named"),
        ("two phases", "last_month=30", "no field of a phase named 'last_month'"),
        ("two phases", "at_least=0.2:1.2", "out of range|allowed: 0 .no gate. to 1"),
        ("two phases", "months=1.5", "whole numbers"),
        ("by country", "XX.tier=hub", "no field of a phase named 'XX.tier'"),
        ("by country", "IT.tier=moon", "is no value"),
        ("by country", "IT.tier", "states no values"),
    ],
)
def test_what_no_phase_may_have_is_refused(name, text, said):
    with pytest.raises(InputError, match=f"--space .*({said.replace('?', '.')})"):
        space_of(name, text)


def test_a_budget_holds_for_all_but_the_share_of_runs_that_may_exceed_it():
    """Ten cells of two designs, worked by hand: of costs 1 to 10 a fifth exceed 8."""
    outcomes = np.zeros((2, 10, len(OUTCOMES)))
    outcomes[0, :, OUTCOMES.index("cost_society")] = np.random.default_rng(0).permutation(np.arange(1.0, 11.0))
    outcomes[1, :, OUTCOMES.index("cost_society")] = 5.0
    nothing = np.zeros((10, len(OUTCOMES)))
    for risk, expected in ((0.0, 10.0), (0.1, 9.0), (0.19, 9.0), (0.2, 8.0), (0.95, 1.0)):
        aim = Aim(budget_risk=risk)
        assert worth_of(outcomes, nothing, aim)[aim.within].tolist() == [expected, 5.0]
    assert worth_of(outcomes, nothing, Aim())[Aim().within].tolist() == [5.5, 5.0]


def test_what_an_aim_does_not_ask_of_programmes_is_not_told():
    assert {"phases", "by_country", "budget_risk"}.isdisjoint(Aim().describe())
    assert Aim(phases=2, budget_risk=0.0).describe().items() >= {"phases": 2, "budget_risk": 0.0}.items()


def test_a_scenario_of_programmes_is_written_and_read_again(tmp_path):
    space = space_of("both")
    designs = {f"found_{seed}": space.design(drawn(space, seed)) for seed in range(20)}
    scenario = PILOT.model_copy(update={"designs": designs})
    file = tmp_path / "designs.yaml"
    file.write_text(dump_yaml(scenario), encoding="utf-8")
    assert load_scenario(file).designs == designs
