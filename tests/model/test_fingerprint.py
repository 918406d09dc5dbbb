"""Which changes of the code make results and compiled code other than they were: rules and numbers do, comments and messages do not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CALL = "from school_mentoring.model import draws; draws.uniform(1, 2, 3, 4, 5, 6, 7)"
PRINTS = "from school_mentoring.model.fingerprint import *; print(engine_fingerprint(), result_fingerprint(), anchored_fingerprint(b''))"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of the program, whose code a test may change."""
    for name in ("model", "scenarios", "experiments", "analysis"):
        shutil.copytree(ROOT / name, tmp_path / "clone" / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    shutil.copytree(ROOT / "school_mentoring", tmp_path / "clone" / "school_mentoring", symlinks=True, ignore=lambda *_: ["__pycache__"])
    return tmp_path / "clone"


def run(clone: Path, code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=clone, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "engine", "result", "anchored"),
    [
        ("model/rules.py", "\n@step", "\n# A comment.\n@step", False, False, False),
        ("model/errors.py", '"""The one error', '"""The only error', False, False, False),
        ("model/world/csv_file.py", ' "give ', ' "please give ', False, False, False),
        ("scenarios/schema.py", "MAX_DESIGNS = 400", "MAX_DESIGNS = 401", False, False, False),
        ("analysis/summary.py", "import", "import sys\nimport", False, False, False),
        ("model/rules.py", "* relative * relative", "* relative", True, True, True),
        ("model/month.py", "range(low, high, size)", "range(low, high, 1 * size)", True, True, True),
        ("model/world/peers.py", "import", "import sys\nimport", False, True, True),
        ("experiments/ensemble.py", "/ 12.0", "/ 13.0", False, True, True),
        ("model/data/parameters.csv", "0.0002", "0.0003", False, True, False),
        ("experiments/distributions.py", "PERT_SHAPE = 4.0", "PERT_SHAPE = 5.0", False, True, True),
        ("experiments/anchors/draws.py", "SURE = 2, 12, 36", "SURE = 2, 12, 37", False, False, True),
        ("experiments/anchors/targets.py", "low <= found", "low < found", False, False, True),
        ("experiments/anchors/anchors.csv", "0.4", "0.5", False, False, True),
        ("experiments/anchors/search.py", "AGAIN, PART = 200", "AGAIN, PART = 100", False, False, False),
        ("experiments/progress.py", "import sys", "import sys, json", False, True, False),
    ],
)
def test_a_fingerprint_changes_with_rules_and_numbers_and_not_with_comments_and_messages(clone, file, old, new, engine, result, anchored):
    before = run(clone, PRINTS).split()
    change(clone / file, old, new)
    after = run(clone, PRINTS).split()
    assert [one != two for one, two in zip(before, after, strict=True)] == [engine, result, anchored]


def test_a_comment_compiles_nothing_anew_and_a_changed_function_that_is_called_does(clone, tmp_path):
    def compiled() -> dict[Path, int]:
        run(clone, CALL, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.nb?")}

    first = compiled()
    assert first
    for name in ("draws", "portable"):
        file = clone / "model" / f"{name}.py"
        file.write_text("# A comment that moves all lines.\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert compiled() == first
    change(clone / "model" / "portable.py", "_LOWEST, _HIGHEST = -708.0", "_LOWEST, _HIGHEST = -707.0")
    assert compiled() != first
