"""What the page's server answers, asked without a browser: buttons, uploads, links, questions that nobody waits for any more."""

import asyncio
import html
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
import pytest
import yaml

from school_mentoring.analysis.web.app import make_app
from school_mentoring.analysis.web.downloads import Studies, download, portable_yaml
from school_mentoring.analysis.web.state import MOST_DESIGNS, new_state, to_address
from school_mentoring.analysis.web.work import MOST_WAITING, Work
from school_mentoring.experiments.compare import compare, with_comparator
from school_mentoring.experiments.folder.rerun import again
from school_mentoring.experiments.whatif import SupersededError
from school_mentoring.model.engine import cpu_count
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario

from .server import SMALL, Server, serving
from .test_hostile import OURS, Answer, ask, content_of, multipart
from .test_parts import in_a_loop_of_its_own


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Start a server of its own, whose scenario differs from the shipped one in a parameter and lasts as long as its funding."""
    with serving(*SMALL, "--set", "p=0.01", "--set", "programme.last_month=29") as running:
        yield running
        assert running.errors == []


class Asking:
    """A visitor who asks by hand: ``state`` is what the page last gave, ``said`` what it last said."""

    def __init__(self, server: Server) -> None:
        self.server, self.said = server, ""
        first = ask(server, "GET", "/")
        self.cookie = first.headers["Set-Cookie"].split(";")[0]
        self.state = self._taken(first)

    def _taken(self, answer: Answer) -> str:
        self.said = html.unescape(answer.text)
        found = re.search(r'name="state" value="([^"]+)"', answer.text)
        return found.group(1) if found else self.state

    def post(self, path: str, **fields: str) -> int:
        """Send the page with these fields; return the status."""
        answer = ask(
            self.server, "POST", path, urlencode({"state": self.state, "page": "x", **fields}), {**OURS, "Cookie": self.cookie}
        )  # fmt: skip
        self.state = self._taken(answer)
        return answer.status

    def press(self, action: str, **fields: str) -> int:
        return self.post("/edit", action=action, **fields)

    def upload(self, name: str, content: str, **fields: str) -> int:
        body, headers = multipart(name, content.encode(), state=self.state, page="x", **fields)
        answer = ask(self.server, "POST", "/upload", body, {**headers, "Cookie": self.cookie})
        self.state = self._taken(answer)
        return answer.status

    def take(self, name: str) -> Answer:
        return ask(self.server, "GET", f"/download/{name}?s={self.state}", headers={"Cookie": self.cookie})

    @property
    def designs(self) -> list[str]:
        return [name for name in yaml.safe_load(self.take("scenario.yaml").text)["designs"] if name != "none"]

    @property
    def practices(self) -> list[str]:
        return [one["name"] for one in yaml.safe_load(self.take("scenario.yaml").text)["practices"]]


@pytest.fixture
def visitor(server) -> Asking:
    return Asking(server)


def test_a_link_carries_the_parameters_in_which_the_scenario_differs(visitor):
    assert list(content_of(visitor.state)["scenario"]["parameters"]) == ["p"]
    stated = yaml.safe_load(visitor.take("scenario.yaml").text)["parameters"]["p"]
    assert {stated[end] for end in ("low", "base", "high")} == {0.01}
    visitor.post("/answer")
    assert "Fixed in every run: p at 0.01. Its uncertainty is left out of all that is said." in visitor.said


# --- buttons ---


def test_a_preset_is_added_under_a_name_that_is_free(visitor):
    before = visitor.designs
    assert visitor.press("add", add_preset="hybrid") == 200
    assert visitor.press("add", add_preset="hybrid") == 200
    assert visitor.designs == [*before, "hybrid", "hybrid_2"]
    assert visitor.post("/answer") == 200
    assert "hybrid 2" in visitor.said


@pytest.mark.parametrize("preset", ["", "none", "hybird"])
def test_only_presets_are_added(visitor, preset):
    assert visitor.press("add", add_preset=preset) == 422
    assert f"no preset named '{preset}'" in visitor.said


def test_a_seventh_design_is_refused_and_so_is_taking_the_last_one_away(visitor):
    while len(visitor.designs) < MOST_DESIGNS:
        visitor.press("add", add_preset="hybrid")
    for action in ("add", "duplicate:0"):
        assert visitor.press(action, add_preset="hybrid") == 422
        assert f"There are {MOST_DESIGNS} designs" in visitor.said
    for _ in range(MOST_DESIGNS - 1):
        assert visitor.press("remove:0") == 200
    assert visitor.press("remove:0") == 422
    assert "the last design cannot be removed" in visitor.said
    assert len(visitor.designs) == 1


def test_programmes_come_with_a_file_are_told_in_a_sentence_and_stay_as_they_are(visitor):
    programmes = {
        "then": {"phases": [{"months": 12, "design": "regional_hub"}, {"months": 6, "design": "virtual"}]},
        "chosen": {"by_country": {"IT": "bottom_up", "others": "virtual"}},
    }
    world = {"countries": ["IT", "PT"], "regions_per_country": 1, "schools_per_region": 4}
    stated = {"months": 40, "replicates": 2, "draws": 2, "world": world, "designs": programmes}
    assert visitor.upload("own.yaml", yaml.safe_dump(stated)) == 200
    assert "12 months of regional hub, then 6 months of virtual." in visitor.said
    assert "Italy: bottom-up; all others: virtual." in visitor.said
    before = yaml.safe_load(visitor.take("scenario.yaml").text)["designs"]
    shown = {"designs.0.name": "Copied from", "designs.0.programme": "then", "designs.1.name": "chosen", "designs.1.programme": "chosen"}
    assert visitor.press("duplicate:0", **shown) == 200
    after = yaml.safe_load(visitor.take("scenario.yaml").text)["designs"]
    expected = {"copied_from": before["then"], "copied_from_2": before["then"], "chosen": before["chosen"]}
    assert {name: one for name, one in after.items() if name != "none"} == expected
    assert visitor.post("/answer") == 200
    assert "copied from 2" in visitor.said
    assert visitor.post("/map") == 200


def test_practices_are_added_and_removed_as_many_as_a_scenario_may_have(visitor):
    first = visitor.practices
    assert visitor.press("practice_remove:0") == 422
    assert "the last practice cannot be removed" in visitor.said
    assert visitor.press("practice_add") == 200
    assert visitor.practices == [*first, f"{first[0]}_2"]
    assert visitor.post("/answer") == 200
    assert "adoption_1" in visitor.said
    while len(visitor.practices) < 16:
        assert visitor.press("practice_add") == 200
    assert visitor.press("practice_add") == 422
    assert "practices: a list is too long; allowed: 16 items" in visitor.said
    assert visitor.press("practice_remove:0") == 200  # the page still stands
    assert visitor.practices[0] == f"{first[0]}_2"


def test_a_shipped_scenario_is_loaded_and_its_schools_are_replaced_by_generated_ones(visitor):
    assert visitor.press("load", begin="synthetic-pilot") == 200
    assert "Use generated schools again" in visitor.said
    assert visitor.press("generated") == 200
    assert "Use generated schools again" not in visitor.said
    taken = yaml.safe_load(visitor.take("scenario.yaml").text)
    assert taken["name"] == "synthetic-pilot"
    assert taken["world"]["schools"] is taken["world"]["ties"] is None


@pytest.mark.parametrize(
    ("second", "words"), [("regional hub", "two designs have this name"), ("NONE", "is what all designs are compared with")]
)
def test_no_two_designs_have_a_name_and_none_has_the_comparators(visitor, second, words):
    fields = {"designs.0.name": "Regional  Hub", "designs.0.preset": "virtual", "designs.1.name": second, "designs.1.preset": "virtual"}
    assert visitor.post("/answer", **fields) == 422
    assert words in visitor.said


# --- answers ---


def test_the_best_design_within_a_budget_is_named(visitor):
    assert visitor.post("/answer", **{"view.budget": "1e12"}) == 200
    assert re.search(r"Within the budget of EUR 1,000,000,000,000 for the programme, [a-z -]+ adds most", visitor.said)
    assert "kEUR over" not in visitor.said


def test_where_nothing_is_uncertain_no_probability_is_shown(visitor):
    world = "world: {regions_per_country: 1, schools_per_region: 4}"
    assert visitor.upload("sure.yaml", f"extends: mensi-pilot\nreplicates: 4\nmonths: 20\nuncertain: []\n{world}\n") == 200
    assert visitor.post("/sure") == 200
    assert "Nothing is uncertain in this scenario" in visitor.said


def test_a_figure_that_a_comparison_cannot_have_is_refused_in_words(visitor):
    answer = visitor.take("durability.svg")  # nothing is left of the horizon after the funding
    assert answer.status == 422
    assert answer.text.startswith("durability.svg: this comparison has no such figure; allowed: adoption, teams, costs")


# --- uploads ---


def test_of_a_scenario_with_many_designs_the_first_six_are_shown_and_it_is_said(visitor):
    many = "".join(f"  one_{number}: {{preset: virtual}}\n" for number in range(8))
    content = f"extends: mensi-pilot\nreplicates: 4\nworld: {{schools_per_region: 3}}\ndesigns:\n{many}"
    assert visitor.upload("many.yaml", content) == 200
    assert "the page shows the first 6" in visitor.said
    assert len(visitor.designs) == MOST_DESIGNS


SCHOOLS = "school_id,country,teachers\n" + "".join(f"S{k},{'IT' if k % 2 else 'HR'},{10 + k}\n" for k in range(12))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ties.csv", "source,target\nS1,S2\n", "ties.csv: holds ties, which the page does not take"),
        ("seen.csv", "school_id,month,adopters,respondents\nS1,2,3,9\n", "seen.csv: holds observations, which the page does not take"),
        ("schools.csv", "school_id\n" + "".join(f"{k}\n" for k in range(1200)), "which is more than this page computes"),
    ],
)
def test_a_table_that_is_refused_is_not_kept(visitor, name, content, words):
    assert visitor.upload("schools.csv", SCHOOLS) == 200
    kept = visitor.server.written()
    assert visitor.upload(name, content, replicates="3300") == 422
    assert words in visitor.said
    assert visitor.server.written() == kept


# --- files that are taken away ---


def test_a_study_with_schools_and_ties_is_run_again_elsewhere_with_the_same_result(tmp_path):
    sets = ["programme.last_month=12", "draws=2"]
    scenario = with_comparator(load_scenario("synthetic-pilot", sets, replicates=2, months=14, designs=["regional_hub"]))
    studies = Studies()
    taken = {
        name: download(name, scenario, 1000.0, studies, 1, lambda: False)[0] for name in ("study.zip", "scenario.yaml", "runs.parquet")
    }
    with zipfile.ZipFile(io.BytesIO(taken["study.zip"])) as packed:
        packed.extractall(tmp_path)
    folder = tmp_path / "synthetic-pilot-compare"
    assert str(Path(scenario.world.ties).parent) not in (folder / "study.json").read_text()
    plan = again(folder, tmp_path / "again", tmp_path)
    (folder / "inputs/mine.yaml").write_bytes(taken["scenario.yaml"])
    assert str(Path(scenario.world.ties).parent) not in (folder / "inputs/mine.yaml").read_text()
    runs = pd.read_parquet(io.BytesIO(taken["runs.parquet"]))
    mine = load_scenario(folder / "inputs/mine.yaml")
    assert load_scenario(plan.words[1]) == mine
    pd.testing.assert_frame_equal(compare(mine).tables()["runs.parquet"], runs)


def test_a_study_of_confidential_schools_is_taken_away_without_them_and_names_no_path(tmp_path):
    scenario = load_scenario("synthetic-pilot", ["programme.last_month=6", "draws=2"], replicates=2, months=8, designs=["regional_hub"])
    scenario = with_comparator(scenario).model_copy(update={"keep_inputs": False})
    data, _, _ = download("study.zip", scenario, 1000.0, Studies(), 1, lambda: False)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert not [name for name in packed.namelist() if name.endswith("schools.csv")]
        packed.extractall(tmp_path)
    folder = tmp_path / "synthetic-pilot-compare"
    assert str(Path(scenario.world.schools).parent) not in (folder / "study.json").read_text()
    with pytest.raises(InputError, match=r"schools.csv: the study was made from it, and it is gone; put the file of that time \(sha256"):
        again(folder, tmp_path / "again", tmp_path)
    given = {"schools": scenario.world.schools, "ties": scenario.world.ties}
    assert again(folder, tmp_path / "again", tmp_path, given=given).words[0] == "compare"


def test_the_yaml_of_a_fitted_scenario_names_its_draws_as_a_file_beside_it():
    fitted = load_scenario("mensi-pilot").model_copy(update={"posterior": "/somewhere/of/the/server.parquet"})
    text = portable_yaml(fitted)
    assert "/somewhere" not in text
    assert text.splitlines()[0].endswith(yaml.safe_load(text)["posterior"] + ".")


def test_a_file_that_nobody_waits_for_is_not_made():
    with pytest.raises(SupersededError):
        download("summary.csv", load_scenario("mensi-pilot"), 1000.0, Studies(), 1, lambda: True)


# --- questions that nobody waits for, or that too many ask ---


async def told(app, body: str, hangs_up: asyncio.Event | None = None, whole: bool = True) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of a question to the application; its visitor leaves at ``hangs_up``, ``whole``: having sent all."""
    sent, messages = [], [{"type": "http.request", "body": body.encode(), "more_body": not whole}]
    headers = [(b"host", b"localhost"), *((key.lower().encode(), value.encode()) for key, value in OURS.items())]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/answer"}

    async def receive():
        if messages:
            return messages.pop()
        await (hangs_up or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app({**scope, "query_string": b"", "root_path": "", "headers": headers}, receive, send)
    text = b"".join(message.get("body", b"") for message in sent).decode()
    return sent[0]["status"], {key.decode(): value.decode() for key, value in sent[0]["headers"]}, text


@pytest.fixture
def app():
    one = make_app(new_state("mensi-pilot"))
    yield one
    one.state.server.give_up()
    one.state.server.sessions.close()


QUESTION = urlencode({"state": to_address(new_state("mensi-pilot")), "page": "x"})


def held(work: Work, gate: threading.Event, what: str, count: int) -> list[asyncio.Task]:
    """Ask so many questions, none of which is answered before the gate opens."""
    return [asyncio.create_task(work.answer("other", f"{what} {k}", lambda threads, stop: gate.wait())) for k in range(count)]


def test_when_too_many_wait_a_visitor_is_told_to_come_again(app):
    async def run():
        work, gate = app.state.server.work, threading.Event()
        others = held(work, gate, "running", cpu_count())
        await asyncio.sleep(0.2)
        others += held(work, gate, "waiting", MOST_WAITING)
        await asyncio.sleep(0)
        answer = await told(app, QUESTION)
        gate.set()
        await asyncio.gather(*others)
        return answer

    status, headers, text = in_a_loop_of_its_own(run())
    assert (status, headers["retry-after"]) == (503, "5")
    assert "Too many people are computing just now" in text


def test_the_question_of_a_visitor_who_has_left_is_given_up(app):
    async def run():
        work, gate, gone = app.state.server.work, threading.Event(), asyncio.Event()
        others = held(work, gate, "running", cpu_count())
        asked = asyncio.create_task(told(app, QUESTION, gone))
        await asyncio.sleep(0.2)
        assert not asked.done()
        gone.set()
        status, _, text = await asyncio.wait_for(asked, 10)
        gate.set()
        await asyncio.gather(*others)
        return status, text

    assert in_a_loop_of_its_own(run()) == (204, "")


def test_a_visitor_who_leaves_while_sending_is_no_fault(app):
    async def run():
        gone = asyncio.Event()
        gone.set()
        return await told(app, QUESTION, gone, whole=False)

    status, _, text = in_a_loop_of_its_own(run())
    assert (status, text) == (400, "")
