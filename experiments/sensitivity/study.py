"""A sensitivity study: parameter sets of a method, run as a sweep that grows until the indices are settled or no runs are left.

The folder of a study is that of its sweep, so everything that reads sweeps reads it, and every run is kept when the sample is doubled.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.experiments.compare import with_comparator
from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.folder.model_1 import recorded_as
from school_mentoring.experiments.folder.reading import open_study
from school_mentoring.experiments.notes import notes_on_draws, notes_on_narrowed
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.sweep.execution import carry_out, grow_sweep, open_sweep
from school_mentoring.experiments.sweep.plan import Plan, chunk_cells, read_plan
from school_mentoring.experiments.variables import chosen_variables, narrowed
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.world.arrays import Counts
from school_mentoring.scenarios import COMPARATOR, Scenario, joint_draws

from .design import DUMMY, Factor, Layout, group_of, layout_of, one_at_a_time
from .estimates import contests, estimate, given_estimates, numbers_of, over_time
from .outputs import DECISION, DERIVED, OUTPUTS, Target, Targets, noise_share, read_targets, targets_of

METHODS = ("sobol", "morris", "pawn", "given", "regional")
"""By name: total and first order indices; screening; distances between distributions; first order from bins; who beats whom."""

INDEPENDENT = ("sobol", "morris")
"""Methods whose indices mean something only where parameters vary independently."""

CONTESTED = (
    "effect_adopter_years", "adopters_end_of_funding", "adopters_end", "cost_programme", "cost_schools", "cost_society", "net_benefit",
)  # fmt: skip
"""Outputs of which one direction is better, so that one design can beat another."""

POINTS = {"sobol": 64, "morris": 16, "pawn": 256, "given": 256, "regional": 256}
MONTHLY_RUNS = 2000  # of a chunk that records months, which fill memory
FEWEST = 8  # parameter sets, with fewer of which bins and slices hold one set or none
FEW = 10  # wins or losses, with fewer of which a contest is too one-sided for a regional analysis
LOCAL_FOLDER = "one-at-a-time"


@dataclass(frozen=True)
class SensitivityOptions:
    """What is asked of a study.

    ``points``: with which it begins; 0: the method's own number. ``ci``: width of the widest interval at which it is settled; ``max_runs``:
    runs at most. ``groups``: with, only or without. ``pairs``: designs whose differences are looked at, ``a-b,c-d`` or ``all``; None: each
    less none. ``outputs``: none for the method's own.
    """

    method: str = "sobol"
    outputs: tuple[str, ...] = ()
    vary: tuple[str, ...] = ()
    pairs: str | None = None
    points: int = 0
    ci: float = 0.1
    max_runs: int = 200_000
    random: str = "common"
    groups: str = "with"
    second: bool = False
    monthly: bool = False
    local: bool = True
    willingness_to_pay: float = 1000.0
    resamples: int = 500
    level: float = 0.95


def asked(*, outputs: str | None = None, vary: Sequence[str] = (), **given: Any) -> SensitivityOptions:
    """Return the options of a command line. Raises InputError for what no study may have."""
    names = tuple(name.strip() for name in (outputs or "").split(",") if name.strip())
    options = SensitivityOptions(outputs=names, vary=tuple(vary), **given)
    for flag, value, known in (("method", options.method, METHODS), ("groups", options.groups, ("with", "only", "without"))):
        if value not in known:
            raise InputError(f"--{flag} {value}", "is not known", f"allowed: {', '.join(known)}")
    if options.method != "sobol" and (options.second or options.monthly):
        raise InputError(f"--method {options.method}", "has no indices of pairs or over time", "allowed with them: --method sobol")
    if options.groups == "only" and options.method not in INDEPENDENT:
        raise InputError("--groups only", f"{options.method} has no indices of groups", "allowed: --method sobol or morris")
    if options.points:
        refuse_too_few(options.points, options.method, f"--n {options.points}")
    return options


@dataclass(frozen=True)
class SensitivityFindings:
    """What a study found, as tidy tables.

    ``indices``: one row per index of a parameter or group; ``outputs``: one row per target with its noise; ``local``: outcomes with one
    parameter at an end of its range; ``time``: indices of every month; ``points``: sets with the means of targets, to draw;
    ``state``: points, runs, whether it is settled and why.
    """

    indices: pd.DataFrame
    outputs: pd.DataFrame
    local: pd.DataFrame
    time: pd.DataFrame
    points: pd.DataFrame
    state: dict[str, Any]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that are not empty, by name."""
        named = zip(("indices", "outputs", "one_at_a_time", "over_time", "points"), vars(self).values(), strict=False)
        return {name: table for name, table in named if len(table)}


