"""Users' tables: they survive a round trip, gaps are drawn, contradictions are refused by one clear message."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL, SECONDARY
from school_mentoring.model.world.own_ties import name_mentors, read_ties
from school_mentoring.model.world.schools import Schools, generate_schools
from tests.school_tables import ALL, BASE, CZECHIA, ITALY, near, read, same

# ------------------------------------------------------------------------------------------------------------ round trip


def test_a_generated_table_reads_back_to_the_last_bit(tmp_path: Path) -> None:
    """Seed, index, layout and parameters of the reader differ, so a drawn value would show."""
    schools = generate_schools(ALL, [2] * 6, 40, BASE, 1, 0)
    text = schools.to_frame().to_csv(index=False)
    assert same(schools, read(tmp_path, text, parameters=BASE | {"rural": 1.0})) == []


def test_roles_and_adopters_read_back(tmp_path: Path) -> None:
    schools = generate_schools([ITALY], [2], 3, BASE, 1, 0, practices=2)
    adopters = np.array([[0, 1, -1, -1, 2, 3], [-1, -1, -1, 1, 0, 0]], np.int32)
    role, mentor = np.array([1, 2, 2, 0, 1, 2], np.int8), np.array([-1, 0, 0, -1, -1, -1], np.int32)
    schools = replace(schools, adopters_at_start=adopters, named_role=role, named_mentor=mentor)
    text = schools.to_frame(["boards", "robots"]).to_csv(index=False)
    assert same(schools, read(tmp_path, text, practices=["boards", "robots"])) == []
    with pytest.raises(ValueError, match="2 practices need 2 names"):
        schools.to_frame()


def test_semicolons_commas_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    schools = generate_schools([ITALY], [2], 5, BASE, 1, 0)
    frame = schools.to_frame()
    excel = frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n").encode("utf-8-sig")
    assert b'"' not in excel
    assert same(schools, read(tmp_path, excel)) == []
    assert same(schools, read(tmp_path, frame.to_csv(index=False).encode("utf-8-sig"))) == []


def test_a_national_table_reads_in_seconds(tmp_path: Path) -> None:
    """Not a timing: 60,000 rows must pass the same checks and come back whole."""
    schools = generate_schools(ALL, [10] * 6, 1000, BASE, 1, 0)
    found = read(tmp_path, schools.to_frame().to_csv(index=False))
    assert same(schools, replace(found, notices=())) == []
    # The sizes of so many schools have a tail beyond what is plausible, a few in 10,000; nothing else is remarked on.
    assert (schools.teachers > 500).mean() < 0.001 and all("expected at most" in notice for notice in found.notices)


# ------------------------------------------------------------------------------------------------------ absent and blank


def test_names_alone_give_the_whole_population(tmp_path: Path) -> None:
    """With nothing but school_id, the table is the one that the scenario would generate, under the user's names."""
    generated = generate_schools([ITALY, CZECHIA], [2, 1], 5, BASE, 3, 0)
    schools = read(tmp_path, "school_id\n" + "\n".join(f"s{k}" for k in range(15)))
    assert same(schools, generated) == ["school_id", "drawn"]
    columns = "country region x_km y_km level teachers pupils rural disadvantaged digital_capacity openness"
    assert schools.drawn == tuple(columns.split())


def test_blank_cells_are_drawn_and_given_ones_kept(tmp_path: Path) -> None:
    absent = read(tmp_path, "school_id,country\na,IT\nb,IT\nc,IT\n")
    schools = read(tmp_path, "school_id,country,openness,teachers\na,IT,,7\nb,IT,0.123456789,\nc,IT,1,1000\n")
    assert schools.partly_drawn == ("teachers", "openness")
    assert "teachers" not in schools.drawn
    assert schools.openness.tolist() == [absent.openness[0], 0.123456789, 1.0]
    assert schools.teachers.tolist() == [7, absent.teachers[1], 1000]
    assert schools.pupils.tolist() == np.rint(schools.teachers * BASE["pupils_per_teacher"]).tolist()


def test_given_traits_shape_what_is_drawn(tmp_path: Path) -> None:
    """Secondary schools are larger and rural ones less digital, also where only the trait is given; 500 schools each, 4 standard errors."""
    lines = [f"s{k},{'secondary' if k % 2 else 'primary'},{int(k % 4 > 1)},0" for k in range(2000)]
    schools = read(tmp_path, "school_id,level,rural,disadvantaged\n" + "\n".join(lines), countries=[ITALY], regions=[1])
    secondary, rural = schools.traits & SECONDARY > 0, schools.traits & RURAL > 0
    assert secondary.tolist() == [k % 2 == 1 for k in range(2000)]
    assert near(schools.teachers[secondary], BASE["teachers_secondary"])
    assert near(schools.capacity[rural], BASE["capacity_mean"] - BASE["capacity_gap"] / 2)
    assert near(schools.capacity, BASE["capacity_mean"])


