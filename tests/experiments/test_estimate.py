"""What a sweep is said to take before it begins, and when it waits for a yes."""

import re
import time

import pytest

from school_mentoring.experiments.sweep import execution as module
from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.execution import Estimate, estimate, plan_with_estimate
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.experiments.variables import chosen_variables
from school_mentoring.model.errors import InputError
from tests.experiments.sweeps import made, small

VARY = ["gamma=0.5:1.5"]


def planned(sampling, *, yes=False, replicates=3, vary=VARY):
    return plan_with_estimate(small(replicates=replicates), vary, sampling, random="common", chunk=None, yes=yes, threads=1)


def test_runs_are_counted():
    assert estimate(small(), chosen_variables(small(), VARY), "sobol:100", 1).runs == 100 * 3 * 3
    assert estimate(small(), chosen_variables(small(), [*VARY, "top_down.scope"]), "grid:10", 1).runs == 10 * 4 * 3 * 3


def test_the_time_is_that_of_the_sweep_within_a_factor_of_three():
    """Three: a machine that does other work at the same time may be that much slower in one of the two."""
    scenario = small(months=60)
    found = estimate(scenario, chosen_variables(scenario, VARY), "lhs:2000", 1)
    sweep = Sweep(plan_sweep(scenario, VARY, "lhs:2000", chunk=6000), threads=1)
    started = time.perf_counter()
    sweep.chunk(0)
    seconds = time.perf_counter() - started
    assert seconds / 3 < found.seconds < seconds * 3


SIZES = {
    "one chunk": (VARY, "lhs:2000", {}),
    "many small chunks": (VARY, "lhs:60", {"chunk": 4}),
    "a chunk larger than the trial": (VARY, "lhs:4000", {}),
    "broken down": (VARY, "lhs:200", {"broken_down": True}),
    "broken down, in small chunks": (VARY, "lhs:20", {"broken_down": True, "chunk": 5}),
    "all that is uncertain, which makes the sets as large as the runs": ((), "lhs:400", {"replicates": 1}),
    "a handful of runs": (VARY, "lhs:2", {}),
}


@pytest.mark.parametrize("case", SIZES)
def test_the_disk_is_what_the_folder_takes_within_30_percent(tmp_path, case):
    vary, sampling, options = SIZES[case]
    replicates, chunk, broken_down = options.get("replicates", 3), options.get("chunk"), options.get("broken_down", False)
    scenario = small(replicates=replicates)
    told = estimate(scenario, chosen_variables(scenario, vary), sampling, 1, chunk=chunk, broken_down=broken_down).size
    taken = sum(
        len(data) for data in made(tmp_path / "s", plan_sweep(scenario, vary, sampling, chunk=chunk, broken_down=broken_down)).values()
    )
    assert 0.7 * taken < told < 1.3 * taken, (told, taken)


def test_a_shard_is_told_its_own_share():
    def told(shard):
        return plan_with_estimate(
            small(), VARY, "lhs:100", random="common", chunk=30, yes=False, threads=1, shard=shard
        )[1]  # fmt: skip

    assert re.match(r"900 runs, about \d+ seconds on this machine and \d+(\.\d)? kB on disk; 10 chunks$", told((1, 1)))
    assert re.match(r"shard 3/4: 180 runs, about \d+ seconds on this machine and \d+(\.\d)? kB on disk; 2 of 10 chunks$", told((3, 4)))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(1200, 4.2, 2.5e6), "1,200 runs, about 4 seconds on this machine and 2.5 MB on disk"),
        (Estimate(12, 0.2, 23_400.0), "12 runs, about 0 seconds on this machine and 23.4 kB on disk"),
        (Estimate(10**7, 5400.0, 3e9), "10,000,000 runs, about 1.5 hours on this machine and 3 GB on disk"),
        (Estimate(10**7, 90.0, 3e9), "10,000,000 runs, about 1.5 minutes on this machine and 3 GB on disk"),
        (Estimate(10**13, 3.2e9, 8.4e14), "1e+13 runs, about 101.4 years on this machine and 840,000 GB on disk"),
    ],
)
def test_an_estimate_in_words(found, words):
    assert found.words() == words


def test_a_short_sweep_needs_no_yes():
    plan, words = planned("lhs:4")
    assert plan.runs == 36
    assert re.match(r"36 runs, about 0 seconds on this machine and \d", words)


@pytest.mark.parametrize("sampling", ["sobol:1000000000", "grid:1000000000", "lhs:99999999999999999999"])
def test_more_sets_than_a_study_holds_are_refused_with_what_they_would_take(sampling):
    with pytest.raises(InputError) as caught:
        planned(sampling, yes=True)
    assert re.search(
        r"gives \S+ parameter sets; \S+ runs, about .* (days|years) on this machine and .* GB on disk; allowed: at most 16,777,216 sets",
        str(caught.value),
    )


@pytest.mark.parametrize(("seconds", "size"), [(3601.0, 1.0), (1.0, 5.1e9)])
def test_a_long_or_large_sweep_waits_for_a_yes(monkeypatch, seconds, size):
    monkeypatch.setattr(module, "estimate", lambda *_, **__: Estimate(36, seconds, size))
    with pytest.raises(InputError, match=r"sweep: this is 36 runs, .*; add --yes to run it all the same"):
        planned("lhs:4")
    assert planned("lhs:4", yes=True)[0].runs == 36


def test_a_table_of_sets_is_counted(tmp_path):
    (tmp_path / "sets.csv").write_text("gamma\n0.5\n1\n", encoding="utf-8")
    plan, words = planned(f"table:{tmp_path / 'sets.csv'}", vary=[])
    assert plan.sets["gamma"].tolist() == [0.5, 1.0]
    assert words == "18 runs; 1 chunks"
