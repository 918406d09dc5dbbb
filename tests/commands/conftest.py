"""Studies that several tests look at; each is made once."""

from pathlib import Path
from typing import NamedTuple

import pytest

from school_mentoring.model.compiled import is_warm

from .program import QUICK, Done, program, succeed


class Made(NamedTuple):
    """A study and how it was made."""

    folder: Path
    done: Done


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile the engine once, so that no test's own time includes it."""
    if not is_warm():
        program("simulate", *QUICK[:-2], cwd=tmp_path_factory.mktemp("compile"))


def _made(cwd: Path, *arguments: str) -> Made:
    """Make a study as its user does, in a process of its own."""
    return Made(cwd / "study", succeed(*arguments, "--out", "study", cwd=cwd, environment={}))


@pytest.fixture(scope="session")
def comparison(compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return _made(tmp_path_factory.mktemp("compare"), "compare", *QUICK, "--threads", "1")


@pytest.fixture(scope="session")
def again(compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make the same comparison on two threads, printed as JSON."""
    return _made(tmp_path_factory.mktemp("again"), "compare", *QUICK, "--threads", "2", "--json")


@pytest.fixture(scope="session")
def simulation(compiled: None, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return _made(tmp_path_factory.mktemp("simulate"), "simulate", *QUICK[:-2], "--design", "bottom_up", "--per-school")
