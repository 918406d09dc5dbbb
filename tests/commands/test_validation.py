"""`run.py validation`: one self-contained report, whose verdicts follow from the tables beside it."""

import json
import re

import pandas as pd
import pytest

from .program import SMALL, assert_intact, program, succeed


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validation")
    # Twenty schools a country: among four all are peers of all, whatever the network.
    done = succeed("validation", "--quick", "--json", "--out", folder / "out", *SMALL, "--set", "world.schools_per_region=20", cwd=folder)
    return folder / "out", json.loads(done.out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--designs", "none"), "--designs: there is no design to compare with none; allowed: one or more others"),
        (
            ("--set", "draws=100000"),
            "mensi-pilot: 22,406,400 runs of 480 schools over 72 months would take hours; "
            "allowed: fewer schools, as --set world.schools_per_region=20 makes, or fewer draws",
        ),
    ],
)
def test_what_cannot_be_looked_at_is_refused_before_it_begins(words, message, tmp_path):
    done = program("validation", *words, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1] == f"error: {message}"
    assert list(tmp_path.iterdir()) == []


def test_the_report_needs_nothing_else_and_shows_a_figure_for_each_part(made):
    folder, _ = made
    assert_intact(folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    pictures = {path.stem for path in (folder / "figures").glob("*.png")}
    assert {"critical_mass", "spillover", "exact", "convergence", "choices"} <= pictures
    assert text.count("<img ") == len(pictures)
    for section in ("pattern-2", "pattern-3", "anchors", "exact", "docking", "peer", "convergence", "choices", "face", "again"):
        assert f'<section id="{section}"' in text
    assert "This is the quick version" in text


def test_verdicts_are_those_of_the_tables(made):
    folder, document = made
    verdicts = {one["part"]: one for one in document["verdicts"]}
    readings = pd.read_csv(folder / "patterns.csv")
    assert set(readings["pattern"]) == {2, 3}
    for number in (2, 3):
        assert verdicts[f"pattern {number}"]["holds"] is bool(readings[readings["pattern"] == number]["holds"].all())
    docking = pd.read_csv(folder / "docking.csv")
    assert len(docking) == 11
    assert docking["differing"].sum() == 0 < docking["compared"].min()
    exact = pd.read_csv(folder / "exact.csv")
    assert verdicts["exact limits"]["holds"] is bool(exact["apart"].abs().max() <= 4) is True
    assert verdicts["structural choices"]["holds"] is None


def test_structural_choices_give_other_runs_of_the_same_designs_and_sets(made):
    folder, _ = made
    runs = pd.read_parquet(folder / "choices_runs.parquet")
    assert runs["variant"].nunique() == 14
    keys = ["design", "parameter_set", "replicate"]
    default = runs[runs["variant"] == "default"].set_index(keys)["effect_adopter_years"]
    for variant, mine in runs.groupby("variant"):
        effect = mine.set_index(keys)["effect_adopter_years"]
        assert effect.index.equals(default.index)
        assert variant == "default" or (effect != default).any()
    standings = pd.read_csv(folder / "choices.csv")
    for _, mine in standings.groupby("variant"):
        assert mine["net_benefit"].is_monotonic_decreasing
        assert mine["probability_best"].sum() == pytest.approx(1.0)
