"""Programmes in scenarios: read, written out and read back alike, set from the command line; a bad one is refused in one line."""

import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from school_mentoring.model.designs import FIELDS, PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.model.programmes import Gate, Phase, Programme
from school_mentoring.scenarios import dump_yaml, json_schema, load_scenario, resolved, scenario_from
from school_mentoring.scenarios.programmes import StatedGate, has_mentors, longest, parts
from school_mentoring.scenarios.stated_programmes import PHASE_FIELDS
from school_mentoring.scenarios.yaml_file import read_yaml

GATE = "{outcome: mentee_share, at_least: 0.25, survey: 30}"
TEXT = f"""\
designs:
  hub_then_virtual:
    phases:
      - {{ months: 24, design: regional_hub }}
      - {{ months: 12, design: hub, tie_months: 12, if: {GATE}, else: [{{ months: 3, design: outreach }}] }}
  as_chosen:
    by_country:
      IT: {{ design: bottom_up, target: small, reserve: 0.5 }}
      PT: {{ phases: [{{ months: 3, design: hub }}, {{ months: 9, design: virtual }}] }}
      others: virtual
  in_one_region: {{ by_region: {{ IT-1: hub, others: none }} }}
  hub: {{ preset: regional_hub, fte: 0.1, first_month: 8 }}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(text, *sets, **options):
        file = tmp_path / "study.yaml"
        file.write_text(text, encoding="utf-8")
        return load_scenario(file, sets, **options)

    return loaded


def test_phases_take_the_fields_of_presets_and_of_the_scenario_s_own_designs(load):
    first, second = load(TEXT).designs["hub_then_virtual"].phases
    assert first == Phase(months=24, **PRESETS["regional_hub"].model_dump())
    own = {**PRESETS["regional_hub"].model_dump(), "fte": 0.1, "tie_months": 12}  # but not the month in which it begins
    other = Phase(months=3, **PRESETS["outreach"].model_dump())
    gate = Gate(outcome="mentee_share", at_least=0.25, survey=30, survey_cost=StatedGate.model_fields["survey_cost"].default)
    assert second == Phase(months=12, gate=gate, otherwise=(other,), **own)


def test_places_have_designs_or_phases_of_their_own(load):
    scenario = load(TEXT)
    chosen = scenario.designs["as_chosen"].by_country
    assert chosen["IT"] == PRESETS["bottom_up"].model_copy(update={"target": "small", "reserve": 0.5})
    assert [phase.months for phase in chosen["PT"]] == [3, 9]
    assert chosen["others"] == PRESETS["virtual"]
    assert scenario.designs["in_one_region"].by_region == {"IT-1": scenario.designs["hub"], "others": PRESETS["none"]}


def test_a_programme_is_funded_while_any_of_its_tracks_is(load):
    scenario = load(TEXT)
    windows = {name: scenario.programme.window(design) for name, design in scenario.designs.items()}
    assert windows == {"hub_then_virtual": (6, 42), "as_chosen": (6, 34), "in_one_region": (6, 34), "hub": (8, 34)}
    assert longest(scenario.designs["hub_then_virtual"].phases) == 36
    assert all(has_mentors(design) for design in scenario.designs.values())
    assert [at for at, _ in parts(scenario.designs["hub_then_virtual"])] == [("phases", 0), ("phases", 1), ("phases", 1, "else", 0)]


def test_the_longest_way_may_lead_through_an_alternative(load):
    phases = f"[{{months: 2, design: virtual}}, {{months: 3, design: virtual, if: {GATE}, else: [{{months: 9, design: virtual}}]}}]"
    assert longest(load(f"designs: {{x: {{phases: {phases}}}}}").designs["x"].phases) == 11


def test_what_is_written_out_is_read_back_and_agrees_with_the_schema(load):
    scenario = load(TEXT)
    assert load(dump_yaml(scenario)) == scenario
    assert scenario_from(json.loads(json.dumps(resolved(scenario))), "study.json") == scenario
    assert load_scenario(scenario) == scenario
    validator = Draft202012Validator(json_schema())
    validator.validate(resolved(scenario))


def test_the_schema_completes_programmes_and_finds_what_no_programme_has(tmp_path):
    validator = Draft202012Validator(json_schema())
    file = tmp_path / "study.yaml"
    for old, new, good in (("", "", True), ("at_least: 0.25", "at_least: 2", False), ("tie_months", "tie_month", False)):
        file.write_text(TEXT.replace(old, new) if old else TEXT, encoding="utf-8")
        assert validator.is_valid(read_yaml(file).values) is good


def test_a_file_that_extends_another_states_programmes_anew(load, tmp_path):
    (tmp_path / "parent.yaml").write_text(TEXT + "  mine: { preset: hybrid }\n", encoding="utf-8")
    anew = "{phases: [{months: 2, design: hub}]}"
    child = load(f"extends: parent.yaml\ndesigns: {{hub_then_virtual: {anew}, mine: {anew}, as_chosen: {{preset: virtual}}}}")
    assert child.designs["hub_then_virtual"] == child.designs["mine"]
    assert [(phase.months, phase.fte) for phase in child.designs["mine"].phases] == [(2, 0.1)]
    assert child.designs["as_chosen"] == PRESETS["virtual"]


def test_programmes_that_are_kept_alone_keep_what_they_took_of_others(load):
    whole, kept = load(TEXT), load(TEXT, designs="hub_then_virtual,as_chosen,in_one_region")
    assert kept.designs == {name: design for name, design in whole.designs.items() if name != "hub"}


def test_fields_within_programmes_can_be_set(load):
    scenario = load(
        TEXT,
        "hub_then_virtual.phases.1.tie_months=24 hub_then_virtual.phases.1.if.at_least=0.3 hub_then_virtual.phases.1.else.0.months=4",
        "as_chosen.by_country.IT.target=rural as_chosen.by_country.others.fte=2 as_chosen.by_country.PT.phases.0.places=7 hub.fte=0.2",
    )
    second, chosen = scenario.designs["hub_then_virtual"].phases[1], scenario.designs["as_chosen"].by_country
    assert (second.tie_months, second.gate.at_least, second.gate.survey, second.otherwise[0].months, second.fte) == (24, 0.3, 30, 4, 0.2)
    assert (chosen["IT"].target, chosen["IT"].reserve, chosen["others"].fte, chosen["others"].places) == ("rural", 0.5, 2, 8)
    assert (chosen["PT"][0].places, chosen["PT"][0].fte) == (7, 0.2)
    assert load_scenario(scenario, "hub_then_virtual.phases.0.months=12").designs["hub_then_virtual"].phases[0].months == 12


BAD_SETS = {
    "as_chosen.by_country.HR.fte=3": (
        "nothing named 'as_chosen.by_country.HR.fte' can be set; did you mean 'as_chosen.by_country.IT.fte'?"
    ),
    "hub_then_virtual.phases.2.months=3": (
        "nothing named 'hub_then_virtual.phases.2.months' can be set; did you mean 'hub_then_virtual.phases.1.months'?"
    ),
    "hub_then_virtual.phases.1.months=0": "0 is out of range; allowed: 1 to 1200 (months)",
    "hub_then_virtual.phases.1.if.survey=2.5": "2.5 is not a whole number; allowed: whole numbers",
    "hub_then_virtual.phases.0.if.survey=3": (
        "nothing named 'hub_then_virtual.phases.0.if.survey' can be set; did you mean 'hub_then_virtual.phases.1.if.survey'?"
    ),
}


@pytest.mark.parametrize("assignment", BAD_SETS)
def test_what_cannot_be_set_within_a_programme_is_said(assignment, load):
    with pytest.raises(InputError) as error:
        load(TEXT, assignment)
    assert str(error.value) == f"--set {assignment}: {BAD_SETS[assignment]}"


NO_LIST = "allowed: a list of {months: ..., design: NAME, fields that differ}"
TWO = "phases: [{{months: 24, design: virtual}}, {{months: 3, design: virtual, {}}}]"
CASES = {
    "no phases": ("phases: []", f"phases: states no phases; {NO_LIST}"),
    "no list of phases": ("phases: 3", f"phases: 3 is no list of phases; {NO_LIST}"),
    "no phase": ("phases: [3]", f"phases[0]: 3 is no phase; {NO_LIST}"),
    "months below 1": ("phases: [{months: 0, design: virtual}]", "phases[0].months: 0 is out of range; allowed: 1 to 1200 (months)"),
    "half a month": ("phases: [{months: 1.5, design: virtual}]", "phases[0].months: 1.5 is not allowed; allowed: 1 to 1200 (months)"),
    "a word for months": ("phases: [{months: two, design: virtual}]", "phases[0].months: 'two' is not a number; allowed: whole numbers"),
    "no months": ("phases: [{design: virtual}]", "phases[0].months: is missing; allowed: 1 to 1200 (months)"),
    "no design": (
        "phases: [{months: 24}]",
        "phases[0].recruitment: is missing; state it, or `design: NAME` to take it from a preset or a design of this scenario "
        "(and 21 more)",
    ),
    "unknown design": ("phases: [{months: 2, design: virtul}]", "phases[0].design: no design named 'virtul'; did you mean 'virtual'?"),
    "a programme as design": ("by_country: {others: x}", "by_country.others: 'x' is a programme itself; allowed: plain designs"),
    "a preset within": (
        "phases: [{months: 2, preset: virtual}]",
        "phases[0].preset: is of designs that stand alone; allowed: `design: NAME`, a preset or a design of this scenario",
    ),
    "unknown field": ("phases: [{months: 2, design: virtual, plces: 2}]", "phases[0].plces: unknown key 'plces'; did you mean 'places'?"),
    "field out of range": (
        "phases: [{months: 2, design: virtual, places: 999}]",
        "phases[0].places: 999 is out of range; allowed: 1 to 100 (mentees per mentor)",
    ),
    "unknown word": (
        "phases: [{months: 2, design: virtual, scope: moon}]",
        "phases[0].scope: 'moon' is not allowed; allowed: country, region, anywhere, peers",
    ),
    "beyond the horizon": (
        "phases: [{months: 24, design: virtual}, {months: 60, design: virtual}]",
        "phases[1].months: the phases go on to month 90 of 72; "
        "allowed: phases that end with the scenario's months; shorten them, or raise months",
    ),
    "an alternative beyond the horizon": (
        TWO.format(f"if: {GATE}, else: [{{months: 90, design: virtual}}]"),
        "phases[1].else[0].months: the phases go on to month 120 of 72; "
        "allowed: phases that end with the scenario's months; shorten them, or raise months",
    ),
    "months of a window": (
        "phases: [{months: 24, design: virtual, first_month: 3}]",
        "phases[0].first_month: a phase begins where the one before it ends; allowed: months; programme.first_month begins the first",
    ),
    "a gate on the first phase": (
        f"phases: [{{months: 24, design: virtual, if: {GATE}}}]",
        "phases[0].if: a gate on an outcome not yet seen: no school was mentored before; "
        "allowed: `if` on a phase that follows one with mentors",
    ),
    "a gate after phases without mentors": (
        f"phases: [{{months: 24, design: outreach}}, {{months: 2, design: virtual, if: {GATE}}}]",
        "phases[1].if: a gate on an outcome not yet seen: no school was mentored before; "
        "allowed: `if` on a phase that follows one with mentors",
    ),
    "else without if": (
        TWO.format("else: [{months: 3, design: virtual}]"),
        "phases[1].else: stands without `if`; allowed: beside `if`, for what comes where it does not hold",
    ),
    "an empty alternative": (
        TWO.format(f"if: {GATE}, else: []"),
        f"phases[1].else: states no phases; {NO_LIST}",
    ),
    "unknown outcome": (
        TWO.format("if: {outcome: mentee_shar, at_least: 0.2, survey: 3}"),
        "phases[1].if.outcome: 'mentee_shar' is not allowed; allowed: 'mentee_share'",
    ),
    "no share": (
        TWO.format("if: {outcome: mentee_share, at_least: 1.2, survey: 3}"),
        "phases[1].if.at_least: 1.2 is out of range; allowed: 0 to 1",
    ),
    "an empty survey": (
        TWO.format("if: {outcome: mentee_share, at_least: 0.2, survey: 0}"),
        "phases[1].if.survey: 0 is out of range; allowed: 1 to 1000000",
    ),
    "half a school": (
        TWO.format("if: {outcome: mentee_share, at_least: 0.2, survey: 1.5}"),
        "phases[1].if.survey: 1.5 is not a whole number; allowed: whole numbers",
    ),
    "no survey": (TWO.format("if: {outcome: mentee_share, at_least: 0.2}"), "phases[1].if.survey: is missing; allowed: 1 to 1000000"),
    "no outcome": (TWO.format("if: {at_least: 0.2, survey: 3}"), "phases[1].if.outcome: is missing; allowed: mentee_share"),
    "unknown key of a gate": (
        TWO.format("if: {outcome: mentee_share, at_least: 0.2, survey: 3, cost: 1}"),
        "phases[1].if.cost: unknown key 'cost'; did you mean 'survey_cost'?",
    ),
    "no gate": (TWO.format("if: 3"), "phases[1].if: 3 is not a mapping of keys to values"),
    "phases and a field": (
        "phases: [{months: 24, design: virtual}]\n    tie_months: 12",
        "tie_months: a design of 'phases' takes no 'tie_months' of its own; state it within 'phases'",
    ),
    "phases and countries": (
        "phases: [{months: 24, design: virtual}]\n    by_country: {others: virtual}",
        "by_country: stands beside 'phases'; allowed: one of them; a country or region may have phases",
    ),
    "countries within countries": (
        "by_country: {others: {by_country: {IT: virtual}}}",
        "by_country.others.by_country: stands within a phase or a place; allowed: by_country outside, and phases within its places",
    ),
    "countries within phases": (
        "phases: [{months: 12, by_country: {IT: virtual}}]",
        "phases[0].by_country: stands within a phase or a place; allowed: by_country outside, and phases within its places",
    ),
    "phases within phases": (
        "phases: [{months: 12, phases: [{months: 1, design: virtual}]}]",
        "phases[0].phases: stands within a phase; allowed: one list of phases",
    ),
    "nothing for the others": (
        "by_country: {IT: virtual}",
        "by_country: says nothing for BE-VLG, HR, CZ, HU, PT; "
        "state them, or 'others': a design for all others, `others: none` to do nothing",
    ),
    "unknown country": (
        "by_country: {ITA: virtual, others: none}",
        "by_country.ITA: no country named 'ITA' in this world; did you mean 'IT'?",
    ),
    "country by its name": (
        "by_country: {Italy: virtual, others: none}",
        "by_country.Italy: no country named 'Italy' in this world; did you mean 'IT'?",
    ),
    "unknown region": (
        "by_region: {IT-5: virtual, others: none}",
        "by_region.IT-5: no region named 'IT-5' in this world; did you mean 'IT-4'?",
    ),
    "nothing for a country": (
        "by_country: {IT: , others: none}",
        "by_country.IT: nothing is stated; allowed: the name of a design, {design: NAME, fields that differ}, or {phases: [...]}; "
        "`none` to do nothing",
    ),
    "no country": (
        "by_country: {}",
        "by_country: states no place; allowed: a place or 'others', each with the name of a design, {design: NAME, fields that differ}, "
        "or {phases: [...]}",
    ),
    "a design beside phases of a country": (
        "by_country: {others: {design: virtual, phases: [{months: 3, design: virtual}]}}",
        "by_country.others.design: stands beside 'phases', which take no 'design' in common; state it in each phase",
    ),
    "months of a country out of order": (
        "by_country: {others: {design: virtual, first_month: 40}}",
        "by_country.others.first_month: funded from month 40 to month 34; allowed: last_month not before first_month",
    ),
    "misspelt phases": ("phasess: [{months: 3, design: virtual}]", "phasess: unknown key 'phasess'; did you mean 'phases'? (and 22 more)"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_bad_programme_is_refused_in_one_line(case, load, tmp_path):
    stated, said = CASES[case]
    with pytest.raises(InputError) as error:
        load(f"designs:\n  x:\n    {stated}\n")
    line = 2 + len(stated.split("\n"))
    assert str(error.value) == f"{tmp_path}/study.yaml, line {line}, designs.x.{said}"


def test_a_country_stated_twice_is_refused(load, tmp_path):
    with pytest.raises(InputError, match=r"line 2: the key 'IT' is stated twice"):
        load("designs:\n  x: {by_country: {IT: virtual, IT: none, others: none}}\n")


def test_the_comparator_is_no_programme(load):
    with pytest.raises(InputError, match=r"designs\.none: 'none' is what all designs are compared with and takes no fields"):
        load("designs: {none: {phases: [{months: 3, design: virtual}]}}")


def test_gates_within_alternatives_end_somewhere():
    with pytest.raises(InputError, match="more than 3 `else` within each other; allowed: fewer"):
        scenario_from({"name": "x", "designs": {"x": {"phases": nested(5)}}}, "study.json")
    assert scenario_from({"name": "x", "designs": {"x": {"phases": nested(3)}}}, "study.json")


def nested(depth):
    """Phases with so many ``else`` within each other."""
    gate = {"outcome": "mentee_share", "at_least": 0.25, "survey": 30}
    last = {"months": 1, "design": "virtual"}
    return [last, {**last, "if": gate, "else": nested(depth - 1)}] if depth else [last]


def test_own_schools_may_be_in_other_places_so_the_others_need_a_design(load, tmp_path):
    (tmp_path / "schools.csv").write_text("school_id,country,region\n1,FR,Alpes\n", encoding="utf-8")
    world = "world: {schools: schools.csv, countries: [FR]}\n"
    assert load(world + "designs: {x: {by_region: {Alpes: virtual, others: none}}}")
    with pytest.raises(InputError, match="may say nothing for a region of the own schools"):
        load(world + "designs: {x: {by_region: {Alpes: virtual}}}")


def test_gates_are_stated_as_the_model_has_them():
    assert tuple(StatedGate.model_fields) == tuple(Gate.model_fields)
    assert get_args(StatedGate.model_fields["outcome"].annotation) == get_args(Gate.model_fields["outcome"].annotation)
    assert {*PHASE_FIELDS, "first_month", "last_month"} == {*FIELDS}


PHASES = st.recursive(
    st.lists(st.fixed_dictionaries({"months": st.integers(1, 3), "design": st.sampled_from(sorted(PRESETS))}), min_size=1, max_size=3),
    lambda inner: st.builds(
        lambda first, gate, rest: [{"months": 1, "design": "virtual"}, {**first[0], "if": gate, "else": rest}, *first[1:]],
        inner,
        st.fixed_dictionaries({"outcome": st.just("mentee_share"), "at_least": st.floats(0, 1), "survey": st.integers(1, 99)}),
        inner,
    ),
    max_leaves=3,
)
TRACKS = st.sampled_from(sorted(PRESETS)) | PHASES.map(lambda phases: {"phases": phases}) | st.just({"design": "virtual", "fte": 1 / 3})
PROGRAMMES = PHASES.map(lambda phases: {"phases": phases}) | st.one_of(
    st.dictionaries(st.sampled_from(["IT", "PT", "HU"]), TRACKS).map(lambda tracks: {"by_country": {**tracks, "others": "none"}}),
    st.dictionaries(st.sampled_from(["IT-1", "PT-4"]), TRACKS).map(lambda tracks: {"by_region": {**tracks, "others": "none"}}),
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(["one", "other"]), PROGRAMMES, min_size=1))
def test_any_programme_is_read_back_as_it_was_written(designs):
    scenario = scenario_from({"name": "x", "designs": designs}, "study.json")
    assert all(isinstance(design, Programme) for design in scenario.designs.values())
    assert scenario_from(json.loads(json.dumps(resolved(scenario))), "again") == scenario
    Draft202012Validator(json_schema()).validate(resolved(scenario))
