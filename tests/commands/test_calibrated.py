"""A scenario with posterior draws through every command that has an uncertain set, and the files of a pilot through validate."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from school_mentoring.experiments.calibration.calibrate import write_calibrated
from school_mentoring.experiments.check import check_files
from school_mentoring.experiments.sensitivity.study import SensitivityOptions, run_study
from school_mentoring.experiments.synthetic_pilot import FOLDER
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario

from .program import QUICK, assert_intact, program, succeed

DRAWS = pd.DataFrame({"p": np.linspace(0.002, 0.006, 50), "d": np.linspace(0.05, 0.01, 50)})
ROWS = set(DRAWS.itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, compiled: None) -> Path:
    folder = tmp_path_factory.mktemp("calibrated")
    write_calibrated(folder / "calibrated.yaml", load_scenario("mensi-pilot-only"), DRAWS)
    return folder


def sets_of(study: Path) -> pd.DataFrame:
    return pd.read_parquet(study / "parameters.parquet")


def assert_drawn(study: Path, count: int) -> None:
    """Hold that the sets of a study are so many whole rows of the draws, and that the draws are kept with it."""
    sets = sets_of(study)
    assert len(sets) == count
    assert set(sets[["p", "d"]].itertuples(index=False, name=None)) <= ROWS
    assert (study / "inputs/calibrated-draws.parquet").read_bytes() == (study.parent / "calibrated-draws.parquet").read_bytes()


def test_compare_takes_the_draws_and_says_which_they_were(folder):
    done = succeed("compare", "calibrated.yaml", *QUICK, "--out", "compared", cwd=folder)
    assert_intact(folder / "compared")
    assert_drawn(folder / "compared", 3)
    info = json.loads((folder / "compared" / "study.json").read_text(encoding="utf-8"))
    assert "Fitted to data: p, d vary by the joint draws of calibrated-draws.parquet; other parameters over" in " ".join(done.out.split())
    assert info["scenario"]["posterior"] == "inputs/calibrated-draws.parquet"
    assert set(info["inputs"]) == {"posterior"}


def test_parameters_say_which_numbers_were_fitted(folder):
    rows = {row["name"]: row for row in json.loads(succeed("parameters", "calibrated.yaml", "--json", cwd=folder).out)}
    assert (rows["p"]["base"], rows["p"]["distribution"], rows["p"]["kind"]) == (0.004, "posterior", "inference")
    assert rows["p"]["source"] == "fitted to data: median and central 95 % of the draws in calibrated-draws.parquet"
    assert rows["q_in"]["source"] != rows["p"]["source"]


def test_sweep_takes_the_draws(folder):
    assert program("sweep", "calibrated.yaml", *QUICK, "--sample", "sobol:8", "--out", "swept", cwd=folder).code == 0
    assert_drawn(folder / "swept", 8)


def test_sensitivity_refuses_methods_that_ask_for_independence(folder):
    done = program("sensitivity", "calibrated.yaml", *QUICK, "--vary", "p", "--vary", "q_in", "--out", "refused", cwd=folder)
    assert done.code == 2
    assert done.err.startswith("error: --method sobol: asks for independent parameters")
    assert "allowed: given, pawn, regional" in done.err
    assert not (folder / "refused").exists()


@pytest.mark.parametrize("method", ["given", "pawn"])
def test_sensitivity_takes_the_draws_by_a_method_that_can(folder, method):
    scenario = load_scenario(folder / "calibrated.yaml", QUICK[1:8:2], months=14, replicates=2, designs=["regional_hub"])
    options = SensitivityOptions(method, vary=("p", "d", "q_in"), points=16, max_runs=100, local=False, resamples=20)
    found = run_study(scenario, options, folder / method)
    assert_drawn(folder / method, 16)
    assert {"p", "d", "q_in"} <= set(found.indices["parameter"])


# ----------------------------------------------------------------------------------------------------------------- validate


def test_validate_describes_the_files_of_a_pilot_and_says_that_a_synthetic_one_is(tmp_path):
    for name in ("schools.csv", "ties.csv", "observations.csv"):
        shutil.copy(FOLDER / name, tmp_path)
    done = succeed("validate", "observations.csv", "ties.csv", "schools.csv", cwd=tmp_path)
    assert done.out.splitlines() == [
        "observations.csv: SYNTHETIC (made by the model, no evidence): adopters among respondents of 111 of 120 schools in 3 waves "
        "(months 6, 20, 34), 267 rows, 17 % adopting overall",
        "ties.csv: 356 peer ties, 96 mentoring ties",
        "schools.csv: 120 schools in 6 countries",
    ]
    alone = succeed("validate", "observations.csv", "--scenario", "synthetic-pilot", "--json", cwd=tmp_path)
    assert json.loads(alone.out)["valid"]


def test_validate_reads_dates_and_scales_as_they_are_stated(tmp_path):
    (tmp_path / "schools.csv").write_text("school_id\na\nb\n", encoding="utf-8")
    (tmp_path / "means.csv").write_text(
        "school_id;date;respondents;mean;sd\na;2021-05-03;8;2,5;1,1\nb;2022-01-31;6;4;0,5\n", encoding="utf-8"
    )
    stated = ("--start", "2020-11", "--mapping", "linear:1:5")
    done = succeed("validate", "schools.csv", "means.csv", *stated, cwd=tmp_path)
    assert "means.csv: means on a scale (linear:1:5) of 2 of 2 schools in 2 waves (months 6, 14), 2 rows, 56 % adopting overall" in done.out
    (tmp_path / "schools.csv").write_text("school_id,teachers\na,1\nb,1\n", encoding="utf-8")
    (tmp_path / "times.csv").write_text("school_id,adoption_time\na,1961\nb,\n", encoding="utf-8")
    done = succeed("validate", "schools.csv", "times.csv", "--start", "1960", cwd=tmp_path)
    assert "times.csv: adoption times of 2 of 2 schools, 1 adopted by month 23" in done.out


FAULTY = [
    (("o.csv",), {}, "o.csv: observations can only be checked with the schools they are of; give both: validate schools.csv o.csv"),
    (
        ("schools.csv", "m.csv"),
        {},
        "m.csv, row 1: means on a scale are no shares of teachers, and nothing says how they become shares; give --mapping",
    ),
    (("schools.csv", "m.csv"), {"mapping": "log"}, "--mapping log: is no mapping of a scale to a share; allowed: linear:1:5"),
    (("schools.csv", "m.csv"), {"mapping": "linear:1:5", "start": "May"}, "--start May: is no date; give an ISO date such as 2021-11 or"),
]


def write_faulty(folder: Path) -> None:
    (folder / "schools.csv").write_text("school_id,teachers\na,10\n", encoding="utf-8")
    (folder / "o.csv").write_text("school_id,month,respondents,adopters\na,May 2021,5,3\n", encoding="utf-8")
    (folder / "m.csv").write_text("school_id,month,respondents,mean,sd\na,3,5,3,1\n", encoding="utf-8")


@pytest.mark.parametrize(("names", "stated", "says"), FAULTY)
def test_faulty_observations_are_refused(tmp_path, monkeypatch, names, stated, says):
    write_faulty(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        check_files(names, load_scenario("mensi-pilot"), **stated)
    assert str(caught.value).startswith(says)


def test_validate_refuses_faulty_observations_in_one_line(tmp_path):
    write_faulty(tmp_path)
    done = program("validate", "schools.csv", "o.csv", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert done.err.startswith("error: o.csv, row 2, column month: found 'May 2021'; give a month from 0 to 1199, or an ISO date such as")
