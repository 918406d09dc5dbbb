"""`run.py optimise`: from the command line to a scenario that other commands read; resumed, interrupted, refused."""

import json
import shutil
import signal
from html import unescape

import pandas as pd
import pytest

from school_mentoring import open_study
from school_mentoring.analysis.describe import describe
from school_mentoring.analysis.outcomes import design_name
from school_mentoring.model.designs import design_from_row

from .program import SMALL, finish, program, started, succeed
from .test_interruption import wait_until

TINY = (*SMALL, "--months", "14", "--designs", "none,regional_hub,bottom_up", "--replicates", "3", "--population", "8")
ASKED = (*TINY, "--evaluations", "24", "--out", "study")


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Make one search, as JSON."""
    cwd = tmp_path_factory.mktemp("search")
    return cwd / "study", succeed("optimise", *ASKED, "--threads", "1", "--json", cwd=cwd)


def test_it_finds_designs_tells_where_the_own_ones_stand_and_writes_a_study(search):
    folder, done = search
    document = json.loads(done.out)
    best = pd.read_csv(folder / "best.csv")
    assert len(best) == len(document["best"]) > 0
    assert (best["effect_low"] <= best["effect"]).all()
    assert (best["effect"] <= best["effect_high"]).all()
    own = pd.read_csv(folder / "own.csv")
    assert set(own["design"]) == {"regional_hub", "bottom_up"}
    assert set(own["kind"]) == {"equal_cost", "equal_effect", "all_objectives"}
    tried = pd.read_parquet(folder / "evaluations.parquet")
    assert len(tried) == 24
    assert not tried.drop(columns=["generation", "effect", "cost_society", "cost_programme", "gap", "gap_rural"]).duplicated().any()
    for name in ("front", "designs_by_cost", "convergence"):
        assert (folder / f"figures/{name}.png").is_file()
    listed = json.loads((folder / "study.json").read_text())["files"]
    assert {"best.csv", "designs.yaml", "rivals.yaml", "runs.parquet"} <= set(listed)


def test_what_is_told_comes_from_runs_that_the_search_did_not_see(search):
    """The fresh runs are 400 of each design, each under its own parameter set; none agrees with the search's own means."""
    folder, _ = search
    runs = open_study(folder).runs(["effect_adopter_years", "cost_society"])
    assert set(runs.groupby("design", observed=True).size()) == {400}
    assert runs.groupby("design", observed=True)["parameter_set"].nunique().eq(400).all()
    table = runs.pivot(index="replicate", columns="design", values="effect_adopter_years")
    best = pd.read_csv(folder / "best.csv")
    for row in best.to_dict("records"):
        assert row["effect"] == pytest.approx((table[row["design"]] - table["none"]).mean())


def test_other_commands_read_the_scenario_of_what_was_found(search, tmp_path):
    folder, _ = search
    for name in ("designs.yaml", "rivals.yaml"):
        assert program("validate", folder / name, cwd=tmp_path).code == 0
    done = succeed("compare", folder / "designs.yaml", "--replicates", "2", "--set", "draws=2", "--json", "--out", "c", cwd=tmp_path)
    assert {"none", "regional_hub", "bottom_up"} < set(json.loads(done.out)["designs"])


def test_a_recommendation_of_a_search_says_what_the_designs_that_were_found_are(search, tmp_path):
    folder, _ = search
    succeed("recommend", folder, "--out", "r", cwd=tmp_path)
    report = unescape((tmp_path / "r/report.html").read_text(encoding="utf-8")).replace("\N{NO-BREAK SPACE}", " ")
    designs = pd.read_csv(folder / "designs.csv").set_index("design", drop=False)
    assert len(designs) > 3
    for name, row in designs.iterrows():
        assert f"{design_name(name).capitalize()}: {describe(design_from_row(row))}" in report


def test_the_same_search_on_two_threads_and_resumed_gives_the_same_bytes(search, tmp_path):
    folder, done = search
    again = succeed("optimise", *ASKED, "--threads", "2", "--json", cwd=tmp_path)
    assert again.out == done.out
    shutil.rmtree(tmp_path / "study/figures")
    parts = sorted((tmp_path / "study/generations").glob("part-*"))
    parts[-1].unlink()
    parts[0].write_bytes(b"damaged")
    (tmp_path / "study/best.csv").unlink()
    resumed = program("optimise", *ASKED, "--json", "--resume", cwd=tmp_path)
    assert (resumed.code, resumed.out) == (0, done.out)
    assert "is damaged (not the bytes that were written): its chunk is computed again" in resumed.err
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "study.json" and not path.name.startswith("."):
            assert path.read_bytes() == (tmp_path / "study" / path.relative_to(folder)).read_bytes(), path.name


def test_a_search_there_is_not_overwritten_and_another_is_not_mixed_in(search, tmp_path):
    shutil.copytree(search[0], tmp_path / "study")
    there = program("optimise", *ASKED, cwd=tmp_path)
    assert (there.code, there.err.strip()) == (
        2,
        "error: --out study: holds this search already; add --resume to complete it, or give another folder",
    )
    other = program("optimise", *ASKED, "--seed", "9", "--resume", cwd=tmp_path)
    assert (other.code, "holds a search that differs in scenario.seed: 1 there, 9 now" in other.err) == (2, True)


def test_ctrl_c_keeps_the_generations_that_are_done(tmp_path):
    long = (
        *SMALL,
        "--months",
        "60",
        "--designs",
        "none,regional_hub",
        "--replicates",
        "400",
        "--population",
        "20",
        "--evaluations",
        "2000",
    )
    process = started("optimise", *long, "--out", "study", cwd=tmp_path)
    wait_until(lambda: list((tmp_path / "study/generations").glob("part-*")), process)
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == 130
    assert "interrupted: what is finished is kept, go on with --resume" in done.err
    assert list((tmp_path / "study/generations").glob("part-*"))
    refused = program("recommend", "study", cwd=tmp_path)
    assert (refused.code, "is an unfinished search" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--objectives", "effect"), "effect and cost are always sought"),
        (("--objectives", "effect,cost,gaps"), "did you mean 'gap'?"),
        (("--perspective", "societal"), "did you mean 'society'?"),
        (("--budget", "0"), "is no budget"),
        (("--population", "50"), "is more than the 24 evaluations"),
        (("--draws", "9"), "is more than the 3 runs of a design"),
        (("--space", "stipends=1:2"), "did you mean 'stipend'?"),
        (("--designs", "none"), "no design of the scenario costs anything"),
    ],
)
def test_bad_input_is_refused_before_any_work(arguments, said, tmp_path):
    done = program("optimise", *ASKED, *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
