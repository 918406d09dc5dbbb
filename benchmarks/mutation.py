"""Changes rules, costs and cost-effectiveness in one place at a time, and looks whether a test notices: `python -m benchmarks.mutation`.

Cosmic Ray makes the mutants (pip install cosmic-ray; nothing else of the project needs it). They are made in a copy of the project, and run
with NUMBA_DISABLE_JIT=1, so that none has to be compiled, against the unit tests of their module, up to the first that fails.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TESTS = {
    "model/rules.py": ("tests/model/test_rules.py",),
    "model/costs.py": ("tests/model/test_costs.py",),
    "analysis/cost_effectiveness.py": ("tests/analysis/test_cost_effectiveness.py", "tests/analysis/test_published_sample.py"),
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


def main(argv: Sequence[str] | None = None) -> None:
    """Make and try the mutants of every module, and print how many were killed and which were not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="modules whose name holds this text")
    options = parser.parse_args(argv)
    rows, told = [], []
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        copy = Path(scratch) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "build", "results", ".venv", "*_cache", "__pycache__"))
        for module, tests in TESTS.items():
            if options.only in module:
                results = _tried(copy, module, tests)
                killed = sum(not alive for _, alive in results)
                rows.append(f"| `{module}` | {len(results):,} | {killed:,} | {100 * killed / len(results):.1f} % |")
                told += [(module, item) for item, alive in results if alive]
    print("\n".join(["| module | mutants | killed | share |", "| --- | --: | --: | --: |", *rows]))
    for module, diff in told:
        print(f"\nalive in {module}:\n{diff}")


def _tried(copy: Path, module: str, tests: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the difference that each mutant of a module makes, and whether no test noticed it."""
    command = f"{sys.executable} -m pytest -x -p no:cacheprovider -p no:xdist -o addopts=-q {' '.join(tests)}"
    session, config = copy / "session.sqlite", copy / "cosmic-ray.toml"
    left_out = ", ".join(f'"{one}"' for one in SKIPPED)
    config.write_text(
        f'[cosmic-ray]\nmodule-path = "{module}"\ntimeout = 120\nexcluded-modules = []\ntest-command = "{command}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n'
        f"[cosmic-ray.filters.operators-filter]\nexclude-operators = [{left_out}]\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(copy)}
    session.unlink(missing_ok=True)
    tools = Path(sys.executable).parent
    for words in (
        ("cosmic-ray", "init", config, session),
        ("cr-filter-operators", session, config),
        ("cosmic-ray", "baseline", config),
        ("cosmic-ray", "exec", config, session),
    ):
        subprocess.run([tools / words[0], *words[1:]], cwd=copy, env=environment, check=True)
    return _read(session)


def _read(session: Path) -> list[tuple[str, bool]]:
    from cosmic_ray.work_db import WorkDB, use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome

    found = []
    with use_db(str(session), WorkDB.Mode.open) as database:
        for _item, result in database.completed_work_items:
            if result.worker_outcome == WorkerOutcome.SKIPPED:
                continue
            found.append((_changed(result), result.test_outcome == TestOutcome.SURVIVED))
    return found


def _changed(result: Any) -> str:
    """Return the changed lines of a mutant."""
    lines = (result.diff or "").splitlines()
    return "\n".join(line for line in lines if line[:1] in "+-@" and not line.startswith(("+++", "---")))


if __name__ == "__main__":
    main()
