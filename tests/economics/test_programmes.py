"""What a mentored school costs is put beside the programme that a design stands on."""

import pandas as pd
import pytest

from school_mentoring.analysis.economics.programmes import beside_programmes
from school_mentoring.experiments.prices.programmes import programmes
from school_mentoring.model.designs import PRESETS

REACH = pd.DataFrame({"design": ["none", "hub", "virtual", "alone"], "programme_per_school": [None, 3000.0, 800.0, 500.0]})
SEEN = pd.DataFrame(
    {
        "programme": ["big", "lessons", "remote"],
        "design": ["", "hub", "virtual"],
        "per": ["school", "school and year", "school"],
        "euros_at_pilot_salaries": [9000.0, 2000.0, 1600.0],
    }
)


def test_the_outlay_of_a_design_is_taken_per_year_where_its_programme_is_and_the_ratio_follows():
    found = beside_programmes(REACH, SEEN, years=2.0).set_index("design")
    assert found.loc["hub", ["outlay", "ratio"]].tolist() == [1500.0, 0.75]
    assert found.loc["virtual", ["outlay", "ratio"]].tolist() == [800.0, 0.5]


def test_a_design_without_a_programme_and_a_programme_without_a_design_are_shown_all_the_same():
    found = beside_programmes(REACH, SEEN, years=2.0)
    assert found["design"].tolist() == ["hub", "virtual", "alone", ""]
    assert found["outlay"].tolist()[2] == 500.0
    assert pd.isna(found["ratio"].tolist()[2]) and pd.isna(found["outlay"].tolist()[3])


def test_shipped_programmes_stand_beside_presets_and_say_what_was_seen():
    table = programmes()
    assert set(table["design"]) <= {"", *PRESETS}
    assert {"specialist", "regional_hub", "hybrid", "virtual"} <= set(table["design"])
    assert table["seen"].str.contains(r"\d").all()


def test_teaching_for_mastery_by_hand():
    planned = programmes().iloc[0]
    assert planned["euros"] == pytest.approx(5100 * 128.64 / 105.97 / 0.8698)
    assert planned["euros_at_pilot_salaries"] == pytest.approx(
        planned["euros"] * (58700 + 22100 + 25500 + 15900 + 31300 + 33400) / 6 / 51000
    )
