"""A posterior as an ArviZ InferenceData, which the ecosystem's plots and diagnostics read."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Floats

from .emulator import ParameterBox, cross_inverse

MOST_VALUES = 20_000_000  # of a group by draw and answer; beyond, fewer draws have one
FLOOR = 1e-3  # least chance of an answer that some hundred runs can tell, over its highest


@contextmanager
def quiet_arviz() -> Iterator[Any]:
    """Give ArviZ, which carries no types, without what it warns of the next major version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

        yield arviz


class FittedAnswers(NamedTuple):
    """The answers that were fitted to, in C cells, and predictions of them.

    ``seen``: shares, (C,). ``school``, ``month``: of each. ``at``: P joint draws at which runs were made, (P, d), each with ``predicted``
    answers, (P, C), and the ``chance`` that it gave to those seen, (P, C).
    """

    seen: Floats
    school: NDArray[Any]
    month: NDArray[np.int64]
    at: Floats
    predicted: Floats
    chance: Floats


def log_likelihoods(answers: FittedAnswers, draws: Floats) -> Floats:
    """Return the log chance of each answer at draws (K, d), (K, C), whatever a single run made of a school.

    A run's chances are of its own course; over courses they follow the parameters, in so narrow a region as a posterior in a straight line.
    Slopes are shrunk by what chance alone would make of them (James & Stein 1961).
    """
    box = ParameterBox.around(np.concatenate([answers.at, draws]))
    known, asked = box.basis(answers.at, 1), box.basis(draws, 1)
    centre, mean = known[:, 1:].mean(axis=0), answers.chance.mean(axis=0)
    known, asked = known[:, 1:] - centre, asked[:, 1:] - centre
    slope = cross_inverse(known) @ (known.T @ (answers.chance - mean))
    told, left = ((known @ slope) ** 2).sum(axis=0), ((answers.chance - mean - known @ slope) ** 2).sum(axis=0)
    by_chance = known.shape[1] * left / max(1, len(known) - known.shape[1] - 1)
    chance = mean + asked @ (slope * np.clip(1.0 - by_chance / np.maximum(told, 1e-300), 0.0, 1.0))
    most = answers.chance.max(axis=0)
    most = np.where(most > 0.0, most, FLOOR)
    return np.log(np.clip(chance, np.maximum(FLOOR * most, answers.chance.min(axis=0)), most))


def write_netcdf(path: Path, chains: dict[str, Floats], prior_draws: pd.DataFrame, answers: FittedAnswers) -> None:
    """Write posterior (chains, draws) by parameter and prior, and by answer its log likelihood, its predictions, and what was seen."""
    posterior = np.stack([*chains.values()], axis=-1)
    count, kept, cells = posterior.shape[0], posterior.shape[1], len(answers.seen)
    step = max(1, -(-count * kept * cells // MOST_VALUES))
    chance = log_likelihoods(answers, posterior[:, ::step].reshape(-1, posterior.shape[2])).reshape(count, -1, cells)
    made = answers.predicted[: len(answers.predicted) // count * count].reshape(count, -1, cells)
    with quiet_arviz() as arviz:
        data = arviz.from_dict(
            posterior=chains, prior={name: prior_draws[name].to_numpy()[None] for name in chains},
            log_likelihood={"share": chance.astype(np.float32)}, posterior_predictive={"share": made.astype(np.float32)},
            observed_data={"share": answers.seen}, dims={"share": ["answer"]}, coords={"answer": np.arange(cells)},
        )  # fmt: skip
    for group in data.groups():
        one = getattr(data, group)
        one.attrs.pop("created_at", None)  # the same study gives the same bytes
        if "answer" in one.dims:
            named = {"school": ("answer", answers.school.astype(str)), "month": ("answer", answers.month)}
            one = one.assign_coords(named)
        if group == "log_likelihood":
            one = one.assign_coords(draw=np.arange(kept)[::step])
        setattr(data, group, one)
    data.to_netcdf(str(path), engine="h5netcdf")
