"""`run.py recommend` of another model's sample: its own names throughout, the same from any form of files; what it cannot say is said."""

import json

import numpy as np
import pandas as pd
import pytest

from .program import program, succeed, tree

LONG = ("--columns", "design=Strategy,parameter_set=Iteration,cost=Total,effect=QALYs")
TERMS = ("--comparator", "usual care", "--unit", "QALY", "--k", "20")
RNG = np.random.default_rng(8)
PARAMETERS = pd.DataFrame(RNG.normal(size=(200, 2)), columns=["slope", "p"]).rename_axis("Iteration")
EFFECTS = pd.DataFrame({"usual care": 1.0, "new": 1.0 + PARAMETERS["slope"], "newer": 1.2 + PARAMETERS["slope"] / 2})
COSTS = pd.DataFrame({"usual care": 10.0, "new": 20.0 + PARAMETERS["p"], "newer": 15.0}, index=PARAMETERS.index)
WIDE = ("costs.csv", "--effects", "effects.parquet", "--parameters", "parameters.csv", "--columns", "parameter_set=Iteration")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the sample in both forms, as a spreadsheet with decimal commas and others write it."""
    table = pd.concat({"Total": COSTS.stack(), "QALYs": EFFECTS.stack()}, axis=1).rename_axis(["Iteration", "Strategy"]).reset_index()
    table.join(PARAMETERS, on="Iteration").to_csv(tmp_path / "long.csv", sep=";", decimal=",", index=False)
    COSTS.to_csv(tmp_path / "costs.csv")
    EFFECTS[["newer", "usual care", "new"]].iloc[::-1].to_parquet(tmp_path / "effects.parquet")
    PARAMETERS.iloc[::-1].to_csv(tmp_path / "parameters.csv")
    return tmp_path


def test_both_forms_give_the_same_answer_in_the_words_of_the_sample(folder):
    found = [
        json.loads(succeed("recommend", *words, *TERMS, "--json", "--out", f"r{number}", cwd=folder).out)
        for number, words in enumerate((("long.csv", *LONG), WIDE))
    ]
    assert found[0]["answer"] == found[1]["answer"]
    assert found[0]["evpi"] == pytest.approx(found[1]["evpi"], rel=1e-12)
    benefit = 20 * EFFECTS - COSTS
    assert found[0]["evpi"] == pytest.approx(benefit.max(axis=1).mean() - benefit.mean().max())
    assert [row["name"] for row in found[0]["worth_knowing"]] == ["slope"]
    html = (folder / "r1/report.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert "usual care" in html
    assert "added QALYs" in html
    assert "What is left out" in html
    for word in ("adopter-year", "no programme", "doing nothing", "abandonment"):  # nor what p is in this model
        assert word not in html, word
    again = succeed("rerun", "r1", "--out", "again", cwd=folder)
    assert "Same" in again.out


def test_the_answer_is_printed_with_what_was_taken_for_granted(folder):
    COSTS.to_csv(folder / "costs.csv", index=False)
    done = program("recommend", "costs.csv", "--effects", "costs.csv", *TERMS, "--out", "r", cwd=folder)
    assert (done.code, done.err) == (0, "notice: no column parameter_set: rows of the same number are taken for the same parameter set\n")
    assert "If an added QALY is worth EUR 20, " in done.out


REFUSED = {
    "no encoding": (("long.csv", *TERMS, "--encoding", "foo"), "--encoding foo: 'foo' is no encoding; allowed: cp1250"),
    "no comparator": (WIDE, "--comparator: names none of several designs: 'none'; there are usual care, new, newer"),
    "an unknown comparator": ((*WIDE, "--comparator", "usual"), "comparator: no design 'usual'; did you mean 'usual care'?"),
    "a blank cell": (("blank.csv", *WIDE[1:], *TERMS), "costs, new, row '3': nan is not a finite number"),
    "a word": (("word.csv", *WIDE[1:], *TERMS), "word.csv, row 5, column new: found 'n/a'; give a number"),
    "no such file": (("gone.csv", *TERMS), "gone.csv: there is no such file"),
    "no such column": (
        ("long.csv", *TERMS),
        "long.csv, row 1: the column 'design' is missing (found 'Iteration', 'Strategy', 'Total', 'QALYs', 'slope')",
    ),
    "a mapped column that is not there": (
        ("long.csv", "--columns", "design=Arm", *TERMS),
        "--columns design=Arm: long.csv has no column 'Arm'",
    ),
    "parameters of a long table": (("long.csv", *LONG, "--parameters", "parameters.csv"), "--parameters: goes with --effects"),
    "effects of a scenario": (("mensi-pilot", "--effects", "effects.parquet"), "--effects effects.parquet: belongs to a sample"),
    "no Parquet": (("bad.parquet", *TERMS), "bad.parquet: cannot be read as Parquet"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_in_one_line(folder, case):
    words, says = REFUSED[case]
    blank = COSTS.copy()
    blank.loc[3, "new"] = np.nan
    blank.to_csv(folder / "blank.csv")
    blank.to_csv(folder / "word.csv", na_rep="n/a")
    (folder / "bad.parquet").write_bytes(b"Iteration,Total\n1,2\n")
    before = tree(folder)
    done = program("recommend", *words, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1
    assert tree(folder) == before
