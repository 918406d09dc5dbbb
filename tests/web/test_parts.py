"""The page's parts, without a browser: addresses, fields, sentences, fair work, visitors, the place below a proxy."""

import asyncio
import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args
from urllib.parse import urlencode

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.analysis.web import texts
from school_mentoring.analysis.web.charts import map_chart
from school_mentoring.analysis.web.form import design_name_of, edited, read_form
from school_mentoring.analysis.web.guard import LogHandler, checked_names, checked_root, listen
from school_mentoring.analysis.web.limits import Limits
from school_mentoring.analysis.web.page import design_fields, page_context
from school_mentoring.analysis.web.sessions import Sessions
from school_mentoring.analysis.web.state import View, from_address, known_scenarios, new_state, rebuilt, serve_first, to_address
from school_mentoring.analysis.web.work import Work
from school_mentoring.experiments.whatif import SupersededError
from school_mentoring.model.designs import CHOICES, FIELDS, PRESETS, Design
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario
from school_mentoring.scenarios.schema import Scenario

from .server import SMALL, serving
from .test_hostile import OURS, ask, content_of

WEB = Path(texts.__file__).parent


def designs() -> st.SearchStrategy[Design]:
    fields = {}
    for name, row in FIELDS.items():
        kind = Design.model_fields[name].annotation
        if name in CHOICES:
            fields[name] = st.sampled_from(CHOICES[name])
        elif row.unit == "0|1":
            fields[name] = st.booleans()
        else:
            number = st.integers(int(row.low), int(row.high)) if int in (kind, *get_args(kind)) else st.floats(row.low, row.high)
            fields[name] = st.none() | number if type(None) in get_args(kind) else number
    return st.builds(Design, **fields).filter(lambda one: (one.first_month or 0) <= (one.last_month or 34) and (one.first_month or 0) <= 34)


@given(st.lists(designs(), min_size=1, max_size=6), st.sampled_from([n for n in known_scenarios() if n != "national"]))
def test_an_address_carries_the_whole_set_of_designs(made, begun):
    try:
        state = rebuilt(
            new_state(begun),
            {"designs": {f"d{k}": one for k, one in enumerate(made)}},
            {f"d{k}": "hybrid" for k in range(len(made))},
            new_state(begun).view,
        )
    except InputError:
        return  # a window that ends before it begins in this scenario
    again = from_address(to_address(state))
    assert again == state
    assert list(again.scenario.designs) == list(state.scenario.designs)


def with_programmes():
    gate = {"outcome": "mentee_share", "at_least": 0.25, "survey": 30}
    hub, virtual = {"months": 24, "design": "regional_hub"}, {"months": 12, "design": "virtual", "tie_months": 24, "if": gate}
    designs = {
        "piloted": {"phases": [hub, {**virtual, "else": [{"months": 6, "design": "outreach"}]}]},
        "chosen": {"by_country": {"IT": {"design": "bottom_up", "target": "small", "reserve": 0.5}, "others": "none"}},
        "virtual": None,
    }
    return rebuilt(new_state("mensi-pilot"), {"designs": designs}, {"piloted": "none", "chosen": "none", "virtual": "virtual"}, View())


def test_programmes_survive_the_address_and_the_form_under_any_name():
    state = with_programmes()
    assert from_address(to_address(state)) == state
    names = ["piloted", "chosen", "virtual"]
    form = {f"designs.{k}.{key}": name for k, name in enumerate(names) for key in ("name", "preset")}
    form |= {"designs.0.programme": "piloted", "designs.1.programme": "chosen", "designs.0.name": "Then virtual"}
    read = read_form(form, state).scenario.designs
    assert [*read.values()] == [*state.scenario.designs.values()]
    assert [*read] == ["then_virtual", "chosen", "virtual"]
    assert edited({**form, "action": "duplicate:1"}, state).scenario.designs["chosen_2"] == state.scenario.designs["chosen"]


def test_a_programme_is_told_on_the_page_and_has_no_fields_there():
    shown = page_context(with_programmes(), Sessions(Limits()).visitor(None), Limits())["designs"]
    assert [len(one["fields"]) > 0 for one in shown] == [False, False, True]
    assert shown[1]["says"] == "Italy: bottom-up (50 % of the places are reserved for small schools); all others: no programme."


def test_of_too_many_designs_the_page_keeps_the_scenario_s_own():
    assert {"at_once", "pilot_first", "by_country"} < {*new_state("roll-out").scenario.designs}


