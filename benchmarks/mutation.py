"""Changes rules, costs and cost-effectiveness in one place at a time, and looks whether a test notices: `python -m benchmarks.mutation`.

Cosmic Ray makes the mutants (pip install cosmic-ray; nothing else of the project needs it). They are made in a copy of the project, and run
with NUMBA_DISABLE_JIT=1, so that none has to be compiled, against the unit tests of their module, up to the first that fails.
"""

import argparse
import contextlib
import importlib
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TESTS = {
    "model/rules.py": ("tests/model/test_rules.py", "tests/model/test_rule_limits.py"),
    "model/costs.py": ("tests/model/test_costs.py",),
    "analysis/economics/acceptability.py": ("tests/economics/test_cost_effectiveness.py", "tests/economics/test_published_sample.py"),
}
"""The tests that are asked of the mutants of a module."""

SKIPPED = (
    "core/RemoveDecorator",  # where nothing is compiled, `@inlined` does nothing
    "core/ReplaceBinaryOperator_.*_(Mod|FloorDiv|Pow|RShift|LShift|BitOr|BitAnd|BitXor)",  # hardly a slip of anybody's
    "core/ReplaceBinaryOperator_BitOr_.*",  # annotations, and dictionaries joined
    "core/VariableReplacer",
    "core/VariableInserter",
)
"""Mutations that are left out."""


OURS = ("school_mentoring", "tests")
MOST_SECONDS = 120


def main(argv: Sequence[str] | None = None) -> None:
    """Make and try the mutants of every module, and print how many were killed and which were not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="modules whose name holds this text")
    parser.add_argument("--sample", type=int, default=0, help="try so many mutants of each module, drawn at random (default: all)")
    options = parser.parse_args(argv)
    rows, told = [], []
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        copy = Path(scratch) / "project"
        left_out = shutil.ignore_patterns(".git", "build", "results", ".venv", "*_cache", "__pycache__")
        shutil.copytree(ROOT, copy, symlinks=True, ignore=left_out)
        os.chdir(copy)
        sys.path[0] = str(copy)
        for module, tests in TESTS.items():
            if options.only in module:
                results = _tried(copy, module, tests, options.sample)
                killed = sum(not alive for _, alive in results)
                rows.append(f"| `{module}` | {len(results):,} | {killed:,} | {100 * killed / len(results):.1f} % |")
                told += [(module, item) for item, alive in results if alive]
    print("\n".join(["| module | mutants | killed | share |", "| --- | --: | --: | --: |", *rows]))
    for module, diff in told:
        print(f"\nalive in {module}:\n{diff}")


def _tried(copy: Path, module: str, tests: Sequence[str], sample: int) -> list[tuple[str, bool]]:
    """Return the difference that each mutant of a module makes, or each of a sample of them, and whether no test noticed it."""
    from cosmic_ray import mutating
    from cosmic_ray.commands import init
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome

    _load_all_but(module)
    if _run_tests(tests) != 0:
        raise SystemExit(f"the tests of {module} fail before anything is changed")
    # Most mutants do not survive a few examples of each property; those that do must survive all.
    mutating.run_tests = lambda *_: (TestOutcome.KILLED if _run_tests(tests, "8") or _run_tests(tests) else TestOutcome.SURVIVED, "")
    found = []
    with use_db(str(copy / "session.sqlite"), WorkDB.Mode.create) as database:
        init([Path(module)], database, {})
        items = [item for item in database.pending_work_items if not re.match("|".join(SKIPPED), item.mutations[0].operator_name)]
        items.sort(key=lambda item: (item.mutations[0].operator_name, item.mutations[0].occurrence))
        print(f"{module}: {len(items):,} mutants", file=sys.stderr, flush=True)
        for item in random.Random(1).sample(items, min(sample or len(items), len(items))):
            result = mutating.mutate_and_test(item.mutations, "", 0)
            found.append((_changed(result), result.test_outcome == TestOutcome.SURVIVED))
            if found[-1][1]:
                print(f"alive in {module}:\n{found[-1][0]}", file=sys.stderr, flush=True)
    (copy / "session.sqlite").unlink()
    return found


def _run_tests(tests: Sequence[str], most_examples: str = "") -> int:
    """Run tests in a process forked from this one, which has loaded all that does not hang on the mutant; return its exit code."""
    child = os.fork()
    if child == 0:
        signal.alarm(MOST_SECONDS)
        os.environ["MOST_EXAMPLES"] = most_examples
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            importlib.invalidate_caches()
            os._exit(pytest.main(["-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=-q", *tests]))
    return os.waitpid(child, 0)[1]


def _load_all_but(module: str) -> None:
    """Import the project and its libraries, as far as they do without a module: what needs it is read anew for each mutant."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    target = _dotted(Path(module))
    sys.modules[target] = None  # type: ignore[assignment] - as Python has it, a module that cannot be imported
    for package in ("model", "scenarios", "experiments", "analysis"):
        for path in [path for path in sorted(Path(package).rglob("*.py")) if "web" not in path.parts]:
            with contextlib.suppress(ImportError):
                importlib.import_module(_dotted(path))
    del sys.modules[target]


def _dotted(path: Path) -> str:
    return ".".join(("school_mentoring", *path.with_suffix("").parts))


def _changed(result: Any) -> str:
    """Return the changed lines of a mutant."""
    lines = (result.diff or "").splitlines()
    return "\n".join(line for line in lines if line[:1] in "+-@" and not line.startswith(("+++", "---")))


if __name__ == "__main__":
    main()
