"""Anchored draws: what varies together in a study, what overrides them, and how they are found."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from school_mentoring.experiments.anchors.draws import DECIDING, DRAWN, FULL, SURE, WORLDS, Search, is_asked
from school_mentoring.experiments.anchors.search import find_draws
from school_mentoring.experiments.compare import drawn_sets
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.folder import writing
from school_mentoring.experiments.folder.rerun import again as again_from
from school_mentoring.experiments.notes import notes_on_draws
from school_mentoring.experiments.sensitivity.study import SensitivityOptions, notes_on_study, run_study
from school_mentoring.experiments.variables import NARROWED, sample, uncertain_variables
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import parameters_in, row_of
from school_mentoring.model.world.countries import PILOT
from school_mentoring.model.world.structure import Structure
from school_mentoring.scenarios import anchored, dump_yaml, joint_draws, load_scenario, template
from school_mentoring.scenarios.anchored import ANCHORED, METADATA, REMEDY, Anchored, model_now
from tests.commands.program import SMALL

ROW = row_of("p")
SMALL_SETS = [word for word in SMALL if word != "--set"]


def small(*sets):
    return load_scenario("mensi-pilot", [*SMALL_SETS, *sets], designs="regional_hub", months=14, replicates=2)


# --- those that are shipped ------------------------------------------------------------------------------------------


def test_the_shipped_draws_are_of_this_model_and_mostly_pass_again():
    draws, about = anchored()
    assert anchored().is_of_this_model, "run.py anchor --ship"
    assert len(draws) == about["accepted"] >= 1000
    assert about["again"]["passed"] >= 0.8 * about["again"]["held"]
    assert {name for name in draws if name not in DRAWN} == {name for name, row in parameters_in(PILOT).items() if row.low < row.high}


def test_a_shipped_draw_is_a_set_of_the_search_that_meets_every_anchor_it_is_asked():
    search, draws = Search(anchored().about["seed"]), anchored().draws
    first = next(number for number, row in search.sets(0, 1024).iterrows() if row["beta"] == draws["beta"][0])
    values = search.sets(first, first + 1).iloc[0].to_dict()
    assert all(draws[name][0] == values[name] for name in draws)
    found = search.hold(first, values)
    assert found["refused"] == ""
    structure = Structure()._replace(**{name.partition(".")[2]: values[name] for name in DRAWN})
    assert all(anchor.meets(found[anchor.key]) for anchor in DECIDING if is_asked(anchor, structure))


DAMAGED = {
    "truncated": (lambda path: path.write_bytes(ANCHORED.read_bytes()[:5000]), "cannot be read as anchored draws"),
    "gone": (lambda path: None, "cannot be read as anchored draws"),
    "another table": (lambda path: pd.DataFrame({"p": [0.1, 0.2]}).to_parquet(path), "cannot be read as anchored draws"),
    "a column less": (lambda table: table.drop_columns(["beta"]), "has no column 'beta'"),
    "a choice less": (lambda table: table.drop_columns(["world.network"]), "has no column 'world.network'"),
    "text": (lambda table: table.set_column(0, "p", [["x"] * len(table)]), "the column 'p' is no single column of numbers"),
    "another word": (
        lambda table: table.set_column(table.num_columns - 1, table.column_names[-1], [["x"] * len(table)]),
        "holds other than",
    ),
    "nan": (lambda table: table.set_column(0, "p", [[float("nan")] * len(table)]), "found nan"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_of_draws_is_refused_in_a_line_that_says_how_to_make_them_anew(case, tmp_path, monkeypatch):
    change, says = DAMAGED[case]
    path, table = tmp_path / "draws.parquet", pq.read_table(ANCHORED)
    if case in ("truncated", "gone", "another table"):
        change(path)
    else:
        about = {**anchored().about, "model": model_now()}
        pq.write_table(change(table).replace_schema_metadata({METADATA: json.dumps(about)}), path)
    with pytest.raises(InputError) as error:
        anchored(path)
    assert says in str(error.value) and error.value.allowed == REMEDY


# --- what varies by them, and what does not --------------------------------------------------------------------------


def test_sets_are_whole_rows_of_the_draws():
    sets, draws = drawn_sets(small("draws=16")), anchored().draws
    rows = {tuple(row) for row in draws[list(sets)].itertuples(index=False)}
    assert len(sets) == 16 and set(sets) == set(draws)
    assert all(tuple(row) in rows for row in sets.itertuples(index=False))


@pytest.mark.parametrize(
    ("setting", "gone"),
    [
        *(("p=0.001", "p"), ("p=0.0001:0.001", "p")),
        *(("world.contacts=share", "world.contacts"), ("world.network=nearest", "world.network")),
        *((f"p={ROW.low}:{ROW.high}", "p"), (f"world.mentored={Structure().mentored}", "world.mentored")),  # as they are by default
    ],
)
def test_what_a_scenario_states_goes_before_the_draws(setting, gone):
    scenario = small(setting)
    assert gone in anchored().draws and gone not in joint_draws(scenario)
    varied = {variable.name: variable for variable in uncertain_variables(scenario)}
    assert (gone in varied) is (":" in setting)
    assert ":" not in setting or varied[gone].draws is None
    said = " ".join(notes_on_draws(scenario, uncertain_variables(scenario), 8))
    assert f"{len(anchored().draws):,} draws that meet what has been measured" in said
    assert ("Fixed in every run: p at 0.001" if setting == "p=0.001" else gone) in said


def test_what_a_scenario_states_is_still_known_when_it_is_written_out_in_full_and_more_is_set(tmp_path):
    scenario = small("p=0.0008", "world.network=spatial_homophily")
    assert small().stated == () and scenario.stated == ("p", "world.network")
    (tmp_path / "full.yaml").write_text(dump_yaml(scenario), encoding="utf-8")
    for again in (scenario, tmp_path / "full.yaml"):
        assert load_scenario(again, "beta=0.06").stated == ("p", "beta", "world.network")
    (tmp_path / "new.yaml").write_text(template("new"), encoding="utf-8")
    assert load_scenario(tmp_path / "new.yaml").stated == ()


def test_independent_ranges_leave_each_parameter_to_its_own_and_the_structure_as_it_is():
    scenario = small("ranges=independent")
    variables = uncertain_variables(scenario)
    assert [variable.name for variable in variables] == list(scenario.uncertain_parameters())
    assert all(variable.draws is None for variable in variables)
    assert notes_on_draws(scenario, variables, 8) == []


def test_what_a_scenario_does_not_call_uncertain_stays_at_its_base():
    scenario = small().model_copy(update={"uncertain": ("cost",)})
    assert {row_of(variable.name).group for variable in uncertain_variables(scenario)} == {"cost"}
    assert all(variable.draws is not None for variable in uncertain_variables(scenario))
    structure = small().model_copy(update={"uncertain": ("structure",)})
    assert [variable.name for variable in uncertain_variables(structure)] == [name for name in anchored().draws if name in DRAWN]


def test_a_set_with_a_structure_gives_the_runs_of_a_scenario_built_so():
    words = {"world.network": "nearest", "world.contacts": "share", "world.mentored": "whole_staff", "world.online_hours": "fading"}
    larger = "world.schools_per_region=20", "programme.last_month=14"
    scenario = small(*larger)
    both = run_ensemble(scenario, [{"beta": 0.1}, {"beta": 0.1, **words}], 2, worlds=Worlds(scenario)).runs
    built = small(*larger, *(f"{name}={word}" for name, word in words.items()))
    alone = run_ensemble(built, [{"beta": 0.1}], 2, worlds=Worlds(built)).runs
    one, other = (both[both["parameter_set"] == number].drop(columns="parameter_set").reset_index(drop=True) for number in (0, 1))
    pd.testing.assert_frame_equal(other, alone.drop(columns="parameter_set"))
    assert (one["effect_adopter_years"] != other["effect_adopter_years"]).any()


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_methods_that_ask_for_independence_take_the_middle_of_the_draws(method, tmp_path):
    options = SensitivityOptions(method, vary=("beta", "gamma"), points=16, outputs=("effect_adopter_years",), max_runs=2000)
    run_study(small(), options, tmp_path / "s")
    sets = pd.read_parquet(tmp_path / "s" / "parameters.parquet")
    for name in ("beta", "gamma"):
        low, high = np.quantile(anchored().draws[name], NARROWED, method="nearest")
        assert low <= sets[name].min() < sets[name].max() <= high
    assert abs(sets[["beta", "gamma"]].corr("spearman").iloc[0, 1]) < 1.0


@pytest.mark.parametrize(
    ("method", "vary", "said"),
    [
        ("given", ("beta", "p=0.001:0.002", "world.network"), "beta varies, by 1,000 draws"),
        ("pawn", ("beta", "gamma"), "beta, gamma vary together, by 1,000 draws"),
        ("given", (), "Uncertain parameters and the structure vary together, by 1,000 draws"),
        ("morris", ("beta", "p=0.001:0.002", "world.network"), "beta varies over the middle 90 %"),
        ("sobol", (), "each uncertain parameter varies over the middle 90 %"),
        ("sobol", ("p=0.001:0.002",), ""),
        ("given", ("p=0.001:0.002",), ""),
    ],
)
def test_a_study_says_what_varies_by_draws_what_apart_from_them_and_where_they_are_of_another_model(method, vary, said, monkeypatch):
    monkeypatch.setattr(Anchored, "is_of_this_model", False)
    notes = " ".join(notes_on_study(small(), SensitivityOptions(method, vary=vary), 2048))
    assert said in notes and (said or not notes)
    assert ("own: p, world.network" in notes) is (len(vary) == 3)
    assert ("Notice: these draws were made with other rules" in notes) is (" draws" in notes)
    assert ("Notice: 2,048 parameter sets take some of these draws more than once" in notes) is ("1,000" in said)


@pytest.mark.parametrize("method", ["sobol", "morris"])
def test_where_only_the_structure_is_uncertain_methods_that_ask_for_ranges_say_what_is_allowed(method, tmp_path):
    scenario = small().model_copy(update={"uncertain": ("structure",)})
    with pytest.raises(InputError, match=f"--method {method}: asks for .* ranges, and only the structure is uncertain; allowed"):
        run_study(scenario, SensitivityOptions(method), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_more_draws_than_there_are_repeat_none_before_all_are_taken():
    variables = uncertain_variables(small())
    taken = sample(f"lhs:{len(anchored().draws)}", variables, 1)["beta"]
    assert sorted(taken) == sorted(anchored().draws["beta"])


# --- how they are found ----------------------------------------------------------------------------------------------


def test_a_number_is_the_same_set_whoever_asks():
    search = Search(3)
    assert search.sets(0, 200).loc[70:90].equals(Search(3).sets(70, 91))
    assert not search.sets(0, 4).equals(Search(4).sets(0, 4))
    values = search.sets(5, 6).iloc[0].to_dict()
    one, same = (pd.DataFrame([search.hold(5, values)]) for _ in range(2))
    pd.testing.assert_frame_equal(one, same)


@pytest.mark.parametrize("number", [0, 1, FULL, FULL + 1])
def test_no_set_is_accepted_that_the_reading_in_most_worlds_refuses(monkeypatch, number):
    asked = []

    def read(_, number, values, worlds, *, whole=False, again=False):
        asked.append((worlds, whole))
        return {"set": number, "refused": "growth" if worlds == SURE else ""}

    monkeypatch.setattr(Search, "_read", read)
    monkeypatch.setattr(Search, "_far_off", lambda *_: None)
    assert Search().hold(number, {})["refused"] == "growth"
    assert asked == [(worlds, number % FULL == 0) for worlds in (WORLDS, SURE)]


def test_draws_are_the_same_bytes_in_any_number_of_processes_and_after_a_kill(tmp_path):
    found = find_draws(tmp_path / "one", Search(4), 2, resume=False, threads=1)
    made = sorted(path.name for path in (tmp_path / "one" / "results").glob("part-*"))
    again = find_draws(tmp_path / "two", Search(4), 2, resume=False, threads=2)
    assert again.file() == found.file() == (tmp_path / "two" / "draws.parquet").read_bytes()
    for part in (tmp_path / "one" / "results").glob("part-00000000-*"):
        part.unlink()  # as if it had been killed over that chunk
    assert find_draws(tmp_path / "one", Search(4), 2, resume=True, threads=1).file() == found.file()
    assert sorted(path.name for path in (tmp_path / "one" / "results").glob("part-*")) == made
    with pytest.raises(InputError, match="holds this search already"):
        find_draws(tmp_path / "one", Search(4), 2, resume=False)
    with pytest.raises(InputError, match="differs in anchoring"):
        find_draws(tmp_path / "one", Search(4), 3, resume=True)
    with pytest.MonkeyPatch.context() as patch:  # as if these had been shipped, which changes what studies come to
        patch.setattr(writing, "result_fingerprint", lambda: "0" * 16)
        assert find_draws(tmp_path / "one", Search(4), 2, resume=True, threads=1).file() == found.file()
    assert again_from(tmp_path / "one", tmp_path / "again", tmp_path).words == [
        "anchor",
        "--draws=2",
        "--seed=4",
        f"--out={tmp_path}/again",
    ]
    assert found.about["tried"] == len(found.tried) and (found.tried["refused"] == "").sum() == 2
    assert sum(found.about["refused_first"].values()) == len(found.tried) - 2
