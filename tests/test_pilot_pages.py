"""The numbers that README.md, docs/economics.md and the example report give of the pilot are those that the commands they show print."""

import pytest

from . import pilot_pages as pages
from .documents import trimmed

ANEW = "write it anew if this is meant: python -m tests.pilot_pages"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    """Run `run.py compare` and `run.py recommend` on its study; return the folder, what was printed, and the answer."""
    folder = tmp_path_factory.mktemp("pilot")
    printed = pages.compared(folder)
    return folder, printed, pages.advised(folder)


def test_the_overview_shows_what_a_comparison_prints(pilot):
    shown = pages.PRINTED.search(pages.README.read_text(encoding="utf-8"))
    assert shown is not None
    assert trimmed(pilot[1]) == trimmed(shown[0]), ANEW


def test_the_overview_quotes_the_three_sentences(pilot):
    assert pages.quoted(pages.README.read_text(encoding="utf-8")) == pilot[2], ANEW


def test_the_example_report_says_what_the_program_says_today(pilot):
    shown, made = ((folder / "report.html").read_text(encoding="utf-8") for folder in (pages.REPORT, pilot[0] / pages.ADVICE))
    assert pages.words_of(shown) == pages.words_of(made), ANEW
    assert "run.py recommend" in shown


def test_the_example_of_the_economics_prints_what_the_page_shows(pilot):
    shown = pages.EXAMPLE.search(pages.ECONOMICS.read_text(encoding="utf-8"))
    assert shown is not None
    assert pages.worked(pilot[0]) == trimmed(shown["printed"]), ANEW
