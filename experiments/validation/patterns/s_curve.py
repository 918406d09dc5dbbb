"""Pattern 1: a practice spreads over a network along an S.

New adopters are taken per span of two years, which are far apart in standard errors.
"""

from functools import cache

import numpy as np

from school_mentoring.experiments.validation.checks import Curves, Pattern, Readings, above, between, over_worlds
from school_mentoring.experiments.validation.runs import RunsByWorld, preset, study

PATTERN = Pattern(
    1,
    "s_curve",
    "Adoption over a network is S-shaped",
    "Rogers, Diffusion of Innovations; Bass 1969",
    "Nobody mentors; 480 schools, 30 years, 40 worlds.",
)
MONTHS = 361
SPAN = 24
NO_INFLUENCE = {"q_in": 0.0, "q_out": 0.0, "advanced_fraction": 0.0, "initial_share": 0.0}


@cache
def spread(**parameters: float) -> RunsByWorld:
    """Return the runs of no programme and of a campaign."""
    return study({"outreach": preset("outreach")}, parameters=parameters, months=MONTHS, monthly=True)


def gains(design: str, **parameters: float) -> np.ndarray:
    """Return the rise of the adopting share in each span of two years, (worlds, spans)."""
    return np.diff(spread(**parameters).share(design)[:, ::SPAN], axis=1)


@PATTERN.check("New adopters rise to a peak inside the horizon and then fall")
def _peak() -> Readings:
    for design in ("none", "outreach"):
        rises = gains(design)
        mean = rises.mean(axis=0)
        top = int(mean.argmax())
        yield between(f"{design}: span of two years with most new adopters", top, 1.5, rises.shape[1] - 3.5)  # years 4 to 22 of 30
        yield between(f"{design}: least rise from span to span up to the peak", np.diff(mean[: top + 1]).min(), 0.0)
        # Until it has all but ended; the rest is noise about nothing.
        falls = np.diff(mean[top:])[mean[top + 1 :] > 0.1 * mean[top]]
        yield between(f"{design}: largest rise from span to span after it", falls.max(), high=0.0)
        for other, when in ((0, "in the first span"), (top + 4, "eight years later")):
            yield above(f"{design}: new adopters at the peak less those {when}", rises[:, top] - rises[:, other])


@PATTERN.check("The inflection lies between the start and the final share, which is reached")
def _inflection() -> Readings:
    share = spread().share("none").mean(axis=0)
    middle = share[int(gains("none").mean(axis=0).argmax()) * SPAN]
    yield between("part of the whole rise done at the inflection", (middle - share[0]) / (share[-1] - share[0]), 0.2, 0.8)
    yield between("rise of the share in the last two years", share[-1] - share[-SPAN], high=0.01)


@PATTERN.check("Without influence among teachers there is no S: the rise is steepest at once", contrast=True)
def _no_influence() -> Readings:
    rises = gains("outreach", **NO_INFLUENCE)
    yield between("span with most new adopters", int(rises.mean(axis=0).argmax()), high=0.5)
    yield above("new adopters in the first span less those in the second", rises[:, 0] - rises[:, 1])


@PATTERN.drawn
def _curves() -> Curves:
    years = np.arange(MONTHS)[::12] / 12.0
    spans = (np.arange(MONTHS // SPAN) + 0.5) * SPAN / 12.0
    alone = "a campaign, without influence among teachers"
    for series, design, parameters in (("no programme", "none", {}), (alone, "outreach", NO_INFLUENCE)):
        shares = 100.0 * spread(**parameters).share(design)
        yield over_worlds("Teachers who use the practice", ("year", "% of teachers"), series, years, shares[:, ::12])
        yield over_worlds("New adopters", ("year", "% of teachers per two years"), series, spans, 100.0 * gains(design, **parameters))