def parse_pairs(text: str | None, designs: Sequence[str], method: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of ``a-b,c-d``, or of ``all``; of None every design less none, of ``regional`` all contests of designs."""
    others = [design for design in designs if design != COMPARATOR]
    if text is None:
        return tuple(combinations(others, 2)) if method == "regional" else tuple((design, COMPARATOR) for design in others)
    if text == "all":
        return tuple((b, a) for a, b in combinations([COMPARATOR, *others], 2))
    pairs = [tuple(name.strip() for name in pair.split("-")) for pair in text.split(",")]
    if not all(len(pair) == 2 for pair in pairs):
        raise InputError(f"--pairs {text}", "names no pairs of designs", "allowed: a-b,c-d or all")
    return tuple((pair[0], pair[1]) for pair in pairs)


def run_study(
    scenario: Scenario, options: SensitivityOptions, folder: Path, *, resume: bool = False, engine: str = "compiled",
    threads: int | None = None, stage: Stage = lambda *_: None,
) -> SensitivityFindings:  # fmt: skip
    """Run a study in a folder and return what it found; with ``resume`` it continues one begun there.

    Raises InputError for options that do not go together, a first sample of too many runs, and where no output can be analysed.
    """
    scenario = with_comparator(scenario)
    layout = _layout(scenario, options)
    targets = study_targets(scenario, options)
    begun = points = _points_there(folder, layout)
    while True:
        plan = _plan(scenario, layout, points, options)
        if points == layout.start and plan.runs > options.max_runs:
            raise InputError("--max-runs", f"the first sample takes {plan.runs:,} runs", "allowed: at least that, or a smaller --n")
        _make(folder, plan, resume or points > begun, engine, threads, stage)
        found = _read(folder, plan, targets, options)
        estimates = estimate(layout, plan.sets, points, found, options.method, options.resamples, options.level)
        widths = estimates.widths()
        doubled = 0 if (widths["width"] <= options.ci).all() else _plan(scenario, layout, 2 * points, options).runs
        if not 0 < doubled <= options.max_runs:
            break
        points *= 2
    state = state_of(options, plan, points, widths) | ({"scramblings": layout.scramblings} if layout.method == "sobol" else {})
    monthly = local = pd.DataFrame()
    if options.monthly and options.method == "sobol":
        designs = list(scenario.designs)
        whom = [*((design, "") for design in designs), *parse_pairs(options.pairs, designs, options.method)]
        wanted = [Target(f"share_{month:03d}", *which) for which in whom for month in range(scenario.months)]
        shares = read_targets(folder, plan, wanted, options.willingness_to_pay)
        monthly = over_time(layout, points, shares, options.resamples, options.level)
    if options.local:
        # The targets at the base values, and with one parameter at the low and at the high end of its range.
        sets, described = one_at_a_time(layout.variables, scenario)
        chunk = max(1, chunk_cells(scenario) // scenario.replicates) * scenario.replicates
        ends = Plan(scenario, sets, "common", chunk, "one at a time")
        _make(folder / LOCAL_FOLDER, ends, True, engine, threads, stage)
        means = read_targets(folder / LOCAL_FOLDER, ends, targets, options.willingness_to_pay).means
        local = pd.concat([described.assign(**target._asdict(), mean=means[:, k]) for k, target in enumerate(targets)], ignore_index=True)
    rows = np.arange(len(plan.sets)).reshape(points, layout.step)
    drawn = rows[:, [0, -1]].reshape(-1) if layout.method == "sobol" else rows.reshape(-1)  # independently
    return SensitivityFindings(estimates.table(), found.table(), local, monthly, _with_means(plan.sets, found, drawn), state)


def study_of_sweep(folder: Path, options: SensitivityOptions) -> tuple[Scenario, SensitivityFindings, list[str]]:
    """Return the scenario of a sweep that exists already, what its runs say and its notes, by a method that asks for no own design.

    Raises InputError for a method that does, and for a sweep that is not complete. A dummy is drawn beside its sets.
    """
    if options.method in INDEPENDENT:
        allowed = "allowed for a sweep: given, pawn, regional; or give a scenario"
        raise InputError(f"--method {options.method}", "needs a sample of its own", allowed)
    study, another = open_study(folder), "give the folder of a sweep, or a scenario"
    if "sweep" not in study.info:
        raise InputError(str(folder), "holds a study that is no sweep", another)
    if study.info["sweep"].get("schools") is not None:
        raise InputError(str(folder), "holds simulations of a calibration, no outcomes", another)
    study.refuse_incomplete()
    plan = read_plan(folder)
    refuse_too_few(len(plan.sets), options.method, str(folder))
    targets = study_targets(plan.scenario, options)
    if COMPARATOR not in plan.scenario.designs:
        targets = tuple(target for target in targets if target.output not in DERIVED and COMPARATOR not in target)
    recorded = study.dataset().schema.names
    for output in dict.fromkeys(target.output for target in targets):
        if output in OUTCOMES and recorded_as(output, recorded) not in recorded:
            raise InputError(str(folder), f"its runs do not record {output!r}", "allowed: other --outputs")
    found = _read(folder, plan, targets, options)
    varying = [name for name in plan.sets if name != DUMMY and plan.sets[name].nunique() > 1]
    dummy = np.random.default_rng([plan.scenario.seed, len(plan.sets)]).random(len(plan.sets))
    sets = plan.sets[varying].assign(**{DUMMY: dummy})
    factors = [Factor(name, group_of(name), (j,), "parameter") for j, name in enumerate(varying)]
    factors.append(Factor(DUMMY, DUMMY, (len(varying),), DUMMY))
    names, means, noise = found.analysed
    floor = noise_share(means.var(axis=0, ddof=1), noise)
    estimates = given_estimates(numbers_of(sets), means, names, floor, tuple(factors), options.method, options.resamples, options.level)
    state = state_of(replace(options, random=plan.random, max_runs=plan.runs), plan, len(sets), estimates.widths())
    none, points = pd.DataFrame(), _with_means(sets, found, np.arange(len(sets)))
    return plan.scenario, SensitivityFindings(estimates.table(), found.table(), none, none, points, state), study.notes


def _varied(scenario: Scenario, options: SensitivityOptions) -> list[Variable]:
    """Return what is asked to be varied, by joint draws where these hold it and no range is stated for it."""
    variables = chosen_variables(scenario, _names(scenario, options.vary), joint_draws(scenario))
    for one in variables:
        if one.draws is None and (len(one.choices) == 1 if one.choices else one.low == one.high):
            raise InputError(f"--vary {one.name}", "has one value, so that nothing can depend on it", "allowed: name=low:high or name=a|b")
    return variables


def _layout(scenario: Scenario, options: SensitivityOptions) -> Layout:
    variables = _varied(scenario, options)
    if _narrows(scenario, options):  # the structure, which has no range, stays as the scenario has it
        variables = [narrowed(variable) for variable in variables if not variable.choices or variable.draws is None]
        if not variables:
            problem = "asks for parameters with ranges, and only the structure is uncertain"
            raise InputError(f"--method {options.method}", problem, "allowed: given, pawn, regional; or others, --vary name=low:high")
    start = options.points or POINTS[options.method]
    if options.method != "morris" and start & (start - 1):
        raise InputError(f"--n {start}", "is no power of 2", f"allowed: 2, 4, ... such as {2 ** start.bit_length()} (Sobol sequences)")
    correlation = scenario.correlation([variable.name for variable in variables])
    fitted = [variable.name for variable in variables if variable.draws is not None]
    shape = options.method if options.method in INDEPENDENT else "sample"
    if shape != "sample":
        where, asks = f"--method {options.method}", "asks for independent parameters, and the"
        if correlation is not None:
            raise InputError(where, f"{asks} scenario states correlations", "allowed: pawn, given, regional")
        if fitted:
            allowed = "allowed: given, pawn, regional; or ranges of your own, --vary name=low:high"
            raise InputError(where, f"{asks} posterior draws hold {fitted[0]} and others together", allowed)
    given: dict[str, Any] = {"groups": options.groups, "second": options.second, "seed": scenario.seed, "start": start}
    return layout_of(shape, variables, **given, correlation=correlation)


def _narrows(scenario: Scenario, options: SensitivityOptions) -> bool:
    """Tell whether a method that asks for independent parameters takes them over narrowed ranges instead of by anchored draws."""
    return options.method in INDEPENDENT and scenario.posterior is None and scenario.ranges == "anchored"


def notes_on_study(scenario: Scenario, options: SensitivityOptions, sets: int) -> list[str]:
    """Say over which values parameters were varied in so many sets, as far as that is not stated with them."""
    varied = _varied(scenario, options)
    return notes_on_narrowed(scenario, varied) if _narrows(scenario, options) else notes_on_draws(scenario, varied, sets)


def refuse_too_few(points: int, method: str, where: str) -> None:
    """Raise InputError for a sample of which nothing can be said, or of which chance says all."""
    least = 2 if method in INDEPENDENT else FEWEST
    if points < least:
        raise InputError(where, f"{points} parameter sets are too few for {method}", f"allowed: {least} or more")


def _names(scenario: Scenario, vary: Sequence[str]) -> list[str]:
    """Return the texts of ``--vary`` with each group replaced by its parameters, as far as they have a range."""
    found = []
    for text in vary:
        ranged = [name for name, row in scenario.parameter_rows().items() if row.group == text and row.low < row.high]
        found += ranged or [text]
    return found


def _points_there(folder: Path, layout: Layout) -> int:
    """Return the points that a folder's study has grown to, so that it goes on from there; those to start with where it holds none."""
    try:
        there = int(json.loads((folder / "study.json").read_text(encoding="utf-8"))["sweep"]["parameter_sets"])
    except (OSError, ValueError, KeyError, TypeError):
        return layout.start
    doublings, rest = divmod(there, layout.start * layout.step)
    return layout.start * doublings if not rest and doublings & (doublings - 1) == 0 else layout.start


def _plan(scenario: Scenario, layout: Layout, points: int, options: SensitivityOptions) -> Plan:
    """Return the sweep of so many points; chunks hold whole sets, and a whole number of them the first sample."""
    first, most = layout.start * layout.step, chunk_cells(scenario)
    if options.monthly:
        most = min(most, MONTHLY_RUNS // len(scenario.designs))
    sets = max(1, most // scenario.replicates)
    whole = next(size for size in range(min(first, sets), 0, -1) if first % size == 0)
    with np.errstate(all="ignore"):  # the rounding of 0 overflows on the branch that is not taken
        table = layout.sets(points)
    return Plan(scenario, table, options.random, whole * scenario.replicates, f"{options.method} from {layout.start}", options.monthly)


def _make(folder: Path, plan: Plan, resume: bool, engine: str, threads: int | None, stage: Stage) -> None:
    if resume:
        grow_sweep(folder, plan)
    store = open_sweep(folder, plan, resume=resume)
    if failed := carry_out(folder, plan, store, engine=engine, threads=threads, progress=lambda *at: stage("runs", *at)):
        why = f"{failed:,} runs failed; failures/ names them with their parameters"
        raise InputError(str(folder), why, "mend the cause, then --resume")


def state_of(options: SensitivityOptions, plan: Plan, points: int, widths: pd.DataFrame) -> dict[str, Any]:
    """Return what a study came to: its size, and for how many outputs all intervals are within the width asked for."""
    worst, within = widths.loc[widths["width"].idxmax()], int((widths["width"] <= options.ci).sum())
    kept = ("method", "random", "ci", "level", "max_runs", "willingness_to_pay")
    return {
        **{name: getattr(options, name) for name in kept}, "points": points, "parameter_sets": len(plan.sets),
        "replicates": plan.scenario.replicates, "runs": plan.runs, "widest": float(worst["width"]), "widest_at": worst["where"],
        "settled": within == len(widths), "outputs": len(widths), "outputs_settled": within,
    }  # fmt: skip


def study_targets(scenario: Scenario, options: SensitivityOptions) -> tuple[Target, ...]:
    """Return the targets of a study; a regional analysis looks at contests only, and at which design is best of all."""
    designs = list(scenario.designs)
    pairs = parse_pairs(options.pairs, designs, options.method)
    if options.method != "regional":
        return targets_of(options.outputs or OUTPUTS, designs, pairs)
    contested = {(output, *pair) for output in CONTESTED for pair in pairs}
    targets = targets_of(options.outputs or ("effect_adopter_years", "net_benefit", DECISION), designs, pairs)
    return tuple(target for target in targets if target in contested or target.output == DECISION)


def _read(folder: Path, plan: Plan, targets: Sequence[Target], options: SensitivityOptions) -> Targets:
    """Return the targets of all runs; of a regional analysis contests that one side wins in nearly every set are named a problem.

    Raises InputError where no target can be analysed.
    """
    found = read_targets(folder, plan, targets, options.willingness_to_pay)
    if options.method == "regional":
        sets, problems = len(found.means), list(found.problems)
        for k, won in enumerate(contests(found.means, found.names).sum(axis=0).tolist()):
            if not problems[k] and min(won, sets - won) < FEW:
                problems[k] = f"is the better one in {won:,} of {sets:,} sets: too one-sided to say what decides"
        found = replace(found, problems=tuple(problems))
    if not found.sound:
        target, problem = found.names[0], found.problems[0]
        raise InputError("--outputs", f"nothing is left to analyse: {target.output} of {target.design} {problem}", "choose other outputs")
    return found


def _with_means(sets: pd.DataFrame, found: Targets, rows: Counts) -> pd.DataFrame:
    """Return some of the sets, with the means of the targets that are analysed."""
    names, means, _ = found.analysed
    columns = {f"{t.output}|{t.design}|{t.comparator}": means[rows, k] for k, t in enumerate(names)}
    return pd.concat([sets.iloc[rows].reset_index(drop=True), pd.DataFrame(columns)], axis=1)
