"""Tables as spreadsheets, Gephi and registers of schools write them: read as they are meant, or refused in one message."""

from pathlib import Path

import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL
from school_mentoring.model.world.countries import assumed_country
from school_mentoring.model.world.csv_file import Dialect
from school_mentoring.model.world.network import peers_from_ties
from school_mentoring.model.world.own_schools import read_schools
from school_mentoring.model.world.own_ties import Ties, read_ties
from school_mentoring.model.world.schools import Schools
from tests.school_tables import BASE, CZECHIA, ITALY, read

PLAIN = Dialect()
CASES = Path(__file__).parent / "cases"


def case(name: str) -> Schools:
    return read_schools(CASES / name, countries=[ITALY, CZECHIA], regions=[1, 1], parameters=BASE, seed=3, index=0)


def named(tmp_path: Path, *names: str) -> Schools:
    return read(tmp_path, "school_id,country\n" + "\n".join(f"{name},IT" for name in names) + "\n")


def ties(tmp_path: Path, text: str | bytes, schools: Schools, dialect: Dialect = PLAIN) -> Ties:
    (tmp_path / "ties.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_ties(tmp_path / "ties.csv", schools, dialect)


# ------------------------------------------------------------------------------------------------------------- schools


@pytest.mark.parametrize("name", ["s_sep.csv", "s_trailing_cols.csv", "s_pt_it_lower.csv"])
def test_what_a_spreadsheet_writes_around_a_table_changes_nothing(name):
    schools = case(name)
    assert schools.school_id.tolist() == ["A", "B"]
    assert schools.country_codes in (("IT",), ("IT", "PT"))
    assert schools.notices == ()


@pytest.mark.parametrize(("name", "notice"), [("s_utf16.csv", ()), ("s_cp1252.csv", ("s_cp1252.csv is not UTF-8 and was read as cp1252",))])
def test_a_table_in_another_encoding_is_read_and_a_guess_is_said(name, notice):
    schools = case(name)
    assert schools.school_id.tolist() == ["École", "B"]
    assert [said.partition(", for example 'École'")[0] for said in schools.notices] == list(notice)


def test_thousands_of_pupils_are_thousands():
    assert case("s_thousands.csv").pupils.tolist() == [1000, 2000, 812]


def test_ids_that_look_like_numbers_stay_names():
    schools = case("s_numids.csv")
    assert schools.school_id.tolist() == ["007", "7", "1e5", "100000", "NA", "nan", "True", "None", "1.0", "1"]
    read = read_ties(CASES / "t_numids.csv", schools)
    assert [schools.school_id[row].tolist() for row in read[:2]] == [
        ["007", "1e5", "NA", "True", "1.0"],
        ["7", "100000", "nan", "None", "1"],
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "ids"),
    [
        ("school_id;country\nČáslav;CZ\nPlzeň;CZ\n", "cp1250", ["Čáslav", "Plzeň"]),
        ("school_id;country\nĐurđevac;hr\nè;hr\n".replace("è", "č"), "cp1250", ["Đurđevac", "č"]),
        ("school_id,country\nGyőr,HU\nSzűcs,HU\n", "cp1250", ["Győr", "Szűcs"]),
        ("school_id,Country\nè,IT\nê,PT\n", "cp1252", ["è", "ê"]),
        ("school_id\nĐurđevac\nGyőr\n", "cp1250", ["Đurđevac", "Győr"]),
    ],
)
def test_a_legacy_file_is_read_in_the_code_page_of_its_countries(tmp_path, text, encoding, ids):
    schools = read(tmp_path, text.encode(encoding))
    assert schools.school_id.tolist() == ids
    assert f"was read as {encoding}" in schools.notices[0]
    assert read(tmp_path, text.encode(encoding), dialect=Dialect(encoding)).notices == ()


