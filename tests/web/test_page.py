"""The page in Chromium: what it shows is what `run.py compare` gives, what is taken away can be read, nobody sees what is another's."""

import json
import re
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import pandas as pd
import pytest
import yaml

from tests.commands.program import succeed
from tests.commands.test_bad_input import SCENARIOS, TABLES

from .conftest import Visitor
from .server import SMALL, until

AXE = Path(__file__).parent / "vendor" / "axe.min.js"


def compared(folder: Path, *arguments: str, scenario: str = "mensi-pilot") -> dict:
    """Return what `run.py compare` prints: the lines of its table by design, and its sentences; the study is in ``folder``."""
    done = succeed("compare", scenario, *arguments, "--out", "study", cwd=folder)
    lines = [re.split(r"\s{2,}", line.strip()) for line in done.out.splitlines()]
    names = {"no programme": "none", "top-down": "top_down", "regional hub": "regional_hub", "virtual": "virtual"}
    return {names[line[0]]: [re.sub(" ?± ?", " ± ", cell) for cell in line[1:] if cell] for line in lines if line[0] in names}


@pytest.fixture(scope="module")
def changed(tmp_path_factory) -> tuple[Path, dict]:
    """Return what the command line says of a stipend of 4,000 in the hub."""
    folder = tmp_path_factory.mktemp("compare")
    return folder, compared(folder, *SMALL, "--set", "regional_hub.stipend=4000")


def test_a_slider_shows_the_very_numbers_of_compare(visitor, changed):
    page = visitor.open()
    before = visitor.table()
    visitor.open_design("regional_hub")
    drawn = visitor.drawn
    slider = page.locator("input.slider[data-for='designs.1.stipend']")
    slider.evaluate("one => { one.value = 4000; one.dispatchEvent(new Event('input', {bubbles: true})); }")
    visitor.settled(drawn)
    assert page.locator("[name='designs.1.stipend']").input_value() == "4000"
    shown, printed = visitor.table(), changed[1]
    assert shown.keys() == printed.keys()
    for design, cells in printed.items():
        # The line that compare prints ends with the two probabilities, which stand in the page's second table.
        assert shown[design] == cells[: len(shown[design])], design
        assert visitor.table("#sure")[design][:2] == [
            cell.replace("< 1", "less than 1").replace("> 99", "more than 99") for cell in cells[-2:]
        ]
    assert shown["regional_hub"] != before["regional_hub"]
    assert shown["top_down"] == before["top_down"]


def test_the_charts_draw_the_tables_of_compare(visitor, changed):
    visitor.open()
    visitor.open_design("regional_hub")
    visitor.set("designs.1.stipend", "4000")
    specs = json.loads(visitor.page.locator("#answer script.chart-data").text_content())
    curve = [row for row in specs["adoption_0"]["spec"]["data"]["values"] if row["design"] == "regional hub"]
    monthly = pd.read_parquet(changed[0] / "study" / "results.parquet")
    rows = monthly[(monthly["group"] == "all") & (monthly["design"] == "regional_hub")]
    share = (100 * rows["adopters"] / rows["teachers"]).groupby(rows["month"])
    assert [row["mean"] for row in curve] == pytest.approx(share.mean().tolist(), rel=1e-12)
    assert [row["high"] for row in curve] == pytest.approx(share.quantile(0.95).tolist(), rel=1e-12)
    points = {row["design"]: row for row in specs["cost_effect"]["spec"]["data"]["values"]}
    sheet = pd.read_csv(changed[0] / "study" / "cost_effectiveness.csv").set_index("design")
    assert points["regional hub"]["cost"] == pytest.approx(sheet.loc["regional_hub", "incremental_cost"], rel=1e-9)
    assert points["regional hub"]["effect"] == pytest.approx(sheet.loc["regional_hub", "incremental_effect"], rel=1e-9)
    for name in ("adoption_0", "cost_effect", "costs_programme", "costs_schools", "gap_disadvantaged", "gap_rural", "probability", "map"):
        assert visitor.page.locator(f"#chart-{name} svg path").count() > 3, name


def test_the_willingness_to_pay_moves_the_probabilities_of_compare(visitor, changed):
    page = visitor.open()
    visitor.open_design("regional_hub")
    visitor.set("designs.1.stipend", "4000")
    ranking = pd.read_csv(changed[0] / "study" / "ranking.csv")
    for k in (200, 5000):
        drawn = visitor.drawn
        page.locator("#k").fill(str(k))
        visitor.settled(drawn)
        rows = ranking[ranking["willingness_to_pay"] == k].set_index("design")["probability_best"]
        shown = {design: float(cells[1].split()[-2]) for design, cells in visitor.table("#sure").items()}
        assert shown == {design: round(100 * p) for design, p in rows.items()}
    assert "willingness_to_pay" not in page.url  # the address holds it, packed
    visitor.open(page.url.removeprefix(visitor.server.address))
    assert page.locator("#k").input_value() == "5000"


