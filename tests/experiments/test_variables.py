"""Every form of ``--vary``, the words of its errors, and tables of a user's own sets."""

from pathlib import Path

import pytest

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.sensitivity.design import base_value
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.experiments.variables import chosen_variables, parse_variable, read_table, uncertain_variables
from school_mentoring.model.designs import CHOICES, NO_QUOTA
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario
from tests.experiments.sweeps import small

SMALL = small()
CASES = Path(__file__).parents[1] / "world" / "cases"


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("gamma=0.5:1.5", Variable("gamma", 0.5, 1.0, 1.5, "uniform")),
        (" gamma =0.5: 1.5:pert", Variable("gamma", 0.5, 1.0, 1.5, "pert")),
        ("gamma=0.5:1.5:triangular", Variable("gamma", 0.5, 1.0, 1.5, "triangular")),
        ("gamma=0.5:2:loguniform", Variable("gamma", 0.5, 1.25, 2.0, "loguniform")),
        ("gamma=0.7", Variable("gamma", choices=(0.7,))),
        ("gamma=0.7|1.1", Variable("gamma", choices=(0.7, 1.1))),
        ("top_down.scope=region|peers", Variable("top_down.scope", choices=("region", "peers"))),
        ("top_down.scope", Variable("top_down.scope", choices=CHOICES["scope"])),
        ("top_down.mentor_share=none|0.1", Variable("top_down.mentor_share", choices=(NO_QUOTA, 0.1))),
        ("top_down.mentor_share=0.1:0.3", Variable("top_down.mentor_share", 0.1, 0.2, 0.3)),
        ("top_down.places=2:6", Variable("top_down.places", 2.0, 4.0, 6.0, "integer")),
        ("top_down.places", Variable("top_down.places", 1.0, 6.5, 12.0, "integer")),
        ("top_down.mandate=0|1", Variable("top_down.mandate", choices=(0.0, 1.0))),
        ("world.schools_per_region=1:5", Variable("world.schools_per_region", 1.0, 3.0, 5.0, "integer")),
        ("world.regions_per_country=2|3", Variable("world.regions_per_country", choices=(2.0, 3.0))),
        ("world.network=nearest|small_world", Variable("world.network", choices=("nearest", "small_world"))),
        ("world.update", Variable("world.update", choices=("synchronous", "sequential"))),
    ],
)
def test_forms_of_vary(text, variable):
    assert parse_variable(text, SMALL) == variable


