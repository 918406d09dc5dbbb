"""What a table says and probably does not mean is remarked on with its rows; what cannot be meant is refused."""

from pathlib import Path

import numpy as np
import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.plausible import is_country, km_from, length_km
from tests.school_tables import read

ROME, MILAN, NAPLES, PRAGUE, BRNO = (41.9, 12.5), (45.5, 9.2), (40.8, 14.3), (50.1, 14.4), (49.2, 16.6)


def table(places: list[tuple[object, ...]], columns: str = "country,latitude,longitude") -> str:
    return f"school_id,{columns}\n" + "".join(f"s{k},{','.join(map(str, place))}\n" for k, place in enumerate(places))


def notices(tmp_path: Path, places: list[tuple[object, ...]], columns: str = "country,latitude,longitude") -> tuple[str, ...]:
    return read(tmp_path, table(places, columns)).notices


def test_schools_in_their_countries_are_not_remarked_on(tmp_path):
    assert (
        notices(tmp_path, [("IT", *ROME), ("IT", *MILAN), ("CZ", *PRAGUE), ("CZ", *BRNO), ("PT", 32.7, -16.9), ("PT", 39.5, -31.2)]) == ()
    )
    assert notices(tmp_path, [ROME, PRAGUE], "latitude,longitude") == ()


@pytest.mark.parametrize(("code", "place"), [("IT", (48.9, 2.4)), ("CZ", ROME), ("HR", (52.5, 13.4)), ("IT", (41.9, -12.5))])
def test_a_school_far_outside_its_country_is_remarked_on(tmp_path, code, place):
    (said,) = notices(tmp_path, [(code, *place)])
    assert said.startswith("schools.csv, row 2, column latitude: ")
    assert said.endswith(f" km from {code}; expected places in the country or near it")


def test_schools_without_a_country_are_expected_in_those_of_the_scenario(tmp_path):
    (said,) = notices(tmp_path, [ROME, (0.3, 32.6), (6.5, 3.4), (9.1, 7.4), (5.6, -0.2)], "latitude,longitude")
    assert said.startswith("schools.csv, rows 3, 4, 5 and 1 more, column latitude: ")
    assert " km from IT or CZ;" in said


def test_exchanged_degrees_are_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, table([("IT", *ROME[::-1]), ("IT", *MILAN[::-1])]))
    message = "schools.csv, row 2, column latitude: latitude 12.5 and longitude 41.9 lie far outside IT; exchanged they lie in it"
    assert str(caught.value) == f"{message} (and 1 more error in the file); exchange the two columns"


def test_degrees_that_are_both_zero_are_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"row 3, column latitude: latitude and longitude are both 0, in the sea off Africa; leave both blank"
    ):
        read(tmp_path, table([("IT", *ROME), ("IT", 0, "0.0")]))


def test_longitudes_go_on_beyond_the_180th_meridian(tmp_path):
    """Two degrees at 17 degrees south are 2 x 111.195 x cos(17) km, whichever way they are counted; to a metre."""
    schools = read(tmp_path, table([("FJ", -17, 179), ("FJ", -17, -179), ("IT", *ROME)]))
    assert np.ptp(schools.x[:2]) == pytest.approx(2 * 111.19508 * np.cos(np.radians(17)), abs=0.001)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([(0, 0), (2500, 1200), (3000, 900)], "rows 2, 3 and 4, column x_km: schools 3,231 km from each other; expected km, and IT is "),
        ([(0.0, 0.0), (0.01, 0.5), (0.6, 0.2)], "rows 2, 3 and 4, column x_km: all schools within 0.781 km; expected km, and IT is "),
        ([(0, 0), (0.01, 70), (0.05, 20)], "rows 2, 3 and 4, column x_km: all schools on a strip of 0.05 by 70 km; expected x_km and y_km"),
        (
            [MILAN[::-1], ROME[::-1], NAPLES[::-1]],
            "rows 2, 3 and 4, column x_km: taken for degrees, they all lie in IT; expected km; degrees",
        ),
        ([MILAN, ROME, NAPLES], "rows 2, 3 and 4, column x_km: taken for degrees, they all lie in IT; expected km; degrees"),
    ],
)
def test_positions_in_another_unit_than_km_are_remarked_on(tmp_path, places, said):
    (found,) = notices(tmp_path, [("IT", *place) for place in places], "country,x_km,y_km")
    assert found.startswith(f"schools.csv, {said}")


