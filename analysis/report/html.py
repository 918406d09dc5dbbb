"""Sets a document as one HTML file that needs nothing else: pictures are inside, no script, no network."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .document import Document, unbroken

TEMPLATES = Path(__file__).parent / "templates"


def as_html(document: Document) -> bytes:
    """Return the file. Texts are escaped, so a title with ``<`` shows as it is."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["unbroken"] = unbroken
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode("ascii")
    environment.tests["text"] = lambda block: type(block).__name__ == "Text"
    environment.tests["items"] = lambda block: type(block).__name__ == "Items"
    environment.tests["table"] = lambda block: type(block).__name__ == "Table"
    return environment.get_template("document.html.j2").render(document=document).encode("utf-8")
