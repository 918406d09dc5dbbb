"""`run.py compare`: a table for people, one document for programs, a study folder that holds both and is the same bytes each time."""

import csv
import json
import math

import pandas as pd
import pytest

from school_mentoring.model.observe import OUTCOMES

from .program import QUICK, assert_intact, files, succeed, tree

DESIGNS = ["none", "regional_hub", "bottom_up"]
TABLES = [f"{name}.parquet" for name in ("results", "teams", "runs", "costs", "parameters", "schools", "peers", "contacts")]
SHEETS = [
    "summary.csv",
    "differences.csv",
    "pairs.csv",
    "cost_effectiveness.csv",
    "reach.csv",
    "discounting.csv",
    "ranking.csv",
    "structures.csv",
]
FIGURES = ["adoption", "teams", "costs", "gaps", "cost_effect", "durability", "network_regional_hub", "network_bottom_up"]


def summary_of(study) -> dict[tuple[str, str], float]:
    with (study / "summary.csv").open(encoding="utf-8", newline="") as file:
        return {(row["design"], row["outcome"]): float(row["mean"] or "nan") for row in csv.DictReader(file)}


def test_the_study_folder_holds_tables_sheets_figures_and_the_way_to_make_them_again(comparison):
    figures = [f"figures/{name}.{kind}" for name in FIGURES for kind in ("png", "svg")]
    assert tree(comparison.folder) == sorted([*TABLES, *SHEETS, "figures", *figures, "study.json", "ro-crate-metadata.json"])
    assert_intact(comparison.folder)


def test_nothing_is_written_outside_the_study_folder(comparison):
    assert [path.name for path in comparison.folder.parent.iterdir()] == ["study"]


def test_the_terminal_shows_a_line_for_each_design_that_fits_and_is_not_cut(comparison):
    lines = comparison.done.out.splitlines()
    for name in ("no programme", "regional hub", "bottom-up"):
        assert sum(line.lstrip().startswith(name) for line in lines) >= 1, name
    assert max(map(len, lines)) <= 100
    assert "…" not in comparison.done.out


def test_the_last_line_says_where_the_study_is(comparison):
    assert comparison.done.out.splitlines()[-1] == "Study written to study"


def test_json_is_one_document_on_standard_output_and_nothing_else(again):
    document = json.loads(again.done.out)  # raises where more than one document or anything else is there
    assert again.done.out.endswith("\n") and again.done.out.count("\n") == 1
    assert document["out"] == "study"
    assert list(document["designs"]) == DESIGNS


def test_json_and_the_sheet_state_the_same_means(again):
    # A sheet carries 10 significant digits.
    designs, sheet = json.loads(again.done.out)["designs"], summary_of(again.folder)
    assert {(design, outcome) for design in designs for outcome in designs[design]} == set(sheet)
    for (design, outcome), mean in sheet.items():
        stated = designs[design][outcome]["mean"]
        assert (math.nan if stated is None else stated) == pytest.approx(mean, rel=1e-9, abs=1e-12, nan_ok=True)


def test_the_sheet_holds_the_means_of_the_runs_at_base_parameters(comparison):
    runs = pd.read_parquet(comparison.folder / "runs.parquet")
    base = runs[runs["parameter_set"] == 0]
    assert base.groupby("design", observed=True).size().to_dict() == dict.fromkeys(DESIGNS, 3)
    sheet = summary_of(comparison.folder)
    for design in DESIGNS:
        for outcome in OUTCOMES:
            values = base.loc[base["design"] == design, outcome].tolist()
            mean = math.fsum(values) / len(values)
            if not math.isnan(mean):
                assert sheet[design, outcome] == pytest.approx(mean, rel=1e-9, abs=1e-9), (design, outcome)


def test_every_drawn_parameter_set_has_its_runs(comparison):
    runs = pd.read_parquet(comparison.folder / "runs.parquet")
    drawn = runs[runs["parameter_set"] > 0]
    assert sorted(drawn["parameter_set"].unique()) == [1, 2, 3]
    assert len(drawn) == 3 * 2 * len(DESIGNS)
    assert pd.read_parquet(comparison.folder / "parameters.parquet")["parameter_set"].tolist() == [1, 2, 3]


def test_the_monthly_table_and_the_runs_tell_the_same_end(comparison):
    monthly, runs = (pd.read_parquet(comparison.folder / name) for name in ("results.parquet", "runs.parquet"))
    last = monthly[(monthly["group"] == "all") & (monthly["month"] == 13)].groupby(["design", "replicate"], observed=True)["adopters"].sum()
    ends = runs[runs["parameter_set"] == 0].set_index(["design", "replicate"])["adopters_end"]
    for key, adopters in last.items():
        assert ends[key] == adopters


