"""The school table: populations with the stated means, tables that survive a round trip, errors that say what to do."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from model.errors import InputError
from model.parameters import base_values
from model.schools import COUNTRIES, Country, Schools, generate_schools, name_mentors, read_schools, read_ties
from model.world import DISADVANTAGED, RURAL, SECONDARY

ALL = list(COUNTRIES.values())
ITALY, CZECHIA = COUNTRIES["IT"], COUNTRIES["CZ"]
BASE = base_values()


@pytest.fixture(scope="module")
def national() -> Schools:
    """Return 20,016 schools, 834 in each of 4 regions of 6 countries, at base values."""
    return generate_schools(ALL, [4] * 6, 834, BASE, seed=11, index=0)


def near(values: np.ndarray, expected: float, errors: float = 4.0) -> bool:
    """Tell whether the mean of independent values is within some standard errors of what is expected."""
    return abs(float(np.mean(values)) - expected) <= errors * float(np.std(values)) / np.sqrt(len(values))


def same(one: Schools, other: Schools) -> list[str]:
    """Return the columns in which two tables are not the same to the last bit."""
    differing = []
    for field in fields(Schools):
        a, b = getattr(one, field.name), getattr(other, field.name)
        equal = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() if isinstance(a, np.ndarray) else a == b
        differing += [] if equal else [field.name]
    return differing


def read(path: Path, text: str | bytes, **options: object) -> Schools:
    """Write a table to schools.csv in a folder and read it as a pilot in Italy and Czechia would."""
    file = path / "schools.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = {"countries": [ITALY, CZECHIA], "regions": [2, 1], "parameters": BASE, "seed": 3, "index": 0} | options
    return read_schools(file, **settings)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------------- population


def test_shares_and_means_are_the_parameters(national: Schools) -> None:
    """Shares, teachers by level, capacity and openness of the whole world, within 4 standard errors."""
    secondary = national.traits & SECONDARY > 0
    assert near(national.traits & RURAL > 0, BASE["rural"])
    assert near(national.traits & DISADVANTAGED > 0, BASE["disadvantaged"])
    assert near(secondary, np.mean([country.secondary for country in ALL]))
    assert near(national.teachers[~secondary], BASE["teachers_primary"])
    assert near(national.teachers[secondary], BASE["teachers_secondary"])
    assert near(national.capacity, BASE["capacity_mean"])
    assert near(national.openness, 0.5)
    assert np.var(national.openness) == pytest.approx(1 / 12, abs=4 * np.sqrt(1 / 180 / len(national)))


def test_countries_depart_by_their_ratio(national: Schools) -> None:
    """Shares of each country are the parameter times its share over the mean share, within 4 standard errors."""
    for c, country in enumerate(ALL):
        here = national.traits[national.country == c]
        assert near(here & RURAL > 0, BASE["rural"] * country.rural / np.mean([other.rural for other in ALL]))
        assert near(here & SECONDARY > 0, country.secondary)


def test_school_size_is_lognormal_in_a_country_and_level(national: Schools) -> None:
    """The logarithm has sd teachers_spread; rounding to whole teachers adds less than the 4 standard errors allowed."""
    for c in range(6):
        logs = np.log(national.teachers[(national.country == c) & (national.traits & SECONDARY > 0)])
        assert abs(np.std(logs) - BASE["teachers_spread"]) < 4 * BASE["teachers_spread"] / np.sqrt(2 * len(logs))


def test_sizes_keep_the_ratios_of_the_country_table(national: Schools) -> None:
    """Mean teachers of Flanders over those of Hungary as in the table, within 10 %: levels are normalised one by one."""
    codes = national.country_codes
    means = {code: national.teachers[national.country == c].mean() for c, code in enumerate(codes)}
    table = COUNTRIES["BE-VLG"].teachers_per_school / COUNTRIES["HU"].teachers_per_school
    assert means["BE-VLG"] / means["HU"] == pytest.approx(table, rel=0.1)


def test_pupils_follow_teachers(national: Schools) -> None:
    assert np.array_equal(national.pupils, np.rint(national.teachers * BASE["pupils_per_teacher"]))


def test_capacity_is_beta_with_a_gap_for_each_trait(national: Schools) -> None:
    """Each of the four groups has its mean and the beta variance m (1 - m) / (c + 1), within 4 standard errors."""
    mean, gap, concentration = BASE["capacity_mean"], BASE["capacity_gap"], BASE["capacity_spread"]
    for rural in (0, 1):
        for disadvantaged in (0, 1):
            inside = (national.traits & (RURAL | DISADVANTAGED)) == RURAL * rural + DISADVANTAGED * disadvantaged
            m = mean + gap * (BASE["rural"] - rural + BASE["disadvantaged"] - disadvantaged)
            capacity = national.capacity[inside]
            assert near(capacity, m)
            assert near((capacity - m) ** 2, m * (1 - m) / (concentration + 1))


def test_group_means_of_capacity_are_clipped() -> None:
    schools = generate_schools([ITALY], [1], 2000, BASE | {"capacity_gap": 1.0}, 1, 0)
    lowest = schools.capacity[schools.traits & (RURAL | DISADVANTAGED) == RURAL | DISADVANTAGED]
    assert near(lowest, 0.02)


def test_rural_schools_fill_the_square_and_others_the_town(national: Schools) -> None:
    """Regions are squares on a grid of 2 x 2; a uniform disc has mean squared radius town_km^2 / 2, within 4 standard errors."""
    side, town = BASE["region_km"], BASE["town_km"]
    rank = national.region % 4
    dx = national.x - (rank % 2 + 0.5) * side
    dy = national.y - (rank // 2 + 0.5) * side
    rural = national.traits & RURAL > 0
    squared = dx**2 + dy**2
    assert max(np.abs(dx[rural]).max(), np.abs(dy[rural]).max()) <= side / 2 + 0.001
    assert near(dx[rural] ** 2, side**2 / 12)
    assert near(dy[rural] ** 2, side**2 / 12)
    assert squared[~rural].max() <= (town + 0.001) ** 2
    assert near(squared[~rural], town**2 / 2)


def test_values_lie_on_their_decimal_grid(national: Schools) -> None:
    for values, decimals in ((national.x, 3), (national.y, 3), (national.capacity, 6), (national.openness, 6)):
        assert np.array_equal(values, np.round(values, decimals))


def test_a_world_is_its_seed_and_index() -> None:
    first = generate_schools(ALL, [1] * 6, 20, BASE, 1, 0)
    assert same(first, generate_schools(ALL, [1] * 6, 20, BASE, 1, 0)) == []
    for seed, index in ((2, 0), (1, 1)):
        other = generate_schools(ALL, [1] * 6, 20, BASE, seed, index)
        assert {"x", "y", "traits", "teachers", "capacity", "openness"} <= set(same(first, other))


def test_worlds_and_attributes_are_uncorrelated(national: Schools) -> None:
    """Openness against the next world's and against capacity: correlations within 4 standard errors of 0."""
    other = generate_schools(ALL, [4] * 6, 834, BASE, 11, 1)
    for one, two in (
        (national.openness, other.openness),
        (national.openness, national.capacity),
        (national.openness[1:], national.openness[:-1]),
    ):
        assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(len(one))


