"""`run.py optimise` over phases and countries: from the command line to programmes that other commands read; resumed, refused."""

import json
import shutil
from html import unescape

import pandas as pd
import pytest

from school_mentoring.experiments.search.archive import design_of
from school_mentoring.model.designs import Design
from school_mentoring.model.programmes import Programme
from school_mentoring.scenarios import load_scenario

from .program import SMALL, program, succeed

TINY = (*SMALL, "--months", "26", "--designs", "none,bottom_up", "--replicates", "3", "--population", "8", "--evaluations", "24")
WHERE = ("--phases", "2", "--by-country", "--space", "months=9:12", "--space", "phase_2.at_least=0.1:0.4", "--space", "IT.tier=hub")
ASKED = (*TINY, *WHERE, "--budget", "60000", "--budget", "400000", "--budget-risk", "0.34", "--out", "study")


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Make one search of programmes of two phases by country, as JSON."""
    cwd = tmp_path_factory.mktemp("search")
    return cwd / "study", succeed("optimise", *ASKED, "--threads", "1", "--json", cwd=cwd)


def found_in(folder):
    rows = pd.read_csv(folder / "designs.csv").to_dict("records")
    return {row["design"]: design_of(row) for row in rows}


def test_what_is_tried_and_found_are_programmes_within_the_space(search):
    folder, done = search
    tried = [design_of(row) for row in pd.read_parquet(folder / "evaluations.parquet").to_dict("records")]
    assert len(tried) == 24
    programmes = [design for design in tried if isinstance(design, Programme)]
    assert len(programmes) > 12
    phased = [track for design in programmes for track in design.by_country.values() if isinstance(track, tuple)]
    assert any(track[1].gate is not None for track in phased)
    assert {phase.months for track in phased for phase in track} <= {9, 10, 11, 12, 20 - 12, 20 - 11}  # the last one cut at the horizon
    for design in programmes:
        italy = design.by_country["IT"]
        assert {part.tier for part in ([italy] if isinstance(italy, Design) else italy)} <= {"hub", "none"}
    best = pd.read_csv(folder / "best.csv")
    assert best["probability_over_budget"].between(0, 1).all()
    document = json.loads(done.out)
    assert len(document["best"]) == len(best) > 0
    names = set(best["design"])
    assert names < set(found_in(folder))
    assert any("might exceed a budget" in line for line in document["said"])
    words = pd.read_csv(folder / "designs.csv").set_index("design")["in_words"]
    assert all(any(words[name] in line for line in document["said"]) for name in names)
    assert not (folder / "figures/designs_by_cost.png").exists()  # programmes have no columns of fields
    assert (folder / "figures/front.png").is_file()


def test_every_programme_that_was_found_goes_through_its_scenario_into_a_comparison(search, tmp_path):
    folder, _ = search
    found = found_in(folder)
    there = {}
    for name in ("designs.yaml", "rivals.yaml"):
        there |= load_scenario(folder / name).designs
        assert program("validate", folder / name, cwd=tmp_path).code == 0
    assert there == found
    done = program("compare", folder / "designs.yaml", "--replicates", "2", "--set", "draws=2", "--json", "--out", "c", cwd=tmp_path)
    assert done.code == 0
    assert {"none", "bottom_up"} < set(json.loads(done.out)["designs"])


def test_a_recommendation_of_it_says_what_the_programmes_are(search, tmp_path):
    folder, _ = search
    succeed("recommend", folder, "--out", "r", cwd=tmp_path)
    report = unescape((tmp_path / "r/report.html").read_text(encoding="utf-8")).replace("\N{NO-BREAK SPACE}", " ")
    words = pd.read_csv(folder / "designs.csv").set_index("design")["in_words"]
    assert len(words) > 2
    for sentence in words:
        assert sentence in report


def test_it_is_resumed_and_made_again_to_the_same_bytes(search, tmp_path):
    folder, done = search
    shutil.copytree(folder, tmp_path / "study")
    sorted((tmp_path / "study/generations").glob("part-*"))[-1].unlink()
    (tmp_path / "study/best.csv").unlink()
    resumed = program("optimise", *ASKED, "--json", "--resume", "--threads", "2", cwd=tmp_path)
    assert (resumed.code, resumed.out) == (0, done.out)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "study.json" and not path.name.startswith("."):
            assert path.read_bytes() == (tmp_path / "study" / path.relative_to(folder)).read_bytes(), path.name
    again = program("rerun", "study", "--out", "again", cwd=tmp_path)
    assert again.code == 0, again.err
    assert (tmp_path / "again/best.csv").read_bytes() == (folder / "best.csv").read_bytes()
    other = program("optimise", *ASKED, "--resume", "--budget-risk", "0.1", cwd=tmp_path)
    assert (other.code, "differs in search.budget_risk: 0.34 there, 0.1 now" in other.err) == (2, True)


def test_a_programme_of_the_scenario_is_compared_with_plain_designs_that_are_searched(tmp_path):
    (tmp_path / "own.yaml").write_text(
        "months: 26\ndesigns:\n  piloted: {phases: [{months: 9, design: bottom_up}, {months: 6, design: bottom_up, places: 6}]}\n"
    )
    options = (*SMALL, "--replicates", "3", "--population", "8", "--evaluations", "8", "--out", "study")
    done = program("optimise", "own.yaml", *options, cwd=tmp_path)
    assert done.code == 0
    assert "The space searched does not hold piloted" in " ".join(done.out.split())
    assert isinstance(found_in(tmp_path / "study")["piloted"], Programme)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--budget-risk", "1"), "--budget-risk 1: is no share of runs; allowed: 0 to below 1, for example 0.1"),
        (("--space", "phase_2.teir=hub"), "did you mean 'phase_2.tier'?"),
        (("--space", "PL.tier=hub"), "no field of a phase named 'PL.tier'"),
        (("--space", "last_month=30"), "no field of a phase named 'last_month'"),
        (
            ("--phases", "3", "--designs", "none,outreach,top_down,regional_hub,virtual,bottom_up,hybrid,specialist"),
            "--phases 3 --by-country: what is found could be 440 designs, phases and places in all, and a scenario holds no more than 400",
        ),
    ],
)
def test_bad_input_is_refused_before_any_work(arguments, said, tmp_path):
    done = program("optimise", *ASKED, *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert not (tmp_path / "study").exists()
