"""Sets a document as PDF by fpdf2, which is plain Python and light (0.3 MB and one small library beyond what figures need anyway).

The other candidates: weasyprint sets HTML better but needs Pango of the system; reportlab sets tables as well, is six times as large, and
its free edition writes no tags, so no alternative texts.
"""

import io
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis
from fpdf.fonts import FontFace

from .document import Block, Document, Items, Picture, Table, Text

__all__ = ["as_pdf"]

FONTS = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf", "I": "DejaVuSans-Oblique.ttf"}
INK, BLUE, GREY = (34, 34, 34), (0, 114, 178), (90, 90, 90)
MARGIN = 16.0  # mm
UNDATED = datetime(1980, 1, 1, tzinfo=UTC)
"""Stands for no date, so that a study gives the same bytes whenever it is set."""


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
        self.cell(0, 4, self.running[:100])
        self.set_x(MARGIN)
        self.cell(0, 4, f"{self.page_no()}", align="R")


def as_pdf(document: Document) -> bytes:
    """Return the file: the same sections, tables and pictures as ``html_document`` sets, with bookmarks and alternative texts."""
    pages = _Pages(document.title)
    pages.add_page()
    _write(pages, document.title, 18, "B", 8.5)
    pages.ln(1)
    _write(pages, document.subtitle, 9.5, "", 5, GREY)
    for section in document.sections:
        pages.ln(4)
        first = section.blocks[0]
        needed = _height(pages, first) + 24 if isinstance(first, Picture) else 40
        if pages.get_y() + needed > pages.page_break_trigger:  # no heading stands alone at the foot of a page
            pages.add_page()
        pages.start_section(section.title)
        _write(pages, section.title, 13, "B", 7)
        pages.set_draw_color(*BLUE)
        pages.line(pages.l_margin, pages.get_y() + 0.5, pages.w - pages.r_margin, pages.get_y() + 0.5)
        pages.ln(2.5)
        for block in section.blocks:
            _block(pages, block)
    return bytes(pages.output())


def _write(pages: FPDF, text: str, size: float, style: str, height: float, colour: tuple[int, int, int] = INK) -> None:
    pages.set_font("text", style, size)
    pages.set_text_color(*colour)
    pages.multi_cell(0, height, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _block(pages: FPDF, block: Block) -> None:
    if isinstance(block, Text):
        _text(pages, block)
    elif isinstance(block, Items):
        for item in block.items:
            pages.set_font("text", "", 9.5)
            pages.set_text_color(*INK)
            pages.cell(5, 5, "•")
            pages.multi_cell(0, 5, item, align="L", new_x="LMARGIN", new_y="NEXT")
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
        pages.set_font("text", "", 11)
        pages.set_text_color(*INK)
        pages.multi_cell(pages.epw - 4, 5.8, block.text, align="L", new_x="LMARGIN", new_y="NEXT")
        if pages.page == page:
            pages.set_fill_color(*BLUE)
            pages.rect(pages.l_margin, top, 1.2, pages.get_y() - top, style="F")
    else:
        _write(pages, block.text, 9.5, "", 5)
    pages.ln(1.8)


def _table(pages: FPDF, block: Table) -> None:
    pages.ln(1)
    if pages.get_y() > pages.h - 45:
        pages.add_page()
    _write(pages, block.caption, 9, "B", 4.6)
    pages.ln(1)
    pages.set_font("text", "", 7.6)
    pages.set_text_color(*INK)
    pages.set_draw_color(190, 190, 190)
    pages.set_fill_color(255, 255, 255)
    aligned = ["LEFT" if k == 0 or k in block.words else "RIGHT" for k in range(len(block.columns))]
    widths = tuple(block.widths) or None
    head = FontFace(emphasis=TextEmphasis.B)
    with pages.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, col_widths=widths, text_align=aligned, line_height=3.9, padding=0.7,
        headings_style=head, first_row_as_headings=True, wrapmode="WORD",
    ) as table:  # fmt: skip
        heads = [column.replace("adopter-year", "adopter-\nyear") for column in block.columns]  # fpdf2 breaks no word at its hyphen
        for cells in [heads, *block.rows]:
            row = table.row()
            for cell in cells:
                row.cell(cell)
    pages.ln(3)


def _picture(pages: FPDF, block: Picture) -> None:
    if pages.get_y() + _height(pages, block) + 12 > pages.page_break_trigger:
        pages.add_page()
    pages.image(io.BytesIO(block.png), w=pages.epw, alt_text=block.alternative)
    pages.ln(1)
    _write(pages, block.caption, 8.3, "I", 4.3, GREY)
    pages.ln(2)


def _height(pages: FPDF, block: Picture) -> float:
    """Return how high a picture stands at the full width of the text, in mm."""
    from PIL import Image

    with Image.open(io.BytesIO(block.png)) as image:
        return float(pages.epw * image.height / image.width)
