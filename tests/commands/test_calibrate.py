"""`run.py calibrate`: the synthetic pilot from the command line, resumed, repeated, carried on, and refused."""

import json

import pandas as pd
import pytest

from .program import files, program, succeed

FEW = ("--runs", "512", "--fit", "beta,coordinator_cost_ratio")


def test_a_calibration_leaves_posterior_figures_and_a_scenario_that_other_commands_take(tmp_path):
    done = succeed("calibrate", "synthetic-pilot", *FEW, "--hold-out", "clusters=0.2", "--json", "--out", "c", cwd=tmp_path)
    document = json.loads(done.out)
    told = {row["parameter"]: row["told"] for row in document["parameters"]}
    assert told["coordinator_cost_ratio"] == "not"  # a cost: no survey of teachers can tell it
    assert told["beta"] != "not"
    assert document["said"][0].startswith("SYNTHETIC")
    assert "The data cannot tell coordinator_cost_ratio, which keeps its prior" in document["said"][1]
    assert {row["prediction"] for row in document["scores"]} == {"posterior", "prior"}
    study = tmp_path / "c/calibration"
    for name in ("fit", "clusters", "learned", "pairs"):
        assert (study / f"figures/{name}.png").stat().st_size > 10_000
    assert (study / "posterior.nc").is_file()
    before = files(study)
    # What is there is kept, and the same seed gives the same posterior.
    again = program("calibrate", "synthetic-pilot", *FEW, "--hold-out", "clusters=0.2", "--json", "--out", "c", cwd=tmp_path)
    assert (again.code, again.out) == (2, "")
    assert "add --resume" in again.err
    part = next((tmp_path / "c/results").glob("part-*.parquet"))
    part.unlink()
    resumed = succeed("calibrate", "synthetic-pilot", *FEW, "--hold-out", "clusters=0.2", "--json", "--resume", "--out", "c", cwd=tmp_path)
    assert resumed.out == done.out
    assert files(study) == before
    compared = succeed(
        "compare",
        "c/calibration/calibrated.yaml",
        "--designs",
        "regional_hub",
        "--replicates",
        "2",
        "--set",
        "draws=4",
        "--json",
        cwd=tmp_path,
    )
    assert json.loads(compared.out)["designs"]


def test_a_first_look_gives_one_point(tmp_path):
    done = succeed("calibrate", "synthetic-pilot", "--quick", "--fit", "beta", "--json", "--out", "q", cwd=tmp_path)
    # The truth is 0.11 (truth.yaml), the prior's mean 0.082; a point fit of this pilot is within 0.03 of the truth.
    assert json.loads(done.out)["point"]["beta"] == pytest.approx(0.11, abs=0.03)
    assert len(pd.read_csv(tmp_path / "q/path.csv")) > 5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--fit", "bta"), "error: --fit bta: no parameter named 'bta'; did you mean 'beta'?"),
        (("--hold-out", "wave=9"), "error: --hold-out wave=9: there are 3 waves"),
        (("--observations", "none.csv"), "error: none.csv"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(tmp_path, options, told):
    done = program("calibrate", "synthetic-pilot", *options, "--out", "c", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1].startswith(told)
    assert not (tmp_path / "c").exists()


def test_a_scenario_without_observations_asks_for_them(tmp_path):
    done = program("calibrate", "mensi-pilot", cwd=tmp_path)
    assert (done.code, done.err.splitlines()[-1]) == (
        2, "error: --observations: is missing, and none lie beside the scenario's schools; give --observations FILE"
    )  # fmt: skip
