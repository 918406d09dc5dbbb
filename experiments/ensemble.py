"""An ensemble: every design of a scenario under every parameter set and replicate, as tidy tables.

Where asked for, a run's effects and costs are broken down into columns beside its outcomes. ``NAME:GROUP`` is the outcome NAME in a group
of schools: ``effect_adopter_years`` in each school type and country, the costs to programme, schools, in total and to society in each
country, discounted as the outcomes are; they add up to the outcome over school types, and over countries. ``spent_PAYER:country:CODE:YEAR``
is what a payer spends in a country in a year of the study (1: months 0 to 11) in EUR of that year, not discounted. ``teachers:GROUP`` is
the number of teachers in a group.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.costs import CATEGORIES, PAYERS, PROGRAMME
from school_mentoring.model.designs import Design
from school_mentoring.model.engine import ONE_TRACK, Batch, Results, Task, run_batch
from school_mentoring.model.errors import InputError, listed
from school_mentoring.model.observe import GROUP_COUNTS, GROUPS, OUTCOMES, SCHOOL_TYPES, TEAM_GROUPS, group_names
from school_mentoring.model.parameters import WORLD_PARAMETERS, engine_tables, parameter_table
from school_mentoring.model.portable import exp, log
from school_mentoring.model.programmes import Programme, programme_table, track_table
from school_mentoring.model.world.arrays import Floats, Ints, Records
from school_mentoring.model.world.structure import WORLD_WORDS, Structure
from school_mentoring.scenarios import Scenario

from .progress import Advance, announce_compilation
from .worlds import Worlds

BatchRunner = Callable[..., Results]
"""``model.engine.run_batch``, or something that takes and gives the same."""

SLICE_BYTES = 250_000_000
EFFECT = "effect_adopter_years"
TEACHERS, ADOPTERS = GROUP_COUNTS.index("teachers"), GROUP_COUNTS.index("adopters")
MONTHLY = ("groups", "teams", "ties", "contacts", "costs")
"""The results that only monthly records hold."""


@dataclass(frozen=True)
class Ensemble:
    """Runs in the order design, parameter set, replicate.

    ``runs``: one row per run, columns ``design, parameter_set, replicate``, the outcomes and, where asked for, what ``breakdown`` breaks
    them down into. ``results``: the engine's arrays in the same order. ``designs``: names in order. ``countries``: codes in order.
    ``practices``: names in order.
    """

    runs: pd.DataFrame
    results: Results
    designs: tuple[str, ...]
    countries: tuple[str, ...]
    practices: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Ensemble: {len(self.runs):,} runs of {len(self.designs)} designs ({listed(self.designs, 8)})>"

    def monthly(self) -> pd.DataFrame:
        """Return the monthly counts by group and practice; ties, contacts and costs stand in the rows of the group ``all``."""
        results = self.results
        frame = self._counted(results.groups, group_names(self.countries), GROUP_COUNTS)
        first = frame["group"].cat.codes.to_numpy() == 0
        totals = {"active_ties": results.ties, "lasting_contacts": results.contacts}
        totals |= {f"cost_{payer}": results.costs.sum(axis=(2, 3))[..., k] / 100.0 for k, payer in enumerate(PAYERS)}
        rows = results.groups.shape[2] * results.groups.shape[3]
        for name, values in totals.items():
            frame[name] = np.where(first, np.repeat(values.reshape(-1), rows), np.nan)
        return frame

    def teams(self) -> pd.DataFrame:
        """Return the monthly counts of teachers in a team, their colleagues and all others (``group``) by practice."""
        return self._counted(self.results.teams, TEAM_GROUPS, ("teachers", "adopters"))

    def _counted(self, counts: NDArray[np.int64], groups: Sequence[str], what: Sequence[str]) -> pd.DataFrame:
        """Return counts of shape (runs, months, groups, practices, what) as a table."""
        run, month, group, practice = (one.reshape(-1) for one in np.indices(counts.shape[:4], np.int32))
        frame = self.runs[["design", "parameter_set", "replicate"]].take(run).reset_index(drop=True)
        frame["month"] = month.astype(np.int64)
        frame["group"] = pd.Categorical.from_codes(group, categories=list(groups))
        frame["practice"] = pd.Categorical.from_codes(practice, categories=list(self.practices))
        for position, name in enumerate(what):
            frame[name] = counts[..., position].reshape(-1)
        return frame

    def costs(self) -> pd.DataFrame:
        """Return the costs of each month by country, category and payer in EUR, not discounted; only those that arose."""
        costs = self.results.costs
        run, month, country, category, payer = np.nonzero(costs)
        frame = self.runs[["design", "parameter_set", "replicate"]].take(run).reset_index(drop=True)
        frame["month"] = month
        labels = {"country": (country, self.countries), "category": (category, CATEGORIES), "payer": (payer, PAYERS)}
        for name, (codes, categories) in labels.items():
            frame[name] = pd.Categorical.from_codes(codes, categories=list(categories))
        frame["cost"] = costs[run, month, country, category, payer] / 100.0
        return frame


def runner(engine: str) -> BatchRunner:
    """Return the engine of a name: ``compiled`` or ``mesa``."""
    if engine == "mesa":
        from school_mentoring.model.mesa_model import run_batch_with_mesa

        return run_batch_with_mesa
    return run_batch


def chosen_engine(name: str) -> BatchRunner:
    """Return the engine that a user chose, and say so where it is about to be compiled. Raises InputError where there is none."""
    if name not in ("compiled", "mesa"):
        raise InputError(f"--engine {name}", f"no engine named {name!r}", "allowed: compiled, mesa")
    announce_compilation()
    return runner(name)


def run_ensemble(
    scenario: Scenario,
    sets: Sequence[Mapping[str, Any]],
    replicates: int,
    *,
    worlds: Worlds,
    first_set: int = 0,
    monthly: bool = False,
    per_school: bool = False,
    broken_down: bool = False,
    engine: BatchRunner = run_batch,
    threads: int | None = None,
    progress: Advance | None = None,
) -> Ensemble:
    """Run every design of a scenario under every parameter set (numbered from ``first_set``) and replicate.

    Absent parameters have the scenario's base value, absent choices of structure the scenario's own. Replicate r lives in world r modulo
    ``scenario.worlds``. Random numbers depend on the replicate alone, so designs and parameter sets share them. ``broken_down`` adds the
    columns of ``breakdown`` to the runs; monthly records are kept only where ``monthly`` asks for them.
    """
    base = scenario.base_parameters()
    parameters, structures = parameter_sets(scenario, sets)
    designs = scenario.designs
    table, tracks = design_rows(scenario, list(designs.values()), worlds)
    d, s, r = (a.reshape(-1) for a in np.meshgrid(*(np.arange(k) for k in (len(designs), len(sets), replicates)), indexing="ij"))
    _, schools = worlds.get(base, 0)
    codes = schools.country_codes
    parts = slices(len(d), scenario, len(codes)) if broken_down and not monthly else [slice(0, len(d))]
    kept, details = [], []
    for part in parts:
        how: dict[str, Any] = {"monthly": monthly or broken_down, "per_school": per_school, "engine": engine, "threads": threads}
        how |= {"structures": structures, "tracks": tracks}
        tell = progress and partial(_tell, progress, part.start, len(d))
        results = run_rows(scenario, parameters, table, Batch(d[part], s[part], r[part]), worlds=worlds, **how, progress=tell)
        if broken_down:
            details.append(breakdown(results, parameters[s[part]], codes))
        kept.append(results if monthly else results._replace(**{name: getattr(results, name)[:0] for name in MONTHLY}))
    results = Results(*(np.concatenate(column) for column in zip(*kept, strict=True))) if len(kept) > 1 else kept[0]
    columns = {name: results.outcomes[:, k] for k, name in enumerate(OUTCOMES)}
    if broken_down:
        columns |= dict(zip(breakdown_columns(codes, scenario.months), np.concatenate(details).T, strict=True))
    keys = {"design": pd.Categorical.from_codes(d, categories=list(designs)), "parameter_set": s + first_set, "replicate": r}
    return Ensemble(pd.DataFrame({**keys, **columns}), results, tuple(designs), codes, tuple(p.name for p in scenario.practices))


def _tell(progress: Advance, before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


def parameter_sets(scenario: Scenario, sets: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.void], list[Structure] | None]:
    """Return the parameters of sets as a table, and the structure of each, None where all have the scenario's own.

    A set may hold choices of structure (``world.network``) beside parameters; what it does not hold is the scenario's.
    """
    base, own = scenario.base_parameters(), scenario.world.structure
    chosen = [{name.partition(".")[2]: value for name, value in values.items() if name in WORLD_WORDS} for values in sets]
    numbers = [{**base, **{name: value for name, value in values.items() if name not in WORLD_WORDS}} for values in sets]
    table = parameter_table(numbers, scenario.country_codes)
    return table, [own._replace(**words) for words in chosen] if any(chosen) else None


def design_rows(scenario: Scenario, designs: Sequence[Design | Programme], worlds: Worlds) -> tuple[NDArray[np.void], Ints]:
    """Return designs as ``Task`` has them: their rows, and with which of them each begins in each region of the scenario."""
    table = programme_table(designs, scenario.programme.first_month, scenario.programme.last_month)
    apart = any(isinstance(design, Programme) and not design.phases for design in designs)
    places = worlds.get(scenario.base_parameters(), 0)[1].places if apart else []
    return table, track_table(designs, places)


def run_rows(
    scenario: Scenario,
    parameters: NDArray[np.void],
    designs: NDArray[np.void],
    batch: Batch,
    *,
    worlds: Worlds,
    structures: Sequence[Structure] | None = None,
    tracks: Ints = ONE_TRACK,
    monthly: bool = False,
    per_school: bool = False,
    engine: BatchRunner = run_batch,
    threads: int | None = None,
    progress: Advance | None = None,
) -> Results:
    """Make the runs of a batch, each in its world.

    That is world ``replicate`` modulo ``scenario.worlds`` under the world parameters of the run's parameter set. ``parameters`` and
    ``designs`` are tables of ``parameter_table`` and ``programme_table``, ``tracks`` as in ``Task``; ``structures``: of each parameter set,
    where it is not the scenario's own; the results are in the order of the batch.
    """
    kinds = {structure: float(code) for code, structure in enumerate(dict.fromkeys(structures or ()))}
    kind = [kinds[structure] for structure in structures] if structures else [0.0] * len(parameters)
    shape = np.column_stack([*(parameters[name] for name in WORLD_PARAMETERS), kind])
    shapes, shape_of_set = np.unique(shape, axis=0, return_inverse=True)
    index = batch.replicate % scenario.worlds
    place = shape_of_set.reshape(-1)[batch.parameter_set] * scenario.worlds + index
    order = np.argsort(place, kind="stable")
    cuts = np.flatnonzero(np.diff(place[order], prepend=-1))
    gathered: Results | None = None
    done = 0
    tables: tuple[Records, Floats] | None = None
    for rows in np.split(order, cuts[1:]):
        first = rows[0]
        known = dict(zip(parameters.dtype.names or (), parameters[batch.parameter_set[first]].tolist(), strict=True))
        world, schools = worlds.get(known, int(index[first]), structures[batch.parameter_set[first]] if structures else None)
        records, factors = tables = tables or engine_tables(parameters, schools.country_codes)  # all worlds have the same countries
        inputs = world, scenario.practice_arrays(), records, designs, Batch(*(column[rows] for column in batch))
        task = Task(*inputs, scenario.seed, scenario.months, scenario.programme.last_month, factors, tracks)
        part = engine(task, monthly=monthly, per_school=per_school, threads=threads)
        if gathered is None:
            gathered = Results(*(np.zeros((len(batch.design) if len(one) else 0, *one.shape[1:]), one.dtype) for one in part))
        for whole, found in ((getattr(gathered, name), getattr(part, name)) for name in Results._fields):
            if len(found):
                whole[rows] = found
        done += len(rows)
        if len(shapes) > 1:
            worlds.forget()
        if progress:
            progress(done, len(batch.design))
    assert gathered is not None
    return gathered


# --- effects and costs broken down -----------------------------------------------------------------------------------


def breakdown_columns(countries: Sequence[str], months: int) -> list[str]:
    """Return the names of the columns in order; ``countries``: codes."""
    places = [f"country:{code}" for code in countries]
    groups = [*SCHOOL_TYPES, *places]
    years = range(1, -(-months // 12) + 1)
    return [
        *(f"teachers:{group}" for group in groups),
        *(f"{EFFECT}:{group}" for group in groups),
        *(f"cost_{payer}:{place}" for payer in (*PAYERS, "total", "society") for place in places),
        *(f"spent_{payer}:{place}:{year}" for payer in PAYERS for place in places for year in years),
    ]


def breakdown(results: Results, parameters: NDArray[np.void], countries: Sequence[str]) -> NDArray[np.float64]:
    """Return the columns of runs that were recorded monthly, shape (runs, columns); ``parameters``: the set of each run.

    Sums run month by month, so that they come to the same bits on every machine.
    """
    names = group_names(countries)
    kept = [names.index(name) for name in [*SCHOOL_TYPES, *names[len(GROUPS) :]]]
    groups = results.groups[:, :, kept].sum(axis=3)
    paid = results.costs.sum(axis=3)  # runs, months, countries, payers
    runs, months = groups.shape[:2]
    practices = results.groups.shape[3]
    effect, cost = np.zeros((runs, len(kept))), np.zeros((runs, len(PAYERS), len(countries)))
    spent = np.zeros((runs, len(PAYERS), len(countries), -(-months // 12)), np.int64)
    rates, position = np.unique(parameters["discount_rate"], return_inverse=True)
    # As ``model.costs.discount_factor`` has it.
    weights = np.array([[exp(-(month / 12.0) * log(1.0 + rate)) for month in range(months)] for rate in rates.tolist()])
    for month in range(months):
        weight = weights[position.reshape(-1), month, None]
        effect += groups[:, month, :, ADOPTERS] * weight / 12.0
        cents = np.swapaxes(paid[:, month], 1, 2)
        cost += cents * weight[..., None] / 100.0
        spent[..., month // 12] += cents
    total = cost.sum(axis=1)
    society = total + parameters["public_funds"][:, None] * cost[:, PROGRAMME]
    parts = [groups[:, 0, :, TEACHERS] // practices, effect, cost, total, society, spent / 100.0]
    return np.concatenate([np.asarray(part, np.float64).reshape(runs, -1) for part in parts], axis=1)


def monthly_bytes(scenario: Scenario, countries: int) -> int:
    """Return the bytes that the monthly records of one run take."""
    by_practice = (len(GROUPS) + countries) * len(GROUP_COUNTS) + 2 * len(TEAM_GROUPS)
    counts = len(scenario.practices) * by_practice + countries * len(CATEGORIES) * len(PAYERS) + 2  # ties and contacts
    return 8 * scenario.months * counts


def slices(runs: int, scenario: Scenario, countries: int) -> Iterator[slice]:
    """Cut runs into slices whose monthly records take no more memory than a few hundred megabytes."""
    step = max(1, SLICE_BYTES // monthly_bytes(scenario, countries))
    for low in range(0, max(runs, 1), step):
        yield slice(low, min(low + step, runs))