def test_ties_are_read_in_the_code_page_of_their_schools(tmp_path):
    schools = read(tmp_path, "school_id,country\nSzűcs,HU\nê,HU\n".replace("ê", "ę"))
    assert ties(tmp_path, "source,target\nSzűcs,ę\n".encode("cp1250"), schools).target.tolist() == [1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_delimiter_and_line_end_is_read(tmp_path, delimiter, end):
    rows = [["School ID", "teachers", '"Region"', ""], ["A", "10", '"North, or; so"', ""], ["", "", "", ""], ["B", "12", "South", ""]]
    schools = read(tmp_path, end.join(delimiter.join(row) for row in rows) + end)
    assert schools.teachers.tolist() == [10, 12]
    assert set(schools.region_names) == {"North, or; so", "South"}


@pytest.mark.parametrize("first", ["sep=|\n", '"sep=|"\r\n', "SEP=|\n"])
def test_a_line_that_tells_the_delimiter_is_no_row(tmp_path, first):
    with pytest.raises(InputError, match=r"row 3, column teachers: found '0'"):
        read(tmp_path, f"{first}school_id|teachers\nA|1\nB|0\n")


def test_columns_and_cells_beyond_the_header_must_be_blank(tmp_path):
    assert read(tmp_path, "school_id,,teachers,,\nA,,1,,,,\nB,,2\n").teachers.tolist() == [1, 2]
    with pytest.raises(InputError, match=r"row 1, column 2: has no name"):
        read(tmp_path, "school_id,,teachers\nA,x,1\n")
    with pytest.raises(InputError, match=r"row 2: found 3 cells; the header names 2 columns"):
        read(tmp_path, "school_id,teachers\nA,1,2\n")


@pytest.mark.parametrize(
    "header", ["School ID,Digital Capacity", "SCHOOL-ID,digitalCapacity", "\ufeffschoolid, digital\N{NO-BREAK SPACE}capacity"]
)
def test_headers_are_known_however_they_are_spelled(tmp_path, header):
    assert read(tmp_path, f"{header}\nA,0.25\n").capacity.tolist() == [0.25]


def test_headers_of_others_are_mapped_and_the_rest_is_left_out_with_a_notice(tmp_path):
    text = "URN,EstablishmentName,NumberOfTeachers\n100001,Saint Mary,12\n"
    schools = read(tmp_path, text, dialect=Dialect(columns={"school_id": "urn", "teachers": "NumberOfTeachers"}))
    assert (schools.school_id.tolist(), schools.teachers.tolist()) == (["100001"], [12])
    assert schools.notices == ("schools.csv: columns that --columns does not name are left out: EstablishmentName",)
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, dialect=Dialect(columns={"school_id": "URN", "teachers": "NumberOfTeacher"}))
    message = "--columns teachers=NumberOfTeacher: schools.csv has no column 'NumberOfTeacher'; did you mean 'NumberOfTeachers'?"
    assert str(caught.value) == message


@pytest.mark.parametrize("header", ["Schulnummer,Lehrkräfte", "school_id,Lehrkräfte"])
def test_headers_of_another_language_are_refused_with_the_way_to_map_them(tmp_path, header):
    with pytest.raises(InputError, match=r"another header is told by --columns (school_id=HEADER|NAME=Lehrkräfte)$"):
        read(tmp_path, f"{header}\n1,12\n")


@pytest.mark.parametrize(("yes", "no"), [
    ("WAHR", "FALSCH"), ("sì", "no"), ("si", "no"), ("sim", "não"), ("ano", "ne"), ("igen", "nem"), ("da", "ne"), ("ja", "nee"),
    ("oui", "non"), ("true", "false"), ("1", "0"), ("1.0", "0.0"), ("TAK", "nie"),
    ("SI\N{COMBINING GRAVE ACCENT}", "na\N{COMBINING TILDE}o"),
])  # fmt: skip
def test_yes_and_no_are_known_in_many_languages(tmp_path, yes, no):
    traits = read(tmp_path, f"school_id,level,rural,disadvantaged\nA,primary,{yes},{no}\nB,primary,{no},{yes}\n").traits.tolist()
    assert traits == [RURAL, DISADVANTAGED]


def test_a_cross_is_no_word_as_blank_beside_it_would_not_mean_no(tmp_path):
    with pytest.raises(InputError, match=r"row 2, column rural: found 'x'; give 0, 1, false, true, no or yes$"):
        read(tmp_path, "school_id,rural\nA,x\nB,\n")


