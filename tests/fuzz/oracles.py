"""What a file holds, read a second time with other means than the program's, to tell whether it was right to accept it."""

import contextlib
import csv
import io
import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from school_mentoring.model.world.own_schools import TRUTH
from school_mentoring.scenarios import load_scenario, scenario_from
from tests.commands.program import Done

__all__ = ["observations_read", "posterior_read", "scenario_read", "schools_read", "sets_read", "ties_read"]

ROOT = Path(__file__).parents[2]
with (ROOT / "model" / "data" / "parameters.csv").open(encoding="utf-8", newline="") as _file:
    BOUNDS = {row["name"]: (float(row["minimum"]), float(row["maximum"])) for row in csv.DictReader(_file)}
"""The least and the greatest value of every parameter, by its row."""


def bounds_of(name: str) -> tuple[float, float]:
    """Return the least and the greatest value of a parameter; of the factors of countries one row has them."""
    return BOUNDS["salary_<country>" if re.fullmatch("salary_[A-Z][A-Z0-9-]+", name) else name]


WHOLE = re.compile(r"[-+]?[0-9]+")
MOST = {"months": 1200, "replicates": 1_000_000, "seed": 2**64 - 1, "worlds": 1_000_000, "draws": 1_000_000}


class _Words(yaml.SafeLoader):
    """Reads every scalar as the word that stands there."""


