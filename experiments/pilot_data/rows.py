"""The schema of a row of answers in ``observations.csv``: counts, or means on a scale; a field's description says what to give there."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from school_mentoring.model.world.countries import MOST_TEACHERS
from school_mentoring.model.world.csv_file import CsvTable

__all__ = ["CountRow", "Row", "ScaleRow", "checked_rows"]


def _plain(cell: Any) -> Any:
    """Refuse what Python reads as a number and nobody writes in a table."""
    if isinstance(cell, str) and ("_" in cell or cell.strip().lower() in ("nan", "inf", "-inf", "infinity", "-infinity")):
        raise PydanticCustomError("number", "no number")
    return cell


def _contradiction(column: str, problem: str, allowed: str) -> PydanticCustomError:
    return PydanticCustomError("contradiction", "{problem}", {"column": column, "problem": problem, "allowed": allowed})


CountCell = Annotated[int, BeforeValidator(_plain)]
NumberCell = Annotated[float, BeforeValidator(_plain)]


class Row(BaseModel):
    """What was answered; names of schools and practices, months and repeats are checked over the whole table."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def measured(self) -> dict[str, Any]:
        """Return the fields that hold what was measured."""
        return self.model_dump()


class CountRow(Row):
    """Adopting teachers among the respondents of a school."""

    respondents: CountCell = Field(
        ge=1, le=MOST_TEACHERS, description=f"a whole number from 1 to {MOST_TEACHERS}; leave a school without answers blank"
    )
    adopters: CountCell = Field(ge=0, le=MOST_TEACHERS, description="a whole number from 0 to the respondents")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.adopters > self.respondents:
            raise _contradiction(
                "adopters", f"{self.adopters} adopters among {self.respondents} respondents", "at most all respondents adopt"
            )
        return self


def _on_scale(value: float, info: ValidationInfo) -> float:
    low, high = (info.context or {}).get("scale", (1.0, 5.0))
    if not low <= value <= high:
        raise PydanticCustomError("number", "off the scale", {"allowed": f"give a mean from {low:g} to {high:g}, the ends of --mapping"})
    return value


class ScaleRow(Row):
    """Mean and standard deviation of an item's answers."""

    respondents: CountCell = Field(
        ge=1, le=MOST_TEACHERS, description=f"a whole number from 1 to {MOST_TEACHERS}; leave a school without answers blank"
    )
    mean: Annotated[NumberCell, AfterValidator(_on_scale)] = Field(description="a mean on the scale of --mapping")
    sd: NumberCell | None = Field(default=None, ge=0, description="a standard deviation, 0 or more")

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        if self.sd is None and self.respondents > 1:
            raise _contradiction("sd", f"is blank although {self.respondents} answered", "give the standard deviation of the answers")
        low, high = (info.context or {}).get("scale", (1.0, 5.0))
        # Answers at the two ends have the largest sd of all with this mean (Bhatia & Davis 2000).
        n = self.respondents
        most = ((self.mean - low) * (high - self.mean) * n / max(n - 1, 1)) ** 0.5
        if self.sd is not None and self.sd > most + 0.05:
            raise _contradiction(
                "sd", f"found {self.sd:g}", f"{n} answers of mean {self.mean:g} have a standard deviation of at most {most:.2f}"
            )
        return self


def checked_rows(table: CsvTable, at: list[int], row: type[Row], columns: list[str], scale: tuple[float, float]) -> list[Row]:
    """Return the rows ``at`` of a table as their schema has them; what does not fit is complained of, and the row left out."""
    found = []
    for position in at:
        cells: dict[str, str | None] = {name: table.columns[name][position] for name in columns if name in table}
        # A comma within a cell is a decimal one, whether semicolons or quotes set it apart.
        given = {name: cell.replace(",", ".") if cell else None for name, cell in cells.items()}
        try:
            found.append(row.model_validate(given, context={"scale": scale}))
        except ValidationError as error:
            for one in error.errors(include_url=False):
                context = one.get("ctx", {})
                if one["type"] == "contradiction":
                    table.complain(position, context["column"], context["allowed"], context["problem"])
                else:
                    name = str(one["loc"][0])
                    table.complain(
                        position,
                        name,
                        context.get("allowed", f"give {row.model_fields[name].description}"),
                        None if cells[name] else "is blank",
                    )
    return found