def test_a_name_alone_takes_the_range_of_the_scenario():
    row = SMALL.parameters["gamma"]
    assert parse_variable("gamma", SMALL) == Variable("gamma", row.low, row.base, row.high, row.distribution)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gama=1:2", "nothing named 'gama' can be varied; did you mean 'gamma'?"),
        ("none.stipend=1:2", "nothing named 'none.stipend' can be varied"),
        ("virtual.stipend=1:2", "nothing named 'virtual.stipend' can be varied"),
        ("gamma=1.5:0.5", "low 1.5 is above high 0.5; allowed: low <= high"),
        ("gamma=a:b", "'a' is not a number; allowed: 0.1 to 10"),
        ("gamma=", "'' is not a number"),
        ("gamma=0.5:99", "99 is out of range; allowed: 0.1 to 10"),
        ("gamma=nan", "'nan' is not a number"),
        ("gamma=0.5:1:2:pert", "is no range; allowed: name=low:high or name=low:high:distribution"),
        ("gamma=0.5:1:peri", "no distribution named 'peri'; did you mean 'pert'?"),
        ("initial_share=0:0.5:loguniform", "0 has no logarithm; allowed with loguniform: above 0"),
        ("top_down.places=2.5:4", "2.5 is no whole number; allowed: whole numbers from 1 to 100"),
        ("top_down.places=2:4:uniform", "top_down.places takes whole numbers; allowed: integer"),
        ("top_down.scope=regon", "'regon' is no value of top_down.scope; did you mean 'region'?"),
        ("world.schools_per_region", "states no values; allowed: name=low:high or name=a|b|c"),
        ("world.schools_per_region=0:5", "0 is out of range; allowed: whole numbers from 1 to 100000"),
        ("world.likeness=trait", "'trait' is no value of world.likeness; did you mean 'traits'?"),
    ],
)
def test_what_cannot_be_varied_is_refused_in_one_sentence(text, words):
    with pytest.raises(InputError) as caught:
        parse_variable(text, SMALL)
    assert str(caught.value).startswith(f"--vary {text}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_word_of_the_world_has_the_base_that_the_scenario_states():
    stated = small("world.network=nearest")
    assert [base_value(name, stated) for name in ("world.network", "world.update")] == ["nearest", "synchronous"]
    assert base_value("world.schools_per_region", stated) == float(stated.world.schools_per_region)


def test_the_default_is_what_the_scenario_holds_uncertain():
    scenario = SMALL.model_copy(update={"uncertain": ("gamma", "q_in")})
    names = {"gamma", "q_in"}
    assert {variable.name for variable in uncertain_variables(scenario)} == names
    assert set(plan_sweep(scenario, (), "lhs:3").sets.columns) == names


def test_a_sweep_of_no_parameters_is_refused():
    with pytest.raises(InputError, match="nothing is varied; give --vary name=low:high"):
        chosen_variables(SMALL.model_copy(update={"uncertain": ()}), ())


def test_a_name_given_twice_is_refused():
    with pytest.raises(InputError, match="--vary gamma: is given twice"):
        chosen_variables(SMALL, ["gamma=1:2", "gamma=0.5:1"])


def test_a_world_with_too_many_schools_is_refused_before_it_is_made():
    vary = ["world.schools_per_region=1:100000", "world.regions_per_country=1:10000"]
    with pytest.raises(InputError, match=r"6,000,000,000 schools in all are too many; allowed: 20,000,000"):
        plan_sweep(SMALL, vary, "sobol:4")


def test_the_number_of_schools_that_are_read_from_a_file_does_not_vary(tmp_path):
    (tmp_path / "schools.csv").write_text("school_id\n" + "".join(f"s{i}\n" for i in range(48)), encoding="utf-8")
    scenario = small(schools=tmp_path / "schools.csv")
    with pytest.raises(InputError, match=r"nothing named 'world.schools_per_region' can be varied"):
        parse_variable("world.schools_per_region=1:5", scenario)


def test_a_set_that_ends_funding_before_it_begins_is_refused():
    with pytest.raises(InputError) as caught:
        plan_sweep(SMALL, ["top_down.first_month=3|9", "top_down.last_month=6|12"], "grid:1")
    expected = "parameter set 2: top_down is funded from month 9 to month 6; allowed: top_down.last_month not before top_down.first_month"
    assert str(caught.value) == expected


@pytest.mark.parametrize(("random", "sampling"), [("commom", "lhs:2"), ("common", "table:x.csv")])
def test_options_that_do_not_fit_are_refused(random, sampling):
    with pytest.raises(InputError, match="allowed"):
        plan_sweep(SMALL, ["gamma=1:2"], sampling, random=random)


# --- tables of a user's own sets -------------------------------------------------------------------------------------


def table(tmp_path, text):
    path = tmp_path / "sets.csv"
    path.write_bytes(text.encode())
    return plan_sweep(SMALL, sampling=f"table:{path}").sets


def test_a_table_keeps_its_rows_columns_and_order(tmp_path):
    sets = table(
        tmp_path, "gamma, top_down.scope ,top_down.mentor_share,world.schools_per_region\n1.5,peers,none,2\n\n0.5, region ,0.1,3\n"
    )
    assert sets.to_dict("list") == {
        "gamma": [1.5, 0.5],
        "top_down.scope": ["peers", "region"],
        "top_down.mentor_share": [NO_QUOTA, 0.1],
        "world.schools_per_region": [2.0, 3.0],
    }


def test_a_table_may_have_decimal_commas(tmp_path):
    assert table(tmp_path, "\ufeffgamma;q_in\r\n1,5;0,1\r\n").to_dict("list") == {"gamma": [1.5], "q_in": [0.1]}


def test_thousands_in_a_table_of_decimal_commas_are_thousands():
    sets, notices = read_table(str(CASES / "sets_eu.csv"), load_scenario("mensi-pilot"))
    assert sets.to_dict("list") == {"regional_hub.stipend": [1000.0, 2500.0, 3000.0], "beta": [0.05, 0.1, 0.08]}
    assert notices == ()


def test_sets_beyond_what_is_plausible_are_remarked_on(tmp_path):
    (tmp_path / "sets.csv").write_text("p\n0.001\n0.00001\n", encoding="utf-8")
    row = SMALL.parameters["p"]
    expected = f"sets.csv, row 3, column p: beyond what is plausible; expected {row.low:g} to {row.high:g}"
    assert read_table(str(tmp_path / "sets.csv"), SMALL)[1] == (expected,)
    (tmp_path / "sets.csv").write_text("top_down.fte\n0.0005\n0\n0.001\n", encoding="utf-8")
    assert read_table(str(tmp_path / "sets.csv"), SMALL)[1][0].startswith("sets.csv, rows 2 and 4, column top_down.fte: beyond what is")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "sets.csv: is empty"),
        ("gamma\n", "has a header but no rows"),
        ("gama\n1\n", "sets.csv, row 1: unknown column 'gama'; did you mean 'gamma'?"),
        ("gamma,gamma\n1,2\n", "column 'gamma' is there 2 times"),
        ("gamma,q_in\n1,0.1\n\nx,0.1\n", "sets.csv, row 4, column gamma: found 'x'; give 0.1 to 10"),
        ("gamma\n1\n0.5|0.7\n", "row 3, column gamma: found '0.5|0.7'; give 0.1 to 10"),
        ("gamma\n0.5:0.7\n", "row 2, column gamma: found '0.5:0.7'"),
        ("gamma\n0.5,0.7\n", "row 2: found 2 cells; the header names 1 columns"),
        ("gamma,q_in\n0.5\n", "row 2: found 1 cell; the header names 2 columns"),
        ("gamma,q_in\n0.5,\n", "row 2, column q_in: is blank; give 0 to 1"),
        ("gamma\n99\n-1\n", "row 2, column gamma: found '99' (and 1 more error in the file)"),
        ("top_down.scope\nregon\n", "row 2, column top_down.scope: found 'regon'; did you mean 'region'?"),
        ("world.schools_per_region,world.regions_per_country\n100000,10000\n", "too many"),
    ],
)
def test_errors_in_a_table_name_row_and_column(tmp_path, text, words):
    with pytest.raises(InputError) as caught:
        table(tmp_path, text)
    assert words in str(caught.value)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no_such"):
        read_table(str(tmp_path / "no_such.csv"), SMALL)