@pytest.mark.parametrize("name", known_scenarios())
def test_every_scenario_that_is_offered_comes_back_from_its_address(name):
    state = new_state(name)
    assert from_address(to_address(state)) == state
    assert len(to_address(state)) < 2000


@given(st.text(max_size=300))
def test_any_name_becomes_a_name_that_scenarios_take_or_nothing(text):
    name = design_name_of(text)
    assert re.fullmatch(r"[a-z0-9_]{0,40}", name)


def test_every_field_of_a_design_is_in_the_form_with_the_tables_words_and_range():
    for preset in PRESETS.values():
        fields = {field.name.rsplit(".", 1)[1]: field for field in design_fields(preset, "designs.0", "designs.x")}
        assert list(fields) == list(FIELDS)
        for name, row in FIELDS.items():
            field = fields[name]
            assert field.help == row.meaning
            if field.kind == "number":
                assert (field.unit, field.minimum, field.maximum, field.low, field.high) == (
                    row.unit,
                    row.minimum,
                    row.maximum,
                    row.low,
                    row.high,
                )
                assert 1 <= (row.high - row.low) / float(field.step) <= 300
            if field.kind == "choice":
                assert field.choices == CHOICES[name]


@given(designs())
def test_the_form_sent_back_unchanged_is_the_same_page(design):
    state = new_state("mensi-pilot")
    try:
        state = rebuilt(state, {"designs": {"mine": design}}, {"mine": "virtual"}, state.view)
    except InputError:
        return
    form = {"designs.0.name": "mine", "designs.0.preset": "virtual"}
    form |= {field.name: field.shown for field in design_fields(design, "designs.0", "designs.mine")}
    assert read_form(form, state).scenario == state.scenario


def test_the_map_draws_ties_as_lines_and_lasting_contacts_dashed_each_once():
    place = {"school": [4, 5, 6], "school_id": ["a", "b", "c"], "x_km": [0.0, 1.0, 2.0], "y_km": [0.0, 3.0, 5.0]}
    schools = pd.DataFrame({"month": 7, **place, "share": 0.5, "role": [1, 2, 3], "mentor": [-1, 4, -1]})
    contacts = pd.DataFrame({"month": [7, 7], "school": [5, 6], "partner": [6, 5], "weight": [0.1, 0.2]})
    lines = map_chart(schools, contacts)["layer"][0]
    tie, contact = lines["encoding"]["strokeDash"]["scale"]["domain"]
    assert lines["data"]["values"] == [
        {"month": 7, "line": tie, "x": 1.0, "y": 3.0, "x2": 0.0, "y2": 0.0},
        {"month": 7, "line": contact, "x": 1.0, "y": 3.0, "x2": 2.0, "y2": 5.0},
    ]
    assert len({tuple(dash) for dash in lines["encoding"]["strokeDash"]["scale"]["range"]}) == 2


def test_every_text_is_used_and_every_text_used_is_there():
    stated = {f"{section}.{name}" for section, names in texts._texts().items() for name in names}
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*WEB.glob("*.py"), *WEB.glob("templates/*.html")])
    used = set(re.findall(r"""\b(?:t|text)\(\s*["']([a-z]+\.[a-z_]+)["']""", source)) | set(re.findall(r'"(charts\.[a-z_]+)"', source))
    assert used - stated == set()
    assert stated - used == set()


def test_the_schema_says_of_every_number_on_the_page_which_range_makes_sense():
    for name in ("months", "replicates", "draws"):
        extra = Scenario.model_fields[name].json_schema_extra
        assert extra["low"] < extra["high"]


def test_what_libraries_say_of_a_fault_is_a_line_of_the_log_with_the_place_where_it_arose(capsys):
    logger = logging.Logger("library")
    logger.addHandler(LogHandler())
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("it failed")
    logger.warning("it is late")
    fault, warning = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (fault["event"], fault["logger"], fault["message"]) == ("fault", "library", "it failed")
    assert "test_parts.py" in fault["trace"] and fault["trace"].endswith("ValueError: two\nlines")
    assert (warning["event"], warning["message"]) == ("library", "it is late")


def test_a_page_of_no_design_but_the_comparator_is_refused():
    with pytest.raises(InputError, match="there is no design besides 'none'"):
        serve_first(load_scenario("mensi-pilot", designs=["none"]))


# --- where the page listens ---


@pytest.mark.parametrize(("path", "root"), [("", ""), ("/", ""), ("/what/if", "/what/if"), ("/mentoring/", "/mentoring")])
def test_a_path_below_a_proxy_is_taken_with_or_without_a_slash_at_its_end(path, root):
    assert checked_root(path) == root


