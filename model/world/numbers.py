"""Text as numbers, column by column, whatever marks decimals and thousands; what could be two numbers is refused with both, never guessed.

A column is in no doubt where one of its cells can be read in one way only (``0,5``, ``1.234.567``), or another column of its file can.
"""

import math
import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError

_NUMBER = re.compile(
    r"""(?P<sign>[+\-\N{MINUS SIGN}]?)(?:
      (?P<plain>\d+)
    | (?P<open>[1-9]\d{0,2}(?P<either>[.,])\d{3})                                         # 1.000: one, or a thousand
    | (?P<spaced>\d{1,3}(?P<gap>[\s'\N{RIGHT SINGLE QUOTATION MARK}])\d{3}(?:(?P=gap)\d{3})*)(?:(?P<after>[.,])\d*)?    # 1 000,5
    | (?P<grouped>[1-9]\d{0,2}(?P<comma>[.,])\d{3}(?:(?P=comma)\d{3})+)                   # 1.000.000
    | (?P<both>[1-9]\d{0,2}(?P<group>[.,])\d{3}(?:(?P=group)\d{3})*(?!(?P=group))(?P<point>[.,])\d*)    # 1.000,5
    | (?=[.,]?\d)\d*(?P<mark>[.,])\d*                                                     # 0.5
    )(?P<exponent>[eE][+-]?\d+)?(?P<percent>\s?%)?""",
    re.VERBOSE,
)
_OTHER = {".": ",", ",": "."}
_SIMPLE = re.compile(r"[\d.eE+\-\n]*")
_OPEN_LINE = re.compile(r"^[+-]?[1-9]\d{0,2}\.\d{3}$", re.MULTILINE)
_POINT_LINE = re.compile(r"^[+-]?(?:(?:0\d*|\d{4,})?\.\d+|\d+\.(?:\d{0,2}|\d{4,}))$", re.MULTILINE)
_Cell = re.Match[str] | None


