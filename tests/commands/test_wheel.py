"""What a wheel installs is one package of real files, which works beside a user's own modules and beside a clone."""

import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from school_mentoring import __version__

from .program import QUICK, ROOT, begin, finish

IN_THE_WAY = ("model", "analysis", "scenarios", "run")
COMMAND = "import sys; from school_mentoring.analysis.commands import main; sys.argv[0] = 'school-mentoring'; main()"
BUILT = (
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "__pycache__",
    "build",
    "dist",
    "results",
    "*.egg-info",
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a copy of this source, links as links; building leaves files in the folder it builds."""
    copy = tmp_path_factory.mktemp("source") / "copy"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*BUILT))
    return copy


@pytest.fixture(scope="module")
def wheel(clone, tmp_path_factory):
    """Return a wheel of this source."""
    out = tmp_path_factory.mktemp("wheel")
    call = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--wheel-dir",
        str(out),
        str(clone),
    ]
    assert finish(begin(call, cwd=out), 300).code == 0
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def library(wheel, tmp_path_factory):
    """Return a folder in which the wheel is installed; what it needs is where the tests have it."""
    target = tmp_path_factory.mktemp("library")
    call = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--target",
        str(target),
        str(wheel),
    ]
    assert finish(begin(call, cwd=target), 120).code == 0
    return target


@pytest.fixture
def folder(tmp_path):
    """Return a user's folder whose modules have the names of the project's folders, and must not be imported."""
    for name in IN_THE_WAY:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the own {name}.py was imported')\n", encoding="utf-8")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "__init__.py").write_text("raise SystemExit('the own experiments were imported')\n", encoding="utf-8")
    return tmp_path


def test_a_wheel_has_one_package_of_real_files_at_its_top(wheel):
    assert wheel.name == f"school_mentoring-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        tops = {name.split("/")[0] for name in names}
        assert all(entry.external_attr >> 28 != 0xA for entry in archive.infolist())  # the kind of a file that is a link
        assert "school-mentoring = school_mentoring.analysis.commands:main" in archive.read(
            f"school_mentoring-{__version__}.dist-info/entry_points.txt"
        ).decode("utf-8")
    assert tops == {"school_mentoring", f"school_mentoring-{__version__}.dist-info"}
    kept = {
        path.relative_to(ROOT).as_posix() for name in ("model", "scenarios", "experiments", "analysis") for path in files_of(ROOT / name)
    }
    assert {f"school_mentoring/{name}" for name in kept} | {"school_mentoring/__init__.py", "school_mentoring/py.typed"} <= set(names)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_an_installed_package_compares_designs_beside_own_modules_of_its_folders_names(library, folder):
    words = [sys.executable, "-c", COMMAND, "compare", "mensi-pilot-only", *QUICK, "--out", "study"]
    done = finish(begin(words, cwd=folder, environment={"PYTHONPATH": str(library)}), 300)
    assert (done.code, "regional hub" in done.out) == (0, True)
    assert (folder / "study" / "study.json").exists()


def test_an_installed_package_serves_the_page_beside_own_modules_of_its_folders_names(library, folder):
    words = [sys.executable, "-c", COMMAND, "serve", "mensi-pilot-only", *QUICK, "--port", "0"]
    process = begin(words, cwd=folder, environment={"PYTHONPATH": str(library)}, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        with urllib.request.urlopen(found.group(), timeout=60) as answer:
            assert "<title>" in answer.read().decode("utf-8")
    finally:
        process.kill()
        process.communicate()


def test_a_clone_runs_its_own_code_where_another_copy_is_installed(library, clone, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(clone, other, symlinks=True)
    package = other / "school_mentoring" / "__init__.py"
    package.write_text(package.read_text("utf-8").replace(f'"{__version__}"', '"0.0.7"'), encoding="utf-8")
    asked = [sys.executable, str(other / "run.py"), "--version"]
    assert "0.0.7" in finish(begin(asked, cwd=tmp_path, environment={"PYTHONPATH": str(library)})).out
