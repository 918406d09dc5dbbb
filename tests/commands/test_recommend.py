"""`run.py recommend`: the report of a comparison, of a sweep, of a search and of a scenario; what is no study is refused."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from school_mentoring.experiments.evidence import evidence_of_study

from .program import QUICK, SMALL, assert_intact, program, succeed

SWEPT = (*SMALL, "--replicates", "1", "--months", "14", "--vary", "beta", "--vary", "d", "--vary", "q_in")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Make a sweep that is broken down."""
    cwd = tmp_path_factory.mktemp("sweep")
    designs = ("--designs", "none,regional_hub,virtual")
    assert program("sweep", *SWEPT, *designs, "--sample", "sobol:32", "--broken-down", "--out", "w", cwd=cwd).code == 0
    return cwd / "w"


def test_a_comparison_gives_a_report_in_both_forms_and_the_same_bytes_again(comparison, tmp_path):
    done = succeed("recommend", comparison.folder, "--json", "--out", "r", cwd=tmp_path)
    document = json.loads(done.out)
    assert len(document["answer"]) == 3
    assert {row["design"] for row in document["designs"]} == {"none", "regional_hub", "bottom_up"}
    assert_intact(tmp_path / "r")
    html = (tmp_path / "r/report.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert all(sentence.replace("'", "&#39;") in html for sentence in document["answer"])
    assert (tmp_path / "r/report.pdf").read_bytes().startswith(b"%PDF")
    succeed("recommend", comparison.folder, "--json", "--out", "r2", cwd=tmp_path)
    for name in ("report.html", "report.pdf", "designs.csv", "figures/plane.png"):
        assert (tmp_path / "r" / name).read_bytes() == (tmp_path / "r2" / name).read_bytes()


def test_a_report_of_a_study_says_of_the_draws_what_the_study_says_and_nothing_of_those_that_are_shipped_now(comparison, tmp_path):
    study = Path(shutil.copytree(comparison.folder, tmp_path / "study"))
    described = json.loads((study / "study.json").read_text(encoding="utf-8"))
    assert any("draws that meet what has been measured" in note for note in described["notes"])
    described["notes"] = ["Of then."]
    (study / "study.json").write_text(json.dumps(described), encoding="utf-8")
    evidence, _ = evidence_of_study(str(study))
    assert evidence["notes"] == ["Of then."]


def test_a_scenario_is_compared_first_and_the_answer_is_printed(tmp_path):
    done = succeed("recommend", *QUICK, "--out", "r", cwd=tmp_path)
    assert "Which way to organise school mentoring?" in done.out
    assert "If an added adopter-year is worth EUR 1,000" in done.out
    assert done.out.strip().endswith("Study written to r")
    assert max(map(len, done.out.splitlines())) <= 100


def test_a_sweep_gives_gains_budgets_and_what_is_worth_knowing(sweep, tmp_path):
    done = succeed("recommend", sweep, "--k", "5000", "--perspective", "programme", "--json", "--out", "r", cwd=tmp_path)
    document = json.loads(done.out)
    assert (document["willingness_to_pay"], document["perspective"]) == (5000, "programme")
    known = pd.read_csv(tmp_path / "r/worth_knowing.csv")
    assert set(known["name"]) == {"beta", "d", "q_in"}
    looked = pd.read_csv(tmp_path / "r/worth_looking.csv")
    assert looked["study"].tolist()[:2] == ["a survey of 200 teachers", "a survey of 2,000 teachers"]
    assert looked["value"].between(0, document["evpi"]).all()
    runs = pd.concat(pd.read_parquet(path) for path in sorted((sweep / "results").glob("part-*.parquet")))
    spent = runs[[name for name in runs if name.startswith("spent_")]].sum(axis=1).groupby(runs["design"].astype(str)).mean()
    budget = pd.read_csv(tmp_path / "r/budget.csv").groupby("design")["cost"].sum()
    for design in ("regional_hub", "virtual"):
        assert budget[design] == pytest.approx(spent[design])


def test_a_sweep_that_is_not_broken_down_says_what_it_did_not_record(tmp_path):
    assert program("sweep", *SWEPT, "--designs", "none,virtual", "--sample", "sobol:32", "--out", "w", cwd=tmp_path).code == 0
    succeed("recommend", "w", "--out", "r", cwd=tmp_path)
    assert "did not record its runs by year and payer" in (tmp_path / "r/report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        *(("recommend", "--set", "p=0.01"), ("recommend", "--designs", "virtual"), ("recommend", "--seed", "0")),
        *(("sensitivity", "--vary", "p", "--method", "given"), ("sensitivity", "--n", "8", "--method", "pawn")),
    ],
)
def test_options_of_a_scenario_are_refused_of_a_study_that_is_made(sweep, tmp_path, words):
    done = program(words[0], sweep, *words[1:], cwd=tmp_path)
    assert (done.code, done.out) == (2, "") and f"{words[1]}: is of a scenario, and {sweep} is none; leave it out" in done.err
    assert not list(tmp_path.iterdir())


def test_what_is_no_study_or_not_finished_or_not_comparable_is_refused(simulation, sweep, tmp_path):
    (tmp_path / "empty").mkdir()
    shutil.copytree(sweep, tmp_path / "cut")
    next((tmp_path / "cut/results").glob("part-*")).unlink()
    shutil.copytree(sweep, tmp_path / "harmed")
    next((tmp_path / "harmed/results").glob("part-*")).write_bytes(b"no Parquet")
    assert program("sweep", *SWEPT, "--designs", "virtual,bottom_up", "--sample", "sobol:8", "--out", "without", cwd=tmp_path).code == 0
    assert program("sweep", *SWEPT, "--designs", "none", "--sample", "sobol:8", "--out", "alone", cwd=tmp_path).code == 0
    for study, said in (
        ("empty", "holds no study"),
        ("nowhere", "no scenario 'nowhere'"),
        (simulation.folder, "is a study of simulate"),
        ("cut", "runs are missing (chunk 0); complete it with run.py sweep ... --out cut --resume"),
        ("harmed", "is damaged"),
        ("without", "holds no runs of 'none'"),
        ("alone", "holds no design but 'none'"),
    ):
        done = program("recommend", study, "--out", "r", cwd=tmp_path)
        assert (done.code, done.out, said in done.err) == (2, "", True), done
        assert not (tmp_path / "r").exists()
    wrong = program("recommend", sweep, "--perspective", "ministry", "--out", "r", cwd=tmp_path)
    assert (wrong.code, "no perspective named 'ministry'" in wrong.err) == (2, True)
