"""``from school_mentoring import ...``: quick to import, complete, documented by examples that run, and plain about what is wrong."""

import doctest
import inspect
import subprocess
import sys
from typing import get_type_hints

import pytest

import school_mentoring
from school_mentoring import InputError, compare, load_scenario, mesa_model, open_study, simulate, sweep
from school_mentoring.scenarios import ScenarioOptions, shipped_scenarios

NAMES = ["InputError", "compare", "load_scenario", "mesa_model", "open_study", "simulate", "sweep"]
FUNCTIONS = [compare, load_scenario, mesa_model, open_study, simulate, sweep]
SMALL = {"world.schools_per_region": 4, "world.regions_per_country": 1, "draws": 2, "replicates": 2, "months": 12}


def test_the_package_names_what_it_gives_and_loads_no_library_before_that_is_asked_for():
    code = (
        "import sys, school_mentoring; print(*sorted({'numpy', 'pandas', 'numba', 'pydantic', 'typing'} & set(sys.modules)));"
        "print(*(name for name in dir(school_mentoring) if name[0] != '_'))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", f"sys_path = __import__('sys').path; sys_path[:0] = {sys.path!r}; {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    loaded, listed = done.stdout.split("\n")[:2]
    assert loaded == ""
    assert set(NAMES) <= set(listed.split())
    assert sorted(school_mentoring.__all__) == NAMES
    with pytest.raises(AttributeError, match="no attribute 'comapre'"):
        _ = school_mentoring.comapre


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_the_example_of_each_function_runs_and_gives_what_it_shows(function, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = doctest.DocTestParser().get_doctest(function.__doc__, {}, function.__name__, None, None)
    assert len(example.examples) >= 2
    said = []
    doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert "".join(said) == ""


def test_help_shows_every_option_by_its_name():
    shown = set(inspect.signature(compare).parameters)
    assert shown == {"scenario", "sets", "engine", "threads", *get_type_hints(ScenarioOptions)} > {"designs", "seed", "columns"}


def test_a_study_on_disk_and_the_parts_of_a_comparison_say_what_they_are_in_a_line(tmp_path):
    found = compare(sets=SMALL, designs="virtual")
    study = sweep(sets=SMALL, vary="beta", sample="lhs:4", designs="virtual", out=tmp_path / "study")
    for thing in (found, found.base, found.scenario, study):
        assert "virtual" in repr(thing) and "\n" not in repr(thing) and len(repr(thing)) < 200 + len(str(tmp_path))


def test_a_comparison_gives_the_tables_that_the_command_writes():
    found = compare(sets=SMALL, designs=["virtual"], threads=1)
    assert len(found.runs()) == 2 * (2 + 2 * 2)
    assert found.monthly()["month"].max() == 11
    assert set(found.runs()["parameter_set"]) == {0, 1, 2}
    assert found.costs()["cost"].sum() > 0


@pytest.mark.parametrize("name", [name for name in shipped_scenarios() if load_scenario(name).step == "month"])
def test_what_is_set_of_a_scenario_at_hand_is_what_is_set_of_its_file(name):
    sets = {"p": 0.02, "world.schools_per_region": 3, "regional_hub.mandate": True, "regional_hub.mentor_share": None, "draws": 5}
    once = load_scenario(name, sets, designs="regional_hub,none", months=40, draws=7)
    assert load_scenario(load_scenario(name, designs=["regional_hub", "none"]), sets, months=40, draws="7") == once
    assert once.draws == 7 and once.designs["regional_hub"].mandate and once.designs["regional_hub"].mentor_share is None
    assert load_scenario(name, "p=0.02 draws=5").parameters["p"].base == load_scenario(name, ["p=0.02"]).parameters["p"].base == 0.02


NONSENSE = {
    "compare(3)": "compare(scenario=3): is nothing that it takes; allowed: Scenario | str | Path",
    "compare('mensi-pilo')": "'mensi-pilo': no scenario 'mensi-pilo'; did you mean 'mensi-pilot'? or the path of a YAML file",
    "compare(design='virtual')": "compare(..., design=...): takes nothing named 'design'; did you mean 'designs'?",
    "compare('mensi-pilot', {}, 3)": "compare(...): too many positional arguments; allowed: scenario, sets, "
    "replicates, draws, seed, months, schools, ties, encoding, columns, keep_inputs, designs, engine, threads",
    "compare(sets=3)": "compare(sets=3): is nothing that it takes; allowed: Mapping[str, object] | Sequence[str] | str | None",
    "compare(sets={'q': 1})": "--set q=1: nothing named 'q' can be set; did you mean 'q_in'?",
    "compare(replicates='many')": "compare(replicates='many'): is nothing that it takes; allowed: int | None",
    "compare(replicates=0)": "--replicates 0: 0 is out of range; allowed: 1 to 1000000",
    "compare(engine='c')": "compare(engine='c'): is nothing that it takes; allowed: Literal['compiled', 'mesa']",
    "compare(designs=[])": "--designs: names no design; allowed: names separated by commas",
    "simulate('mensi-pilot', design='hubb')": "--design hubb: no design named 'hubb'; did you mean 'regional_hub'?",
    "simulate(design=None)": "simulate(design=nothing): is nothing that it takes; allowed: str",
    "sweep(vary=2)": "sweep(vary=2): is nothing that it takes; allowed: Sequence[str] | str",
    "sweep(vary='bet')": "--vary bet: nothing named 'bet' can be varied; did you mean 'beta'?",
    "mesa_model(replicate=-1)": "mesa_model(replicate=-1): is below 0; allowed: 0 or more",
    "mesa_model(school_class=int)": "mesa_model(school_class=...): <class 'int'> is no class of schools; "
    "allowed: a subclass of SchoolAgent",
    "open_study(None)": "open_study(path=nothing): is nothing that it takes; allowed: str | Path",
    "open_study()": "open_study(...): missing a required argument: 'path'; allowed: path",
    "open_study('nowhere')": "nowhere: holds no study (No such file or directory); give the folder that a command wrote",
}


@pytest.mark.parametrize("call", NONSENSE)
def test_what_makes_no_sense_is_refused_in_one_line(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        eval(call)
    assert str(refused.value) == NONSENSE[call]
    assert list(tmp_path.iterdir()) == []
