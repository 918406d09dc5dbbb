"""Hands a document over: the answer on the terminal, the report as HTML and PDF with its figures beside it.

PDF is set by fpdf2, which is plain Python and light (0.3 MB and one small library beyond what figures need anyway). The other candidates:
weasyprint sets HTML better but needs Pango of the system; reportlab sets tables as well, is six times as large, and its free edition writes
no tags, so no alternative texts.
"""

import base64
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import matplotlib as mpl
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis
from fpdf.fonts import FontFace

from .document import Block, Document, Items, Picture, Table, Text, unbroken
from .recommendation import Recommendation
from .terminal import WIDTH

FONTS = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf", "I": "DejaVuSans-Oblique.ttf"}
INK, BLUE, GREY = (34, 34, 34), (0, 114, 178), (90, 90, 90)
MARGIN, HEADING, BELOW, PADDING, GAP = 16.0, 14.0, 12.0, 0.7, 3.5
"""In mm: of the page, a heading, the caption of a picture, the cells of a table, and words beside numbers."""
WHOLE = 8
"""Rows up to which a table stays on one page."""
SMALLEST = 0.66
"""How small a picture may be set, as a part of the width of the text, to stand on the page that it follows on."""
UNDATED = datetime(1980, 1, 1, tzinfo=UTC)
"""Stands for no date, so that a study gives the same bytes whenever it is set."""


def print_answer(advice: Recommendation) -> None:
    """Print the title and the three sentences."""
    from rich.console import Console

    console = Console(width=WIDTH, highlight=False)
    for text in [advice.document.title, advice.document.subtitle, "", *advice.answer, ""]:
        console.print(text, markup=False)


def as_html(document: Document) -> bytes:
    """Return a document as one HTML file that needs nothing else: pictures are inside, no script, no network; texts are escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"unbroken": unbroken, "base64": lambda data: base64.b64encode(data).decode("ascii")}
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment.get_template("document.html.j2").render(document=document).encode("utf-8")


def write_html(document: Document, folder: Path) -> None:
    """Write ``report.html`` and its figures as PNG into the folder of a study that is being written."""
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for picture in document.pictures():
        (figures / f"{picture.name}.png").write_bytes(picture.png)
    (folder / "report.html").write_bytes(as_html(document))


def write_report(advice: Recommendation, folder: Path) -> None:
    """Write ``report.html``, ``report.pdf`` and the figures as PNG into the folder of a study that is being written."""
    write_html(advice.document, folder)
    (folder / "report.pdf").write_bytes(as_pdf(advice.document))


# --- PDF --------------------------------------------------------------------------------------------------------------


class _Pages(FPDF):
    """A4 pages with the title and the number of the page below."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        self.running = title
        folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
        for style, name in FONTS.items():
            self.add_font("text", style, folder / name)
        self.add_font("code", "", folder / "DejaVuSansMono.ttf")
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN + 4)
        self.set_title(title)
        self.set_lang("en")
        self.set_creation_date(UNDATED)

    def footer(self) -> None:
        self.set_y(-MARGIN + 3)
        self.set_font("text", "", 7.5)
        self.set_text_color(*GREY)
        self.cell(0, 4, self._shortened(self.running, 0.9 * self.epw))
        self.set_x(MARGIN)
        self.cell(0, 4, f"{self.page_no()}", align="R")

    def _shortened(self, text: str, width: float) -> str:
        """Return as many words of a text as a line of some mm has room for."""
        if self.get_string_width(text) <= width:
            return text
        words = text.split()
        while words and self.get_string_width(" ".join([*words, "..."])) > width:
            words.pop()
        return " ".join([*words, "..."])


def as_pdf(document: Document) -> bytes:
    """Return the file: the same sections, tables and pictures as in HTML, with bookmarks and alternative texts."""
    pages = _Pages(document.title)
    pages.add_page()
    _write(pages, document.title, 15.5, "B", 7.2)
    pages.ln(1)
    _write(pages, document.subtitle, 9.5, "", 5, GREY)
    for section in document.sections:
        pages.ln(4)
        first = section.blocks[0]
        needed = HEADING + (_picture_height(pages, first) if isinstance(first, Picture) else _least_height(pages, first))
        if not _fits(pages, needed):  # no heading stands alone at the foot of a page
            pages.add_page()
        pages.start_section(section.title)
        _write(pages, section.title, 13, "B", 7)
        pages.set_draw_color(*BLUE)
        pages.line(pages.l_margin, pages.get_y() + 0.5, pages.w - pages.r_margin, pages.get_y() + 0.5)
        pages.ln(2.5)
        for block in section.blocks:
            _block(pages, block)
    return bytes(pages.output())