def test_designs_are_duplicated_renamed_and_removed_and_the_link_holds_them(visitor, another):
    page = visitor.open()
    visitor.open_design("regional_hub")
    visitor.press("[data-action='duplicate:1']")
    assert list(visitor.table()) == ["none", "top_down", "regional_hub", "regional_hub_2", "virtual"]
    assert visitor.table()["regional_hub_2"] == visitor.table()["regional_hub"]
    visitor.set("designs.2.name", "Small  café")
    visitor.set("designs.2.places", "1")
    assert list(visitor.table())[3] == "small_cafe"
    assert visitor.table()["small_cafe"] != visitor.table()["regional_hub"]
    assert "a mentor takes up to 1 at a time" in page.locator("#says-2").inner_text()
    visitor.open_design("top_down")
    visitor.press("[data-action='remove:0']")
    shown = visitor.table()
    assert list(shown) == ["none", "regional_hub", "small_cafe", "virtual"]
    link = urljoin(page.url, page.locator("#share").get_attribute("href"))
    another.open(link.removeprefix(another.server.address))
    assert another.table() == shown
    assert another.page.locator("[name='designs.1.places']").input_value() == "1"


def test_six_designs_are_the_most(visitor):
    visitor.open()
    visitor.open_design("top_down")
    for _ in range(3):
        visitor.press("[data-action='duplicate:0']")
    assert visitor.page.locator("details.design").count() == 6
    assert visitor.page.locator("[data-action='duplicate:0']").is_disabled()


