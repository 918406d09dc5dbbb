"""Correlations that a scenario states: what is refused, and what the drawn sets then have."""

import numpy as np
import pytest
from scipy import stats

from school_mentoring.experiments.sensitivity.study import SensitivityOptions, run_study
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario


def scenario(tmp_path, correlations="[{between: [beta, q_in], value: 0.7}]"):
    path = tmp_path / "mine.yaml"
    path.write_text(f"extends: mensi-pilot-only\ncorrelations: {correlations}\n", encoding="utf-8")
    return load_scenario(str(path), [])


@pytest.mark.parametrize(
    ("correlations", "message"),
    [
        ("[{between: [beta, q_inn], value: 0.7}]", "correlations[0].between[1]: no parameter named 'q_inn'; did you mean 'q_in'?"),
        ("[{between: [beta, beta], value: 0.7}]", "correlations[0].between: 'beta' stands twice; allowed: two different parameters"),
        ("[{between: [beta, q_in], value: 2}]", "correlations[0].value: 2 is out of range; allowed: -0.99 to 0.99"),
        (
            "[{between: [beta, q_in], value: 0.1}, {between: [q_in, beta], value: 0.1}]",
            "correlations[1].between: q_in and beta are listed twice; allowed: each pair once",
        ),
        (
            "[{between: [beta, q_in], value: 0.9}, {between: [q_in, d], value: 0.9}, {between: [beta, d], value: -0.9}]",
            "correlations: no set of parameters has all these correlations together; "
            "allowed: values that go together, such as smaller ones",
        ),
    ],
)
def test_correlations_that_cannot_be_are_refused_where_they_stand(tmp_path, correlations, message):
    with pytest.raises(InputError) as error:
        scenario(tmp_path, correlations)
    assert str(error.value).endswith(message)


def test_drawn_sets_have_the_correlation_of_ranks_that_the_copula_gives(tmp_path):
    """Spearman's correlation of a Gaussian copula is 6 / pi arcsin(r / 2); within 3 standard errors, 1 / sqrt(n) each."""
    loaded = scenario(tmp_path)
    expected = 6.0 / np.pi * np.arcsin(0.7 / 2.0)
    for sampling in ("sobol:1024", "lhs:1024"):
        sets = plan_sweep(loaded, ["beta", "q_in", "d"], sampling).sets
        ranks = stats.spearmanr(sets).statistic
        assert abs(ranks[0, 1] - expected) < 3 / 32
        assert abs(ranks[0, 2]) < 3 / 32


def test_sets_are_as_before_where_nothing_is_correlated_with_what_varies(tmp_path):
    plain = plan_sweep(load_scenario("mensi-pilot-only", []), ["beta", "d"], "sobol:16").sets
    assert plan_sweep(scenario(tmp_path), ["beta", "d"], "sobol:16").sets.equals(plain)


def test_a_grid_refuses_correlations(tmp_path):
    with pytest.raises(InputError, match="a grid has no correlations"):
        plan_sweep(scenario(tmp_path), ["beta", "q_in"], "grid:3")


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_methods_that_ask_for_independence_refuse_and_name_others(tmp_path, method):
    with pytest.raises(InputError, match="correlations; allowed: pawn, given, regional"):
        run_study(scenario(tmp_path), SensitivityOptions(method, vary=("beta", "q_in")), tmp_path / "s")
