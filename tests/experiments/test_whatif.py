"""What-if: design by design and from memory, yet the very tables of compare."""

import pandas as pd
import pytest

from school_mentoring.experiments import whatif
from school_mentoring.experiments.compare import compare
from school_mentoring.experiments.whatif import Kept, SupersededError, WhatIf, stacked
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.scenarios import load_scenario


@pytest.fixture(scope="module")
def scenario():
    sets = ["world.schools_per_region=5", "world.regions_per_country=1", "draws=6", "programme.last_month=12"]
    return load_scenario("mensi-pilot", sets, replicates=4, months=20, designs=["regional_hub", "virtual", "hybrid"])


def changed(scenario, **fields):
    """Return the scenario with another regional hub."""
    hub = scenario.designs["regional_hub"].model_copy(update=fields)
    return scenario.model_copy(update={"designs": {**scenario.designs, "regional_hub": hub}})


def test_the_tables_are_those_of_compare_whatever_was_asked_before(scenario):
    one = WhatIf()
    for asked in (scenario, changed(scenario, fte=2.0), changed(scenario, stipend=0.0), scenario):
        found, expected = one.base(asked), compare(asked)
        runs = stacked(found)
        assert set(OUTCOMES) < set(runs.columns)
        pd.testing.assert_frame_equal(runs, expected.base.runs[runs.columns])
        monthly = expected.base.monthly()
        pd.testing.assert_frame_equal(stacked(found, "monthly"), monthly[monthly["group"] == "all"].reset_index(drop=True))
        pd.testing.assert_frame_equal(stacked(one.uncertain(asked)), expected.uncertain[runs.columns])
        keys = ["design", "month", "category", "payer"]
        costs = expected.base.costs().groupby(keys, observed=True)["cost"].sum()
        mine = stacked(found, "costs").set_index(keys)["cost"]
        assert (costs - mine).abs().max() < 1e-6
        assert len(costs) == len(mine)


def test_a_change_of_one_design_runs_that_design_alone(scenario, monkeypatch):
    ran = []
    real = whatif.run_ensemble
    monkeypatch.setattr(whatif, "run_ensemble", lambda one, *rest, **options: ran.append(list(one.designs)) or real(one, *rest, **options))
    one = WhatIf()
    one.base(scenario)
    assert ran == [["none"], ["regional_hub"], ["virtual"], ["hybrid"]]
    ran.clear()
    one.base(changed(scenario, fte=1.5))
    one.base(scenario.model_copy(update={"title": "another", "designs": {"renamed": scenario.designs["virtual"]}}))
    assert ran == [["regional_hub"]]


def test_a_question_that_nobody_asks_any_more_is_given_up(scenario):
    with pytest.raises(SupersededError):
        WhatIf().base(scenario, stop=lambda: True)
    answers = iter([False, True])  # also between two pieces of one design's runs
    with pytest.raises(SupersededError):
        WhatIf().base(scenario, stop=lambda: next(answers))


def test_the_film_shows_every_month_of_a_country(scenario):
    one = WhatIf()
    film = one.film(scenario, "regional_hub", country=2)
    assert film.country == "Czechia"
    assert film.schools.groupby("month").size().tolist() == [5] * 20
    still = compare(scenario).snapshot
    again = one.film(scenario, "regional_hub").schools
    mine = still.schools[still.schools["design"] == "regional_hub"].reset_index(drop=True)
    pd.testing.assert_frame_equal(again[again["month"].isin(mine["month"].unique())].reset_index(drop=True), mine)
    assert one.film(scenario.model_copy(update={"designs": {"none": whatif.with_comparator(scenario).designs["none"]}}), "none") is None


def test_what_was_least_lately_used_goes_first():
    kept = Kept(lambda values: len(values) > 2)
    made = []

    def make(key):
        return kept.get(key, lambda: made.append(key) or key)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert make(key) == key
    assert made == ["a", "b", "c", "b"]
