"""Commands cut short: by Ctrl-C, by a crash, by a full disk. What was there stays, nothing half-written is left."""

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from school_mentoring import open_study
from school_mentoring.analysis.commands.program import interrupt_again

from .program import QUICK, TRACES, assert_intact, files, finish, program, said, started, succeed, tree

LONG = ("--set", "world.schools_per_region=400", "--replicates", "3000", "--designs", "regional_hub")
MOST_WAITING = 120.0


def wait_until(condition, process: subprocess.Popen[str]) -> None:
    """Wait until something is so while a process runs."""
    since = time.monotonic()
    while not condition():
        assert process.poll() is None, finish(process)
        assert time.monotonic() - since < MOST_WAITING
        time.sleep(0.005)


def drafts(folder: Path) -> list[Path]:
    """Return the hidden folders in which a study is being written."""
    return [path for path in folder.iterdir() if path.name.startswith(".study-")]


def runs_the_engine(process: subprocess.Popen[str]) -> bool:
    """Tell whether a process has started its worker threads: one for each of two processors, besides the first."""
    return len(os.listdir(f"/proc/{process.pid}/task")) > 2  # noqa: PTH208


@pytest.fixture
def earlier(comparison, tmp_path) -> dict[str, str]:
    """Put an earlier study where the next is to be written, and return its files."""
    shutil.copytree(comparison.folder, tmp_path / "study")
    return files(tmp_path / "study")


def assert_interrupted(process: subprocess.Popen[str]) -> None:
    done = finish(process)
    assert (done.code, said(done.err)) == (130, ["interrupted: nothing was written"])


def test_ctrl_c_while_the_engine_runs_leaves_nothing(tmp_path):
    process = started("compare", *LONG, "--threads", "2", "--out", "study", cwd=tmp_path)
    wait_until(lambda: runs_the_engine(process), process)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert_interrupted(process)
    assert tree(tmp_path) == []


def test_ctrl_c_while_the_compiler_calls_back_is_not_lost(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", interrupt_again)
    called_back = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        for _ in range(100):
            called_back()  # which drops the exception, as ctypes does of all that its callbacks raise
            time.sleep(0.1)


def test_ctrl_c_while_the_study_is_written_leaves_nothing(tmp_path):
    process = started("compare", *QUICK, "--out", "study", cwd=tmp_path)
    wait_until(lambda: drafts(tmp_path), process)
    process.send_signal(signal.SIGINT)
    assert_interrupted(process)
    assert tree(tmp_path) == []


def test_ctrl_c_while_the_study_is_written_keeps_an_earlier_one(earlier, tmp_path):
    process = started("compare", *QUICK, "--seed", "9", "--out", "study", cwd=tmp_path)
    wait_until(lambda: drafts(tmp_path), process)
    process.send_signal(signal.SIGINT)
    assert_interrupted(process)
    assert [path.name for path in tmp_path.iterdir()] == ["study"]
    assert files(tmp_path / "study") == earlier


@pytest.mark.parametrize("stage", ["engine", "tables", "figures"])
def test_a_crash_keeps_an_earlier_study_readable(earlier, tmp_path, stage):
    process = started("compare", *QUICK, "--seed", "9", "--out", "study", cwd=tmp_path)
    reached = {
        "engine": lambda: runs_the_engine(process),
        "tables": lambda: drafts(tmp_path),
        "figures": lambda: any((draft / "figures").is_dir() for draft in drafts(tmp_path)),
    }[stage]
    wait_until(reached, process)
    process.kill()
    assert finish(process).code == -signal.SIGKILL
    assert files(tmp_path / "study") == earlier
    pd.testing.assert_frame_equal(
        open_study(tmp_path / "study").runs()[["design"]], pd.read_parquet(tmp_path / "study/runs.parquet")[["design"]]
    )
    if stage == "figures":  # what the crash left beside it stands in nobody's way
        succeed("compare", *QUICK, "--seed", "9", "--out", "study", cwd=tmp_path)
        assert_intact(tmp_path / "study")
        assert json.loads((tmp_path / "study" / "study.json").read_text(encoding="utf-8"))["seed"] == 9


# The limit on the size of a file stands for a full disk: it makes writing fail in the same place, without the right to mount one.
# 1 KB stops the first table, 30 KB the figures.
@pytest.mark.parametrize(("name", "limit"), [("compare", 1_000), ("compare", 30_000), ("simulate", 1_000)])
def test_a_full_disk_leaves_no_half_study(earlier, tmp_path, name, limit):
    arguments = QUICK if name == "compare" else QUICK[:-2]
    for out, before in (("study", earlier), ("other", {})):
        done = program(
            *(name, *arguments, "--json", "--out", out),
            cwd=tmp_path,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        assert done.code == 2, done
        assert done.out == ""
        assert done.err.startswith(f"error: --out {out}: ")
        assert done.err.endswith("; free space or give another folder\n") and done.err.count("\n") == 1
        assert not any(trace in done.err.removeprefix("error: ") for trace in TRACES)
        assert files(tmp_path / out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_a_full_disk_leaves_no_half_scenario(tmp_path):
    done = program("new", "mine", cwd=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    assert done[:3] == (2, "", "error: mine.yaml: cannot be written (File too large); give a folder you may write to\n")
    assert tree(tmp_path) == []
