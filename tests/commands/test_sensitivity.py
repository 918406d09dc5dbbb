"""`run.py sensitivity`: a study from the command line, resumed, extended, and of a sweep that exists."""

import json

import pandas as pd

from .program import SMALL, program, succeed

FEW = (
    *SMALL,
    "--replicates",
    "2",
    "--months",
    "14",
    "--designs",
    "none,regional_hub",
    "--vary",
    "beta",
    "--vary",
    "cover_share",
    "--n",
    "8",
)
EFFECT = ("--outputs", "effect_adopter_years,net_benefit")


def test_a_study_leaves_indices_figures_and_runs_and_prints_one_document(tmp_path):
    done = succeed("sensitivity", *FEW, *EFFECT, "--max-runs", "500", "--json", "--out", "s", cwd=tmp_path)
    document = json.loads(done.out)
    indices = pd.read_parquet(tmp_path / "s/sensitivity/indices.parquet")
    assert len(document["indices"]) == len(indices) == len(pd.read_csv(tmp_path / "s/sensitivity/indices.csv"))
    assert document["state"]["runs"] <= 500
    assert set(indices["kind"]) == {"parameter", "group", "dummy"}
    assert (tmp_path / "s/sensitivity/figures/indices_net_benefit.png").is_file()
    assert list((tmp_path / "s/results").glob("part-*.parquet"))
    again = program("sensitivity", *FEW, *EFFECT, "--max-runs", "500", "--out", "s", cwd=tmp_path)
    assert (again.code, again.out) == (2, "")
    assert again.err.strip().endswith("add --resume to complete it, or give another folder")
    resumed = succeed("sensitivity", *FEW, *EFFECT, "--max-runs", "500", "--json", "--resume", "--out", "s", cwd=tmp_path)
    assert resumed.out == done.out


def test_a_sweep_is_analysed_into_a_folder_of_its_own(tmp_path):
    assert program("sweep", *FEW[:-2], "--sample", "sobol:32", "--out", "w", cwd=tmp_path).code == 0
    done = succeed("sensitivity", "w", "--method", "given", *EFFECT, "--out", "g", cwd=tmp_path)
    assert done.out.splitlines()[0] == "Sensitivity by given: 32 points, 32 parameter sets"
    assert max(map(len, done.out.splitlines())) <= 100
    assert (tmp_path / "g/indices.csv").is_file()
    assert program("sensitivity", "w", "--method", "sobol", cwd=tmp_path).err.startswith("error: --method sobol: needs a sample of its own")