def test_teachers_fit_given_pupils_and_adopters(tmp_path: Path) -> None:
    schools = read(tmp_path, "school_id,pupils,adopters_at_start\na,240,\nb,12,9\nc,,900\n")
    assert schools.teachers.tolist() == [20, 9, 900]
    assert schools.adopters_at_start.tolist() == [[-1, 9, 900]]


def test_schools_without_a_place_are_drawn_among_their_region(tmp_path: Path) -> None:
    schools = read(tmp_path, "school_id,country,region,x_km,y_km\na,IT,R,1000,2000\nb,IT,R,1010,2000\nc,IT,R,,\n")
    assert abs(schools.x[2] - 1005) <= BASE["region_km"] / 2
    assert abs(schools.y[2] - 2000) <= BASE["region_km"] / 2
    assert schools.partly_drawn == ("x_km", "y_km")


def test_degrees_become_kilometres(tmp_path: Path) -> None:
    """One degree of latitude is 111.195 km on the mean sphere, one of longitude at 60 degrees half of that."""
    schools = read(tmp_path, "school_id,country,latitude,longitude\na,IT,60,10\nb,IT,60,12\nc,CZ,49,15\nd,CZ,51,15\n")
    assert schools.x[:2] == pytest.approx([-55.597, 55.597], abs=0.001)
    assert schools.y.tolist() == pytest.approx([0, 0, -111.195, 111.195], abs=0.001)
    assert "x_km" not in schools.drawn


def test_countries_and_regions_are_numbered_as_they_appear(tmp_path: Path) -> None:
    schools = read(tmp_path, "school_id,country,region\na,PT,north\nb,IT,north\nc,PT,south\nd,PT,north\ne,PT,\n")
    assert schools.country_codes == ("PT", "IT")
    assert schools.region_names == ("north", "north", "south", "PT-1")
    assert schools.region.tolist() == [0, 1, 2, 0, 3]
    assert schools.region_country.tolist() == [0, 1, 0, 0]


def test_a_country_of_the_scenario_need_not_be_in_the_table_of_the_pilot(tmp_path: Path) -> None:
    estonia = ITALY.model_copy(update={"code": "EE", "name": "Estonia"})
    assert read(tmp_path, "school_id,country\na,EE\n", countries=[estonia], regions=[1]).countries == (estonia,)


def test_words_are_read_in_any_case(tmp_path: Path) -> None:
    text = "school_id,level,rural,disadvantaged\na,Primary,TRUE,no\nb,SECONDARY,0,Yes\n"
    assert read(tmp_path, text).traits.tolist() == [RURAL, SECONDARY | DISADVANTAGED]


def test_clusters_name_the_mentor(tmp_path: Path) -> None:
    schools = read(tmp_path, "school_id,role,cluster\na,mentee,1\nb,mentor,1\nc,mentee,1\nd,,\ne,mentor,\nf,mentee,\n")
    assert schools.named_role.tolist() == [2, 1, 2, 0, 1, 2]
    assert schools.named_mentor.tolist() == [1, -1, 1, -1, -1, -1]


# -------------------------------------------------------------------------------------------------------- contradictions

