"""Bad input to any command: one line on standard error that says where, what and what is allowed, exit code 2, nothing written."""

import resource
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from .program import TRACES, Done, program, tree

GOOD = """\
designs: [virtual]
months: 8
replicates: 1
draws: 1
programme: {first_month: 1, last_month: 5}
world: {countries: [IT], schools_per_region: 3, regions_per_country: 1}
"""
BOMB = "a: &a [x, x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20))

SCENARIOS: dict[str, tuple[bytes | str, str]] = {  # content, what the line must say
    "unknown key": (GOOD + "moths: 3\n", "bad.yaml, line 7, moths: unknown key 'moths'; did you mean 'months'?"),
    "wrong type": (GOOD.replace("months: 8", "months: many"), "bad.yaml, line 2, months: 'many' is not a number; allowed: numbers"),
    "out of range": (GOOD + "parameters: {p: 7}\n", "bad.yaml, line 7, parameters.p.base: 7 is out of range; allowed: 0 to 1 (per month)"),
    "not a number": (GOOD + "parameters: {p: .nan}\n", "bad.yaml, line 7: '.nan' is no finite number; allowed: numbers"),
    "infinite": (GOOD + "parameters: {p: .inf}\n", "bad.yaml, line 7: '.inf' is no finite number; allowed: numbers"),
    "empty": ("", "bad.yaml: the file is empty; `run.py new NAME` writes a scenario to start from"),
    "not UTF-8": ("title: \xe9\n".encode("latin-1") + GOOD.encode(), "bad.yaml, line 1: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    "binary": (bytes(range(256)), "bad.yaml, line 2: byte 0x80 is not UTF-8; save the file as UTF-8"),
    "month before 0": (
        GOOD.replace("first_month: 1", "first_month: -1"),
        "bad.yaml, line 5, programme.first_month: -1 is out of range; allowed: 0 to 1200",
    ),
    "ten megabytes": (
        GOOD + "#" * 10_000_000,
        "bad.yaml: larger than 256 KiB; a scenario is a few kilobytes; schools and ties belong in CSV",
    ),
    "bomb": (BOMB, "bad.yaml, line 1: anchors and aliases (& and *) are not allowed; write the value out where it is used"),
    "code": (
        GOOD + 'title: !!python/object/apply:os.system ["touch written"]\n',
        "bad.yaml, line 7: the tag 'tag:yaml.org,2002:python/object/apply...' is not allowed; allowed: mappings, lists, text",
    ),
    "no YAML": ("designs: [virtual\n", "bad.yaml, line 2: not valid YAML"),
    "a list": ("- 1\n", "bad.yaml, line 1: a scenario is a mapping of keys to values; for example `months: 72`"),
    "extends itself": ("extends: bad.yaml\n", "bad.yaml, line 1, extends"),
    "no such table": (GOOD.replace("countries: [IT]", "countries: [IT], schools: no.csv"), "no such file: '"),
}

SCHOOLS = "school_id,teachers,digital_capacity\nA,10,0.5\nB,20,0.7\nC,30,0.2\n"
TIES = "source,target\nA,B\nB,C\n"
TABLES: dict[str, tuple[bytes | str, bytes | str, str]] = {  # schools.csv, ties.csv, what the line must say
    "negative teachers": (
        SCHOOLS.replace("A,10", "A,-10"),
        TIES,
        "schools.csv, row 2, column teachers: found '-10'; give a whole number from 1 to",
    ),
    "no number": (
        SCHOOLS.replace("0.7", "high"),
        TIES,
        "schools.csv, row 3, column digital_capacity: found 'high'; give a number from 0 to 1",
    ),
    "NaN": (SCHOOLS.replace("0.7", "nan"), TIES, "schools.csv, row 3, column digital_capacity: found 'nan'; give a number from 0 to 1"),
    "school twice": (
        SCHOOLS.replace("B,20", "A,20"),
        TIES,
        "schools.csv, row 3, column school_id: 'A' is already in row 2; give each school once",
    ),
    "schools empty": ("", TIES, "schools.csv: is empty; "),
    "schools not UTF-8": ("school_id\n\xe9\n".encode("latin-1"), TIES, "schools.csv"),
    "unknown column": (
        SCHOOLS.replace("teachers", "teacher"),
        TIES,
        "schools.csv, row 1: unknown column 'teacher'; did you mean 'teachers'?",
    ),
    "unknown school": (SCHOOLS, TIES.replace("B,C", "B,D"), "ties.csv, row 3, column target: no school is named 'D'; "),
    "tied to itself": (
        SCHOOLS,
        TIES.replace("B,C", "B,B"),
        "ties.csv, row 3, column target: 'B' is tied to itself; a tie joins two schools",
    ),
    "ties not UTF-8": (SCHOOLS, b"source,target\n\xff,A\n", "ties.csv, row 2: is not UTF-8 text (byte 0xFF); save the file as 'CSV UTF-8'"),
    "ties empty": (SCHOOLS, "", "ties.csv: is empty; "),
}

QUICK = ("compare", "good.yaml", "--out", "study")
OPTIONS: dict[tuple[str, ...], str] = {
    ("compare", "mensi-pilo"): "'mensi-pilo': no scenario 'mensi-pilo'; did you mean 'mensi-pilot'?",
    ("compare", "no.yaml"): "'no.yaml': no such file; allowed: a YAML file",
    ("compare", "."): "'.': '.' is not a file; allowed: a YAML file or the name of a shipped scenario",
    (*QUICK, "--set", "gama=1"): "--set gama=1: nothing named 'gama' can be set; did you mean 'gamma'?",
    (*QUICK, "--set", "p=high"): "--set p=high: 'high' is not a number; allowed: numbers",
    (*QUICK, "--set", "p=nan"): "--set p=nan: 'nan' is not a number; allowed: numbers",
    (*QUICK, "--set", "p=-0.1"): "--set p=-0.1: -0.1 is out of range; allowed: 0 to 1 (per month)",
    (*QUICK, "--set", "nonsense"): "--set nonsense: not an assignment; allowed: name=value, for example p=0.01",
    (*QUICK, "--set", "programme.first_month=-1"): "--set programme.first_month=-1: -1 is out of range; allowed: 0 to 1200",
    (*QUICK, "--designs", "regional_hubs"): "--designs regional_hubs: no design named 'regional_hubs'; did you mean 'regional_hub'?",
    (*QUICK, "--designs", ""): "--designs: names no design; allowed: names separated by commas",
    (*QUICK, "--designs", " , "): "--designs: names no design; allowed: names separated by commas",
    (*QUICK, "--replicates", "0"): "--replicates 0: 0 is out of range; allowed: 1 to 1000000",
    (*QUICK, "--replicates", "-1"): "--replicates -1: -1 is out of range; allowed: 1 to 1000000",
    (*QUICK, "--replicates", "1" + "0" * 40): "is out of range; allowed: 1 to 1000000",
    (*QUICK, "--replicates", "many"): "--replicates",
    (*QUICK, "--months", "0"): "--months 0: 0 is out of range; allowed: 1 to 1200",
    (*QUICK, "--months", "1201"): "--months 1201: 1201 is out of range; allowed: 1 to 1200",
    (*QUICK, "--seed", "-1"): "--seed -1: -1 is out of range; allowed: 0 to 18446744073709551615",
    (*QUICK, "--seed", str(2**64)): f"--seed {2**64}: {2**64} is out of range; allowed: 0 to {2**64 - 1}",
    (*QUICK, "--engine", "foo"): "--engine foo: no engine named 'foo'; allowed: compiled, mesa",
    (*QUICK, "--threads", "0"): "--threads",
    (*QUICK, "--thread", "1"): "--thread",
    (*QUICK, "--schools", "no.csv"): "--schools no.csv: no such file: '",
    (*QUICK, "--ties", "no.csv"): "--ties no.csv: no such file: '",
    ("compare", "good.yaml", "--out", "good.yaml"): "--out good.yaml: exists and is no study folder; give a folder that is new, empty or",
    ("compare", "good.yaml", "--out", "."): "--out .: exists and is no study folder; give a folder that is new, empty or an earlier study",
    ("compare", "good.yaml", "--out", "good.yaml/x"): "--out good.yaml/x: cannot be written",
    ("compare", "good.yaml", "--out", "/proc/x"): "--out /proc/x: cannot be written",
    ("compare", "good.yaml", "--out", "x" * 300): "--out",
    ("simulate", "mensi-pilo"): "'mensi-pilo': no scenario 'mensi-pilo'; did you mean 'mensi-pilot'?",
    ("simulate", "good.yaml", "--design", "vitual"): "vitual: no design named 'vitual'; did you mean 'virtual'?",
    ("simulate", "good.yaml", "--design", "none,virtual"): "--design",
    ("simulate", "good.yaml", "--design", ""): "--design",
    ("simulate", "good.yaml", "--engine", "foo"): "--engine foo: no engine named 'foo'; allowed: compiled, mesa",
    ("simulate", "good.yaml", "--out", "good.yaml"): "--out good.yaml: exists and is no study folder; give a folder that is new, empty or",
    (
        "simulate",
        "--replicates",
        "10000",
        "--per-school",
    ): "--per-school: 345,600,000 rows are too many; allowed: at most 2893 replicates with",
    ("validate",): "'FILE...'",
    ("validate", "no.yaml"): "'no.yaml': no such file; allowed: a YAML file",
    ("validate", "no.csv"): "no.csv: cannot be read (No such file or directory); allowed: a readable YAML or CSV file",
    ("validate", "ties.csv"): "ties.csv: ties can only be checked with the schools they join; give both: validate schools.csv ties.csv",
    ("validate", "other.csv"): "other.csv, row 1: columns a, b; known names: school_id, source, target",
    ("validate", "good.yaml", "bad.yaml"): "bad.yaml, line 7, moths: unknown key 'moths'; did you mean 'months'?",
    ("validate", "good.yaml", "--scenario", "nonsense"): "'nonsense': no scenario 'nonsense'; known names: ",
    ("parameters", "nonsense"): "'nonsense': no scenario 'nonsense'; known names: ",
    ("parameters", "--group", "behavior"): "--group behavior: no group named 'behavior'; did you mean 'behaviour'?",
    ("schema", "extra"): "extra",
    ("new", "Not A Name"): "new 'Not A Name': 'Not A Name' is not a valid name; allowed: ",
    ("new", "../up"): "new '../up': '../up' is not a valid name; allowed: ",
    ("new", "good"): "good.yaml: exists already; give another name, or remove it",
    ("new", "fine", "--out", "good.yaml"): "good.yaml",
    ("new", "fine", "--out", "good.yaml/x"): "good.yaml/x/fine.yaml: cannot be written",
    ("new",): "'name'",
    ("nonsense",): "nonsense",
}


class Trial:
    """A command on faulty files, in a folder of its own."""

    def __init__(self, folder: Path, files: dict[str, bytes | str], arguments: tuple[str, ...]) -> None:
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        self.before = tree(folder)
        self.done: Done = program(*arguments, cwd=folder)
        self.after = tree(folder)

    def assert_refused(self, says: str) -> None:
        """Hold that the command refused in one line and left its folder as it was."""
        assert self.done.code == 2, self.done
        assert self.done.err.endswith("\n") and self.done.err.count("\n") == 1, self.done.err
        assert self.done.err.startswith("error: ")
        assert says in self.done.err
        assert not any(trace in self.done.err for trace in TRACES)
        assert len(self.done.err) < 1000  # the longest names any message quotes are 300 characters, twice
        assert self.done.out == ""
        assert self.after == self.before


CHECKED_TOO = ("not a number", "month before 0", "bomb", "code", "negative teachers", "school twice", "unknown school", "schools not UTF-8")
"""What `validate` is tried on as a process too; ``test_validate_is_compare.py`` holds the rest in one process."""

EVERY = [("compare", name) for name in (*SCENARIOS, *TABLES)] + [("validate", name) for name in CHECKED_TOO]


def trials(command: str) -> dict[tuple[str, ...], tuple[dict[str, bytes | str], tuple[str, ...]]]:
    """Return the files and the arguments of every trial of a command on faulty files."""
    found: dict[tuple[str, ...], tuple[dict[str, bytes | str], tuple[str, ...]]] = {}
    for name, (content, _) in SCENARIOS.items():
        out = () if command == "validate" else ("--out", "study")
        found["scenario", name] = {"bad.yaml": content}, (command, "bad.yaml", *out)
    for name, (schools, ties, _) in TABLES.items():
        files = {"good.yaml": GOOD, "schools.csv": schools, "ties.csv": ties}
        checked = ("schools.csv", "ties.csv", "--scenario", "good.yaml")
        used = ("good.yaml", "--schools", "schools.csv", "--ties", "ties.csv", "--out", "study")
        found["tables", name] = files, (command, *(checked if command == "validate" else used))
    return found


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, ...], Future[Trial]]]:
    """Every trial, two at a time: each is a process of about a second, most of which Python takes to start."""
    folder = tmp_path_factory.mktemp("bad")
    beside = {"good.yaml": GOOD, "bad.yaml": GOOD + "moths: 3\n", "ties.csv": TIES, "other.csv": "a,b\n1,2\n"}
    every = {key: (beside, key) for key in OPTIONS}
    for command in ("compare", "validate"):
        every |= {(command, key[1]): trial for key, trial in trials(command).items() if (command, key[1]) in EVERY}
    pool = ThreadPoolExecutor(2)
    yield {key: pool.submit(Trial, folder / str(number), *trial) for number, (key, trial) in enumerate(every.items())}
    pool.shutdown(cancel_futures=True)  # those that no chosen test asked for


