"""Functions that researchers call: what they are given is checked before anything is done, and a fault is one InputError."""

import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, get_args, get_type_hints

from school_mentoring.model.errors import InputError, nearest

Called = TypeVar("Called", bound=Callable[..., Any])


def from_python(function: Called) -> Called:
    """Return the function with checked arguments: for a name or a kind of value that it does not take it raises InputError.

    Numbers of NumPy, and numbers in text, become Python's. A kind that is written in quotes, as a class that is not loaded yet, is left to
    the function itself.
    """
    signature = signature_of(function)
    known = signature.parameters

    @wraps(function)
    def called(*positional: Any, **named: Any) -> Any:
        for name in named:
            if name not in known:
                raise InputError(f"{function.__name__}(..., {name}=...)", f"takes nothing named {name!r}", nearest(name, known))
        try:
            given = signature.bind(*positional, **named)
        except TypeError as error:
            raise InputError(f"{function.__name__}(...)", str(error), f"allowed: {', '.join(known)}") from None
        for name, value in given.arguments.items():
            given.arguments[name] = _accepted(f"{function.__name__}({name}=", value, known[name].annotation)
        return function(*given.args, **given.kwargs)

    called.__signature__ = signature  # type: ignore[attr-defined]
    return called  # type: ignore[return-value]


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function with each of its ``**options: Unpack[...]`` by name, ahead of what else it takes by name only."""
    own = inspect.signature(function)
    first: list[inspect.Parameter] = []
    only_named: list[inspect.Parameter] = []
    spread: list[inspect.Parameter] = []
    for parameter in own.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            (options,) = get_args(parameter.annotation)
            hints = get_type_hints(options, include_extras=True).items()
            spread = [inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=hint) for name, hint in hints]
        else:
            (only_named if parameter.kind is parameter.KEYWORD_ONLY else first).append(parameter)
    return own.replace(parameters=[*first, *spread, *only_named])


def _accepted(where: str, value: Any, annotation: Any) -> Any:
    """Return a value as the kind of thing that an argument is; ``where``: the call up to it."""
    if isinstance(annotation, str):
        return value
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    from school_mentoring.scenarios.messages import shown

    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value)
    except ValidationError:
        allowed = re.sub(r"\b(?:\w+\.)+", "", inspect.formatannotation(annotation))
        raise InputError(f"{where}{shown(value)})", "is nothing that it takes", f"allowed: {allowed}") from None
