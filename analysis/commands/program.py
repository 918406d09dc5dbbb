"""All commands as one program: their order, ``--version``, and what a command that fails or is interrupted says and ends with."""

import contextlib
import inspect
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer import Option

from school_mentoring import __version__
from school_mentoring.experiments.arguments import signature_of
from school_mentoring.model.errors import InputError, one_line

from .anchor import anchor
from .calibrate import calibrate
from .compare import compare
from .memory import TOO_LITTLE
from .new import new
from .optimise import optimise
from .parameters import parameters
from .recommend import recommend
from .rerun import rerun
from .scale import scale
from .schema import schema
from .sensitivity import sensitivity
from .serve import serve
from .simulate import simulate
from .sweep import sweep
from .validate import validate
from .validation import validation

COMMANDS: tuple[Callable[..., None], ...] = (
    *(compare, scale, simulate, sweep, sensitivity, optimise, recommend, calibrate, anchor, rerun),
    *(validate, validation, parameters, schema, new, serve),
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
for _command in COMMANDS:
    _command.__signature__ = signature_of(_command)  # type: ignore[attr-defined]
    app.command()(_command)

UsageFault: Any = typer.BadParameter.__mro__[2]
"""What Typer raises for words it cannot take: click's ClickException, wherever a version of Typer keeps it."""


def run() -> None:
    """Run the command line of ``sys.argv``: exit code 0 done, 1 some runs failed or a re-run differs, 2 bad input, 130 interrupted."""
    # That fonts are listed once, or that there is no home to keep the list in, concerns nobody who asked for a study.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = interrupt_again
        code = app(spread_sets(sys.argv[1:]) or ["--help"], standalone_mode=False) or 0
        sys.stdout.flush()
    except InputError as error:
        code = _refused(str(error))
    except UsageFault as error:
        code = _refused(one_line(error.format_message()))
    except MemoryError:
        code = _refused(f"{TOO_LITTLE}; fewer replicates, months or schools need less")
    except ImportError as error:
        if "failed to map segment" not in str(error):  # as the loader says where no memory is left for a library
            raise
        code = _refused(f"{TOO_LITTLE}, for its libraries alone")
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # nobody reads on, as after `| head`
        _forget_output()
        code = 1
    except OSError as error:
        if error.errno is None:
            raise
        _forget_output()
        name = one_line(str(error.filename or "standard output"))
        code = _refused(f"{name}: cannot be used ({error.strerror}); free space or give another")
    if code == 130:
        kept = "what is finished is kept, go on with --resume" if _can_resume(*sys.argv[1:2]) else "nothing was written"
        print(f"interrupted: {kept}", file=sys.stderr)
    raise SystemExit(code)


def interrupt_again(lost: "sys.UnraisableHookArgs", _wait: float = 0.05) -> None:
    """Interrupt again what lost a Ctrl-C: Python drops one that arrives while a library written in C calls back, as the compiler does."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        threading.Timer(_wait, signal.raise_signal, [signal.SIGINT]).start()
    else:
        sys.__unraisablehook__(lost)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"school-mentoring {__version__}")
        raise typer.Exit


@app.callback()
def _of_all_commands(
    version: Annotated[bool, Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    pass


def spread_sets(words: list[str]) -> list[str]:
    """Return the command line with every ``--set a=1 b=2`` written as ``--set a=1 --set b=2``."""
    spread: list[str] = []
    for word in words:
        if len(spread) > 1 and spread[-2] == "--set" and "=" in word and not word.startswith("-"):
            spread.append("--set")
        spread.append(word)
    return spread


def _refused(why: str) -> int:
    """Say why a command was not carried out, and return its exit code."""
    print(f"error: {why}", file=sys.stderr)
    return 2


def _can_resume(name: str = "") -> bool:
    return any(command.__name__ == name and "resume" in inspect.signature(command).parameters for command in COMMANDS)


def _forget_output() -> None:
    """Send what is still to be printed nowhere, so that nothing fails over it again when the process ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