_Words.yaml_implicit_resolvers = {}


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table as a spreadsheet reads them, stripped, without blank ones; headers in small letters and digits alone."""
    lines = _text(path.read_bytes())
    told = re.match(r'"?sep=(.)"?[;,\t]*\s*$', lines[0], re.IGNORECASE)
    lines = lines[1:] if told else lines
    head = re.sub('"[^"]*"', "", next(line for line in lines if line.strip()))
    delimiter = told[1] if told else max(",;\t|", key=head.count)
    rows = [[_plain(cell) for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    rows = [row for row in rows if any(row)]
    header = [re.sub(r"[\W_]", "", name.lower()) for name in rows[0]]
    named = [at for at, name in enumerate(header) if name]
    assert len({header[at] for at in named}) == len(named), "a column is there twice"
    assert not any(cell for row in rows for at, cell in enumerate(row) if at not in named), "cells without a header"
    assert all(len(row) > max(named) for row in rows), "rows differ in length"
    return [{header[at]: row[at] for at in named} for row in rows[1:]]


def _text(content: bytes) -> list[str]:
    """Return the lines of a file as the first encoding reads it that can."""
    for encoding in ("utf-32", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:4] == b"\0\0\xfe\xff" else ():
        with contextlib.suppress(UnicodeError):
            return content.decode(encoding).splitlines(keepends=True)
    for encoding in ("utf-8-sig", "cp1252", "cp1250"):
        with contextlib.suppress(UnicodeError):
            return io.StringIO(content.decode(encoding), newline="").readlines()
    raise AssertionError("no encoding reads it")


def _plain(cell: str) -> str:
    """Return a cell without what nobody sees."""
    seen = "".join(" " if unicodedata.category(c) == "Zs" else c for c in cell if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", seen).strip()


def _readings(text: str) -> set[float]:
    """Return the numbers that a cell may be: with decimals, and with thousands set apart."""
    plain = re.sub(r"[ '’]", "", text).replace("\N{MINUS SIGN}", "-")
    part, plain = (0.01, plain[:-1]) if plain.endswith("%") else (1.0, plain)
    found = set()
    for thousands, decimals in ((".", ","), (",", ".")):
        with contextlib.suppress(ValueError):
            found.add(part * float(plain.replace(thousands, "").replace(decimals, ".")))
    assert found, f"{text} is no number"
    return found


def _within(text: str, low: float, high: float, *, whole: bool = False) -> float:
    """Return the number of a cell that is within bounds; whole ones are not below a thousand where three digits are set apart."""
    fitting = [value for value in _readings(text) if low <= value <= high and (not whole or value == int(value))]
    if whole and re.fullmatch(r"[-+]?[1-9]\d{0,2}[.,]\d{3}", text):
        fitting = [value for value in fitting if abs(value) >= 1000]
    assert fitting, f"{text} is not in {low}..{high}"
    return max(fitting)


def _counted(said: str, number: int, what: str) -> None:
    assert re.search(rf"\b{number:,} {what}", said), f"{number} {what} in the file, and it said {said!r}"


def schools_read(folder: Path, done: Done) -> None:
    """Hold that ``schools.csv`` is a table of schools, and that its schools were counted."""
    rows = _rows(folder / "schools.csv")
    ids = [row["schoolid"] for row in rows]
    assert all(ids) and len(set(ids)) == len(ids), "a school without a name, or one that is there twice"
    bounds = {"teachers": (1, 100_000, True), "pupils": (0, 100_000, True), "digitalcapacity": (0, 1, False), "openness": (0, 1, False)}
    bounds |= {"latitude": (-90, 90, False), "longitude": (-180, 180, False), "xkm": (-1e5, 1e5, False), "ykm": (-1e5, 1e5, False)}
    for row in rows:
        for name, (low, high, whole) in bounds.items():
            if row.get(name):
                _within(row[name], low, high, whole=whole)
        for name in ("rural", "disadvantaged"):
            assert row.get(name, "").lower() in ("", *TRUTH), row[name]
        assert row.get("level", "").lower() in ("", "primary", "secondary"), row["level"]
        started = row.get("adoptersatstart", "")
        if started:
            teachers = _within(row["teachers"], 1, 1000, whole=True) if row.get("teachers") else 1e9
            _within(started, 0, teachers, whole=True)
        if row.get("cluster"):
            assert row["role"].lower() in ("mentor", "mentee", "none"), row["role"]
    if "school" in done.out:
        _counted(done.out, len(rows), "school")


def ties_read(folder: Path, done: Done) -> None:
    """Hold that every tie of ``ties.csv`` joins two schools, once in a direction, with a weight above 0, and that they were counted."""
    known = {row["schoolid"] for row in _rows(folder / "schools.csv")}
    rows = _rows(folder / "ties.csv")
    seen = set()
    for row in rows:
        ends = row["source"], row["target"]
        assert ends[0] in known and ends[1] in known and ends[0] != ends[1], ends
        if row.get("weight"):
            _within(row["weight"], 5e-324, 1e9)
        kind = row.get("kind", "").lower() or "peer"
        assert kind in ("peer", "mentoring"), kind
        way = row.get("type", "").lower()
        assert way in ("", "undirected", "directed"), way
        key = (kind if kind == "mentoring" or way != "directed" else "one way", *ends)
        assert key not in seen, f"{key} is there twice"
        seen.add(key)
    mentors, mentees = ({key[at] for key in seen if key[0] == "mentoring"} for at in (1, 2))
    assert not mentors & mentees, "a mentor is a mentee"
    if "peer tie" in done.out:
        loose = {frozenset(key[1:]) for key in seen if key[0] == "peer"}
        _counted(done.out, len(loose) + sum(key[0] == "one way" for key in seen), "peer tie")


def observations_read(folder: Path, done: Done) -> None:
    """Hold that ``observations.csv`` says of known schools what can be, each school once in a month and a practice."""
    known = {row["schoolid"] for row in _rows(folder / "schools.csv")}
    seen = set()
    if re.search(r"observations.csv: [\d,]+ (schools?|peer ties?)\b", done.out):
        return  # with another header it is another table, and was told to be
    for row in _rows(folder / "observations.csv"):
        assert row["schoolid"] in known, row["schoolid"]
        measured = [row[name] for name in ("respondents", "adopters", "mean", "sd") if row.get(name)]
        if "adoptiontime" not in row and not measured:
            continue
        key = tuple(row.get(name, "") for name in ("schoolid", "month", "date", "practice", "item"))
        assert key not in seen, f"{key} is there twice"
        seen.add(key)
        if row.get("month"):
            _within(row["month"], 0, 1199, whole=True)
        if row.get("adopters"):
            _within(row["adopters"], 0, _within(row["respondents"], 1, 1000, whole=True), whole=True)
        if row.get("mean"):
            _within(row["mean"], 1, 5)
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
    assert len(scenario.parameters) >= len(BOUNDS)
    for name, given in scenario.parameters.items():
        low, high = bounds_of(name)
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
        low, high = bounds_of(name)
        assert all(value is not None and low <= value <= high for value in table[name].to_pylist()), name


def sets_read(folder: Path, done: Done) -> None:
    """Hold that ``sets.csv`` holds numbers of parameters within their bounds, and that all its sets were run."""
    rows = _rows(folder / "sets.csv")
    for row in rows:
        for name, cell in row.items():
            for known in (known for known in BOUNDS if known.replace("_", "") == name):
                _within(cell, *BOUNDS[known])
    described = json.loads((folder / "study" / "study.json").read_text(encoding="utf-8"))
    assert described["sweep"]["parameter_sets"] == len(rows)
    assert pq.read_table(folder / "study" / "parameters.parquet").num_rows == len(rows)


def description_read(path: Path) -> None:
    """Hold that a ``study.json`` describes a scenario."""
    description = json.loads(path.read_text(encoding="utf-8"))
    scenario_from(description["scenario"], str(path))