@pytest.mark.parametrize("arguments", OPTIONS, ids=[" ".join(key)[:80] for key in OPTIONS])
def test_a_faulty_option_is_refused_in_one_line(refused, arguments):
    refused[arguments].result().assert_refused(OPTIONS[arguments])


@pytest.mark.parametrize(("command", "name"), EVERY)
def test_a_faulty_file_is_refused_in_one_line(refused, command, name):
    refused[command, name].result().assert_refused((SCENARIOS.get(name) or TABLES[name])[-1])


@pytest.mark.parametrize("name", [name for name in CHECKED_TOO if name in SCENARIOS])
def test_validate_says_of_a_scenario_what_compare_would_say(refused, name):
    one, other = (refused[command, name].result().done for command in ("compare", "validate"))
    assert one == other


def test_the_files_beside_the_faulty_ones_are_good(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "schools.csv").write_text(SCHOOLS, encoding="utf-8")
    (tmp_path / "ties.csv").write_text(TIES, encoding="utf-8")
    done = program("validate", "good.yaml", "schools.csv", "ties.csv", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("space", [120_000, 300_000, 500_000, 600_000, 800_000, 1_000_000, 1_099_999])
def test_too_little_address_space_is_said_before_libraries_fail_crash_or_wait_in_it(tmp_path, space):
    limit = space * 1024
    done = program("compare", cwd=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert done.err.startswith("error: this needs more memory than there is: libraries alone take 1.13 GB of address space")
    assert tree(tmp_path) == []


def test_a_study_too_large_for_the_memory_is_refused_in_one_line(tmp_path):
    # The limit on a process's memory stands for a small machine; a million replicates of the pilot's monthly records take 200 GB.
    memory = 6 * 2**30
    done = program(
        *("compare", "--replicates", "1000000", "--out", "study"),
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )
    assert done.code == 2, done
    assert done.err.startswith("error: ") and done.err.count("\n") == 1
    assert (done.out, tree(tmp_path)) == ("", [])


def test_a_folder_with_other_things_in_it_is_left_as_it_is(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    before = tree(tmp_path)
    done = program("compare", "good.yaml", "--out", "mine", cwd=tmp_path)
    assert done == (2, "", "error: --out mine: exists and is no study folder; give a folder that is new, empty or an earlier study\n")
    assert tree(tmp_path) == before
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "years of work"
