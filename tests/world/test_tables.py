"""The reader of CSV files: whatever is wrong with the file or a cell, one message says where and what to do."""

from pathlib import Path

import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.own_schools import read_schools
from tests.school_tables import BASE, ITALY, read

ONE = "schools.csv, row 1"
BAD_TABLES = {
    "empty": ("", "schools.csv: is empty; the first row names the columns"),
    "blank": (" \n\n", "schools.csv: is empty; the first row names the columns"),
    "header only": ("school_id,level\n", "schools.csv: has a header but no rows; give at least one row below it"),
    "no header": (
        "a,IT\nb,CZ\n",
        f"{ONE}: the column 'school_id' is missing (found 'a', 'IT'); the first row names the columns; "
        "another header is told by --columns school_id=HEADER",
    ),
    "unknown column": (
        "school_id,teacher\na,1\n",
        f"{ONE}: unknown column 'teacher'; did you mean 'teachers'?; another header is told by --columns NAME=teacher",
    ),
    "column twice": ("school_id,level,level\na,,\n", f"{ONE}, column 2: the column 'level' is there 2 times; give it once"),
    "column without name": ("school_id,\na,1\n", f"{ONE}, column 2: has no name; name every column in the first row"),
    "ragged": ("school_id,level\na,primary\nb\n", "schools.csv, row 3: found 1 cell; the header names 2 columns"),
    "open quote": ('school_id\n"a\n', "schools.csv, line 2: is not well-formed CSV (unexpected end of data)"),
    "blank lines count": (
        "school_id,teachers\n\na,5\n,\nb,0\n",
        "schools.csv, row 5, column teachers: found '0'; give a whole number from 1 to 1000",
    ),
    "nan": ("school_id,openness\na,nan\n", "schools.csv, row 2, column openness: found 'nan'; give a number from 0 to 1"),
    "inf": (
        "school_id,x_km,y_km\na,inf,0\n",
        "schools.csv, row 2, column x_km: found 'inf'; give a position in km, not metres, from -100000 to 100000",
    ),
    "negative": ("school_id,teachers\na,-3\n", "schools.csv, row 2, column teachers: found '-3'; give a whole number from 1 to 1000"),
    "too many": ("school_id,teachers\na,1001\n", "schools.csv, row 2, column teachers: found '1001'; give a whole number from 1 to 1000"),
    "half a teacher": (
        "school_id,teachers\na,2.5\n",
        "schools.csv, row 2, column teachers: found '2.5'; give a whole number from 1 to 1000",
    ),
    "text": ("school_id,teachers\na,many\n", "schools.csv, row 2, column teachers: found 'many'; give a whole number from 1 to 1000"),
    "underscore": ("school_id,pupils\na,1_0\n", "schools.csv, row 2, column pupils: found '1_0'; give a whole number from 0 to 100000"),
    "capacity": (
        "school_id,digital_capacity\na,1.2\n",
        "schools.csv, row 2, column digital_capacity: found '1.2'; give a number from 0 to 1",
    ),
    "two points": ("school_id;openness\na;1.234,5\n", "schools.csv, row 2, column openness: found '1.234,5'; give a number from 0 to 1"),
    "level": (
        "school_id,level\na,primry\n",
        "schools.csv, row 2, column level: found 'primry'; give primary or secondary (did you mean 'primary'?)",
    ),
    "truth": ("school_id,rural\na,maybe\n", "schools.csv, row 2, column rural: found 'maybe'; give 0, 1, false, true, no or yes"),
    "several": (
        "school_id,teachers,openness\na,5,2\nb,0,1\nb,1,1\n",
        "schools.csv, row 2, column openness: found '2' (and 2 more errors in the file); give a number from 0 to 1",
    ),
    "long name": (
        "school_id\n" + "x" * 101 + "\n",
        "schools.csv, row 2, column school_id: found a label of 101 characters; at most 100 are allowed",
    ),
    "UTF-16 without a mark": (
        "school_id\né\n".encode("utf-16-le"),
        "schools.csv: holds zero bytes, as UTF-16 without its mark does; save the file as 'CSV UTF-8', or give --encoding utf-16-le",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_file_is_refused_with_one_clear_message(tmp_path: Path, case: str) -> None:
    text, message = BAD_TABLES[case]
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert str(error.value) == message


def test_paths_that_are_no_file_are_named(tmp_path: Path) -> None:
    options = {"countries": [ITALY], "regions": [1], "parameters": BASE, "seed": 1, "index": 0}
    with pytest.raises(InputError) as error:
        read_schools(tmp_path / "none.csv", **options)  # type: ignore[arg-type]
    assert str(error.value) == f"{tmp_path / 'none.csv'}: there is no such file; give the path of a CSV file"
    with pytest.raises(InputError) as error:
        read_schools(tmp_path, **options)  # type: ignore[arg-type]
    assert str(error.value) == f"{tmp_path}: is a folder; give a CSV file"
