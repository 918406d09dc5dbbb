"""The engine as plain Python, in a process with NUMBA_DISABLE_JIT=1: ``python -m tests.model.interpreted FILE`` writes what it finds.

Nothing is compiled there, so the code runs as a person reads it, and tools that count lines see it run.
"""

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numba
import numpy as np

from school_mentoring.experiments.calibration.adoption_times import times_log_likelihood
from school_mentoring.experiments.calibration.calibrate import asked, problem_of
from school_mentoring.experiments.calibration.forward_filter import survey_log_likelihood
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model import parameters, vectors
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.engine import Batch, run_batch
from school_mentoring.model.parameters import base_values
from school_mentoring.model.world.countries import COUNTRIES
from school_mentoring.model.world.network import generate_peers, generate_world
from school_mentoring.model.world.structure import STRUCTURE, Structure
from school_mentoring.scenarios import load_scenario
from tests.fuzz.sound import OBSERVATIONS, READ_WITH, SMALL, TABLES, tables_of
from tests.pilots import seven_schools
from tests.worlds import Case, batch_of, build_practices, drawn_case

__all__ = ["CASES", "courses", "likelihoods", "networks", "own_ties", "results"]


def _presets() -> Case:
    """Return every preset in one world of many ties, nine replicates of each, so that eight runs are made side by side."""
    case = drawn_case(31, n=24, countries=2, regions=3, practices=2, months=26, density=0.3)
    designs = list(PRESETS.values())
    batch = Batch(*(np.concatenate(columns) for columns in zip(*(batch_of(9, design) for design in range(len(designs))), strict=True)))
    return case._replace(designs=designs, batch=batch, window=(2, 16), end_of_funding=16)


CASES = (
    _presets(),
    *(
        drawn_case(seed, n=17, countries=2, regions=3, practices=2, months=30, wild=0.3, named=seed % 2 == 0, sequential=seed > 2, runs=11)
        for seed in range(6)
    ),
    drawn_case(8, n=1, countries=1, regions=1, practices=1, months=14, runs=2)._replace(practices=build_practices()),
)
"""What both make: worlds of a few schools with what there is to recruiting, matching, leaving and paying."""


def results(case: Case) -> tuple[np.ndarray, ...]:
    """Return every record of the runs of a case."""
    task = case.task()
    if numba.config.DISABLE_JIT:
        task = task._replace(parameters=task.parameters.view(np.recarray), designs=task.designs.view(np.recarray))
    return tuple(run_batch(task, monthly=True, per_school=True, threads=1))


def networks() -> list[tuple[np.ndarray, ...]]:
    """Return networks of every generator, and those drawn from the list of all schools and through a grid."""
    found = []
    for network in STRUCTURE["network"]:
        for schools, degree, homophily in ((12, 4.0, 0.5), (12, 30.0, 3.0), (40, 6.0, 0.0)):
            par = base_values() | {"peer_degree": degree, "homophily": homophily}
            structure = Structure(network)  # type: ignore[arg-type]
            _, table = generate_world([COUNTRIES["IT"], COUNTRIES["CZ"]], [2, 1], schools, par, 3, 0, structure=structure)
            found += [tuple(generate_peers(table, par, 3, 1, structure, direct_up_to=most)) for most in (256, 10)]
    return found


def likelihoods() -> list[np.ndarray]:
    """Return the exact likelihood of observations in the three forms under two parameter sets, as of schools that nothing ties."""
    found = []
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, text in {"small.yaml": SMALL, **TABLES}.items():
            (folder / name).write_text(text, encoding="utf-8")
        for kind, text in OBSERVATIONS.items():
            (folder / "schools.csv").write_text(tables_of(kind)["schools.csv"], encoding="utf-8")
            scenario = load_scenario(folder / "small.yaml", designs=["none"], schools=folder / "schools.csv")
            (folder / "observations.csv").write_text(text, encoding="utf-8")
            problem, _ = problem_of(scenario, folder / "observations.csv", asked(fit="p,q_in"), **READ_WITH[kind])
            values = problem.prior.values(problem.prior.sample(2, 1))
            survey = problem.scenario, problem.world, problem.survey, problem.prior.names
            found += [survey_log_likelihood(*survey, values, extra, threads=1) for extra in ((0.0, 0.2) if kind == "counts" else (0.0,))]
    return found


def courses() -> list[np.ndarray]:
    """Return the likelihood of adoption times of seven schools that adopt once: each month known, and three looks with a gap in one."""
    found = []
    with TemporaryDirectory() as scratch:
        pilot = seven_schools(Path(scratch), adopted=[0, 3, 1, 6, -1, 5, 7])
        problem, _ = problem_of(pilot.scenario, pilot.observations, asked(fit="p,q_out"), start=pilot.start, end=pilot.end)
        values = np.array([[0.01, 0.15], [0.05, 0.6], [0.1, 0.4]])
        months, respondents = np.array([0, 4, 8]), np.ones((3, 7), np.int64)
        respondents[1, 3] = 0
        shares = ((pilot.months >= 0) & (pilot.months <= months[:, None])) * 1.0
        looks = replace(problem.survey, months=(0, 4, 8), practices=(0, 0, 0), shares=shares, respondents=respondents)
        for survey in (problem.survey, looks):
            at = problem.scenario, problem.world, survey, ("p", "q_out"), values
            found.append(times_log_likelihood(*at, seed=5, threads=1, particles=12))
    return found


def own_ties() -> list[np.ndarray]:
    """Return the rows of a user's own ties."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, text in {"small.yaml": SMALL, **TABLES}.items():
            (folder / name).write_text(text, encoding="utf-8")
        scenario = load_scenario(folder / "small.yaml", designs=["none"], schools=folder / "schools.csv", ties=folder / "ties.csv")
        world, _ = Worlds(scenario).get(scenario.base_parameters(), 0)
    return [world.peer_start, world.peer, world.weight]


# --- what ``model.vectors`` does with instructions for eight numbers, number by number


def _weighted_sum_8(to, at, values, peers, row):
    peer_start, peer, row_weight, weight = peers
    for lane in range(8):
        total = 0.0
        for a in range(peer_start[row], peer_start[row + 1]):
            users = values[8 * peer[a] + lane]
            total += weight[a] * users if weight.size else users
        to[at + lane] = row_weight[row] * total


def _fetch(_values, _at):
    pass


def _replace_vectors() -> None:
    """Put the plain functions where the model's modules have those of ``model.vectors``."""
    plain = {"weighted_sum_8": _weighted_sum_8, "fetch": _fetch}
    for name in vectors.__all__:
        for module in [
            module for key, module in sys.modules.items() if key.startswith("school_mentoring.model.") and hasattr(module, name)
        ]:
            setattr(module, name, plain[name])


if __name__ == "__main__":
    _replace_vectors()
    parameters.PARAMETER_DTYPE = np.dtype((np.record, parameters.PARAMETER_DTYPE))  # whose fields plain Python reads as attributes
    with np.errstate(all="ignore"):  # products of 64 bits wrap around on purpose
        made = [results(case) for case in CASES], networks(), likelihoods(), courses(), own_ties()
    Path(sys.argv[1]).write_bytes(pickle.dumps(made))
