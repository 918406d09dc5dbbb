"""SYNTHETIC pilots of other shapes, made by the model in a folder: schools that adopt once, seen by the year or by the step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd

from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.scenarios import Scenario, load_scenario

__all__ = ["Pilot", "adoption_years", "contagion", "many_nodes", "seven_schools"]

BASS = {"gamma": 1.0, "readiness_floor": 1.0, "q_in": 0.0, "protection": 0.0, "shield": 0.0, "turnover": 0.0, "d": 0.0}
"""With one teacher of openness 1 per school: a Bass contagion on the network that nobody gives up (docs/odd.md, the exact limit)."""


class Pilot(NamedTuple):
    """A made-up pilot: its files, the scenario to fit, what it was made with, and the months in which its schools adopted.

    ``months``: the first month in which each school is an adopter, -1 where not by the end; ``start``, ``end``: as ``read_observations``
    takes them.
    """

    scenario: Scenario
    schools: Path
    ties: Path
    observations: Path
    truth: Mapping[str, float]
    months: np.ndarray
    start: str | None
    end: str


def adoption_years(folder: Path, seed: int = 3, *, by: str = "year") -> Pilot:
    """Make 38 schools of one decision maker each, one of which has begun; ties as friends name each other; the year of adoption of each.

    ``by`` month: the very month of adoption instead.

    The shape is that of Carlson (1965), Adoption of Educational Innovations, whose superintendents of 38 districts named friends and took
    modern mathematics up from 1958 to 1963; none of the data are.
    """
    graph = nx.gnm_random_graph(38, 76, seed=seed)
    truth = {"p": 0.004, "q_out": 0.06}
    scenario, months = _made(folder, graph, truth, months=72, at_start=[max(graph, key=graph.degree)], seed=seed)
    years = ["" if month < 0 else str(1957 if month == 0 else 1958 + month // 12) for month in months]
    if by == "month":
        years = [year and (year if month == 0 else f"{year}-{month % 12 + 1:02d}") for year, month in zip(years, months, strict=True)]
    return _with_times(folder, scenario, truth, months, years, start="1958-01", end="1963")


def seven_schools(folder: Path, seed: int = 2, *, adopted: Sequence[int] | None = None) -> Pilot:
    """Make seven schools of one decision maker each, one of which has begun, seen at each of eight steps.

    ``adopted``: the months of adoption, instead of those of a run.
    """
    truth = {"p": 0.05, "q_out": 0.3}
    scenario, months = _made(folder, nx.gnm_random_graph(7, 11, seed=1), truth, months=9, at_start=[0], seed=seed, adopted=adopted)
    return _with_times(folder, scenario, truth, months, ["" if month < 0 else str(month) for month in months], start=None, end="8")


def contagion(folder: Path, graph: nx.Graph, truth: Mapping[str, float], *, months: int, at_start: object, seed: int) -> Pilot:
    """Make the schools of a graph, seen at each of so many months."""
    scenario, adopted = _made(folder, graph, truth, months=months, at_start=at_start, seed=seed)
    cells = ["" if month < 0 else str(month) for month in adopted]
    return _with_times(folder, scenario, truth, adopted, cells, start=None, end=str(months - 1))


def many_nodes(folder: Path, nodes: int = 800, seed: int = 4) -> Pilot:
    """Make a small world of many schools of which five have begun, seen at each of ten steps."""
    graph = nx.connected_watts_strogatz_graph(nodes, 6, 0.1, seed=seed)
    truth = {"p": 0.01, "q_out": 0.35}
    return contagion(folder, graph, truth, months=11, at_start=range(0, nodes, nodes // 5), seed=seed)


def _made(
    folder: Path, graph: nx.Graph, truth: Mapping[str, float], *, months: int, at_start: object, seed: int,
    adopted: Sequence[int] | None = None,
) -> tuple[Scenario, np.ndarray]:  # fmt: skip
    """Write schools, ties and scenario, and return the month of adoption of each school: those given, or of one run with the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.array([f"synthetic-{k + 1}" for k in range(len(graph))])
    began = np.zeros(len(labels), int)
    began[list(at_start)] = 1  # type: ignore[call-overload]
    pd.DataFrame({"school_id": labels, "teachers": 1, "openness": 1, "adopters_at_start": began}).to_csv(
        folder / "schools.csv", index=False
    )
    ends = np.array(sorted(graph.edges))
    pd.DataFrame({"source": labels[ends[:, 0]], "target": labels[ends[:, 1]]}).to_csv(folder / "ties.csv", index=False)
    fixed = "".join(f"  {name}: {{base: {value}, low: {value}, high: {value}}}\n" for name, value in BASS.items())
    text = f"name: once\nmonths: {months}\nworlds: 1\nreplicates: 1\nworld: {{schools: schools.csv, ties: ties.csv}}\ndesigns: [none]\n"
    ranges = "  p: {low: 0.0005, high: 0.05}\n  q_out: {low: 0.0, high: 0.9, distribution: uniform}\n"
    (folder / "once.yaml").write_text(text + "parameters:\n" + fixed + ranges, encoding="utf-8")
    if adopted is not None:
        return load_scenario(folder / "once.yaml"), np.array(adopted)
    given = load_scenario(folder / "once.yaml", [f"{name}={value}" for name, value in truth.items()], seed=1000 + seed)
    adopters = run_ensemble(given, [{}], 1, worlds=Worlds(given), per_school=True, threads=1).results.schools[0, :, 0] > 0
    return load_scenario(folder / "once.yaml"), np.where(adopters.any(axis=0), adopters.argmax(axis=0), -1)


def _with_times(
    folder: Path, scenario: Scenario, truth: Mapping[str, float], months: np.ndarray, cells: list[str], *, start: str | None, end: str
) -> Pilot:
    labels = [f"synthetic-{k + 1}" for k in range(len(cells))]
    path = folder / "observations.csv"
    pd.DataFrame({"school_id": labels, "adoption_time": cells, "note": "synthetic"}).to_csv(path, index=False)
    return Pilot(scenario, folder / "schools.csv", folder / "ties.csv", path, truth, months, start, end)
