"""Own files through every command that reads them: how they are written is told once, and what is probably not meant is said."""

import json
from pathlib import Path

import pytest

from school_mentoring.analysis.web.app import Server
from school_mentoring.analysis.web.limits import Limits
from school_mentoring.analysis.web.state import new_state
from school_mentoring.analysis.web.uploads import upload

from .program import assert_intact, program

CASES = Path(__file__).parents[1] / "world" / "cases"
SHORT = ("--set", "programme.last_month=12", "--set", "draws=2", "--months", "12", "--replicates", "2", "--seed", "3")
OWN = ("--schools", "register.csv", "--ties", "net.graphml", "--encoding", "iso8859-2", "--columns", "school_id=URN,teachers=Staff")
REGISTER = "URN;Name;Staff;country\nČ1;Čáslav;12;cz\nČ2;Plzeň;900;CZ\nČ3;Brno;30;CZ\n".encode("iso8859-2")
SAID = [
    "notice: register.csv: columns that --columns does not name are left out: Name",
    "notice: register.csv, row 3, column Staff: up to 900 teachers; expected at most 500 in a school",
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "register.csv").write_bytes(REGISTER)
    net = (CASES / "g_capital.graphml").read_text(encoding="utf-8")
    for k in range(3):
        net = net.replace(f'"s{k}"', f'"Č{k + 1}"')
    (tmp_path / "net.graphml").write_text(net, encoding="utf-8")
    return tmp_path


def said(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("notice: ")]


@pytest.mark.parametrize(
    "words",
    [
        ("simulate", "mensi-pilot-only", *SHORT, "--json", "--out", "study"),
        ("compare", "mensi-pilot-only", *SHORT, "--json", "--out", "study"),
        ("sweep", "mensi-pilot-only", *SHORT, "--vary", "p", "--sample", "grid:2", "--json", "--out", "study"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_reads_files_as_they_are_written_and_says_what_is_probably_not_meant(folder, words):
    done = program(*words, *OWN, cwd=folder)
    assert (done.code, said(done.err)) == (0, SAID)
    json.loads(done.out)
    described = json.loads((folder / "study" / "study.json").read_text(encoding="utf-8"))["scenario"]["world"]
    assert (described["encoding"], described["columns"]) == ("iso8859-2", {"school_id": "URN", "teachers": "Staff"})


def test_a_study_of_such_files_is_made_again(folder):
    assert program("simulate", "mensi-pilot-only", *SHORT, *OWN, "--out", "study", cwd=folder).code == 0
    done = program("rerun", "study", "--out", "again", cwd=folder)
    assert done.code == 0, done
    assert_intact(folder / "again")


def test_a_scenario_says_how_its_files_are_written(folder):
    (folder / "mine.yaml").write_text(
        "designs: [virtual]\nworld: {schools: register.csv, encoding: iso8859-2, columns: {school_id: URN, teachers: Staff}}\n",
        encoding="utf-8",
    )
    assert program("validate", "mine.yaml", cwd=folder).out.splitlines()[1:] == SAID
    (folder / "mine.yaml").write_text("designs: [virtual]\nworld: {schools: register.csv, columns: {scool_id: URN}}\n", encoding="utf-8")
    done = program("validate", "mine.yaml", cwd=folder)
    assert (done.code, done.err) == (2, "error: --columns scool_id=URN: no table has a column 'scool_id'; did you mean 'school_id'?\n")


def test_validate_shows_all_notices_with_their_file(folder):
    (folder / "seen.csv").write_text("URN,month,respondents,adopters\nČ1,80,5,1\n", encoding="utf-8")
    files = ("register.csv", "net.graphml", "seen.csv")
    late = "seen.csv, row 2, column month: beyond the 72 months of the scenario; expected months from 0 to 71"
    lines = program("validate", *files, *OWN[4:], cwd=folder).out.splitlines()
    assert lines[1:3] == SAID
    assert lines[3:] == ["net.graphml: 2 peer ties, 0 mentoring ties", lines[4], f"notice: {late}"]
    document = json.loads(program("validate", *files, *OWN[4:], "--json", cwd=folder).out)
    assert document["notices"] == {"register.csv": [line.removeprefix("notice: ") for line in SAID], "seen.csv": [late]}


def test_designs_that_do_nothing_of_what_they_name_are_noticed(tmp_path):
    (tmp_path / "short.yaml").write_text(
        "designs: {hub: {preset: regional_hub, target: small}, own: {preset: bottom_up, reserve: 0.3}}\n"
        "programme: {first_month: 6, last_month: 11}\n",
        encoding="utf-8",
    )
    said = [
        "notice: design hub recruits nobody: it needs 6 months of funding and has 5",
        "notice: design hub reserves no places: target is small and reserve is 0; give both",
        "notice: design own reserves no places: target is none and reserve is 0.3; give both",
    ]
    assert program("validate", "short.yaml", cwd=tmp_path).out.splitlines()[1:] == said
    done = program("simulate", "short.yaml", "--design", "own", "--months", "2", "--replicates", "1", "--out", "study", cwd=tmp_path)
    assert (done.code, done.err.splitlines()[:1]) == (0, said[2:])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--encoding", "base64"),
            "--encoding base64: 'base64' is no encoding; allowed: cp1250, cp1252, iso8859-2, utf-16-le and other names",
        ),
        (
            ("--columns", "school_id"),
            "--columns school_id: tells no column; allowed: NAME=HEADER, for example school_id=URN,teachers=Staff",
        ),
        (
            ("--columns", "school_id=URN,teachers=Stuff"),
            "--columns teachers=Stuff: register.csv has no column 'Stuff'; did you mean 'Staff'?",
        ),
    ],
)
def test_what_is_told_wrongly_of_files_is_refused(folder, words, message):
    done = program("validate", "register.csv", *words, cwd=folder)
    assert done.code == 2
    assert done.err.startswith(f"error: {message}")


@pytest.mark.parametrize(
    "words",
    [
        ("recommend", "--k", "1.000"),
        ("optimise", "--budget", "1,000"),
        ("sweep", "--vary", "regional_hub.stipend=1.000:2.000"),
        ("compare", "--set", "regional_hub.stipend=1.000"),
        ("compare", "--set", "months=1,000"),
    ],
)
def test_amounts_that_could_be_two_are_refused(tmp_path, words):
    done = program(*words, cwd=tmp_path)
    assert done.code == 2
    assert "could be 1 or 1000; write it without a separator of thousands" in done.err


def test_the_page_says_what_of_an_upload_is_probably_not_meant():
    server = Server(new_state("mensi-pilot"), Limits())
    try:
        content = "school_id;country;teachers\nČáslav;CZ;900\n".encode("cp1250")
        _, line = upload("schools.csv", content, server.first, server.sessions.visitor(None), server.sessions, server.checked)
    finally:
        server.give_up()
        server.sessions.close()
    assert "Notice: schools.csv is not UTF-8 and was read as cp1250, for example 'Čáslav';" in line
    assert line.endswith("Notice: schools.csv, row 2, column teachers: up to 900 teachers; expected at most 500 in a school.")
