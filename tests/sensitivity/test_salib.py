"""The project's indices are SALib's, to 1e-9 on the same samples, for many outputs at once."""

import numpy as np
import pytest
from SALib.analyze import morris as salib_morris
from SALib.analyze import pawn as salib_pawn
from SALib.analyze import sobol as salib_sobol
from SALib.analyze.delta import sobol_first
from SALib.sample import sobol as salib_sample

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.sensitivity.design import LEVELS, SCRAMBLINGS, layout_of
from school_mentoring.experiments.sensitivity.estimates import _morris
from school_mentoring.experiments.sensitivity.indices import (
    _bins,
    binned_first_order,
    counts_of,
    elementary_effects,
    morris_indices,
    pawn,
    pooled_indices,
    second_order_indices,
    sobol_indices,
)

from .functions import ishigami, sobol_g

POINTS = 64
VARIABLES = [Variable(name, 0.0, 0.5, 1.0, "uniform") for name in ("p", "d", "km_rate", "beta", "cover_share")]
NAMES = [*(variable.name for variable in VARIABLES), "dummy"]
EXACT = {"rtol": 0.0, "atol": 1e-9}


def problem(**more):
    return {"num_vars": len(NAMES), "names": NAMES, "bounds": [[0.0, 1.0]] * len(NAMES), **more}


def outputs(x):
    """Return four outputs of a sample: bent, multiplied, of large mean, with ties."""
    padded = np.column_stack([x, x[:, :2]])
    return np.column_stack(
        [ishigami(6.28 * x - 3.14), sobol_g(padded), 1e4 + 100 * x[:, 0] - 30 * x[:, 4], np.round(5 * x[:, 1] * x[:, 2])]
    )


def salib_sets(second=False, **more):
    """Return SALib's own sample: its points of eight scramblings, taken in turn."""
    count = POINTS // SCRAMBLINGS
    seeds = [np.random.default_rng([3, number]) for number in range(SCRAMBLINGS)]
    parts = [salib_sample.sample(problem(**more), count, calc_second_order=second, seed=seed) for seed in seeds]
    return np.stack([part.reshape(count, -1, len(NAMES)) for part in parts], axis=1).reshape(-1, len(NAMES))


@pytest.mark.parametrize("second", [False, True])
def test_sobol_indices_and_their_resamples_are_those_of_salib(second):
    layout = layout_of("sobol", VARIABLES, groups="without", second=second, seed=3, start=POINTS)
    x = layout.sets(POINTS).to_numpy()
    np.testing.assert_allclose(x, salib_sets(second), atol=1e-11)
    y = outputs(x)
    drawn = np.random.default_rng(11).integers(POINTS, size=(POINTS, 40))  # as SALib draws with seed 11
    first, total = sobol_indices(y.reshape(POINTS, layout.step, -1), len(NAMES), counts_of(drawn.T))
    for k in range(y.shape[1]):
        theirs = salib_sobol.analyze(problem(), y[:, k], calc_second_order=second, num_resamples=40, keep_resamples=True, seed=11)
        for ours, name in ((first, "S1"), (total, "ST")):
            np.testing.assert_allclose(ours.estimate[:, k], theirs[name], **EXACT)
            np.testing.assert_allclose(ours.resampled[:, :, k], theirs[f"{name}_conf_all"], **EXACT)
        if second:
            pairs = second_order_indices(y.reshape(POINTS, layout.step, -1), len(NAMES), layout.singles, counts_of(drawn.T))
            np.testing.assert_allclose(pairs.estimate[:, k], theirs["S2"][np.triu_indices(len(NAMES), 1)], **EXACT)
            spread = pairs.resampled[:, :, k].std(axis=0, ddof=1) * 1.959963984540054
            np.testing.assert_allclose(spread, theirs["S2_conf"][np.triu_indices(len(NAMES), 1)], **EXACT)


def test_indices_of_groups_are_those_of_salib():
    layout = layout_of("sobol", VARIABLES, groups="only", seed=3, start=POINTS)
    x = layout.sets(POINTS).to_numpy()
    groups = ["behaviour", "behaviour", "cost", "behaviour", "cost", "dummy"]
    np.testing.assert_allclose(x, salib_sets(groups=groups), atol=1e-11)
    y = outputs(x)
    first, total = sobol_indices(y.reshape(POINTS, layout.step, -1), 3, np.empty((0, POINTS)))
    for k in range(y.shape[1]):
        theirs = salib_sobol.analyze(problem(groups=groups), y[:, k], calc_second_order=False, seed=1)
        np.testing.assert_allclose(first.estimate[:, k], theirs["S1"], **EXACT)
        np.testing.assert_allclose(total.estimate[:, k], theirs["ST"], **EXACT)


