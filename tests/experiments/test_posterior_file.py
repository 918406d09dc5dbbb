"""The posterior file holds what ArviZ asks for: predictions, what was seen, and the chance of each answer."""

import arviz
import numpy as np
import pandas as pd
import pytest

from school_mentoring.experiments.calibration.export import FittedAnswers, log_likelihoods, write_netcdf

CELLS = 30


@pytest.fixture(scope="module")
def made():
    """Return draws of one parameter x, and answers whose chance is 0.3 + 0.2 (x - 1) in half of the cells, 0.6 in the rest."""
    rng = np.random.default_rng(1)
    draws = rng.normal(1.0, 0.2, (4, 500))
    at = rng.normal(1.0, 0.2, (400, 1))
    truth = np.where(np.arange(CELLS) < 15, 0.3 + 0.2 * (at - 1.0), 0.6)
    noisy = rng.beta(20 * truth, 20 * (1 - truth))  # of one course each
    seen = (rng.random(CELLS) < truth.mean(axis=0)).astype(float)
    names = np.array([f"s{k}" for k in range(CELLS)])
    return draws, FittedAnswers(seen, names, np.arange(CELLS) % 3, at, (rng.random(noisy.shape) < noisy).astype(float), noisy)


def test_chances_of_answers_are_those_over_all_courses(made):
    draws, answers = made
    x = draws.reshape(-1, 1)
    found = np.exp(log_likelihoods(answers, x))
    # A slope of 400 runs has a standard error of 0.02, a mean of 0.005.
    assert np.abs(found[:, :15] - (0.3 + 0.2 * (x - 1.0))).max() < 0.1
    assert np.abs(found[:, 15:] - 0.6).max() < 0.06
    assert found[:, 15:].std(axis=0).mean() < 0.01


def test_loo_and_predictive_checks_read_the_file(made, tmp_path):
    draws, answers = made
    write_netcdf(tmp_path / "a.nc", {"x": draws}, pd.DataFrame({"x": np.zeros(10)}), answers)
    write_netcdf(tmp_path / "b.nc", {"x": draws}, pd.DataFrame({"x": np.zeros(10)}), answers)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    data = arviz.from_netcdf(str(tmp_path / "a.nc"))
    assert {"posterior", "prior", "log_likelihood", "posterior_predictive", "observed_data"} <= set(data.groups())
    found = arviz.loo(data)
    expected = np.log(np.where(np.arange(CELLS) < 15, 0.3, 0.6)).sum()
    assert found.elpd_loo == pytest.approx(expected, abs=1.0) and found.p_loo < 3.0
    assert arviz.plot_ppc(data, num_pp_samples=20, show=False) is not None
    assert list(data.observed_data["school"].values[:2]) == ["s0", "s1"]
