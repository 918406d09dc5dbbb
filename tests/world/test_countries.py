"""The country table: whose figures it holds, what stands where nobody found one, and no figure that follows from others."""

from statistics import fmean

import pytest

from school_mentoring.model.world.countries import COUNTRIES, FIGURES, PILOT, USUAL_HOURS, Country, likely_code, mean_figures

UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"


def test_the_table_holds_the_union_and_four_more_and_the_pilot_comes_first():
    assert tuple(COUNTRIES)[:6] == PILOT
    assert set(COUNTRIES) == {*UNION.split(), "BE-VLG", "CH", "GB-ENG", "NO", "NZ"}


def test_the_country_table_leaves_out_what_is_derived():
    """The cost of a teacher's hour follows from salary, factor and hours; the model keeps no second copy."""
    assert not any("cost" in name for name in Country.model_fields)
    with pytest.raises(ValueError, match="both 0"):
        Country.model_validate(COUNTRIES["IT"].model_dump() | {"schools_primary": 0, "schools_secondary": 0})


@pytest.mark.parametrize("field", FIGURES)
def test_what_nobody_found_is_marked_and_is_the_mean_over_those_that_were_found(field):
    found = [getattr(country, field) for country in COUNTRIES.values() if field not in country.assumed]
    filled = {getattr(country, field) for country in COUNTRIES.values() if field in country.assumed}
    mean = USUAL_HOURS.get(field, fmean(found))
    expected = round(mean) if field.startswith("schools_") else mean
    assert 0 < len(found) < len(COUNTRIES)
    assert filled == {expected} == {mean_figures()[field]}


def test_every_country_with_a_figure_says_where_it_is_from():
    for country in COUNTRIES.values():
        assert country.source
        assert (set(country.assumed) == set(FIGURES)) == (country.source == "no figure found"), country.code


@pytest.mark.parametrize(
    ("stated", "code"), [("EL", "GR"), ("UK", "GB-ENG"), ("GB", "GB-ENG"), ("Croatia", "HR"), ("HR", "HR"), ("QQ", "QQ")]
)
def test_a_country_is_known_by_its_name_and_by_its_other_codes(stated, code):
    assert likely_code(stated) == code
