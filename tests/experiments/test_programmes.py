"""What commands make of programmes besides running them: what is said of those probably not meant, and what does not take them."""

import pytest

from school_mentoring.experiments.calibration.calibrate import CalibrationOptions, problem_of
from school_mentoring.experiments.check import notices_of
from school_mentoring.experiments.variables import parse_variable, variable_names
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import scenario_from

GATE = {"outcome": "mentee_share", "at_least": 0.25, "survey": 30}


def scenario_of(design, **stated):
    return scenario_from({"name": "x", "designs": {"x": design, "virtual": None}, **stated}, "study.json")


def phases(*stated):
    return {"phases": [{"months": months, "design": design, **more} for months, design, more in stated]}


NOTICES = {
    "a phase between two rounds": (
        phases((12, "regional_hub", {}), (5, "virtual", {}), (7, "regional_hub", {})),
        ["phase x.phases.2 recruits nobody: no yearly round, 6 months or more before the programme's end, is in its months"],
    ),
    "a last phase shorter than half a year": (
        phases((12, "regional_hub", {}), (5, "virtual", {})),
        ["phase x.phases.1 recruits nobody: no yearly round, 6 months or more before the programme's end, is in its months"],
    ),
    "a phase that does nothing": (
        phases((12, "regional_hub", {}), (12, "none", {})),
        ["phase x.phases.1 recruits nobody, as its recruitment is none, and reaches nobody else"],
    ),
    "more schools asked than were mentored": (
        phases((12, "regional_hub", {"cascade": 0}), (12, "virtual", {"if": {**GATE, "survey": 97}})),
        ["x.phases.1 asks 97 schools, and at most 96 were mentored before; all of these are asked"],
    ),
    "more schools asked than there are": (
        {"by_country": {"IT": phases((12, "bottom_up", {}), (12, "virtual", {"if": {**GATE, "survey": 81}})), "others": "none"}},
        ["x.by_country.IT.phases.1 asks 81 schools, and at most 80 were mentored before; all of these are asked"],
    ),
    "places reserved for nobody": (
        phases((24, "virtual", {"reserve": 0.5})),
        ["design x.phases.0 reserves no places: target is none and reserve is 0.5; give both"],
    ),
    "funding beyond the scenario's window": (
        phases((30, "virtual", {})),
        ["design x is funded to month 36, and what tables tell of the end of funding is of month 34"],
    ),
    "a country's design that is funded too shortly": (
        {"by_country": {"IT": {"design": "virtual", "first_month": 30}, "others": "none"}},
        ["design x.by_country.IT recruits nobody: it needs 6 months of funding and has 4"],
    ),
    "as many as were mentored": (phases((12, "regional_hub", {"cascade": 0}), (12, "virtual", {"if": {**GATE, "survey": 96}})), []),
    "a campaign first": (phases((12, "outreach", {}), (12, "virtual", {})), []),
    "a late round where nobody coordinates": (phases((12, "regional_hub", {}), (3, "bottom_up", {})), []),
}


@pytest.mark.parametrize("case", NOTICES)
def test_what_of_a_programme_is_probably_not_meant_is_said(case):
    design, said = NOTICES[case]
    assert list(notices_of(scenario_of(design))) == said


def test_fields_of_programmes_do_not_vary():
    scenario = scenario_of(phases((12, "virtual", {})))
    assert not any(name.startswith("x.") for name in variable_names(scenario))
    assert "virtual.fte" in variable_names(scenario)
    with pytest.raises(InputError) as error:
        parse_variable("x.phases.0.tie_months=12:24", scenario)
    assert str(error.value) == (
        "--vary x.phases.0.tie_months=12:24: x is a programme of phases or places, whose fields do not vary; "
        "allowed: a programme of its own for each value, or fields of plain designs"
    )


def test_a_pilot_was_run_by_a_plain_design(tmp_path):
    scenario = scenario_from({"name": "x", "designs": {"x": phases((12, "virtual", {}))}}, "study.json")
    with pytest.raises(
        InputError, match="design x: is a programme of phases or places; allowed: plain designs, which --designs may choose"
    ):
        problem_of(scenario, tmp_path / "observations.csv", CalibrationOptions())


def test_a_place_without_own_schools_is_refused(tmp_path):
    table = tmp_path / "schools.csv"
    table.write_text("school_id,country,region\n" + "".join(f"{k},FR,Alpes\n" for k in range(9)), encoding="utf-8")
    own = {"world": {"schools": str(table), "countries": ["FR", "IT"]}}
    for kind, place in (("by_region", "Alpes"), ("by_country", "FR"), ("by_country", "IT")):
        scenario = scenario_of({kind: {place: "virtual", "others": "none"}}, **own)
        assert Worlds(scenario).get(scenario.base_parameters(), 0)
    scenario = scenario_of({"by_region": {"Alps": "virtual", "others": "none"}}, **own)
    with pytest.raises(InputError) as error:
        Worlds(scenario).get(scenario.base_parameters(), 0)
    assert str(error.value) == "designs.x.by_region.Alps: no school is there; did you mean 'Alpes'?"
