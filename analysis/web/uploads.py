"""What comes up: a scenario or a table of schools, checked with the words of the command line."""

import re
from dataclasses import replace
from pathlib import Path

from experiments.check import check_files
from model.errors import InputError
from scenarios import COMPARATOR, uploaded_scenario

from .sessions import Session, Sessions
from .state import MOST_DESIGNS, Named, PageState, begun_from, state_of
from .texts import text

__all__ = ["upload"]


def upload(name: str, content: bytes, state: PageState, session: Session, sessions: Sessions) -> tuple[PageState, str]:
    """Return the page with what came up, and what is said of it. Raises InputError as ``run.py validate`` does; then nothing is kept."""
    name = _plain_name(name)
    if Path(name).suffix.lower() in (".yaml", ".yml", ""):
        scenario = uploaded_scenario(content, name)
        said = text("form.uploaded_scenario", name=name, count=len(scenario.designs))
        new = state_of(scenario, begun_from(scenario))
        if len(scenario.designs) - (COMPARATOR in scenario.designs) > MOST_DESIGNS:
            said += " " + text("form.dropped_designs", count=len(scenario.designs), most=MOST_DESIGNS)
        return replace(new, view=state.view), said
    digest, path = sessions.draft(content, name)
    try:
        lines = check_files([str(path)], state.scenario)
    except InputError as error:
        sessions.drop(path)
        raise InputError(
            error.where.replace(str(path), name), error.problem.replace(str(path), name), error.allowed.replace(str(path), name)
        ) from None
    except BaseException:
        sessions.drop(path)
        raise
    sessions.keep(session, digest, path)
    return replace(state, schools=Named(name, digest)), lines[0].replace(str(path), name)


def _plain_name(name: str) -> str:
    """Return the last part of a file's name, without anything a folder or a terminal might read something into."""
    last = re.split(r"[\\/]", name)[-1]
    plain = re.sub(r"[^\w. -]", "_", last, flags=re.ASCII).lstrip(".").strip()
    suffix = Path(plain).suffix[:10]
    return plain[: 80 - len(suffix)].removesuffix(suffix) + suffix if plain else "schools.csv"