def _write(pages: FPDF, text: str, size: float, style: str, height: float, colour: tuple[int, int, int] = INK, *, width: float = 0) -> None:
    pages.set_font("text", style, size)
    pages.set_text_color(*colour)
    pages.multi_cell(width, height, unbroken(text), align="L", new_x="LMARGIN", new_y="NEXT")


def _block(pages: FPDF, block: Block) -> None:
    if isinstance(block, Text):
        _text(pages, block)
    elif isinstance(block, Items):
        for item in block.items:
            pages.set_font("text", "", 9.5)
            pages.set_text_color(*INK)
            pages.cell(5, 5, "•")
            _write(pages, item, 9.5, "", 5)
        pages.ln(1.5)
    elif isinstance(block, Table):
        _table(pages, block)
    else:
        _picture(pages, block)


def _text(pages: FPDF, block: Text) -> None:
    if block.code:
        pages.set_font("code", "", 8)
        pages.set_text_color(*INK)
        pages.set_fill_color(244, 244, 244)
        pages.multi_cell(0, 4.5, block.text, align="L", fill=True, new_x="LMARGIN", new_y="NEXT")
    elif block.strong:
        top, page = pages.get_y(), pages.page
        pages.set_x(pages.l_margin + 4)
        _write(pages, block.text, 10.5, "", 5.4, width=pages.epw - 4)
        if pages.page == page:
            pages.set_fill_color(*BLUE)
            pages.rect(pages.l_margin, top, 1.2, pages.get_y() - top, style="F")
    else:
        _write(pages, block.text, 9.5, "", 5)
    pages.ln(1.8)


def _table(pages: FPDF, block: Table) -> None:
    pages.ln(1)
    if not _fits(pages, _least_height(pages, block)):
        pages.add_page()
    _write(pages, block.caption, 9, "B", 4.6)
    pages.ln(1)
    _rows(pages, block, block.rows)
    pages.ln(3)


def _rows(pages: FPDF, block: Table, rows: Sequence[Sequence[str]]) -> None:
    """Set the head and some rows of a table."""
    pages.set_font("text", "", 7.6)
    pages.set_text_color(*INK)
    pages.set_draw_color(190, 190, 190)
    pages.set_fill_color(255, 255, 255)
    words = {0, *block.words}
    with pages.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, col_widths=tuple(block.widths) or None, line_height=3.9, padding=PADDING,
        text_align=["LEFT" if k in words else "RIGHT" for k in range(len(block.columns))],
        headings_style=FontFace(emphasis=TextEmphasis.B), first_row_as_headings=True, wrapmode="WORD",
    ) as table:  # fmt: skip
        heads = [column.replace("adopter-year", "adopter-\nyear") for column in block.columns]  # fpdf2 breaks no word at its hyphen
        for cells in [heads, *rows]:
            row = table.row()
            for k, cell in enumerate(cells):
                # Words that follow a column of numbers keep their distance from it.
                row.cell(unbroken(cell), padding=(PADDING, PADDING, PADDING, GAP) if k in block.words else None)


def _picture(pages: FPDF, block: Picture) -> None:
    if not _fits(pages, _picture_height(pages, block)):
        pages.add_page()
    whole = _height(pages, block)
    width = pages.epw * min(1.0, (pages.page_break_trigger - pages.get_y() - BELOW) / whole)
    pages.image(io.BytesIO(block.png), w=width, alt_text=block.alternative)
    pages.ln(1)
    _write(pages, block.caption, 8.3, "I", 4.3, GREY)
    pages.ln(2)


def _fits(pages: FPDF, height: float) -> bool:
    """Tell whether there is room for so many mm on the page."""
    return bool(pages.get_y() + height <= pages.page_break_trigger)


def _least_height(pages: FPDF, block: Block) -> float:
    """Return how many mm at the foot of a page a block may begin in: a small table whole, another with its caption, head and first row."""
    if not isinstance(block, Table):
        return 16.0
    with pages.offset_rendering() as recorder:
        trial = cast(FPDF, recorder)
        if trial.get_y() > trial.h / 2:
            trial.add_page()
        top = trial.get_y()
        _write(trial, block.caption, 9, "B", 4.6)
        _rows(trial, block, block.rows if len(block.rows) <= WHOLE else block.rows[:1])
        return float(trial.get_y() - top + 3)


def _picture_height(pages: FPDF, block: Picture) -> float:
    """Return how many mm a picture takes with its caption where it is set as small as it may be."""
    return SMALLEST * _height(pages, block) + BELOW


def _height(pages: FPDF, block: Picture) -> float:
    """Return how high a picture stands at the full width of the text, in mm."""
    from PIL import Image

    with Image.open(io.BytesIO(block.png)) as image:
        return float(pages.epw * image.height / image.width)
