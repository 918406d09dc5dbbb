"""What long work says of itself on standard error: a line a minute, or a bar where it is a terminal."""

import re

import pytest

from school_mentoring.experiments import progress
from school_mentoring.experiments.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """Let the test say how many seconds have passed."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False)
    return now


def test_a_line_a_minute_tells_what_is_done_how_fast_and_how_long_it_takes(clock, capsys):
    with Progress() as shown:
        for clock[0], done in ((1.0, 0), (31.0, 300), (61.0, 600), (90.0, 900), (121.0, 1200)):
            shown.show("runs", done, 3000)
    assert capsys.readouterr().err.splitlines() == [
        "runs: 600 of 3,000, 10 a second, 4 min left",
        "runs: 1,200 of 3,000, 10 a second, 3 min left",
    ]


def test_a_minute_of_compiling_before_the_first_runs_are_done_is_no_minute_of_work(clock, capsys):
    with Progress() as shown:
        for clock[0], what, done in ((70.0, "base parameters", 3), (75.0, "drawn parameters", 9), (131.0, "figures", 1)):
            shown.show(what, done, 9)
    assert capsys.readouterr().err == "figures: 1 of 9\n"


def test_after_a_stall_in_which_nothing_was_done_no_time_is_foretold(clock, capsys):
    with Progress() as shown:
        for clock[0], done in ((0.0, 0), (70.0, 0), (140.0, 2)):
            shown.show("runs", done, 100)
    stalled, slow = capsys.readouterr().err.splitlines()
    assert stalled == "runs: 0 of 100"
    assert re.fullmatch(r"runs: 2 of 100, 0\.9 a minute, 114 min left", slow)


def test_what_was_there_before_a_resume_does_not_count_as_speed(clock, capsys):
    with Progress() as shown:
        for clock[0], done in ((0.0, 5000), (60.0, 5060)):
            shown.show("runs", done, 5660)
    assert capsys.readouterr().err == "runs: 5,060 of 5,660, 1 a second, 10 min left\n"


def test_the_time_left_follows_the_pace_of_the_last_minutes_and_ends_in_seconds(clock, capsys):
    """Ten minutes of 10 runs a second, then a run in 10 seconds to the end at 1,800 s: right within 30 % five lines later, to the last."""
    with Progress() as shown:
        for now in range(0, 1801, 10):
            clock[0] = float(now)
            shown.show("runs", min(10 * now, 6000) + max(0, now - 600) // 10, 6120)
    lines = [re.search(r", ([\d,]+) (min|s) left", line) for line in capsys.readouterr().err.splitlines()]
    told = {60 * (k + 1): float(line[1]) * (60.0 if line[2] == "min" else 1.0) for k, line in enumerate(lines)}
    assert len(told) == 30 and told[1800] == 0.0
    assert all(abs(told[now] - (1800 - now)) <= 0.3 * (1800 - now) for now in range(960, 1800, 60)), told
    assert told[1740] == 60.0


def test_on_a_terminal_a_bar_tells_each_stage_in_turn(clock, capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with Progress() as shown:
        for clock[0], what, done, total in ((0, "runs", 0, 3000), (10, "runs", 3000, 3000), (20, "report", 0, 2), (20.5, "report", 1, 2)):
            shown.show(what, done, total)
    frames = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
    assert re.search(r"runs +━+ 3000/3000 300 a second", frames)
    assert re.search(r"report +[━╸╺ ]+1/2 +2 a second", frames)


def test_where_no_compiled_code_is_there_yet_that_is_said_first(capsys, monkeypatch):
    for warm, said in ((True, ""), (False, "Compiling the engine, once for this version (about a minute) ...\n")):
        monkeypatch.setattr("school_mentoring.model.compiled.is_warm", lambda warm=warm: warm)
        progress.announce_compilation()
        assert capsys.readouterr().err == said
