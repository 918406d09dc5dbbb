"""A document as data: sections of texts, lists, tables and pictures; ``handover.py`` sets it in type."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from school_mentoring.analysis.figures.style import save_bytes

TOGETHER = re.compile(r"(?<=\d) (?=%|million\b|to -?\d)|(?<=±) (?=\d)|(?<=EUR) (?=-?\d)|(?<=\d to) (?=-?\d)")


def unbroken(text: str) -> str:
    """Return a text in which no line ends between a number and what belongs to it: '90 %', 'EUR 1,000', '2 to 3'."""
    return TOGETHER.sub("\N{NO-BREAK SPACE}", text)


@dataclass(frozen=True)
class Text:
    """A paragraph; ``strong`` where it is the answer itself, ``code`` where it is something to type."""

    text: str
    strong: bool = False
    code: bool = False


@dataclass(frozen=True)
class Items:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table. The first column names the rows; ``words``: which of the others hold words, not numbers; ``widths``: relative, in print."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = ()
    widths: Sequence[float] = ()


@dataclass
class Picture:
    """A figure: ``make`` draws it when it is needed; ``alternative`` says in words what it shows, with its main figures."""

    name: str
    make: Callable[[], Any]
    alternative: str
    caption: str

    @cached_property
    def png(self) -> bytes:
        """The picture as PNG."""
        return save_bytes(self.make(), "png")


Block = Text | Items | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; ``key`` is what links point to."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A title, what it is about in a line, and sections."""

    title: str
    subtitle: str
    sections: Sequence[Section] = field(default_factory=list)

    def pictures(self) -> list[Picture]:
        """Return all pictures, in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Picture)]
