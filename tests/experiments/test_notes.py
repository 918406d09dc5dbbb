"""What studies say besides results: figures that were filled in, and how parameters vary."""

from school_mentoring.experiments.compare import notes_on
from school_mentoring.experiments.notes import notes_on_draws
from school_mentoring.experiments.simulate import simulate
from school_mentoring.experiments.variables import uncertain_variables
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.scenarios import anchored, load_scenario


def notes(scenario):
    return notes_on_draws(scenario, uncertain_variables(scenario), scenario.draws)


PILOT = load_scenario("mensi-pilot")


def test_figures_that_were_filled_in_are_those_of_the_countries_that_the_schools_are_in(tmp_path):
    path = tmp_path / "schools.csv"
    path.write_text("school_id,country\n" + "".join(f"s{k},CY\n" for k in range(8)), encoding="utf-8")
    scenario = load_scenario("mensi-pilot", schools=path)
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    (said,) = (note for note in notes_on(scenario, schools) if note.startswith("No figures found"))
    assert "teacher_salary_eur_per_year of CY; " in said and "HR" not in said


def test_a_simulation_at_the_base_parameters_says_of_no_parameter_that_it_varies():
    scenario = load_scenario("mensi-pilot", ["world.schools_per_region=2"])
    assert any("vary together" in note for note in notes(scenario))
    assert not any("vary together" in note for note in simulate(load_scenario(scenario, designs=["none"])).notes)


def test_the_note_on_draws_names_the_structure_only_where_it_varies_and_says_where_draws_repeat():
    costs = notes(PILOT.model_copy(update={"uncertain": ("cost",)}))
    structure = notes(PILOT.model_copy(update={"uncertain": ("structure",)}))
    assert costs[0].startswith("Uncertain parameters vary together") and structure[0].startswith("The structure varies")
    many = load_scenario("mensi-pilot", [f"draws={len(anchored().draws) + 1}"])
    assert any("more than once" in note for note in notes(many))
    assert not any("more than once" in note for note in costs)
