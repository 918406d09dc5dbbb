"""Loading: inheritance, assignments, options, and what is filled in."""

import math

import pytest

from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import PARAMETERS, parameters_in
from school_mentoring.model.world.arrays import ADD, SHARE
from school_mentoring.model.world.countries import COUNTRIES, PILOT
from school_mentoring.model.world.structure import Structure
from school_mentoring.scenarios import load_scenario, resolved


@pytest.fixture
def write(tmp_path):
    def write(text, name="study.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_smallest_scenario_is_filled_from_tables(write):
    scenario = load_scenario(write("designs: [virtual]\n"))
    assert scenario.name == "study"
    assert scenario.designs == {"virtual": PRESETS["virtual"]}
    assert scenario.uncertain_parameters() == {name: row for name, row in parameters_in(PILOT).items() if row.low < row.high}
    assert scenario.practice_arrays().weight.tolist() == [1.0]
    assert len(resolved(scenario)["parameters"]) == len(parameters_in(PILOT))


def test_practice_weights_are_normalised(write):
    text = "designs: [none]\npractices:\n  - {name: quizzes, weight: 3}\n  - {name: video, difficulty: 2, initial_share: 0.1}\n"
    practices = load_scenario(write(text)).practice_arrays()
    assert practices.weight.tolist() == [0.75, 0.25]
    assert practices.difficulty.tolist() == [1.0, 2.0]
    assert practices.initial_share.tolist() == [-1.0, 0.1]


def test_norway_is_a_country_and_small_numbers_are_numbers(write):
    scenario = load_scenario(write("designs: [none]\nworld: {countries: [{code: NO, rural: 5e-1}]}\nparameters: {p: 1e-3}\n"))
    assert scenario.country_list()[0].code == "NO"
    assert scenario.world.countries[0].rural == 0.5
    assert "rural" not in scenario.world.countries[0].assumed
    assert scenario.base_parameters()["p"] == 0.001


def test_known_country_keeps_its_figures_where_none_is_stated(write):
    scenario = load_scenario(
        write("designs: [none]\nworld: {countries: [{code: HR, teacher_salary_eur_per_year: 1, regions: 2, taught_hours: 650}, IT]}\n")
    )
    croatia = scenario.country_list()[0]
    assert (croatia.teacher_salary_eur_per_year, croatia.schools_primary) == (1.0, 880)
    assert scenario.regions() == (2, 4)
    assert scenario.world.countries[0].assumed == ("working_hours",)  # nobody found it, and the scenario does not state it


def test_structural_choices_and_hours_of_countries_reach_the_world(write):
    countries = "[IT, {code: CZ, taught_hours: 650, working_hours: 1700}]"
    choices = "contacts: share, mentored: whole_staff, online_hours: fading"
    scenario = load_scenario(write(f"designs: [none]\nworld: {{countries: {countries}, {choices}}}\n"))
    world, _ = Worlds(scenario).get(scenario.base_parameters(), 0)
    assert (world.contacts, world.whole_staff, world.fading) == (SHARE, True, True)
    assert world.taught_hours.tolist() == [COUNTRIES["IT"].taught_hours, 650.0]
    assert world.working_hours.tolist() == [COUNTRIES["IT"].working_hours, 1700.0]
    base = load_scenario(write("designs: [none]\n"))
    world, _ = Worlds(base).get(base.base_parameters(), 0)
    assert (world.contacts, world.whole_staff, world.fading) == (ADD, False, False)


def test_base_beyond_the_plausible_range_carries_the_end_with_it(write):
    scenario = load_scenario(write("designs: [none]\nparameters: {p: {base: 0.5}, q_in: {low: 0.06, distribution: uniform}}\n"))
    assert (scenario.parameters["p"].low, scenario.parameters["p"].base, scenario.parameters["p"].high) == (PARAMETERS["p"].low, 0.5, 0.5)
    q_in = scenario.uncertain_parameters()["q_in"]
    assert (q_in.low, q_in.base, q_in.high, q_in.distribution) == (0.06, PARAMETERS["q_in"].base, PARAMETERS["q_in"].high, "uniform")


def test_a_scenarios_own_range_is_no_evidence(write):
    varied = load_scenario(write("name: mine\ndesigns: [none]\nparameters: {km_rate: {base: 0.4}}\nuncertain: [km_rate, cover_share]\n"))
    rows = varied.uncertain_parameters()
    assert (rows["km_rate"].kind, rows["km_rate"].source) == ("assumption", "stated by scenario mine")
    assert rows["cover_share"] is PARAMETERS["cover_share"]


def test_a_fixed_parameter_is_not_uncertain(write):
    scenario = load_scenario(write("designs: [none]\nparameters: {p: {low: 0.003, high: 0.003}}\nuncertain: [p, network]\n"))
    assert "p" not in scenario.uncertain_parameters()
    assert set(scenario.uncertain_parameters()) == {name for name, row in PARAMETERS.items() if row.group == "network"}


FIXED = ("parameters: {p: 0.004}\n", []), ("", ["p=0.004"]), ("parameters: {p: {base: 0.002, low: 0.001, high: 0.006}}\n", ["p=0.004"])


@pytest.mark.parametrize(("stated", "sets"), FIXED)
def test_a_single_value_is_the_value_of_every_run_and_no_range(write, stated, sets):
    scenario = load_scenario(write(f"designs: [none]\n{stated}"), sets)
    assert scenario.fixed_parameters() == {"p": 0.004}
    assert scenario.base_parameters()["p"] == 0.004
    assert "p" not in scenario.uncertain_parameters()


RANGES = {
    "p=0.0005:0.0015": (0.0005, 0.0008, 0.0015),  # the table's base lies between
    "p=0.01:0.03": (0.01, 0.02, 0.03),  # and here not, so the base is the middle
    "consideration_set=60:81": (60, 70, 81),
}


@pytest.mark.parametrize("given", RANGES)
@pytest.mark.parametrize("below", ["", "parameters: {p: {base: 0.0008}, consideration_set: {low: 2}}\n", "parameters: {p: 0.0008}\n"])
def test_a_range_may_be_set_and_keeps_the_base_that_lies_within(write, given, below):
    name = given.partition("=")[0]
    row = load_scenario(write(f"designs: [none]\n{below}"), [given]).uncertain_parameters()[name]
    assert (row.low, row.base, row.high) == RANGES[given]


def test_child_states_only_what_differs(write):
    write(
        "title: parent\nmonths: 60\nprogramme: {first_month: 3}\nparameters: {p: {low: 0.001, high: 0.004}, d: 0.02}\n"
        "designs: {virtual: , hub: {preset: regional_hub, fte: 2}}\n",
        "parent.yaml",
    )
    child = load_scenario(
        write("extends: parent.yaml\nprogramme: {last_month: 20}\nparameters: {p: {base: 0.01}}\ndesigns: {hub: {stipend: 9}}\n")
    )
    assert (child.name, child.title, child.months) == ("study", "", 60)
    assert (child.programme.first_month, child.programme.last_month) == (3, 20)
    assert (child.parameters["p"].low, child.parameters["p"].base, child.parameters["p"].high) == (0.001, 0.01, 0.01)
    assert child.parameters["d"].base == 0.02
    assert list(child.designs) == ["virtual", "hub"]
    assert (child.designs["hub"].fte, child.designs["hub"].stipend) == (2.0, 9.0)


def test_child_keeps_the_designs_it_lists(write):
    write("designs: {virtual: {fte: 3}, top_down: , hub: {preset: regional_hub}}\n", "parent.yaml")
    child = load_scenario(write("extends: parent.yaml\ndesigns: [hub, virtual, outreach]\n"))
    assert list(child.designs) == ["hub", "virtual", "outreach"]
    assert child.designs["virtual"].fte == 3


def test_child_that_states_a_preset_starts_afresh(write):
    write("designs: {hub: {preset: regional_hub, fte: 3}}\n", "parent.yaml")
    child = load_scenario(write("extends: parent.yaml\ndesigns: {hub: {preset: virtual, places: 2}}\n"))
    assert child.designs["hub"] == PRESETS["virtual"].model_copy(update={"places": 2})


def test_child_may_extend_a_written_out_scenario_and_shipped_names(write):
    assert load_scenario(write("extends: mensi-pilot\nparameters:\ndesigns:\n")).designs == load_scenario("mensi-pilot").designs


def test_data_files_are_relative_to_the_file_that_states_them(write, tmp_path):
    write("school_id\n", "data/schools.csv")
    write("designs: [none]\nworld: {schools: schools.csv}\n", "data/parent.yaml")
    child = load_scenario(write("extends: data/parent.yaml\n"))
    assert child.world.schools == str(tmp_path / "data" / "schools.csv")
    assert load_scenario(write("extends: data/parent.yaml\nworld: {schools: null}\n")).world.schools is None


def test_data_files_of_the_command_line_are_relative_to_the_working_directory(write, tmp_path, monkeypatch):
    write("school_id\n", "mine.csv")
    monkeypatch.chdir(tmp_path)
    assert load_scenario("mensi-pilot", schools="mine.csv").world.schools == str(tmp_path / "mine.csv")
    assert load_scenario("mensi-pilot", ["world.ties=mine.csv"]).world.ties == str(tmp_path / "mine.csv")


def test_assignments_reach_parameters_designs_and_the_study():
    sets = [
        "gamma=1 q_in=0",
        "p=1e-2, regional_hub.stipend=3000",
        "world.schools_per_region=10",
        "world.network=nearest, world.update=sequential world.likeness=capacity",
        "world.contacts=share, world.mentored=whole_staff world.online_hours=fading",
        "top_down.mandate=false",
        "months=48",
        "p=0.02",
    ]
    scenario = load_scenario("mensi-pilot", [*sets, "virtual.mentor_share=null"])
    base = scenario.base_parameters()
    assert (base["gamma"], base["q_in"], base["p"]) == (1.0, 0.0, 0.02)
    assert scenario.designs["regional_hub"] == PRESETS["regional_hub"].model_copy(update={"stipend": 3000.0})
    assert scenario.designs["top_down"].mandate is False
    assert scenario.designs["virtual"].mentor_share is None
    assert (scenario.world.schools_per_region, scenario.months) == (10, 48)
    assert scenario.world.structure == Structure("nearest", "sequential", "capacity", "share", "whole_staff", "fading")
    assert load_scenario("mensi-pilot").world.structure == Structure()


def test_options_replace_what_the_file_states():
    scenario = load_scenario("national", ["virtual.fte=5"], seed=2**64 - 1, months=24, replicates=2, designs=["virtual", "hybrid"])
    assert (scenario.seed, scenario.months, scenario.replicates) == (2**64 - 1, 24, 2)
    assert scenario.designs == {"virtual": PRESETS["virtual"].model_copy(update={"fte": 5.0}), "hybrid": PRESETS["hybrid"]}


def test_existing_file_goes_before_a_shipped_name(write, tmp_path, monkeypatch):
    write("designs: [none]\nmonths: 5\n", "mensi-pilot")
    monkeypatch.chdir(tmp_path)
    assert load_scenario("mensi-pilot").months == 5


def test_design_may_be_stated_without_a_preset(write):
    fields = PRESETS["hybrid"].model_dump(exclude={"first_month", "last_month", "mentor_share"})
    text = "designs:\n  mine:\n" + "".join(f"    {name}: {str(value).lower()}\n" for name, value in fields.items())
    assert load_scenario(write(text)).designs["mine"].mentor_share is None


def test_truth_values_of_designs_may_be_0_and_1(write):
    scenario = load_scenario(write("designs: {virtual: {recognition: 0, supply_cover: 1}}\n"))
    assert (scenario.designs["virtual"].recognition, scenario.designs["virtual"].supply_cover) == (False, True)


def test_scenario_cannot_be_changed(write):
    scenario = load_scenario(write("designs: [none]\n"))
    with pytest.raises(ValueError, match="frozen"):
        scenario.months = 3


def test_number_that_python_cannot_hold_is_refused(write):
    with pytest.raises(InputError, match="line 2"):
        load_scenario(write(f"designs: [none]\nparameters: {{p: {'9' * 5000}}}\n"))
    with pytest.raises(InputError, match="replicates"):
        load_scenario("mensi-pilot", replicates=10**400)
    with pytest.raises(InputError, match="months"):
        load_scenario("mensi-pilot", months=math.nan)
