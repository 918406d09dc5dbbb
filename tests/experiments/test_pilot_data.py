"""Observations of a pilot: three forms, months or dates, gaps; spreadsheets' ways of writing; every fault named by row and column."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from school_mentoring.experiments.pilot_data.answers import parse_mapping
from school_mentoring.experiments.pilot_data.observations import Observations, read_observations
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.csv_file import Dialect
from school_mentoring.model.world.schools import Schools
from tests.school_tables import read as read_schools_csv

CASES = Path(__file__).parents[1] / "world" / "cases"
SCHOOLS = "school_id,teachers\na,10\nb,20\nc,30\n"
COUNTS = "school_id,month,respondents,adopters\na,6,8,1\nb,6,15,2\nc,6,20,5\na,20,7,3\nc,20,18,9\n"


@pytest.fixture(scope="module")
def schools(tmp_path_factory: pytest.TempPathFactory) -> Schools:
    return read_schools_csv(tmp_path_factory.mktemp("schools"), SCHOOLS)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Schools:
    """Return schools that adopt as one."""
    return read_schools_csv(tmp_path_factory.mktemp("single"), "school_id,teachers\na,1\nb,1\nc,1\n")


def read(folder: Path, text: str | bytes, schools: Schools, **options: object) -> Observations:
    file = folder / "observations.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_observations(file, schools, **options)  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------- the three forms


def test_counts_become_one_tidy_row_per_school_and_wave(tmp_path, schools):
    seen = read(tmp_path, COUNTS, schools)
    assert (seen.kind, seen.waves, seen.end, seen.practices) == ("counts", (6, 20), 20, ("digital_practice",))
    assert seen.frame[["school", "school_id", "month", "wave", "respondents", "adopters"]].to_numpy().tolist() == [
        [0, "a", 6, 1, 8, 1],
        [0, "a", 20, 2, 7, 3],
        [1, "b", 6, 1, 15, 2],
        [2, "c", 6, 1, 20, 5],
        [2, "c", 20, 2, 18, 9],
    ]
    assert not seen.synthetic


def test_options_that_tell_nothing_of_a_form_are_named(tmp_path, schools):
    seen = read(tmp_path, COUNTS, schools, mapping="linear:1:5", end="2020")
    nothing = [("means on a scale", "--mapping"), ("adoption times", "--end")]
    assert seen.notices == tuple(f"observations.csv: holds no {what}, so {option} tells nothing" for what, option in nothing)


def test_missing_schools_waves_and_blank_answers_are_no_fault(tmp_path, schools):
    """A school that is not there, a wave it missed, and a row whose answers are blank say the same: nothing was seen."""
    with_blanks = COUNTS + "b,20,,\n"
    assert read(tmp_path, with_blanks, schools).frame.equals(read(tmp_path, COUNTS, schools).frame)
    assert len(read(tmp_path, "school_id,month,respondents,adopters\nb,20,3,1\n", schools).frame) == 1


def test_linear_scale_means_become_shares_with_the_error_of_their_sampling(tmp_path, schools):
    """Share (mean - 1) / 4; error sqrt(sd**2 + 1/12) / sqrt(n) / 4, worked out by hand for the first row."""
    text = "school_id,month,item,respondents,mean,sd\na,6,boards,9,3,1.5\nb,6,boards,4,5,0\nc,6,boards,1,2,\n"
    seen = read(tmp_path, text, schools, mapping="linear:1:5")
    assert seen.practices == ("boards",)
    assert seen.frame["share"].tolist() == [0.5, 1.0, 0.25]
    assert seen.frame["share_error"].iloc[0] == pytest.approx(np.sqrt(2.25 + 1 / 12) / 3 / 4)
    pooled = np.sqrt(8 * 1.5**2 / (8 + 3))  # the lone answer has the sd of the others, weighted by their degrees of freedom
    assert seen.frame["share_error"].iloc[2] == pytest.approx(np.sqrt(pooled**2 + 1 / 12) / 4)
    assert (seen.frame["share_error"] > 0).all()  # unanimous answers are still rounded ones


@pytest.mark.parametrize(("mean", "sd"), [(2.0, 0.8), (3.5, 1.0), (4.2, 0.6)])
def test_threshold_share_and_its_error_are_those_of_simulated_answers(mean, sd):
    """Of normal answers: the share at or above the threshold within 4 standard errors, its error over samples of 40 within a tenth.

    The tenth is 4 standard errors of a standard deviation over 1,000 samples, 1 / sqrt(2 x 1,000) each; the delta method leaves out less.
    """
    rng = np.random.default_rng(5)
    mapping = parse_mapping("threshold:4")
    spread = np.sqrt(sd**2 + 1 / 12)
    answers = mean + spread * rng.standard_normal((1000, 40))
    share, _ = mapping.shares(np.array([mean]), np.array([sd]), np.array([40.0]))
    found = (answers >= 3.5).mean()
    assert abs(share[0] - found) < 4 * np.sqrt(found * (1 - found) / answers.size)
    spreads = np.sqrt(np.maximum(answers.var(axis=1, ddof=1) - 1 / 12, 0.0))
    shares, errors = mapping.shares(answers.mean(axis=1), spreads, np.full(1000, 40.0))
    assert errors.mean() > 0.9 * shares.std()
    assert errors.mean() < 1.1 * shares.std()


def test_adoption_times_become_intervals_and_blank_means_not_by_the_end(tmp_path, single):
    seen = read(tmp_path, "school_id,adoption_time\nb,0\na,7\nc,\n", single)
    assert (seen.kind, seen.waves, seen.end) == ("times", (0, 7), 7)
    assert seen.frame[["school_id", "earliest", "latest"]].to_numpy().tolist() == [["a", 7, 7], ["b", 0, 0], ["c", 8, np.inf]]
    assert np.isnan(seen.frame["adoption_time"].iloc[2])
    later = read(tmp_path, "school_id,adoption_time\nb,0\na,7\nc,\n", single, end="30")
    assert later.end == 30
    assert later.frame["earliest"].iloc[2] == 31


def test_adoption_years_are_intervals_of_twelve_months_and_what_is_before_the_start_is_there_at_the_start(tmp_path, single):
    seen = read(tmp_path, "school_id,adoption_time\na,1961\nb,1959\nc,\n", single, start="1960-01")
    assert seen.frame[["earliest", "latest"]].to_numpy().tolist() == [[12, 23], [0, 0], [24, np.inf]]
    assert seen.frame["adoption_time"].iloc[0] == 17.5


def test_adoption_times_of_a_school_of_several_teachers_are_refused_with_their_row(tmp_path, schools):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "school_id,adoption_time\nb,2\na,\n", schools)
    assert "row 2, school b: has 20 teachers, and adoption times are of schools that adopt as one" in str(caught.value)


@pytest.mark.parametrize(("start", "time"), [(0, "0"), (1, "5"), (1, "")])
def test_adoption_times_that_the_start_of_the_school_table_contradicts_are_refused_with_their_row(tmp_path, start, time):
    table = read_schools_csv(tmp_path, f"school_id,teachers,adopters_at_start\na,1,{start}\nb,1,\n")
    with pytest.raises(InputError) as caught:
        read(tmp_path, f"school_id,adoption_time\nb,3\na,{time}\n", table)
    was = "was" if time == "0" else "was not"
    assert f"row 3, school a: adoption {was} there at the start, but adopters_at_start of the school table is {start}" in str(caught.value)


@pytest.mark.parametrize(("respondents", "adopters", "fits"), [(8, 3, True), (8, 4, False), (7, 0, True), (8, 0, False), (10, 3, True)])
def test_counts_of_month_0_that_the_start_of_the_school_table_contradicts_are_refused_with_their_row(tmp_path, respondents, adopters, fits):
    table = read_schools_csv(tmp_path, "school_id,teachers,adopters_at_start\na,10,3\nb,1,\n")
    text = f"school_id,month,respondents,adopters\nb,0,1,1\na,0,{respondents},{adopters}\na,6,8,8\n"
    if fits:
        assert len(read(tmp_path, text, table).frame) == 3
        return
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, table)
    said = f"row 3, school a: {adopters} of {respondents} adopt at the start, but adopters_at_start of the school table is 3 of 10 teachers"
    assert said in str(caught.value)


def test_several_practices_keep_the_order_of_the_scenario(tmp_path, schools):
    text = "school_id,month,practice,respondents,adopters\na,6,robots,8,1\na,6,boards,8,2\n"
    seen = read(tmp_path, text, schools, practices=["boards", "tablets", "robots"])
    assert seen.practices == ("boards", "robots")
    assert seen.frame["practice"].tolist() == ["boards", "robots"]


def test_a_file_that_says_it_is_synthetic_is_known_as_such(tmp_path, schools):
    assert read(tmp_path, "school_id,month,respondents,adopters,note\na,6,8,1,SYNTHETIC\n", schools).synthetic


# ------------------------------------------------------------------------------------------------------- months and dates


@pytest.mark.parametrize(
    ("cell", "start", "month"),
    [
        ("12", None, 12),
        ("12.0", None, 12),
        ("2021-11", "2020-11", 12),
        ("2021-11-30", "2020-11-15", 12),
        ("2021-11-30 00:00:00", "2020-11", 12),
        ("2020-11-01", "2020", 10),
    ],
)
def test_months_and_dates_give_the_same_month(tmp_path, schools, cell, start, month):
    for column in ("month", "date"):
        seen = read(tmp_path, f"school_id,{column},respondents,adopters\na,{cell},8,1\n", schools, start=start)
        assert seen.waves == (month,)


# ----------------------------------------------------------------------------------------------------------- spreadsheets


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_rows_in_any_order_as_any_spreadsheet_writes_them_are_the_same_observations(tmp_path_factory, data):
    """Semicolons with decimal commas, tabs of a byte order mark, either line ending, quotes."""
    folder = tmp_path_factory.mktemp("any")
    schools = read_schools_csv(folder, SCHOOLS)
    cells = data.draw(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 70)), min_size=1, max_size=9, unique=True))
    tenths = data.draw(st.lists(st.integers(10, 50), min_size=len(cells), max_size=len(cells)))
    frame = pd.DataFrame(cells, columns=["school_id", "month"])
    frame["respondents"], frame["mean"], frame["sd"] = 5, np.array(tenths) / 10, 0.2
    frame.loc[(frame["mean"] < 1.2) | (frame["mean"] > 4.8), "sd"] = 0.0
    plain = read(folder, frame.to_csv(index=False), schools, mapping="linear:1:5")
    shuffled = frame.sample(frac=1.0, random_state=data.draw(st.integers(0, 1000)))
    ways = {"sep": ";", "decimal": ","} if data.draw(st.booleans()) else {}
    text = shuffled.to_csv(index=False, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])), **ways)
    again = read(folder, text.encode(data.draw(st.sampled_from(["utf-8", "utf-8-sig"]))), schools, mapping="linear:1:5")
    assert again.frame.equals(plain.frame)
    assert again.waves == plain.waves


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(["a", "b", "x", "0", "3", "12", "-1", "5.5", "nan", "1e3", "2021-11", "1_0", "1961", "", '"', "é"]), max_size=5
        ),
        max_size=5,
    ),
    st.sampled_from(["respondents,adopters", "respondents,mean,sd", "adoption_time", "wave,respondents,adopters", "adopters"]),
    st.sampled_from([None, "2020-11"]),
)
def test_whatever_a_file_holds_it_is_read_or_refused_in_one_message(tmp_path_factory, rows, columns, start):
    folder = tmp_path_factory.mktemp("fuzz")
    header = ["school_id"] + (["month"] if columns != "adoption_time" else []) + columns.split(",")
    body = "\n".join(",".join((row + [""] * len(header))[: len(header)]) for row in rows)
    schools = read_schools_csv(folder, SCHOOLS)
    try:
        seen = read(folder, ",".join(header) + "\n" + body + "\n", schools, start=start, mapping="linear:1:5")
    except InputError as error:
        assert str(error).startswith("observations.csv")
    else:
        assert seen.frame["school"].between(0, 2).all()
        assert len(seen.frame)


def test_decimal_commas_in_quotes_are_read_too(tmp_path, schools):
    seen = read(tmp_path, 'school_id,month,respondents,mean,sd\na,6,5,"4,5",1\n', schools, mapping="linear:1:5")
    assert seen.frame["mean"].tolist() == [4.5]


@pytest.mark.parametrize("cell", ["8.0", "+8", "8e0", "8,0", " 8", "8."])
def test_whole_numbers_are_whole_however_they_are_written(tmp_path, schools, cell):
    assert read(tmp_path, f"school_id;month;respondents;adopters\na;{cell};{cell};1\n", schools).frame["respondents"].tolist() == [8]


@pytest.mark.parametrize("cell", ["11", "11.0", "+11", "1.1e1", "11,0"])
def test_more_respondents_than_teachers_are_refused_however_they_are_written(tmp_path, schools, cell):
    with pytest.raises(InputError, match=r"row 2, column respondents: 11 respondents, but the school table gives a 10 teachers"):
        read(tmp_path, f"school_id;month;respondents;adopters\na;6;{cell};1\n", schools)


@pytest.mark.parametrize(("name", "said"), [("o_thousands.csv", 1000), ("o_float_respondents.csv", 90), ("o_int_respondents.csv", 90)])
def test_answers_of_more_teachers_than_there_are_are_refused(tmp_path, name, said):
    schools = read_schools_csv(tmp_path, (CASES / "s_full.csv").read_bytes())
    with pytest.raises(InputError, match=rf"row 2, column respondents: {said} respondents, but the school table gives s0 14 teachers"):
        read_observations(CASES / name, schools)


def test_a_month_that_could_be_two_is_refused(tmp_path, schools):
    with pytest.raises(InputError, match=r"row 2, column month: found '1.000'; give a month"):
        read(tmp_path, "school_id,month,respondents,adopters\na,1.000,8,1\n", schools)


@pytest.mark.parametrize(
    ("text", "start", "rows"),
    [
        (COUNTS, None, "rows 5 and 6, column month"),
        ("school_id,adoption_time\na,2021-03\nb,2023\n", "2021-01", "row 3, column adoption_time"),
    ],
)
def test_a_month_beyond_the_scenario_is_remarked_on(tmp_path, schools, single, text, start, rows):
    schools = schools if start is None else single
    seen = read(tmp_path, text, schools, start=start, months=20)
    assert seen.notices == (f"observations.csv, {rows}: beyond the 20 months of the scenario; expected months from 0 to 19",)
    assert read(tmp_path, text, schools, start=start, months=48).notices == ()


def test_a_standard_deviation_that_whole_answers_do_not_have_is_remarked_on(tmp_path, schools):
    """Of eight answers between 3 and 4 whose mean is 3.5 the least is sqrt(0.25 x 8 / 7) = 0.53."""
    text = "school_id,month,respondents,mean,sd\na,6,8,3.5,{}\nb,6,8,4,0\n"
    (said,) = read(tmp_path, text.format("0.0009"), schools, mapping="linear:1:5").notices
    assert said.startswith("observations.csv, row 2, column sd: smaller than whole numbers with these means have; ")
    assert read(tmp_path, text.format("0.53"), schools, mapping="linear:1:5").notices == ()


def test_headers_and_encodings_of_others_are_read(tmp_path, schools):
    text = "Škola;Month;Responding teachers;Adopters\na;6;8;1\n".encode("cp1250")
    dialect = Dialect("cp1250", {"school_id": "škola", "respondents": "Responding teachers", "teachers": "Staff"})
    assert read(tmp_path, text, schools, dialect=dialect).frame["respondents"].tolist() == [8]


# ------------------------------------------------------------------------------------------------------------------ faults

HEAD = "school_id,month,respondents,adopters\n"
MEANS = "school_id,month,respondents,mean,sd\n"
FAULTS = {
    "more adopters than respondents": (
        HEAD + "a,6,8,9\n",
        "row 2, column adopters: 9 adopters among 8 respondents; at most all respondents adopt",
    ),
    "more respondents than teachers": (
        HEAD + "b,6,20,1\na,6,11,9\n",
        "row 3, column respondents: 11 respondents, but the school table gives a 10 teachers; correct one of the two",
    ),
    "more adopters than teachers": (
        HEAD + "a,6,11,11\n",
        "row 2, column respondents: 11 respondents, but the school table gives a 10 teachers; correct one of the two",
    ),
    "no respondents": (
        HEAD + "a,6,0,0\n",
        "row 2, column respondents: found '0'; give a whole number from 1 to 1000; leave a school without answers blank",
    ),
    "half blank": (HEAD + "a,6,,3\n", "row 2, column respondents: is blank; give a whole number from 1 to 1000; leave a school without"),
    "half a teacher": (HEAD + "a,6,5.5,3\n", "row 2, column respondents: found '5.5'; give a whole number from 1 to 1000"),
    "negative": (HEAD + "a,6,5,-3\n", "row 2, column adopters: found '-3'; give a whole number from 0 to the respondents"),
    "unknown school": (HEAD + "a,6,5,3\nd,6,5,3\n", "row 3, column school_id: no school is named 'd'; known names: a, b, c"),
    "blank school": (HEAD + ",6,5,3\n", "row 2, column school_id: is blank; known names: a, b, c"),
    "row twice": (
        HEAD + "a,6,5,3\nb,6,5,3\na,6,5,3\n",
        "row 4, column school_id: 'a' was already seen in month 6 in row 2; give each school, month",
    ),
    "month twice": (HEAD + "a,6,5,3\na,6,7,4\n", "row 3, column school_id: 'a' was already seen in month 6 in row 2"),
    "date in words": (
        HEAD + "a,November 2021,5,3\n",
        "row 2, column month: found 'November 2021'; give a month from 0 to 1199, or an ISO date such as 2021-11 or 2021-11-15 "
        "(in a spreadsheet: format the cells as YYYY-MM-DD before saving)",
    ),
    "date of a spreadsheet": (
        HEAD + "a,15/11/2021,5,3\n",
        "row 2, column month: found '15/11/2021'; give a month from 0 to 1199, or an ISO date",
    ),
    "date without start": (
        HEAD + "a,2021-11-15,5,3\n",
        "row 2, column month: found '2021-11-15'; dates need --start, the month that is month 0 (for example --start 2020-11)",
    ),
    "year without start": (
        HEAD + "a,2021,5,3\n",
        "row 2, column month: found '2021'; give a month from 0 to 1199, or for a year or a date --start",
    ),
    "blank month": (HEAD + "a,,5,3\n", "row 2, column month: is blank; give a month from 0 to 1199"),
    "waves out of order": (
        "school_id,wave,month,respondents,adopters\na,1,20,5,3\nb,1,20,5,3\na,2,6,5,3\n",
        "row 4, column wave: wave 2 in month 6 is not after wave 1 in month 20 (row 3); number the waves in the order of their months",
    ),
    "unknown column": (HEAD.replace("adopters", "adoptors"), "row 1: unknown column"),
    "nothing measured": (
        "school_id,month\na,6\n",
        "row 1: nothing measured is there; give respondents and adopters, or respondents, mean and sd, or",
    ),
    "two forms": (
        "school_id,month,respondents,adopters,mean,sd\na,6,5,3,3,1\n",
        "row 1: the columns adopters and mean are of different forms; give respondents and adopters, or respondents, mean and sd, or ",
    ),
    "no respondents column": (
        "school_id,month,adopters\na,6,3\n",
        "row 1: 'adopters' is there without 'respondents'; give respondents, adopters",
    ),
    "no month column": (
        "school_id,respondents,adopters\na,5,3\n",
        "row 1: the column 'month' is missing; give one column 'month' (or 'date')",
    ),
    "all blank": (HEAD + "a,6,,\n", ": holds no observation: every measured cell is blank; give at least one row with answers"),
    "no rows": (HEAD, ": has a header but no rows; give at least one row below it"),
    "cells shifted": (HEAD + "a,6,5\n", "row 2: found 3 cells; the header names 4 columns"),
    "nobody adopted, no end": (
        "school_id,adoption_time\na,\n",
        ": no school adopted, and nothing says until when that was seen; give --end",
    ),
    "adopts twice": ("school_id,adoption_time\na,3\na,5\n", "row 3, column school_id: 'a' was already seen in row 2"),
    "times with a month": (
        "school_id,month,adoption_time\na,6,3\n",
        "row 1: the column 'month' does not go with 'adoption_time'; give one form",
    ),
    "mean off the scale": (MEANS + "a,6,5,5.2,1\n", "row 2, column mean: found '5.2'; give a mean from 1 to 5, the ends of --mapping"),
    "sd that cannot be": (
        MEANS + "a,6,5,4.5,3\n",
        "row 2, column sd: found 3; 5 answers of mean 4.5 have a standard deviation of at most 1.48",
    ),
    "sd blank": (MEANS + "a,6,5,4.5,\n", "row 2, column sd: is blank although 5 answered; give the standard deviation of the answers"),
    "decimal commas between commas": (MEANS + "a,6,5,4,5,1\n", "row 2: found 6 cells; the header names 5 columns"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named_with_its_row_and_column(tmp_path, schools, fault):
    text, says = FAULTS[fault]
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, schools, mapping="linear:1:5")
    assert str(caught.value).startswith("observations.csv")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (HEAD + "a,2021-11-31,5,3\n", {"start": "2020-11"}, "column month: found '2021-11-31'; there is no such day"),
        (HEAD + "a,2021,5,3\n", {"start": "2020-11"}, "column month: found '2021'; a year does not say which month; give YYYY-MM"),
        (
            HEAD + "a,2019-11,5,3\n",
            {"start": "2020-11"},
            "column month: found '2019-11'; lies before --start; give an earlier start, or leave",
        ),
        (HEAD + "a,2221-11,5,3\n", {"start": "2020-11"}, "is more than 1199 months after --start"),
        (
            HEAD + "a,6,5,3\n",
            {"start": "November"},
            "--start November: is no date; give an ISO date such as 2021-11 or 2021-11-15: the month",
        ),
        (HEAD + "a,6,5,3\n", {"practices": ["x", "y"]}, "row 1: does not say which of 2 practices was seen; give the column 'practice'"),
        (
            "school_id,month,practice,respondents,adopters\na,6,bords,5,3\n",
            {"practices": ["boards", "robots"]},
            "row 2, column practice: no practice is named 'bords'; the scenario has boards or robots (did you mean 'boards'?)",
        ),
        (
            MEANS + "a,6,5,4.5,1\n",
            {},
            "row 1: means on a scale are no shares of teachers, and nothing says how they become shares; give --mapping linear:1:5",
        ),
        (
            "school_id,adoption_time\na,9\n",
            {"end": "5"},
            "--end: is month 5, but a school of observations.csv adopts in month 9; allowed: 9 or later",
        ),
        ("school_id,adoption_time\na,9\n", {"end": "soon"}, "--end soon: is no month of the study; give a month from 0 to 1199"),
    ],
)
def test_faults_of_what_is_stated_with_a_file_are_named_too(tmp_path, schools, text, options, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, schools, **options)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "linear", "linear:1", "linear:5:1", "linear:1:5:9", "threshold", "threshold:1", "threshold:6", "log:1:5", "linear:a:b"]
)
def test_what_is_no_mapping_is_refused(text):
    with pytest.raises(InputError, match=r"^--mapping .*; allowed: "):
        parse_mapping(text)


def test_a_mapping_is_written_as_it_is_read():
    for text in ("linear:1:5", "linear:0:10", "threshold:4:1:5"):
        assert str(parse_mapping(text)) == text


def test_drawn_numbers_of_teachers_do_not_refuse_respondents(tmp_path):
    """The table does not say how many teachers there are, so nothing contradicts 900 respondents."""
    seen = read(tmp_path, HEAD + "a,6,900,3\n", read_schools_csv(tmp_path, "school_id\na\n"))
    assert len(seen.frame) == 1
