"""`--set`: the value of every run, drawn sets included; said wherever a command says something; never varied beside."""

import json

import pandas as pd
import pytest

from .program import QUICK, SMALL, program, succeed, tree

SAYS = "Fixed in every run: q_out at 0.06, km_rate at 0.4. Their uncertainty is left out of all that is said."
FIXED = ("--set", "km_rate=0.4", "--set", "q_out=0.06")


def one_line(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def test_a_set_value_is_that_of_the_drawn_sets_too_and_a_set_range_is_drawn_from_and_both_are_said(tmp_path):
    done = succeed("compare", *QUICK, *FIXED, "--set", "beta=0.08:0.09", "--out", "c", cwd=tmp_path)
    assert SAYS in one_line(done.out)
    sets = pd.read_parquet(tmp_path / "c/parameters.parquet")
    assert {"km_rate", "q_out"}.isdisjoint(sets)
    assert sets["beta"].between(0.08, 0.09).all()
    document = json.loads(succeed("recommend", "c", "--json", "--out", "r", cwd=tmp_path).out)
    said = [note for note in document["notes"] if note.startswith(("Apart", "Fixed"))]
    assert said == ["Apart from these draws, as stated or over ranges and choices of their own: beta.", SAYS]
    assert SAYS in one_line((tmp_path / "r/report.html").read_text(encoding="utf-8"))


def test_a_value_in_a_file_is_fixed_and_a_range_on_the_command_line_goes_before_it(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: mensi-pilot\nparameters: {km_rate: 0.4, q_out: 0.06}\n", encoding="utf-8")
    few = ("mine.yaml", *SMALL, "--replicates", "1", "--months", "12", "--designs", "none,regional_hub")
    swept = program("sweep", *few, "--vary", "q_out=0.01:0.02", "--sample", "lhs:2", "--json", "--out", "s", cwd=tmp_path)
    assert json.loads(swept.out)["notes"] == ["Fixed in every run: km_rate at 0.4. Its uncertainty is left out of all that is said."]
    wanted = ("--n", "8", "--max-runs", "500", "--vary", "beta", "--vary", "cover_share", "--outputs", "cost_total")
    sampled = program("sensitivity", *few, *wanted, "--json", "--out", "g", cwd=tmp_path)
    assert json.loads(sampled.out)["notes"][1:] == [SAYS]


BOTH = "--set beta=0.05: beta is to be fixed and varied at once; allowed: one of the two, or --set beta=low:high alone"
STIPEND = "--set regional_hub.stipend=10: regional_hub.stipend is to be fixed and varied at once; allowed: one of the two\n"
REFUSED = {
    "sweep, a name": (("sweep", "--set", "beta=0.05", "--vary", "beta"), BOTH),
    "sweep, a range": (("sweep", "--set", "gamma=1 beta=0.05", "--vary", "beta=0.01:0.1"), BOTH),
    "sweep, two ranges": (
        ("sweep", "--set", "beta=0.05:0.1", "--vary", "beta=0.01:0.1"),
        "--set beta=0.05:0.1: beta is given values twice",
    ),
    "sweep, a table": (("sweep", "--set", "beta=0.05", "--sample", "table:sets.csv"), BOTH),
    "a field": (("sweep", "--set", "regional_hub.stipend=10", "--vary", "regional_hub.stipend"), STIPEND),
    "the world": (
        ("sweep", "--set", "world.network=nearest", "--vary", "world.network"),
        "--set world.network=nearest: world.network is to be fixed and varied at once",
    ),
    "sensitivity": (("sensitivity", "--set", "beta=0.05", "--vary", "beta"), BOTH),
    "calibrate": (("calibrate", "--set", "beta=0.05", "--fit", "beta,p"), BOTH),
    "a file": (("sweep", "fixed.yaml", "--vary", "beta"), "--vary beta: is fixed at 0.05 by the scenario; allowed: beta=low:high"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_fixed_is_not_varied_beside(tmp_path, case):
    words, says = REFUSED[case]
    (tmp_path / "sets.csv").write_text("beta\n0.01\n0.02\n", encoding="utf-8")
    (tmp_path / "fixed.yaml").write_text("extends: mensi-pilot\nparameters: {beta: 0.05}\n", encoding="utf-8")
    before = tree(tmp_path)
    done = program(*words, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1
    assert tree(tmp_path) == before
