"""`run.py scale`: designs at growing sizes, as table, sheets and figure; the same bytes on any number of threads and again."""

import json

import pandas as pd
import pytest

from .program import QUICK, assert_intact, files, program, succeed, tree

OPTIONS = (*QUICK[:-1], "top_down,bottom_up,outreach", "--clusters", "1,2,4", "--out", "study")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scale")
    return folder / "study", succeed("scale", *OPTIONS, cwd=folder)


def test_the_folder_holds_runs_sheets_and_the_figure(study):
    folder, done = study
    figures = ["figures", "figures/scale.png", "figures/scale.svg"]
    assert tree(folder) == sorted(["runs.parquet", "scale.csv", "break_even.csv", *figures, "study.json", "ro-crate-metadata.json"])
    assert_intact(folder)
    assert "Left out: outreach, as it has no clusters." in done.out
    assert max(map(len, done.out.splitlines())) <= 100


def test_the_sheet_holds_the_means_of_the_runs(study):
    runs, table = pd.read_parquet(study[0] / "runs.parquet"), pd.read_csv(study[0] / "scale.csv")
    assert table.groupby("design", sort=False)["clusters"].apply(list).to_dict() == {"top_down": [0, 1, 2, 4], "bottom_up": [0, 1, 2, 4]}
    means = runs.groupby(["design", "clusters"], observed=True)[["cost_programme", "schools_reached", "mentor_schools"]].mean()
    for row in table.to_dict("records"):
        mean = means.loc[row["design"], row["clusters"]]
        assert row["cost"] == pytest.approx(mean["cost_programme"]) and row["schools_reached"] == pytest.approx(mean["schools_reached"])
        assert row["design"] != "top_down" or mean["mentor_schools"] == row["clusters"]


def test_json_states_the_same_and_the_study_is_the_same_bytes_on_two_threads(study, tmp_path):
    document = json.loads(succeed("scale", *OPTIONS, "--json", "--threads", "2", cwd=tmp_path).out)
    assert [row["clusters"] for row in document["sizes"]] == [0, 1, 2, 4] * 2
    assert files(study[0]) == files(tmp_path / "study")


def test_a_study_of_scale_is_made_again_byte_for_byte(study, tmp_path):
    done = program("rerun", study[0], "--json", "--out", "again", cwd=tmp_path)
    assert done.code == 0 and json.loads(done.out)["byte_identical"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--clusters", "0"), "--clusters 0: '0': no number of clusters among 24 schools; allowed: whole numbers from 1 to 12"),
        (("--clusters", "2,many"), "--clusters 2,many: 'many': no number of clusters among 24 schools"),
        (("--clusters", "-1"), "--clusters -1: '-1': no number of clusters"),
        (("--clusters", "13"), "--clusters 13: '13': no number of clusters"),
        (("--perspective", "schools"), "--perspective schools: no perspective named 'schools'; "),
        (("--designs", "outreach"), "--designs: none of them has clusters whose number can change; allowed: designs with mentors"),
    ],
)
def test_what_is_no_size_is_refused_in_one_line(tmp_path, options, says):
    done = program("scale", *QUICK, *options, cwd=tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"error: {says}")
    assert list(tmp_path.iterdir()) == []


def test_designs_that_mentor_nobody_are_shown_without_costs_of_a_school(tmp_path):
    done = succeed("scale", *QUICK[:-1], "virtual", "--set", "advanced_threshold=9", "--clusters", "1", cwd=tmp_path)
    assert [cell for line in done.out.splitlines() if line.lstrip().startswith("virtual") for cell in line.split()[2:]] == ["-", "-"]
