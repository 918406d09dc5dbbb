"""The behaviour, each rule once: small functions of the state of one school or one tie.

Both engines call these very functions. ``par`` is a parameter set (a record with the fields of ``parameters.PARAMETER_DTYPE``), so a rule
can use any parameter without a change elsewhere. Symbols and sources of the numbers: ``data/parameters.csv``; the model as a whole:
``docs/odd.md``.
"""

from school_mentoring.model.world.arrays import SHARE, Record

from .compiled import step
from .portable import exp, log, power

__all__ = [
    "adoption_chance",
    "advanced",
    "attrition_chance",
    "community_contact",
    "contact_months",
    "contact_per_hour",
    "contact_weight",
    "coordination_quality",
    "dilution",
    "dose",
    "effective_hours",
    "exposure",
    "face_to_face_hours",
    "hours_per_mentee",
    "is_small",
    "logistic",
    "loss_chance",
    "meeting_hours",
    "mentor_score",
    "online_worth",
    "outside_score",
    "raised",
    "readiness",
    "saturation",
    "seek_chance",
    "social_influence",
    "start_share",
    "team_adopters",
    "team_size",
    "travel_hours",
    "unlikeness",
    "visits",
    "volunteer_chance",
]

NO_TIER = 0
"""The code of designs that nobody coordinates."""

FOREVER = 100_000
"""Months that no run has."""


@step
def logistic(z: float) -> float:
    """Return 1 / (1 + e**-z)."""
    return 1.0 / (1.0 + exp(-z))


@step
def unlikeness(likeness_a: int, likeness_b: int, abroad: int) -> float:
    """Return the number of bits that differ, 1 more across a border (``abroad`` = 1).

    The bits are the traits level, rural and disadvantaged, or those of another measure (``likeness.likeness_bits``).
    """
    differing = likeness_a ^ likeness_b
    return float((differing & 1) + ((differing >> 1) & 1) + ((differing >> 2) & 1) + abroad)


# --- start -----------------------------------------------------------------------------------------------------------


@step
def start_share(par: Record, capacity: float, initial_share: float) -> float:
    """Return the expected adopting share at the start of a school that is not advanced.

    initial_share (capacity / capacity_mean)**2, at most 1; more capable schools start ahead.
    """
    relative = capacity / par.capacity_mean
    return min(1.0, initial_share * relative * relative)


@step
def advanced(par: Record, capacity_rank: int, schools: int) -> bool:
    """Tell whether a school is among the ``advanced_fraction`` of ``schools`` with the highest digital capacity."""
    return capacity_rank < int(par.advanced_fraction * schools + 0.5)


@step
def is_small(par: Record, teachers: int) -> bool:
    """Tell whether a school is small: n < small_school."""
    return teachers < par.small_school


# --- recruitment and matching ----------------------------------------------------------------------------------------


@step
def volunteer_chance(par: Record, share: float, stipend: float, release_hours: float, recognition: float) -> float:
    """Return the chance that a school qualified to mentor volunteers in a school year.

    logistic(volunteer_base + volunteer_own_share s + volunteer_stipend ln(1 + stipend / 1000) + volunteer_release release_hours
    + volunteer_recognition recognition); stipend in EUR per year, release in hours per month.
    """
    return logistic(
        par.volunteer_base
        + par.volunteer_own_share * share
        + par.volunteer_stipend * log(1.0 + stipend / 1000.0)
        + par.volunteer_release * release_hours
        + par.volunteer_recognition * recognition
    )


@step
def seek_chance(par: Record, openness: float, capacity: float, grant: float) -> float:
    """Return the chance that a school seeks a mentor in a school year, where nobody assigns one.

    logistic(seek_base + seek_openness (openness - 0.5) + seek_need (0.5 - capacity) + seek_grant ln(1 + grant / 1000)); grant in EUR per
    year.
    """
    return logistic(
        par.seek_base + par.seek_openness * (openness - 0.5) + par.seek_need * (0.5 - capacity) + par.seek_grant * log(1.0 + grant / 1000.0)
    )


@step
def mentor_score(par: Record, distance: float, unlike: float, past_mentees: int, noise: float) -> float:
    """Return how attractive a mentor is to a mentee (random utility with Gumbel ``noise``; McFadden 1974).

    - proximity_weight distance / peer_distance - likeness_weight unlikeness + reputation_weight ln(1 + past mentees) + noise; distance in
    km.
    """
    return (
        noise
        - par.proximity_weight * distance / par.peer_distance
        - par.likeness_weight * unlike
        + par.reputation_weight * log(1.0 + past_mentees)
    )


@step
def outside_score(par: Record, noise: float) -> float:
    """Return the worth of going without a mentor, on the scale of ``mentor_score``: outside_option + noise.

    A school that nobody assigns takes the best mentor it considers only where that is worth more (the outside good of a random utility
    model; McFadden 1974), so likeness and distance decide whether it is mentored and not only by whom.
    """
    return par.outside_option + noise