def test_names_are_one_however_their_accents_and_spaces_are_stored(tmp_path):
    schools = named(tmp_path, "E\N{COMBINING ACUTE ACCENT}cole\N{NO-BREAK SPACE}1", "\N{ZERO WIDTH SPACE}B\N{NO-BREAK SPACE}")
    assert schools.school_id.tolist() == ["École 1", "B"]
    assert ties(tmp_path, "source,target\nÉcole 1,B\N{ZERO WIDTH NO-BREAK SPACE}\n", schools).source.tolist() == [0]


def test_a_country_without_figures_has_the_means_over_those_that_have(tmp_path):
    schools = read(tmp_path, "school_id,country\nA,rs\nB,IT\nC,RS\n")
    assert schools.country_codes == ("RS", "IT")
    assert schools.countries[0] == assumed_country("RS")
    assert schools.notices == (
        "schools.csv, rows 2 and 4, column country: no figures for RS; "
        "its salary, school sizes, hours and shares are those of countries.csv that stand for unknown ones; a scenario can state them",
    )


# ---------------------------------------------------------------------------------------------------------------- ties


def test_weights_with_thousands_are_read():
    assert read_ties(CASES / "t_thousands.csv", case("s_full.csv")).weight.tolist() == [1000.0, 500.0]


def test_undirected_edges_of_gephi_are_read():
    found = read_ties(CASES / "t_gephi.csv", case("s_full.csv"))
    assert (found.source.tolist(), found.target.tolist(), found.weight.tolist()) == ([0, 1], [1, 2], [1.0, 2.0])


def test_the_source_of_a_directed_tie_looks_at_its_target_alone(tmp_path):
    schools = named(tmp_path, "A", "B", "C")
    text = "Source,Target,Type,Kind,Weight\nA,B,Undirected,peer,3\nB,C,Directed,,1\nA,C,Directed,mentoring,1\n"
    found = ties(tmp_path, text, schools)
    assert (found.source.tolist(), found.mentor.tolist(), found.mentee.tolist()) == ([0, 1], [0], [2])
    assert found.one_way.tolist() == [False, True]
    peers = peers_from_ties(3, found.source, found.target, found.weight, found.one_way)
    assert (peers.peer_start.tolist(), peers.peer.tolist()) == ([0, 1, 3, 3], [1, 0, 2])
    assert peers.full_weights().tolist() == [1.0, 0.75, 0.25]
    with pytest.raises(InputError, match=r"row 2, column Type: found 'Mutual'; give undirected or directed$"):
        ties(tmp_path, "Source,Target,Type\nA,B,Mutual\n", schools)
    with pytest.raises(InputError, match=r"row 3, column Target: 'A' and 'B' are already tied in row 2; give each tie once"):
        ties(tmp_path, "Source,Target,Type\nB,A,Undirected\nA,B,Directed\n", schools)


def test_a_tie_that_stands_both_ways_counts_once_by_its_mean_weight_or_twice_where_ties_are_directed(tmp_path):
    schools = named(tmp_path, "A", "B", "C")
    text = "source,target,weight\nB,C,5\nB,A,1\nA,B,3\n"
    found = ties(tmp_path, text, schools)
    assert (found.source.tolist(), found.target.tolist(), found.weight.tolist()) == ([1, 1], [2, 0], [5.0, 2.0])
    assert found.notices == ("ties.csv: 1 tie stands in both directions and counts once; world.directed=true tells who looks at whom",)
    directed = read_ties(tmp_path / "ties.csv", schools, directed=True)
    assert (directed.source.tolist(), directed.target.tolist(), directed.weight.tolist()) == ([1, 1, 0], [2, 0, 1], [5.0, 1.0, 3.0])
    assert directed.one_way.all() and not directed.notices


def test_weights_of_another_magnitude_are_remarked_on(tmp_path):
    schools = named(tmp_path, "A", "B", "C")
    (said,) = ties(tmp_path, "source,target,weight\nA,B,2000\nB,C,1\n", schools).notices
    assert said == "ties.csv, row 2, column weight: more than 1000 times the lightest tie; expected weights in one unit"
    (said,) = ties(tmp_path, "source,target,weight\nA,B,500\nB,C,\n", schools).notices
    assert said == "ties.csv, row 3, column weight: blank counts as 1; expected weights near 1 beside it"
