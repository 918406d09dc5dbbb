"""Imports run one way: data flows from model to scenarios to experiments to analysis, and no package reaches back."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ALLOWED = {
    "model": set(),
    "scenarios": {"model"},
    "experiments": {"model", "scenarios"},
    "analysis": {"model"},
    "analysis/web": {"model", "scenarios", "experiments"},
}
"""Which of the project's packages each package may import, besides itself. The page stands at the end of the line, as ``run.py`` does."""

OURS = {*(name.split("/")[0] for name in ALLOWED), "run", "tests", "benchmarks"}
FILES = sorted({path for package in ALLOWED for path in (ROOT / package).rglob("*.py")})


def package_of(path: Path) -> str:
    """Return the package of ``ALLOWED`` that a file belongs to, the innermost one."""
    inside = path.relative_to(ROOT).as_posix()
    return max((package for package in ALLOWED if inside.startswith(f"{package}/")), key=len)


def imported(source: str, package: str) -> set[str]:
    """Return the project's packages that a module imports, at its top or within functions; relative imports stay in the package."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0] if node.level == 0 and node.module else package)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"import_module", "__import__"}:
            names |= {str(a.value).split(".")[0] for a in node.args if isinstance(a, ast.Constant)}
    return (names & OURS) - {package}


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_module_imports_only_what_lies_before_its_package(path):
    package = package_of(path)
    assert imported(path.read_text(encoding="utf-8"), package.split("/")[0]) <= ALLOWED[package]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_nothing_but_the_program_imports_the_page(path):
    if package_of(path) != "analysis/web":
        source = path.read_text(encoding="utf-8")
        assert "analysis.web" not in source and "from .web" not in source and "from . import web" not in source


def test_every_package_of_the_repository_has_its_place_in_the_order():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"tests", "benchmarks"} <= set(ALLOWED)
    assert "model" in packages


@pytest.mark.parametrize(
    "source",
    [
        "import experiments.store",
        "from experiments import store",
        "from experiments.store import Study as S",
        "def f():\n    from experiments import store",
        "import importlib\nimportlib.import_module('experiments.store')",
    ],
)
def test_an_import_against_the_order_is_seen_wherever_it_stands(source):
    assert imported(source, "model") == {"experiments"}


def test_relative_imports_are_imports_of_the_own_package():
    assert imported("from . import rules\nfrom .draws import uniform\nfrom ..model import x", "model") == set()