# --- team ------------------------------------------------------------------------------------------------------------


@step
def team_size(team: int, teachers: int, whole_staff: bool) -> int:
    """Return T = min(team, n), the teachers of a school who are mentored, or n where the whole staff is."""
    return teachers if whole_staff else min(team, teachers)


@step
def team_adopters(adopters: int, teachers: int, team: int, u: float) -> int:
    """Return k_T = floor(T k / n + u), the adopters in a team of T that is a random part of the staff; ``u`` uniform in [0, 1)."""
    return min(int(team * adopters / teachers + u), team, adopters)


# --- retention and delivery ------------------------------------------------------------------------------------------


@step
def coordination_quality(par: Record, tier: int, fte: float, clusters: float) -> float:
    """Return g = 1 - exp(-FTE caseload / clusters) of a unit that coordinates ``clusters`` active clusters.

    Clusters that nobody coordinates (``tier`` = NO_TIER) chose each other: g = self_organisation, however many they are.
    """
    if tier == NO_TIER:
        return par.self_organisation
    return 1.0 - exp(-fte * par.caseload / max(1.0, clusters))


@step
def attrition_chance(
    par: Record, quality: float, virtual_share: float, incentive: float, recognition: float, load: float, mandated: float
) -> float:
    """Return the chance that a mentoring tie ends in a month, at most 1.

    attrition (1 + virtual_attrition v) exp(-attrition_coordination g - attrition_incentive ln(1 + incentive / 1000) - attrition_recognition
    recognition) (1 + attrition_load max(0, load - 1)), times mandate_attrition under a running mandate. ``incentive`` is stipend plus grant
    in EUR per year, ``load`` mentees per place.
    """
    chance = par.attrition * (1.0 + par.virtual_attrition * virtual_share)
    chance *= exp(
        -par.attrition_coordination * quality
        - par.attrition_incentive * log(1.0 + incentive / 1000.0)
        - par.attrition_recognition * recognition
    )
    chance *= 1.0 + par.attrition_load * max(0.0, load - 1.0)
    if mandated > 0.0:
        chance *= par.mandate_attrition
    return min(1.0, chance)


@step
def hours_per_mentee(par: Record, release_hours: float, mentees: int) -> float:
    """Return the hours a month that a mentor gives each of its mentees: (voluntary_hours + release_hours) / mentees."""
    return (par.voluntary_hours + release_hours) / mentees


@step
def visits(par: Record, hours: float, virtual_share: float, abroad: int) -> float:
    """Return face-to-face visits a month of a tie: (1 - v) h / visit_hours; none across a border."""
    if abroad > 0:
        return 0.0
    return (1.0 - virtual_share) * hours / par.visit_hours


@step
def travel_hours(par: Record, visits_made: float, distance: float) -> float:
    """Return the hours a month that a tie's own time loses on the road: visits 2 distance / travel_speed."""
    return visits_made * 2.0 * distance / par.travel_speed


@step
def face_to_face_hours(par: Record, visits_made: float, travel: float) -> float:
    """Return the hours a month that visits leave for mentoring: max(0, visits visit_hours - travel)."""
    return max(0.0, visits_made * par.visit_hours - travel)


@step
def online_worth(par: Record, fading: bool, age: int) -> float:
    """Return w, what an online hour of a tie ``age`` months old is worth in hours face to face: virtual_fidelity.

    Where it fades: 1 in the first year, then falling in a straight line to max(0, 2 virtual_fidelity - 1) after three years, so that
    virtual_fidelity is the mean of both ends (parity after one year, 0.39 after three, same trial: Kotze et al.; Cilliers et al. 2020).
    """
    if not fading:
        return par.virtual_fidelity
    end = max(0.0, 2.0 * par.virtual_fidelity - 1.0)
    return 1.0 - (1.0 - end) * min(1.0, max(0.0, (age - 12) / 24.0))


@step
def effective_hours(face_to_face: float, hours: float, virtual_share: float, worth: float) -> float:
    """Return face-to-face-equivalent hours a month: face-to-face hours + v h w."""
    return face_to_face + virtual_share * hours * worth


@step
def dilution(par: Record, team: int) -> float:
    """Return what a team of T leaves of an hour for each of its teachers: T**-dilution."""
    return power(1.0 / team, par.dilution)


@step
def dose(par: Record, hours: float, unlike: float, quality: float, mandated: float, mentor_share: float) -> float:
    """Return the dose of a team teacher in hours a month: effective ``hours`` diluted x fit x engagement x expertise.

    fit = exp(-likeness_effect unlikeness) (fit_floor + (1 - fit_floor) g); engagement = mandate_engagement for schools that a mandate
    assigns, else 1; expertise = min(1, s / expertise_full), s of the mentor school: nothing where nobody uses the practice.
    """
    fit = exp(-par.likeness_effect * unlike) * (par.fit_floor + (1.0 - par.fit_floor) * quality)
    obliged = par.mandate_engagement  # read in any case, so that loops over ties vectorise
    engagement = obliged if mandated > 0.0 else 1.0
    expertise = min(1.0, mentor_share / par.expertise_full)
    return hours * fit * engagement * expertise


