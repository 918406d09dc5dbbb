"""Each country of a scenario has a salary factor of its own: one name from the scenario to the engines, drawn independently."""

import json

import numpy as np
import pandas as pd
import pytest

from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.notebook import mesa_model
from school_mentoring.experiments.notes import notes_on_draws
from school_mentoring.experiments.sensitivity.design import layout_of
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.experiments.variables import sample, uncertain_variables
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.mesa_model import run_batch_with_mesa
from school_mentoring.model.parameters import TABLE, country_of, parameter_table, parameters_in
from school_mentoring.model.world.countries import COUNTRIES, PILOT
from school_mentoring.scenarios import joint_draws, load_scenario, resolved, scenario_from
from tests.commands.program import program

SIX = [f"salary_{code}" for code in PILOT]
EIGHT = [*PILOT, "DE", "XX"]
OTHERS = """
extends: mensi-pilot
designs: [none, regional_hub]
world: {countries: [BE-VLG, HR, CZ, HU, IT, PT, DE, {code: XX}], regions_per_country: 1, schools_per_region: 3}
"""


def factors(names):
    return [name for name in names if country_of(name)]


@pytest.fixture
def eight(tmp_path):
    """Eight countries, of which two are none of the pilot's and one has no figures."""
    (tmp_path / "eight.yaml").write_text(OTHERS, encoding="utf-8")
    return load_scenario(tmp_path / "eight.yaml", months=20, replicates=1)


@pytest.fixture
def from_file(tmp_path):
    """Schools of a file, which tells other countries than the scenario."""
    (tmp_path / "schools.csv").write_text("school_id,country\na,RS\nb,DE\nc,RS\nd,IT\n", encoding="utf-8")
    return load_scenario("mensi-pilot-only", schools=tmp_path / "schools.csv", designs=["none", "regional_hub"])


def test_one_row_of_the_table_stands_for_all_countries():
    assert [name for name in TABLE if name.startswith("salary_") and name != "salary_level"] == ["salary_<country>"]
    rows = parameters_in(COUNTRIES)
    assert len(factors(rows)) == len(COUNTRIES)
    told = {name: rows[name].model_dump(exclude={"name", "meaning"}) for name in factors(rows)}
    assert all(row == TABLE["salary_<country>"].model_dump(exclude={"name", "meaning"}) for row in told.values())
    assert rows["salary_IT"].meaning == "Factor on the salaries of Italy"


def test_a_scenario_has_the_factors_of_its_own_countries_in_their_order(eight, from_file):
    assert factors(load_scenario("mensi-pilot").parameters) == SIX
    assert eight.country_codes == tuple(EIGHT)
    assert load_scenario("national").country_codes == tuple(c.code for c in load_scenario("national").world.countries)
    schools = Worlds(from_file).get(from_file.base_parameters(), 0)[1]
    assert from_file.country_codes == schools.country_codes == ("RS", "DE", "IT")


def test_factors_are_drawn_independently_of_each_other(eight):
    variables = uncertain_variables(load_scenario(eight, ["ranges=independent"]))
    drawn = sample("sobol:1024", variables, 1)[[f"salary_{code}" for code in EIGHT]]
    correlation = drawn.corr("spearman").to_numpy() - np.eye(8)
    assert np.abs(correlation).max() < 5 / np.sqrt(1024)  # five standard errors
    assert drawn.min().min() > 0.85 and drawn.max().max() < 1.15


def test_what_anchored_draws_do_not_hold_varies_by_itself_and_that_is_said(eight):
    assert factors(joint_draws(load_scenario("mensi-pilot"))) == SIX == factors(joint_draws(eight))
    own = {variable.name: variable.draws is None for variable in uncertain_variables(eight)}
    assert [name for name in factors(own) if own[name]] == ["salary_DE", "salary_XX"]
    sets = sample("sobol:64", uncertain_variables(eight), 1)
    assert sets["salary_DE"].nunique() == 64 and abs(np.corrcoef(sets["salary_DE"], sets["salary_XX"])[0, 1]) < 5 / 8
    pd.testing.assert_frame_equal(sets, sample("sobol:64", uncertain_variables(eight), 1))
    said = "Apart from these draws, as stated or over ranges and choices of their own: salary_DE, salary_XX."
    assert said in notes_on_draws(eight, uncertain_variables(eight), 64)
    pilot = load_scenario("mensi-pilot")
    assert not any(note.startswith("Apart from these draws") for note in notes_on_draws(pilot, uncertain_variables(pilot), 64))


def test_a_posterior_of_other_countries_gives_what_it_holds(eight, tmp_path):
    drawn = pd.DataFrame({name: np.linspace(0.9, 1.1, 8) for name in ("salary_IT", "salary_FR", "p")}) * [1.0, 1.0, 0.01]
    drawn.to_parquet(tmp_path / "draws.parquet")
    values = {**resolved(eight), "posterior": str(tmp_path / "draws.parquet")}
    assert list(joint_draws(scenario_from(values, "a scenario"))) == ["salary_IT", "p"]


