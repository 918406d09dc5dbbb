"""The documentation is true: its code runs and prints what it says, its commands exist, its site builds and fetches nothing."""

import os
import re
import sys
from collections import Counter
from html.parser import HTMLParser

import nbformat
import pytest
import typer.main
from nbclient import NotebookClient

from school_mentoring.analysis.commands.program import app, spread_sets
from tests.commands.program import begin, finish, program
from tests.documents import ADVICE, BLOCK, DOCS, PAGES, PART, README, ROOT, TUTORIALS, WRITTEN, Block, anew, commands, read, run_python

NOTEBOOK = ROOT / "notebooks" / "researcher.ipynb"
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}


@pytest.mark.parametrize("pages", WRITTEN, ids=lambda pages: pages[0].stem)
def test_pages_show_what_the_code_gives_and_prints(pages, tmp_path):
    """The example report, which stands for the pilot's, is compared by its words: its pictures are those of other libraries elsewhere."""
    for page, text in anew(pages, tmp_path):
        assert read(page) == text, f"write it anew if this is meant: python -m tests.documents {page.stem}"
    if README in pages:
        shown, made = (words_of(read(report)) for report in (DOCS / "example-report/report.html", tmp_path / ADVICE / "report.html"))
        assert shown == made, "write it anew if this is meant: python -m tests.documents README"


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_shows_what_each_block_prints_or_says_why_it_is_not_run(page):
    found = list(BLOCK.finditer(read(page)))
    assert len(found) > 2
    for block in found:
        assert bool(block["mark"]) != (block["printed"] is not None), block[0]


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
    program = typer.main.get_command(app)
    for words in commands(read(page)):
        command = program.commands[words[0]]
        command.make_context(words[0], spread_sets(words[1:]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_and_module_that_a_page_names_exists(page):
    text = read(page)
    named = re.findall(r"`((?:model|scenarios|experiments|analysis|tests|benchmarks|docs)/[\w/.-]+?)(?::[^`]*)?`", text)
    named += [name.replace(".", "/") for name in re.findall(r"python -m ((?:tests|benchmarks)\b[\w.]*)", text)]
    for path in named:
        assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), path


def test_the_notebook_code_of_the_readme_runs_on_the_study_of_its_sweep(tmp_path, monkeypatch):
    text = read(README)
    sweep = next(words for words in commands(text) if words[0] == "sweep")
    done = program(*sweep, "--sample", "sobol:8", "--replicates", "2", "--months", "40", cwd=tmp_path)  # of two samples the last counts
    assert done.code == 0, done
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in BLOCK.finditer(text):
        if block["language"] == "python":
            run_python(block["code"], names)
    assert len(names["model"].datacollector.get_model_vars_dataframe()) == 12
    assert len(names["study"].runs()) == 8 * 2 * 8


def test_the_documentation_stays_short_enough_to_be_read():
    # Without the tables that commands write.
    words = {page: len(PART.sub("", read(page)).split()) for page in [*PAGES, ROOT / "benchmarks/RESULTS.md"]}
    assert words[README] < 1600
    apart = {ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", DOCS / "parameters.md"}
    assert sum(count for page, count in words.items() if page not in apart) < 32_000


def test_commands_are_found_in_the_documentation():
    found = Counter(words[0] for page in PAGES for words in commands(read(page)))
    assert {"compare", "sweep", "sensitivity", "calibrate", "optimise", "recommend", "serve", "validate"} <= set(found)


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
    """Build the site, in which every warning (a broken link, a missing anchor, a page in no menu) is an error; with --quiet none is."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    assert finish(begin(words, cwd=ROOT)).code == 0
    return folder


class Words(HTMLParser):
    """Collects the words of a page and the descriptions of its pictures, without the section on how to make it again."""

    def __init__(self):
        super().__init__()
        self.words = []
        self.section = self.tag = ""

    def handle_starttag(self, tag, attributes):
        values, self.tag = dict(attributes), tag
        if tag == "section":
            self.section = values.get("id") or ""
        self.words += (values.get("alt") or "").split()

    def handle_data(self, data):
        if self.section != "again" and self.tag != "style":
            self.words += data.split()


def words_of(report: str) -> list[str]:
    """Return all that a report says, but for how to make it again."""
    parser = Words()
    parser.feed(report)
    return parser.words


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
        parser.feed(read(page))
        assert parser.fetched == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import\s*)[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_link_to_a_project_file_leads_somewhere_on_the_site(site):
    for page in site.rglob("*.html"):
        for target in re.findall(r'href="([^"#:]+)(?:#[^"]*)?"', read(page)):
            if page.name != "404.html":
                assert (page.parent / target).exists(), (page, target)
