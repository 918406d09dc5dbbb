"""The shipped scenarios load, agree with the schema for editors, and hold the layouts they claim to mirror."""

import csv
import json
from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest
from jsonschema import Draft202012Validator

from school_mentoring import scenarios
from school_mentoring.experiments.notes import assumed_figures
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.parameters import parameters_in, row_of
from school_mentoring.model.world.countries import COUNTRIES, PILOT
from school_mentoring.scenarios import dump_yaml, json_schema, load_scenario, resolved, scenario_from, shipped_scenarios, template
from school_mentoring.scenarios.yaml_file import read_yaml

FOLDER = Path(scenarios.__file__).parent


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenario_agrees_with_the_json_schema(name, validator):
    validator.validate(read_yaml(FOLDER / f"{name}.yaml").values)
    validator.validate(resolved(load_scenario(name)))


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenario_survives_being_written_out(name, tmp_path):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario_from(json.loads(json.dumps(resolved(scenario))), "study.json") == scenario
    written = tmp_path / "written.yaml"
    written.write_text(dump_yaml(scenario), encoding="utf-8")
    assert load_scenario(written) == scenario


def test_pilot_has_24_clusters_of_five_in_480_schools_and_all_presets():
    pilot = load_scenario("mensi-pilot")
    schools = sum(pilot.regions()) * pilot.world.schools_per_region
    assert schools == 480
    assert tuple(country.code for country in pilot.world.countries) == PILOT
    assert pilot.designs == dict(PRESETS)
    assert schools * pilot.designs["regional_hub"].mentor_share == 24
    assert (pilot.programme.first_month, pilot.programme.last_month, pilot.months) == (6, 34, 72)
    assert pilot.base_parameters() == {name: row.base for name, row in parameters_in(PILOT).items()}


def test_pilot_only_has_one_mentor_in_five_wherever_there_is_a_quota():
    only = load_scenario("mensi-pilot-only")
    assert sum(only.regions()) * only.world.schools_per_region == 120
    quotas = {name: design.mentor_share for name, design in only.designs.items() if design.mentor_share}
    assert quotas == dict.fromkeys(("top_down", "regional_hub", "virtual", "hybrid", "specialist"), 0.2)
    assert only.title != load_scenario("mensi-pilot").title


def test_living_schools_lab_lists_two_advanced_and_five_practitioner_schools_per_country():
    lab = load_scenario("living-schools-lab")
    with Path(lab.world.schools).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["country"] for row in rows} == {country.code for country in lab.world.countries}
    for code in ("AT", "NO", "GB-ENG"):
        kinds = Counter((row["role"], row["level"]) for row in rows if row["country"] == code)
        assert kinds == {("mentor", "primary"): 1, ("mentor", "secondary"): 1, ("mentee", "primary"): 2, ("mentee", "secondary"): 3}
    assert len(rows) == 84
    assert lab.programme.last_month - lab.programme.first_month == 24


def test_living_schools_lab_says_that_the_salary_of_one_country_is_a_mean():
    lab = load_scenario("living-schools-lab")
    without = {country.code: country for country in lab.world.countries if "teacher_salary_eur_per_year" in country.assumed}
    found = [country for country in COUNTRIES.values() if "teacher_salary_eur_per_year" not in country.assumed]
    assert set(without) == {"CY"}
    assert without["CY"].teacher_salary_eur_per_year == pytest.approx(fmean(country.teacher_salary_eur_per_year for country in found))
    assert "teacher_salary_eur_per_year of CY; " in assumed_figures(lab.country_list())


def test_lisbon_has_each_school_once_and_every_cluster_one_mentor_with_places_for_its_others():
    lisbon = load_scenario("lisbon")
    with Path(lisbon.world.schools).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["school_id"] for row in rows}) == 1192
    mentees = Counter(row["cluster"] for row in rows if row["role"] == "mentee")
    mentors = Counter(row["cluster"] for row in rows if row["role"] == "mentor")
    assert mentors == dict.fromkeys(mentees, 1)
    assert all(row["cluster"] == f"G{row['school_id']}" for row in rows if row["role"] == "mentor")
    hub = lisbon.designs["regional_hub"]
    assert hub.places == max(mentees.values()) == 11
    assert round(hub.mentor_share * len(rows)) == len(mentors)
    regions = len({row["region"] for row in rows})
    assert hub.fte * regions == pytest.approx(lisbon.designs["top_down"].fte, rel=0.01)
    assert "Open Database License" in Path(lisbon.world.schools).with_name("README.md").read_text(encoding="utf-8")


def test_national_has_about_all_schools_of_the_union_and_equally_many_coordinators_in_each_design():
    national = load_scenario("national")
    regions = national.regions()
    assert 240_000 <= sum(regions) * national.world.schools_per_region <= 250_000
    units = {"hub": sum(regions), "ministry": len(regions), "platform": 1}
    staff = {design.fte * units[design.tier] for name, design in national.designs.items() if name != "none"}
    assert staff == {249.75}
    assert not set(national.uncertain) & {"world", "network"}


def test_the_pilot_as_run_has_an_approach_for_each_country_beside_one_for_all_in_the_world_of_the_pilot():
    pilot, as_run = load_scenario("mensi-pilot"), load_scenario("mensi-as-run")
    assert (as_run.world, as_run.months, as_run.programme) == (pilot.world, pilot.months, pilot.programme)
    tracks = as_run.designs["as_run"].by_country
    assert set(tracks) == {country.code for country in pilot.world.countries}
    assert {code: (one.target, one.reserve) for code, one in tracks.items() if one.reserve} == {
        "IT": ("small", 0.5), "PT": ("rural_or_disadvantaged", 0.5)
    }  # fmt: skip
    plain = {name: design for name, design in as_run.designs.items() if name != "as_run"}
    assert plain == {name: PRESETS[name] for name in plain} and len(plain) > 4


@pytest.mark.parametrize("name", ["my-study", "x", "72"])
def test_template_loads_and_holds_the_defaults(name, tmp_path, validator):
    file = tmp_path / "new.yaml"
    file.write_text(template(name), encoding="utf-8")
    scenario = load_scenario(file)
    assert scenario.name == name
    assert scenario == load_scenario("mensi-pilot").model_copy(update={"name": name, "title": "", "description": ""})
    validator.validate(read_yaml(file).values)


def test_template_comments_are_valid_when_switched_on(tmp_path):
    lines = []
    for line in template("all-on").splitlines():
        key = line.removeprefix("  # ").split(":")[0]
        lines.append(line.replace("  # ", "  ", 1) if row_of(key) else line)
    file = tmp_path / "on.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert load_scenario(file).parameters == load_scenario("mensi-pilot").parameters


def test_the_programmes_of_the_template_are_valid_when_switched_on(tmp_path, validator):
    head, comment, tail = template("all-on").partition("  # piloted")
    lines = (comment + tail).rstrip("\n").split("\n")
    file = tmp_path / "on.yaml"
    file.write_text(head + "\n".join("  " + line.removeprefix("  # ") for line in lines), encoding="utf-8")
    assert list(load_scenario(file).designs)[-2:] == ["piloted", "by_place"]
    validator.validate(read_yaml(file).values)


def test_every_field_for_people_is_described():
    schema = json_schema()
    sections = [schema["properties"], *(section["properties"] for section in schema["$defs"].values())]
    assert [key for section in sections for key, field in section.items() if not field.get("description")] == []
