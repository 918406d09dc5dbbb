"""Numbers in text: read as meant where a column or its file leaves no doubt, else refused; 1.000 pupils are never one."""

import math

import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.numbers import Bounds, proven_marks, read_numbers, read_option

COUNT = Bounds(0.0, 100_000.0, "a whole number", whole=True)
AMOUNT = Bounds(-1e5, 1e5, "a number")
DEGREES = Bounds(-90.0, 90.0, "degrees")
SEMICOLONS, COMMAS, TABS = ",", ".", None
"""The decimal mark that goes with a delimiter."""


@pytest.mark.parametrize(
    ("cells", "bounds", "usual", "proven", "values"),
    [
        (["1.000", "2.000", "812"], COUNT, SEMICOLONS, "", [1000, 2000, 812]),
        (["1.234", "14"], COUNT, SEMICOLONS, "", [1234, 14]),
        (["1,000", "10"], COUNT, COMMAS, "", [1000, 10]),
        (["1,000", "2,000"], COUNT, COMMAS, "", [1000, 2000]),
        (["1.000", "2.000"], COUNT, TABS, ",", [1000, 2000]),
        (["1.000", "500"], AMOUNT, SEMICOLONS, "", [1000, 500]),
        (["1.000", "2.500"], AMOUNT, SEMICOLONS, ",", [1000, 2500]),
        (["1,234"], AMOUNT, COMMAS, ".", [1234]),
        (["12.345", "7.125"], AMOUNT, SEMICOLONS, ".", [12.345, 7.125]),
        (["12.345", "7.5"], AMOUNT, SEMICOLONS, "", [12.345, 7.5]),
        (["12.345", "46.123"], DEGREES, SEMICOLONS, "", [12.345, 46.123]),
        (["12.345", "46.123"], AMOUNT, COMMAS, "", [12.345, 46.123]),
        (["1.234,5", "1.000"], AMOUNT, SEMICOLONS, "", [1234.5, 1000]),
        (["1,234.5", "1,000"], AMOUNT, COMMAS, "", [1234.5, 1000]),
        (["12.345.678,5"], Bounds(0, 1e9, ""), TABS, "", [12345678.5]),
        (
            ["1 000", "1\N{NO-BREAK SPACE}000", "1\N{NARROW NO-BREAK SPACE}000", "1'000", "1’000,5"],
            AMOUNT,
            SEMICOLONS,
            "",
            [1000] * 4 + [1000.5],
        ),
        (["90.0", "+90", "9e1", "90", "90.", "1 0", ""], COUNT, COMMAS, "", [90, 90, 90, 90, 90, math.nan, math.nan]),
        (["\N{MINUS SIGN}5", "-5", "+.5"], AMOUNT, COMMAS, "", [-5, -5, 0.5]),
        (["45%", "45 %", "0,5 %"], AMOUNT, SEMICOLONS, "", [0.45, 0.45, 0.005]),
        (["0,5", "0.5"], AMOUNT, SEMICOLONS, "", [0.5, math.nan]),
        (["1_0", "0x1", "nan", "inf", "1.5.2", ".", "1e999", "1 00", "12 EUR", "1,00,000"], AMOUNT, COMMAS, "", [math.nan] * 10),
    ],
)
def test_a_column_is_read_as_it_is_meant(cells, bounds, usual, proven, values):
    found = read_numbers(cells, bounds, usual, set(proven))
    assert found.values.tolist() == pytest.approx(values, nan_ok=True)
    assert found.open == {}


@pytest.mark.parametrize(
    ("cells", "bounds", "usual", "proven"),
    [
        (["1.000", "2.000"], COUNT, COMMAS, ""),  # a program may have written whole numbers so
        (["1,000", "2,000"], COUNT, SEMICOLONS, ""),
        (["1.000", "2.000"], COUNT, TABS, ""),
        (["1.000", "812"], COUNT, SEMICOLONS, "."),  # thousands and decimals alike
        (["1.000", "90.0"], COUNT, COMMAS, ""),
        (["12.345"], AMOUNT, SEMICOLONS, ""),
        (["1,000", "500"], AMOUNT, SEMICOLONS, ""),
        (["1.000", "2.500"], AMOUNT, COMMAS, ""),
        (["1.000", "500"], AMOUNT, COMMAS, ""),
        (["1.000", "2,000"], AMOUNT, TABS, ""),
        (["14.000"], Bounds(1.0, 1000.0, "", whole=True), SEMICOLONS, ""),
    ],
)
def test_what_could_be_two_numbers_is_refused_with_both(cells, bounds, usual, proven):
    found = read_numbers(cells, bounds, usual, set(proven))
    plain = float(cells[0].replace(",", "."))
    assert math.isnan(found.values[0])
    assert found.open[0] == (plain, plain * 1000)


def test_a_file_proves_its_marks_by_cells_that_have_one_reading():
    assert proven_marks([["1.000", "12"], ["0,5"]]) == {","}
    assert proven_marks([["12.345"], ["1,5"], ["2.5"]]) == {",", "."}
    assert proven_marks([["1.000", "x", "", "12"]]) == set()


def test_a_large_column_is_read_by_the_short_way_as_by_the_long_one():
    """The short way reads what has points alone; a blank that is no blank sends the same cells the long way."""
    cells = ["12.345", "-0.5", "", "3", "1e-3", "700.25", "+2."]
    short, long = (read_numbers(column, AMOUNT).values.tolist() for column in (cells, [*cells, "\N{MINUS SIGN}1"]))
    assert short == pytest.approx(long[:-1], nan_ok=True)


@pytest.mark.parametrize(("word", "value"), [("1000", 1000.0), ("1.125", 1.125), (" 0.500", 0.5), ("1 000", 1000.0), ("1e3", 1000.0)])
def test_an_option_takes_a_decimal_point(word, value):
    assert read_option("--x", word, Bounds(0.0, 1000.0, "0 to 1000")) == value


@pytest.mark.parametrize(
    ("word", "bounds", "message"),
    [
        ("1.000", AMOUNT, "--x: '1.000' could be 1 or 1000; write it without a separator of thousands"),
        ("1,000", AMOUNT, "--x: '1,000' could be 1 or 1000; write it without a separator of thousands"),
        ("1,000", DEGREES, "--x: '1,000' could be 1 or 1000; write it without a separator of thousands"),
        ("0,5", AMOUNT, "--x: '0,5' is not a number; allowed: a number"),
        ("1_0", AMOUNT, "--x: '1_0' is not a number; allowed: a number"),
        ("91", DEGREES, "--x: 91 is out of range; allowed: degrees"),
        ("2.5", COUNT, "--x: 2.5 is no whole number; allowed: a whole number"),
    ],
)
def test_an_option_that_is_no_number_is_refused(word, bounds, message):
    with pytest.raises(InputError) as caught:
        read_option("--x", word, bounds)
    assert str(caught.value) == message
