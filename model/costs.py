"""The ledger: what each month costs, by category and payer.

Amounts are whole cents (EUR of 2023), so sums are the same in any order, on any number of threads, and always add up. A transfer, what the
programme pays to schools, is the programme's cost and taken off the schools': it cancels in the sum over payers, which is what is used up.
"""

from typing import NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Record

from .compiled import step
from .portable import exp, log

CATEGORIES = (
    "coordination",
    "release",
    "voluntary",
    "team",
    "meeting",
    "stipend",
    "grant",
    "travel",
    "platform",
    "outreach",
    "course",
    "learning",
    "onboarding",
    "recognition",
)
PAYERS = ("programme", "schools")
TRANSFERS = ("stipend", "grant")
"""The categories that one pays to the other, and society to nobody."""

(
    COORDINATION,
    RELEASE,
    VOLUNTARY,
    TEAM,
    MEETING,
    STIPEND,
    GRANT,
    TRAVEL,
    PLATFORM,
    OUTREACH,
    COURSE,
    LEARNING,
    ONBOARDING,
    RECOGNITION,
) = range(len(CATEGORIES))
PROGRAMME, SCHOOLS = range(len(PAYERS))

YEAR, OWN, PAID = range(3)
"""The prices of a country (rows of ``state.CountryMoney``): a teacher's year, an hour of a teacher's own time, one of the programme."""

_STARTED = 0.2  # of the course's hours, by those who do not finish it


class TieMonth(NamedTuple):
    """What a month of a tie takes: hours of sessions, of meetings and on the road, each of every teacher in the team; kilometres."""

    session: float
    meeting: float
    travel: float
    kilometres: float


@step
def cents(euros: float) -> np.int64:
    """Return an amount of EUR, not negative, as whole cents, half a cent rounded up."""
    return np.int64(euros * 100.0 + 0.5)


@step
def teacher_year(par: Record, salary: float, factor: float) -> float:
    """Return the employer's cost of a teacher's year in EUR: salary x salary_level x the country's factor x teacher_cost_factor."""
    return salary * par.salary_level * factor * par.teacher_cost_factor


@step
def own_hour(year: float, working_hours: float) -> float:
    """Return the cost in EUR of an hour of a teacher's own time: a year's cost / working hours."""
    return year / working_hours


@step
def paid_hour(par: Record, year: float, taught_hours: float, working_hours: float) -> float:
    """Return the cost in EUR of an hour of the programme: cover_share x a year's cost / taught hours + (1 - cover_share) x own hour.

    A lesson that somebody else must give costs what it costs to have an hour taught.
    """
    return par.cover_share * (year / taught_hours) + (1.0 - par.cover_share) * own_hour(year, working_hours)


@step
def set_prices(par: Record, factors: Floats, salary: Floats, taught_hours: Floats, working_hours: Floats, prices: Floats) -> None:
    """Set the prices of each country, the first three columns of ``prices``, in EUR; ``factors``: on the salaries of each."""
    for country in range(salary.size):
        year = teacher_year(par, salary[country], factors[country])
        prices[country, YEAR] = year
        prices[country, OWN] = own_hour(year, working_hours[country])
        prices[country, PAID] = paid_hour(par, year, taught_hours[country], working_hours[country])


@step
def coordinator_month(par: Record, year: float) -> float:
    """Return the employer's cost of a full-time coordinator's month in EUR: coordinator_cost_ratio x a teacher's year / 12."""
    return par.coordinator_cost_ratio * year / 12.0


@step
def discount_factor(par: Record, month: int) -> float:
    """Return (1 + discount_rate)**(-month / 12), the weight of a month's costs and effects at month 0."""
    return exp(-(month / 12.0) * log(1.0 + par.discount_rate))


@step
def _covers(des: Record, funded: int) -> int:
    """Return who pays the hours of teams: the programme with supply cover and while funded, else the schools."""
    return PROGRAMME if funded > 0 and des.supply_cover > 0.0 else SCHOOLS


@step
def _transfer(ledger: Counts, category: int, euros: float) -> None:
    amount = cents(euros)
    ledger[category, PROGRAMME] += amount
    ledger[category, SCHOOLS] -= amount


