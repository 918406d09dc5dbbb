"""The protocol document says what the code is: every name of the code stands in it, and every name in it stands in the code."""

import ast
import re
from pathlib import Path

import pytest

from school_mentoring.model import rules
from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.designs import CHOICES
from school_mentoring.model.draws import EVENTS
from school_mentoring.model.observe import GROUPS
from school_mentoring.model.parameters import TABLE
from tests.documents import ODD, ROOT, read

TEXT = read(ODD)


def section(name: str) -> str:
    """Return what stands between the marks of a table."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", TEXT, re.DOTALL)
    assert found, f"no table {name!r}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """Return the names in code type that open a row of a table."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def defined(path: Path) -> set[str]:
    """Return the functions and classes that a module defines or, for a package's public face, lists."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_parameter_is_explained():
    assert [name for name in TABLE if not re.search(rf"(?<!\w){name}(?!\w)", TEXT)] == []


def test_every_rule_is_named_with_its_file_and_nothing_else_is_called_a_rule():
    named = set()
    for names in re.findall(r"`model/rules\.py: (\w+`(?:, `\w+`)*)", TEXT):
        named |= set(re.findall(r"\w+", names))
    assert named == set(rules.__all__)


def test_every_rule_has_a_source_or_is_called_ours():
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section("rules").splitlines() if line.startswith("| `")]
    assert sorted(name.strip("`") for name, _, _ in rows) == sorted(rules.__all__)
    for _, form, source in rows:
        assert form and (re.search(r"\bours\b|\d{4}|Rogers", source)), source


def test_every_function_the_document_names_exists():
    references = re.findall(r"`(model/[\w/]+\.py)(?:: (\w+))?`", TEXT)
    assert len(references) > 40
    for path, name in references:
        assert not name or name in defined(ROOT / path), f"{path}: {name}"


def test_cost_categories_and_payers_are_those_of_the_ledger():
    costs = TEXT.split("### Costs")[1].split("###")[0]
    assert set(first_cells(costs)) == set(CATEGORIES)
    payers = " ".join(line.rsplit("|", 2)[1] for line in costs.splitlines() if line.startswith("| `"))
    assert all(payer in payers for payer in PAYERS)


@pytest.mark.parametrize(
    ("start", "end", "names"),
    [("are kept for the groups", "(by the furthest role", GROUPS), ("Events:", "So results", EVENTS)],
)
def test_lists_of_names_are_complete_and_in_order(start, end, names):
    listed = re.findall(r"`(\w+)`", TEXT.split(start, 1)[1].split(end, 1)[0])
    assert tuple(listed) == tuple(names)


def test_every_word_a_design_may_use_is_explained():
    explained = {word.rstrip("s") for word in re.findall(r"\w+", TEXT.lower())}
    for field, words in CHOICES.items():
        assert [word for word in words if word.rstrip("s") not in explained] == [], field


@pytest.mark.parametrize(
    "heading",
    [
        "1. Purpose and patterns",
        "2. Entities, state variables and scales",
        "3. Process overview and scheduling",
        "4. Design concepts",
        "5. Initialization",
        "6. Input data",
        "7. Submodels",
    ],
)
def test_the_seven_headings_of_the_protocol_stand_in_order(heading):
    headings = re.findall(r"^## (\d\. .+)$", TEXT, re.MULTILINE)
    assert headings.index(heading) == int(heading[0]) - 1