@step
def raised(par: Record, hours: float) -> float:
    """Return hours**a, a = dose_power, of a dose or of one at which half of something is reached."""
    return power(hours, par.dose_power)


@step
def saturation(raised_dose: float, raised_half: float) -> float:
    """Return x**a / (1 + x**a), x = dose / half: of half = dose_half, D, the share of the full effect of mentoring that a dose gives.

    Of half = shield_half, K, the share of the full shield. From dose**a and half**a (``raised``), as dose**a / (half**a + dose**a).
    """
    return raised_dose / (raised_half + raised_dose)


# --- contacts --------------------------------------------------------------------------------------------------------


@step
def meeting_hours(des: Record, funded: int) -> float:
    """Return the hours a month that the schools of a cluster meet: while funded, and for ever where nobody coordinates."""
    return des.meeting_hours if funded > 0 or des.tier == NO_TIER else 0.0


@step
def contact_per_hour(par: Record, team: int, teachers: int) -> float:
    """Return T / (n contact_hours), what an hour that a team of T shares adds to a contact of its school of n teachers."""
    return team / (teachers * par.contact_hours)


@step
def contact_weight(hours: float, per_hour: float) -> float:
    """Return c = min(1, hours T / (n contact_hours)), what a contact weighs for a school of n teachers beside a peer's 1.

    ``hours``: shared with the other school by a team of T; ``per_hour`` = T / (n contact_hours).
    """
    return min(1.0, hours * per_hour)


@step
def contact_months(par: Record, u: float) -> int:
    """Return the months that a contact lasts which ends with chance contact_fade a month: floor(ln(1 - u) / ln(1 - contact_fade))."""
    stays = 1.0 - par.contact_fade
    if stays >= 1.0:
        return FOREVER
    return int(min(log(1.0 - u) / log(stays), FOREVER)) if stays > 0.0 else 0


@step
def community_contact(par: Record, community: float, team: int, teachers: int) -> float:
    """Return what the community of practice weighs for a school, as a contact: community x community_weight x T / n."""
    return community * par.community_weight * team / teachers


@step
def exposure(contacts: int, peers: float, peer_weight: float, met: float, weight: float) -> float:
    """Return E, what a school sees of the practice in other schools, from its peers and the schools it has met.

    min(1, ``peers`` + w ``met``), where they share attention (``contacts`` = SHARE) that over 1 + w ``weight``. ``peers``: weighted share
    of users in peers; ``peer_weight`` = w: what a peer weighs there; ``met``: sum over contacts of c s; ``weight``: sum of c.
    """
    seen = peers + peer_weight * met
    if contacts == SHARE:
        seen /= 1.0 + peer_weight * weight
    return min(1.0, seen)


# --- adoption and loss -----------------------------------------------------------------------------------------------


@step
def readiness(par: Record, capacity: float, difficulty: float) -> float:
    """Return (readiness_floor + (1 - readiness_floor) capacity) / difficulty."""
    return (par.readiness_floor + (1.0 - par.readiness_floor) * capacity) / difficulty


@step
def social_influence(par: Record, share: float) -> float:
    """Return share**gamma: above gamma = 1 a few adopters persuade less than in proportion (complex contagion; Centola & Macy 2007)."""
    return power(share, par.gamma)


@step
def adoption_chance(
    par: Record, ready: float, openness: float, outreach: float, colleagues: float, peers: float, mentoring: float
) -> float:
    """Return the chance that a non-adopting teacher adopts in a month, at most 1.

    readiness [1 - (1 - p' openness)(1 - q_in s**gamma)(1 - q_out E**gamma)(1 - beta D)], p' = p + outreach enrolment completion uptake:
    independent causes, of which one suffices (a network form of Bass 1969). ``colleagues`` = s**gamma, ``peers`` = E**gamma,
    ``mentoring`` = D of a team's teacher, 0 of others, all in [0, 1]. Who finishes the open course adopts inside readiness.
    """
    unprompted = (par.p + par.enrolment * par.completion * par.uptake * outreach) * openness
    none_acts = (1.0 - unprompted) * (1.0 - par.q_in * colleagues) * (1.0 - par.q_out * peers) * (1.0 - par.beta * mentoring)
    return min(1.0, ready * (1.0 - none_acts))


@step
def loss_chance(par: Record, share: float, kept: float) -> float:
    """Return the chance that an adopting teacher is lost in a month: 1 - (1 - d (1 - protection s)(1 - shield K))(1 - turnover).

    ``kept`` = K of a team's teacher, 0 of others.
    """
    discontinuance = par.d * (1.0 - par.protection * share) * (1.0 - par.shield * kept)
    return 1.0 - (1.0 - discontinuance) * (1.0 - par.turnover)