def test_a_parameter_moves_only_what_depends_on_it() -> None:
    base = generate_schools(ALL, [1] * 6, 20, BASE, 1, 0)
    assert same(base, generate_schools(ALL, [1] * 6, 20, BASE | {"capacity_mean": 0.6}, 1, 0)) == ["capacity"]
    assert same(base, generate_schools(ALL, [1] * 6, 20, BASE | {"pupils_per_teacher": 9.0}, 1, 0)) == ["pupils"]


def test_teachers_without_spread_are_the_mean() -> None:
    schools = generate_schools([ITALY], [1], 50, BASE | {"teachers_spread": 0.0}, 1, 0)
    assert set(schools.teachers) == {20, 40}


def test_labels_name_country_region_and_school() -> None:
    schools = generate_schools([ITALY, CZECHIA], [2, 1], 12, BASE, 1, 0)
    assert schools.school_id[[0, 11, 12, 35]].tolist() == ["IT-1-01", "IT-1-12", "IT-2-01", "CZ-1-12"]
    assert schools.region_names == ("IT-1", "IT-2", "CZ-1")
    assert schools.country_codes == ("IT", "CZ")


@pytest.mark.parametrize(
    ("countries", "regions", "per_region", "message"),
    [
        ([], [], 1, "countries must be one or more"),
        ([ITALY, ITALY], [1, 1], 1, "distinct"),
        ([ITALY], [0], 1, "one or more regions"),
        ([ITALY], [1, 1], 1, "one or more regions"),
        ([ITALY], [1], 0, "schools_per_region is 0"),
    ],
)
def test_layouts_without_schools_are_refused(countries: list[Country], regions: list[int], per_region: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate_schools(countries, regions, per_region, BASE, 1, 0)


def test_the_country_table_leaves_out_what_is_derived() -> None:
    """The cost of a teacher's hour follows from salary, factor and hours; the model keeps no second copy."""
    assert list(COUNTRIES) == ["BE-VLG", "HR", "CZ", "HU", "IT", "PT"]
    assert not any("cost" in name for name in Country.model_fields)
    with pytest.raises(ValueError, match="both 0"):
        Country.model_validate(ITALY.model_dump() | {"schools_primary": 0, "schools_secondary": 0})


# ---------------------------------------------------------------------------------------------------------- round trip


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
    assert same(schools, read(tmp_path, schools.to_frame().to_csv(index=False))) == []


# --------------------------------------------------------------------------------------------------- absent and blank


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


# --------------------------------------------------------------------------------------------------------- bad tables

ONE = "schools.csv, row 1"
BAD_TABLES = {
    "empty": ("", "schools.csv: is empty; the first row names the columns"),
    "blank": (" \n\n", "schools.csv: is empty; the first row names the columns"),
    "header only": ("school_id,level\n", "schools.csv: has a header but no rows; give at least one row below it"),
    "no header": (
        "a,IT\nb,CZ\n",
        f"{ONE}: the column 'school_id' is missing (found 'a', 'IT'); the first row names the columns",
    ),
    "unknown column": ("school_id,teacher\na,1\n", f"{ONE}: unknown column 'teacher'; did you mean 'teachers'?"),
    "column twice": ("school_id,level,level\na,,\n", f"{ONE}, column 2: the column 'level' is there 2 times; give it once"),
    "column without name": ("school_id,\na,1\n", f"{ONE}, column 2: has no name; name every column in the first row"),
    "latitude alone": ("school_id,latitude\na,1\n", f"{ONE}: the column 'latitude' is there without 'longitude'; give both or neither"),
    "two positions": (
        "school_id,latitude,longitude,x_km,y_km\na,1,1,1,1\n",
        f"{ONE}: positions are there twice, as x_km, y_km and as latitude, longitude; give one of them",
    ),
    "cluster without role": ("school_id,cluster\na,1\n", f"{ONE}: the column 'cluster' is there without 'role'; give both or neither"),
    "ragged": ("school_id,level\na,primary\nb\n", "schools.csv, row 3: found 1 cell; the header names 2 columns"),
    "open quote": ('school_id\n"a\n', "schools.csv, line 2: is not well-formed CSV (unexpected end of data)"),
    "duplicate": ("school_id\na\nb\na\n", "schools.csv, row 4, column school_id: 'a' is already in row 2; give each school once"),
    "blank id": ("school_id,level\n ,primary\n", "schools.csv, row 2, column school_id: is blank; give every school a name of its own"),
    "blank lines count": (
        "school_id,teachers\n\na,5\n,\nb,0\n",
        "schools.csv, row 5, column teachers: found '0'; give a whole number from 1 to 1000",
    ),
    "nan": ("school_id,openness\na,nan\n", "schools.csv, row 2, column openness: found 'nan'; give a number from 0 to 1"),
    "inf": ("school_id,x_km,y_km\na,inf,0\n", "schools.csv, row 2, column x_km: found 'inf'; give a position in km from -100000 to 100000"),
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
    "adopters": (
        "school_id,teachers,adopters_at_start\na,5,6\n",
        "schools.csv, row 2, column adopters_at_start: found '6'; at most its 5 teachers can be adopters",
    ),
    "level": (
        "school_id,level\na,primry\n",
        "schools.csv, row 2, column level: found 'primry'; give primary or secondary (did you mean 'primary'?)",
    ),
    "truth": ("school_id,rural\na,maybe\n", "schools.csv, row 2, column rural: found 'maybe'; give 0, 1, false, true, no or yes"),
    "country": (
        "school_id,country\na,BE-VLC\n",
        "schools.csv, row 2, column country: found 'BE-VLC'; known codes: BE-VLG, HR, CZ, HU, IT, PT (did you mean 'BE-VLG'?); "
        "a scenario can add countries",
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
    "several": (
        "school_id,teachers,openness\na,5,2\nb,0,1\nb,1,1\n",
        "schools.csv, row 2, column openness: found '2' (and 2 more errors in the file); give a number from 0 to 1",
    ),
    "long name": (
        "school_id\n" + "x" * 101 + "\n",
        "schools.csv, row 2, column school_id: found a label of 101 characters; at most 100 are allowed",
    ),
    "latin 1": ("school_id\nécole\n".encode("latin-1"), "schools.csv, row 2: is not UTF-8 text (byte 0xE9); save the file as 'CSV UTF-8'"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_bad_table_is_refused_with_one_clear_message(tmp_path: Path, case: str) -> None:
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


def test_adopter_columns_must_say_which_practice(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, "school_id,adopters_at_start\na,1\n", practices=["boards", "robots"])
    expected = f"{ONE}: 'adopters_at_start' does not say which of 2 practices; name it adopters_at_start_boards or adopters_at_start_robots"
    assert str(error.value) == expected
    with pytest.raises(InputError) as error:
        read(tmp_path, "school_id,adopters_at_start_board\na,1\n", practices=["boards"])
    assert str(error.value) == f"{ONE}: unknown column 'adopters_at_start_board'; did you mean 'adopters_at_start_boards'?"


# ---------------------------------------------------------------------------------------------------------------- ties


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
    assert [column.tolist() for column in found] == [[0, 1], [1, 2], [2.5, 1.0], [3, 3], [0, 2]]
    named = name_mentors(four, found)
    assert named.named_role.tolist() == [2, 0, 2, 1]
    assert named.named_mentor.tolist() == [3, -1, 3, -1]
    assert four.named_mentor.tolist() == [-1] * 4


def test_a_pair_may_be_peers_and_mentor_and_mentee(tmp_path: Path, four: Schools) -> None:
    (tmp_path / "ties.csv").write_text("source,target,kind\na,d,peer\nd,a,mentoring\n")
    assert [len(column) for column in read_ties(tmp_path / "ties.csv", four)] == [1, 1, 1, 1, 1]


BAD_TIES = {
    "unknown school": ("a,x,,", "column target: no school is named 'x'; known names: a, b, c, d"),
    "blank school": (",a,,", "column source: no school is named ''; known names: a, b, c, d"),
    "itself": ("a,a,,", "column target: 'a' is tied to itself; a tie joins two schools"),
    "negative": ("a,b,-1,", "column weight: found '-1'; give a number above 0"),
    "zero": ("a,b,0,", "column weight: found '0'; give a number above 0"),
    "nan": ("a,b,nan,", "column weight: found 'nan'; give a number above 0"),
    "kind": ("a,b,,per", "column kind: found 'per'; give peer or mentoring (did you mean 'peer'?)"),
    "twice": ("a,b,,\na,b,,", "column target: 'a' and 'b' are already tied in row 2; give each tie once; a peer tie has no direction"),
    "both ways": ("a,b,,\nb,a,,", "column target: 'b' and 'a' are already tied in row 2; give each tie once; a peer tie has no direction"),
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
