"""`run.py rerun`: a study made again from its `study.json` is the same, and what is not the same is named."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from rocrate.rocrate import ROCrate

from .program import SMALL, assert_intact, program, succeed

TINY = (*SMALL, "--replicates", "2", "--months", "12", "--designs", "none,regional_hub")


def rerun(study: Path, cwd: Path, *options: str):
    done = program("rerun", study, "--out", "again", "--json", *options, cwd=cwd)
    return done, json.loads(done.out) if done.out else {}


@pytest.fixture
def copied(comparison, tmp_path) -> Path:
    return Path(shutil.copytree(comparison.folder, tmp_path / "taken away" / "study"))


def test_a_comparison_taken_elsewhere_is_made_again_byte_for_byte(copied, tmp_path):
    done, document = rerun(copied, tmp_path)
    assert done.code == 0, done
    assert document["byte_identical"] and document["different"] == [] and document["drawn_different"] == []
    assert len(document["identical"]) == 16 and len(document["drawn_identical"]) == 16
    assert_intact(tmp_path / "again")


def test_where_a_result_was_other_the_first_file_column_and_row_are_named(copied, tmp_path):
    runs = pd.read_parquet(copied / "runs.parquet")
    runs.loc[4, "cost_total"] += 1e-9 * runs.loc[4, "cost_total"]
    runs.to_parquet(copied / "runs.parquet", index=False, compression="zstd")
    described = json.loads((copied / "study.json").read_text(encoding="utf-8"))
    del described["files"]["runs.parquet"]  # as another machine would have written it
    described["versions"]["numpy"] = "1.0.0"
    (copied / "study.json").write_text(json.dumps(described), encoding="utf-8")
    done = program("rerun", copied / "study.json", "--out", "again", cwd=tmp_path)
    assert done.code == 1, done
    assert "DIFFERENT: 1 of 16 result files" in done.out
    assert f"runs.parquet, column cost_total, row 5: {runs.loc[4, 'cost_total'].item()!r} there" in done.out
    assert 'versions.numpy: "1.0.0"' in done.out


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text[:100], "holds no study"),
        (lambda text: "{}", "describes no study"),
        (lambda text: text.replace('"command": "compare"', '"command": "compose"'), "allowed: compare, simulate"),
        (lambda text: text.replace('"format": 2', '"format": 99'), "of a newer version"),
        (lambda text: text.replace('"options": {', '"options": {"a": 1}, "was": {'), "does not say how the study was made"),
        (lambda text: text.replace('"months": 14', '"months": "many"'), "months"),
        (lambda text: text.replace('"files": {', '"was": {'), "unfinished"),
    ],
)
def test_a_study_that_cannot_be_made_again_is_refused_in_one_line(copied, tmp_path, spoil, says):
    path = copied / "study.json"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    done = program("rerun", copied, "--out", "again", cwd=tmp_path)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert done.err.startswith("error: ") and says in done.err
    assert not (tmp_path / "again").exists()


def test_a_study_is_never_written_over_by_its_own_rerun(copied, tmp_path):
    done = program("rerun", copied, "--out", copied, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "would write over the study itself" in done.err
    assert_intact(copied)


OWN = ("--months", "12", "--replicates", "2", "--set", "programme.last_month=12", "draws=2")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("compare", ("--designs", "none,regional_hub")),
        ("simulate", ()),
        ("sweep", ("--designs", "none,regional_hub", "--vary", "p", "--sample", "lhs:2", "--yes")),
        ("sensitivity", ("--designs", "none,regional_hub", "--method", "given", "--n", "8", "--vary", "p", "--max-runs", "64")),
        ("optimise", ("--evaluations", "8", "--population", "4", "--objectives", "effect,cost")),
        ("recommend", ("--designs", "none,regional_hub")),
    ],
)
def test_a_study_of_own_schools_is_made_again_where_only_its_folder_is(tmp_path, command, options):
    own = tmp_path / "own"
    own.mkdir()
    own.joinpath("mine.csv").write_text("school_id,teachers\n" + "".join(f"s{k},{20 + k}\n" for k in range(12)), encoding="utf-8")
    own.joinpath("net.csv").write_text("source,target\n" + "".join(f"s{k},s{(k + 1) % 12}\n" for k in range(12)), encoding="utf-8")
    done = program(
        command, *(OWN if command != "optimise" else OWN[:2] + OWN[4:]), *options,
        "--schools", own / "mine.csv", "--ties", own / "net.csv", "--out", "study", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 0, done
    assert "copies of what it was made from (inputs/mine.csv, inputs/net.csv)" in " ".join(done.out.split())
    for path in (tmp_path / "study").rglob("study.json"):
        assert str(own) not in path.read_text(encoding="utf-8")
    own.rename(tmp_path / "renamed")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "study").rename(elsewhere / "study")
    done, document = rerun(elsewhere / "study", elsewhere)
    assert done.code == 0, done
    assert document["byte_identical"]
    assert document["drawn_different"] == ([] if command != "recommend" else ["report.html", "report.pdf"])  # which quote what was typed


def test_a_study_without_copies_is_made_again_of_the_same_files_wherever_they_are(tmp_path):
    (tmp_path / "own").mkdir()
    schools = tmp_path / "own" / "schools.csv"
    schools.write_text("school_id,teachers\n" + "".join(f"s{k},{20 + k}\n" for k in range(12)), encoding="utf-8")
    done = succeed("simulate", *OWN, "--schools", schools, "--no-inputs", "--out", "study", cwd=tmp_path)
    assert "inputs" not in done.out and not (tmp_path / "study/inputs").exists()
    (tmp_path / "own").rename(tmp_path / "renamed")
    done = program("rerun", "study", "--out", "again", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert f"{schools}: the study was made from it, and it is gone" in done.err and "or give it by --schools" in done.err
    other = tmp_path / "other.csv"
    other.write_text("school_id,teachers\na,3\n", encoding="utf-8")
    done = program("rerun", "study", "--schools", other, "--out", "again", cwd=tmp_path)
    assert done.code == 2 and "is not the file that the study was made from" in done.err
    done = program("rerun", "study", "--ties", other, "--out", "again", cwd=tmp_path)
    assert done.code == 2 and "the study was made without ties" in done.err
    done, document = rerun(tmp_path / "study", tmp_path, "--schools", str(tmp_path / "renamed/schools.csv"))
    assert done.code == 0 and document["byte_identical"]
    assert not (tmp_path / "again/inputs").exists()
    shutil.copy(tmp_path / "renamed/schools.csv", tmp_path / "found-beside-it.csv")
    done, document = rerun(tmp_path / "study", tmp_path)
    assert done.code == 0 and document["byte_identical"]


def test_a_sweep_of_own_schools_is_made_again_of_its_copy_and_refused_where_that_has_changed(tmp_path):
    schools = tmp_path / "schools.csv"
    schools.write_text("school_id,teachers\n" + "".join(f"s{k},{20 + k}\n" for k in range(12)), encoding="utf-8")
    options = ("--vary", "p", "--vary", "regional_hub.stipend=0:5000", "--sample", "lhs:3", "--chunk", "2", "--yes")
    succeed_loudly("sweep", *TINY, *options, "--schools", schools, "--out", "study", cwd=tmp_path)
    done, document = rerun(tmp_path / "study", tmp_path)
    assert done.code == 0, done
    assert document["identical"] == ["parameters.parquet", *(f"results/part-0000000{k}.parquet" for k in range(3))]
    schools.unlink()
    copy = tmp_path / "study/inputs/schools.csv"
    copy.write_text(copy.read_text(encoding="utf-8").replace("s3,", "s3b,"), encoding="utf-8")
    done = program("rerun", "study", "--out", "other", cwd=tmp_path)
    assert done.code == 2 and "has changed since the study was made" in done.err


def test_a_search_is_made_again_with_its_generations(tmp_path):
    succeed(
        "optimise", *SMALL, "--months", "12", "--evaluations", "8", "--population", "4", "--replicates", "2", "--out", "study", cwd=tmp_path
    )
    done, document = rerun(tmp_path / "study", tmp_path)
    assert done.code == 0, done
    assert {"generations/part-00000000.parquet", "generations/part-00000001.parquet", "runs.parquet"} <= set(document["identical"])
    assert not document["same_values"]


def test_a_recommendation_is_made_again_from_the_study_it_rests_on(comparison, tmp_path):
    succeed("recommend", comparison.folder, "--k", "500", "--out", "study", cwd=tmp_path)
    done, document = rerun(tmp_path / "study", tmp_path)
    assert done.code == 0, done
    assert document["identical"] and document["drawn_different"] == []


@pytest.mark.parametrize("made", ["comparison", "simulation"])
def test_a_study_is_a_crate_that_names_every_file_and_the_program(made, request):
    folder = request.getfixturevalue(made).folder
    crate = ROCrate(folder)  # raises where the metadata is no RO-Crate
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {"ro-crate-metadata.json"}
    assert {entity.id for entity in crate.get_by_type("File")} == present
    assert {part.id for part in crate.root_dataset["hasPart"]} == present
    assert all(
        (folder / entity.id).stat().st_size == int(entity["contentSize"])
        for entity in crate.get_by_type("File")
        if entity.id != "study.json"
    )
    run = crate.root_dataset["mentions"]
    assert (run.type, run["instrument"]["name"]) == ("CreateAction", "School Mentoring")
    references = [value["@id"] for entity in crate.get_entities() for value in _references(entity.properties())]
    assert [name for name in references if crate.get(name) is None and not name.startswith("https://")] == []


def _references(properties):
    for value in properties.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "@id" in one:
                yield one


def succeed_loudly(*arguments, cwd):
    done = program(*arguments, cwd=cwd)
    assert done.code == 0, done
