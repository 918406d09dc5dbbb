"""Mesa's own page: its model is the one that compare runs, it looks into single schools, and nothing is fetched from elsewhere."""

import importlib.util
import os
import sys

import pytest

from school_mentoring.analysis.web.mesa_page import OFFLINE, ViewedModel, map_figure, school_table, serve_mesa, state_table
from school_mentoring.experiments.simulate import simulate
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario

from .server import FLAGS, REQUIRED, SMALL, chromium, serving

SETS = ["world.schools_per_region=5", "world.regions_per_country=1"]


@pytest.fixture
def scenario():
    one = load_scenario("mensi-pilot", SETS, replicates=1, months=16, designs=["regional_hub"])
    ViewedModel.scenario = one
    return one


def test_the_model_that_is_shown_is_the_first_replicate_of_simulate(scenario):
    model = ViewedModel("regional_hub")
    while model.running:
        model.step()
    monthly = simulate(scenario).ensemble.monthly()
    rows = monthly[monthly["group"] == "all"].set_index("month")
    shown = model.datacollector.get_model_vars_dataframe().set_index("month")
    assert shown["adopters"].tolist() == rows["adopters"].tolist()
    assert shown["active_ties"].tolist() == rows["active_ties"].tolist()
    assert shown["active_ties"].max() > 0


def test_a_school_is_looked_into_with_its_ties(scenario):
    model = ViewedModel("regional_hub", seed="7")
    for _ in range(9):
        model.step()
    mentee = next(school for school in model.schools if school.mentor)
    told = school_table(model, mentee).set_index("")["value"]
    assert told["role"] == "mentee"
    assert told["mentor"] == model.table.school_id[mentee.mentor.index]
    assert told["school"] in school_table(model, mentee.mentor).set_index("")["value"]["mentees"]
    table = state_table(model, mentee.country)
    assert table.loc[table["school"] == mentee.index, "mentor"].tolist() == [mentee.mentor.index]
    assert map_figure(model, mentee.country).axes


def test_a_design_that_is_none_is_refused_with_the_nearest_name(scenario):
    with pytest.raises(InputError, match=r"no design named 'regional_hubs'.*regional_hub"):
        serve_mesa(scenario, "regional_hubs", host="127.0.0.1", port=0)


@pytest.mark.parametrize("given", [{"allow_hosts": ["school.example"]}, {"root_path": "/mentoring"}])
def test_what_only_the_what_if_page_takes_is_refused(scenario, given):
    with pytest.raises(InputError, match="does not go with --mesa"):
        serve_mesa(scenario, "regional_hub", host="127.0.0.1", port=0, **given)


def test_without_the_extra_it_is_said_how_to_install_it(scenario, monkeypatch):
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)  # so that they are taken back at the end
    monkeypatch.setitem(sys.modules, "solara", None)
    with pytest.raises(InputError, match=r"needs Solara, which is not installed.*pip install -e '\.\[mesa\]'"):
        serve_mesa(scenario, "regional_hub", host="127.0.0.1", port=0)


def test_the_page_steps_resets_and_asks_nothing_of_the_outside(browser):
    if importlib.util.find_spec("solara_assets") is None:
        words = "Mesa's page needs the extra mesa: pip install -e '.[mesa]'"
        pytest.fail(words) if os.environ.get(REQUIRED) == "required" else pytest.skip(words)
    outside: list[str] = []
    with serving(*SMALL, "--mesa") as running:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.route(
            "**/*",
            lambda route: (
                route.continue_()
                if route.request.url.startswith((running.address, "data:", "blob:"))
                else (outside.append(route.request.url), route.abort())
            ),
        )
        page.goto(running.address)
        step = page.get_by_role("button", name="Step")
        step.click()
        page.get_by_text("Month 1 of 30").wait_for()
        step.click()
        page.get_by_text("Month 2 of 30").wait_for()
        page.get_by_text("Page 1").click()
        page.get_by_text("digital capacity").wait_for()
        page.get_by_text("Page 0").click()
        page.get_by_role("button", name="Reset").click()
        page.get_by_text("Month 0 of 30").wait_for()
        page.close()
        assert [line for line in running.log if line["event"] == "fault"] == []
    assert outside == []


def test_chromium_is_there_where_the_gate_asks_for_it():
    if os.environ.get(REQUIRED) == "required":
        assert chromium()
    assert "--headless" in FLAGS
