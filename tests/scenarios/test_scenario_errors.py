"""Bad input gives one line that names file and line, the value, what is allowed, and the nearest name."""

import errno
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import json_schema, load_scenario, scenario_from, template
from school_mentoring.scenarios.yaml_file import read_yaml

GOOD = "designs: [virtual]\n"

CASES = {
    "what is stated, as one word": (
        GOOD + "stated: p\n",
        "{file}, line 2, stated: 'p' is not a list",
    ),
    "unknown key at the top": (
        GOOD + "moths: 12\n",
        "{file}, line 2, moths: unknown key 'moths'; did you mean 'months'?",
    ),
    "unknown key in a section": (
        GOOD + "programme:\n  first_moth: 1\n",
        "{file}, line 3, programme.first_moth: unknown key 'first_moth'; did you mean 'first_month'?",
    ),
    "unknown field of a design": (
        "designs:\n  virtual:\n    stipendium: 3\n",
        "{file}, line 3, designs.virtual.stipendium: unknown key 'stipendium'; did you mean 'stipend'?",
    ),
    "unknown field of a country": (
        GOOD + "world:\n  countries:\n    - code: IT\n      salary: 3\n",
        "{file}, line 5, world.countries[0].salary: unknown key 'salary'; did you mean 'teacher_salary_eur_per_year'?",
    ),
    "unknown parameter": (
        GOOD + "parameters:\n  p: 0.01\n  protektion: 0.5\n",
        "{file}, line 4, parameters.protektion: no parameter named 'protektion'; did you mean 'protection'?",
    ),
    "unknown key in a range": (
        GOOD + "parameters:\n  p: {base: 0.01, hihg: 0.2}\n",
        "{file}, line 3, parameters.p.hihg: unknown key 'hihg'; did you mean 'high'?",
    ),
    "unknown preset": (
        "designs:\n  regional_hubs:\n",
        "{file}, line 2, designs.regional_hubs: no preset named 'regional_hubs'; "
        "did you mean 'regional_hub'? or state `preset: NAME` and fields that differ",
    ),
    "unknown country": (
        GOOD + "world: {countries: [IT, PTT]}\n",
        "{file}, line 2, world.countries[1]: no figures for a country 'PTT'; did you mean 'PT'? or state it as {{code: PTT, ...}}",
    ),
    "country by another code": (
        GOOD + "world: {countries: [UK]}\n",
        "{file}, line 2, world.countries[0]: no figures for a country 'UK'; did you mean 'GB-ENG'? or state it as {{code: UK, ...}}",
    ),
    "country by its name": (
        GOOD + "world: {countries: [Germany]}\n",
        "{file}, line 2, world.countries[0]: no figures for a country 'Germany'; did you mean 'DE'? or state it as {{code: Germany, ...}}",
    ),
    "country twice": (
        GOOD + "world: {countries: [IT, IT]}\n",
        "{file}, line 2, world.countries[1]: the country 'IT' is listed twice; allowed: each country once",
    ),
    "unknown group": (
        GOOD + "uncertain: [behavior]\n",
        "{file}, line 2, uncertain[0]: neither a parameter nor a group of them: 'behavior'; did you mean 'behaviour'?",
    ),
    "word for a whole number": (
        GOOD + "months: many\n",
        "{file}, line 2, months: 'many' is not a number; allowed: numbers",
    ),
    "truth value for a number": (
        GOOD + "parameters: {p: true}\n",
        "{file}, line 2, parameters.p.base: true is not a number; allowed: numbers",
    ),
    "fraction for a whole number": (
        GOOD + "replicates: 2.5\n",
        "{file}, line 2, replicates: 2.5 is not a whole number; allowed: whole numbers",
    ),
    "number for text": (
        GOOD + "title: 3\n",
        "{file}, line 2, title: 3 is not text; put it in quotes",
    ),
    "list for a section": (
        GOOD + "world: [IT]\n",
        "{file}, line 2, world: a list is not a mapping of keys to values",
    ),
    "word for a number of a design": (
        "designs:\n  virtual: {fte: two}\n",
        "{file}, line 2, designs.virtual.fte: 'two' is not a number; allowed: 0 to 1000 (FTE per unit)",
    ),
    "word for a switch of a design": (
        "designs:\n  virtual: {recognition: yes}\n",
        "{file}, line 2, designs.virtual.recognition: 'yes' is not true or false; allowed: true, false",
    ),
    "unknown word in a design": (
        "designs:\n  virtual: {tier: hubs}\n",
        "{file}, line 2, designs.virtual.tier: 'hubs' is not allowed; allowed: none, platform, hub, ministry",
    ),
    "month before 0": (
        GOOD + "programme:\n  first_month: -1\n",
        "{file}, line 3, programme.first_month: -1 is out of range; allowed: 0 to 1200",
    ),
    "window that ends before it starts": (
        GOOD + "programme:\n  first_month: 12\n  last_month: 6\n",
        "{file}, line 4, programme.last_month: 6 is before first_month 12; allowed: first_month or later",
    ),
    "window of a design against the programme's": (
        "designs:\n  virtual:\n    first_month: 40\n",
        "{file}, line 3, designs.virtual.first_month: funded from month 40 to month 34; allowed: last_month not before first_month",
    ),
    "parameter out of range": (
        GOOD + "parameters:\n  p: 1.5\n",
        "{file}, line 3, parameters.p.base: 1.5 is out of range; allowed: 0 to 1 (per month)",
    ),
    "range upside down": (
        GOOD + "parameters:\n  p: {low: 0.005}\n",
        "{file}, line 3, parameters.p.low: low 0.005, base 0.0008, high 0.002; allowed: low <= base <= high",
    ),
    "fraction of a school": (
        GOOD + "parameters: {peer_degree: 8.5}\n",
        "{file}, line 2, parameters.peer_degree.base: 8.5 is no whole number; allowed: whole numbers from 0 to 1000",
    ),
    "field of a design out of range": (
        "designs:\n  hub:\n    preset: regional_hub\n    places: 400\n",
        "{file}, line 4, designs.hub.places: 400 is out of range; allowed: 1 to 100 (mentees per mentor)",
    ),
    "field missing without a preset": (
        "designs:\n  mine: {recruitment: volunteer}\n",
        "{file}, line 2, designs.mine.mandate: is missing; state it, or `preset: NAME` to take it from a preset (and 20 more)",
    ),
    "comparator with fields": (
        "designs:\n  none: {outreach: 1}\n",
        "{file}, line 2, designs.none: 'none' is what all designs are compared with and takes no fields; give the design another name",
    ),
    "no design": (
        "months: 12\n",
        "{file}, designs: is missing",
    ),
    "designs misspelt": (
        "desings: [virtual]\n",
        "{file}, line 1, desings: unknown key 'desings'; did you mean 'designs'? (and 1 more)",
    ),
    "designs left empty": (
        "designs:\n",
        "{file}, line 1, designs: is empty; allowed: 1 or more",
    ),
    "bad name of a design": (
        "designs:\n  Hub 1: {preset: virtual}\n",
        "{file}, line 2, designs.Hub 1: 'Hub 1' is not a valid name; allowed: ^[a-z][a-z0-9_]{{0,39}}$",
    ),
    "too many schools": (
        GOOD + "world: {regions_per_country: 40, schools_per_region: 100000}\n",
        "{file}, line 2, world.schools_per_region: 24000000 schools in all are too many; allowed: 20000000 over all regions and countries",
    ),
    "unknown network": (
        GOOD + "world:\n  network: small-world\n",
        "{file}, line 3, world.network: 'small-world' is not allowed; did you mean 'small_world'?",
    ),
    "unknown contacts": (
        GOOD + "world: {contacts: shares}\n",
        "{file}, line 2, world.contacts: 'shares' is not allowed; did you mean 'share'?",
    ),
    "unknown likeness": (
        GOOD + "world: {likeness: 7}\n",
        "{file}, line 2, world.likeness: 7 is not allowed; known names: traits, capacity, level_and_capacity",
    ),
    "a key that is called as pydantic calls keys": (
        GOOD + '"[key]": 1\n',
        "{file}, line 2, [key]: unknown key '[key]'; known names: name, title, description, seed, months, step, replicates, draws, worlds, "
        "programme, world, practices, parameters, designs, uncertain, correlations, ranges, posterior, stated, keep_inputs, ...",
    ),
    "missing schools file": (
        GOOD + "world:\n  schools: no.csv\n",
        "{file}, line 3, world.schools: no such file: '{folder}/no.csv'",
    ),
    "not a number": (
        GOOD + "parameters:\n  p: .nan\n",
        "{file}, line 3: '.nan' is no finite number; allowed: numbers",
    ),
    "infinite": (
        GOOD + "parameters:\n  p: 1e999\n",
        "{file}, line 3: '1e999' is no finite number; allowed: numbers",
    ),
    "duplicate key": (
        "months: 3\ndesigns: [virtual]\nmonths: 4\n",
        "{file}, line 3: the key 'months' is stated twice; first stated at {file}, line 1",
    ),
    "YAML bomb": (
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "{file}, line 1: anchors and aliases (& and *) are not allowed; write the value out where it is used",
    ),
    "python object": (
        GOOD + 'title: !!python/object/apply:os.system ["true"]\n',
        "{file}, line 2: the tag 'tag:yaml.org,2002:python/object/apply...' is not allowed; "
        "allowed: mappings, lists, text, numbers, true, false, null",
    ),
    "nested without end": (
        "designs: " + "[" * 5000,
        "{file}, line 1: nested deeper than 20 levels",
    ),
    "tab": (
        "world:\n\tschools_per_region: 3\n",
        "{file}, line 2: not valid YAML: a tab; indent with spaces",
    ),
    "syntax error": (
        "designs: [virtual\nmonths: 3\n",
        "{file}, line 2: not valid YAML: expected ',' or ']', but got ':'",
    ),
    "character that YAML forbids": (
        GOOD + "title: a\x07\n",
        "{file}, line 2: the character U+0007 is not allowed in YAML",
    ),
    "escape of no character": (
        GOOD + 'title: "\\UFFFFFFFF"\n',
        "{file}: not valid YAML: an escaped character that does not exist",
    ),
    "half a surrogate pair": (
        GOOD + 'title: "\\uD800"\n',
        "{file}, line 2: an escaped character that does not exist",
    ),
    "list at the top": (
        "- designs\n",
        "{file}, line 1: a scenario is a mapping of keys to values; for example `months: 72`",
    ),
    "empty file": (
        " \n",
        "{file}: the file is empty; `run.py new NAME` writes a scenario to start from",
    ),
    "only comments": (
        "# nothing\n",
        "{file}, line 1: a scenario is a mapping of keys to values; for example `months: 72`",
    ),
    "missing parent": (
        "extends: mensi-pilott\n",
        "{file}, line 1, extends: no scenario 'mensi-pilott'; did you mean 'mensi-pilot'? or the path of a YAML file",
    ),
    "parent that is no name": (
        "extends: [a]\n",
        "{file}, line 1, extends: a list is not a file name; allowed: a YAML file or the name of a shipped scenario",
    ),
    "scenario that extends itself": (
        "extends: study.yaml\n",
        "{file}, line 1, extends: a scenario cannot extend itself: {file} -> {file}",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_message_names_file_line_and_what_is_allowed(case, tmp_path):
    text, message = CASES[case]
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_scenario(file)
    assert str(error.value) == message.format(file=file, folder=tmp_path)


KINDS_SEEN_BY_EDITORS = ("unknown", "word", "number for", "list for", "field of", "parameter out")
SEEN_BY_EDITORS = [case for case in CASES if case.startswith(KINDS_SEEN_BY_EDITORS) and case != "unknown preset"]
"""An unknown preset may be a design of the scenario that is extended, which an editor cannot know."""


@pytest.mark.parametrize("case", SEEN_BY_EDITORS)
def test_json_schema_refuses_it_too(case, tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(CASES[case][0], encoding="utf-8")
    assert not Draft202012Validator(json_schema()).is_valid(read_yaml(file).values)


def test_file_that_is_not_utf_8(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_bytes(b"designs: [virtual]\ntitle: caf\xe9\n")
    with pytest.raises(InputError) as error:
        load_scenario(file)
    assert str(error.value) == f"{file}, line 2: byte 0xe9 is not UTF-8; save the file as UTF-8"


def test_ten_megabytes_are_refused_before_parsing(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_bytes(b"- x\n" * 2_500_000)
    with pytest.raises(InputError) as error:
        load_scenario(file)
    assert (
        str(error.value) == f"{file}: larger than 384 KiB; a scenario is a few kilobytes; schools and ties belong in CSV files of their own"
    )


def test_error_in_a_parent_names_the_parents_file_and_line(tmp_path):
    parent, child = tmp_path / "parent.yaml", tmp_path / "child.yaml"
    parent.write_text("designs: [virtual]\nmonths: 0\n", encoding="utf-8")
    child.write_text("extends: parent.yaml\ntitle: child\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_scenario(child)
    assert str(error.value) == f"{parent}, line 2, months: 0 is out of range; allowed: 1 to 1200"


def test_error_in_what_a_child_replaces_names_the_child(tmp_path):
    parent, child = tmp_path / "parent.yaml", tmp_path / "child.yaml"
    parent.write_text("designs: [virtual]\npractices:\n  - name: quizzes\n", encoding="utf-8")
    child.write_text("extends: parent.yaml\npractices: [{weight: 1}]\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_scenario(child)
    assert str(error.value) == f"{child}, line 2, practices[0].name: is missing"


def test_circle_of_parents_is_written_out(tmp_path):
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {parent}.yaml\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_scenario(tmp_path / "a.yaml")
    a, b, c = (tmp_path / f"{name}.yaml" for name in "abc")
    assert str(error.value) == f"{c}, line 1, extends: a scenario cannot extend itself: {a} -> {b} -> {c} -> {a}"


def test_endless_chain_of_parents_is_refused(tmp_path):
    for number in range(30):
        (tmp_path / f"{number}.yaml").write_text(f"extends: {number + 1}.yaml\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_scenario(tmp_path / "0.yaml")
    assert str(error.value) == f"{tmp_path / '19.yaml'}, line 1, extends: more than 20 files extend each other"


def test_name_that_is_neither_file_nor_shipped(tmp_path):
    with pytest.raises(InputError) as error:
        load_scenario("mensi-pilo")
    assert str(error.value) == "'mensi-pilo': no scenario 'mensi-pilo'; did you mean 'mensi-pilot'? or the path of a YAML file"
    with pytest.raises(InputError) as error:
        load_scenario(tmp_path)
    assert str(error.value) == f"'{tmp_path}': '{tmp_path}' is not a file; allowed: a YAML file or the name of a shipped scenario"


def test_file_that_may_not_be_read(tmp_path, monkeypatch):
    # The system's refusal is played, as an administrator may read every file.
    def refuse(*_arguments, **_options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    file = tmp_path / "study.yaml"
    file.write_text(GOOD, encoding="utf-8")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        load_scenario(file)


ASSIGNMENTS = {
    "p=7": "--set p=7: 7 is out of range; allowed: 0 to 1 (per month)",
    "p=": "--set p=: nothing is not a number; allowed: numbers",
    "p=high": "--set p=high: 'high' is not a number; allowed: numbers",
    "p=nan": "--set p=nan: 'nan' is not a number; allowed: numbers",
    "p=.inf": "--set p=.inf: '.inf' is no finite number; allowed: numbers",
    "p=0.01:": "--set p=0.01:: nothing is not a number; allowed: numbers",
    "p=0.05:0.02": "--set p=0.05:0.02: low 0.05, base 0.0008, high 0.02; allowed: low <= base <= high",
    "p=0:1:2": "--set p=0:1:2: '1:2' is not a number; allowed: numbers",
    "regional_hub.places=1:2": "--set regional_hub.places=1:2: '1:2' is not a number; allowed: 1 to 100 (mentees per mentor)",
    "gama=1": "--set gama=1: nothing named 'gama' can be set; did you mean 'gamma'?",
    "regional_hub.stipends=1": "--set regional_hub.stipends=1: nothing named 'regional_hub.stipends' can be set; "
    "did you mean 'regional_hub.stipend'?",
    "regional_hub.places=0": "--set regional_hub.places=0: 0 is out of range; allowed: 1 to 100 (mentees per mentor)",
    "regional_hub.tier=hubs": "--set regional_hub.tier=hubs: 'hubs' is not allowed; allowed: none, platform, hub, ministry",
    "world.schools_per_region=-3": "--set world.schools_per_region=-3: -3 is out of range; allowed: 1 to 100000",
    "world.update=sequentially": "--set world.update=sequentially: 'sequentially' is not allowed; did you mean 'sequential'?",
    "months": "--set months: not an assignment; allowed: name=value, for example p=0.01",
    "": "--set : not an assignment; allowed: name=value, for example p=0.01",
    "gamma=1 q_in=2": "--set q_in=2: 2 is out of range; allowed: 0 to 1 (per month)",
    "world.schools=no-such-file": "--set world.schools=no-such-file: no such file: '{folder}/no-such-file'",
}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_assignment_is_named_as_it_was_typed(assignment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        load_scenario("mensi-pilot", [assignment])
    assert str(error.value) == ASSIGNMENTS[assignment].format(folder=tmp_path)


def test_options_are_named_as_they_were_typed():
    with pytest.raises(InputError) as error:
        load_scenario("mensi-pilot", replicates=0)
    assert str(error.value) == "--replicates 0: 0 is out of range; allowed: 1 to 1000000"
    with pytest.raises(InputError) as error:
        load_scenario("mensi-pilot", designs=["virtual", "hybird"])
    assert str(error.value) == "--designs hybird: no design named 'hybird'; did you mean 'hybrid'?"
    with pytest.raises(InputError) as error:
        load_scenario("mensi-pilot", designs=[])
    assert str(error.value) == "--designs: names no design; allowed: names separated by commas"


def test_description_of_a_study_is_checked_too():
    with pytest.raises(InputError) as error:
        scenario_from({"name": "x", "designs": ["virtual"], "months": 0}, "study.json")
    assert str(error.value) == "study.json, months: 0 is out of range; allowed: 1 to 1200"


def test_template_needs_a_name_that_can_be_a_folder():
    with pytest.raises(InputError) as error:
        template("../x")
    assert str(error.value) == "new '../x': '../x' is not a valid name; allowed: ^[a-z0-9][a-z0-9-]{0,59}$"


@pytest.mark.parametrize("text", ["virtual.stipend=1.000", "months=1.000", "months=1,000", "virtual.stipend=1,000"])
def test_a_number_that_could_be_two_is_refused_with_both(text):
    with pytest.raises(InputError) as caught:
        load_scenario("mensi-pilot", [text])
    word = text.partition("=")[2]
    assert str(caught.value) == f"--set {text}: {word!r} could be 1 or 1000; write it without a separator of thousands"


def test_a_number_whose_bounds_allow_one_reading_and_a_number_that_is_no_text_are_set():
    assert load_scenario("mensi-pilot", ["gamma=1.125"]).parameters["gamma"].base == 1.125
    assert load_scenario("mensi-pilot", {"virtual.stipend": 1.125}).designs["virtual"].stipend == 1.125
