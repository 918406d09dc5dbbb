"""The sound files that are damaged: a scenario of eight schools with its tables, and studies that the program itself made of it."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd

from tests.commands.program import call

__all__ = ["OBSERVATIONS", "READ_WITH", "SMALL", "TABLES", "draws_bytes", "graph_text", "studies", "tables_of"]

SMALL = """\
name: small
title: "Eight schools"
months: 8
replicates: 2
draws: 4
seed: 7
programme: {first_month: 1, last_month: 7}
designs:
  none:
  virtual:
  mine: {preset: regional_hub, fte: 0.5, places: 2}
parameters:
  p: {low: 0.001, base: 0.02, high: 0.05}
  q_in: {low: 0.05, base: 0.1, high: 0.2}
practices: [{name: quizzes}]
uncertain: [p, q_in, travel_speed]
correlations: [{between: [p, q_in], value: 0.3}]
world:
  countries: [IT, {code: CZ, rural: 0.4}]
  regions_per_country: 1
  schools_per_region: 4
"""

TABLES = {
    "schools.csv": '''\
school_id,country,region,latitude,longitude,level,teachers,pupils,rural,disadvantaged,digital_capacity,openness,role,cluster,adopters_at_start
A,IT,north,45.1,9.2,primary,20,200,0,1,0.6,0.5,mentor,one,3
B,IT,north,45.2,9.1,primary,12,120,1,0,0.4,0.5,mentee,one,0
C,IT,north,45.3,9.5,secondary,40,500,0,0,0.5,,mentee,one,1
D,IT,south,41.0,14.2,secondary,33,,yes,no,0.3,0.4,,,
E,CZ,east,49.9,15.7,primary,25,260,false,false,0.7,0.9,mentor,two,5
F,CZ,east,50.1,15.9,primary,9,80,true,false,0.5,0.2,mentee,two,0
"É, ""G""",CZ,east,50.3,16.0,secondary,50,610,0,1,0.45,0.6,,,2
''',
    "ties.csv": '''\
source,target,weight,kind
A,B,1,peer
A,C,2.5,peer
B,C,,peer
C,D,5e-1,
E,F,1,peer
E,"É, ""G""",4,peer
A,B,,mentoring
E,F,,mentoring
''',
}

OBSERVATIONS = {
    "counts": """\
school_id,month,practice,wave,respondents,adopters,note
A,2,quizzes,1,10,4,synthetic
B,2,quizzes,1,12,0,
C,2,quizzes,1,20,3,
E,2,quizzes,1,,,
A,6,quizzes,2,9,5,
B,6,quizzes,2,11,2,
C,7,quizzes,2,31,4,
F,6,quizzes,2,9,0,
""",
    "scale": """\
school_id;date;item;respondents;mean;sd
A;2021-11;quizzes;10;3,5;0,9
B;2021-11-15;quizzes;12;1,5;0,5
C;2021-12;quizzes;1;4;
A;2022-03;quizzes;9;4,1;0,8
B;2022-03;quizzes;11;2,25;1
""",
    "times": """\
school_id,adoption_time
A,2021-03
B,
C,2022
D,2021-12-24
E,2020
F,
""",
}
"""Observations in the three forms."""

READ_WITH: Mapping[str, dict[str, str]] = {
    "counts": {},
    "scale": {"start": "2021-10", "mapping": "linear:1:5"},
    "times": {"start": "2021-01", "end": "2023-06"},
}
"""What each form needs to be read."""


def tables_of(kind: str) -> dict[str, str]:
    """Return the tables that go with observations of a form: adoption times are of schools of one teacher, whose start they tell."""
    if kind != "times":
        return TABLES
    rows = pd.read_csv(io.StringIO(TABLES["schools.csv"]), dtype=str, keep_default_na=False)
    return {**TABLES, "schools.csv": rows.assign(teachers="1", pupils="10", adopters_at_start="").to_csv(index=False)}


def draws_bytes() -> bytes:
    """Return joint draws of two parameters as calibrate writes them."""
    random = np.random.default_rng(5)
    return bytes(pd.DataFrame({"p": random.uniform(0.01, 0.02, 12), "q_out": random.uniform(0.0, 0.1, 12)}).to_parquet(index=False))


def graph_text() -> bytes:
    """Return a network of schools as GraphML."""
    graph = nx.Graph()
    graph.add_edge("A", "B", weight=2.0)
    graph.add_edge("B", "C", weight=0.5)
    graph.add_edge("E", "F")
    return "\n".join(nx.generate_graphml(graph)).encode()


STUDIES = {
    "compare": ("compare", "small.yaml"),
    "simulate": ("simulate", "small.yaml", "--design", "mine", "--per-school"),
    "sweep": (
        "sweep",
        "small.yaml",
        "--vary",
        "p=0.01:0.05",
        "--vary",
        "mine.fte=0.2:1",
        "--sample",
        "lhs:16",
        "--chunk",
        "8",
        "--workers",
        "1",
    ),
    "optimise": (
        "optimise",
        "small.yaml",
        "--evaluations",
        "8",
        "--population",
        "4",
        "--replicates",
        "2",
        "--draws",
        "0",
        "--objectives",
        "effect,cost",
    ),
    "recommend": ("recommend", "studies/compare"),
    "sensitivity": ("sensitivity", "small.yaml", "--method", "pawn", "--n", "8", "--max-runs", "60", "--replicates", "2"),
    "calibrate": (
        "calibrate",
        "small.yaml",
        "--schools",
        "schools.csv",
        "--observations",
        "observations.csv",
        "--design",
        "mine",
        "--fit",
        "p,q_in",
        "--runs",
        "256",
    ),
}
"""The command that makes a study of each kind; its folder is ``studies/<kind>``."""
STUDIES["other"] = (*STUDIES["sweep"], "--seed", "8")


def studies(folder: Path, kinds: Iterable[str]) -> dict[str, dict[str, bytes]]:
    """Make studies in a folder and return the files of each, by their names within the folder of the study."""
    files = {"small.yaml": SMALL, **TABLES, "observations.csv": OBSERVATIONS["counts"]}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    found = {}
    wanted = list(kinds)
    for kind in [*(["compare"] if "recommend" in wanted and "compare" not in wanted else []), *wanted]:  # a recommendation rests on it
        done = call((*STUDIES[kind], "--out", f"studies/{kind}"), folder)
        assert done.code == 0, (kind, done)
        place = folder / "studies" / kind
        found[kind] = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    return found
