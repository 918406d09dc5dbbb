"""No lever is a free lunch: society's best value lies inside its range, or the way to its bound is paid for, or the protocol says why.

Each lever of a design is walked from bound to bound, from the regional hub, on common random numbers; means over worlds.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from school_mentoring.experiments.validation.runs import preset, study
from school_mentoring.model.designs import CHOICES, FIELDS
from tests.documents import ODD, read

WORLDS = 24
HUB = "regional_hub"
SETTINGS: dict[str, dict[str, object]] = {"reserve": {"target": "rural"}, "community_after": {"community": 0.3}}
"""What a lever needs in order to do anything."""

LEVERS: dict[str, tuple[float, ...]] = {
    "mentor_share": (0.0, 0.02, 0.05, 0.1, 0.3, 1.0),
    "places": (1, 2, 4, 8, 12, 30, 100),
    "tie_months": (12, 24, 36, 48, 0),
    "reserve": (0.0, 0.25, 0.5, 1.0),
    "virtual_share": (0.0, 0.25, 0.5, 0.75, 1.0),
    "team": (1, 2, 4, 8, 25, 200),
    "meeting_hours": (0.0, 0.5, 1.0, 2.0, 4.0, 20.0, 100.0),
    "fte": (0.0, 0.02, 0.04, 0.1, 0.5, 2.0),
    "stipend": (0.0, 500.0, 2000.0, 10000.0),
    "release_hours": (0.0, 2.0, 6.0, 15.0, 40.0, 200.0),
    "mentee_grant": (0.0, 300.0, 1000.0, 5000.0),
    "cascade": (0.0, 0.1, 0.3, 1.0),
    "community": (0.0, 0.1, 0.3, 1.0),
    "outreach": (0.0, 0.3, 1.0),
    "recognition": (0.0, 1.0),
    "mandate": (0.0, 1.0),
    "supply_cover": (0.0, 1.0),
    "community_after": (0.0, 1.0),
}
WORTHS = (2_000.0, 5_000.0, 10_000.0)
"""Of an adopter-year, EUR: at less, doing nothing is best in most worlds."""

EXPLAINED = ("stipend", "mentee_grant", "recognition", "supply_cover")
"""Levers that at some worth do nothing but cost; the protocol's section on corners says why."""


class Walk(NamedTuple):
    """What each value of a lever adds to none in each world, (values, worlds): adopter-years, and society's cost in EUR."""

    gain: np.ndarray
    cost: np.ndarray


@cache
def walk(lever: str) -> Walk:
    designs = {f"value {i}": preset(HUB, **{**SETTINGS.get(lever, {}), lever: value}) for i, value in enumerate(LEVERS[lever])}
    runs = study(designs, worlds=WORLDS)
    cost = [runs.outcome(name, "cost_society") - runs.outcome("none", "cost_society") for name in designs]
    return Walk(np.array([runs.added(name) for name in designs]), np.array(cost))


def verdict(lever: str, worth: float) -> str:
    """Return where society's best value lies: inside, or at a bound that gains what it pays or forgoes what it saves, beside all others."""
    gain, cost = walk(lever)
    best = int(np.argmax((worth * gain - cost).mean(axis=1)))
    if 0 < best < len(gain) - 1:
        return "inside"
    more, dearer = gain[best] - np.delete(gain, best, axis=0), (cost[best] - np.delete(cost, best, axis=0)).mean(axis=1)
    sure = np.abs(more.mean(axis=1)) > 2.0 * more.std(axis=1, ddof=1) / np.sqrt(WORLDS)
    if not sure.any():
        return "does nothing"
    return "free" if (sure & (more.mean(axis=1) > 0.0) & (dearer <= 0.0)).any() else "paid for"


def test_every_lever_that_is_a_number_or_a_switch_is_walked():
    levers = {name for name in FIELDS if name not in CHOICES}
    assert set(LEVERS) == levers - {"first_month", "last_month"}


@pytest.mark.parametrize("lever", LEVERS)
def test_no_bound_of_a_lever_is_best_for_nothing(lever):
    found = {worth: verdict(lever, worth) for worth in WORTHS}
    assert "free" not in found.values(), found
    assert ("does nothing" in found.values()) == (lever in EXPLAINED), found
    if lever in EXPLAINED:
        assert f"`{lever}`" in read(ODD).split("### Corners")[1].split("\n#")[0]


CONTACTS_ALONE = {
    "many places, meetings and large teams": {"places": 30, "team": 8, "meeting_hours": 2.0, "release_hours": 0.0},
    "many places for teams of one": {"places": 16, "team": 1, "meeting_hours": 0.0, "release_hours": 0.0},
    "a community of whole staffs": {"places": 30, "team": 200, "release_hours": 0.0, "community": 1.0, "community_after": True},
}


@pytest.mark.parametrize("name", CONTACTS_ALONE)
def test_a_programme_that_lives_on_contacts_alone_costs_society_more_for_an_adopter_year_than_one_that_mentors(name):
    designs = {"alone": preset(HUB, **CONTACTS_ALONE[name]), "mentoring": preset(HUB)}
    runs = study({"alone": designs["alone"]}, worlds=WORLDS, parameters={"beta": 0.0, "shield": 0.0}), study(designs, worlds=WORLDS)
    price = [
        (one.outcome(design, "cost_society") - one.outcome("none", "cost_society")).mean() / one.added(design).mean()
        for one, design in zip(runs, designs, strict=True)
    ]
    assert price[0] > price[1]
