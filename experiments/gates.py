"""The gates of programmes, run by run: what was found at each, and beside the programme its two ways, always and never going on.

A gate that lets nothing pass has the phases before it as they are with the gate: what differs is only what comes after.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.model.costs import PAYERS
from school_mentoring.model.designs import Design
from school_mentoring.model.programmes import Gate, Phase, Programme, programme_table
from school_mentoring.scenarios import COMPARATOR, Scenario, parts
from school_mentoring.scenarios.yaml_file import KeyPath

from .ensemble import EFFECT, Ensemble

KEYS = ["parameter_set", "replicate"]
OUTCOMES = [EFFECT, *(f"cost_{payer}" for payer in PAYERS), "cost_society"]


class GateWays(NamedTuple):
    """A gate of a programme, where it stands (``phases.1``), and the programme as it would go on always, never, and end after the gate."""

    where: str
    gate: Gate
    always: Programme
    never: Programme
    ending: Programme


def ways_of(design: Design | Programme) -> list[GateWays]:
    """Return the gates of a design, each with its ways; a plain one has none."""
    found = []
    for at, phase in parts(design):
        if isinstance(design, Programme) and isinstance(phase, Phase) and phase.gate is not None:
            shut = phase.model_copy(update={"gate": phase.gate.model_copy(update={"at_least": math.inf, "survey_cost": 0.0})})
            open_ = phase.model_copy(update={"gate": None, "otherwise": ()})
            instead = [open_, shut, shut.model_copy(update={"otherwise": ()})]
            found.append(GateWays(".".join(map(str, at)), phase.gate, *(_with_phase(design, at, one) for one in instead)))
    return found


def _with_phase(programme: Programme, at: KeyPath, phase: Phase) -> Programme:
    """Return a programme with another phase where the keys lead."""
    if at[0] == "phases":
        return programme.model_copy(update={"phases": _swapped(programme.phases, at[1:], phase)})
    kind, place, _, *rest = at
    tracks = getattr(programme, str(kind))
    return programme.model_copy(update={str(kind): {**tracks, place: _swapped(tracks[place], rest, phase)}})


def _swapped(phases: Sequence[Phase], at: Sequence[str | int], phase: Phase) -> tuple[Phase, ...]:
    place, *deeper = at
    own = phases[int(place)]
    new = own.model_copy(update={"otherwise": _swapped(own.otherwise, deeper[1:], phase)}) if deeper else phase
    return tuple(new if one is own else one for one in phases)


def gate_runs(scenario: Scenario, made: Ensemble, run: Callable[[Scenario], Ensemble]) -> pd.DataFrame:
    """Return the runs of each gate, a row for each run and way, as ``analysis.economics.gates.gates_table`` takes them.

    ``made``: the runs of the scenario's designs, among them no programme; ``run``: makes those of the scenario with other designs, under
    the same parameter sets and replicates. Empty where no design has a gate.
    """
    gates = [(name, ways) for name, design in scenario.designs.items() for ways in ways_of(design)]
    if not gates:
        return pd.DataFrame()
    designs: dict[str, Programme] = {}
    for name, ways in gates:
        designs |= {f"{name}.{ways.where}.{way}": getattr(ways, way) for way in ("always", "never")}
        if ways.ending != ways.never:
            designs[f"{name}.{ways.where}.ending"] = ways.ending
    beside = run(scenario.model_copy(update={"designs": designs}))
    shut = _shut_rows(scenario, designs)
    runs = {str(name): table for made in (made, beside) for name, table in made.runs.groupby("design", observed=True)}
    size, tables = len(beside.runs) // len(designs), []
    for name, ways in gates:
        variant = f"{name}.{ways.where}"
        ending = f"{variant}.ending" if f"{variant}.ending" in designs else f"{variant}.never"
        mine = slice(list(designs).index(ending) * size, (list(designs).index(ending) + 1) * size)
        stopped = beside.results.nodes[mine] == shut[ending]
        found = np.where(stopped, beside.results.found[mine], -math.inf).max(axis=1)
        asked = stopped.any(axis=1)
        about = {"design": name, "gate": ways.where, "at_least": ways.gate.at_least}
        for way, of in {"none": COMPARATOR, "gate": name, "always": f"{variant}.always", "never": f"{variant}.never"}.items():
            table = runs[of][[*KEYS, *OUTCOMES]].assign(**about, way=way, asked=asked, found=np.where(asked, found, math.nan))
            tables.append(table)
    return pd.concat(tables, ignore_index=True)[["design", "gate", "at_least", "way", *KEYS, "asked", "found", *OUTCOMES]]


def _shut_rows(scenario: Scenario, designs: Mapping[str, Programme]) -> dict[str, int]:
    """Return the row of the engines in which each design that shuts a gate is from there on."""
    programme = scenario.programme
    rows = programme_table(list(designs.values()), programme.first_month, programme.last_month)
    shut = rows["other"][np.isinf(rows["at_least"])].tolist()  # one of each, as the rows of one design follow those of another
    return dict(zip([name for name in designs if not name.endswith(".always")], shut, strict=True))
