"""Anchored draws: parameter sets, each with a structure, that meet the anchors, found by drawing from the ranges and refusing the rest.

Sets are points of one Sobol sequence, so that more of them begin with the same ones. Each has random numbers and worlds of its own, and is
held to one reading after the other until one refuses it; every ``FULL``-th is held to all, so that how often each reading refuses is known.
What is far off is refused for little: by what follows from a formula, then by few runs. What meets all is held once more in more worlds, as
near an end of a target chance decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.distributions import Variable, sobol_points
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.world.structure import WORLD_WORDS, Structure
from school_mentoring.scenarios import Scenario

from .readings import EXPECTED, READINGS, Case, read
from .targets import ANCHORS, Anchor, pilot

FEW, WORLDS, SURE = 2, 12, 36
"""Worlds of the runs that refuse what is far off, of the readings, and of those that are taken once more of what meets all."""

NEAR, ROUGHLY = 0.1, {"growth": 0.2, "coaching": 0.12}
"""How far outside a target is far off: this part of its ends by a formula; so much, of the readings that are taken of few runs."""

CHUNK, FULL, MOST = 64, 256, 2**18
"""Sets of a chunk; every how many one is held to all readings; sets that are tried at most."""

DRAWN = ("world.network", "world.contacts", "world.mentored", "world.online_hours")
"""The choices of structure that are drawn, each word as often as another; the rest stay as the pilot has them."""

DECIDING: tuple[Anchor, ...] = tuple(
    sorted((anchor for anchor in ANCHORS if anchor.decides), key=lambda anchor: list(READINGS).index(anchor.function))
)
"""The readings that a set must meet, in the order in which it is held to them."""

NOT_ASKED = {"colleagues": ("mentored", "whole_staff"), "contacts": ("contacts", "none"), "online": ("online_hours", "fading")}
"""Readings that a choice of structure leaves nothing to read of, or decides by definition, so that they are not asked there.

Where a formula tells what they would come to under another structure that is asked instead, or structures that are asked less would be
accepted more often for no reason.
"""


def is_asked(anchor: Anchor, structure: Structure) -> bool:
    """Tell whether a reading is asked of a structure."""
    choice, word = NOT_ASKED.get(anchor.key, ("", ""))
    return not choice or getattr(structure, choice) != word


@dataclass(frozen=True)
class Search:
    """Sets numbered from 0, drawn with a seed: the same number is the same set, whoever asks."""

    seed: int = 1

    @cached_property
    def scenario(self) -> Scenario:
        """The pilot, with parameters that vary independently."""
        return pilot(WORLDS).model_copy(update={"ranges": "independent"})

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """What is drawn: the uncertain parameters of the table, and the choices of structure."""
        ranged = (Variable.over(row) for row in self.scenario.uncertain_parameters().values())
        return (*ranged, *(Variable(name, choices=WORLD_WORDS[name]) for name in DRAWN))

    def sets(self, low: int, high: int) -> pd.DataFrame:
        """Return the sets of numbers low to high - 1, a column per variable; the index is their number."""
        points: NDArray[np.float64] = sobol_points(len(self.variables), high, self.seed)[low:]
        columns = {variable.name: variable.values(points[:, j]) for j, variable in enumerate(self.variables)}
        return pd.DataFrame(columns, index=range(low, high))

    def chunk(self, number: int) -> pd.DataFrame:
        """Return what became of the sets of a chunk, a row each as ``hold`` gives it."""
        return self.held(self.sets(number * CHUNK, (number + 1) * CHUNK))

    def held(self, sets: pd.DataFrame, *, again: bool = False) -> pd.DataFrame:
        """Return what became of some sets, a row each."""
        rows = zip(sets.index.tolist(), sets.to_dict("records"), strict=True)
        return pd.DataFrame([self.hold(number, {str(name): value for name, value in row.items()}, again=again) for number, row in rows])

    def hold(self, number: int, values: Mapping[str, Any], *, again: bool = False) -> dict[str, Any]:
        """Hold a set to the anchors; return its number, each reading, nan where it was not read, and the keys of those that refuse it.

        ``again``: one that met them, in as many other worlds, and to all of them.
        """
        if again:
            return self._read(number, values, SURE, whole=True, again=True)
        whole = number % FULL == 0
        refused = None if whole else self._far_off(number, values)
        refused = refused or self._met(self._read(number, values, WORLDS, whole=whole))
        return refused or self._read(number, values, SURE, whole=whole)

    @staticmethod
    def _met(row: dict[str, Any]) -> dict[str, Any] | None:
        """Return a row that is refused; None where it is not."""
        return row if row["refused"] else None

    def _case(self, number: int, values: Mapping[str, Any], worlds: int, again: bool = False) -> Case:
        """Return what a set is read of, with random numbers and worlds of its own."""
        words = {name.partition(".")[2]: values[name] for name in DRAWN}
        state = np.random.SeedSequence([self.seed, number, worlds, int(again)]).generate_state(1, np.uint64)
        changes = {"world": self.scenario.world.model_copy(update=words), "seed": int(state[0]), "worlds": worlds}
        scenario = self.scenario.model_copy(update=changes)
        parameters = {**scenario.base_parameters(), **{name: value for name, value in values.items() if name not in DRAWN}}
        return Case(scenario, parameters, Worlds(scenario), threads=1)

    def _far_off(self, number: int, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the row of a set that is far off the target of a reading; None of others."""
        case = self._case(number, values, FEW)
        row: dict[str, Any] = {"set": number, **dict.fromkeys((anchor.key for anchor in DECIDING), np.nan)}
        asked = {anchor.key: anchor for anchor in DECIDING}
        for key, expected in EXPECTED.items():
            found = expected(SimpleNamespace(**case.parameters))
            if not asked[key].low * (1.0 - NEAR) <= found <= asked[key].high * (1.0 + NEAR):
                return {**row, key: found, "refused": key}
        for key, slack in ROUGHLY.items():
            found = read(case, asked[key].function, asked[key].design)
            if not asked[key].low - slack <= found <= asked[key].high + slack:
                return {**row, key: found, "refused": key}
        return None

    def _read(self, number: int, values: Mapping[str, Any], worlds: int, *, whole: bool = False, again: bool = False) -> dict[str, Any]:
        """Return the row of a set whose anchors are read in so many worlds, until one refuses it unless the ``whole`` is asked for."""
        case = self._case(number, values, worlds, again)
        found, refused = dict.fromkeys((anchor.key for anchor in DECIDING), np.nan), []
        for anchor in DECIDING:
            if is_asked(anchor, case.scenario.world.structure):
                found[anchor.key] = read(case, anchor.function, anchor.design)
            elif anchor.key in EXPECTED:
                found[anchor.key] = EXPECTED[anchor.key](SimpleNamespace(**case.parameters))
            else:
                continue
            if not anchor.meets(found[anchor.key]):
                refused.append(anchor.key)
                if not whole:
                    break
        return {"set": number, **found, "refused": "|".join(refused)}
