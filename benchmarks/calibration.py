"""Simulation-based calibration (Talts et al. 2018) and recovery of parameters at the size of the pilot.

python -m benchmarks.calibration [--datasets 200] [--runs 131072] [--workers 1] [--out FOLDER]

Data sets are drawn from the prior and the model with the survey of the synthetic pilot, and each is fitted as ``calibrate`` does, except
that the second wave of runs is taken from one large reference table. Fits that are done are kept in the folder, so it may be stopped and
started again. Writes sbc.png, recovery.png and sbc.csv to docs/images/calibration.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.analysis.figures.style import save_bytes
from school_mentoring.experiments.calibration.findings import predict
from school_mentoring.experiments.calibration.likelihood import Synthetic, plausible_scores, synthetic
from school_mentoring.experiments.calibration.posterior import Problem, fitted_posterior
from school_mentoring.experiments.calibration.prior import prior_of
from school_mentoring.experiments.calibration.reference_table import ReferenceTable, Runs
from school_mentoring.experiments.calibration.summaries import Summaries
from school_mentoring.experiments.calibration.survey import Survey, groups_of, survey_of
from school_mentoring.experiments.pilot_data.observations import read_observations
from school_mentoring.experiments.sweep.store import write_atomically
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.engine import run_batch
from school_mentoring.scenarios import load_scenario

from .calibration_figures import rank_histograms, recovery

FIT = ("p", "q_in", "q_out", "beta", "d")
RANKS = 99  # draws that a truth is ranked among
FEWEST_ROWS, MOST_ROWS = 8_192, 40_000
FIRST_ROWS = 32_768  # the first so many points of a Sobol sequence cover the space; every so many-th do not
BLOCK = 2048
SEED = 20_260_131
SHARED: dict[str, Any] = {}


def problem() -> Problem:
    """Return the synthetic pilot as a problem of calibration."""
    scenario = load_scenario("synthetic-pilot", designs=["regional_hub"])
    world, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    assert scenario.world.schools is not None
    seen = read_observations(Path(scenario.world.schools).with_name("observations.csv"), schools)
    survey = survey_of(seen, len(schools), tuple(practice.name for practice in scenario.practices))
    scenario = scenario.model_copy(update={"months": survey.horizon})
    return Problem(scenario, world, schools, prior_of(scenario, FIT, kind="counts"), survey, groups_of(world, schools))


def prepare(folder: Path, runs: int, datasets: int) -> None:
    """Make the reference table and the data sets, and what all fits share: the first cut."""
    pilot = problem()
    table = ReferenceTable(folder / "table", pilot.scenario, pilot.prior, pilot.survey.record())
    first = table.first_wave(runs, resume=True)
    rng = np.random.default_rng(SEED)
    truths = pilot.prior.values(np.clip(rng.standard_normal((datasets, len(FIT))), -4.9, 4.9))
    observed = table.second_wave(first, truths)
    waves = np.arange(len(pilot.survey.months))
    data = np.concatenate(list(observed.answers(pilot.survey, waves, FIT, SEED, 0.0)))
    early = _first_cut(pilot, first.rows(np.arange(min(len(first), FIRST_ROWS))), data[0])
    SHARED.update(pilot=pilot, first=answered(pilot, first, SEED), truths=truths, data=data, early=early)


def _first_cut(pilot: Problem, first: Runs, data: np.ndarray) -> Synthetic:
    from school_mentoring.experiments.calibration.summaries import feature_set

    survey, waves = pilot.fitted_to(pilot.survey.seen)
    features = feature_set(pilot.scenario, pilot.world, pilot.schools, survey, pilot.groups)
    return synthetic(first.values, lambda rows: first.rows(rows).answers(survey, waves, FIT, SEED, 0.0), features, data)


@dataclass(frozen=True)
class Answered(Runs):
    """Runs whose answers are known already, as all data sets share a survey: ``shares`` (N, W, n)."""

    shares: NDArray[np.float32]

    def rows(self, chosen: NDArray[np.int64]) -> "Answered":
        """Return some of the runs."""
        return Answered(self.values[chosen], self.adopters[chosen], self.number[chosen], self.teachers, self.shares[chosen])

    def joined(self, other: Runs) -> "Answered":
        """Return these runs followed by others."""
        assert isinstance(other, Answered)
        both = [np.concatenate([getattr(self, name), getattr(other, name)]) for name in ("values", "adopters", "number")]
        return Answered(*both, self.teachers, np.concatenate([self.shares, other.shares]))

    def answers(self, survey: Survey, waves: NDArray[np.int64], names: tuple[str, ...], seed: int, overdispersion: float) -> Iterator[Any]:
        """Give the shares, block by block."""
        for low in range(0, len(self), BLOCK):
            yield self.shares[low : low + BLOCK].astype(np.float64)


def answered(pilot: Problem, runs: Runs, seed: int) -> Answered:
    """Return runs with their answers to the pilot's survey."""
    blocks = runs.answers(pilot.survey, np.arange(len(pilot.survey.months)), FIT, seed, 0.0)
    shares = np.concatenate([block.astype(np.float32) for block in blocks])
    return Answered(runs.values, runs.adopters, runs.number, runs.teachers, shares)


