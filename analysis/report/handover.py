"""Hands a document over: the answer on the terminal, the report as HTML and PDF with its figures beside it."""

import base64
from pathlib import Path

from .document import Document, unbroken
from .pdf import as_pdf
from .recommendation import Recommendation
from .terminal import WIDTH


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
