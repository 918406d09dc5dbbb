"""The ledger: what each month costs, by category and payer.

Amounts are whole cents (EUR of 2023), so sums are the same in any order, on any number of threads, and always add up.
"""

import numpy as np

from school_mentoring.model.world.arrays import Counts, Record

from .compiled import inlined
from .portable import exp, log

CATEGORIES = (
    "coordination",
    "release",
    "voluntary",
    "team",
    "stipend",
    "grant",
    "travel",
    "platform",
    "outreach",
    "onboarding",
    "recognition",
)
PAYERS = ("programme", "schools")

(
    COORDINATION,
    RELEASE,
    VOLUNTARY,
    TEAM,
    STIPEND,
    GRANT,
    TRAVEL,
    PLATFORM,
    OUTREACH,
    ONBOARDING,
    RECOGNITION,
) = range(len(CATEGORIES))
PROGRAMME, SCHOOLS = range(len(PAYERS))


@inlined
def cents(euros: float) -> np.int64:
    """Return an amount of EUR, not negative, as whole cents, half a cent rounded up."""
    return np.int64(euros * 100.0 + 0.5)


@inlined
def teacher_hour(par: Record, salary: float) -> float:
    """Return the employer's cost of a teacher's hour in EUR: salary x teacher_cost_factor / work_hours."""
    return salary * par.teacher_cost_factor / par.work_hours


@inlined
def coordinator_month(par: Record, salary: float) -> float:
    """Return the employer's cost of a full-time coordinator's month in EUR: coordinator_cost_ratio teachers."""
    return par.coordinator_cost_ratio * salary * par.teacher_cost_factor / 12.0


@inlined
def discount_factor(par: Record, month: int) -> float:
    """Return (1 + discount_rate)**(-month / 12), the weight of a month's costs and effects at month 0."""
    return exp(-(month / 12.0) * log(1.0 + par.discount_rate))


@inlined
def post_mentor(ledger: Counts, par: Record, des: Record, salary: float, funded: int) -> None:
    """Post the month of a mentor school that has mentees: its paid and unpaid hours, stipend and recognition.

    ``ledger`` is int64 (categories, payers) of one country; ``funded`` 1 while the programme runs.
    """
    hour = teacher_hour(par, salary)
    ledger[VOLUNTARY, SCHOOLS] += cents(par.voluntary_hours * hour)
    if funded > 0:
        ledger[RELEASE, PROGRAMME] += cents(des.release_hours * hour)
        ledger[STIPEND, PROGRAMME] += cents(des.stipend / 12.0)
        ledger[RECOGNITION, PROGRAMME] += cents(des.recognition * par.recognition_cost / 12.0)


@inlined
def post_mentee(
    ledger: Counts, par: Record, des: Record, salary: float, funded: int, session_hours: float, travel_hours: float, kilometres: float
) -> None:
    """Post the month of a mentoring tie: the hours of the mentee's team in sessions and on the road, the kilometres driven, the grant.

    The team is free for a visit as long as the visit is scheduled, time on the road included, so distance never makes mentoring cheaper.
    The mentor's own time on the road is part of its paid and unpaid hours and not posted again.
    """
    hour = par.team * teacher_hour(par, salary)
    covers = PROGRAMME if funded > 0 and des.supply_cover > 0.0 else SCHOOLS
    ledger[TEAM, covers] += cents(session_hours * hour)
    ledger[TRAVEL, covers] += cents(travel_hours * hour)
    ledger[TRAVEL, PROGRAMME if funded > 0 else SCHOOLS] += cents(kilometres * par.km_rate)
    if funded > 0:
        ledger[GRANT, PROGRAMME] += cents(des.mentee_grant / 12.0)


@inlined
def post_new_mentor(ledger: Counts, par: Record, funded: int) -> None:
    """Post the training of a school that has just become a mentor; the school bears it once funding has ended."""
    ledger[ONBOARDING, PROGRAMME if funded > 0 else SCHOOLS] += cents(par.onboarding)


@inlined
def post_coordination(ledger: Counts, par: Record, des: Record, salary: float, units: float) -> None:
    """Post a funded month of a country's coordinators: ``units`` hubs, one ministry, or its equal share of the platform's."""
    ledger[COORDINATION, PROGRAMME] += cents(des.fte * units * coordinator_month(par, salary))


@inlined
def post_programme(
    ledger: Counts, par: Record, des: Record, schools: int, active_schools: int, share_of_schools: float, funded: int
) -> None:
    """Post what one country bears of the platform and of outreach in a month.

    Every mentoring programme has an online community, whatever share of its hours is held there. Its fixed cost, shared over countries by
    ``share_of_schools``, arises while funded; the cost per active school (mentors with mentees, and mentees) goes on as long as there are
    any, paid by the schools after funding.
    """
    if des.recruitment > 0:
        per_school = cents(par.platform_per_school) * active_schools
        ledger[PLATFORM, PROGRAMME if funded > 0 else SCHOOLS] += per_school
    if funded > 0:
        if des.recruitment > 0:
            ledger[PLATFORM, PROGRAMME] += cents(par.platform_fixed * share_of_schools)
        ledger[OUTREACH, PROGRAMME] += cents(des.outreach * par.outreach_cost) * schools