def test_the_costs_table_and_the_monthly_table_state_the_same_euros(comparison):
    # Both in whole cents, so to half a cent.
    costs, monthly = (pd.read_parquet(comparison.folder / name) for name in ("costs.parquet", "results.parquet"))
    keys = ["design", "replicate", "month"]
    every = monthly[monthly["group"] == "all"].groupby(keys, observed=True)[["cost_programme", "cost_schools"]].sum()
    paid = costs.pivot_table(index=keys, columns="payer", values="cost", aggfunc="sum", observed=True, fill_value=0.0)
    for payer in ("programme", "schools"):
        joined = every[f"cost_{payer}"].to_frame("monthly").join(paid[payer].rename("posted")).fillna(0.0)
        assert (joined["monthly"] - joined["posted"]).abs().max() < 0.005
        assert joined["posted"].sum() > 0.0


def test_the_folder_states_what_was_run(comparison):
    study = json.loads((comparison.folder / "study.json").read_text(encoding="utf-8"))
    assert study["command"] == "compare"
    assert study["options"]["engine"] == "compiled"
    assert (study["scenario"]["replicates"], study["scenario"]["months"], study["scenario"]["draws"]) == (3, 14, 3)
    assert list(study["scenario"]["designs"]) == DESIGNS
    assert study["seed"] == study["scenario"]["seed"]
    assert {"python", "numpy", "numba"} <= set(study["versions"])


def test_two_runs_on_one_and_on_two_threads_write_the_same_bytes(comparison, again):
    assert files(comparison.folder) == files(again.folder)


def test_both_engines_write_the_same_runs_byte_for_byte(comparison, tmp_path):
    succeed("compare", *QUICK, "--engine", "mesa", "--out", "study", cwd=tmp_path)
    compiled, mesa = files(comparison.folder), files(tmp_path / "study")
    assert mesa.pop("study.json") != compiled.pop("study.json")  # it names the engine
    assert mesa == compiled


def test_another_seed_gives_other_runs(comparison, tmp_path):
    succeed("compare", *QUICK, "--seed", "2", "--out", "study", cwd=tmp_path)
    assert files(tmp_path / "study")["runs.parquet"] != files(comparison.folder)["runs.parquet"]


def test_a_study_takes_the_place_of_an_earlier_one(comparison, tmp_path):
    for seed in ("2", "1"):
        succeed("compare", *QUICK, "--seed", seed, "--out", "study", cwd=tmp_path)
        assert_intact(tmp_path / "study")
        assert [path.name for path in tmp_path.iterdir()] == ["study"]
    seed = json.loads((comparison.folder / "study.json").read_text(encoding="utf-8"))["seed"]
    assert (files(tmp_path / "study") == files(comparison.folder)) == (seed == 1)


def test_without_out_the_study_stands_in_results(tmp_path):
    done = succeed("compare", *QUICK[:-1], "regional_hub", cwd=tmp_path)
    assert done.out.splitlines()[-1] == "Study written to results/mensi-pilot-compare"
    assert_intact(tmp_path / "results" / "mensi-pilot-compare")


ENVIRONMENTS = {
    "own": {},
    "C locale": {"LC_ALL": "C", "LANG": None},
    "no home": {"HOME": None},
    "no folder for what Matplotlib keeps": {"MPLCONFIGDIR": "/dev/null/none"},
}


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_spaces_and_accents_in_names_work_in_every_environment(comparison, tmp_path, environment):
    cwd = tmp_path / "Škola číslo 1"
    cwd.mkdir()
    done = succeed("compare", *QUICK, "--out", "étude finale", cwd=cwd, environment=environment)
    assert done.out.splitlines()[-1] == "Study written to étude finale"
    assert files(cwd / "étude finale") == files(comparison.folder)


@pytest.mark.filterwarnings("error::UserWarning")
def test_a_study_of_one_month_draws_no_warning_of_a_library(tmp_path):
    (tmp_path / "m1.yaml").write_text(
        "months: 1\nreplicates: 3\ndraws: 4\nworlds: 2\nprogramme: {first_month: 0, last_month: 6}\ndesigns: [none, regional_hub]\n"
        "world: {countries: [IT], regions_per_country: 2, schools_per_region: 8}\n",
        encoding="utf-8",
    )
    succeed("compare", "m1.yaml", cwd=tmp_path)
