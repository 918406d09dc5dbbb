"""The documentation is true: its code runs and prints what it says, its commands exist, its site builds and asks nothing of the internet.

``python -m tests.test_docs`` writes what the tutorials print, and the parameter page, anew.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
import typer.main
from nbclient import NotebookClient

import run
from school_mentoring.model.designs import FIELDS
from school_mentoring.model.parameters import PARAMETERS

from .commands.program import program
from .documents import BLOCK, DOCS, ROOT, TUTORIALS, Block, blocks, commands, outputs, run_python
from .test_odd import design_rows, structure_rows, table

PARAMETER_PAGE = DOCS / "parameters.md"
NOTEBOOK = ROOT / "notebooks" / "researcher.ipynb"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
GROUPS = {"behaviour": "Behaviour", "incentive": "Incentives", "cost": "Costs", "network": "Network", "world": "World"}
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}


def parameter_page() -> str:
    """Return the page of all parameters, by group, with kind and source."""
    kinds = Counter(row.kind for row in PARAMETERS.values())
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in ("evidence", "inference", "assumption"))
    parts = [
        "# Parameters\n",
        f"All {len(PARAMETERS)} parameters of the model, as `model/data/parameters.csv` holds them. By kind: {counted}.\n"
        "*Evidence* is a figure seen in a source, *inference* one derived from it, *assumption* a judgement. Every study of\n"
        "uncertainty draws from low to high by the distribution. How each is used stands in [the model](odd.md#7-submodels);\n"
        "`run.py parameters SCENARIO` shows what a scenario makes of them. Written from the code by `python -m tests.test_docs`.\n",
    ]
    for group, title in GROUPS.items():
        head = ("name", "meaning", "unit", "low", "base", "high", "distribution", "kind", "source")
        rows = (
            (f"`{p.name}`", p.meaning, p.unit, f"{p.low:g}", f"{p.base:g}", f"{p.high:g}", p.distribution, p.kind, p.source)
            for p in PARAMETERS.values()
            if p.group == group
        )
        parts.append(f"## {title}\n\n{table(head, rows)}\n")
    said = f"The {len(FIELDS)} fields of a design and their values in the presets; all are assumptions."
    parts.append(f"## Designs\n\n{said}\n\n{design_rows()}\n")
    said = (
        "Fields of a scenario's world that change which model is run; the first of each is the default ([how](odd.md#structural-choices))."
    )
    parts.append(f"## Structural choices\n\n{said}\n\n{structure_rows()}\n")
    return "\n".join(parts)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_the_code_of_a_tutorial_prints_what_the_page_shows(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    assert len(blocks(text)) >= 2
    for block, printed in outputs(text, tmp_path):
        assert block.printed is not None, f"the page does not show what this prints:\n{block.code}"
        assert block.shows(printed), f"write it anew if this is meant: python -m tests.test_docs\n{block.code}\n{printed}"


@pytest.mark.parametrize(
    ("printed", "about", "shown"),
    [
        ("beta  0.101  38 %", True, True),
        ("beta  0.101  38 %", False, False),
        ("beta  0.310  38 %", True, False),
        ("beta  0.100  39 % told", True, False),
    ],
)
def test_where_a_page_says_that_numbers_differ_only_words_must_be_the_same(printed, about, shown):
    assert Block("sh", "", "beta  0.099  39 %\n", about).shows(printed) == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_in_the_documentation_is_one_that_the_program_takes(page):
    program = typer.main.get_command(run.app)
    for words in commands(page.read_text(encoding="utf-8")):
        command = program.commands[words[0]]
        command.make_context(words[0], run._spread_sets(words[1:]))


def test_the_notebook_code_of_the_readme_runs_on_the_study_of_its_sweep(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sweep = next(words for words in commands(text) if words[0] == "sweep")
    done = program(*sweep, "--sample", "sobol:8", "--replicates", "2", "--months", "40", cwd=tmp_path)  # of two samples the last counts
    assert done.code == 0, done
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(text):
        if block.language == "python":
            run_python(block.code, names)
    assert len(names["model"].datacollector.get_model_vars_dataframe()) == 12
    assert len(names["study"].runs()) == 8 * 2 * 7


def test_commands_are_found_in_the_documentation():
    found = Counter(words[0] for page in PAGES for words in commands(page.read_text(encoding="utf-8")))
    assert {"compare", "sweep", "sensitivity", "calibrate", "optimise", "recommend", "serve", "validate"} <= set(found)


def test_the_parameter_page_is_the_one_the_code_gives():
    assert {row.group for row in PARAMETERS.values()} == set(GROUPS)
    assert PARAMETER_PAGE.read_text(encoding="utf-8") == parameter_page(), "write it anew: python -m tests.test_docs"


def test_the_notebook_runs_from_its_first_cell_to_its_last_and_prints_what_it_shows(tmp_path):
    shown = nbformat.read(NOTEBOOK, as_version=4)
    ran = nbformat.from_dict(shown)
    NotebookClient(ran, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute(
        cwd=str(tmp_path), env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    for before, after in zip(texts(shown), texts(ran), strict=True):
        assert before == after


def texts(notebook):
    """Return what the code cells of a notebook print, and how many pictures each draws."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            printed = "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")
            yield printed, sum("image/png" in out.get("data", {}) for out in cell.outputs)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site, in which every warning (a broken link, a missing anchor, a page that no menu names) is an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


class Loads(HTMLParser):
    """Collects what a page would fetch from elsewhere."""

    def __init__(self):
        super().__init__()
        self.fetched = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        address = values.get(LOADS.get(tag, ""), "") or ""
        if re.match(r"(?:\w+:)?//", address) and values.get("rel") != "canonical":
            self.fetched.append((tag, address))


def test_no_page_of_the_site_fetches_anything_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 12
    for page in pages:
        parser = Loads()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.fetched == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import\s*)[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_link_to_a_project_file_leads_somewhere_on_the_site(site):
    for page in site.rglob("*.html"):
        for target in re.findall(r'href="([^"#:]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8")):
            if page.name != "404.html":
                assert (page.parent / target).exists(), (page, target)


def write_anew() -> None:
    """Write what the tutorials print, and the parameter page."""
    PARAMETER_PAGE.write_text(parameter_page(), encoding="utf-8")
    wanted = [page for page in TUTORIALS if len(sys.argv) == 1 or page.stem in sys.argv[1:]]
    for page in wanted:
        text = page.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            printed = iter([text for _, text in outputs(text, Path(folder))])

        def filled(match: re.Match[str], printed=printed) -> str:
            if match["mark"]:
                return match[0]
            return f"{match['about'] or ''}```{match['language']}\n{match['code']}```\n\n```text\n{next(printed)}\n```\n"

        page.write_text(BLOCK.sub(filled, text), encoding="utf-8")


if __name__ == "__main__":
    write_anew()
