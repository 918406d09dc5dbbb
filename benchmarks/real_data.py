"""Forecasts of a real diffusion, hybrid corn in six Brazilian villages, by the model and by four rivals.

python -m benchmarks.real_data [--fits plain,effects] [--out docs/images/calibration/farmers.csv]

Each village is predicted from the five others, and the years after the 9th and the 12th from the state seen by then, by ``run.py calibrate
farmers --design none --hold-out ...`` with p and q_out alone, and with chances that differ between villages and change in time.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from school_mentoring.experiments.calibration.calibrate import asked, calibrate, observations_of, problem_of
from school_mentoring.scenarios import load_scenario

FITS = {"plain": "p,q_out", "effects": "p,q_out,between_regions,drift,shocks"}
HELD = {"each village": "clusters=each", "after year 9": "after=9", "after year 12": "after=12"}


def scored(fit: str, hold_out: str) -> pd.DataFrame:
    """Return the table of scores of a calibration of the farmers."""
    scenario = load_scenario("farmers")
    options = asked(fit=fit, hold_out=hold_out)
    problem, _ = problem_of(scenario, observations_of(None, scenario), options)
    with tempfile.TemporaryDirectory() as folder:
        return calibrate(problem, options, Path(folder) / "fit").scores


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--fits", default=",".join(FITS))
    parser.add_argument("--out", type=Path, default=Path("docs/images/calibration/farmers.csv"))
    given = parser.parse_args()
    tables = []
    for name in given.fits.split(","):
        for held, hold_out in HELD.items():
            table = scored(FITS[name], hold_out)
            table.insert(0, "held_out", held)
            table.insert(0, "fit", name)
            print(table.round(3).to_string(index=False), flush=True)
            tables.append(table)
    pd.concat(tables).to_csv(given.out, index=False, float_format="%.4g", lineterminator="\n")


if __name__ == "__main__":
    main()
