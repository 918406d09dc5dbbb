"""The country table: the six countries of the pilot, and no figure that follows from others."""

import pytest

from school_mentoring.model.world.countries import COUNTRIES, Country


def test_the_country_table_leaves_out_what_is_derived() -> None:
    """The cost of a teacher's hour follows from salary, factor and hours; the model keeps no second copy."""
    assert list(COUNTRIES) == ["BE-VLG", "HR", "CZ", "HU", "IT", "PT"]
    assert not any("cost" in name for name in Country.model_fields)
    with pytest.raises(ValueError, match="both 0"):
        Country.model_validate(COUNTRIES["IT"].model_dump() | {"schools_primary": 0, "schools_secondary": 0})
