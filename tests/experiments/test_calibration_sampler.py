"""Draws of a posterior by emcee: of a known one, and cut short."""

import numpy as np
import pytest

from school_mentoring.experiments.calibration.posterior import sample_posterior


def test_draws_of_a_normal_posterior_have_its_mean_and_spread():
    # Standard errors of a mean and of a standard deviation by the effective number of draws that the sampler states.
    mean, spread = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    starts = mean + spread * np.random.default_rng(1).standard_normal((200, 2))
    chains = sample_posterior(lambda x: -0.5 * (((x - mean) / spread) ** 2).sum(axis=1), starts, 7)
    draws, made = chains.flat, len(chains.flat)
    error = spread * np.sqrt(max(1.0, chains.autocorrelation) / made)
    assert (np.abs(draws.mean(axis=0) - mean) < 4 * error).all()
    assert (np.abs(draws.std(axis=0) - spread) < 4 * error).all()


def test_ctrl_c_within_the_posterior_passes_through_without_a_word(capfd):
    def interrupted(_points):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_posterior(interrupted, np.random.default_rng(1).standard_normal((100, 2)), 7)
    assert capfd.readouterr() == ("", "")
