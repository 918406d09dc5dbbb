"""`run.py calibrate`: the synthetic pilot from the command line, resumed, repeated, carried on, and refused."""

import json
import time

import arviz
import pandas as pd
import pytest
from typer.testing import CliRunner

from school_mentoring.analysis.commands.program import app
from school_mentoring.experiments.calibration import posterior
from school_mentoring.experiments.synthetic_pilot import read_truth

from .program import files, finish, program, started, succeed

TRUTH = read_truth().parameters
FEW = ("--runs", "512", "--fit", "beta,coordinator_cost_ratio", "--hold-out", "clusters=0.2", "--json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder in which the synthetic pilot was calibrated, ``c``, and what that printed."""
    folder = tmp_path_factory.mktemp("calibrate")
    return folder, calibrated("--out", "c", cwd=folder)


def calibrated(*options, cwd):
    """Run a calibration that must succeed; on a slow machine it may say on standard error how far it is."""
    done = program("calibrate", "synthetic-pilot", *FEW, *options, cwd=cwd)
    assert done.code == 0, done.err
    return done


def test_a_calibration_leaves_posterior_figures_and_a_scenario_that_other_commands_take(folder):
    folder, done = folder
    document = json.loads(done.out)
    told = {row["parameter"]: row["told"] for row in document["parameters"]}
    assert told["coordinator_cost_ratio"] == "not"  # a cost: no survey of teachers can tell it
    assert told["beta"] != "not"
    assert document["said"][0].startswith("SYNTHETIC")
    assert "The data cannot tell coordinator_cost_ratio, which keeps its prior" in document["said"][1]
    study = folder / "c/calibration"
    for name in ("fit", "clusters", "learned", "pairs"):
        assert (study / f"figures/{name}.png").stat().st_size > 10_000
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
        cwd=folder,
    )
    assert json.loads(compared.out)["designs"]


def test_a_cost_keeps_its_prior(folder):
    """Posterior mean and sd are those of the prior but for the error of draws and of so small an emulator: 0.15 sd, and a tenth of it."""
    row = next(row for row in json.loads(folder[1].out)["parameters"] if row["parameter"] == "coordinator_cost_ratio")
    assert abs(row["posterior_mean"] - row["prior_mean"]) < 0.15 * row["prior_sd"]
    assert row["sd_ratio"] == pytest.approx(1, abs=0.1)


def test_what_was_held_out_is_scored_against_the_prior_and_four_rivals(folder):
    document = json.loads(folder[1].out)
    scores = {row["prediction"]: row for row in document["scores"]}
    cells = pd.read_csv(folder[0] / "c/calibration/cells.csv")
    assert list(scores) == ["posterior", "prior", "constant hazard", "Bass", "logistic", "logit of exposure and time"]
    # A fifth of 24 clusters, rounded, is 5; some of their schools are too small to have answered.
    held = cells[cells["held_out"]]
    assert held["school_id"].str.replace(r"-(mentor|mentee-\d+)$", "", regex=True).nunique() == 5
    assert scores["posterior"]["cells"] == scores["prior"]["cells"] == len(held)
    assert scores["posterior"]["log_score_less_posterior"] == 0.0
    assert scores["prior"]["log_score_less_posterior"] == pytest.approx(scores["prior"]["log_score"] - scores["posterior"]["log_score"])
    table = next(line for line in document["said"] if line.startswith("Held out ("))
    assert f" {len(held)} observations.\n" in table
    assert f"{scores['Bass']['log_score']:.3f}" in table


def test_arviz_opens_the_posterior(folder):
    data = arviz.from_netcdf(folder[0] / "c/calibration/posterior.nc")
    assert dict(data.posterior.sizes) == {"chain": 4, "draw": 1000}
    rows = pd.read_csv(folder[0] / "c/calibration/parameters.csv").set_index("parameter")
    found = arviz.summary(data, round_to="none", hdi_prob=0.9)
    assert list(found.index) == ["beta", "coordinator_cost_ratio"]
    for name in found.index:
        assert found.loc[name, "mean"] == pytest.approx(rows.loc[name, "posterior_mean"], rel=1e-6)
        assert found.loc[name, "r_hat"] == pytest.approx(rows.loc[name, "r_hat"], rel=1e-3)
        assert float(data.prior[name].mean()) == pytest.approx(rows.loc[name, "prior_mean"], rel=1e-6)


def test_a_calibration_that_is_there_is_kept_unless_it_is_resumed(folder):
    again = program("calibrate", "synthetic-pilot", *FEW, "--out", "c", cwd=folder[0])
    assert (again.code, again.out) == (2, "")
    assert "add --resume" in again.err


def test_killed_and_resumed_with_other_threads_it_is_the_same_to_the_last_byte(folder, tmp_path):
    running = started("calibrate", "synthetic-pilot", *FEW, "--out", "c", cwd=tmp_path)
    while running.poll() is None and not list(tmp_path.glob("c/results/part-*.parquet")):
        time.sleep(0.02)
    running.kill()
    finish(running)
    parts = list(tmp_path.glob("c/results/part-*.parquet"))
    assert parts
    assert not (tmp_path / "c/calibration").exists()
    written = {path: path.stat().st_mtime_ns for path in parts}
    resumed = calibrated("--resume", "--threads", "1", "--out", "c", cwd=tmp_path)
    assert written == {path: path.stat().st_mtime_ns for path in written}
    assert resumed.out.replace(str(tmp_path), "") == folder[1].out.replace(str(folder[0]), "")
    assert files(tmp_path / "c") == files(folder[0] / "c")


def test_countries_that_are_pooled_are_told_apart_and_the_report_says_how_far_they_differ(tmp_path, monkeypatch):
    monkeypatch.setattr(posterior, "SETTLED", 10)  # some 1,000 effective draws are enough for what is asked below
    known = [word for name, value in TRUTH.items() if name != "beta" for word in ("--set", f"{name}={value}")]
    chosen = ("--fit", "beta", "--pool", "beta", "--runs", "512", *known)
    done = CliRunner().invoke(app, ["calibrate", "synthetic-pilot", *chosen, "--json", "--out", str(tmp_path / "p")])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    rows = {row["country"]: row for row in document["countries"]}
    spread, before = rows.pop("spread between countries"), rows.pop("spread, prior")
    assert set(rows) == {"BE-VLG", "HR", "CZ", "HU", "IT", "PT"}
    # All countries of the made-up pilot have the same truth: the 90 % interval of most holds it (4 of 6 in 99 % of data sets).
    assert sum(row["low"] <= TRUTH["beta"] <= row["high"] for row in rows.values()) >= 4
    assert 0 < spread["high"] < before["high"] * 1.2
    assert any(line.startswith("Countries differ in beta by ") for line in document["said"])


def test_a_first_look_gives_one_point(tmp_path):
    done = succeed("calibrate", "synthetic-pilot", "--quick", "--fit", "beta", "--json", "--out", "q", cwd=tmp_path)
    # A point fit of this pilot, with all else at its base value and not at its truth, is within 0.03 of the truth.
    assert json.loads(done.out)["point"]["beta"] == pytest.approx(TRUTH["beta"], abs=0.03)
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
