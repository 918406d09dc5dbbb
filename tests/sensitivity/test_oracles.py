"""Functions with analytic indices, through sampler, store, estimator and bootstrap."""

import numpy as np
import pytest

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.sensitivity import design as sensitivity_design
from school_mentoring.experiments.sensitivity.design import layout_of
from school_mentoring.experiments.sensitivity.estimates import _morris, _sobol
from school_mentoring.experiments.sensitivity.indices import binned_first_order, resample_counts
from school_mentoring.experiments.sensitivity.study import SensitivityOptions, run_study
from school_mentoring.experiments.sweep import chunks
from tests.experiments.sweeps import small

from .functions import (
    ISHIGAMI_S1,
    ISHIGAMI_ST,
    PI,
    UNIT,
    WIDE,
    ishigami,
    morris_function,
    ranges,
    sobol_g,
    sobol_g_indices,
    with_function,
)

OUTPUT = ("effect_adopter_years",)


def study(monkeypatch, folder, function, names, vary, method="sobol", *, replicates=1, noise=0.0, **options):
    """Return what a study finds of a function in the place of the engine, for the design none."""
    monkeypatch.setattr(chunks, "runner", with_function(function, names, noise=noise))
    asked = SensitivityOptions(method, OUTPUT, vary, local=False, **{"max_runs": 10**6, "ci": 10.0, **options})
    return run_study(small(replicates=replicates, designs=["none"]), asked, folder)


def values(found, index, names):
    rows = found.indices[(found.indices["index"] == index) & (found.indices["design"] == "none")].set_index("parameter")
    return rows.loc[list(names)]


def inside(rows, truth, slack=0.0):
    """Tell which truths lie in their intervals; ``slack`` is what points of a Sobol sequence leave where the interval is of width 0."""
    return (rows["low"].to_numpy() - slack <= truth) & (truth <= rows["high"].to_numpy() + slack)


def test_ishigami_lies_in_its_intervals(monkeypatch, tmp_path):
    found = study(monkeypatch, tmp_path / "s", ishigami, WIDE, ranges(WIDE[:3], -PI, PI), points=1024, second=True, resamples=1000)
    for index, truth in (("S1", ISHIGAMI_S1), ("ST", ISHIGAMI_ST)):
        rows = values(found, index, WIDE[:3])
        assert inside(rows, truth).all(), rows
        assert np.abs(rows["estimate"] - truth).max() < 0.05
    pairs = found.indices[(found.indices["index"] == "S2") & (found.indices["with_parameter"] == WIDE[2])].set_index("parameter")
    assert pairs.loc[WIDE[0], "low"] <= 0.243684 <= pairs.loc[WIDE[0], "high"]  # all of the interaction is that of x1 and x3
    assert pairs.loc[WIDE[1], "low"] <= 0.0 <= pairs.loc[WIDE[1], "high"]


def test_sobol_g_lies_in_its_intervals(monkeypatch, tmp_path):
    found = study(monkeypatch, tmp_path / "s", sobol_g, UNIT, ranges(UNIT[:8]), points=2048)
    for index, truth in zip(("S1", "ST"), sobol_g_indices(), strict=True):
        rows = values(found, index, UNIT[:8])
        assert inside(rows, truth, slack=1e-3).all(), rows


def test_morris_function_shows_what_matters_and_what_is_not_linear(monkeypatch, tmp_path):
    found = study(monkeypatch, tmp_path / "s", morris_function, UNIT, ranges(UNIT[:20]), "morris", points=32)
    mu, sigma = (values(found, index, UNIT[:20])["estimate"].to_numpy() for index in ("mu_star", "sigma"))
    assert mu[:10].min() > 3 * mu[10:].max()
    np.testing.assert_allclose(mu[7:10], 40.0, atol=6.0)  # w is 2 x - 1, so a slope of 20 is an effect of 40, but for drawn interactions
    assert (sigma[7:10] < 0.3 * mu[7:10]).all()
    assert (sigma[:6] > 0.5 * mu[:6]).all()


def test_morris_effects_of_a_product_lie_in_their_intervals(monkeypatch, tmp_path):
    found = study(
        monkeypatch,
        tmp_path / "s",
        lambda x: 3 * x[:, 0] - 2 * x[:, 1] + 4 * x[:, 1] * x[:, 2],
        UNIT,
        ranges(UNIT[:4]),
        "morris",
        points=128,
    )
    # On the grid 0, 1/3, 2/3, 1 the effects are 3; -2 + 4 x3: mean 0, of which |.| has the mean 4/3; 4 x2: mean 2; none.
    rows = values(found, "mu_star", UNIT[:4])
    assert inside(rows, np.array([3.0, 4.0 / 3.0, 2.0, 0.0]), slack=1e-9).all(), rows
    assert inside(values(found, "mu", UNIT[:4]), np.array([3.0, 0.0, 2.0, 0.0]), slack=1e-9).all()
    assert list(rows["distinguishable"]) == [True, True, True, False]


def test_a_dummy_and_an_unused_parameter_do_not_matter(monkeypatch, tmp_path):
    found = study(monkeypatch, tmp_path / "s", lambda x: x[:, 0] + x[:, 1], UNIT, ranges(UNIT[:3]), points=128)
    rows = found.indices[found.indices["parameter"].isin([UNIT[2], "dummy"])]
    assert (rows["estimate"] == 0.0).all()
    assert not rows["distinguishable"].any()


