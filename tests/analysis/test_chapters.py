"""Chapters of a recommendation say of groups and of costs by country what hand-made tables hold."""

import numpy as np
import pytest

from school_mentoring.analysis.economics.equity import EquityDistribution
from school_mentoring.analysis.report.chapters.gains import who_gains
from school_mentoring.analysis.report.chapters.statements import assumptions_section, discounting, limits_section
from school_mentoring.model.observe import SCHOOL_TYPES
from school_mentoring.model.parameters import PARAMETERS

SETS = 50


def spread(*gains: float, noise: float = 0.0, sets: int = SETS) -> EquityDistribution:
    """Return a distribution in which a design adds so many adopter-years per teacher in each school type, give or take noise."""
    rng = np.random.default_rng(4)
    effect = np.ones((sets, 2, len(gains)))
    effect[:, 1] += np.array(gains) + rng.normal(0, noise, (sets, len(gains)))
    groups = SCHOOL_TYPES[: len(gains)]
    return EquityDistribution(("none", "hub"), groups, np.full((sets, len(gains)), 100.0), effect, np.zeros_like(effect))


def test_the_groups_that_gain_most_and_least_are_named_with_the_share_of_sets_in_which_they_do() -> None:
    said = who_gains(spread(0.5, 0.3, 0.2), "hub", {})
    assert said == (
        "With hub, by the means, rural disadvantaged schools (50) gain most, in adopter-years per 100 teachers, and disadvantaged "
        "schools that are not rural (20.0) least; in 100 % of parameter sets the first of these gain more than the last."
    )


def test_groups_that_are_not_told_apart_are_named_together() -> None:
    said = who_gains(spread(0.5, 0.5001, 0.2, noise=0.05), "hub", {})
    most, least = said.split(" gain most, ")
    assert "rural disadvantaged schools" in most and "rural schools that are not disadvantaged" in most
    assert "disadvantaged schools that are not rural" in least
    assert who_gains(spread(0.5, 0.5, noise=0.05), "hub", {}).endswith("by more than two standard errors, per teacher.")


def test_of_one_parameter_set_no_share_of_sets_is_told() -> None:
    assert who_gains(spread(0.5, 0.3, sets=1), "hub", {}).endswith(" least, under the one parameter set looked at.")


def test_no_design_has_no_gains() -> None:
    assert who_gains(spread(0.5, 0.3), "none", {}) == "No design is there whose gains could be shared out."


@pytest.mark.parametrize(
    ("ranges", "varied", "said"),
    [
        ({}, [], "3 % a year, costs and effects alike"),
        (
            {"discount_rate": {"low": 0.0, "base": 0.03, "high": 0.05}},
            ["discount_rate"],
            "0 to 5 % a year over the parameter sets (base 3 %), costs and effects alike; a scenario may fix a rate",
        ),
    ],
)
def test_discounting_is_told_in_per_cent(ranges, varied, said) -> None:
    assert discounting(ranges, varied) == said


def test_parameters_worth_knowing_come_first_and_the_others_in_the_order_of_the_table() -> None:
    section = assumptions_section({}, list(PARAMETERS), ["q_out", "beta"])
    names = [row[0].rsplit("(", 1)[1].rstrip(")") for row in section.blocks[1].rows]
    assert names == ["q_out", "beta", *(name for name in PARAMETERS if name not in ("q_out", "beta"))]
    assert "All of them were varied" in section.blocks[0].text
    assert "None of them were varied" in assumptions_section({}, [], []).blocks[0].text


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((1, 1, ["none"]), ["One parameter set was looked at", "One run was made"]),
        ((1, 9, ["none"]), ["One parameter set was looked at"]),
        ((9, 1, ["none", "outreach"]), ["The effect of outreach rests on three rates of an open course"]),
    ],
)
def test_limits_are_those_of_the_study(size, said) -> None:
    special = ("The effect of outreach", "One parameter set", "One run was made")
    items = limits_section(*size).blocks[0].items
    found = [item for item in items if item.startswith(special)]
    assert len(found) == len(said)
    assert all(any(item.startswith(words) for item in found) for words in said)
