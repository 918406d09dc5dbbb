"""Sweeps that are killed or interrupted: after a resume nothing tells them from one that was left alone."""

import os
import random
import re
import signal
import time

import pytest

from school_mentoring.experiments.sweep.plan import plan_sweep
from tests.commands.program import finish
from tests.experiments.sweeps import content, made, parts_of, small
from tests.faults.command import started, swept, wait_for_parts

KILLS, SEED, CHUNKS = int(os.environ.get("KILLS", "6")), 20240607, 40
"""Each kill takes seconds; 20 were tried, and more can be."""


def the_plan():
    """Return the plan of ``command.SWEEP``; a resume in this process saves the start of one."""
    return plan_sweep(small(replicates=2), ["gamma=0.5:1.5", "q_in=0.01:0.2"], "sobol:40", chunk=2)


@pytest.fixture(autouse=True)
def _no_commit(monkeypatch):
    """Let a commit made while the tests run not tell two studies apart."""
    monkeypatch.setenv("GIT_DIR", "/nonexistent")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the content of the folder of a sweep that was left alone."""
    folder = tmp_path_factory.mktemp("undisturbed") / "study"
    done = swept(folder)
    assert done.code == 0
    assert f"{CHUNKS} of {CHUNKS} chunks are done" in done.out
    return content(folder)


def test_a_sweep_killed_at_random_moments_is_completed_to_the_same_bytes(undisturbed, tmp_path):
    """A moment is a number of parts and a part of the time of a chunk, so that it lies within the work on any machine."""
    moments = random.Random(SEED)
    lost, partial = [], 0
    for number in range(KILLS):
        folder = tmp_path / f"study-{number}"
        wanted, pause = moments.randrange(-2, CHUNKS), moments.uniform(0.0, 0.02)
        with started(folder) as running:
            wait_for_parts(running, folder, wanted)
            time.sleep(pause)
            running.kill()
        there = parts_of(folder)
        assert all(undisturbed[path.relative_to(folder).as_posix()] == path.read_bytes() for path in there)
        partial += len(there) < CHUNKS
        before = {path: path.stat().st_mtime_ns for path in there}
        if made(folder, the_plan()) != undisturbed or any(path.stat().st_mtime_ns != when for path, when in before.items()):
            lost.append((number, wanted, pause))
    assert lost == []
    assert partial >= 0.7 * KILLS, "most kills must fall within the work"


def cut_off(tmp_path, signum, *wanted):
    """Return the folder of a sweep that got a signal each time it had written so many parts, and how its last process ended.

    The whole sweep takes a fraction of a second: where a busy machine let it end before the signal, it is begun anew in another folder.
    """
    for attempt in range(9):
        folder = tmp_path / f"study-{attempt}"
        for count in wanted:
            with started(folder, "--resume") as running:
                wait_for_parts(running, folder, count)
                running.send_signal(signum)
                done = finish(running)
        if wanted[-1] <= len(parts_of(folder)) < CHUNKS:
            return folder, done
    raise AssertionError("nine sweeps ran to their end as if no signal had come")


def test_a_sweep_killed_again_and_again_is_completed_by_the_command(undisturbed, tmp_path):
    folder, _ = cut_off(tmp_path, signal.SIGKILL, 5, 20)
    before = {path: path.stat().st_mtime_ns for path in parts_of(folder)}
    done = swept(folder, "--resume")
    assert done.code == 0
    assert f"{CHUNKS} of {CHUNKS} chunks are done" in done.out
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert content(folder) == undisturbed


def test_an_interrupted_sweep_keeps_what_is_finished(undisturbed, tmp_path):
    folder, done = cut_off(tmp_path, signal.SIGINT, 7)
    assert done.code == 130
    assert "Traceback" not in done.err
    assert content(folder).items() <= undisturbed.items()
    assert made(folder, the_plan()) == undisturbed


def test_two_processes_on_one_study_share_the_work(undisturbed, tmp_path):
    folder = tmp_path / "study"
    both = [started(folder, "--resume") for _ in range(2)]
    for running in both:
        assert finish(running).code == 0
    assert content(folder) == undisturbed


def test_shards_in_processes_of_their_own_make_the_same_bytes(undisturbed, tmp_path):
    folder = tmp_path / "study"
    both = [started(folder, "--shard", f"{i}/2") for i in (2, 1)]
    for running in both:
        assert finish(running).code == 0
    assert content(folder) == undisturbed


def test_the_command_names_a_damaged_part_and_makes_it_again(undisturbed, tmp_path):
    folder = tmp_path / "study"
    for name, data in undisturbed.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    cut, flipped = parts_of(folder)[3], parts_of(folder)[30]
    cut.write_bytes(cut.read_bytes()[:1000])
    data = bytearray(flipped.read_bytes())
    data[700] ^= 1
    flipped.write_bytes(data)
    done = swept(folder, "--resume")
    assert done.code == 0
    assert re.findall(r"(\S+) is damaged", done.err) == [str(cut), str(flipped)]
    assert content(folder) == undisturbed
