"""Parameters that are gone are refused wherever a parameter may be named, in one line that says what took their place."""

import re

import pandas as pd
import pytest

from school_mentoring.experiments.calibration.prior import prior_of
from school_mentoring.experiments.sensitivity.study import SensitivityOptions, run_study
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.experiments.synthetic_pilot import FOLDER, read_truth
from school_mentoring.model.designs import FIELDS
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import PARAMETERS, row_of
from school_mentoring.model.world.countries import FIGURES
from school_mentoring.scenarios import check_draws, load_scenario, uploaded_scenario
from school_mentoring.scenarios.gone import GONE
from tests.commands.program import program, tree

PILOT = load_scenario("mensi-pilot-only")


def scenario(text):
    return uploaded_scenario(f"designs: [none]\n{text}\n".encode(), "a.yaml")


def table(tmp_path, text):
    (tmp_path / "sets.csv").write_text(text, encoding="utf-8")
    return plan_sweep(PILOT, (), f"table:{tmp_path / 'sets.csv'}")


def truth(tmp_path, name):
    text = (FOLDER / "truth.yaml").read_text(encoding="utf-8").replace("parameters: #", f"parameters:\n  {name}: 0.5 #", 1)
    (tmp_path / "truth.yaml").write_text(text, encoding="utf-8")
    return read_truth(tmp_path / "truth.yaml")


NAMED = {
    "a scenario's parameters": (lambda name, _: scenario(f"parameters:\n  p: 0.01\n  {name}: 0.5"), "a.yaml, line 4, parameters.{}"),
    "what is uncertain": (lambda name, _: scenario(f"uncertain: [cost, {name}]"), "a.yaml, line 2, uncertain[1]"),
    "correlations": (
        lambda name, _: scenario(f"correlations: [{{between: [beta, {name}], value: 0.5}}]"),
        "a.yaml, line 2, correlations[0].between[1]",
    ),
    "--set": (lambda name, _: load_scenario("mensi-pilot", [f"p=0.01 {name}=0.5"]), "--set {}=0.5"),
    "--vary": (lambda name, _: plan_sweep(PILOT, [f"{name}=0:1"], "lhs:2"), "--vary {}=0:1"),
    "--vary of a sensitivity study": (
        lambda name, folder: run_study(PILOT, SensitivityOptions(vary=("beta", name)), folder / "s"), "--vary {}",
    ),
    "--fit": (lambda name, _: prior_of(PILOT, ("p", name), kind="times"), "--fit {}"),
    "posterior draws": (lambda name, _: check_draws(pd.DataFrame({"p": [0.1, 0.2], name: [0.1, 0.2]}), "draws"), "draws"),
    "a sweep's table": (lambda name, folder: table(folder, f"p,{name}\n0.01,0.5\n0.02,0.5\n"), "sets.csv, row 1"),
    "a synthetic truth": (lambda name, folder: truth(folder, name), None),
}  # fmt: skip


@pytest.mark.parametrize("name", GONE)
@pytest.mark.parametrize("where", NAMED)
def test_a_parameter_that_is_gone_is_refused_with_what_took_its_place(tmp_path, where, name):
    refused, place = NAMED[where]
    place = f"{tmp_path / 'truth.yaml'}, parameters" if place is None else place.format(name)
    with pytest.raises(InputError) as caught:
        refused(name, tmp_path)
    assert str(caught.value) == f"{place}: '{name}' is no longer a parameter of the model; {GONE[name]}"


def test_what_took_its_place_is_there_now_and_what_is_gone_is_not():
    assert not any(map(row_of, GONE))
    for told in GONE.values():
        names = set(re.findall(r"salary_[A-Z]+|[a-z]+_[a-z_]+|\b(?:team|enrolment|completion|uptake)\b", told))
        assert names <= {*PARAMETERS, *FIELDS, *FIGURES, "regional_hub", "salary_IT"}
        assert names


def test_names_that_are_gone_are_told_before_those_that_never_were():
    with pytest.raises(InputError) as caught:
        scenario("parameters: {gama: 1, work_hours: 1600, expertise_floor: 0.3}")
    told = f"'work_hours', 'expertise_floor' are no longer parameters of the model; {GONE['work_hours']}; {GONE['expertise_floor']}"
    assert str(caught.value) == f"a.yaml, line 2, parameters.work_hours: {told}"


@pytest.mark.parametrize("words", [("compare", "--set", "work_hours=1600"), ("sweep", "--vary", "team"), ("calibrate", "--fit", "team,p")])
def test_a_command_refuses_it_in_one_line_and_writes_nothing(tmp_path, words):
    if words[0] == "calibrate":
        words = (words[0], "synthetic-pilot", "--design", "regional_hub", *words[1:])
    done = program(*words, cwd=tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "is no longer a parameter of the model; " in done.err
    assert tree(tmp_path) == []
