"""Imports run one way: data flows from model to scenarios to experiments to analysis, and no package reaches back."""

import ast
import re
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("model", "scenarios", "experiments", "analysis")
ALLOWED = {
    "model": set(),
    "scenarios": {"model"},
    "experiments": {"model", "scenarios"},
    "analysis": {"model"},
    "analysis/web": {"model", "scenarios", "experiments"},
    "analysis/commands": {"model", "scenarios", "experiments"},
}
"""Which of the project's packages each package may import, besides itself. Page and command line stand at the end of the line."""

TYPE_NAME = re.compile(r"[A-Z][a-z]\w*")
FILES = sorted({path for package in ALLOWED for path in (ROOT / package).rglob("*.py")})
EVERYWHERE = sorted({*FILES, *ROOT.glob("*.py"), *(path for name in ("tests", "benchmarks") for path in (ROOT / name).rglob("*.py"))})


def package_of(path: Path) -> str:
    """Return the package of ``ALLOWED`` that a file belongs to, the innermost one."""
    inside = path.relative_to(ROOT).as_posix()
    return max((package for package in ALLOWED if inside.startswith(f"{package}/")), key=len)


def modules(source: str, folder: str = "", known: frozenset[str] = frozenset()) -> set[str]:
    """Return the modules that a source imports by their full names, at its top or within functions; with its ``folder`` also siblings.

    Of a package whose modules alone are imported (as far as they are ``known``), the package itself is left out.
    """
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.level == 0 or folder):
            start = ".".join(filter(None, (folder if node.level else "", node.module)))
            taken = {f"{start}.{alias.name}" for alias in node.names}
            names |= taken if taken <= known else {start, *taken}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"import_module", "__import__"}:
            names |= {str(a.value) for a in node.args if isinstance(a, ast.Constant)}
    return names


def imported(source: str, package: str) -> set[str]:
    """Return the project's packages that a module imports, besides its own; relative imports stay in the package."""
    inside = {name.split(".")[1] for name in modules(source) if name.startswith("school_mentoring.")} & set(PACKAGES)
    others = {name.split(".")[0] for name in modules(source)} & {"run", "tests", "benchmarks"}
    return (inside - {package}) | others


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_module_imports_only_what_lies_before_its_package(path):
    package = package_of(path)
    assert imported(path.read_text(encoding="utf-8"), package.split("/")[0]) <= ALLOWED[package]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_nothing_but_the_command_line_imports_the_page_and_nothing_imports_the_command_line(path):
    source, package = path.read_text(encoding="utf-8"), package_of(path)
    for end in {"web", "commands"} - {package.removeprefix("analysis/")} - ({"web"} if package == "analysis/commands" else set()):
        assert f"school_mentoring.analysis.{end}" not in source and f"from .{end}" not in source and f"from . import {end}" not in source


def full_name(path: Path) -> str:
    """Return the name by which a file of ``FILES`` is imported."""
    return ".".join(("school_mentoring", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def test_no_modules_import_each_other_in_a_circle_not_even_for_types_or_within_functions():
    known = frozenset(full_name(path) for path in FILES)
    folders = {path: full_name(path.parent / "__init__.py") for path in FILES}
    graph = {full_name(path): (modules(path.read_text("utf-8"), folders[path], known) & known) - {full_name(path)} for path in FILES}
    assert "school_mentoring.model.state" in graph["school_mentoring.model.month"]  # siblings are seen
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_no_two_classes_or_types_have_one_name():
    places = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(full_name(path))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and TYPE_NAME.fullmatch(node.targets[0].id):
                places[node.targets[0].id].append(full_name(path))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("path", EVERYWHERE, ids=[str(path.relative_to(ROOT)) for path in EVERYWHERE])
def test_no_module_is_imported_by_the_name_it_has_at_the_top_of_a_clone(path):
    """There ``model`` would be a second copy of ``school_mentoring.model``, with classes and compiled code of its own."""
    assert {name.split(".")[0] for name in modules(path.read_text(encoding="utf-8"))}.isdisjoint(PACKAGES)


def test_every_package_of_the_repository_is_linked_into_the_one_that_is_installed():
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == {*PACKAGES, "school_mentoring", "tests", "benchmarks"}
    for name in PACKAGES:
        link = ROOT / "school_mentoring" / name
        assert link.is_symlink() and str(link.readlink()) == f"../{name}"


@pytest.mark.parametrize(
    "source",
    [
        "import school_mentoring.experiments.sweep.store",
        "from school_mentoring.experiments.sweep import store",
        "from school_mentoring.experiments.sweep.store import Store as S",
        "from school_mentoring import experiments",
        "def f():\n    from school_mentoring.experiments import sweep",
        "import importlib\nimportlib.import_module('school_mentoring.experiments.sweep.store')",
    ],
)
def test_an_import_against_the_order_is_seen_wherever_it_stands(source):
    assert imported(source, "model") == {"experiments"}


def test_relative_imports_are_imports_of_the_own_package():
    assert imported("from . import rules\nfrom .draws import uniform", "model") == set()


@pytest.mark.parametrize("path", sorted((ROOT / "model").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_of_the_core_takes_more_than_eight_arguments(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            given = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            assert len([name for name in given if name not in {"self", "_typing"}]) <= 8, node.name
