"""Whatever the input, loading gives a Scenario or an InputError of one line; and what is written out is read back equal."""

import json
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from school_mentoring import scenarios
from school_mentoring.model.designs import CHOICES, FIELDS, PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import PARAMETERS
from school_mentoring.scenarios import Scenario, dump_yaml, load_scenario, resolved, scenario_from, shipped_scenarios

SHIPPED = {name: (Path(scenarios.__file__).parent / f"{name}.yaml").read_bytes() for name in shipped_scenarios()}
WORDS = sorted(
    {"~", "null", "true", "-1", ".nan", "1e999", "9" * 400, "[]", "{}", "*a", "&a x", "!!set {}", "0x10", "NO", "''", *PRESETS, *FIELDS}
)


@contextmanager
def file_of(content: bytes):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_bytes(content)
        yield file


def loads_or_complains(load) -> None:
    try:
        scenario = load()
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 2000
    else:
        assert isinstance(scenario, Scenario)
        assert scenario_from(json.loads(json.dumps(resolved(scenario), allow_nan=False)), "again") == scenario
        with file_of(dump_yaml(scenario).encode("utf-8")) as written:
            assert scenario.world.schools or scenario.world.ties or load_scenario(written) == scenario


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_any_bytes(content):
    with file_of(content) as file:
        loads_or_complains(lambda: load_scenario(file))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(sorted(SHIPPED)), st.data())
def test_any_damage_to_a_shipped_scenario(name, data):
    content = bytearray(SHIPPED[name])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 20))
        content[start : start + length] = data.draw(st.binary(max_size=8) | st.sampled_from(WORDS).map(str.encode))
    with file_of(bytes(content)) as file:
        loads_or_complains(lambda: load_scenario(file))


PROGRAMMES = ("phases", "by_country", "by_region", "IT", "others", "months", "design", "if", "else")

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([10**400, -(10**400), *WORDS]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["preset", "base", "code", "name", *PROGRAMMES, *FIELDS]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=500)
@given(st.dictionaries(st.sampled_from([*Scenario.model_fields, "extends"]) | st.text(max_size=5), VALUES, max_size=4))
def test_any_values_under_any_keys(values):
    loads_or_complains(lambda: scenario_from({"name": "x", "designs": ["virtual"], **values}, "study.json"))


INNER = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(PROGRAMMES), inner, max_size=3), max_leaves=8
)


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(["phases", "by_country", "by_region"]), INNER, st.text(max_size=12) | st.sampled_from(WORDS))
def test_any_programme_and_any_assignment_to_it(kind, values, word):
    designs = {"x": {kind: values}, "virtual": None}
    loads_or_complains(lambda: scenario_from({"name": "x", "designs": designs}, "study.json"))
    with file_of(json.dumps({"designs": designs}, default=str).encode("utf-8", "replace")) as file:
        for name in ("x.phases.0.months", "x.by_country.IT.fte", "x.by_region.others.phases.0.if.at_least"):
            loads_or_complains(lambda name=name: load_scenario(file, [f"{name}={word}"]))
            loads_or_complains(lambda: load_scenario(file, designs=["x"]))


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([*PARAMETERS, "months", "seed", "virtual.fte", "virtual.tier", "world.schools"]),
    st.text(max_size=12) | st.sampled_from(WORDS),
)
def test_any_assignment(name, word):
    loads_or_complains(lambda: load_scenario("mensi-pilot", [f"{name}={word}"]))


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30))
def test_any_name_and_any_text_to_set(text):
    loads_or_complains(lambda: load_scenario(text))
    loads_or_complains(lambda: load_scenario("mensi-pilot", [text]))
    loads_or_complains(lambda: load_scenario("mensi-pilot", designs=[text]))
    loads_or_complains(lambda: load_scenario("mensi-pilot", schools=text))


def within(row):
    number = st.integers(int(row.minimum), int(row.maximum)) if row.distribution == "integer" else st.floats(row.minimum, row.maximum)
    return number | st.lists(number, min_size=3, max_size=3).map(lambda ends: dict(zip(("low", "base", "high"), sorted(ends), strict=True)))


def field_values(field):
    row = FIELDS[field]
    if field in CHOICES:
        return st.sampled_from(CHOICES[field])
    if row.unit == "0|1":
        return st.booleans()
    whole = isinstance(getattr(PRESETS["virtual"], field), int)
    return st.integers(int(row.minimum), int(row.maximum)) if whole else st.floats(row.minimum, row.maximum)


SCENARIOS = st.fixed_dictionaries(
    {
        "name": st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,59}\Z"),
        "designs": st.dictionaries(
            st.from_regex(r"\A[a-z][a-z0-9_]{0,39}\Z").filter(lambda name: name != "none"),
            st.fixed_dictionaries(
                {"preset": st.sampled_from(sorted(PRESETS))},
                optional={field: field_values(field) for field in FIELDS if field not in ("first_month", "last_month")},
            ),
            min_size=1,
            max_size=3,
        ),
    },
    optional={
        "title": st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        "description": st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
        | st.sampled_from(["1e-3", "no", "~", "- x", "a: b", " # "]),
        "seed": st.integers(0, 2**64 - 1),
        "months": st.integers(1, 1200),
        "parameters": st.fixed_dictionaries({}, optional={name: within(row) for name, row in PARAMETERS.items()}),
        "practices": st.lists(
            st.fixed_dictionaries({"name": st.from_regex(r"\A[a-z]{1,8}\Z"), "weight": st.floats(1e-6, 1e6)}),
            min_size=1,
            max_size=4,
            unique_by=lambda practice: practice["name"],
        ),
        "world": st.fixed_dictionaries({}, optional={"countries": st.just(["IT", {"code": "NO", "rural": 0.2}])}),
        "uncertain": st.lists(st.sampled_from([*PARAMETERS, "network", "cost"]), max_size=4),
    },
)


@settings(deadline=None, max_examples=150)
@given(SCENARIOS)
@example({"name": "x", "designs": ["virtual"], "title": "one\x85two", "description": "one\u2028two\u2029"})
def test_what_is_written_out_is_read_back_equal(values):
    scenario = scenario_from(values, "drawn")
    assert scenario_from(json.loads(json.dumps(resolved(scenario))), "json") == scenario
    with file_of(dump_yaml(scenario).encode("utf-8")) as file:
        assert load_scenario(file) == scenario


@settings(deadline=None, max_examples=100)
@given(SCENARIOS)
def test_uncertain_parameters_hold_their_order(values):
    for row in scenario_from(values, "drawn").uncertain_parameters().values():
        assert row.minimum <= row.low <= row.base <= row.high <= row.maximum
        assert row.low < row.high


@pytest.mark.parametrize("name", ["a b", "Größe", "...", "x" * 300])
def test_any_file_name_gives_a_name_for_folders(name):
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{name[:200]}.yaml"
        file.write_text("designs: [virtual]\n", encoding="utf-8")
        assert load_scenario(file).name.isascii()