def test_what_is_taken_away_can_be_read_and_says_the_same(visitor, changed, tmp_path):
    page = visitor.open()
    visitor.open_design("regional_hub")
    visitor.set("designs.1.stipend", "4000")

    def taken(name: str) -> Path:
        with page.expect_download(timeout=60_000) as waiting:
            page.locator(f"a[href^='download/{name}']").first.click()
        path = tmp_path / name
        waiting.value.save_as(path)
        return path

    scenario = taken("scenario.yaml")
    assert yaml.safe_load(scenario.read_text())["designs"]["regional_hub"]["stipend"] == 4000
    again = compared(tmp_path, scenario=str(scenario))
    assert again == changed[1]
    study = changed[0] / "study"
    assert taken("summary.csv").read_bytes() == (study / "summary.csv").read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(taken("runs.parquet")), pd.read_parquet(study / "runs.parquet"))
    assert len(pd.read_csv(taken("runs.csv"))) == len(pd.read_parquet(study / "runs.parquet"))
    report = taken("report.html").read_text(encoding="utf-8")
    assert "regional hub" in report and "recommend" in report.lower() and "http-equiv" not in report
    assert taken("report.pdf").read_bytes()[:5] == b"%PDF-"
    assert b"<svg" in taken("adoption.svg").read_bytes()
    with zipfile.ZipFile(taken("study.zip")) as packed:
        inside = {Path(name).name: name for name in packed.namelist()}
        listed = json.loads(packed.read(inside["study.json"]))["files"]
        assert packed.read(inside["costs.svg"]) == (study / "figures" / "costs.svg").read_bytes()
    assert listed == json.loads((study / "study.json").read_text())["files"]
    assert taken("costs.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def put(visitor, name: str, content: bytes | str) -> str:
    """Upload a file and return what the page says of it."""
    page = visitor.page
    if not page.locator("#file").is_visible():
        page.get_by_text("Own files").click()
    payload = {"name": name, "mimeType": "text/plain", "buffer": content.encode() if isinstance(content, str) else content}
    page.locator("#file").set_input_files(payload)
    with page.expect_response("**/upload") as waiting:
        page.get_by_role("button", name="Upload").click()
    waiting.value.finished()
    until(lambda: page.evaluate("!document.querySelector('.htmx-request, .htmx-settling')"))
    said = page.locator("#problem .problem, #form .said")
    said.first.wait_for()
    return said.first.inner_text()


@pytest.mark.parametrize("case", ["unknown key", "out of range", "bomb", "code", "not UTF-8"])
def test_a_bad_scenario_is_refused_in_the_words_of_the_command_line(visitor, case):
    visitor.open()
    before = visitor.table()
    content, words = SCENARIOS[case]
    assert words in put(visitor, "bad.yaml", content)
    assert visitor.table() == before


@pytest.mark.parametrize("case", ["negative teachers", "school twice", "unknown column"])
def test_a_bad_table_of_schools_is_refused_in_the_words_of_the_command_line(visitor, case):
    visitor.open()
    schools, _, words = TABLES[case]
    assert words in put(visitor, "schools.csv", schools)
    assert not visitor.server.written()


def test_own_schools_give_what_compare_gives_and_are_nobody_elses(visitor, another, tmp_path):
    table = "school_id,country,teachers\n" + "".join(f"S{k},{'IT' if k % 2 else 'HR'},{10 + k}\n" for k in range(30))
    (tmp_path / "schools.csv").write_text(table)
    printed = compared(tmp_path, *SMALL, "--schools", "schools.csv")
    page = visitor.open()
    drawn = visitor.drawn
    assert "30 schools in 2 countries" in put(visitor, "schools.csv", table)
    visitor.settled(drawn)
    for design, cells in visitor.table().items():
        assert cells == printed[design][: len(cells)], design
    link = page.url.removeprefix(visitor.server.address)
    another.open(link)
    assert "Upload schools.csv" in another.page.locator("#form").inner_text()
    assert another.table() != visitor.table()


def test_two_visitors_do_not_change_each_other(visitor, another):
    visitor.open()
    another.open()
    before = another.table()
    visitor.open_design("regional_hub")
    visitor.set("designs.1.release_hours", "40")
    another.open_design("top_down")
    another.set("designs.0.stipend", "9000")
    assert another.table()["regional_hub"] == before["regional_hub"]
    assert visitor.table()["top_down"] == before["top_down"]
    assert visitor.table()["regional_hub"] != before["regional_hub"]


def test_a_value_out_of_range_is_said_at_the_field_and_nothing_else_changes(visitor):
    page = visitor.open()
    before = visitor.table()
    visitor.open_design("regional_hub")
    field = page.locator("[name='designs.1.virtual_share']")
    field.fill("7")
    page.locator("#problem .problem").wait_for()
    assert "designs.regional_hub.virtual_share: 7 is out of range; allowed: 0 to 1 (share)" in page.locator("#problem").inner_text()
    assert field.get_attribute("aria-invalid") == "true"
    assert visitor.table() == before
    visitor.set("designs.1.virtual_share", "0.5")
    assert page.locator("#problem .problem").count() == 0
    assert field.get_attribute("aria-invalid") is None


def in_view(page, selector: str) -> bool:
    """Tell whether an element is seen without scrolling."""
    box = page.locator(selector).first.bounding_box()
    size = page.viewport_size
    return bool(box) and box["y"] >= 0 and box["y"] + box["height"] <= size["height"] and 0 <= box["x"] < size["width"]


def opacity(page) -> float:
    return float(page.locator("#answer").evaluate("one => getComputedStyle(one).opacity"))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_refusal_is_in_view_and_at_its_field_and_older_results_are_greyed(browser, server, width):
    visitor = Visitor(browser, server, viewport={"width": width, "height": 700})
    page = visitor.open()
    visitor.open_design("regional_hub")
    field = page.locator("[name='designs.1.outreach']")
    field.scroll_into_view_if_needed()
    field.fill("7")
    page.locator("[data-path='designs.regional_hub.outreach'] .at-field").wait_for()
    assert "7 is out of range" in page.locator("[data-path='designs.regional_hub.outreach'] .at-field").inner_text()
    assert in_view(page, "#problem .problem")
    assert page.locator("#stale").is_visible()
    until(lambda: opacity(page) < 0.6)
    visitor.set("designs.1.outreach", "0.5")
    assert page.locator(".problem").count() == 0
    assert page.locator("#stale").is_hidden()
    until(lambda: opacity(page) == 1.0)
    visitor.context.close()


def test_a_refused_file_is_said_beside_the_button_and_in_view(visitor):
    page = visitor.open()
    schools, _, words = TABLES["negative teachers"]
    put(visitor, "schools.csv", schools)
    assert words in page.locator("[data-path='upload'] .at-field").inner_text()
    assert in_view(page, "#problem .problem")


def test_a_world_too_large_is_said_at_the_field_that_sizes_it(visitor):
    page = visitor.open()
    page.locator("summary", has_text="World").click()
    page.locator("[name='world.schools_per_region']").fill("100000")
    page.locator("[data-path='world.schools_per_region'] .at-field").wait_for()
    assert page.locator("#stale").is_visible()


def test_back_brings_back_what_was_removed(visitor):
    page = visitor.open()
    visitor.open_design("regional_hub")
    visitor.set("designs.1.stipend", "4321")
    before = visitor.table()
    visitor.press("[data-action='remove:1']")
    assert "regional hub was removed" in page.locator("#form .said").inner_text()
    assert "regional_hub" not in visitor.table()
    page.go_back()
    visitor.settled(0)
    assert visitor.table() == before
    assert page.locator("[name='designs.1.stipend']").input_value() == "4321"


def test_the_results_say_which_schools_they_are_of(visitor):
    page = visitor.open()
    said = page.locator("#answer .world").inner_text()
    assert re.match(r"Results of \d+ generated schools, which stand for [\d,]+ real ones: \d+ in Belgium", said)
    put(visitor, "schools.csv", "school_id,country,teachers\n" + "".join(f"S{k},IT,{10 + k}\n" for k in range(7)))
    until(lambda: "your own file: 7 in Italy" in page.locator("#answer .world").inner_text())


def test_charts_have_the_width_of_their_place_also_where_the_answer_was_there_before(visitor, another):
    visitor.open()
    page = another.open()
    for name in ("adoption_0", "cost_effect", "map"):
        widths = page.locator(f"#chart-{name}").evaluate("one => [one.clientWidth, one.querySelector('svg').clientWidth]")
        assert abs(widths[0] - widths[1]) <= 2, name


def test_names_with_scripts_are_shown_as_text(visitor):
    page = visitor.open()
    drawn = visitor.drawn
    world = "{regions_per_country: 1, schools_per_region: 3, countries: [{code: XX, name: '<script>alert(1)</script>'}]}"
    evil = f"extends: mensi-pilot\ntitle: '<img src=x onerror=alert(1)>'\nworld: {world}\n"
    page.on("dialog", lambda dialog: pytest.fail("a script of the upload ran"))
    put(visitor, "<b>x</b>.yaml", evil)
    visitor.settled(drawn)
    assert page.locator("#map_country option").first.inner_text() == "<script>alert(1)</script>"
    assert page.locator("img").count() == 0


def test_nothing_is_asked_of_the_outside_and_the_console_is_silent(visitor):
    page = visitor.open()
    visitor.open_design("virtual")
    visitor.set("designs.2.places", "5")
    page.locator("#play").click()
    page.wait_for_timeout(600)
    assert visitor.outside == []
    assert visitor.complaints == []


def test_the_map_plays_over_months_with_mentoring_ties(visitor):
    page = visitor.open()
    assert page.locator("#month-says").inner_text().startswith("Month 0")
    page.locator("summary", has_text="World").click()
    visitor.set("world.schools_per_region", "20")
    page.locator("#month").evaluate("one => { one.value = 15; one.dispatchEvent(new Event('input', {bubbles: true})); }")
    until(lambda: page.evaluate("document.querySelectorAll('#chart-map .mark-rule.role-mark line').length > 0"))
    mentees = int(re.search(r"(\d+) mentees", page.locator("#month-says").inner_text()).group(1))
    inside = page.locator("#chart-map .mark-rule.role-mark line").count()
    assert 0 < inside <= mentees
    page.locator("#play").click()
    until(lambda: page.evaluate("document.querySelector('#month-says').textContent.startsWith('Month 17')"))
    assert page.locator("#play").inner_text() == "Pause"


def test_a_budget_marks_designs_and_the_best_within_it(visitor):
    page = visitor.open()
    visitor.set("view.budget", "1")
    assert all("kEUR over" in cells[-1] for design, cells in visitor.table().items() if design != "none")
    assert "No design that adds adopter-years stays within the budget" in page.locator("#answer .saying").inner_text()
    assert page.locator("#chart-costs_programme .mark-rule.role-mark line").count() == 1


@pytest.mark.parametrize("width", [1280, 390])
def test_no_violation_of_wcag_2_1_aa(browser, server, width):
    visitor = Visitor(browser, server, viewport={"width": width, "height": 900}, bypass_csp=True)
    page = visitor.open()
    for group in page.locator("details").all():
        group.evaluate("one => { one.open = true; }")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})")
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    visitor.context.close()


def test_the_page_is_used_by_keyboard_alone(visitor):
    page = visitor.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("details.design >> nth=1 >> summary").focus()
    page.keyboard.press("Enter")
    page.locator("input.slider[data-for='designs.1.fte']").focus()
    before, drawn = visitor.table(), visitor.drawn
    page.keyboard.press("ArrowRight")
    visitor.settled(drawn)
    assert page.locator("[name='designs.1.fte']").input_value() == "0.06"
    assert visitor.table()["regional_hub"] != before["regional_hub"]
    page.locator("[data-action='duplicate:1']").focus()
    drawn = visitor.drawn
    page.keyboard.press("Enter")
    visitor.settled(drawn)
    assert page.evaluate("document.activeElement.name") == "designs.2.name"


def test_numbers_are_written_as_the_reader_writes_them(browser, server):
    english = Visitor(browser, server)
    english.open()
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("#sure tbody")
    shares = page.locator("#answer tbody tr >> nth=0 >> td >> nth=0")
    assert shares.inner_text() == english.table()["none"][0].replace(".", ",")
    english.context.close()
    context.close()
