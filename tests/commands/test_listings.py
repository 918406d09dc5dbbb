"""`run.py parameters`, `schema`, `new` and `validate`: what they print is what the other commands take."""

import json

import pytest
from jsonschema import Draft202012Validator

from school_mentoring.experiments.notes import assumed_figures
from school_mentoring.model.parameters import TABLE, parameters_in
from school_mentoring.model.world.countries import PILOT
from school_mentoring.scenarios import load_scenario, resolved
from school_mentoring.scenarios.yaml_file import read_yaml

from .program import SMALL, assert_intact, succeed

# --- parameters ------------------------------------------------------------------------------------------------------


def test_parameters_lists_every_parameter_with_its_base_meaning_and_source(tmp_path):
    listed = succeed("parameters", cwd=tmp_path).out
    flat = " ".join(listed.split())
    for name, row in TABLE.items():
        assert f"{name} {row.base:g} ({row.low:g} to {row.high:g}; {row.unit};" in flat
        assert " ".join(row.meaning.split()) in flat
        assert " ".join(f"{row.kind}: {row.source}".split())[:60] in flat
    assert max(map(len, listed.splitlines())) <= 100


def test_parameters_as_json_is_one_document(tmp_path):
    rows = json.loads(succeed("parameters", "--json", cwd=tmp_path).out)
    assert {row["name"]: row["base"] for row in rows} == {name: row.base for name, row in TABLE.items()}


def test_parameters_of_a_scenario_and_a_group(tmp_path):
    (tmp_path / "mine.yaml").write_text("designs: [virtual]\nparameters: {km_rate: 0.77}\n", encoding="utf-8")
    rows = json.loads(succeed("parameters", "mine.yaml", "--group", "cost", "--json", cwd=tmp_path).out)
    assert {row["name"] for row in rows} == {name for name, row in parameters_in(PILOT).items() if row.group == "cost"}
    assert next(row["base"] for row in rows if row["name"] == "km_rate") == 0.77


# --- schema ----------------------------------------------------------------------------------------------------------


def test_schema_is_a_json_schema_that_takes_good_scenarios_and_no_bad_ones(tmp_path):
    schema = json.loads(succeed("schema", cwd=tmp_path).out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    validator.validate({"extends": "mensi-pilot"})
    validator.validate({"name": "mine", "designs": {"virtual": None}, "months": 12})
    for bad in ({"moths": 12}, {"designs": ["virtual"], "months": "many"}, {"designs": ["virtual"], "months": 0}, []):
        assert not validator.is_valid(bad)


# --- new -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    done = succeed("new", "my-study", "--out", "à moi", cwd=folder)
    assert done.out == "à moi/my-study.yaml: edit it, then run.py compare à moi/my-study.yaml\n"
    return folder / "à moi" / "my-study.yaml"


def test_a_new_scenario_satisfies_the_schema(template, tmp_path):
    Draft202012Validator(json.loads(succeed("schema", cwd=tmp_path).out)).validate(read_yaml(template).values)


def test_a_new_scenario_is_valid(template):
    done = succeed("validate", "my-study.yaml", cwd=template.parent)
    assumed = assumed_figures(load_scenario("mensi-pilot").country_list())
    assert assumed.startswith("taught_hours of HR; working_hours of BE-VLG, HR, IT (")
    assert done.out == f"my-study.yaml: scenario my-study, 8 designs, 480 schools, 72 months; no figures found: {assumed}\n"


def test_a_new_scenario_can_be_compared(template, tmp_path):
    out = tmp_path / "study"
    succeed(
        "compare", "my-study.yaml", *SMALL, "--replicates", "2", "--months", "14", "--designs", "virtual", "--out", out, cwd=template.parent
    )
    assert_intact(out)
    study = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert study["scenario"]["name"] == "my-study"
    assert study["scenario"]["parameters"] == resolved(load_scenario(template))["parameters"]


# --- validate --------------------------------------------------------------------------------------------------------


def test_validate_says_what_each_kind_of_file_holds_in_the_order_given(tmp_path):
    (tmp_path / "ties.csv").write_text("source;target;kind\nA;B;\nB;C;peer\nA;C;mentoring\n", encoding="utf-8-sig")
    (tmp_path / "schools.csv").write_text("school_id,teachers,country\nA,10,IT\nB,12,IT\nC,,IT\n", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("name: mine\ndesigns: [virtual]\nworld: {schools: schools.csv}\nmonths: 9\n", encoding="utf-8")
    found = succeed("validate", "ties.csv", "mine.yaml", "schools.csv", cwd=tmp_path).out.splitlines()
    assert found[0] == "ties.csv: 2 peer ties, 1 mentoring tie"
    assert found[1].startswith("mine.yaml: scenario mine, 1 designs, 3 schools, 9 months")
    assert found[2].startswith("schools.csv: 3 schools in 1 country")
    assert "blank cells drawn in: teachers" in found[2]
    assert len(found) == 3
    document = json.loads(succeed("validate", "ties.csv", "mine.yaml", "schools.csv", "--json", cwd=tmp_path).out)
    assert document == {"valid": True, "files": dict(zip(["ties.csv", "mine.yaml", "schools.csv"], found, strict=True)), "notices": {}}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "schools.csv", "ties.csv"]


def test_validate_takes_a_shipped_scenario_by_name(tmp_path):
    assert succeed("validate", "mensi-pilot", cwd=tmp_path).out.startswith("mensi-pilot: scenario mensi-pilot, 8 designs, 480 schools")


# --- no command ------------------------------------------------------------------------------------------------------


def test_without_a_command_the_program_lists_its_commands(tmp_path):
    assert succeed(cwd=tmp_path).out == succeed("--help", cwd=tmp_path).out
