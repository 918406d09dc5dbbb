"""Draws from a posterior by ensembles of walkers (emcee; Goodman & Weare 2010), with R-hat and ESS, as ArviZ keeps them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from school_mentoring.experiments.progress import Stage
from school_mentoring.model.world.arrays import Floats

ENSEMBLES = 4  # independent of each other, so that R-hat compares what it should
KEPT = 1000  # draws kept of each ensemble
MOST_STEPS = 16_000
SETTLED = 50  # autocorrelation times that an ensemble runs for


@dataclass(frozen=True)
class Chains:
    """Draws (chains, draws, d) of independent ensembles. ``steps``: made by each walker; ``autocorrelation``: in steps, the longest one."""

    draws: Floats
    steps: int
    autocorrelation: float
    acceptance: float

    @property
    def flat(self) -> Floats:
        """All draws, one after the other, (chains x draws, d)."""
        return self.draws.reshape(-1, self.draws.shape[-1])


def sample_posterior(
    log_posterior: Callable[[Floats], Floats], starts: Floats, seed: int, *, ensembles: int = ENSEMBLES, most_steps: int = MOST_STEPS,
    stage: Stage = lambda *_: None,
) -> Chains:  # fmt: skip
    """Return draws of a log posterior of points (K, d), which ensembles walk from ``starts`` (N, d), where it is finite.

    Walkers move by stretches, differential evolution and snooker updates (ter Braak & Vrugt 2008). An ensemble runs until it is SETTLED
    autocorrelation times long, and forgets its first quarter.
    """
    import emcee

    d = starts.shape[1]
    walkers = max(32, 4 * d)
    rng = np.random.default_rng(seed)
    kept, times, accepted, made = [], [], [], 0
    for ensemble in range(ensembles):
        chosen = starts[rng.choice(len(starts), size=walkers, replace=len(starts) < walkers)] + 1e-6 * rng.standard_normal((walkers, d))
        moves = [(emcee.moves.StretchMove(), 0.4), (emcee.moves.DEMove(), 0.5), (emcee.moves.DESnookerMove(), 0.1)]
        sampler = emcee.EnsembleSampler(walkers, d, log_posterior, vectorize=True, moves=moves)
        sampler.log_prob_fn = log_posterior  # without emcee's wrapper, which prints a traceback where Ctrl-C meets it
        state = emcee.State(chosen, random_state=np.random.RandomState(int(rng.integers(2**31))).get_state())
        steps = 500
        while True:
            with np.errstate(divide="ignore"):  # of two walkers at the same point
                state = sampler.run_mcmc(state, steps, skip_initial_state_check=True)
            done = sampler.get_chain().shape[0]
            time = float(np.max(sampler.get_autocorr_time(discard=done // 4, tol=0)))
            stage("posterior", ensemble * most_steps + done, ensembles * most_steps)
            if not np.isfinite(time) or done >= SETTLED * time or done >= most_steps:
                break
            steps = min(most_steps - done, max(500, int(SETTLED * time) - done))
        chain = sampler.get_chain(discard=done // 4)
        flat = chain.reshape(-1, d)
        kept.append(flat[np.linspace(0, len(flat) - 1, KEPT).astype(int)])
        times.append(time)
        accepted.append(float(np.mean(sampler.acceptance_fraction)))
        made = max(made, done)
    finite = [time for time in times if np.isfinite(time)]
    return Chains(np.stack(kept), made, max(finite, default=float("nan")), float(np.mean(accepted)))