ONE = "schools.csv, row 1"
BAD_TABLES = {
    "latitude alone": ("school_id,latitude\na,1\n", f"{ONE}: the column 'latitude' is there without 'longitude'; give both or neither"),
    "two positions": (
        "school_id,latitude,longitude,x_km,y_km\na,1,1,1,1\n",
        f"{ONE}: positions are there twice, as x_km, y_km and as latitude, longitude; give one of them",
    ),
    "cluster without role": ("school_id,cluster\na,1\n", f"{ONE}: the column 'cluster' is there without 'role'; give both or neither"),
    "duplicate": ("school_id\na\nb\na\n", "schools.csv, row 4, column school_id: 'a' is already in row 2; give each school once"),
    "blank id": ("school_id,level\n ,primary\n", "schools.csv, row 2, column school_id: is blank; give every school a name of its own"),
    "adopters": (
        "school_id,teachers,adopters_at_start\na,5,6\n",
        "schools.csv, row 2, column adopters_at_start: found '6'; at most its 5 teachers can be adopters",
    ),
    "country": (
        "school_id,country\na,BVLG\n",
        "schools.csv, row 2, column country: found 'BVLG'; known codes: BE-VLG, HR, CZ, HU, IT, PT, AT, BE, BG, CH, CY, DE, DK, "
        "EE, ES, FI, FR, GB-ENG, GR, IE, ... (did you mean 'BE-VLG'?); others are two letters, such as RS",
    ),
    "half a place": (
        "school_id,latitude,longitude\na,45,\n",
        "schools.csv, row 2, column longitude: is blank although latitude is '45'; give both or neither",
    ),
    "role": (
        "school_id,role\na,mentro\n",
        "schools.csv, row 2, column role: found 'mentro'; give mentor or mentee (did you mean 'mentor'?)",
    ),
    "no mentor": (
        "school_id,role,cluster\na,mentee,north\n",
        "schools.csv, row 2, column cluster: cluster 'north' has no mentor; give one of its schools the role mentor",
    ),
    "two mentors": (
        "school_id,role,cluster\na,mentor,n\nb,mentor,n\n",
        "schools.csv, row 3, column cluster: cluster 'n' has a second mentor, the first is in row 2; give each cluster one mentor",
    ),
    "no role": (
        "school_id,role,cluster\na,,n\n",
        "schools.csv, row 2, column role: is blank although the school is in cluster 'n'; give mentor or mentee",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_table_is_refused_with_one_clear_message(tmp_path: Path, case: str) -> None:
    text, message = BAD_TABLES[case]
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert str(error.value) == message


def test_adopter_columns_must_say_which_practice(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, "school_id,adopters_at_start\na,1\n", practices=["boards", "robots"])
    expected = f"{ONE}: 'adopters_at_start' does not say which of 2 practices; name it adopters_at_start_boards or adopters_at_start_robots"
    assert str(error.value) == expected
    with pytest.raises(InputError) as error:
        read(tmp_path, "school_id,adopters_at_start_board\na,1\n", practices=["boards"])
    assert str(error.value).startswith(f"{ONE}: unknown column 'adopters_at_start_board'; did you mean 'adopters_at_start_boards'?")


# ------------------------------------------------------------------------------------------------------------------ ties


@pytest.fixture
def four(tmp_path: Path) -> Schools:
    """Return schools a, b, c, d, of which the table makes d a mentor."""
    return read(tmp_path, "school_id,role\na,\nb,\nc,\nd,mentor\n")


def ties(path: Path, text: str, schools: Schools) -> object:
    (path / "ties.csv").write_text(text)
    return read_ties(path / "ties.csv", schools)


def test_peer_and_mentoring_ties_are_told_apart(tmp_path: Path, four: Schools) -> None:
    (tmp_path / "ties.csv").write_text("source,target,weight,kind\na,b,2.5,\nb,c,,peer\nd,a,,mentoring\nd,c,,Mentoring\n")
    found = read_ties(tmp_path / "ties.csv", four)
    assert [column.tolist() for column in found[:5]] == [[0, 1], [1, 2], [2.5, 1.0], [3, 3], [0, 2]]
    named = name_mentors(four, found)
    assert named.named_role.tolist() == [2, 0, 2, 1]
    assert named.named_mentor.tolist() == [3, -1, 3, -1]
    assert four.named_mentor.tolist() == [-1] * 4


def test_a_pair_may_be_peers_and_mentor_and_mentee(tmp_path: Path, four: Schools) -> None:
    (tmp_path / "ties.csv").write_text("source,target,kind\na,d,peer\nd,a,mentoring\n")
    assert [len(column) for column in read_ties(tmp_path / "ties.csv", four)[:5]] == [1, 1, 1, 1, 1]


BAD_TIES = {
    "unknown school": ("a,x,,", "column target: no school is named 'x'; known names: a, b, c, d"),
    "blank school": (",a,,", "column source: no school is named ''; known names: a, b, c, d"),
    "itself": ("a,a,,", "column target: 'a' is tied to itself; a tie joins two schools"),
    "negative": ("a,b,-1,", "column weight: found '-1'; give a number above 0"),
    "zero": ("a,b,0,", "column weight: found '0'; give a number above 0"),
    "nan": ("a,b,nan,", "column weight: found 'nan'; give a number above 0"),
    "kind": ("a,b,,per", "column kind: found 'per'; give peer or mentoring (did you mean 'peer'?)"),
    "twice": ("a,b,,\na,b,,", "column target: 'a' and 'b' are already tied in row 2; give each tie once"),
    "two mentors": ("d,a,,mentoring\nb,a,,mentoring", "column target: a already has a mentor in row 2; a mentee has one mentor"),
    "mentor and mentee": (
        "a,b,,mentoring\nb,c,,mentoring",
        "column source: b is a mentor here and a mentee elsewhere; a school has one role",
    ),
    "mentor in the table": ("a,d,,mentoring", "column target: d is a mentee here, a mentor in the school table; a school has one role"),
}


@pytest.mark.parametrize("case", BAD_TIES)
def test_bad_ties_are_refused_with_one_clear_message(tmp_path: Path, four: Schools, case: str) -> None:
    text, message = BAD_TIES[case]
    with pytest.raises(InputError) as error:
        ties(tmp_path, f"source,target,weight,kind\n{text}\n", four)
    assert str(error.value) == f"ties.csv, row {text.count(chr(10)) + 2}, {message}"


def test_a_mentor_of_the_table_is_not_replaced(tmp_path: Path) -> None:
    schools = read(tmp_path, "school_id,role,cluster\na,mentor,1\nb,mentee,1\nc,,\n")
    with pytest.raises(InputError) as error:
        ties(tmp_path, "source,target,kind\nc,b,mentoring\n", schools)
    assert str(error.value) == "ties.csv, row 2, column target: b already has the mentor a in the school table; a mentee has one mentor"


def test_ties_need_both_ends(tmp_path: Path, four: Schools) -> None:
    with pytest.raises(InputError, match="the column 'target' is missing"):
        ties(tmp_path, "source\na\n", four)
