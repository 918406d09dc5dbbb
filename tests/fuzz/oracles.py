"""What a file holds, read a second time with other means than the program's, to tell whether it was right to accept it."""

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from school_mentoring.scenarios import load_scenario, scenario_from

from .trial import Done

__all__ = ["observations_read", "posterior_read", "scenario_read", "schools_read", "sets_read", "ties_read"]

ROOT = Path(__file__).parents[2]
with (ROOT / "model" / "data" / "parameters.csv").open(encoding="utf-8", newline="") as _file:
    BOUNDS = {row["name"]: (float(row["minimum"]), float(row["maximum"])) for row in csv.DictReader(_file)}
"""The least and the greatest value of every parameter."""

WHOLE = re.compile(r"[-+]?[0-9]+")
MOST = {"months": 1200, "replicates": 1_000_000, "seed": 2**64 - 1, "worlds": 1_000_000, "draws": 1_000_000}


class _Words(yaml.SafeLoader):
    """Reads every scalar as the word that stands there."""


_Words.yaml_implicit_resolvers = {}


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as a spreadsheet reads them, stripped, without blank ones."""
    text = path.read_bytes().decode("utf-8-sig")
    first = text.split("\n", 1)[0]
    semicolons = ";" in first and "," not in first
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=";" if semicolons else ",") if "".join(row).strip()]
    header = [name.strip() for name in rows[0]]
    assert len(set(header)) == len(header), "a column is there twice"
    assert all(len(row) == len(header) for row in rows), "rows differ in length"
    cells = [[cell.strip().replace(",", ".") if semicolons else cell.strip() for cell in row] for row in rows[1:]]
    return [dict(zip(header, row, strict=True)) for row in cells]


def _within(text: str, low: float, high: float, *, whole: bool = False) -> None:
    value = float(text)
    assert math.isfinite(value) and low <= value <= high, f"{text} is not in {low}..{high}"
    assert not whole or value == int(value), f"{text} is not whole"


def _counted(said: str, number: int, what: str) -> None:
    assert re.search(rf"\b{number:,} {what}", said), f"{number} {what} in the file, and it said {said!r}"


def schools_read(folder: Path, done: Done) -> None:
    """Hold that ``schools.csv`` is a table of schools, and that its schools were counted."""
    rows = _rows(folder / "schools.csv")
    ids = [row["school_id"] for row in rows]
    assert all(ids) and len(set(ids)) == len(ids), "a school without a name, or one that is there twice"
    bounds = {"teachers": (1, 100_000, True), "pupils": (0, 100_000, True), "digital_capacity": (0, 1, False), "openness": (0, 1, False)}
    bounds |= {"latitude": (-90, 90, False), "longitude": (-180, 180, False), "x_km": (-1e5, 1e5, False), "y_km": (-1e5, 1e5, False)}
    for row in rows:
        for name, (low, high, whole) in bounds.items():
            if row.get(name):
                _within(row[name], low, high, whole=whole)
        for name, words in {"rural": "0 1 true false yes no", "disadvantaged": "0 1 true false yes no"}.items():
            assert row.get(name, "").lower() in ("", *words.split()), row[name]
        assert row.get("level", "").lower() in ("", "primary", "secondary"), row["level"]
        started = row.get("adopters_at_start", "")
        if started:
            _within(started, 0, float(row.get("teachers") or 1e9), whole=True)
        if row.get("cluster"):
            assert row["role"].lower() in ("mentor", "mentee", "none"), row["role"]
    if "school" in done.out:
        _counted(done.out, len(rows), "school")


def ties_read(folder: Path, done: Done) -> None:
    """Hold that every tie of ``ties.csv`` joins two schools, once, with a weight above 0."""
    known = {row["school_id"] for row in _rows(folder / "schools.csv")}
    rows = _rows(folder / "ties.csv")
    seen = set()
    for row in rows:
        ends = row["source"], row["target"]
        assert ends[0] in known and ends[1] in known and ends[0] != ends[1], ends
        if row.get("weight"):
            _within(row["weight"], 5e-324, 1e9)
        kind = row.get("kind", "").lower() or "peer"
        assert kind in ("peer", "mentoring"), kind
        key = (kind, *(sorted(ends) if kind == "peer" else ends))
        assert key not in seen, f"{key} is there twice"
        seen.add(key)
    mentors, mentees = ({key[at] for key in seen if key[0] == "mentoring"} for at in (1, 2))
    assert not mentors & mentees, "a mentor is a mentee"
    if "peer tie" in done.out:
        _counted(done.out, sum(key[0] == "peer" for key in seen), "peer tie")


def observations_read(folder: Path, done: Done) -> None:
    """Hold that ``observations.csv`` says of known schools what can be, each school once in a month and a practice."""
    known = {row["school_id"] for row in _rows(folder / "schools.csv")}
    seen = set()
    if re.search(r"observations.csv: [\d,]+ (schools?|peer ties?)\b", done.out):
        return  # with another header it is another table, and was told to be
    for row in _rows(folder / "observations.csv"):
        assert row["school_id"] in known, row["school_id"]
        measured = [row[name] for name in ("respondents", "adopters", "mean", "sd") if row.get(name)]
        if "adoption_time" not in row and not measured:
            continue
        key = tuple(row.get(name, "") for name in ("school_id", "month", "date", "practice", "item"))
        assert key not in seen, f"{key} is there twice"
        seen.add(key)
        if row.get("month"):
            _within(row["month"].replace(",", "."), 0, 1199, whole=True)
        if row.get("adopters"):
            _within(row["respondents"], 1, 1e5, whole=True)
            _within(row["adopters"], 0, float(row["respondents"]), whole=True)
        if row.get("mean"):
            _within(row["mean"].replace(",", "."), 1, 5)
    assert seen, "nothing was observed"


def scenario_read(folder: Path, _done: Done, designs: Sequence[str] | None = None) -> None:
    """Hold that ``small.yaml`` is a mapping whose numbers the program read as they stand there, and within their bounds."""
    stated = yaml.load((folder / "small.yaml").read_text(encoding="utf-8"), Loader=_Words)
    assert isinstance(stated, dict)
    scenario = load_scenario(folder / "small.yaml", designs=designs)
    for name, most in MOST.items():
        word = stated.get(name)
        if isinstance(word, str) and WHOLE.fullmatch(word):
            assert int(word) == getattr(scenario, name) <= most, f"{name}: {word}"
    for name, (low, high) in BOUNDS.items():
        given = scenario.parameters[name]
        assert low <= given.low <= given.base <= given.high <= high, name
        word = stated.get("parameters", {}).get(name) if isinstance(stated.get("parameters"), dict) else None
        if isinstance(word, str) and WHOLE.fullmatch(word):
            assert float(word) == given.base, f"{name}: {word}"
    assert scenario.designs


def posterior_read(folder: Path, _done: Done) -> None:
    """Hold that ``draws.parquet`` holds finite draws of parameters, within their bounds."""
    table = pq.read_table(folder / "draws.parquet")
    assert table.num_rows >= 2 and table.num_columns >= 1
    for name in table.column_names:
        low, high = BOUNDS[name]
        assert all(value is not None and low <= value <= high for value in table[name].to_pylist()), name


def sets_read(folder: Path, done: Done) -> None:
    """Hold that ``sets.csv`` holds numbers of parameters within their bounds, and that all its sets were run."""
    rows = _rows(folder / "sets.csv")
    for row in rows:
        for name, cell in row.items():
            if name in BOUNDS:
                _within(cell, *BOUNDS[name])
    described = json.loads((folder / "study" / "study.json").read_text(encoding="utf-8"))
    assert described["sweep"]["parameter_sets"] == len(rows)
    assert pq.read_table(folder / "study" / "parameters.parquet").num_rows == len(rows)


def description_read(path: Path) -> None:
    """Hold that a ``study.json`` describes a scenario."""
    description = json.loads(path.read_text(encoding="utf-8"))
    scenario_from(description["scenario"], str(path))
