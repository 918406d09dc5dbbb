"""Pattern 9: outreach alone adds little and fades; a community whose mentees become mentors grows in proportion to itself at first.

Outreach: the pilot, 20 years. Community: 4,800 schools, so that places do not run out; it starts from assigned mentors, and nobody
volunteers later, so that every new mentor is a former mentee.
"""

from functools import cache

import numpy as np

from school_mentoring.experiments.validation.checks import Curves, Pattern, Readings, above, below, between, exactly, over_worlds, vanishes
from school_mentoring.experiments.validation.runs import RunsByWorld, preset, study

PATTERN = Pattern(
    9,
    "growth",
    "Outreach adds little and fades; a community grows in proportion to itself at first",
    "Rooney-Varga, Kapmeier, Henderson & Ford 2024, Nature Sustainability 7, 1740-1750",
    "Outreach: the pilot, 20 years, 40 worlds. Community: 4,800 schools, 6 worlds.",
)
START, END, LATER = 6, 34, 71
YEARS = 6
PARTS = {"virtual": 0.25, "top_down": 0.25, "regional_hub": 0.25, "hybrid": 0.25, "bottom_up": 0.5}
"""What part of the mentoring designs' effect outreach must stay below: less where a coordinator works."""


@cache
def campaign(**parameters: float) -> RunsByWorld:
    """Return the runs of a campaign and of the mentoring designs over 20 years."""
    return study({name: preset(name) for name in ("outreach", *PARTS)}, parameters=parameters, months=240, monthly=True)


@cache
def horizon() -> RunsByWorld:
    """Return the same runs over the pilot's horizon."""
    return study({name: preset(name) for name in ("outreach", *PARTS)})


def lead(design: str, month: int, **parameters: float) -> np.ndarray:
    """Return the log ratio of the adopting share to that under ``none``, (worlds,)."""
    runs = campaign(**parameters)
    return np.asarray(np.log(runs.share(design)[:, month] / runs.share("none")[:, month]))


def points_added(**parameters: float) -> np.ndarray:
    """Return the points of share that outreach adds to ``none``, (worlds, months)."""
    runs = campaign(**parameters)
    return runs.share("outreach") - runs.share("none")


@PATTERN.check("Outreach adds little")
def _little() -> Readings:
    runs = horizon()
    part = runs.added("outreach").mean() / runs.outcome("none", "effect_adopter_years").mean()
    yield between("added adopter-years over those of no programme", part, high=0.1)
    for other, most in PARTS.items():
        apart = most * runs.added(other) - runs.added("outreach")
        yield above(f"{most:g} of the added adopter-years of {other} less those of outreach", apart)


@PATTERN.check("The lead of outreach over no programme fades after its end, that of a community grows")
def _fades() -> Readings:
    for month in (LATER, 119, 239):
        yield below(f"log lead of outreach in month {month} less that at its end", lead("outreach", month) - lead("outreach", END))
    yield between("log lead left in month 239, over that at its end", lead("outreach", 239).mean() / lead("outreach", END).mean(), high=0.1)
    added = points_added()
    yield below("points of share added in month 239 less half of those at its end", added[:, 239] - 0.5 * added[:, END])
    grown = lead("bottom_up", LATER) - lead("bottom_up", END)
    yield above(f"log lead of bottom_up in month {LATER} less that at the end of funding", grown)


@PATTERN.check("Without influence among teachers what outreach added in points of share fades at once", contrast=True)
def _alone() -> Readings:
    # With influence the points added still grow: a head start on the rising part of the S.
    added, carried = points_added(q_in=0.0, q_out=0.0), points_added()
    yield below(f"without: points in month {LATER} less half of those at its end", added[:, LATER] - 0.5 * added[:, END])
    yield above(f"with: points in month {LATER} less those at its end", carried[:, LATER] - carried[:, END])


@cache
def community() -> RunsByWorld:
    """Return the runs of communities of few and of twice as many founders, whose mentees become mentors or do not."""
    seeded = {"recruitment": "assigned", "last_month": START + 12 * YEARS + 12}
    designs = {
        f"{name}_{founders}": preset("bottom_up", cascade=cascade, mentor_share=founders, **seeded)
        for name, cascade in (("cascade", 1.0), ("still", 0.0))
        for founders in (0.005, 0.01)
    }
    return study(designs, worlds=6, months=START + 12 * YEARS + 1, schools_per_region=200, per_school=True)


def mentors(design: str) -> np.ndarray:
    """Return the number of mentors after each yearly round, (worlds, years)."""
    return community().mentors(design)[:, START::12].sum(axis=2)


@PATTERN.check("A community grows by a factor each year")
def _grows() -> Readings:
    mean = mentors("cascade_0.01").mean(axis=0)
    years = np.arange(len(mean))
    straight, bent = (float(np.corrcoef(years, values)[0, 1] ** 2) for values in (np.log(mean), mean))
    yield between("R2 of log mentors on the year", straight, 0.95)
    yield between("that of the mentors themselves, over it", bent / straight, high=1.0)
    yield between("least growth in a year, mentors", np.diff(mean).min(), 0.0)
    yield between("part of the schools that mentor at the end: places are left", mean[-1] / len(community().world(0).teachers), high=0.2)


@PATTERN.check("Twice the founders give twice the community")
def _twice() -> Readings:
    one, two = mentors("cascade_0.005"), mentors("cascade_0.01")
    for year in (0, 2, 4):
        yield vanishes(f"year {year}: ratio of mentors less 2", two[:, year] / one[:, year] - 2.0, slack=0.2)


@PATTERN.check("Where mentees do not become mentors the community does not grow", contrast=True)
def _still() -> Readings:
    found = mentors("still_0.01")
    yield exactly("worlds and years with other than the founders", int((found != found[:, :1]).sum()))


@PATTERN.drawn
def _curves() -> Curves:
    months = np.arange(0, 240, 3)
    for design in ("outreach", "bottom_up", "regional_hub"):
        ratio = 100.0 * (campaign().share(design) / campaign().share("none") - 1.0)
        yield over_worlds("Lead over no programme", ("year", "% of its share"), design, months / 12.0, ratio[:, months])
    for name, series in (("cascade_0.01", "mentees become mentors"), ("cascade_0.005", "half the founders"), ("still_0.01", "they do not")):
        grown = mentors(name)
        yield over_worlds("Growth of a community", ("year", "mentor schools"), series, np.arange(grown.shape[1]), grown)
