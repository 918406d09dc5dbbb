"""Synthetic populations: the stated shares and means, drawn from nothing but the seed."""

import numpy as np
import pytest

from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL, SECONDARY
from school_mentoring.model.world.countries import COUNTRIES, Country
from school_mentoring.model.world.schools import Schools, generate_schools
from tests.school_tables import ALL, BASE, CZECHIA, ITALY, near, same


@pytest.fixture(scope="module")
def national() -> Schools:
    """Return 20,016 schools, 834 in each of 4 regions of 6 countries, at base values."""
    return generate_schools(ALL, [4] * 6, 834, BASE, seed=11, index=0)


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
