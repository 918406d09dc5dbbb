"""Compare designs: replicates at the base parameters, and parameter sets drawn from the uncertain ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.designs import PRESETS
from school_mentoring.model.engine import run_batch
from school_mentoring.model.errors import InputError, listed
from school_mentoring.model.world.arrays import World
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import COMPARATOR, Scenario, has_mentors

from .budget import Budget, Fitted, fit
from .ensemble import BatchRunner, Ensemble, monthly_bytes, run_ensemble
from .gates import gate_runs
from .notes import assumed_figures, notes_on_draws
from .progress import Stage
from .variables import sample, uncertain_variables
from .worlds import Worlds

DRAW_REPLICATES = 2
"""Replicates under each drawn parameter set; their mean stands for the set."""

MOST_BYTES = 2_000_000_000

SNAPSHOT_SCHOOLS = 400
SNAPSHOT_CELLS = 100_000_000


@dataclass(frozen=True)
class Snapshot:
    """One replicate of each design, seen school by school in one country: before, at the end of funding, at the end.

    ``schools``: columns design, month, school (row number), school_id, x_km, y_km, share, role, mentor (row number or -1).
    ``peers``: columns source, target: pairs of row numbers, each tie once. ``contacts``: columns design, month, school, partner (row
    numbers), weight: what the partner weighs for the school beside a peer's 1; at the end of funding and at the end, each by both schools.
    """

    country: str
    schools: pd.DataFrame
    peers: pd.DataFrame
    contacts: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` found.

    ``base``: replicates at the base parameters, with monthly records. ``uncertain``: the runs under drawn parameter sets, numbered from 1.
    ``sets``: the drawn values, one row per parameter set. ``schools``: the table of the first world. ``fitted``: how the designs of the
    scenario were scaled to a budget, where there was one; the scenario holds them as scaled. ``gates``: the runs
    of ``gate_runs`` under drawn parameter sets, at the base parameters where there are none; no row where no programme has a gate.
    """

    scenario: Scenario
    base: Ensemble
    uncertain: pd.DataFrame
    sets: pd.DataFrame
    snapshot: Snapshot | None
    schools: Schools
    gates: pd.DataFrame
    fitted: Fitted | None = None

    @property
    def title(self) -> str:
        """Two lines that say what was compared."""
        drawn = f"and {min(DRAW_REPLICATES, self.scenario.replicates)} under each of {len(self.sets)} drawn parameter sets"
        sets = drawn if len(self.sets) else "none with drawn parameters"
        runs = f"{self.scenario.replicates} runs a design at the base parameters, {sets}"
        return f"{self.scenario.title or self.scenario.name}\n{len(self.schools):,} schools, {self.scenario.months} months; {runs}."

    @property
    def notes(self) -> list[str]:
        """What a reader must know of where the schools and the parameter sets come from."""
        drawn = notes_on_draws(self.scenario, uncertain_variables(self.scenario), len(self.sets))
        sized = [f"Each design has the largest size that is within {self.fitted.budget.words}."] if self.fitted else []
        return [*notes_on(self.scenario, self.schools), *drawn, *sized]

    def __repr__(self) -> str:
        scenario, designs = self.scenario, self.scenario.designs
        drawn = f", and {min(DRAW_REPLICATES, scenario.replicates)} under each of {len(self.sets):,} drawn sets" if len(self.sets) else ""
        size = f"{len(self.schools):,} schools, {scenario.months} months; {scenario.replicates:,} runs a design{drawn}"
        return f"<Comparison of {scenario.name}: {len(designs)} designs ({listed(designs, 8)}), {size}>"

    def runs(self) -> pd.DataFrame:
        """Return one row per run: design, parameter_set (0: the base parameters), replicate, the outcomes and what they break down into."""
        return pd.concat([self.base.runs, self.uncertain], ignore_index=True)

    def monthly(self) -> pd.DataFrame:
        """Return the monthly counts of the runs at the base parameters, by group of schools and practice."""
        return self.base.monthly()

    def teams(self) -> pd.DataFrame:
        """Return the monthly counts of the runs at the base parameters among teachers in a team, their colleagues and all others."""
        return self.base.teams()

    def costs(self) -> pd.DataFrame:
        """Return the costs of the runs at the base parameters by month, country, category and payer, in EUR, not discounted."""
        return self.base.costs()

    def budget(self) -> pd.DataFrame | None:
        """Return how each design was scaled to a budget and what it costs, as ``Fitted.spent`` does; None where there was none."""
        return self.fitted and self.fitted.spent(self.base.runs, self.uncertain)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that the study folder keeps, by file name."""
        tables = {"results.parquet": self.monthly(), "teams.parquet": self.teams(), "runs.parquet": self.runs()}
        tables |= {"costs.parquet": self.costs(), "parameters.parquet": self.sets}
        seen = self.snapshot
        shown = {} if seen is None else {"schools": seen.schools, "peers": seen.peers, "contacts": seen.contacts}
        if len(self.gates):
            tables["gates.parquet"] = self.gates
        return tables | {f"{name}.parquet": table for name, table in shown.items()}

    def for_report(self) -> dict[str, Any]:
        """Return what ``analysis.report.terminal.comparison_report`` takes."""
        scenario, seen = self.scenario, self.snapshot
        return {
            "runs": self.base.runs,
            "monthly": self.base.monthly(),
            "teams": self.base.teams(),
            "costs": self.base.costs(),
            "uncertain": self.uncertain,
            "sets": self.sets,
            "worlds": scenario.worlds,
            "months": scenario.months,
            "funding": {name: scenario.programme.window(design) for name, design in scenario.designs.items()},
            "end_of_funding": min(scenario.programme.last_month, scenario.months - 1),
            "discount_rate": scenario.base_parameters()["discount_rate"],
            "public_funds": scenario.base_parameters()["public_funds"],
            "schools": seen and seen.schools,
            "peers": seen and seen.peers,
            "contacts": seen and seen.contacts,
            "place": seen.country if seen else "",
            "gates": self.gates,
        }


def with_comparator(scenario: Scenario) -> Scenario:
    """Return the scenario with the design ``none`` first among its designs."""
    others = {name: design for name, design in scenario.designs.items() if name != COMPARATOR}
    return scenario.model_copy(update={"designs": {COMPARATOR: PRESETS[COMPARATOR], **others}})


def notes_on(scenario: Scenario, schools: Schools) -> list[str]:
    """Say what of the schools was drawn or assumed for want of data, and what is probably not meant."""
    notes = []
    if scenario.world.schools is not None and schools.drawn:
        notes.append(f"Drawn from the population model, as schools.csv does not have them: {', '.join(schools.drawn)}.")
    if schools.partly_drawn:
        notes.append(f"Blank cells drawn from the population model in: {', '.join(schools.partly_drawn)}.")
    if assumed := assumed_figures(schools.countries):
        notes.append(f"No figures found: {assumed}.")
    return [*notes, *(f"Notice: {notice}." for notice in schools.notices)]


def compare(
    scenario: Scenario,
    *,
    budget: Budget | None = None,
    engine: BatchRunner = run_batch,
    threads: int | None = None,
    stage: Stage = lambda *_: None,
) -> Comparison:
    """Run every design of a scenario, and ``none``, on common random numbers; with a ``budget`` each scaled to it first.

    Raises InputError where the scenario's files are faulty, and where the budget is too little for a design.
    """
    scenario = with_comparator(scenario)
    worlds = Worlds(scenario)
    _, schools = worlds.get(scenario.base_parameters(), 0)
    refuse_too_large(scenario, len(schools.countries))
    table, replicates = drawn_sets(scenario), min(DRAW_REPLICATES, scenario.replicates)
    fitted = None
    if budget is not None:
        fitted = fit(scenario, budget, worlds, table, replicates, stage=stage, engine=engine, threads=threads)
        scenario = fitted.scenario
    run = partial(run_ensemble, worlds=worlds, engine=engine, threads=threads)
    base = run(scenario, [{}], scenario.replicates, broken_down=True, monthly=True, progress=partial(stage, "base parameters"))
    made, runs, again = base, base.runs.iloc[:0], partial(run, sets=[{}], replicates=scenario.replicates)
    if len(table):
        again = partial(run, sets=table.to_dict("records"), replicates=replicates, first_set=1)
        made = again(scenario, broken_down=True, progress=partial(stage, "drawn parameters"))
        runs = made.runs
    gates = gate_runs(scenario, made, partial(again, progress=partial(stage, "ways of gates")))
    table.insert(0, "parameter_set", range(1, len(table) + 1))
    return Comparison(scenario, base, runs, table, snapshot(scenario, worlds, engine=engine), schools, gates, fitted)


def drawn_sets(scenario: Scenario) -> pd.DataFrame:
    """Return the parameter sets drawn from what is uncertain in a scenario, a row each; no row where nothing is.

    A Latin hypercube: with about as many sets as parameters, Sobol points tie some pairs of parameters together (at 128 sets of 73 with
    correlations up to 0.74, where a hypercube leaves what chance does), and one parameter then passes for another.
    """
    uncertain = uncertain_variables(scenario)
    names = [variable.name for variable in uncertain]
    return sample(f"lhs:{scenario.draws}", uncertain, scenario.seed, scenario.correlation(names)) if uncertain else pd.DataFrame()


def refuse_too_large(scenario: Scenario, countries: int) -> None:
    """Raise InputError where the monthly records of all runs would not fit into memory."""
    most = MOST_BYTES // (len(scenario.designs) * monthly_bytes(scenario, countries))
    if scenario.replicates > most:
        problem = f"{scenario.replicates:,} with monthly records need too much memory"
        raise InputError("replicates", problem, f"allowed: at most {most:,}; or sweep")


def snapshot(
    scenario: Scenario, worlds: Worlds, *, engine: BatchRunner = run_batch, country: int = 0, months: Sequence[int] | None = None
) -> Snapshot | None:
    """Return the first replicate in one country, at most ``SNAPSHOT_SCHOOLS`` of its schools, at some months.

    ``months``: by default the start, the end of funding and the end. None where no design has mentors or one run fills too much memory.
    """
    world, schools = worlds.get(scenario.base_parameters(), 0)
    designs = {name: design for name, design in scenario.designs.items() if has_mentors(design)}
    if not designs or len(schools) * scenario.months * len(designs) > SNAPSHOT_CELLS:
        return None
    ends = ends_of(scenario)
    if months is None:
        months = sorted({0, *ends})
    seen = np.flatnonzero(schools.country == country)
    if len(seen) > SNAPSHOT_SCHOOLS:
        region = schools.region[seen]
        seen = seen[region < max(region[SNAPSHOT_SCHOOLS], region.min() + 1)][:SNAPSHOT_SCHOOLS]
    shown = scenario.model_copy(update={"designs": designs})
    results = run_ensemble(shown, [{}], 1, worlds=worlds, per_school=True, engine=engine).results
    parts, contacts = [], []
    for position, name in enumerate(designs):
        for month in months:
            *adopters, role, mentor = results.schools[position, month][:, seen]
            share = sum(adopters) / (schools.teachers[seen] * len(scenario.practices))
            place = {"school": seen, "school_id": schools.school_id[seen], "x_km": schools.x[seen], "y_km": schools.y[seen]}
            parts.append(pd.DataFrame({"design": name, "month": month, **place, "share": share, "role": role, "mentor": mentor}))
        for month, end in ends.items():
            listed = lasting_contacts(results.partners[position, end], results.partner_weights[position, end])
            contacts.append(listed[listed["school"].isin(seen) & listed["partner"].isin(seen)].assign(design=name, month=month))
    pairs = peer_pairs(world)
    peers = pd.DataFrame(pairs[np.isin(pairs, seen).all(axis=1)], columns=["source", "target"])
    found = pd.concat(contacts, ignore_index=True)[["design", "month", "school", "partner", "weight"]]
    return Snapshot(schools.countries[country].name, pd.concat(parts, ignore_index=True), peers, found)


def peer_pairs(world: World) -> NDArray[np.int64]:
    """Return the pairs of peer schools as row numbers, each once, smaller first, shape (pairs, 2)."""
    pairs = np.column_stack([np.repeat(np.arange(world.teachers.size), np.diff(world.peer_start)), world.peer])
    return pairs[pairs[:, 0] < pairs[:, 1]]


def ends_of(scenario: Scenario) -> dict[int, int]:
    """Return the months at which contacts are recorded, the end of funding and the last one, by their place in ``Results.partners``."""
    return {min(scenario.programme.last_month, scenario.months - 1): 0, scenario.months - 1: 1}


def lasting_contacts(partners: NDArray[np.int32], weights: NDArray[np.float64]) -> pd.DataFrame:
    """Return the lasting contacts of one moment of a run: school, partner (row numbers), weight; of each both schools' rows.

    ``partners``, ``weights``: of ``Results``, shape (8, schools).
    """
    school, slot = np.nonzero(partners.T >= 0)
    return pd.DataFrame({"school": school, "partner": partners[slot, school], "weight": weights[slot, school]})
