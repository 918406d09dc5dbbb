"""``run.py serve`` as a process: what it cannot do is refused in one line, damaged requests are survived, Ctrl-C ends it."""

import signal

import pytest

from .serving import faults_of_requests, served, stopped, taken_port

SMALL = ("small.yaml", "--port=0")


@pytest.mark.parametrize(
    "words",
    [
        ("--host=" + "x" * 300,),
        ("--root-path=page",),
        ("--allow-host=http://school.example",),
        ("--mesa", "--root-path=/page"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(words, tmp_path):
    assert served([*SMALL, *words], tmp_path) == ("refused", [])


@pytest.mark.parametrize("words", [(), ("--mesa",)])
def test_a_port_that_is_taken_is_told_in_one_line(words, tmp_path):
    with taken_port() as port:
        assert served(["small.yaml", f"--port={port}", *words], tmp_path) == ("refused", [])


@pytest.mark.parametrize(
    ("words", "how"), [(("--root-path=/what/if/", "--allow-host=School.Example"), signal.SIGINT), ((), signal.SIGTERM)]
)
def test_the_page_is_where_it_says_until_it_is_stopped(words, how, tmp_path):
    assert served([*SMALL, *words], tmp_path, how) == ("listening", [])


@pytest.mark.parametrize("seconds", [0.2, 1.5])
def test_ctrl_c_while_it_starts_says_one_line_and_leaves_nothing(seconds, tmp_path):
    assert stopped(seconds, tmp_path) == []


def test_ctrl_c_ends_it_while_it_compiles(tmp_path):
    assert stopped(10, tmp_path, cold=True) == []  # by then it is within a function, which takes it a minute


def test_damaged_requests_are_answered_or_hung_up_on_and_nothing_is_left(tmp_path):
    answers, faults = faults_of_requests(60, "test", tmp_path)
    assert faults == []
    assert sum(answers.values()) == 60
