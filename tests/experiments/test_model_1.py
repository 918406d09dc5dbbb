"""A study that model 1 made is read as it is, and neither repeated nor completed by this model."""

import json
import shutil
from pathlib import Path

import pytest

from school_mentoring import open_study
from school_mentoring.experiments.evidence import evidence_of_study
from school_mentoring.experiments.folder.model_1 import NOTE, scenario_of, unstated_fields
from school_mentoring.experiments.folder.rerun import again
from school_mentoring.experiments.sensitivity.outputs import read_targets, targets_of
from school_mentoring.experiments.sweep.execution import open_sweep
from school_mentoring.experiments.sweep.plan import read_plan
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError
from tests.commands.program import program, tree
from tests.experiments.sweeps import content, plan_of

OLD = Path(__file__).parents[1] / "data" / "study-1.0"
REFUSED = "was made by model 1, so this version of the program can neither repeat nor complete it; use version 1.x for that"


@pytest.fixture
def old(tmp_path):
    return shutil.copytree(OLD, tmp_path / "old")


def changed(folder, change):
    """Change what the ``study.json`` in a folder says, and return it."""
    info = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    change(info)
    (folder / "study.json").write_text(json.dumps(info), encoding="utf-8")
    return info


def test_its_runs_hold_what_it_recorded(old):
    study = open_study(old)
    runs = study.runs()
    assert {"adopters_end", "gap_rural", "cost_total", "cost_team"} <= set(runs)
    assert {"cost_society", "use_team_end_of_funding"}.isdisjoint(runs)
    with pytest.raises(InputError, match="its runs do not record 'contacts_end'"):
        study.runs(["contacts_end"])


def test_a_recommendation_may_rest_on_it_and_says_which_model_it_is_of(old):
    evidence, scenario = evidence_of_study(str(old))
    assert evidence["notes"][-1] == NOTE
    assert evidence["runs"]["cost_society"].equals(evidence["runs"]["cost_total"])
    hub = evidence["designs"]["regional_hub"]
    assert (hub.fte, hub.team, hub.meeting_hours, hub.community, hub.tie_months) == (0.5, 3, 0.0, 0.0, 0)
    assert evidence["designs"]["none"] == PRESETS["none"]
    assert (scenario.world.contacts, scenario.world.mentored) == ("none", "whole_staff")
    assert scenario.base_parameters()["gamma"] == 1.3


def test_a_report_of_it_is_written(old, tmp_path):
    done = program("recommend", old, "--json", "--out", "r", cwd=tmp_path)
    assert done.code == 0, done
    assert json.loads(done.out)["notes"][-1] == NOTE
    assert NOTE in (tmp_path / "r/report.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


def test_its_outputs_are_read_and_what_they_cost_society_is_what_they_cost_in_all(old):
    plan = read_plan(old)
    targets = targets_of(("cost_society", "cost_total", "net_benefit"), list(plan.scenario.designs), [])
    found = read_targets(old, plan, targets, 1000.0)
    means = {(target.output, target.design): found.means[:, k].tolist() for k, target in enumerate(targets)}
    assert means["cost_society", "regional_hub"] == means["cost_total", "regional_hub"]
    assert all(value > 0 for value in means["cost_total", "regional_hub"])
    assert ("net_benefit", "regional_hub") in means


def test_names_that_are_gone_are_left_out_wherever_its_scenario_has_them(old):
    def change(info):
        info["scenario"]["uncertain"] = ["expertise_floor", "beta"]
        info["scenario"]["correlations"] = [{"between": ["beta", "team"], "value": 0.5}, {"between": ["beta", "p"], "value": 0.5}]
        info["scenario"]["parameters"]["team"]["base"] = 4.4

    scenario = scenario_of(changed(old, change), "study.json")
    assert list(scenario.uncertain_parameters()) == ["beta"]
    assert [one.between for one in scenario.correlations] == [("beta", "p")]
    assert scenario.designs["virtual"].team == 4


def test_a_study_of_this_model_states_all_fields_of_its_designs():
    assert unstated_fields({"scenario": {"parameters": {"p": {}}}}) == {}


def test_what_is_damaged_in_it_is_said(old):
    info = changed(old, lambda info: info["scenario"]["parameters"]["team"].pop("base"))
    with pytest.raises(InputError, match=r"study.json: is not as a command wrote it \(KeyError: 'base'\)"):
        scenario_of(info, "study.json")


@pytest.mark.parametrize("file", ["", "study.json"])
def test_it_is_not_made_again(old, tmp_path, file):
    before = tree(tmp_path)
    done = program("rerun", old / file, "--out", "again", cwd=tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert done.err.startswith("error: ") and REFUSED in done.err
    assert tree(tmp_path) == before


@pytest.mark.parametrize("resume", [True, False])
def test_it_is_not_completed(old, resume):
    before = content(old)
    with pytest.raises(InputError) as caught:
        open_sweep(old, plan_of(), resume=resume)
    assert str(caught.value).startswith(f"--out {old}: {REFUSED}")
    assert content(old) == before


def test_findings_in_a_folder_of_it_are_not_made_again(old, tmp_path):
    inner = old / "sensitivity"
    inner.mkdir()
    shutil.copy(old / "study.json", inner)
    changed(inner, lambda info: info.update(command="sensitivity", files={}))
    with pytest.raises(InputError, match=REFUSED):
        again(old, tmp_path / "again", tmp_path)
