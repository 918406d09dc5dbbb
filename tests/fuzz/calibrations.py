"""The folder of a calibration: its simulations, its findings, and the scenario that it wrote, read by every command that takes one."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from school_mentoring.experiments.folder.reading import open_study
from school_mentoring.scenarios import load_scenario
from tests.commands.program import Done

from .oracles import bounds_of
from .sound import STUDIES
from .trial import Case

__all__ = ["calibration_cases", "findings_as_before"]

PLACE = "studies/calibrate"
FOUND = f"{PLACE}/calibration"
SCENARIO, DRAWS = f"{FOUND}/calibrated.yaml", f"{FOUND}/calibrated-draws.parquet"
OUT = ("--out", "study")
READERS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("validate", ("validate", SCENARIO), 12),
    ("parameters", ("parameters", SCENARIO, "--json"), 6),
    ("sweep", ("sweep", SCENARIO, "--sample", "sobol:4", "--workers", "1", "--json", *OUT), 2),
    ("compare", ("compare", SCENARIO, "--threads", "1", "--json", *OUT), 1),
)
"""Commands that read the scenario that was fitted: name, words, how often each is tried beside others."""

REFUSED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("recommend", ("recommend", PLACE, *OUT)),
    ("sensitivity", ("sensitivity", PLACE, "--method", "given", *OUT)),
)
"""Commands that read studies, but not those of calibrations."""


def calibration_cases(files: Mapping[str, bytes], base: Mapping[str, bytes], spoiled: Mapping[str, str]) -> list[Case]:
    """Return the cases of a calibration's folder.

    ``files``: what it holds. ``base``: the files it was made of. ``spoiled``: the file that is damaged, by what it is called.
    """
    inside = {**base, **{f"{PLACE}/{name}": content for name, content in files.items()}}
    found = []
    # The table of schools where it lay, as a calibration goes on with the same files only.
    schools = json.loads(files["study.json"])["scenario"]["world"]["schools"]
    again = tuple(schools if word == "schools.csv" else word for word in STUDIES["calibrate"])
    unlike = findings_as_before(files)
    resume = (*again, "--out", PLACE, "--resume")
    for short, name in spoiled.items():
        path = f"{PLACE}/{name}"
        called = f"calibrate/{short}"
        found.append(Case(f"open_study < {called}", inside, path, _opened(), _sets_as_before(files, name), weight=4))
        if name.startswith("calibration/"):
            continue  # findings are made anew from the simulations, and nothing else reads them
        found.append(Case(f"calibrate --resume < {called}", inside, path, resume, unlike, mends=True, weight=1))
        found += [Case(f"{command} < {called}", inside, path, words, _never, weight=1) for command, words in REFUSED]
    for path in (SCENARIO, DRAWS):
        called = f"calibrate/{path.removeprefix(PLACE + '/')}"
        found += [Case(f"{command} < {called}", inside, path, words, calibrated_read, weight=weight) for command, words, weight in READERS]
    return found


def _opened() -> Callable[[Path], object]:
    """Return what a notebook does with a calibration: its simulations, and its findings."""

    def read(folder: Path) -> None:
        simulations = open_study(folder / PLACE)
        assert len(simulations.parameters) and simulations.complete
        assert simulations.dataset().count_rows() == len(simulations.parameters)
        assert open_study(folder / FOUND).info["command"] == "calibrate"

    return read


def _sets_as_before(files: Mapping[str, bytes], spoiled: str) -> Callable[[Path, Done], None]:
    """Hold that parts of the simulations that were opened are those that were written."""

    def hold(folder: Path, _done: Done) -> None:
        if spoiled.startswith("results/part-"):
            assert (folder / PLACE / spoiled).read_bytes() == files[spoiled], "other simulations than were made"

    return hold


def findings_as_before(files: Mapping[str, bytes]) -> Callable[[Path, Done], None]:
    """Hold that a calibration that was completed again found what it had found: every table and picture has the same bytes."""

    def hold(folder: Path, _done: Done) -> None:
        for name, content in files.items():
            if name.startswith("calibration/") and name.endswith((".csv", ".parquet", ".png", ".yaml")):
                assert (folder / PLACE / name).read_bytes() == content, f"{name} holds other findings than before"

    return hold


def _never(_folder: Path, _done: Done) -> None:
    raise AssertionError("no command but rerun takes a calibration for a study of outcomes")


def calibrated_read(folder: Path, _done: Done) -> None:
    """Hold that the fitted scenario varies as draws that are within bounds, and that they are the file it names."""
    stated = yaml.safe_load((folder / SCENARIO).read_text(encoding="utf-8"))
    scenario = load_scenario(folder / SCENARIO)
    for name, given in scenario.parameters.items():
        low, high = bounds_of(name)
        assert low <= given.low <= given.base <= given.high <= high, name
    if stated.get("posterior") is None:
        assert scenario.posterior is None
        return
    table = pq.read_table((folder / SCENARIO).parent / stated["posterior"])
    assert table.num_rows >= 2 and table.num_columns >= 1
    for name in table.column_names:
        low, high = bounds_of(name)
        assert all(value is not None and low <= value <= high for value in table[name].to_pylist()), name
    assert scenario.name == stated["name"]
