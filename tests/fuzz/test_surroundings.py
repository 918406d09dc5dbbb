"""Where a program may find itself: a disk that is full or read-only, no home, another locale, an output nobody reads, Ctrl-C at any moment.

A few of what ``python -m benchmarks.fuzz --surroundings`` tries with every command.
"""

import pytest

from .surroundings import at_once, faults_in, interrupted, shards_at_once, spread

TRIED = [
    ("a folder with spaces and accents", "simulate"),
    ("the C locale in a folder with accents", "compare"),
    ("a HOME that is not there", "simulate"),
    ("a folder that is read-only", "sweep"),
    ("a folder that is read-only", "new"),
    ("a scenario that may not be read", "validate"),
    ("schools that may not be read", "validate"),
    ("a disk with no room", "sweep"),
    ("a standard output that nobody reads", "parameters"),
    ("a standard output that is full", "parameters"),
    ("no standard output", "validate"),
]


@pytest.mark.parametrize(("surroundings", "command"), TRIED)
def test_a_command_ends_well_in(surroundings, command, tmp_path):
    assert faults_in(surroundings, command, tmp_path) == []


def test_two_runs_at_once_in_one_folder_leave_a_whole_study(tmp_path):
    assert at_once("simulate", tmp_path / "both") == []


@pytest.mark.parametrize("seconds", [0.03, 0.08, 0.2, 0.6])
def test_ctrl_c_at_the_start_says_one_line_and_leaves_nothing(seconds, tmp_path):
    assert interrupted("simulate", tmp_path / "cut", seconds) == []


@pytest.mark.parametrize("option", ["--workers=1000", "--shard=3/2", "--scheduler=ftp://127.0.0.1:1", "--scheduler=tls://127.0.0.1:9"])
def test_a_sweep_is_spread_as_asked_or_refused(option, tmp_path):
    assert spread(option, tmp_path / "spread") == []


def test_shards_at_once_make_the_sweep_that_one_process_makes(tmp_path):
    assert shards_at_once(2, tmp_path / "shards") == []