@step
def post_mentor(ledger: Counts, prices: Floats, par: Record, des: Record, team: int, meeting: float, funded: int) -> None:
    """Post the month of a mentor school that has mentees: its paid and unpaid hours, its team in meetings, stipend and recognition.

    ``ledger`` is int64 (categories, payers) of one country, ``prices`` its prices, ``team`` the teachers of its team, each of whom spends
    ``meeting`` hours; ``funded`` 1 while the programme runs.
    """
    ledger[VOLUNTARY, SCHOOLS] += cents(par.voluntary_hours * prices[OWN])
    ledger[MEETING, _covers(des, funded)] += cents(team * meeting * prices[PAID])
    if funded > 0:
        ledger[RELEASE, PROGRAMME] += cents(des.release_hours * prices[PAID])
        ledger[RECOGNITION, PROGRAMME] += cents(des.recognition * par.recognition_cost / 12.0)
        _transfer(ledger, STIPEND, des.stipend / 12.0)


@step
def post_mentee(ledger: Counts, prices: Floats, par: Record, des: Record, team: int, spent: TieMonth, funded: int) -> None:
    """Post the month of a mentoring tie: the hours of the mentee's team in sessions, in meetings and on the road, kilometres, the grant.

    The team is free for a visit as long as the visit is scheduled, time on the road included, so distance never makes mentoring cheaper.
    The mentor's own time on the road is part of its paid and unpaid hours and not posted again.
    """
    covers = _covers(des, funded)
    ledger[TEAM, covers] += cents(team * spent.session * prices[PAID])
    ledger[MEETING, covers] += cents(team * spent.meeting * prices[PAID])
    ledger[TRAVEL, covers] += cents(team * spent.travel * prices[PAID])
    ledger[TRAVEL, PROGRAMME if funded > 0 else SCHOOLS] += cents(spent.kilometres * par.km_rate)
    if funded > 0:
        _transfer(ledger, GRANT, des.mentee_grant / 12.0)


@step
def post_new_mentor(ledger: Counts, par: Record, funded: int) -> None:
    """Post the training of a school that has just become a mentor; the school bears it once funding has ended."""
    ledger[ONBOARDING, PROGRAMME if funded > 0 else SCHOOLS] += cents(par.onboarding)


@step
def post_learning(ledger: Counts, prices: Floats, par: Record, adopters: int | np.int64) -> None:
    """Post the hours that teachers who have just taken a practice up spend on learning it, again after a lapse; in their own time."""
    ledger[LEARNING, SCHOOLS] += cents(par.learning_hours * prices[OWN]) * adopters


@step
def post_coordination(ledger: Counts, prices: Floats, par: Record, fte: float, units: float) -> None:
    """Post a funded month of a country's coordinators: ``units`` hubs, one ministry, or its equal share of the platform's."""
    ledger[COORDINATION, PROGRAMME] += cents(fte * units * coordinator_month(par, prices[YEAR]))


@step
def post_survey(ledger: Counts, cost: float) -> None:
    """Post what it costs to ask one school at a gate, in EUR, with what it takes to coordinate the programme."""
    ledger[COORDINATION, PROGRAMME] += cents(cost)


@step
def community_runs(des: Record, month: int, funded: int) -> bool:
    """Tell whether the community of practice runs: while funded, and where its schools keep it up for ever after."""
    return des.community > 0.0 and des.recruitment > 0 and (funded > 0 or (des.community_after > 0.0 and month >= des.last_month))


@step
def post_community(
    ledger: Counts, par: Record, intensity: float, largest: float, members: int, share_of_schools: float, funded: int
) -> None:
    """Post a month of what a track bears of the community in a country: a fixed part by its share of all schools, and one for each member.

    That in proportion to its own ``intensity``, the fixed one to the ``largest`` of all tracks, as there is one community; paid by the
    programme while funded, then by the schools.
    """
    amount = cents(intensity * par.platform_per_school) * members + cents(largest * par.platform_fixed * share_of_schools)
    ledger[PLATFORM, PROGRAMME if funded > 0 else SCHOOLS] += amount


@step
def post_outreach(ledger: Counts, prices: Floats, par: Record, des: Record, schools: int, reached: float) -> None:
    """Post a funded month of a country's campaign, and the hours of those expected to enrol in the open course, in their own time.

    ``reached``: sum of openness over teachers who do not use a practice. Hours each: (completion + 0.2 (1 - completion)) course_hours.
    """
    ledger[OUTREACH, PROGRAMME] += cents(des.outreach * par.outreach_cost) * schools
    hours = (par.completion + _STARTED * (1.0 - par.completion)) * par.course_hours
    ledger[COURSE, SCHOOLS] += cents(des.outreach * par.enrolment * reached * hours * prices[OWN])
