"""The protocol document says what the code is: every name of the code stands in it, and every name in it stands in the code.

``python -m tests.test_odd`` writes the document's tables from the code.
"""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from school_mentoring.analysis.outcomes import OUTCOMES
from school_mentoring.model import observe, rules
from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.designs import CHOICES, FIELDS, PRESETS, Design
from school_mentoring.model.draws import EVENTS
from school_mentoring.model.observe import GROUPS
from school_mentoring.model.parameters import PARAMETERS
from school_mentoring.model.world.structure import STRUCTURE

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "odd.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", ", ") for cell in line) + " |" for line in lines)


def parameter_rows() -> str:
    head = ("name", "meaning", "unit", "low", "base", "high", "kind")
    rows = ((f"`{p.name}`", p.meaning, p.unit, f"{p.low:g}", f"{p.base:g}", f"{p.high:g}", p.kind) for p in PARAMETERS.values())
    return table(head, rows)


def design_rows() -> str:
    def shown(design: Design, field: str) -> str:
        value = getattr(design, field)
        return "-" if value is None else f"{value:g}" if isinstance(value, int | float) else value

    rows = ([f"`{f.field}`", f.meaning, f.unit, *(shown(design, f.field) for design in PRESETS.values())] for f in FIELDS.values())
    return table(["field", "meaning", "unit", *PRESETS], rows)


def outcome_rows() -> str:
    return table(("outcome", "meaning", "unit"), ((f"`{name}`", row.label, row.unit) for name, row in OUTCOMES.items()))


def structure_rows() -> str:
    rows = ((f"`{field}`", f"`{word}`", meaning) for field, words in STRUCTURE.items() for word, meaning in words.items())
    return table(("field", "choice", "meaning"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "parameters": parameter_rows,
    "designs": design_rows,
    "outcomes": outcome_rows,
    "structure": structure_rows,
}


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


@pytest.mark.parametrize("name", TABLES)
def test_each_table_is_the_one_the_code_gives(name):
    assert section(name).strip() == TABLES[name](), "write it anew: python -m tests.test_odd"


def test_the_document_lists_exactly_the_parameters_fields_and_outcomes_of_the_code():
    assert first_cells(section("parameters")) == list(PARAMETERS)
    assert first_cells(section("designs")) == list(FIELDS)
    assert first_cells(section("outcomes")) == list(observe.OUTCOMES)


def test_every_behavioural_parameter_is_explained_outside_its_table():
    text = TEXT.replace(section("parameters"), "")
    assert [name for name in PARAMETERS if not re.search(rf"(?<!\w){name}(?!\w)", text)] == []


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


def test_every_function_and_file_the_document_names_exists():
    references = re.findall(r"`(model/\w+\.py)(?:: (\w+))?`", TEXT)
    assert len(references) > 40
    for path, name in references:
        assert (ROOT / path).is_file(), path
        assert not name or name in defined(ROOT / path), f"{path}: {name}"
    for path in re.findall(r"`((?:model|tests|docs|experiments|scenarios)/[\w/.]+?)/?`", TEXT):
        assert (ROOT / path).exists(), path


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
    submodels = TEXT.replace(section("designs"), "").lower()
    explained = {word.rstrip("s") for word in re.findall(r"\w+", submodels)}
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


if __name__ == "__main__":
    written = TEXT
    for name, rows in TABLES.items():
        written = written.replace(f"<!-- {name} -->\n{section(name)}", f"<!-- {name} -->\n{rows()}\n")
    DOCUMENT.write_text(written, encoding="utf-8")
