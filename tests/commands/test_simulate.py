"""`run.py simulate`: one design month by month, and on request school by school."""

import json

import pandas as pd
import pytest

from .program import QUICK, assert_intact, files, succeed, tree

TABLES = [
    "results.parquet",
    "teams.parquet",
    "runs.parquet",
    "costs.parquet",
    "schools.parquet",
    "contacts.parquet",
    "peers.parquet",
    "summary.csv",
]
FIGURES = [f"figures/{name}.{kind}" for name in ("adoption", "teams") for kind in ("png", "svg")]


def test_the_study_folder_holds_tables_figures_and_the_way_to_make_them_again(simulation):
    assert tree(simulation.folder) == sorted([*TABLES, "figures", *FIGURES, "study.json", "ro-crate-metadata.json"])
    assert_intact(simulation.folder)
    study = json.loads((simulation.folder / "study.json").read_text(encoding="utf-8"))
    assert (study["command"], study["options"]["per_school"]) == ("simulate", True)


def test_the_terminal_shows_a_line_per_year_and_the_last_month(simulation):
    lines = [line.split() for line in simulation.done.out.splitlines()]
    assert [words[0] for words in lines if words and words[0].isdigit()] == ["0", "12", "13"]
    assert simulation.done.out.splitlines()[-1] == "Study written to study"
    assert "…" not in simulation.done.out


def test_schools_add_up_to_the_monthly_table(simulation):
    schools, monthly = (pd.read_parquet(simulation.folder / name) for name in ("schools.parquet", "results.parquet"))
    assert len(schools) == 3 * 14 * 24
    keys = ["replicate", "month"]
    every = monthly[monthly["group"] == "all"].set_index(keys)
    summed = schools.groupby(keys)[["teachers", "adopters"]].sum()
    assert (summed["adopters"] == every["adopters"]).all()
    assert (summed["teachers"] == every["teachers"]).all()
    mentees = (schools["role"] == "mentee").groupby([schools[key] for key in keys]).sum()
    assert (mentees == every["active_ties"]).all()
    assert mentees.max() > 0


def test_teams_their_colleagues_and_others_add_up_to_all_teachers_and_teams_to_the_schools(simulation):
    teams, schools, monthly = (pd.read_parquet(simulation.folder / f"{name}.parquet") for name in ("teams", "schools", "results"))
    keys = ["replicate", "month"]
    every = monthly[monthly["group"] == "all"].set_index(keys)[["teachers", "adopters"]]
    pd.testing.assert_frame_equal(teams.groupby(keys)[["teachers", "adopters"]].sum(), every)
    users = teams[teams["group"] == "team"].set_index(keys)["adopters"]
    assert (schools.groupby(keys)["team_adopters"].sum() == users).all() and users.max() > 0
    mentees = schools[schools["role"] == "mentee"]
    both = {"team": mentees["team_adopters"], "colleagues": mentees["adopters"] - mentees["team_adopters"]}
    for group, adopters in both.items():
        counted = teams[teams["group"] == group].set_index(keys)["adopters"]
        assert (adopters.groupby([mentees[key] for key in keys]).sum().reindex(counted.index, fill_value=0) == counted).all()


def test_lasting_contacts_are_told_by_both_schools_as_many_as_the_run_counts(simulation):
    contacts, runs = (pd.read_parquet(simulation.folder / f"{name}.parquet") for name in ("contacts", "runs"))
    told = {tuple(row) for row in contacts[["replicate", "month", "school_id", "partner"]].itertuples(index=False)}
    assert told == {(replicate, month, other, one) for replicate, month, one, other in told}
    assert contacts["weight"].between(0, 1, inclusive="right").all()
    last = contacts[contacts["month"] == 13].groupby("replicate").size().reindex(runs["replicate"], fill_value=0)
    assert (last.to_numpy() == 2 * runs["contacts_end"]).all()


def test_every_mentee_of_the_school_table_has_a_mentor_of_that_month(simulation):
    schools = pd.read_parquet(simulation.folder / "schools.parquet")
    assert ((schools["role"] == "mentee") == schools["mentor"].notna()).all()
    role = schools.set_index(["replicate", "month", "school_id"])["role"]
    tied = schools[schools["mentor"].notna()]
    assert (role.loc[list(zip(tied["replicate"], tied["month"], tied["mentor"], strict=True))] == "mentor").all()


def test_a_design_alone_runs_as_it_does_beside_others(simulation, comparison):
    alone, beside = (pd.read_parquet(made.folder / "runs.parquet") for made in (simulation, comparison))
    beside = beside[(beside["design"] == "bottom_up") & (beside["parameter_set"] == 0)].reset_index(drop=True)
    shared = [name for name in alone if name != "design"]  # a comparison breaks its runs down further
    assert {"effect_adopter_years", "cost_total"} <= set(shared)
    pd.testing.assert_frame_equal(alone[shared], beside[shared], check_exact=True)


@pytest.mark.parametrize("engine", ["compiled", "mesa"])
def test_json_is_one_document_and_the_study_the_same_without_the_schools(simulation, tmp_path, engine):
    options = "--design", "bottom_up", "--json", "--threads", "2", "--engine", engine, "--out", "study"
    done = succeed("simulate", *QUICK[:-2], *options, cwd=tmp_path)
    document = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert (document["design"], document["out"]) == ("bottom_up", "study")
    assert [row["month"] for row in document["months"]] == list(range(14))
    monthly = pd.read_parquet(tmp_path / "study" / "results.parquet")
    first = monthly[(monthly["group"] == "all") & (monthly["month"] == 0)]
    share = 100 * (first["adopters"] / first["teachers"]).mean()
    assert document["months"][0]["share_percent"] == pytest.approx(share, rel=1e-12)
    more, less = files(simulation.folder), files(tmp_path / "study")
    for name in ("schools.parquet", "contacts.parquet", "peers.parquet"):
        del more[name]
    for described in (more, less):  # both name the files of the study
        del described["study.json"], described["ro-crate-metadata.json"]
    assert less == more
