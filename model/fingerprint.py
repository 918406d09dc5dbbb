"""What code and numbers a result, or compiled code, comes from: fingerprints that only their own changes change.

Taken over parsed sources, so comments, docstrings and the words of a refusal count for nothing; over the modules that one imports, at its
top or within functions, so no list is kept by hand.
"""

import ast
import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import school_mentoring

ROOT = Path(school_mentoring.__file__).parent

RESULTS = ("school_mentoring.experiments.sweep.chunks", "school_mentoring.model.mesa_model")
"""What makes the outcomes of a study, by either engine."""

ANCHORED = ("school_mentoring.experiments.anchors.draws",)
"""What decides which sets are drawn, and which of them meet the anchors."""

DESCRIBED = "school_mentoring.scenarios"
"""What reads scenarios changes no result: what was read stands in the study, and is compared as such."""

NOT_ANCHORED = (
    *(DESCRIBED, "school_mentoring.experiments.progress"),
    *(f"school_mentoring.model.{name}" for name in ("world.own_schools", "world.own_ties", "mesa_model")),
)
"""What no draw rests on: what reads scenarios and own files, what shows progress, and the other engine."""


@cache
def engine_fingerprint() -> str:
    """Return 16 hexadecimal digits that change with the code of the compiled engine or of what it imports."""
    return fingerprint(["school_mentoring.model.engine"])


@cache
def result_fingerprint() -> str:
    """Return 16 hexadecimal digits that change with any code or number that can change a result under the same scenario and seed."""
    read = [*sorted((ROOT / "model" / "data").glob("*.csv")), *(ROOT / "scenarios" / "anchored").glob("*.parquet")]
    tables = [path.name.encode() + b"\0" + path.read_bytes() for path in read]
    return fingerprint(RESULTS, lambda name: not name.startswith(DESCRIBED), tables)


def anchored_fingerprint(described: bytes) -> str:
    """Return 16 hexadecimal digits that change with what decides which draws are found.

    How sets are drawn and held to the anchors, the rules, how the anchors are read, their targets, and the scenario in which they are,
    ``described`` with all its numbers.
    """
    targets = (ROOT / "experiments" / "anchors" / "anchors.csv").read_bytes()
    return fingerprint(ANCHORED, lambda name: not name.startswith(NOT_ANCHORED), [targets, described])


def fingerprint(roots: Iterable[str], counts: Callable[[str], bool] = lambda _: True, others: Iterable[bytes] = ()) -> str:
    """Return 16 hexadecimal digits of some modules and all that they import of this program, but what does not ``counts``."""
    digest = hashlib.sha256()
    for name in sorted(_closure(roots, counts)):
        digest.update(name.encode() + b"\0" + _parsed(_file(name))[0])
    for other in others:
        digest.update(other)
    return digest.hexdigest()[:16]


def module_of(path: str | Path) -> str | None:
    """Return the full name of the module in a file of this program; None for other files."""
    try:
        inside = Path(path).relative_to(ROOT)
    except ValueError:
        return None
    return ".".join(["school_mentoring", *inside.with_suffix("").parts])


def _closure(roots: Iterable[str], counts: Callable[[str], bool]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found and counts(name):
            found.add(name)
            waiting += [other for other in _parsed(_file(name))[1] if _file(other).is_file()]
    return found


def _file(module: str) -> Path:
    path = ROOT.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _parsed(path: Path) -> tuple[bytes, tuple[str, ...]]:
    """Return a digest of the code of a file, and the modules of this program that it may import."""
    name = module_of(path) or ""
    package = name.removesuffix(".__init__") if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_bytes())
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, [package if node.level else "", node.module]))
            imported += [module, *(f"{module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [part for part in node.body if not _is_text(part)]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
            node.args = []  # the words of a refusal
    ours = tuple(sorted({module for module in imported if module.startswith("school_mentoring.")}))
    return hashlib.sha256(ast.dump(tree).encode()).digest(), ours


def _is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is a docstring, of what stands above it too."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