def test_indices_of_groups_beside_parameters_share_the_base_sample():
    layout = layout_of("sobol", VARIABLES, groups="with", seed=3, start=POINTS)
    assert [factor.name for factor in layout.factors] == [*NAMES[:-1], "behaviour", "cost", "dummy"]
    x = layout.sets(POINTS).to_numpy().reshape(POINTS, layout.step, -1)
    a, cost, b = x[:, 0], x[:, 1 + 6], x[:, -1]
    np.testing.assert_array_equal(cost[:, [2, 4]], b[:, [2, 4]])
    np.testing.assert_array_equal(cost[:, [0, 1, 3, 5]], a[:, [0, 1, 3, 5]])


def test_morris_measures_are_those_of_salib():
    layout = layout_of("morris", VARIABLES, groups="without", seed=3, start=16)
    x = layout.unit_points(16)
    y = outputs(x)
    effects = elementary_effects(
        x.reshape(16, layout.step, -1), y.reshape(16, layout.step, -1), list(range(len(NAMES))), LEVELS / (2 * (LEVELS - 1))
    )
    measures = dict(zip(("mu", "mu_star", "sigma"), morris_indices(effects, np.empty((0, 16))), strict=True))
    for k in range(y.shape[1]):
        theirs = salib_morris.analyze(problem(), x, y[:, k], num_levels=LEVELS, seed=1)
        for name, ours in measures.items():
            np.testing.assert_allclose(ours.estimate[:, k], np.asarray(theirs[name], float), **EXACT, err_msg=name)


def test_the_screening_of_groups_is_that_of_salib():
    layout = layout_of("morris", VARIABLES, groups="only", seed=3, start=16)
    x = layout.unit_points(16)
    y = outputs(x)[:, :3]
    groups = ["behaviour", "behaviour", "cost", "behaviour", "cost", "dummy"]
    found = _morris(layout, 16, y.reshape(16, layout.step, -1), 10, 0.95)
    assert list(found) == ["mu_star"]
    for k in range(y.shape[1]):
        theirs = salib_morris.analyze(problem(groups=groups), x, y[:, k], num_levels=LEVELS, seed=1)
        np.testing.assert_allclose(found["mu_star"][2].estimate[:, k], np.asarray(theirs["mu_star"], float), **EXACT)


def test_groups_are_screened_beside_parameters_by_trajectories_of_their_own():
    layout = layout_of("morris", VARIABLES, groups="with", seed=3, start=16)
    parts = np.split(layout.unit_points(16).reshape(16, layout.step, -1), [7], axis=1)
    for number, (part, groups) in enumerate(zip(parts, ("without", "only"), strict=True)):
        alone = layout_of("morris", VARIABLES, groups=groups, seed=3, start=16)
        changed = np.diff(part, axis=1) != 0
        assert (changed.sum(axis=1)[:, : len(VARIABLES)] == 1).all(), "each moves once"
        if number == 0:
            np.testing.assert_array_equal(part.reshape(-1, len(NAMES)), alone.unit_points(16))
        else:
            assert part.shape[1] == alone.step - 1  # the dummy is moved by the others
            assert (changed[:, :, 0] == changed[:, :, 1]).all()


def test_indices_of_outputs_as_one_are_their_parts_of_the_variance_over_its_sum():
    layout = layout_of("sobol", VARIABLES, groups="without", seed=3, start=POINTS)
    y = outputs(layout.sets(POINTS).to_numpy())[:, :2].reshape(POINTS, layout.step, -1)
    counts = counts_of(np.random.default_rng(11).integers(POINTS, size=(20, POINTS)))
    alone, pooled = sobol_indices(y, len(NAMES), counts), pooled_indices(y, len(NAMES), counts)
    ends = np.concatenate([y[:, 0], y[:, -1]])
    weight = ends.var(axis=0) / ends.var(axis=0).sum()
    for one, whole in zip(alone, pooled, strict=True):
        np.testing.assert_allclose(whole.estimate[:, 0], one.estimate @ weight, **EXACT)
    twice = pooled_indices(y[:, :, [0, 0]], len(NAMES), counts)
    for one, whole in zip(alone, twice, strict=True):
        np.testing.assert_allclose(whole.resampled[:, :, 0], one.resampled[:, :, 0], **EXACT)


def test_pawn_and_binned_indices_are_those_of_salib():
    x = layout_of("sample", VARIABLES, seed=3, start=256).unit_points(256)
    y = outputs(x)
    ours, binned = pawn(x, y, np.empty((0, 256))), binned_first_order(x, y, np.empty((0, 256)), adjusted=False)
    for k in range(y.shape[1]):
        np.testing.assert_allclose(ours.estimate[:, k], salib_pawn.analyze(problem(), x, y[:, k], S=10)["median"], **EXACT)
        theirs = [sobol_first(y[:, k], x[:, j], np.linspace(0, 256, _bins(256) + 1)) for j in range(len(NAMES))]
        np.testing.assert_allclose(binned.estimate[:, k], theirs, **EXACT)
