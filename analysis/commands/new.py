"""``run.py new``: a scenario to start from."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from school_mentoring.model.errors import InputError


def new(
    name: Annotated[str, Argument(help="Name of the scenario.")],
    out: Annotated[Path, Option(metavar="DIR", help="Folder to write NAME.yaml into.")] = Path(),
) -> None:
    """Write a commented scenario to start from, NAME.yaml."""
    from school_mentoring.experiments.sweep.store import write_atomically
    from school_mentoring.scenarios import template

    text = template(name)
    path = out / f"{name}.yaml"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise InputError(str(path), "exists already", "give another name, or remove it")
        write_atomically(path, text.encode())
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error.strerror})", "give a folder you may write to") from error
    print(f"{path}: edit it, then run.py compare {path}")
