"""Sweeps that cannot be run: exit code 2 and one line that says why."""

import pytest

from tests.faults.command import SWEEP, swept

BASE = SWEEP[: SWEEP.index("--vary")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--vary", "gamma=0.5:1", "--sample", "sobol:1000000000"], "gives 1,000,000,000 parameter sets; 300,000,000,000 runs, about "),
        (["--vary", "gamma=0.5:1", "--sample", "grid:1000000000"], "gives 1,000,000,000 parameter sets; 300,000,000,000 runs, about "),
        (["--vary", "gama=0.5:1"], "--vary gama=0.5:1: nothing named 'gama' can be varied; did you mean 'gamma'?"),
        (["--vary", "gamma=1:0.5"], "--vary gamma=1:0.5: low 1 is above high 0.5; allowed: low <= high"),
        (["--sample", "table:no_such.csv"], "no_such.csv"),
        (["--vary", "gamma=0.5:1", "--shard", "3/2"], "--shard 3/2: is no shard"),
    ],
)
def test_a_sweep_that_cannot_be_run_is_refused_in_one_line(tmp_path, options, words):
    done = swept(tmp_path / "study", *options, base=BASE)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("error: ")
    assert words in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_of_no_parameters_is_refused(tmp_path):
    scenario = tmp_path / "fixed.yaml"
    scenario.write_text("extends: mensi-pilot-only\nuncertain: []\n", encoding="utf-8")
    done = swept(tmp_path / "study", base=[str(scenario)])
    assert done.code == 2
    assert done.err.startswith("error: --vary: nothing is varied; give --vary name=low:high")
    assert len(done.err.splitlines()) == 1
