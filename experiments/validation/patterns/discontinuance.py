"""Pattern 4: teachers give a practice up after support ends, more so where the school's share was still low at that moment.

What the end does is the difference between a programme that ends and the same programme going on, equal until that month: first in the
pilot as it is, by how much lower shares come to be, then with nobody starting, so that all that changes is who gives up. Schools are
grouped by their share in the month in which support ends.
"""

from functools import cache

import numpy as np

from school_mentoring.experiments.validation.checks import Curves, Pattern, Readings, above, exactly, mean_se, over_worlds, vanishes
from school_mentoring.experiments.validation.runs import lone_schools, preset, study

PATTERN = Pattern(
    4,
    "discontinuance",
    "Adopters give up once support has ended, more where the share was still low",
    "discontinuance as a stage: Rogers, Diffusion of Innovations",
    "A programme that ends against the same one going on; top-down, 40 worlds, and 200 where nobody starts.",
)
END, LATER = 34, 71
LOW, HIGH = (0.0, 0.35), (0.5, 1.01)
TEACHERS = 40
NOBODY_STARTS = {"p": 0.0, "q_in": 0.0, "q_out": 0.0, "beta": 0.0, "turnover": 0.0}
SHORT, YEAR = 6, 12  # months of support, and after it
GROUPS = ("share below .35", "share above .5")


@cache
def mentored_schools(**parameters: float) -> np.ndarray:
    """Return, per world and for schools mentored at the end with a low or a high share, mean shares, (worlds, 2, 2).

    Later, where the programme ended and where it went on.
    """
    designs = {"ended": preset("top_down"), "continued": preset("top_down", last_month=LATER + 1)}
    runs = study(designs, parameters=parameters, per_school=True)
    rows = []
    for index in range(runs.worlds):
        teachers = runs.world(index).teachers
        ended, continued = (runs.adopters(design)[index] / teachers for design in designs)
        groups = _groups(ended[END], runs.mentored("ended")[index, END - 1])
        rows.append([[_mean(ended[LATER][chosen]), _mean(continued[LATER][chosen])] for chosen in groups])
    return np.array(rows)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def _groups(share: np.ndarray, mentored: np.ndarray) -> list[np.ndarray]:
    """Return which of the mentored schools have a low share, and which a high one, (n,) each."""
    return [mentored & (share >= low) & (share < high) for low, high in (LOW, HIGH)]


def lost(**parameters: float) -> np.ndarray:
    """Return the part of the later share that the end of support costs schools of low and of high share, (worlds, 2)."""
    shares = mentored_schools(**parameters)
    return 1.0 - shares[..., 0] / shares[..., 1]


@cache
def given_up(**parameters: float) -> np.ndarray:
    """Return the part of adopters that give up in the year after a programme's end, where nobody starts, (worlds, 2, 2).

    Of schools mentored at that moment with a low or a high share; where the programme ended and where it went on.
    """
    designs = {name: preset("top_down", first_month=0, last_month=last) for name, last in (("ended", SHORT), ("continued", 48))}
    changes = {**NOBODY_STARTS, "initial_share": 0.35, **parameters}
    runs = study(designs, parameters=changes, worlds=200, months=SHORT + YEAR + 1, per_school=True)
    rows = []
    for index in range(runs.worlds):
        both = [runs.adopters(design)[index] for design in designs]
        share = both[0][SHORT] / runs.world(index).teachers
        groups = _groups(share, runs.mentored("ended")[index, SHORT - 1] & (share > 0.0))
        rows.append([[1.0 - part[-1][chosen].sum() / part[SHORT][chosen].sum() for part in both] for chosen in groups])
    return np.array(rows)


def low_less_high(**parameters: float) -> dict[str, np.ndarray]:
    """Return by how much more schools of low share lose than those of high share, of what the end causes and in all, (worlds,) each."""
    shares = given_up(**parameters)
    caused = shares[..., 0] - shares[..., 1]
    return {"because it ended": caused[:, 0] - caused[:, 1], "in all": shares[:, 0, 0] - shares[:, 1, 0]}


def few_less_many(**parameters: float) -> tuple[float, float]:
    """Return by how much sooner one of 6 adopters of a lone school gives up than one of 30, and its standard error over schools."""
    means = []
    for adopters in (6, 30):
        found = lone_schools(adopters, {**NOBODY_STARTS, **parameters}, YEAR + 1, teachers=TEACHERS, seed=2)
        means.append(mean_se(1.0 - found[-1] / adopters))
    (few, error_few), (many, error_many) = means
    return few - many, float(np.hypot(error_few, error_many))


@PATTERN.check("The end of support costs schools adopters, those of low share more")
def _costs() -> Readings:
    for position, group in enumerate(GROUPS):
        yield above(f"part of the later share lost, {group}", lost()[:, position])
    yield above("that of low less that of high share", lost()[:, 0] - lost()[:, 1])


@PATTERN.check("Where nobody starts, more adopters give up because support has ended, most where the share was low")
def _because() -> Readings:
    shares = given_up()
    for position, group in enumerate(GROUPS):
        yield above(f"part that gives up because it ended, {group}", shares[:, position, 0] - shares[:, position, 1])
    for what, values in low_less_high().items():
        yield above(f"that of low less that of high share, {what}", values)


@PATTERN.check("One of few adopters gives up sooner than one of many")
def _few() -> Readings:
    yield above("part that gives up in a year, 6 adopters less 30", few_less_many())


@PATTERN.check("Without protection by colleagues schools of either share lose alike", contrast=True)
def _no_protection() -> Readings:
    for what, values in low_less_high(protection=0.0).items():
        yield vanishes(f"that of low less that of high share, {what}", values)
    yield vanishes("part that gives up in a year, 6 adopters less 30", few_less_many(protection=0.0))


@PATTERN.check("Where mentoring does not shield, nobody gives up because it ends", contrast=True)
def _no_shield() -> Readings:
    shares = given_up(shield=0.0)  # the same draws with the same chances
    yield exactly("worlds and groups that differ", int(np.count_nonzero(shares[..., 0] != shares[..., 1])))


@PATTERN.drawn
def _curves() -> Curves:
    axes, given = ("share when support ends", "% of the later share"), ("share when support ends", "% of adopters in a year")
    yield over_worlds("Lost in the pilot", axes, "lost because support ended", GROUPS, 100.0 * lost())
    for title, parameters in (("Nobody starts", {}), ("Nobody starts, no protection by colleagues", {"protection": 0.0})):
        shares = 100.0 * given_up(**parameters)
        for position, series in enumerate(("support ended", "support went on")):
            yield over_worlds(title, given, series, GROUPS, shares[..., position])
