"""Posterior draws as the uncertain set: whole rows, the same for the same seed; what is not fitted varies as before."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from school_mentoring.experiments.calibration.calibrate import write_calibrated
from school_mentoring.experiments.compare import compare
from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.folder.writing import new_study, provenance
from school_mentoring.experiments.notes import fixed_note
from school_mentoring.experiments.sensitivity.design import layout_of
from school_mentoring.experiments.sensitivity.indices import binned_first_order
from school_mentoring.experiments.sensitivity.study import SensitivityOptions, run_study
from school_mentoring.experiments.sweep.execution import open_sweep
from school_mentoring.experiments.sweep.plan import plan_sweep, read_plan
from school_mentoring.experiments.variables import parse_variable, sample, uncertain_variables
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import Scenario, load_scenario, parameter_rows, scenario_from
from tests.experiments.sweeps import small

CORRELATION = 0.9
FITTED = ("p", "d")


def draws(count: int = 640) -> pd.DataFrame:
    """Return draws of p and d that go together."""
    x = np.random.default_rng(1).multivariate_normal([0, 0], [[1, CORRELATION], [CORRELATION, 1]], count)
    return pd.DataFrame({"p": 0.004 * np.exp(0.2 * x[:, 0]), "d": 0.03 * np.exp(0.2 * x[:, 1])})


def calibrated(folder: Path, base: Scenario | None = None, drawn: pd.DataFrame | None = None) -> Scenario:
    return write_calibrated(folder / "calibrated.yaml", base or small(), draws() if drawn is None else drawn)


def rows_in(sets: pd.DataFrame, drawn: pd.DataFrame) -> list[int]:
    """Return the position among the draws of each set; a set that is no whole row of them has none."""
    place = {row: k for k, row in enumerate(drawn.itertuples(index=False, name=None))}
    return [place[row] for row in sets[list(drawn.columns)].itertuples(index=False, name=None)]


# ---------------------------------------------------------------------------------------------------------------- the file


def test_what_is_written_reads_back_as_the_scenario_with_its_draws(tmp_path):
    written = calibrated(tmp_path)
    loaded = load_scenario(tmp_path / "calibrated.yaml")
    assert loaded == written
    assert loaded.name == "mensi-pilot-only-calibrated"
    p = draws()["p"]
    assert loaded.parameters["p"].base == pytest.approx(p.median(), rel=1e-12)
    assert (loaded.parameters["p"].low, loaded.parameters["p"].high) == pytest.approx(tuple(p.quantile([0.025, 0.975])), rel=1e-12)
    assert loaded.parameters["q_in"] == small().parameters["q_in"]
    pd.testing.assert_frame_equal(pd.read_parquet(loaded.posterior), draws())


def test_a_calibrated_scenario_may_move_with_its_folder_and_be_extended(tmp_path):
    calibrated(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    child = tmp_path / "child.yaml"
    child.write_text("extends: there/calibrated.yaml\nparameters: {q_in: 0.1}\n", encoding="utf-8")
    assert load_scenario(child).posterior == str(tmp_path / "there" / "calibrated-draws.parquet")
    child.write_text("extends: there/calibrated.yaml\nposterior: null\n", encoding="utf-8")
    assert load_scenario(child).posterior is None


def test_calibrating_again_keeps_the_name_and_replaces_the_draws(tmp_path):
    again = calibrated(tmp_path / "again", calibrated(tmp_path), draws().rename(columns={"p": "beta"}))
    assert again.name == "mensi-pilot-only-calibrated"
    assert set(pd.read_parquet(again.posterior)) == {"beta", "d"}


def test_correlations_stated_for_fitted_parameters_give_way_to_the_draws(tmp_path):
    stated = [{"between": ["beta", "p"], "value": 0.3}, {"between": ["beta", "q_in"], "value": 0.5}]
    base = scenario_from({**small().model_dump(mode="json"), "correlations": stated}, "test")
    assert [one.between for one in calibrated(tmp_path, base).correlations] == [("beta", "q_in")]


def with_damaged_notes() -> bytes:
    """Return draws whose values are sound, while what pandas noted beside them is damaged."""
    file = io.BytesIO()
    table = pa.Table.from_pandas(draws())
    notes = table.schema.metadata[b"pandas"].replace(b"pandas_type", b"pandas_tipe")
    pq.write_table(table.replace_schema_metadata({b"pandas": notes}), file)
    return file.getvalue()


FAULTS = {
    "damaged notes": (with_damaged_notes(), "cannot be read as Parquet ('pandas_type')"),
    "no Parquet": (b"p,d\n1,2\n", "cannot be read as Parquet"),
    "no parameter": (pd.DataFrame({"pp": [0.1, 0.2]}), "the column 'pp' is no parameter; did you mean 'p'?"),
    "out of range": (pd.DataFrame({"p": [0.1, 1.2]}), "draw 2, p: found 1.2; allowed: 0 to 1"),
    "not a number": (pd.DataFrame({"p": [np.nan, 0.2]}), "draw 1, p: found nan; allowed: 0 to 1"),
    "half a school": (pd.DataFrame({"peer_degree": [4.0, 4.5]}), "draw 2, peer_degree: found 4.5; allowed: whole numbers from"),
    "words": (pd.DataFrame({"p": ["a", "b"]}), "the column 'p' is no single column of numbers"),
    "one draw": (pd.DataFrame({"p": [0.1]}), "holds 1 draws of 1 parameters; allowed: 2 to 1,000,000 draws"),
    "no column": (pd.DataFrame(index=range(5)), "draws of 0 parameters; allowed: 2 to 1,000,000 draws, 1 parameter or more"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_draws_that_no_scenario_may_have_are_refused_when_it_is_loaded(tmp_path, fault):
    content, says = FAULTS[fault]
    calibrated(tmp_path)
    path = tmp_path / "calibrated-draws.parquet"
    path.write_bytes(content) if isinstance(content, bytes) else content.to_parquet(path)
    with pytest.raises(InputError) as caught:
        load_scenario(tmp_path / "calibrated.yaml")
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_draws_that_are_not_there_are_missed_where_they_are_named(tmp_path):
    calibrated(tmp_path)
    (tmp_path / "calibrated-draws.parquet").unlink()
    with pytest.raises(InputError, match=r"calibrated.yaml, line [0-9]+, posterior: no such file: "):
        load_scenario(tmp_path / "calibrated.yaml")


def test_a_correlation_with_a_fitted_parameter_is_refused(tmp_path):
    calibrated(tmp_path)
    child = tmp_path / "child.yaml"
    child.write_text("extends: calibrated.yaml\ncorrelations: [{between: [q_in, p], value: 0.5}]\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"line 2, correlations\[0\]: p varies as the posterior draws have it, which hold its correlations"
    ):
        load_scenario(child)


# --------------------------------------------------------------------------------------------------------------- the sets


@pytest.mark.parametrize("sampling", ["sobol:64", "lhs:64"])
def test_fitted_parameters_are_whole_rows_spread_evenly_over_the_draws(tmp_path, sampling):
    """Of 640 draws each block of 10 is taken once by 64 points, as points of a sequence are stratified."""
    sets = plan_sweep(calibrated(tmp_path), (), sampling).sets
    assert sorted(row // 10 for row in rows_in(sets, draws())) == list(range(64))


def test_what_is_not_fitted_keeps_its_distribution(tmp_path):
    """A uniform parameter has a point in each of 64 equal parts of its range, with the posterior as without."""
    base = small("discount_rate=0.01:0.05", "ranges=independent")
    scenario = calibrated(tmp_path, base)
    for loaded in (scenario, base):
        given = loaded.parameters["discount_rate"]
        parts = (plan_sweep(loaded, (), "sobol:64").sets["discount_rate"] - given.low) / (given.high - given.low) * 64
        assert sorted(parts.astype(int)) == list(range(64))
    assert list(plan_sweep(scenario).sets) == list(plan_sweep(base).sets)


def test_the_same_seed_takes_the_same_rows_and_another_others(tmp_path):
    scenario = calibrated(tmp_path)
    one, same, other = (plan_sweep(load_scenario(tmp_path / "calibrated.yaml", seed=seed)).sets for seed in (1, 1, 2))
    assert one.equals(same)
    assert rows_in(one, draws()) != rows_in(other, draws())
    assert one.equals(plan_sweep(scenario).sets)


def test_a_fitted_parameter_varies_although_the_scenario_calls_it_certain_unless_its_range_is_empty(tmp_path):
    scenario = calibrated(tmp_path).model_copy(update={"uncertain": ("cost",)})
    names = {variable.name for variable in uncertain_variables(scenario)}
    assert set(FITTED) < names
    assert "q_in" not in names
    fixed = scenario.parameters["p"].model_copy(update={"low": 0.004, "base": 0.004, "high": 0.004})
    without = scenario.model_copy(update={"parameters": {**scenario.parameters, "p": fixed}})
    assert "p" not in {variable.name for variable in uncertain_variables(without)}


def test_a_set_value_goes_before_the_draws_and_is_said_to(tmp_path):
    calibrated(tmp_path)
    scenario = load_scenario(tmp_path / "calibrated.yaml", ["p=0.004"])
    drawn = [variable.name for variable in uncertain_variables(scenario) if variable.draws is not None]
    assert drawn == ["d"]
    assert parameter_rows(scenario)["p"].source == "stated by scenario mensi-pilot-only-calibrated"
    said = "Fixed in every run: p at 0.004 in place of its posterior draws. Its uncertainty is left out of all that is said."
    assert fixed_note(scenario) == [said]


def test_a_name_alone_varies_by_the_draws_and_with_a_range_by_that(tmp_path):
    scenario = calibrated(tmp_path)
    sets = plan_sweep(scenario, ["d", "p", "q_in"], "sobol:32").sets
    rows_in(sets, draws())
    stated = plan_sweep(scenario, ["p=0:0.5", "d"], "sobol:32").sets
    assert stated["p"].max() > 0.4
    assert set(stated["d"]) <= set(draws()["d"])
    assert parse_variable("p=0:0.5", scenario).draws is None


def test_a_grid_of_fitted_parameters_is_refused_and_a_way_out_named(tmp_path):
    with pytest.raises(
        InputError, match=r"a grid leaves the joint draws, in which p varies; allowed: sobol:N or lhs:N; or a range of your"
    ):
        plan_sweep(calibrated(tmp_path), ["p", "q_in"], "grid:3")


# ------------------------------------------------------------------------------------------------------------ sensitivity


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_methods_that_ask_for_independence_refuse_and_name_those_that_do_not(tmp_path, method):
    with pytest.raises(
        InputError, match=r"posterior draws hold p and others together; allowed: given, pawn, regional; or ranges of your own"
    ):
        run_study(calibrated(tmp_path), SensitivityOptions(method, vary=("p", "d")), tmp_path / "s")


def test_more_points_keep_the_sets_that_are_there(tmp_path):
    variables = uncertain_variables(calibrated(tmp_path))
    layout = layout_of("sample", variables, seed=3, start=64)
    assert layout.sets(128).iloc[:64].equals(layout.sets(64))
    rows_in(layout.sets(64), draws())


def test_first_order_index_of_a_parameter_that_only_goes_with_the_one_that_matters_is_their_squared_correlation(tmp_path):
    """Of y = ln p, normal as ln d is: Var(E[y | d]) / Var(y) = r**2; within 0.04, 4 standard errors of r**2 at 1,024 points."""
    drawn = np.log(draws(20_000))
    base = Variable("p", -9, -5, 0)
    variables = [
        replace(base, draws=drawn["p"].to_numpy()),
        replace(base, name="d", draws=drawn["d"].to_numpy()),
        replace(base, name="beta"),
    ]
    sets = layout_of("sample", variables, seed=2, start=1024).sets(1024)
    found = binned_first_order(sets[["p", "d", "beta"]].to_numpy(), sets[["p"]].to_numpy(), np.empty((0, 1024))).estimate[:, 0]
    expected = drawn.corr().to_numpy()[0, 1] ** 2
    assert found[0] > 0.98
    assert abs(found[1] - expected) < 0.04
    assert found[2] < 0.04


# -------------------------------------------------------------------------------------------------------------- in studies


def test_compare_is_uncertain_by_the_draws(tmp_path):
    found = compare(calibrated(tmp_path, small("draws=4", replicates=2)), threads=1)
    assert len(set(rows_in(found.sets, draws()))) == 4
    assert found.uncertain["parameter_set"].nunique() == 4


def test_a_study_keeps_a_copy_of_the_draws_by_which_it_is_found_again_when_they_are_gone(tmp_path):
    scenario = calibrated(tmp_path / "made")
    bytes_then = Path(scenario.posterior).read_bytes()
    with new_study(tmp_path / "study", provenance(scenario, "compare", {})) as study:
        study.table("summary.csv", pd.DataFrame({"a": [1]}))
    plan = plan_sweep(scenario, (), "sobol:4")
    open_sweep(tmp_path / "sweep", plan, resume=False)
    shutil.rmtree(tmp_path / "made")
    for folder in (tmp_path / "study", tmp_path / "sweep"):
        assert (folder / "inputs/calibrated-draws.parquet").read_bytes() == bytes_then
        info = json.loads((folder / "study.json").read_text(encoding="utf-8"))
        assert len(info["inputs"]["posterior"]) == 16
        again = scenario_from(info["scenario"], str(folder / "study.json"))
        assert sample("sobol:4", uncertain_variables(again), again.seed).equals(plan.sets)
    assert read_plan(tmp_path / "sweep").sets.equals(plan.sets)


def test_a_sweep_of_other_draws_is_not_resumed(tmp_path):
    plan = plan_sweep(calibrated(tmp_path), ["q_in"], "sobol:4")
    open_sweep(tmp_path / "sweep", plan, resume=False)
    other = plan_sweep(calibrated(tmp_path, drawn=draws() * 1.01), ["q_in"], "sobol:4")
    with pytest.raises(InputError, match="holds a sweep that differs in"):
        open_sweep(tmp_path / "sweep", other, resume=True)
