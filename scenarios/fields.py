"""What all sections of a scenario are made of: strict numbers and words, and the way to say what is wrong."""

from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,59}$"
WORD_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"


def _number(value: Any) -> Any:
    """Refuse words and truth values, which pydantic would turn into numbers."""
    if isinstance(value, (bool, str)):
        raise PydanticCustomError("not_a_number", "is not a number")
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_number)]
Word = Annotated[str, StringConstraints(pattern=WORD_PATTERN)]


def described(description: str, unit: str = "", low: float | None = None, high: float | None = None, **rules: Any) -> Any:
    """Return a field; ``low`` to ``high`` make sense in most studies; ``rules`` of pydantic say what is allowed at all."""
    usual = {"unit": unit or None, "low": low, "high": high}
    return Field(description=description, json_schema_extra={name: value for name, value in usual.items() if value is not None}, **rules)


def fault(at: tuple[str | int, ...], problem: str, allowed: str = "") -> NoReturn:
    """Raise what pydantic reports as an error at ``at``, counted from the field that is being validated."""
    raise PydanticCustomError("scenario", "{problem}", {"at": at, "problem": problem, "allowed": allowed})


class ScenarioSection(BaseModel):
    """A part of a scenario: unknown keys are refused, nothing changes after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
