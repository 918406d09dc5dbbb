"""The engine as plain Python, in a process with NUMBA_DISABLE_JIT=1: ``python -m tests.model.interpreted FILE`` writes what it finds.

Nothing is compiled there, so the code runs as a person reads it, and tools that count lines see it run.
"""

import pickle
import sys
from pathlib import Path

import numpy as np

from model import month
from model.countries import COUNTRIES
from model.designs import PRESETS
from model.engine import Batch, run_batch
from model.networks import draw_partners, generate_world
from model.parameters import base_values
from tests.worlds import Case, batch_of, build_practices, drawn_case

__all__ = ["CASES", "networks", "results"]


def _presets() -> Case:
    """Return every preset in one world of many ties, nine replicates of each, so that eight runs are made side by side."""
    case = drawn_case(31, n=24, countries=2, regions=3, practices=2, months=26, density=0.3)
    designs = list(PRESETS.values())
    batch = Batch(*(np.concatenate(columns) for columns in zip(*(batch_of(9, design) for design in range(len(designs))), strict=True)))
    return case._replace(designs=designs, batch=batch, window=(2, 16), end_of_funding=16)


CASES = (
    _presets(),
    *(drawn_case(seed, n=17, countries=2, regions=3, practices=2, months=30, wild=0.3, named=seed % 2 == 0, runs=11) for seed in range(6)),
    drawn_case(8, n=1, countries=1, regions=1, practices=1, months=14, runs=2)._replace(practices=build_practices()),
)
"""What both make: worlds of a few schools with what there is to recruiting, matching, leaving and paying."""


def results(case: Case) -> tuple[np.ndarray, ...]:
    """Return every record of the runs of a case."""
    (world, practices, parameters, designs, batch), named = case.arguments()
    tables = parameters.view(np.recarray), designs.view(np.recarray)
    return tuple(run_batch(world, practices, *tables, batch, **named, monthly=True, per_school=True, threads=1))


def networks() -> list[tuple[np.ndarray, ...]]:
    """Return generated networks: drawn from the list of all schools, and through a grid."""
    found = []
    for schools, degree, homophily in ((12, 4.0, 0.5), (12, 30.0, 3.0), (90, 6.0, 0.0)):
        par = base_values() | {"peer_degree": degree, "homophily": homophily}
        world, table = generate_world([COUNTRIES["IT"], COUNTRIES["CZ"]], [2, 1], schools, par, 3, 0)
        found.append((world.peer_start, world.peer, world.row_weight, *draw_partners(table, par, 3, 1, direct_up_to=10)))
    return found


def _weighted_sum_8(to, at, factor, values, columns, weights, weighted, begin, end):
    """Do what ``model.vectors`` does with one instruction for eight numbers, number by number."""
    for lane in range(8):
        total = 0.0
        for a in range(begin, end):
            users = values[8 * columns[a] + lane]
            total += weights[a] * users if weighted else users
        to[at + lane] = factor * total


if __name__ == "__main__":
    month.weighted_sum_8 = _weighted_sum_8
    with np.errstate(all="ignore"):  # products of 64 bits wrap around on purpose
        made = [results(case) for case in CASES], networks()
    Path(sys.argv[1]).write_bytes(pickle.dumps(made))