@pytest.mark.parametrize("path", ["mentoring", "//", "/a//b", "/../b", "/a b", "/a?b"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(InputError, match="is no path"):
        checked_root(path)


def test_names_are_compared_as_browsers_send_them():
    assert checked_names(["School.Example", "[::1]", "bücher.example", "*"]) == ("school.example", "::1", "xn--bcher-kva.example", "*")
    for name in ("http://school.example", "school.example:80", "", "a" * 64 + ".example"):
        with pytest.raises(InputError, match="is no name of a machine"):
            checked_names([name])


def test_where_the_page_listens_is_shown_and_taken_by_nobody_else():
    line, shown = listen("127.0.0.1", 0, "/mentoring")
    with line:
        port = line.getsockname()[1]
        assert shown == f"http://localhost:{port}/mentoring/"
        with pytest.raises(InputError, match=r"cannot be listened on .*; give another port"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(("host", "words"), [("", "names no address"), ("ü" * 300, "cannot be listened on .no name of a machine")])
def test_where_nobody_can_listen_is_refused(host, words):
    with pytest.raises(InputError, match=words):
        listen(host, 0)


# --- fair work ---


def in_a_loop_of_its_own(coroutine):
    """Return what the coroutine gives, run in another thread: in this one the browser's tests leave a loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def test_the_newest_question_of_a_page_takes_the_place_of_its_older_ones():
    started, asked = threading.Event(), []

    def slow(threads, stop):
        started.set()
        while not stop():
            time.sleep(0.005)
        raise SupersededError

    def quick(number):
        asked.append(number)
        return number

    async def run():
        work = Work(1)
        first = asyncio.create_task(work.answer("a", "page", slow))
        await asyncio.to_thread(started.wait)
        rest = []
        for number in range(10):
            rest.append(asyncio.create_task(work.answer("a", "page", lambda threads, stop, number=number: quick(number))))
            await asyncio.sleep(0)
        results = await asyncio.gather(first, *rest, return_exceptions=True)
        work.close()
        return results

    results = in_a_loop_of_its_own(run())
    assert [isinstance(one, SupersededError) for one in results] == [True] * 10 + [False]
    assert results[-1] == 9
    assert asked == [9]  # none of the stale ones was ever computed


def test_visitors_take_turns():
    order = []

    async def run():
        work = Work(1)
        gate = threading.Event()
        first = asyncio.create_task(work.answer("x", "p", lambda threads, stop: gate.wait()))
        await asyncio.sleep(0.05)
        greedy = [asyncio.create_task(work.answer("greedy", f"page {k}", lambda threads, stop: order.append("greedy"))) for k in range(5)]
        await asyncio.sleep(0)
        modest = asyncio.create_task(work.answer("modest", "page", lambda threads, stop: order.append("modest")))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, *greedy, modest)
        work.close()

    in_a_loop_of_its_own(run())
    assert order.index("modest") <= 1
    assert len(order) == 6


def test_a_question_is_given_up_whether_it_waits_or_is_under_way():
    started = threading.Event()

    def until_stopped(threads, stop):
        started.set()
        while not stop():
            time.sleep(0.005)

    async def run():
        work = Work(1)
        questions = [asyncio.create_task(work.answer("a", "running", until_stopped))]
        await asyncio.to_thread(started.wait)
        questions.append(asyncio.create_task(work.answer("a", "waiting", lambda threads, stop: "never")))
        await asyncio.sleep(0)
        for visitor, page in (("b", "running"), ("a", "waiting"), ("a", "running")):
            work.give_up(visitor, page)
        next_one = await work.answer("b", "page", lambda threads, stop: "answered")
        work.close()
        return next_one, await asyncio.gather(*questions, return_exceptions=True)

    answered, given_up = in_a_loop_of_its_own(run())
    assert answered == "answered"
    assert [type(one) for one in given_up] == [SupersededError] * 2


def test_a_question_whose_visitor_leaves_while_it_waits_is_never_computed():
    computed = []

    async def run():
        work, gate = Work(1), threading.Event()
        first = asyncio.create_task(work.answer("a", "page", lambda threads, stop: gate.wait()))
        left = asyncio.create_task(work.answer("b", "page", lambda threads, stop: computed.append("left")))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.wait([left])
        gate.set()
        await asyncio.gather(first, work.answer("c", "page", lambda threads, stop: computed.append("stayed")))
        work.close()
        return left.cancelled()

    assert in_a_loop_of_its_own(run())
    assert computed == ["stayed"]


def test_an_older_answer_that_comes_late_is_not_given_and_the_newer_can_still_be_given_up():
    gate, begun = threading.Event(), {"older": threading.Event(), "newer": threading.Event()}

    def late(threads, stop):
        begun["older"].set()
        gate.wait()
        return "late"

    def until_stopped(threads, stop):
        begun["newer"].set()
        while not stop():
            time.sleep(0.005)

    async def run():
        work = Work(2)
        older = asyncio.create_task(work.answer("a", "page", late))
        await asyncio.to_thread(begun["older"].wait)
        newer = asyncio.create_task(work.answer("a", "page", until_stopped))
        await asyncio.to_thread(begun["newer"].wait)
        gate.set()
        await asyncio.wait([older])
        work.give_up("a", "page")
        await asyncio.wait([newer])
        work.close()
        return [type(one.exception()) for one in (older, newer)]

    assert in_a_loop_of_its_own(run()) == [SupersededError] * 2


def test_what_is_asked_of_a_server_that_is_closing_is_given_up():
    async def run():
        work = Work(1)
        work.close()
        await work.answer("a", "page", lambda threads, stop: "never")

    with pytest.raises(SupersededError):
        in_a_loop_of_its_own(run())


def test_the_visitor_least_lately_seen_is_forgotten_when_there_are_too_many():
    sessions = Sessions(Limits(visitors=2))
    visitors = [sessions.visitor(None) for _ in range(3)]
    for number, visitor in enumerate(visitors):
        sessions.keep(visitor, *sessions.draft(f"school_id\n{number}\n".encode(), "schools.csv"))
        sessions.visitor(visitors[0].key)
    assert [len(sessions.visitor(visitor.key).tables) for visitor in visitors] == [1, 0, 1]
    assert len(list(sessions.folder.rglob("schools.csv"))) == 2
    sessions.close()


def test_a_visitors_schools_lapse_and_only_the_latest_are_kept(tmp_path):
    sessions = Sessions(Limits(hours=0))
    visitor = sessions.visitor(None)
    for number in range(5):
        digest, path = sessions.draft(f"school_id\n{number}\n".encode(), "schools.csv")
        sessions.keep(visitor, digest, path)
    assert len(visitor.tables) == 3
    assert len(list(sessions.folder.rglob("schools.csv"))) == 3
    assert sessions.visitor(visitor.key).tables == {}
    assert list(sessions.folder.rglob("schools.csv")) == []
    sessions.close()
    assert not sessions.folder.exists()


def test_a_server_may_begin_with_own_schools_and_its_addresses_name_no_file(tmp_path):
    table = "school_id,country,teachers,rural\n" + "".join(f"S{k},{'IT' if k % 2 else 'HR'},{10 + k},0\n" for k in range(30))
    (tmp_path / "mine.csv").write_text(table)
    with serving(*SMALL, "--schools", str(tmp_path / "mine.csv")) as running:
        page = ask(running, "GET", "/").text
        state = re.search(r'name="state" value="([^"]+)"', page).group(1)
        assert "mine.csv" not in json.dumps(content_of(state))
        answer = ask(running, "POST", "/answer", urlencode({"state": state, "page": "x"}), OURS)
        assert answer.status == 200
        assert '"gap_disadvantaged"' in answer.text and '"gap_rural"' not in answer.text  # where all are alike there is no gap
        film = ask(running, "POST", "/map", urlencode({"state": state, "page": "x"}), OURS)
        assert "Croatia" in film.text and "Belgium" not in film.text
        yaml = ask(running, "GET", f"/download/scenario.yaml?s={state}").text
        assert "schools: schools.csv" in yaml and str(tmp_path) not in yaml


def test_the_page_stands_below_a_path_of_a_proxy_and_answers_for_its_health():
    with serving(*SMALL, "--root-path", "/what/if", "--allow-host", "ministry.example") as running:
        assert running.address.endswith("/what/if/")
        for prefix in ("", "/what/if"):  # a proxy may take the path away or leave it
            page = ask(running, "GET", f"{prefix}/", headers={"Host": "ministry.example"})
            assert page.status == 200
            assert not re.search(r'(?:src|href|hx-post)="/', page.text)
            assert ask(running, "GET", f"{prefix}/static/page.css").status == 200
            assert ask(running, "GET", f"{prefix}/health").status == 200
        assert ask(running, "GET", "/", headers={"Host": "other.example"}).status == 421
