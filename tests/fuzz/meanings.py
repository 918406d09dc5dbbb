"""Tables that say the same, or something else, in sound form: written by another program, in another unit, with columns or cases changed.

What is read must be what the table as it was says, or be refused, or come with a notice.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from school_mentoring.experiments.pilot_data.observations import read_observations
from school_mentoring.experiments.sweep.plan import read_table
from school_mentoring.experiments.worlds import schools_of
from school_mentoring.model.world.own_ties import read_ties
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario, load_scenario

from .sound import OBSERVATIONS, READ_WITH, SMALL, TABLES
from .trial import Case

__all__ = ["meaning_cases"]

SOUND = "sound.csv"
SCHOOLS = {
    "all columns": TABLES["schools.csv"],
    "pupils": "school_id,pupils\nA,1000\nB,2000\nC,812\nD,95\n",
    "thousands": "school_id,pupils\nA,1000\nB,2000\nC,4000\n",
    "sizes": "school_id,teachers,pupils,adopters_at_start\nA,14,200\nB,80,1250,1\nC,120,1000,2\n".replace("200\n", "200,0\n"),
    "kilometres": "school_id,country,x_km,y_km,openness\nA,IT,12.345,40.5,0.25\nB,IT,3.25,71.125,0.5\nC,IT,55,0.001,1\nD,CZ,7.5,8,0\n",
    "whole kilometres": "school_id,x_km,y_km\nA,1200,35\nB,1214,52\nC,1250,20\n",
    "degrees": "school_id,latitude,longitude\nA,45.123,12.345\nB,41.9,12.5\nC,50.1,14.4\n",
    "Central names": "school_id,country,region\nČáslav,CZ,Střed\nPlzeň,CZ,Západ\nĐurđevac,HR,Sjever\n",
    "Western names": "school_id,country,region\nÉcole,IT,Forlì\nCittà,IT,Forlì\nSão João,PT,Évora\n",
    "names": "school_id,region\nŽďár,Győr\nŁódź,Győr\nPlzeň,Győr\n",
}
TIES = {
    "weights": "source,target,weight\nA,B,1\nA,C,2.5\nB,C,0.125\n",
    "blank weights": "source,target,weight\nA,B,\nA,C,1\nB,C,2.5\n",
    "thousands": "source,target,weight\nA,B,1000\nA,C,2500\nB,C,500\n",
}
SETS = {
    "shares": "p,q_in,mine.fte\n0.005,0.1,0.5\n0.002,0.15,1\n0.003,0.2,0.25\n",
    "amounts": "mine.stipend,beta\n1000,0.05\n2500,0.1\n3000,0.08\n",
}
THREE = "school_id,country\nA,IT\nB,IT\nC,CZ\n"
NUMBERS = (
    *("latitude", "longitude", "x_km", "y_km", "teachers", "pupils", "digital_capacity", "openness", "adopters_at_start", "weight"),
    *("respondents", "adopters", "mean", "sd", "month", "wave", "p", "q_in", "mine.fte", "mine.stipend", "beta"),
)
LABELS = ("school_id", "source", "target", "region", "cluster", "practice", "item", "level", "role", "kind", "rural", "disadvantaged")
EXCHANGED = (("latitude", "longitude"), ("teachers", "pupils"))

Rows = list[list[str]]
Known = Mapping[str, Any]


def meaning_cases() -> list[Case]:
    """Return a case for each sort of table."""
    observed = {kind: text.replace(";", ",") if ";" not in text.split("\n", 1)[0] else text for kind, text in OBSERVATIONS.items()}
    observed["scale"] = OBSERVATIONS["scale"].replace(",", ".").replace(";", ",")
    base = {"small.yaml": SMALL.encode(), "schools.csv": TABLES["schools.csv"].encode(), "three.csv": THREE.encode()}
    base["ones.csv"] = b"school_id,teachers\n" + b"".join(b"%c,1\n" % letter for letter in b"ABCDEF")
    sorts: list[tuple[str, Mapping[str, str], Callable[[str], Callable[[Path, Path], Known]]]] = [
        ("schools.csv", SCHOOLS, lambda _: _schools),
        ("ties.csv", TIES, lambda _: _ties),
        ("observations.csv", observed, lambda kind: partial(_observations, kind)),
        ("sets.csv", SETS, lambda _: _sets),
    ]
    return [
        Case(
            f"meaning < {name} ({kind})",
            {**base, SOUND: text.encode(), name: text.encode()},
            name,
            partial(_compare, name, reader(kind)),
            weight=3,
            damage=changed,
        )
        for name, texts, reader in sorts
        for kind, text in texts.items()
    ]


# ---------------------------------------------------------------------------------------------------- what was read


def _compare(name: str, read: Callable[[Path, Path], Known], folder: Path) -> None:
    """Raise AssertionError where a table reads otherwise than it did, without a notice."""
    before, after = read(folder, folder / SOUND), read(folder, folder / name)
    assert not before["notices"], before["notices"]
    unlike = [key for key, value in before.items() if key != "notices" and not _alike(value, after[key])]
    assert not unlike or after["notices"], f"{unlike} without a word: {[(before[key], after[key]) for key in unlike]}"


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and one.dtype.kind == "f":
        return one.shape == other.shape and np.allclose(one, other, rtol=1e-12, atol=0.0, equal_nan=True)
    return [str(item).casefold() for item in one] == [str(item).casefold() for item in other]


def _scenario(folder: Path) -> Scenario:
    return load_scenario(folder / "small.yaml")


def _table(folder: Path, name: str) -> Schools:
    return schools_of(str(folder / name), _scenario(folder), _scenario(folder).base_parameters())


def _schools(folder: Path, path: Path) -> Known:
    schools = _table(folder, path.name)
    return {field.name: getattr(schools, field.name) for field in fields(Schools)}


def _ties(folder: Path, path: Path) -> Known:
    found = read_ties(path, _table(folder, "three.csv"))
    order = np.lexsort((found.target, found.source))
    relative = found.weight[order] / found.weight.max()  # as weights matter beside each other alone
    return {"ends": found.source[order] * 100 + found.target[order], "weight": relative, "notices": found.notices}


def _observations(kind: str, folder: Path, path: Path) -> Known:
    schools = _table(folder, "ones.csv" if kind == "times" else "schools.csv")
    seen = read_observations(path, schools, practices=["quizzes"], months=30, **READ_WITH[kind])
    return {**{name: seen.frame[name].to_numpy() for name in seen.frame}, "notices": seen.notices}


def _sets(folder: Path, path: Path) -> Known:
    sets, notices = read_table(str(path), _scenario(folder))
    return {**{name: sets[name].to_numpy() for name in sets}, "notices": notices}


# ------------------------------------------------------------------------------------------------------- what is changed


def changed(content: bytes, _name: str, random: Random) -> bytes:
    """Return a table with one change of its meaning or none, as another program would write it."""
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    random.choice((_nothing, _nothing, _columns, _columns, _unit, _unit, _case, _exchange))(rows, random)
    return _written(rows, random)


def _nothing(_rows: Rows, _random: Random) -> None:
    pass


def _columns(rows: Rows, random: Random) -> None:
    order = random.sample(range(len(rows[0])), len(rows[0]))
    rows[:] = [[row[at] for at in order] for row in rows]


def _unit(rows: Rows, random: Random) -> None:
    """Write one column in another unit, a thousand times as large or as small."""
    numeric = [at for at, name in enumerate(rows[0]) if name in NUMBERS]
    if numeric:
        at, exponent = random.choice(numeric), random.choice((3, -3))
        for row in rows[1:]:
            if row[at].replace(".", "").isdecimal():
                row[at] = f"{float(f'{row[at]}e{exponent}'):.12f}".rstrip("0").rstrip(".")


def _case(rows: Rows, random: Random) -> None:
    """Write all or some labels of a column in capitals or small letters."""
    at = random.choice([at for at, name in enumerate(rows[0]) if name in LABELS] or [0])
    how, some = random.choice((str.upper, str.lower, str.swapcase)), random.choice((1.0, 0.5))
    for row in rows[1:]:
        row[at] = how(row[at]) if random.random() < some else row[at]


def _exchange(rows: Rows, _random: Random) -> None:
    for one, other in EXCHANGED:
        if one in rows[0] and other in rows[0]:
            names = {one: other, other: one}
            rows[0] = [names.get(name, name) for name in rows[0]]


def _written(rows: Rows, random: Random) -> bytes:
    """Return rows as some program writes them: its marks, delimiter, encoding, line ends, headers, and columns and rows left over."""
    alike = random.random() < 0.8  # in all columns
    styles = [_style(random)] * len(rows[0]) if alike else [_style(random) for _ in rows[0]]
    header = [random.choice((str, str.upper, lambda name: name.replace("_", " ").title()))(name) for name in rows[0]]
    body = [
        [style(cell) if rows[0][at] in NUMBERS else cell for at, (cell, style) in enumerate(zip(row, styles, strict=True))]
        for row in rows[1:]
    ]
    spare = random.choice((0, 0, 2))
    lines = [row + [""] * spare for row in (header, *body)] + [[""] * (len(header) + spare)] * spare
    delimiter = random.choice(",;;\t|")
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=random.choice(("\n", "\r\n", "\r"))).writerows(lines)
    text = random.choice(("", "", f"sep={delimiter}\n")) + out.getvalue()
    return _encoded(text, random)


def _encoded(text: str, random: Random) -> bytes:
    for encoding in random.sample(("utf-8", "utf-8-sig", "utf-16", "cp1250", "cp1252"), 5):
        try:
            return text.encode(encoding)
        except UnicodeError:
            continue
    return text.encode()


def _style(random: Random) -> Callable[[str], str]:
    """Return a way to write numbers: a decimal mark, a mark of thousands, perhaps three places, a plus or a zero after the mark."""
    mark = random.choice(".,")
    apart = random.choice(["", "", ".", ",", " ", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "'"])
    places = random.choice((None, None, None, 3, 1))
    sign = random.choice(("", "", "", "+"))

    def written(cell: str) -> str:
        number = cell.replace(".", "", 1)
        if not number.isdecimal():
            return cell  # blank, negative, an exponent, or a date
        whole, _, decimals = cell.partition(".")
        if places is not None and len(decimals) <= places:
            decimals = decimals.ljust(places, "0")
        grouped = f"{int(whole or 0):,}".replace(",", apart if apart != mark else "")
        return sign + grouped + (mark + decimals if decimals else "")

    return written
