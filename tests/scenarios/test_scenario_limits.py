"""Limits: messages name both bounds of a number, whatever a scenario may hold can be written and read, and reading stays quick."""

from time import process_time

import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import CountryEntry, Funding, Practice, Scenario, WorldSpec, dump_yaml, load_scenario, scenario_from
from school_mentoring.scenarios.schema import MAX_DESIGNS, MAX_SCHOOLS
from school_mentoring.scenarios.yaml_file import MAX_BYTES, read_yaml
from tests.commands.program import python

BOUNDS = {
    "seed": (-1, "0 to 18446744073709551615"),
    "months": (1201, "1 to 1200"),
    "replicates": (1e300, "1 to 1000000"),
    "worlds": (0, "1 to 10000"),
    "programme.last_month": (1201, "0 to 1200"),
    "world.schools_per_region": (100_001, "1 to 100000"),
    "practices[0].difficulty": (0, "above 0, at most 1000"),
    "practices[0].initial_share": (2, "0 to 1"),
    "world.countries[0].regions": (0, "1 to 10000"),
    "world.countries[0].teacher_salary_eur_per_year": (1e7, "above 0, at most 1000000"),
    "world.countries[0].taught_hours": (0, "1 to 8760"),
    "world.countries[0].working_hours": (9000, "1 to 8760"),
    "designs.virtual.places": (10**400, "1 to 100 (mentees per mentor)"),
}


@pytest.mark.parametrize("field", BOUNDS)
def test_a_number_out_of_range_is_told_both_bounds(field):
    value, allowed = BOUNDS[field]
    section, _, key = field.rpartition(".")
    sections = {
        "": {key: value},
        "programme": {"programme": {key: value}},
        "world": {"world": {key: value}},
        "practices[0]": {"practices": [{"name": "quizzes", key: value}]},
        "world.countries[0]": {"world": {"countries": [{"code": "IT", key: value}]}},
        "designs.virtual": {"designs": {"virtual": {key: value}}},
    }
    with pytest.raises(InputError) as error:
        scenario_from({"name": "x", "designs": ["virtual"], **sections[section]}, "study.json")
    assert str(error.value).startswith(f"study.json, {field}: ")
    assert str(error.value).endswith(f" is out of range; allowed: {allowed}")


def test_every_bounded_number_has_two_bounds():
    """So that no message leaves one side open."""
    numbers = [field for part in (Scenario, Funding, WorldSpec, CountryEntry, Practice) for field in part.model_fields.values()]
    limits = [{kind for rule in field.metadata for kind in ("ge", "gt", "le") if hasattr(rule, kind)} for field in numbers]
    assert all(kinds in (set(), {"ge", "le"}, {"gt", "le"}) for kinds in limits)


def test_twenty_million_schools_are_allowed_and_no_more():
    world = {"countries": ["IT"], "regions_per_country": 200, "schools_per_region": 100_000}
    scenario = scenario_from({"name": "x", "designs": ["virtual"], "world": world}, "study.json")
    assert sum(scenario.regions()) * scenario.world.schools_per_region == MAX_SCHOOLS
    with pytest.raises(InputError, match="20100000 schools in all are too many; allowed: 20000000"):
        scenario_from({"name": "x", "designs": ["virtual"], "world": {**world, "regions_per_country": 201}}, "study.json")


def test_the_most_designs_in_the_most_countries_can_be_written_and_read(tmp_path):
    text = {"name": "x" * 60, "title": "t" * 200, "description": "d" * 10_000}
    designs = {f"{'d' * 36}{number:04}": {"preset": "regional_hub", "fte": 1 / 3} for number in range(MAX_DESIGNS)}
    countries = [{"code": f"X{number:09}", "name": "n" * 80, "rural": 1 / 3} for number in range(100)]
    practices = [{"name": f"{'p' * 38}{number:02}", "weight": 1 / 3} for number in range(16)]
    scenario = scenario_from({**text, "designs": designs, "practices": practices, "world": {"countries": countries}}, "study.json")
    file = tmp_path / "large.yaml"
    file.write_text(dump_yaml(scenario), encoding="utf-8")
    assert file.stat().st_size > MAX_BYTES / 2
    assert load_scenario(file) == scenario
    with pytest.raises(InputError, match=f"too long; allowed: {MAX_DESIGNS} items"):
        scenario_from({"name": "x", "designs": {f"d{number}": {"preset": "virtual"} for number in range(MAX_DESIGNS + 1)}}, "study.json")


def test_the_largest_file_is_read_and_one_byte_more_is_not(tmp_path):
    file = tmp_path / "study.yaml"
    head = "designs: [virtual]\n#"
    file.write_text(head + "x" * (MAX_BYTES - len(head)), encoding="utf-8")
    assert read_yaml(file).values == {"designs": ["virtual"]}
    file.write_text(head + "x" * (MAX_BYTES - len(head) + 1), encoding="utf-8")
    with pytest.raises(InputError, match="larger than 384 KiB"):
        read_yaml(file)


def test_a_hostile_file_takes_seconds(tmp_path):
    """The slowest kind known, many short pairs in one list, takes 3 s of processor time; a parser that is not linear would take minutes."""
    file = tmp_path / "study.yaml"
    file.write_text("a: [" + "a: b," * ((MAX_BYTES - 10) // 5) + "]\n", encoding="utf-8")
    start = process_time()
    assert len(read_yaml(file).values["a"]) == (MAX_BYTES - 10) // 5
    assert process_time() - start < 60


def test_importing_scenarios_loads_no_compiler():
    """So that `--help` and a mistyped scenario answer at once."""
    heavy = {"numba", "scipy", "pandas", "networkx", "mesa", "matplotlib"}
    assert python(f"import sys, school_mentoring.scenarios; print({heavy} & set(sys.modules))") == "set()\n"
