"""What summaries lose: 38 schools that adopt once, seen by the year, fitted by summaries and by the likelihood that knows their ties.

python -m benchmarks.adoption_times [--datasets 10] [--runs 4096]

Prints, by parameter, how far the posterior mean by summaries lies from the other one in sds of that (mean and spread over data sets: bias
shows in the first, lost information in the second), and the ratio of their sds.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from school_mentoring.experiments.calibration.calibrate import asked, calibrate, problem_of
from tests.pilots import Pilot, adoption_years

FIT = "p=0.0005:0.02,q_out=0.005:0.2"


def fitted(pilot: Pilot, folder: Path, **options: Any) -> pd.DataFrame:
    """Return the table of parameters that a calibration gives."""
    chosen = asked(fit=FIT, **options)
    problem, _ = problem_of(pilot.scenario, pilot.observations, chosen, start=pilot.start, end=pilot.end)
    return calibrate(problem, chosen, folder).parameters.set_index("parameter")


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--datasets", type=int, default=10)
    parser.add_argument("--runs", type=int, default=4096)
    given = parser.parse_args()
    rows = []
    for seed in range(1, given.datasets + 1):
        with tempfile.TemporaryDirectory() as folder:
            pilot = adoption_years(Path(folder), seed)
            exact = fitted(pilot, Path(folder) / "exact")
            summaries = fitted(pilot, Path(folder) / "summaries", likelihood="synthetic", runs=given.runs)
        off = (summaries["posterior_mean"] - exact["posterior_mean"]) / exact["posterior_sd"]
        ratio = summaries["posterior_sd"] / exact["posterior_sd"]
        rows += [{"seed": seed, "parameter": name, "off": off[name], "sd_ratio": ratio[name]} for name in exact.index]
        print(rows[-2:], flush=True)
    found = pd.DataFrame(rows).groupby("parameter", sort=False)
    print(found[["off", "sd_ratio"]].agg(["mean", "std", "min", "max"]).round(2).to_string())


if __name__ == "__main__":
    main()