@pytest.mark.parametrize(
    ("columns", "place", "message"),
    [
        (
            "x_km,y_km",
            (684532, 4891233),
            "column x_km: found '684532' (and 3 more errors in the file); give a position in km, not metres, from ",
        ),
        ("x_km,y_km", (84532, 4891), "column x_km: schools of a country are 42,266 km from each other; expected km, and IT is "),
        (
            "latitude,longitude",
            (4891233, 684532),
            "column latitude: found '4891233' (and 3 more errors in the file); give degrees from -90 to 90",
        ),
    ],
)
def test_metres_of_a_national_grid_are_refused(tmp_path, columns, place, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, table([("IT", *place), ("IT", place[0] / 2, place[1])], f"country,{columns}"))
    assert str(caught.value).startswith(f"schools.csv, row 2, {message}")


@pytest.mark.parametrize(
    ("columns", "row", "said"),
    [
        ("teachers", (900,), "row 2, column teachers: up to 900 teachers; expected at most 500 in a school"),
        ("pupils", (20000,), "row 2, column pupils: up to 20,000 pupils; expected at most 5,000 in a school"),
        ("teachers,pupils", (30, 20), "row 2, column pupils: fewer pupils than teachers; expected several pupils a teacher"),
        ("pupils", (2,), "row 2, column pupils: fewer than 5 pupils; expected all pupils of a school"),
        ("teachers,pupils", (10, 900), "row 2, column pupils: more than 60 pupils a teacher; expected fewer"),
        ("digital_capacity", (0.0006,), "row 2, column digital_capacity: at most 0.0006; expected shares from 0 to 1"),
    ],
)
def test_sizes_that_no_school_has_are_remarked_on(tmp_path, columns, row, said):
    assert notices(tmp_path, [row], columns) == (f"schools.csv, {said}",)


@pytest.mark.parametrize("column", ["school_id", "region", "cluster"])
def test_labels_that_differ_in_case_or_spaces_alone_are_remarked_on(tmp_path, column):
    labels = {"school_id": "Ada A,ADA a,Ben", "region": "North,north ,South", "cluster": "one,ONE,two"}[column].split(",")
    rows = {
        "school_id": "school_id\n{}\n{}\n{}\n",
        "region": "school_id,region\na,{}\nb,{}\nc,{}\n",
        "cluster": "school_id,role,cluster\na,mentor,{}\nb,mentor,{}\nc,mentor,{}\n",
    }
    (said,) = read(tmp_path, rows[column].format(*labels)).notices
    first, second = (label.strip() for label in labels[:2])
    assert (
        said == f"schools.csv, rows 2 and 3, column {column}: {first!r} and {second!r} are taken for two; expected one spelling of one name"
    )


def test_countries_are_where_they_are():
    """Capitals are within 79 km of the middle of a cell, the half of its diagonal; of other countries they are farther."""
    here = {"IT": ROME, "CZ": PRAGUE, "PT": (38.7, -9.1), "HR": (45.8, 16.0), "FJ": (-18.1, 178.4), "MT": (35.9, 14.5), "EL": (38.0, 23.7)}
    for code, (latitude, longitude) in here.items():
        away = {other: float(km_from([other], np.array([latitude]), np.array([longitude]))[0]) for other in here}
        assert away[code] < 79
        assert min(away, key=lambda other: away[other]) == code
    assert 1100 < length_km("IT") < 1500
    assert [code for code in ("IT", "BE-VLG", "UK", "XK", "XX", "ITA", "") if is_country(code)] == ["IT", "BE-VLG", "UK", "XK"]
