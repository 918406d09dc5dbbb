"""Two study folders are the same where every result holds the same to the last bit; what is not is named by file, column and row."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from school_mentoring.experiments.folder.same import compare_folders, first_difference


def parquet(path, frame, **how):
    frame.to_parquet(path, index=False, **how)


@pytest.fixture
def pair(tmp_path):
    """Return two folders with the same table, figure and text in each."""
    for name in ("there", "here"):
        folder = tmp_path / name
        folder.mkdir()
        parquet(folder / "runs.parquet", pd.DataFrame({"cost": [1.0, 2.0, np.nan], "design": ["none", "hub", "hub"]}))
        (folder / "summary.csv").write_text("design,mean\nnone,1\nhub,2\n", encoding="utf-8")
        (folder / "adoption.png").write_bytes(b"a picture")
        (folder / "study.json").write_text("{}", encoding="utf-8")
    return tmp_path / "there", tmp_path / "here"


def test_folders_of_the_same_bytes_are_the_same(pair):
    found = compare_folders(*pair)
    assert found.same and found.document()["byte_identical"]
    assert found.lines() == ["Same: all 2 result files are identical, byte for byte"]


def test_the_same_values_in_other_bytes_are_the_same_and_said_to_be_in_other_bytes(pair):
    parquet(pair[1] / "runs.parquet", pd.read_parquet(pair[0] / "runs.parquet"), compression="gzip")
    found = compare_folders(*pair)
    assert found.same and not found.document()["byte_identical"]
    assert found.lines() == [
        "Same values in all 2 result files, 1 of them byte for byte",
        "Other bytes for the same values, as libraries encode them otherwise: runs.parquet",
    ]


def test_a_figure_drawn_otherwise_is_told_and_is_no_other_result(pair):
    (pair[1] / "adoption.png").write_bytes(b"drawn by another library")
    found = compare_folders(*pair)
    assert found.same
    assert found.lines()[-1] == "1 of 1 figures and reports are drawn otherwise: adoption.png"


def difference(pair, name, change):
    change(pair[1] / name)
    (one,) = compare_folders(*pair).different
    return str(one)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "runs.parquet",
            lambda path: parquet(path, pd.DataFrame({"cost": [1.0, -2.0, 3.0], "design": ["none", "hub", "hub"]})),
            "runs.parquet, column cost, row 2: 2.0 there, -2.0 here",
        ),
        (
            "runs.parquet",
            lambda path: parquet(path, pd.DataFrame({"cost": [1.0, 2.0, np.nan], "design": ["none", "hub", "virtual"]})),
            "runs.parquet, column design, row 3: 'hub' there, 'virtual' here",
        ),
        (
            "runs.parquet",
            lambda path: parquet(path, pd.DataFrame({"cost": [1.0, 2.0], "design": ["none", "hub"]})),
            "runs.parquet, column cost, row 3: None there, no such row here",
        ),
        (
            "runs.parquet",
            lambda path: parquet(path, pd.DataFrame({"effect": [1.0], "design": ["none"]})),
            "runs.parquet: columns differ: cost there, effect here",
        ),
        ("runs.parquet", lambda path: path.write_bytes(b"no table"), "runs.parquet: cannot be read ("),
        (
            "summary.csv",
            lambda path: path.write_text("design,mean\nnone,1\nhub\n", encoding="utf-8"),
            "summary.csv, column mean, row 2: '2' there, '' here",
        ),
        (
            "summary.csv",
            lambda path: path.write_text(f"design,mean\n{'long name ' * 9},1\nhub,2\n", encoding="utf-8"),
            "summary.csv, column design, row 1: 'none' there, 'long name long name long name long name long name long n... here",
        ),
        ("summary.csv", lambda path: path.unlink(), "summary.csv: is not made again"),
        ("more.csv", lambda path: path.write_text("a\n1\n", encoding="utf-8"), "more.csv: was not there"),
    ],
)
def test_the_first_difference_is_named(pair, name, change, said):
    assert difference(pair, name, change).startswith(said)


def test_of_a_zero_the_sign_counts_and_of_missing_numbers_none(tmp_path):
    one, other = tmp_path / "a.parquet", tmp_path / "b.parquet"
    parquet(one, pd.DataFrame({"x": [np.nan, 0.0]}))
    parquet(other, pd.DataFrame({"x": [np.nan, 0.0]}), compression="gzip")
    assert first_difference("a", one, other) is None
    parquet(other, pd.DataFrame({"x": [np.nan, -0.0]}))
    assert str(first_difference("a", one, other)) == "a, column x, row 2: 0.0 there, -0.0 here"


def test_texts_differ_by_line_and_in_what_ends_them(tmp_path):
    one, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    one.write_text("seed: 1\nmonths: 12\n", encoding="utf-8")
    other.write_text("seed: 1\nmonths: 24\n", encoding="utf-8")
    assert str(first_difference("a.yaml", one, other)) == "a.yaml, row 2: 'months: 12' there, 'months: 24' here"
    other.write_text("seed: 1\nmonths: 12", encoding="utf-8")
    assert str(first_difference("a.yaml", one, other)) == "a.yaml: differs in its bytes"
    assert str(first_difference("posterior.nc", tmp_path / "a.nc", other)) == "posterior.nc: differs in its bytes"


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hashes(folder, **stated):
    (folder / "study.json").write_text(json.dumps({"files": stated}), encoding="utf-8")


def test_a_file_that_is_gone_is_held_to_the_hash_that_its_study_states(pair):
    there, here = pair
    digests = {name: digest(here / name) for name in ("runs.parquet", "summary.csv")}
    (there / "runs.parquet").unlink()
    hashes(there, **digests)
    assert compare_folders(there, here).same
    hashes(there, **{**digests, "runs.parquet": "0" * 64})
    assert [str(one) for one in compare_folders(there, here).different] == ["runs.parquet: differs, and is gone there"]


def test_a_result_that_was_changed_since_counts_as_different_and_what_it_held_before_is_told(pair):
    there, here = pair
    hashes(there, **{"summary.csv": digest(here / "summary.csv")})
    (there / "summary.csv").write_text("design,mean\nnone,1\nhub,3\n", encoding="utf-8")
    said = "summary.csv: was changed after the study was made, which gives what it held before"
    assert [str(one) for one in compare_folders(there, here).different] == [said]
    assert compare_folders(there, here).lines()[0] == "DIFFERENT: 1 of 2 result files"
