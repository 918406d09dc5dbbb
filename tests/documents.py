"""The code of the documentation: which blocks a page has, how they are run, and what they must print."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
BLOCK = re.compile(
    r"(?P<mark><!-- not run: [^\n]+ -->\n)?(?P<about><!-- numbers differ: [^\n]+ -->\n)?"
    r"```(?P<language>sh|python)\n(?P<code>.*?)```\n(?:\n```text\n(?P<printed>.*?)```\n)?",
    re.DOTALL,
)
NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?"


class Block(NamedTuple):
    """A block of code that a page shows, and what it says that the block prints (None: nothing said).

    ``about``: numbers differ from machine to machine, as the page says.
    """

    language: str
    code: str
    printed: str | None
    about: bool

    def shows(self, printed: str) -> bool:
        """Tell whether the page shows what was printed: the same text; where numbers differ, up to twice or half of them."""
        shown = trimmed(self.printed or "")
        if not self.about:
            return printed == shown
        if re.sub(f"{NUMBER}| +|─+", " ", printed) != re.sub(f"{NUMBER}| +|─+", " ", shown):
            return False
        pairs = zip(re.findall(NUMBER, printed), re.findall(NUMBER, shown), strict=True)
        both = [[abs(float(one.replace(",", ""))) for one in pair] for pair in pairs]
        return all(max(pair) <= 2 * min(pair) + 0.01 for pair in both)


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page that are to be run, in order; those marked ``<!-- not run: why -->`` are not."""
    return [Block(m["language"], m["code"], m["printed"], bool(m["about"])) for m in BLOCK.finditer(text) if not m["mark"]]


def commands(text: str) -> list[list[str]]:
    """Return the words of every run.py command in the sh blocks of a page, without comments."""
    shown = re.findall(r"```sh\n(.*?)```|^((?: {4}run\.py .*\n)+)", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(fenced or indented for fenced, indented in shown).replace("\\\n", " ").splitlines()
    found = [shlex.split(line.split("run.py", 1)[1], comments=True) for line in lines if re.match(r"\s*(?:\S*python )?run\.py ", line)]
    return [words for words in found if words and not words[0].isupper()]


def trimmed(text: str) -> str:
    """Return a text without the blanks that end lines."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def outputs(text: str, folder: Path) -> Iterator[tuple[Block, str]]:
    """Run the blocks of a page one after the other in a folder, and yield each with what it prints on standard output.

    Commands run as processes; the Python blocks of a page share their names, as in a notebook. A block that fails raises.
    """
    names: dict[str, Any] = {}
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    for block in blocks(text):
        with contextlib.chdir(folder):
            yield block, trimmed(_run_sh(block.code) if block.language == "sh" else run_python(block.code, names))


def _run_sh(code: str) -> str:
    printed = []
    for words in commands(f"```sh\n{code}```"):
        done = subprocess.run(
            [sys.executable, str(ROOT / "run.py"), *words],
            env={**os.environ, "COLUMNS": "100"}, capture_output=True, encoding="utf-8", timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr)
        printed.append(done.stdout)
    assert printed, f"no command in {code!r}"
    return "".join(printed)


def run_python(code: str, names: dict[str, Any]) -> str:
    """Run code with the names that earlier blocks left, and return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "documentation", "exec"), names)
    return printed.getvalue()
