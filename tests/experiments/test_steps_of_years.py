"""Diffusions seen by the year: a step is a year, dates become years, and rates per month do not stand for rates per year."""

import pandas as pd
import pytest

from school_mentoring.experiments.pilot_data.observations import clock_of, month_meant, read_observations
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario


def test_years_and_dates_become_years_since_the_start(tmp_path):
    farmers = load_scenario("farmers")
    assert farmers.step == "year"
    _, schools = Worlds(farmers).get(farmers.base_parameters(), 0)
    times = pd.DataFrame({"school_id": ["n0", "n2", "n3", "n1"], "adoption_time": ["1951", "1949-07", "", "1963-01-20"]})
    times.to_csv(tmp_path / "observations.csv", index=False)
    seen = read_observations(tmp_path / "observations.csv", schools, start="1948", end="1964", step=farmers.step)
    frame = seen.frame.set_index("school_id")
    assert frame.loc[["n0", "n2", "n1"], "earliest"].tolist() == frame.loc[["n0", "n2", "n1"], "latest"].tolist() == [3, 1, 15]
    assert (frame.loc["n3", "earliest"], seen.end) == (17, 16)
    assert month_meant("1957", clock_of("1948-03", "year"), "--hold-out after=1957") == 9
    assert month_meant("1957", clock_of("1948-01"), "--hold-out after=1957") == 119


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"designs": ["none", "regional_hub"]}, "step: is year, and the design regional_hub works by the month"),
        ({"parameters": {}}, "step: is year, and p has its rate per month; state what it is in a year"),
    ],
)
def test_a_year_is_no_step_of_programmes_and_of_rates_per_month(tmp_path, changes, told):
    import yaml

    stated = {"step": "year", "designs": ["none"], "parameters": dict.fromkeys(("p", "q_in", "q_out", "d", "turnover"), 0.1), **changes}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(stated), encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load_scenario(tmp_path / "own.yaml")
