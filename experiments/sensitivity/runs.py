"""Sensitivity indices of a sweep that exists already, by the methods that ask for no design of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from school_mentoring.experiments.folder.results import open_study
from school_mentoring.experiments.sweep.plan import read_plan
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import COMPARATOR, Scenario

from .design import DUMMY, Factor, group_of
from .estimates import given_estimates, numbers_of
from .outputs import DERIVED, noise_share, read_targets
from .study import (
    INDEPENDENT,
    SensitivityFindings,
    SensitivityOptions,
    open_contests,
    refuse_nothing_left,
    refuse_too_few,
    state_of,
    study_targets,
)


def study_of_sweep(folder: Path, options: SensitivityOptions) -> tuple[Scenario, SensitivityFindings]:
    """Return the scenario of a sweep and what its runs say.

    Raises InputError for a method with a design of its own, and for a sweep that is not complete. A dummy is drawn beside its sets.
    """
    if options.method in INDEPENDENT:
        raise InputError(
            f"--method {options.method}", "needs a sample of its own", "allowed for a sweep: given, pawn, regional; or give a scenario"
        )
    study = open_study(folder)
    if "sweep" not in study.info:
        raise InputError(str(folder), "holds a study that is no sweep", "give the folder of a sweep, or a scenario")
    if study.info["sweep"].get("schools") is not None:
        raise InputError(str(folder), "holds simulations of a calibration, no outcomes", "give the folder of a sweep, or a scenario")
    study.refuse_incomplete()
    plan = read_plan(folder)
    refuse_too_few(len(plan.sets), options.method, str(folder))
    targets = study_targets(plan.scenario, options)
    if COMPARATOR not in plan.scenario.designs:
        targets = tuple(target for target in targets if target.output not in DERIVED and COMPARATOR not in target)
    found = read_targets(folder, plan, targets, options.willingness_to_pay)
    if options.method == "regional":
        found = open_contests(found)
    refuse_nothing_left(found)
    varying = [name for name in plan.sets if name != DUMMY and plan.sets[name].nunique() > 1]
    dummy = np.random.default_rng([plan.scenario.seed, len(plan.sets)]).random(len(plan.sets))
    sets = plan.sets[varying].assign(**{DUMMY: dummy})
    factors = (
        *(Factor(name, group_of(name), (j,), "parameter") for j, name in enumerate(varying)),
        Factor(DUMMY, DUMMY, (len(varying),), DUMMY),
    )
    sound = found.sound
    means = found.means[:, sound]
    floor = noise_share(means.var(axis=0, ddof=1), found.noise[sound])
    names = tuple(found.names[k] for k in sound)
    estimates = given_estimates(numbers_of(sets), means, names, floor, factors, options.method, options.resamples, options.level)
    state = state_of(replace(options, random=plan.random, budget=plan.runs), plan, len(sets), estimates.widths())
    columns = {f"{t.output}|{t.design}|{t.comparator}": means[:, k] for k, t in enumerate(names)}
    points = pd.concat([sets.reset_index(drop=True), pd.DataFrame(columns)], axis=1)
    return plan.scenario, SensitivityFindings(estimates.table(), found.table(), pd.DataFrame(), pd.DataFrame(), points, state)
