"""What effects and costs are broken down into adds up again: to the outcomes, to the monthly records, to the cent."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from school_mentoring import open_study
from school_mentoring.experiments.compare import compare
from school_mentoring.experiments.ensemble import run_ensemble, slices
from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.execution import carry_out, open_sweep
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.costs import PAYERS
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import SCHOOL_TYPES
from school_mentoring.scenarios import load_scenario

COUNTRIES = ["BE-VLG", "HR", "CZ", "HU", "IT", "PT"]
PLACES = [f"country:{code}" for code in COUNTRIES]


def small(*sets: str, months: int = 30, designs=("none", "regional_hub", "virtual"), replicates: int = 2):
    chosen = ["world.schools_per_region=6", "world.regions_per_country=1", *sets]
    return load_scenario("mensi-pilot", chosen, designs=list(designs), months=months, replicates=replicates)


@pytest.fixture(scope="module")
def ensemble():
    scenario = small()
    sets = [{"discount_rate": 0.03}, {"discount_rate": 0.0, "beta": 0.2}]
    return run_ensemble(scenario, sets, 2, worlds=Worlds(scenario), monthly=True, broken_down=True)


def total(runs: pd.DataFrame, start: str, ends) -> pd.Series:
    return sum(runs[f"{start}:{end}"] for end in ends)


def test_effects_add_up_over_school_types_and_over_countries(ensemble) -> None:
    # Relative 1e-12: the same floating-point amounts summed in another order.
    runs = ensemble.runs
    for groups in (SCHOOL_TYPES, PLACES):
        np.testing.assert_allclose(total(runs, "effect_adopter_years", groups), runs["effect_adopter_years"], rtol=1e-12)
        assert (total(runs, "teachers", groups) == ensemble.results.groups[:, 0, 0, :, 1].sum(axis=1)).all()


def test_costs_add_up_over_payers_and_countries_to_the_total(ensemble) -> None:
    runs = ensemble.runs
    for payer in (*PAYERS, "total", "society"):
        np.testing.assert_allclose(total(runs, f"cost_{payer}", PLACES), runs[f"cost_{payer}"], rtol=1e-12, atol=1e-9)
    for place in PLACES:
        np.testing.assert_allclose(sum(runs[f"cost_{payer}:{place}"] for payer in PAYERS), runs[f"cost_total:{place}"], rtol=1e-12)
        raised = 0.2 * runs[f"cost_programme:{place}"]  # of the public money that the programme spends
        np.testing.assert_allclose(runs[f"cost_total:{place}"] + raised, runs[f"cost_society:{place}"], rtol=1e-12)
    assert (runs.loc[runs["design"] == "virtual", "cost_total"] > 0).all()


def test_spending_adds_up_over_payers_years_and_countries_to_the_undiscounted_total_to_the_cent(ensemble) -> None:
    runs = ensemble.runs
    for payer in PAYERS:
        spent = total(runs, f"spent_{payer}", [f"{place}:{year}" for place in PLACES for year in (1, 2, 3)])
        cents = ensemble.results.costs[..., PAYERS.index(payer)].sum(axis=(1, 2, 3))
        assert (np.round(spent * 100).astype(int) == cents).all()
    flat = runs[runs["parameter_set"] == 1]
    spent = sum(flat[f"spent_{payer}:{place}:{year}"] for payer in PAYERS for place in PLACES for year in (1, 2, 3))
    assert (np.round(flat["cost_total"] * 100) == np.round(spent * 100)).all()


def test_without_discounting_adopter_years_are_the_plain_sum_of_months(ensemble) -> None:
    flat = ensemble.runs["parameter_set"].to_numpy() == 1
    months = ensemble.results.groups[flat, :, 0, :, 2].sum(axis=(1, 2))
    np.testing.assert_allclose(ensemble.runs.loc[flat, "effect_adopter_years"] * 12, months, rtol=1e-12)


def test_the_costs_table_adds_up_to_the_yearly_spending_of_each_country(ensemble) -> None:
    table = ensemble.costs()
    table = table.assign(year=table["month"] // 12 + 1)
    keys = ["design", "parameter_set", "replicate"]
    runs = ensemble.runs.set_index(keys)
    for (*run, country, year, payer), cost in table.groupby([*keys, "country", "year", "payer"], observed=True)["cost"].sum().items():
        assert runs.at[tuple(run), f"spent_{payer}:country:{country}:{year}"] == pytest.approx(cost, abs=0.001)


def test_memory_is_bounded_by_slices_and_the_result_does_not_depend_on_them(ensemble, monkeypatch) -> None:
    scenario = small()
    assert [part.stop - part.start for part in slices(3, scenario, 6)] == [3]
    monkeypatch.setattr("school_mentoring.experiments.ensemble.SLICE_BYTES", 100_000)
    assert len(list(slices(12, scenario, 6))) > 5
    sets = [{"discount_rate": 0.03}, {"discount_rate": 0.0, "beta": 0.2}]
    told = []
    again = run_ensemble(scenario, sets, 2, worlds=Worlds(scenario), broken_down=True, progress=lambda *done: told.append(done))
    pd.testing.assert_frame_equal(again.runs, ensemble.runs)
    assert told[-1] == (12, 12)
    assert len(again.results.groups) == 0


def test_a_sweep_records_the_same_breakdown_as_an_ensemble(ensemble, tmp_path) -> None:
    scenario = small()
    plan = plan_sweep(scenario, ["discount_rate=0:0.05"], "lhs:4", broken_down=True)
    plan = replace(plan, sets=pd.DataFrame({"discount_rate": [0.03]}))
    store = open_sweep(tmp_path / "study", plan, resume=False)
    carry_out(tmp_path / "study", plan, store)
    study = open_study(tmp_path / "study")
    swept = study.runs(broken_down=True).sort_values(["design", "replicate"]).reset_index(drop=True)
    same = ensemble.runs[ensemble.runs["parameter_set"] == 0].sort_values(["design", "replicate"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(swept[same.columns], same, check_dtype=False, check_categorical=False)
    assert Sweep(plan).plan.describe()["sweep"]["broken_down"] is True


def test_a_study_without_breakdown_says_how_to_get_one(tmp_path) -> None:
    plan = plan_sweep(small(designs=("none",), months=7), ["beta"], "lhs:1")
    carry_out(tmp_path / "study", plan, open_sweep(tmp_path / "study", plan, resume=False))
    with pytest.raises(InputError, match="--broken-down"):
        open_study(tmp_path / "study").runs(broken_down=True)


def test_a_comparison_breaks_down_its_runs_at_base_and_drawn_parameters() -> None:
    scenario = small(months=14).model_copy(update={"draws": 2})
    found = compare(scenario)
    for runs in (found.base.runs, found.uncertain):
        np.testing.assert_allclose(total(runs, "cost_total", PLACES), runs["cost_total"], rtol=1e-12, atol=1e-9)