@pytest.mark.parametrize("engine", ["compiled", "mesa"])
def test_a_country_s_factor_moves_its_own_costs_alone(eight, engine):
    worlds, sets = Worlds(eight), [{}, {"salary_DE": 2.0}, {"salary_XX": 0.5, "salary_BE-VLG": 3.0}]
    how = {"engine": run_batch_with_mesa} if engine == "mesa" else {}
    costs = run_ensemble(eight, sets, 1, worlds=worlds, monthly=True, **how).costs()
    learning = costs[(costs["design"] == "none") & (costs["category"] == "learning")]
    total = learning.pivot_table(index="country", columns="parameter_set", values="cost", aggfunc="sum", observed=True)
    factor = total.div(total[0], axis=0).loc[total[0] > 0]
    wanted = pd.DataFrame({0: 1.0, 1: 1.0, 2: 1.0}, index=factor.index)
    for code, which, value in (("DE", 1, 2.0), ("XX", 2, 0.5), ("BE-VLG", 2, 3.0)):
        wanted.loc[wanted.index == code, which] = value
    np.testing.assert_allclose(factor, wanted, rtol=1e-3)  # whole cents an hour
    assert {"DE", "XX", "BE-VLG"} <= set(factor.index)


def test_engines_agree_with_factors_of_each_set(eight):
    sets = sample("sobol:4", uncertain_variables(load_scenario(eight, ["ranges=independent"])), 1).to_dict("records")
    ours, theirs = (
        run_ensemble(eight, sets, 1, worlds=Worlds(eight), monthly=True, **how).results for how in ({}, {"engine": run_batch_with_mesa})
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_mesa_model_of_a_scenario_has_its_factors():
    plain, dear = (mesa_model("mensi-pilot-only", "none", sets, months=12) for sets in ((), ["salary_IT=2"]))
    ratio = dear.prices[:, 0] / plain.prices[:, 0]
    assert ratio.tolist() == [2.0 if code == "IT" else 1.0 for code in PILOT]


def test_columns_and_axes_have_the_name(eight, from_file):
    assert factors(plan_sweep(eight, ["salary_DE", "salary_XX"], "lhs:4").sets) == ["salary_DE", "salary_XX"]
    assert factors(plan_sweep(from_file, ["salary_RS=0.9:1.1"], "sobol:4").sets) == ["salary_RS"]
    layout = layout_of("sample", uncertain_variables(load_scenario(eight, ["ranges=independent"])), seed=1, start=64)
    assert factors(factor.name for factor in layout.factors) == [f"salary_{code}" for code in EIGHT]


def test_a_country_that_a_scenario_does_not_have_has_no_factor(from_file, eight):
    allowed = "allowed: " + ", ".join(SIX)
    with pytest.raises(InputError, match=r"--set salary_DE=1\.1: no country of the scenario has 'salary_DE'; " + allowed):
        load_scenario("mensi-pilot", ["salary_DE=1.1"])
    with pytest.raises(InputError, match="--vary salary_DE: no country of the scenario has 'salary_DE'; " + allowed):
        plan_sweep(load_scenario("mensi-pilot"), ["salary_DE"], "lhs:2")
    with pytest.raises(InputError, match="'salary_it' can be set; did you mean 'salary_IT'"):
        load_scenario("mensi-pilot", ["salary_it=1.1"])
    assert load_scenario(from_file, ["salary_RS=1.2"]).fixed_parameters() == {"salary_RS": 1.2}
    with pytest.raises(InputError, match="salary_PT"):
        load_scenario(from_file, ["salary_PT=1.2"])
    with pytest.raises(KeyError):
        parameter_table([{"salary_DE": 1.0}])


def test_countries_go_and_come_with_their_factors(from_file, eight):
    """A scenario at hand whose countries change has other factors; one that was stated cannot go unnoticed."""
    assert load_scenario(eight, schools=from_file.world.schools).country_codes == ("RS", "DE", "IT")
    stated = load_scenario(eight, ["salary_PT=1.1"])
    with pytest.raises(InputError, match="no country of the scenario has 'salary_PT'"):
        load_scenario(stated, schools=from_file.world.schools)


def test_a_study_is_read_without_its_schools(from_file):
    values = json.loads(json.dumps(resolved(from_file)))
    values["world"]["schools"] = "gone.csv"
    assert scenario_from(values, "study.json", files=False).parameters == from_file.parameters


def test_parameters_lists_the_row_or_the_scenario_s_own(eight, tmp_path):
    def listed(*words):
        rows = json.loads(program("parameters", *words, "--json", cwd=tmp_path).out)
        return [row["name"] for row in rows if row["name"].startswith("salary_")]

    assert listed() == ["salary_level", "salary_<country>"]
    assert listed("mensi-pilot") == ["salary_level", *SIX]
    assert listed("eight.yaml") == ["salary_level", *(f"salary_{code}" for code in EIGHT)]
