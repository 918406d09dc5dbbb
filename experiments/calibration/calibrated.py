"""Write what was fitted as a scenario: ``calibrated.yaml`` with its joint draws beside it, which every other command takes as it is."""

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd

from school_mentoring.experiments.sweep.store import write_atomically
from school_mentoring.scenarios import FILE_KEYS, Scenario, WorldSpec, check_draws, dump_yaml, resolved, scenario_from

INTERVAL = (0.025, 0.975)
"""Quantiles of the draws that become the ends of a fitted parameter's range, for what looks at one parameter alone."""

MARK = "calibrated"
"""What is added to the scenario's name and title, so that its studies get folders of their own."""


def write_calibrated(path: Path, scenario: Scenario, draws: pd.DataFrame) -> Scenario:
    """Write a scenario with posterior draws to ``path`` (.yaml) and ``<name>-draws.parquet`` beside it; return it as it is read back.

    ``draws``: a column per fitted parameter, a row per joint draw, all equally likely. A fitted parameter has the median of its draws as
    base value and their central 95 % as range; correlations stated for it are left out, as the draws hold their own. Raises InputError for
    draws that no scenario may have.
    """
    draws = check_draws(draws, str(path))
    values = resolved(scenario)
    for name in draws:
        column = draws[name].to_numpy()
        whole = values["parameters"][name]["distribution"] == "integer"
        low, base, high = (float(np.quantile(column, q, method="nearest" if whole else "linear")) for q in (INTERVAL[0], 0.5, INTERVAL[1]))
        values["parameters"][name] |= {"low": low, "base": base, "high": high}
        if values["parameters"][name]["distribution"] == "loguniform" and low <= 0.0:
            values["parameters"][name]["distribution"] = "uniform"
    values["name"] = values["name"][: 60 - len(MARK) - 1].rstrip("-").removesuffix(f"-{MARK}") + f"-{MARK}"
    values["title"] = values["title"] and f"{values['title'].removesuffix(f' ({MARK})')[:180]} ({MARK})"
    values["correlations"] = [one for one in values["correlations"] if not set(one["between"]) & set(draws)]
    beside = path.with_name(f"{path.stem}-draws.parquet")
    buffer = io.BytesIO()
    draws.to_parquet(buffer, index=False, compression="zstd")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(beside, buffer.getvalue())
    values["posterior"] = str(beside.absolute())
    calibrated = scenario_from(values, str(path))
    head = "# Written by calibrate: a scenario whose fitted parameters vary as the joint draws beside it, by whole rows.\n"
    text = dump_yaml(calibrated.model_copy(update={"posterior": beside.name, "world": _relative_files(calibrated, path.parent)}))
    write_atomically(path, (head + text).encode())
    return calibrated


def _relative_files(scenario: Scenario, folder: Path) -> WorldSpec:
    """Return the world with files that lie below the folder as paths relative to it, so that the folder may move."""
    files = {key: getattr(scenario.world, key) for key in FILE_KEYS}
    below = {
        key: os.path.relpath(file, folder.absolute())
        for key, file in files.items()
        if file is not None and Path(file).is_relative_to(folder.absolute())
    }
    return scenario.world.model_copy(update=below)
