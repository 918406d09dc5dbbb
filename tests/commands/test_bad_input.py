"""Bad input to any command: one line on standard error that says where, what and what is allowed, exit code 2, nothing written."""

import resource
from collections.abc import Mapping
from pathlib import Path

import pytest

from .program import TRACES, Done, program, tree

GOOD = """\
designs: [virtual]
months: 8
replicates: 1
draws: 1
programme: {first_month: 1, last_month: 7}
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
        "bad.yaml: larger than 384 KiB; a scenario is a few kilobytes; schools and ties belong in CSV",
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
    "ties not UTF-8": (SCHOOLS, b"source,target\n\xff,A\n", "ties.csv, row 2, column source: no school is named 'ÿ'"),
    "ties empty": (SCHOOLS, "", "ties.csv: is empty; "),
}

QUICK = ("compare", "good.yaml", "--out", "study")
OPTIONS: dict[tuple[str, ...], str] = {
    ("compare", "mensi-pilo"): "'mensi-pilo': no scenario 'mensi-pilo'; did you mean 'mensi-pilot'?",
    ("compare", "no.yaml"): "'no.yaml': no such file; allowed: a YAML file",
    ("sensitivity", "x\r" * 150): "x\\rx\\r",  # longer than the name of a file may be, with ends of lines in it
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
    (*QUICK, "--designs", "virtual,virtual"): "--designs virtual,virtual: the design 'virtual' is named twice; allowed: each once",
    (*QUICK, "--replicates", "0"): "--replicates 0: 0 is out of range; allowed: 1 to 1000000",
    (*QUICK, "--replicates", "-1"): "--replicates -1: -1 is out of range; allowed: 1 to 1000000",
    (*QUICK, "--replicates", "1" + "0" * 40): "is out of range; allowed: 1 to 1000000",
    (*QUICK, "--replicates", "many"): "--replicates",
    (*QUICK, "--months", "0"): "--months 0: 0 is out of range; allowed: 1 to 1200",
    (*QUICK, "--months", "1201"): "--months 1201: 1201 is out of range; allowed: 1 to 1200",
    (*QUICK, "--seed", "-1"): "--seed -1: -1 is out of range; allowed: 0 to 18446744073709551615",
    (*QUICK, "--seed", str(2**64)): f"--seed {2**64}: {2**64} is out of range; allowed: 0 to {2**64 - 1}",
    (*QUICK, "--engine", "foo"): "--engine foo: no engine named 'foo'; allowed: compiled, mesa",
    (*QUICK, "--budget", "-5"): "'--budget': -5 is out of range; allowed: 0 or more",
    (*QUICK, "--budget", "lots"): "'--budget': 'lots' is not a number; allowed: 0 or more",
    (*QUICK, "--budget", "1.500"): "'--budget': '1.500' could be 1.5 or 1500; write it without a separator of thousands",
    (*QUICK, "--budget", "0"): "--budget 0: is no budget; allowed: EUR above 0",
    (*QUICK, "--budget-risk", "0.1"): "--budget-risk 0.1: belongs to a budget; give --budget EUR or --budget-per-year EUR too",
    (*QUICK, "--budget", "9", "--budget-risk", "2"): "--budget-risk 2: is no share of runs; allowed: 0 to less than 1",
    (*QUICK, "--budget", "9", "--perspective", "schools"): "--perspective schools: no perspective named 'schools'; known names: ",
    (*QUICK, "--threads", "0"): "--threads",
    (*QUICK, "--thread", "1"): "--thread",
    (*QUICK, "--schools", "no.csv"): "--schools no.csv: no such file: '",
    (*QUICK, "--ties", "no.csv"): "--ties no.csv: no such file: '",
    ("compare", "good.yaml", "--out", "good.yaml"): "--out good.yaml: exists and is no study folder; give a folder that is new, empty or",
    ("compare", "good.yaml", "--out", "."): "--out .: exists and is no study folder; give a folder that is new, empty or an earlier study",
    ("compare", "good.yaml", "--out", "good.yaml/x"): "--out good.yaml/x: cannot be written",
    ("compare", "good.yaml", "--out", "/proc/x"): "--out /proc/x: cannot be written",
    ("compare", "good.yaml", "--out", "x" * 300): "--out",
    ("optimise", "good.yaml", "--replicates", "2"): "--objectives effect,cost,gap: not all worlds have disadvantaged schools and others",
    ("sensitivity", "good.yaml", "--vary", "p=0.1"): "--vary p: has one value, so that nothing can depend on it; allowed: name=low:high",
    ("sensitivity", "good.yaml", "--vary", "p=0.1:0.1"): "--vary p: has one value, so that nothing can depend on it",
    ("simulate", "mensi-pilo"): "'mensi-pilo': no scenario 'mensi-pilo'; did you mean 'mensi-pilot'?",
    ("simulate", "good.yaml", "--design", "vitual"): "--design vitual: no design named 'vitual'; did you mean 'virtual'?",
    ("simulate", "good.yaml", "--design", "none,virtual"): "--design none,virtual: names several designs; allowed: one",
    ("simulate", "good.yaml", "--design", ""): "--design: names no design; allowed: one name",
    ("simulate", "good.yaml", "--engine", "foo"): "--engine foo: no engine named 'foo'; allowed: compiled, mesa",
    ("simulate", "good.yaml", "--out", "good.yaml"): "--out good.yaml: exists and is no study folder; give a folder that is new, empty or",
    (
        "simulate",
        "--replicates",
        "10000",
        "--per-school",
    ): "--per-school: 345,600,000 rows are too many; allowed: at most 2893 replicates with",
    ("sensitivity", "good.yaml", "--budget", "60"): "--budget 60: a budget is money, as for compare and optimise; for the",
    ("validate",): "'FILE...'",
    ("validate", "no.yaml"): "'no.yaml': no such file; allowed: a YAML file",
    ("validate", "no.csv"): "no.csv: there is no such file; give the path of a CSV file",
    ("validate", "ties.csv"): "ties.csv: ties can only be checked with the schools they join; give both: validate schools.csv ties.csv",
    ("validate", "other.csv"): "other.csv, row 1: the columns a, b are of no table; allowed: schools (school_id, ...)",
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


def refused(folder: Path, files: Mapping[str, bytes | str], *arguments: str) -> Done:
    """Run a command on faulty files in a folder, and hold that it refuses them in one line and leaves the folder as it was."""
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = tree(folder)
    done = program(*arguments, cwd=folder)
    assert (done.code, done.out, done.fault) == (2, "", "")
    assert done.err.endswith("\n") and done.err.count("\n") == 1
    assert done.err.startswith("error: ")
    assert not any(trace in done.err for trace in TRACES)
    assert len(done.err) < 1000  # the longest names any message quotes are 300 characters, twice
    assert tree(folder) == before
    return done


BESIDE = {"good.yaml": GOOD, "bad.yaml": GOOD + "moths: 3\n", "ties.csv": TIES, "other.csv": "a,b\n1,2\n"}


@pytest.mark.parametrize("arguments", OPTIONS, ids=[" ".join(key)[:80] for key in OPTIONS])
def test_a_faulty_option_is_refused_in_one_line(tmp_path, arguments):
    assert OPTIONS[arguments] in refused(tmp_path, BESIDE, *arguments).err


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_faulty_scenario_is_refused_by_compare_and_validate_in_the_same_line(tmp_path, name):
    content, says = SCENARIOS[name]
    compared = refused(tmp_path, {"bad.yaml": content}, "compare", "bad.yaml", "--out", "study")
    assert says in compared.err
    assert refused(tmp_path, {}, "validate", "bad.yaml") == compared


@pytest.mark.parametrize("name", TABLES)
def test_a_faulty_table_is_refused_by_compare_and_validate_in_one_line(tmp_path, name):
    schools, ties, says = TABLES[name]
    files = {"good.yaml": GOOD, "schools.csv": schools, "ties.csv": ties}
    used = ("--schools", "schools.csv", "--ties", "ties.csv", "--out", "study")
    assert says in refused(tmp_path, files, "compare", "good.yaml", *used).err
    assert says in refused(tmp_path, {}, "validate", "schools.csv", "ties.csv", "--scenario", "good.yaml").err


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
    assert done[:3] == (2, "", "error: --out mine: exists and is no study folder; give a folder that is new, empty or an earlier study\n")
    assert tree(tmp_path) == before
    assert (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8") == "years of work"
