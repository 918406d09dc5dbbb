"""`run.py compare --budget`: what each design buys, in table, sheet, JSON and report; the study is made again byte for byte."""

import json
import math

import pandas as pd
import pytest

from .program import QUICK, assert_intact, files, program, succeed

OPTIONS = (*QUICK[:-1], "top_down,bottom_up,outreach", "--budget", "38000", "--out", "study")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("budget")
    return folder / "study", succeed("compare", *OPTIONS, cwd=folder)


def test_the_sheet_holds_what_the_runs_cost_and_what_one_cluster_more_would(study):
    folder, _ = study
    assert_intact(folder)
    table = pd.read_csv(folder / "budget.csv", keep_default_na=False, na_values="").set_index("design")
    runs = pd.read_parquet(folder / "runs.parquet")
    means = runs[runs["parameter_set"] == 0].groupby("design", observed=True)[["cost_programme", "mentor_schools"]].mean()
    assert table["cost"].to_dict() == pytest.approx(means["cost_programme"].drop("none").to_dict(), rel=1e-9)
    assert (table["cost"] <= 38_000).all() and table["left_over"].tolist() == pytest.approx((38_000 - table["cost"]).tolist())
    assert table.at["top_down", "one_more"] > 38_000
    assert means.at["top_down", "mentor_schools"] == table.at["top_down", "clusters"] == round(24 * table.at["top_down", "mentor_share"])
    drawn = runs[(runs["parameter_set"] > 0) & (runs["design"] == "top_down")]["cost_programme"]
    assert table.at["top_down", "chance_within"] == pytest.approx((drawn <= 38_000).mean())


def test_the_terminal_shows_each_design_and_what_was_not_scaled(study):
    _, done = study
    head = done.out.partition("480")[0]
    assert head.startswith("Each design at its largest size within EUR 38,000\n")
    for said in ("top-down", "bottom-up", "outreach", "no quota", "no more schools volunteer", "The comparator, no programme, has nothing"):
        assert said in " ".join(head.split()), said
    assert max(map(len, done.out.splitlines())) <= 100


def test_json_states_the_same_and_the_study_is_the_same_bytes(study, tmp_path):
    folder, _ = study
    document = json.loads(succeed("compare", *OPTIONS, "--json", "--threads", "2", cwd=tmp_path).out)
    assert [row["design"] for row in document["budget"]["designs"]] == ["top_down", "bottom_up", "outreach"]
    assert document["budget"]["words"] == "EUR 38,000 of the programme's costs over the whole study, discounted"
    assert files(folder) == files(tmp_path / "study")


def test_a_study_of_a_budget_is_made_again_byte_for_byte(study, tmp_path):
    done = program("rerun", study[0], "--json", "--out", "again", cwd=tmp_path)
    assert done.code == 0 and json.loads(done.out)["byte_identical"]


def test_the_report_to_hand_over_shows_the_budget_and_the_designs_as_scaled(study, tmp_path):
    succeed("recommend", study[0], "--out", "report", cwd=tmp_path)
    report = (tmp_path / "report" / "report.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert "Each design at its largest size within EUR 38,000 of the programme" in report
    assert "run.py compare SCENARIO --budget 38000 --perspective programme --out study" in report
    clusters = pd.read_csv(study[0] / "budget.csv").set_index("design").at["top_down", "clusters"]
    assert f"up to {round(100 * clusters / 24, 2):g} % of a region" in report


def test_less_than_one_cluster_is_refused_before_anything_is_written(tmp_path):
    done = program("compare", *QUICK, "--budget", "100", "--out", "study", cwd=tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("error: --budget 100: is too little for regional_hub (one cluster takes EUR ")
    assert list(tmp_path.iterdir()) == []


def test_mentors_that_the_data_name_are_not_scaled_and_that_is_said(tmp_path):
    named = [f"m{c},30,mentor,c{c}\ns{c},25,mentee,c{c}\nt{c},25,mentee,c{c}" for c in range(4)]
    tmp_path.joinpath("schools.csv").write_text("\n".join(["school_id,teachers,role,cluster", *named, "x,20,,"]) + "\n", encoding="utf-8")
    options = (*QUICK[4:-1], "top_down,outreach", "--schools", "schools.csv")
    head = succeed("compare", *options, "--budget", "20000", "--out", "study", cwd=tmp_path).out.partition("The MenSI pilot")[0]
    assert "Yet dearer than the budget: top-down (its mentors are those that the data name)." in " ".join(head.split())
    table = pd.read_csv(tmp_path / "study" / "budget.csv").set_index("design")
    assert table.at["top_down", "left_over"] < 0 and math.isnan(table.at["top_down", "clusters"])
    succeed("recommend", "study", "--out", "report", cwd=tmp_path)
    done = program("scale", *options, "--out", "scale", cwd=tmp_path)
    assert done.err == "error: --designs: none of them has clusters whose number can change; allowed: designs with mentors\n"
