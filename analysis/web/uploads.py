"""What comes up: a scenario or a table of schools, checked with the words of the command line."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from school_mentoring.experiments.check import check_files, kind_of
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import COMPARATOR, Scenario, uploaded_scenario

from .sessions import Session, Sessions
from .state import MOST_DESIGNS, Named, PageState, begun_from, state_of, with_schools
from .texts import text


def upload(
    name: str, content: bytes, state: PageState, session: Session, sessions: Sessions, check: Callable[[Scenario], object]
) -> tuple[PageState, str]:
    """Return the page with what came up, and what is said of it. Raises InputError as ``validate`` or ``check`` does, and keeps nothing."""
    name = _plain_name(name)
    if Path(name).suffix.lower() in (".yaml", ".yml", ""):
        scenario = uploaded_scenario(content, name)
        said = text("form.uploaded_scenario", name=name, count=len(scenario.designs))
        new = state_of(scenario, begun_from(scenario))
        if len(scenario.designs) - (COMPARATOR in scenario.designs) > MOST_DESIGNS:
            said += " " + text("form.dropped_designs", count=len(scenario.designs), most=MOST_DESIGNS)
        check(new.scenario)
        return replace(new, view=state.view), said
    digest, path = sessions.draft(content, name)
    try:
        line = _checked(path, name, state, check)
    except BaseException:
        sessions.drop(path)
        raise
    sessions.keep(session, digest, path)
    return replace(state, schools=Named(name, digest)), line


def _checked(path: Path, name: str, state: PageState, check: Callable[[Scenario], object]) -> str:
    """Return what ``run.py validate`` says of a table of schools, which it calls ``name``. Raises InputError as ``upload`` does."""
    try:
        kind = kind_of(str(path), state.scenario.world.dialect)
        if kind != "schools":
            raise InputError(name, f"holds {kind}, which the page does not take", "allowed: a scenario (.yaml) or schools.csv")
        said = check_files([str(path)], state.scenario)[0]
        check(with_schools(state, path).scenario)
        return " ".join([said.line, *(f"Notice: {notice}." for notice in said.notices)]).replace(str(path), name)
    except InputError as error:
        words = (one.replace(str(path), name) for one in (error.where, error.problem, error.allowed))
        raise InputError(*words) from None


def _plain_name(name: str) -> str:
    """Return the last part of a file's name, without anything a folder or a terminal might read something into."""
    last = re.split(r"[\\/]", name)[-1]
    plain = re.sub(r"[^\w. -]", "_", last, flags=re.ASCII).lstrip(".").strip()
    suffix = Path(plain).suffix[:10]
    return plain[: 80 - len(suffix)].removesuffix(suffix) + suffix if plain else "schools.csv"
