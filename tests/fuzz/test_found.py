"""What random damage has found, tried again: each input once ended in a traceback."""

import re

import pytest

from .sound import SMALL, TABLES
from .trial import Case, Folder, tried

FILES = {"small.yaml": SMALL.encode(), **{name: text.encode() for name, text in TABLES.items()}}
TWICE = "--designs none,none: the design 'none' is named twice; allowed: each once"
OPTIMISE = ("optimise", "small.yaml", "--evaluations", "4", "--population", "4", "--replicates", "2", "--draws", "0", "--out", "study")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        *(
            ((command, "small.yaml", "--k=inf"), "error: Invalid value for '--k': ")
            for command in ("recommend", "sensitivity", "validation")
        ),
        (("recommend", "small.yaml", "--designs=none,none"), f"error: {TWICE}"),
    ],
)
def test_options_that_ended_in_a_traceback_are_refused(words, message, tmp_path):
    found = tried(Case("options", FILES, "small.yaml", words), Folder(tmp_path), FILES["small.yaml"])
    assert (found.verdict, found.faults) == ("refused", [])
    assert found.done.err.startswith(message)


def test_a_search_draws_designs_of_which_one_has_no_months_of_its_own(tmp_path):
    larger = re.sub(r" *schools_per_region: 4\n", "", SMALL).encode()
    found = tried(Case("optimise", FILES, "small.yaml", OPTIMISE), Folder(tmp_path), larger)
    assert (found.verdict, found.faults) == ("accepted", [])