def second_wave(pilot: Problem, early: Synthetic, seed: int) -> Answered:
    """Return new runs where the first cut left too few of the table."""
    values = pilot.prior.values(plausible_scores(pilot.prior, [early], FEWEST_ROWS, seed)[0])
    sets = pilot.prior.sets(values)
    found = predict(pilot.scenario, sets, (), pilot.survey, [], first_replicate=10_000_000, engine=run_batch, threads=1)
    number = 10_000_000 + np.arange(len(values))
    runs = Runs(values, found.adopters.astype(np.uint16), number, SHARED["first"].teachers)
    return answered(pilot, runs, SEED)


def fit(number: int) -> dict[str, Any]:
    """Fit one data set; return the ranks of its truth and what the posterior says."""
    pilot, first = SHARED["pilot"], SHARED["first"]
    reduce: Summaries = SHARED["early"].reduce
    early = replace(SHARED["early"], summaries=reduce.of(SHARED["data"][number][None])[0]).opened(first.values[:FIRST_ROWS])
    survey = replace(pilot.survey, shares=SHARED["data"][number])
    mine = replace(pilot, survey=survey)
    rows = np.flatnonzero(early.inside(first.values))
    runs = first.rows(rows[:MOST_ROWS])
    if len(runs) < FEWEST_ROWS:
        runs = runs.joined(second_wave(mine, early, SEED + number))
    none = first.rows(np.arange(0))
    share = len(rows) / len(first)
    found = fitted_posterior(mine, survey.seen, none, runs, [early], share, SEED + number, lambda *_: None, ensembles=1)
    truth = SHARED["truths"][number]
    draws = found.flat[np.linspace(0, len(found.flat) - 1, RANKS).astype(int)]
    low, high = np.quantile(found.flat, (0.05, 0.95), axis=0)
    return {
        "dataset": number, "rank": (draws < truth).sum(axis=0).tolist(), "truth": truth.tolist(), "mean": found.flat.mean(axis=0).tolist(),
        "sd": found.flat.std(axis=0).tolist(), "low": low.tolist(), "high": high.tolist(), "rows": len(runs),
        "fit_probability": found.state["fit_probability"], "autocorrelation": found.chains.autocorrelation,
    }  # fmt: skip


def fingerprint() -> str:
    """Return what changes whenever the code that fits does, so that no fit of another state is taken for one of this."""
    digest = hashlib.sha256()
    for path in [Path(__file__), *sorted((Path(__file__).parents[1] / "experiments" / "calibration").glob("*.py"))]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def study(folder: Path, datasets: int, runs: int, workers: int) -> pd.DataFrame:
    """Fit all data sets that are not done; return one row per data set and parameter."""
    prepare(folder, runs, datasets)
    done = folder / f"fits-{fingerprint()}"
    done.mkdir(exist_ok=True)
    left = [number for number in range(datasets) if not (done / f"{number:04d}.json").exists()]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for found in pool.imap_unordered(fit, left):
            write_atomically(done / f"{found['dataset']:04d}.json", json.dumps(found).encode())
            print(f"{len(list(done.glob('*.json')))} of {datasets}", flush=True)
    rows = []
    for number in range(datasets):
        found = json.loads((done / f"{number:04d}.json").read_text())
        for j, name in enumerate(FIT):
            columns = {key: found[key][j] for key in ("rank", "truth", "mean", "sd", "low", "high")}
            rows.append({"dataset": number, "parameter": name, **columns})
    return pd.DataFrame(rows)


def summary(fits: pd.DataFrame) -> pd.DataFrame:
    """Return per parameter: chi-square p value of the ranks, coverage of 90 and 50 % intervals, contraction, correlation with the truth."""
    from scipy import stats

    prior = SHARED["pilot"].prior
    values = prior.values(prior.sample(4096, SEED))
    rows = []
    for j, name in enumerate(FIT):
        mine = fits[fits["parameter"] == name]
        counts = np.bincount(mine["rank"] * 10 // (RANKS + 1), minlength=10)
        half = ((mine["rank"] >= (RANKS + 1) // 4) & (mine["rank"] < 3 * (RANKS + 1) // 4)).mean()
        rows.append(
            {
                "parameter": name, "datasets": len(mine), "chi_square_p": stats.chisquare(counts).pvalue,
                "coverage_90": ((mine["truth"] >= mine["low"]) & (mine["truth"] <= mine["high"])).mean(), "coverage_50": half,
                "posterior_sd_over_prior_sd": (mine["sd"] / values[:, j].std()).median(),
                "correlation_mean_truth": np.corrcoef(mine["mean"], mine["truth"])[0, 1],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    """Run the study from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--datasets", type=int, default=200)
    parser.add_argument("--runs", type=int, default=131_072)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/sbc"))
    parser.add_argument("--images", type=Path, default=Path("docs/images/calibration"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    fits = study(given.out, given.datasets, given.runs, given.workers)
    table = summary(fits)
    print(table.round(3).to_string(index=False))
    given.images.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.images / "sbc.csv", index=False, float_format="%.4g", lineterminator="\n")
    for name, figure in (("sbc", rank_histograms(fits, RANKS)), ("recovery", recovery(fits))):
        write_atomically(given.images / f"{name}.png", save_bytes(figure, "png"))


if __name__ == "__main__":
    main()
