"""The choice among designs that a search found, on runs that it did not see: the best for each budget, and rivals of given designs."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.designs import Design
from school_mentoring.model.observe import OUTCOMES

from .aim import Aim, worth_of


def choose_designs(
    aim: Aim, own: Mapping[str, Design], candidates: list[Design], judged: NDArray[np.float64], budgets: Sequence[float]
) -> tuple[pd.DataFrame, dict[str, Design]]:
    """Choose designs on the second panel, whose outcomes ``judged`` holds: no programme, the scenario's own, the candidates.

    ``own`` holds the scenario's designs as the space has them. Returns the choices (``Found.chosen``), and the designs that they name
    beside the scenario's own. A rival of a design must not exceed its cost, fall below its effect or exceed its gaps by the paired means
    plus two standard errors (less, for effect), so that the third panel is likely to agree; where none is so sure the means alone decide.
    """
    pool = [*own.values(), *candidates]
    worth = worth_of(judged[1:], judged[0])
    effect, cost = worth["effect"].to_numpy(), worth[aim.cost].to_numpy()
    keys = np.array([design.model_dump_json() for design in pool])
    names = dict(zip(keys, own, strict=False))
    rows: list[dict[str, Any]] = []
    named: dict[str, Design] = {}

    def choose(label: str, value: NDArray[np.float64], where: NDArray[np.bool_], **row: Any) -> None:
        allowed = np.flatnonzero(where)
        if len(allowed):
            best = int(allowed[np.argmax(value[allowed])])
            if keys[best] not in names:
                names[keys[best]] = _unused(label, names.values())
                named[names[keys[best]]] = pool[best]
        rows.append({**row, "design": names[keys[best]] if len(allowed) else ""})

    for budget in budgets:
        choose(f"best_at_{_short(budget)}", effect, cost <= budget, kind="budget", budget=budget, against="")
    for position, name in enumerate(own):
        less = _exceeds(aim, judged[1:], judged[1 + position])
        others = keys != keys[position]
        for kind, label, value, needed in (
            ("equal_cost", f"more_than_{name[:20]}", effect, ["cost"]),
            ("equal_effect", f"cheaper_than_{name[:20]}", -cost, ["effect"]),
            ("all_objectives", f"better_than_{name[:20]}", effect, list(aim.objectives)),
        ):
            sure = others & np.logical_and.reduce([less[what][1] <= 0.0 for what in needed])
            likely = others & np.logical_and.reduce([less[what][0] <= 0.0 for what in needed])
            choose(label, value, sure if sure.any() else likely, kind=kind, budget=np.nan, against=name)
    return pd.DataFrame(rows, columns=["kind", "budget", "against", "design"]), named


def _unused(label: str, taken: Collection[str]) -> str:
    """Return a label, with a number where it is taken already."""
    return label if label not in taken else next(name for k in itertools.count(2) if (name := f"{label}_{k}") not in taken)


def _exceeds(
    aim: Aim, outcomes: NDArray[np.float64], other: NDArray[np.float64]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return by how much designs are worse than another in each objective, paired by cell: mean, and mean plus two standard errors."""
    columns = {
        "effect": ("effect_adopter_years", -1.0),
        "cost": (aim.cost, 1.0),
        "gap": ("gap_disadvantaged", 1.0),
        "gap_rural": ("gap_rural", 1.0),
    }
    found = {}
    for name in aim.objectives:
        outcome, sign = columns[name]
        worse = sign * (outcomes[..., OUTCOMES.index(outcome)] - other[:, OUTCOMES.index(outcome)])
        found[name] = _mean_and_bound(worse)
        if name.startswith("gap"):  # being no longer behind is as good as being as far ahead as the other
            mean, bound = _mean_and_bound(outcomes[..., OUTCOMES.index(outcome)])
            found[name] = np.minimum(found[name][0], mean), np.minimum(found[name][1], bound)
    return found


def _mean_and_bound(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means over cells, and means plus two standard errors."""
    mean = values.mean(axis=1)
    return mean, mean + 2.0 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


def _short(budget: float) -> str:
    """Return a budget as part of a name: 500k, 2m, 2500k."""
    for size, letter in ((1e6, "m"), (1e3, "k")):
        if budget >= size and (budget / size).is_integer():
            return f"{budget / size:.0f}{letter}"
    return f"{budget:.0f}"