def test_two_parameters_that_act_as_a_product_only_are_an_interaction(monkeypatch, tmp_path):
    found = study(
        monkeypatch,
        tmp_path / "s",
        lambda x: (x[:, 0] - 0.5) * (x[:, 1] - 0.5) + 0.01 * x[:, 2],
        UNIT,
        ranges(UNIT[:3]),
        points=1024,
        second=True,
    )
    first, total = (values(found, index, UNIT[:2]) for index in ("S1", "ST"))
    assert not first["distinguishable"].any()
    assert (first["estimate"].abs() < 3 * 0.028).all()  # 3 standard errors, measured over 100 scramblings
    assert (total["low"] > 0.8).all()
    pair = found.indices[
        (found.indices["index"] == "S2") & (found.indices["parameter"] == UNIT[0]) & (found.indices["with_parameter"] == UNIT[1])
    ]
    assert pair["low"].iloc[0] > 0.7


def test_independent_noise_raises_total_indices_by_its_share_and_the_dummy_shows_it(monkeypatch, tmp_path):
    """An output x1 + noise of 3 times its standard deviation over 4 replicates: share of chance 9/4 / (1 + 9/4)."""
    sd = np.sqrt(1.0 / 12.0)
    found = study(
        monkeypatch,
        tmp_path / "s",
        lambda x: x[:, 0],
        UNIT,
        ranges(UNIT[:2]),
        points=1024,
        replicates=4,
        noise=3 * sd,
        random="independent",
    )
    share = (9 / 4) / (1 + 9 / 4)
    output = found.outputs.set_index("design").loc["none"]
    assert output["noise_share"] == pytest.approx(share, abs=0.03)
    assert output["replicates_needed"] == pytest.approx(9 * 19, rel=0.15)  # s^2 / R at most 1/20 of the whole: R = 19 s^2 / V
    rows = values(found, "ST", [*UNIT[:2], "dummy"])
    assert inside(rows, np.array([1.0, share, share]), slack=0.02).all(), rows
    assert list(rows["distinguishable"]) == [True, False, False]


def test_common_random_numbers_cancel_noise_that_all_sets_share(monkeypatch, tmp_path):
    found = study(monkeypatch, tmp_path / "s", lambda x: x[:, 0], UNIT, ranges(UNIT[:2]), points=64, replicates=4, noise=3.0)
    assert found.outputs["noise_share"].max() < 1e-12
    assert values(found, "ST", ["dummy"])["estimate"].abs().max() < 1e-20


VARIABLES = [Variable(name, -PI, 0.0, PI, "uniform") for name in WIDE[:3]]
REPETITIONS = 200
THREE_ERRORS = 3 * np.sqrt(0.95 * 0.05 / REPETITIONS)


def coverage(points=256):
    """Return how often intervals of 95 % hold the indices of Ishigami, first and total, over independent studies."""
    hits = np.zeros((2, 3))
    for seed in range(REPETITIONS):
        layout = layout_of("sobol", VARIABLES, groups="without", seed=1000 + seed, start=points)
        y = ishigami(layout.sets(points).to_numpy()).reshape(points, layout.step, 1)
        found = _sobol(layout, points, y, [], 300, 0.95)
        for row, (index, truth) in enumerate((("S1", ISHIGAMI_S1), ("ST", ISHIGAMI_ST))):
            low, high = found[index][2].interval(0.95)
            hits[row] += (low[:3, 0] <= truth) & (truth <= high[:3, 0])
    return hits / REPETITIONS


@pytest.mark.parametrize("drawn", ["in scrambled Sobol sequences", "independently"])
def test_intervals_cover_the_truth_as_often_as_they_claim(monkeypatch, drawn):
    """Within 3 binomial standard errors of 95 %, neither less often nor more."""
    if drawn == "independently":
        monkeypatch.setattr(sensitivity_design, "sobol_points", lambda d, n, seed: np.random.default_rng([*seed, 9]).random((n, d)))
    assert np.abs(coverage() - 0.95).max() <= THREE_ERRORS


def test_intervals_of_morris_effects_cover_the_truth():
    """Of 16 trajectories of a product, within 3 standard errors or more often: batches that spread evenly vary less than drawn ones."""
    variables = [Variable(name, 0.0, 0.0, 1.0, "uniform") for name in UNIT[:4]]
    hits = np.zeros(4)
    for seed in range(REPETITIONS):
        layout = layout_of("morris", variables, groups="without", seed=seed, start=16)
        x = layout.unit_points(16)
        y = (3 * x[:, 0] - 2 * x[:, 1] + 4 * x[:, 1] * x[:, 2]).reshape(16, layout.step, 1)
        low, high = _morris(layout, 16, y, 300, 0.95)["mu_star"][2].interval(0.95)
        truth = np.array([3.0, 4.0 / 3.0, 2.0, 0.0])
        hits += (low[:4, 0] - 1e-9 <= truth) & (truth <= high[:4, 0] + 1e-9)
    assert (hits / REPETITIONS >= 0.95 - THREE_ERRORS).all(), hits / REPETITIONS


def test_intervals_of_binned_indices_cover_the_truth():
    """Within 3 standard errors or more often; a wave of two periods in the range is not lost in its bins."""
    hits = np.zeros(3)
    for seed in range(REPETITIONS):
        x = layout_of("sample", VARIABLES, seed=seed, start=1024).sets(1024).to_numpy()
        low, high = binned_first_order(x, ishigami(x)[:, None], resample_counts(1024, 200, seed)).interval(0.95)
        hits += (low[:3, 0] <= ISHIGAMI_S1) & (high[:3, 0] >= ISHIGAMI_S1)
    assert (hits / REPETITIONS >= 0.95 - THREE_ERRORS).all(), hits / REPETITIONS
