"""Hands a document over: the answer on the terminal, the report as HTML and PDF with its figures beside it."""

from pathlib import Path

from .document import Document
from .html import as_html
from .pdf import as_pdf
from .recommendation import Recommendation

WIDTH = 100


def print_answer(advice: Recommendation) -> None:
    """Print the title and the three sentences."""
    from rich.console import Console

    console = Console(width=WIDTH, highlight=False)
    for text in [advice.document.title, advice.document.subtitle, "", *advice.answer, ""]:
        console.print(text, markup=False)


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
