"""What is said of a design: every field that is on and means something, by its phrase in the table, in sentences that can be read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.analysis.describe import describe
from school_mentoring.model.designs import CHOICES, FIELDS, OPTIONAL, PRESETS, SWITCHES, WHOLE, Design
from school_mentoring.model.programmes import Gate, Phase, Programme


def values_of(field):
    """Return values of a field that differ in what they mean, the first of them on."""
    if field in CHOICES:
        return [*CHOICES[field][1:], CHOICES[field][0]]
    if field in SWITCHES:
        return [True, False]
    low, high = FIELDS[field].low, FIELDS[field].high
    numbers = [high, (low + high) / 2, low]
    return [*(round(one) if field in WHOLE else one for one in numbers), *([None] if field in OPTIONAL else [])]


ALL_ON = Design.model_validate({field: values_of(field)[0] for field in FIELDS})


@pytest.mark.parametrize("field", FIELDS)
def test_every_value_of_every_field_is_said_where_all_others_are_on(field):
    values = values_of(field)
    said = {describe(ALL_ON.model_copy(update={field: value})) for value in values}
    assert len(said) == len(values)


def test_of_fields_that_are_off_nothing_is_said():
    assert describe(PRESETS["none"]) == "No school mentors another."


def test_of_fields_that_mean_nothing_beside_the_others_nothing_is_said():
    volunteers = ALL_ON.model_copy(update={"recruitment": "volunteer"})
    assert describe(volunteers) == describe(volunteers.model_copy(update={"mandate": False}))
    alone = ALL_ON.model_copy(update={"recruitment": "none", "tier": "none", "outreach": 0.0})
    assert describe(alone) == describe(PRESETS["none"])
    assert "funding starts" in describe(alone.model_copy(update={"outreach": 0.5})).lower()


def test_a_preset_reads_as_sentences():
    assert describe(PRESETS["regional_hub"].model_copy(update={"first_month": 6, "last_month": 34})) == (
        "The most capable schools are assigned as mentors; up to 5 % of a region's schools are taken as mentors; a mentee in whose team "
        "the practice is mainstreamed becomes a mentor with a chance of 10 % a year. A mentor is found in the region of its mentee; the "
        "nearest schools are served first; a mentor takes up to 4 at a time. 30 % of mentoring hours are online; a team of 4 of each "
        "school takes part; the schools of a cluster meet for 1 h a month. A hub in each region coordinates, with 0.04 FTE. Each mentor "
        "school gets EUR 500 a year; paid time for mentoring is 6 h a month; mentor schools are formally recognised. An online community "
        "of all mentors and mentees runs with an intensity of 20 %. Funding starts in month 6; month 34 is the first without funding."
    )


GATE = Gate(outcome="mentee_share", at_least=0.25, survey=30, survey_cost=0)


def phase(months, preset, **more):
    return Phase(**{**PRESETS[preset].model_dump(), "months": months, **more})


@pytest.mark.parametrize(
    ("programme", "said"),
    [
        (
            Programme(phases=(phase(24, "regional_hub"), phase(12, "virtual", tie_months=24))),
            "24 months of regional hub, then 12 months of virtual (a tie is planned for 24 months).",
        ),
        (
            Programme(phases=(phase(1, "hybrid"), phase(2, "virtual", gate=GATE), phase(3, "outreach"))),
            "1 month of hybrid; goes on only if a survey of 30 mentored schools finds at least 25 % of the teachers in their teams using "
            "the practice (otherwise it ends): 2 months of virtual, then 3 months of outreach.",
        ),
        (
            Programme(phases=(phase(1, "hybrid"), phase(2, "virtual", gate=GATE, otherwise=(phase(3, "outreach"),)))),
            "1 month of hybrid; goes on only if a survey of 30 mentored schools finds at least 25 % of the teachers in their teams using "
            "the practice (otherwise 3 months of outreach): 2 months of virtual.",
        ),
        (
            Programme(by_country={"IT": PRESETS["bottom_up"], "PT": (phase(6, "virtual", fte=0, tier="none"),), "others": PRESETS["none"]}),
            "Italy: bottom-up; Portugal: 6 months of virtual (no tier; no FTE); all others: no programme.",
        ),
        (Programme(by_region={"IT-1": PRESETS["virtual"]}), "IT-1: virtual."),
        (
            Programme(phases=(phase(6, "hybrid"), phase(3, "outreach", stipend=700, places=9))),  # of nobody's places
            "6 months of hybrid, then 3 months of outreach (each mentor school gets EUR 700 a year).",
        ),
        (
            Programme(phases=(phase(6, "outreach", stipend=700, outreach=0.01),)),  # nearer to no programme, which it is not
            "6 months of outreach (a campaign and an open online course reach all schools, with an intensity of 1 %).",
        ),
    ],
)
def test_a_programme_is_said_in_one_sentence(programme, said):
    assert describe(programme) == said


def test_a_programme_is_told_by_the_designs_of_its_scenario():
    mine = PRESETS["virtual"].model_copy(update={"places": 12, "fte": 2.0})
    assert describe(Programme(phases=(phase(6, "virtual", places=12, fte=2.0),)), {"my_own": mine}) == "6 months of my own."


@st.composite
def any_design(draw):
    def value(field):
        row = FIELDS[field]
        if field in CHOICES or field in SWITCHES:
            return draw(st.sampled_from(values_of(field)))
        number = draw(st.integers(int(row.minimum), int(row.maximum)) if field in WHOLE else st.floats(row.minimum, row.maximum))
        return draw(st.sampled_from([None, number])) if field in OPTIONAL else number

    return Design.model_validate({field: value(field) for field in FIELDS})


@given(any_design())
def test_whatever_a_design_is_it_is_said_in_whole_sentences(design):
    said = describe(design)
    assert re.fullmatch(r"([A-Z0-9][^.;{}]*(\.\d[^.;{}]*)*(; [a-z0-9][^.;{}]*(\.\d[^.;{}]*)*)*\.( |$))+", said)
    assert not re.search(r"None|nan|inf\b|  |e[+-]\d", said)


def test_a_field_of_words_has_a_phrase_for_each_in_the_order_of_the_words():
    for field, words in CHOICES.items():
        assert FIELDS[field].unit == "|".join(words)
        assert FIELDS[field].phrase.count("|") == len(words) - 1
