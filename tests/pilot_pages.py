"""What README.md, docs/economics.md and the example report say of the pilot, and what the program says of it.

``python -m tests.pilot_pages`` writes these pages, their figures and the example report anew, after a change of results that is meant.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from html.parser import HTMLParser
from pathlib import Path

from .documents import DOCS, ROOT, run_python, trimmed

README, ECONOMICS, REPORT = ROOT / "README.md", DOCS / "economics.md", DOCS / "example-report"
STUDY, ADVICE = "results/mensi-pilot-compare", "results/advice"
FIGURES = {
    f"{STUDY}/figures/adoption.png": "adoption.png",
    f"{STUDY}/figures/cost_effect.png": "cost_effect.png",
    f"{ADVICE}/figures/plane.png": "recommendation_plane.png",
}
"""Which figure of the study stands in docs/images under which name."""

PRINTED = re.compile(r"(?<=<!-- output -->\n\n```text\n).*?(?=```)", re.DOTALL)
ANSWER = re.compile(r"(?<=of the pilot:\n\n)(?:>.*\n)+")
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n\nIt prints:\n\n```text\n(?P<printed>.*?)```", re.DOTALL)


def program(*words: str, folder: Path) -> str:
    """Run a command of the program in a folder and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words],
        cwd=folder, env={**os.environ, "COLUMNS": "100"}, capture_output=True, encoding="utf-8", timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def compared(folder: Path) -> str:
    """Make the study of the pilot and return what the command prints."""
    return program("compare", folder=folder)


def advised(folder: Path) -> list[str]:
    """Make the recommendation of that study and return its answer."""
    return list(json.loads(program("recommend", STUDY, "--out", ADVICE, "--json", folder=folder))["answer"])


def worked(folder: Path) -> str:
    """Return what the example of docs/economics.md prints in the folder of that study."""
    found = EXAMPLE.search(ECONOMICS.read_text(encoding="utf-8"))
    assert found is not None
    with contextlib.chdir(folder):
        return trimmed(run_python(found["code"], {}))


def quoted(text: str) -> list[str]:
    """Return the sentences that README.md quotes."""
    found = ANSWER.search(text)
    assert found is not None
    paragraphs = re.sub(r"^> ?", "", found[0], flags=re.MULTILINE).split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs]


class _Words(HTMLParser):
    """Collects the words of a page and the descriptions of its pictures, without the section on how to make it again."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.section = self.tag = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values, self.tag = dict(attributes), tag
        if tag == "section":
            self.section = values.get("id") or ""
        self.words += (values.get("alt") or "").split()

    def handle_data(self, data: str) -> None:
        if self.section != "again" and self.tag != "style":
            self.words += data.split()


def words_of(page: str) -> str:
    """Return all that a report says, but for how to make it again."""
    parser = _Words()
    parser.feed(page)
    return " ".join(parser.words)


def write_anew(folder: Path) -> None:
    """Write the pages, their figures and the example report as the program has them now; studies go into the folder."""
    printed, answer = compared(folder), advised(folder)
    text = PRINTED.sub(lambda _: trimmed(printed) + "\n", README.read_text(encoding="utf-8"))
    paragraphs = [textwrap.fill(said, 148, initial_indent="> ", subsequent_indent="> ", break_on_hyphens=False) for said in answer]
    README.write_text(ANSWER.sub(lambda _: "\n>\n".join(paragraphs) + "\n", text), encoding="utf-8")
    example = worked(folder)
    shown = EXAMPLE.search(text := ECONOMICS.read_text(encoding="utf-8"))
    assert shown is not None
    ECONOMICS.write_text(text[: shown.start("printed")] + example + "\n" + text[shown.end("printed") :], encoding="utf-8")
    program("recommend", "--out", "results/report", folder=folder)
    for end in ("html", "pdf"):
        shutil.copyfile(folder / f"results/report/report.{end}", REPORT / f"report.{end}")
    for source, target in FIGURES.items():
        shutil.copyfile(folder / source, DOCS / "images" / target)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        write_anew(Path(made))