class Bounds(NamedTuple):
    """What a number may be: in [low, high], or in (low, high] where ``above``; ``whole`` or not; and ``what`` to give, in words."""

    low: float
    high: float
    what: str
    whole: bool = False
    above: bool = False

    def hold(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which values are allowed; nan is not."""
        inside = (values >= self.low) & (values <= self.high)
        if self.above:
            inside &= values > self.low
        return inside & (values == np.rint(values)) if self.whole else inside


class Numbers(NamedTuple):
    """A column as numbers: ``values``, nan where there is none that is allowed; ``open``: the two that a refused cell could be."""

    values: NDArray[np.float64]
    open: dict[int, tuple[float, float]]


def proven_marks(columns: Iterable[Sequence[str]]) -> set[str]:
    """Return the decimal marks that columns leave no doubt about, each by the first cell that does."""
    marked = (cells for cells in columns if "." in (text := "\n".join(cells)) or "," in text)
    return {mark for cells in marked if (mark := _first_proven(map(_NUMBER.fullmatch, cells)))}


def read_numbers(cells: Sequence[str], bounds: Bounds, usual: str | None = ".", proven: Collection[str] = ()) -> Numbers:
    """Return a column of cells as numbers within bounds.

    ``usual``: the decimal mark that files of this sort have, None where there is none. ``proven``: the marks that all columns of the file
    prove. A percent sign makes hundredths. A whole number is never read from decimals that look like thousands.
    """
    values = _undoubted(cells, bounds)
    if values is not None:
        return Numbers(np.where(bounds.hold(values), values, math.nan), {})
    found = [_NUMBER.fullmatch(cell) for cell in cells]
    mark = _decimal_mark(found, bounds, usual, proven)
    values = np.array([math.nan if cell is None else _value(cell, mark, bounds.whole) for cell in found])
    values[~bounds.hold(values)] = math.nan
    unread = [at for at in np.flatnonzero(np.isnan(values)).tolist() if _is_open(found[at])]
    return Numbers(values, {at: _readings(found[at]) for at in unread})


def _undoubted(cells: Sequence[str], bounds: Bounds) -> NDArray[np.float64] | None:
    """Return a column that has decimal points alone, and shows it; None for any other. Large tables are read in a fraction of the time."""
    text = "\n".join(cells)
    if not _SIMPLE.fullmatch(text) or (_OPEN_LINE.search(text) and (bounds.whole or not _POINT_LINE.search(text))):
        return None
    try:
        return np.array([float(cell or "nan") for cell in cells])
    except ValueError:
        return None


def read_option(where: str, word: str, bounds: Bounds) -> float:
    """Return the number of a word of the command line, whose decimal mark is a point. Raises InputError, which says ``where``."""
    refuse_two(where, word, bounds)
    cell = _NUMBER.fullmatch(word.strip())
    value = math.nan if cell is None or _proven(cell) == "," else _value(cell, ".", whole=False)
    if math.isnan(value):
        raise InputError(where, f"{word!r} is not a number", f"allowed: {bounds.what}")
    if not bounds._replace(whole=False).hold(np.array(value)):
        raise InputError(where, f"{value:g} is out of range", f"allowed: {bounds.what}")
    if not bounds.hold(np.array(value)):
        raise InputError(where, f"{value:g} is no whole number", f"allowed: {bounds.what}")
    return value


def refuse_two(where: str, word: str, bounds: Bounds) -> None:
    """Raise InputError, which says ``where``, for a word that could be two numbers within bounds, or has a comma for thousands."""
    cell = _NUMBER.fullmatch(word.strip())
    if cell is not None and _is_open(cell):
        both = _readings(cell)
        if cell["either"] == "," or bounds.hold(np.array(both)).all():
            problem = f"{word!r} could be " + " or ".join(f"{value:.10g}" for value in both)
            raise InputError(where, problem, "write it without a separator of thousands")


def _is_open(cell: _Cell) -> bool:
    """Tell whether a cell such as 1.000 could have decimals, or thousands set apart."""
    return cell is not None and cell["open"] is not None and cell["exponent"] is None


def _proven(cell: _Cell) -> str:
    """Return the decimal mark that a cell has, or that it leaves by setting apart thousands; nothing where it shows none."""
    if cell is None or _is_open(cell):
        return ""
    return cell["mark"] or cell["after"] or cell["point"] or cell["either"] or _OTHER.get(cell["comma"] or "", "")


def _first_proven(found: Iterable[_Cell]) -> str:
    return next((mark for cell in found if (mark := _proven(cell))), "")


def _decimal_mark(found: Sequence[_Cell], bounds: Bounds, usual: str | None, proven: Collection[str]) -> str | None:
    """Return the decimal mark of a column, None where it is in doubt."""
    own = _first_proven(found)
    if own or len(proven) == 1:
        return own or next(iter(proven))
    cells = [cell for cell in found if cell is not None and _is_open(cell)]
    marks = {cell["either"] for cell in cells}
    if len(marks) != 1:
        return None if marks else "."
    mark = marks.pop()
    # Decimals are written to the same number of places, or without zeros at their end; thousands do as they please.
    zeros = any(cell["open"].endswith("0") for cell in cells)
    thousands = zeros and any(cell is not None and cell["plain"] for cell in found)
    if bounds.whole:
        return _OTHER[mark] if thousands or not all(cell["open"].endswith("000") for cell in cells) else usual
    fitting = [one for one in (mark, _OTHER[mark]) if bounds.hold(np.array([_value(cell, one, whole=False) for cell in cells])).all()]
    if len(fitting) == 1:
        return fitting[0]
    if usual == mark:
        return None if zeros else mark
    return _OTHER[mark] if thousands else None


def _value(cell: re.Match[str], mark: str | None, whole: bool) -> float:
    """Return the number of a cell under a decimal mark, nan where it has another one or could be two numbers."""
    if (_proven(cell) or mark) != mark or (_is_open(cell) and (mark is None or (whole and cell["either"] == mark))):
        return math.nan
    digits = re.sub(r"[\s'\N{RIGHT SINGLE QUOTATION MARK}%]", "", cell[0]).replace("\N{MINUS SIGN}", "-")
    if mark is not None:
        digits = digits.replace(_OTHER[mark], "").replace(mark, ".")
    return float(digits) / (100.0 if cell["percent"] else 1.0)


def _readings(cell: _Cell) -> tuple[float, float]:
    """Return what an open cell is with decimals, and with thousands."""
    assert cell is not None
    return _value(cell, cell["either"], whole=False), _value(cell, _OTHER[cell["either"]], whole=False)
