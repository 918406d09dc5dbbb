"""`run.py sweep … --broken-down`: its Parquet alone tells who paid what, where and when, and it adds up to the outcomes."""

import json

import numpy as np
import pandas as pd
import pytest

from school_mentoring.model.costs import PAYERS
from school_mentoring.model.observe import SCHOOL_TYPES

from .program import SMALL, program

SWEPT = ("--replicates", "2", "--months", "14", "--designs", "none,regional_hub", "--vary", "beta", "--sample", "sobol:2", "--chunk", "2")
COUNTRIES = ("BE-VLG", "HR", "CZ", "HU", "IT", "PT")


def parts(folder) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted((folder / "results").glob("part-*.parquet"))], ignore_index=True)


def total(runs: pd.DataFrame, name: str, groups) -> np.ndarray:
    return sum(runs[f"{name}:{group}"] for group in groups).to_numpy()


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Make the same sweep without discounting, broken down and plain."""
    cwd = tmp_path_factory.mktemp("broken-down")
    for name, asked in (("whole", ()), ("parts", ("--broken-down",))):
        done = program("sweep", *SMALL, "--set", "discount_rate=0", *SWEPT, *asked, "--out", name, cwd=cwd)
        assert done.code == 0, done
    return cwd


def test_it_says_so_in_the_study_and_keeps_a_row_per_run(swept):
    described = {name: json.loads((swept / name / "study.json").read_text(encoding="utf-8")) for name in ("whole", "parts")}
    assert described["parts"]["sweep"]["broken_down"] is True
    assert "broken_down" not in described["whole"]["sweep"]
    assert len(parts(swept / "parts")) == 2 * 2 * 2  # sets, designs, replicates


def test_what_it_records_besides_leaves_the_outcomes_as_they_are(swept):
    whole, broken = parts(swept / "whole"), parts(swept / "parts")
    pd.testing.assert_frame_equal(whole, broken[list(whole)])
    assert len(broken.columns) > len(whole.columns)


def test_effects_and_costs_add_up_to_the_outcomes(swept):
    runs = parts(swept / "parts")
    places = [f"country:{code}" for code in COUNTRIES]
    for groups in (SCHOOL_TYPES, places):
        np.testing.assert_allclose(total(runs, "effect_adopter_years", groups), runs["effect_adopter_years"], rtol=1e-12)
    for payer in (*PAYERS, "total"):
        np.testing.assert_allclose(total(runs, f"cost_{payer}", places), runs[f"cost_{payer}"], rtol=1e-12, atol=1e-9)
    hub = runs[runs["design"] == "regional_hub"]
    assert (hub["cost_total"] > 0).all()


def test_without_discounting_spending_by_payer_country_and_year_is_the_cost_to_the_cent(swept):
    runs = parts(swept / "parts")
    spent = {payer: total(runs, f"spent_{payer}", [f"country:{code}:{year}" for code in COUNTRIES for year in (1, 2)]) for payer in PAYERS}
    for payer in PAYERS:
        assert (np.round(100 * spent[payer]) == np.round(100 * runs[f"cost_{payer}"])).all()
    assert (np.round(100 * sum(spent.values())) == np.round(100 * runs["cost_total"])).all()


def test_it_is_not_resumed_as_a_sweep_of_another_kind(swept):
    done = program("sweep", *SMALL, "--set", "discount_rate=0", *SWEPT, "--out", "parts", "--resume", cwd=swept)
    assert (done.code, done.out) == (2, "")
    assert "holds a sweep that differs in sweep.broken_down" in done.err
