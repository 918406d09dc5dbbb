"""Names that were parameters, and how any name that nothing has is refused."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from school_mentoring.model.errors import listed, nearest, quoted
from school_mentoring.model.parameters import country_of

MODEL_1: Mapping[str, str] = {
    "expertise_floor": "expertise_full took its place (share of users in the mentor school from which its hour is worth a full hour)",
    "outreach_effect": "enrolment, completion and uptake took its place (chances to enrol in the open course, finish it, use the practice)",
    "team": "the field team of each design took its place (teachers of a school who take part), for example regional_hub.team",
    "work_hours": "taught_hours and working_hours of each country took its place, with cover_share (share of hours that need cover)",
}
"""What took the place of each parameter of model 1 that model 2 does not have."""

GONE: Mapping[str, str] = {
    **MODEL_1,
    **dict.fromkeys(
        (f"salary_country_{number}" for number in range(1, 7)),
        "each country has a factor of its own, named by its code, for example salary_IT",
    ),
}
"""What took the place of each parameter that there is no more."""


class Refusal(NamedTuple):
    """The name to point at, what is wrong with it and with others like it, and what is allowed."""

    name: str
    problem: str
    allowed: str


def refusal(strange: Sequence[str], problem: str, known: Iterable[str]) -> Refusal:
    """Return why names that nothing has are refused; those that are gone go first, as no other name is like what took their place.

    ``problem``: with {} for the names; ``known``: the names that are allowed.
    """
    gone = [name for name in dict.fromkeys(strange) if name in GONE]
    if not gone and (elsewhere := [name for name in strange if country_of(name)]):
        there = listed(name for name in known if country_of(name))
        return Refusal(elsewhere[0], f"no country of the scenario has {quoted(elsewhere)}", f"allowed: {there}")
    if not gone:
        return Refusal(strange[0], problem.format(quoted(strange)), nearest(strange, known))
    told = "is no longer a parameter" if len(gone) == 1 else "are no longer parameters"
    return Refusal(gone[0], f"{quoted(gone)} {told} of the model", "; ".join(dict.fromkeys(GONE[name] for name in gone)))
