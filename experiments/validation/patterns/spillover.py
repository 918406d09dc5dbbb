"""Pattern 3: mentored schools lead unmentored ones, and neighbours of mentored schools lead schools with no mentored neighbour.

A group's lead is its schools' mean share under the programme less that of the same schools under ``none`` in the same world and under the
same random numbers, so differences in size, capacity and place cancel.
"""

from functools import cache

import numpy as np

from school_mentoring.experiments.validation.checks import Curves, Pattern, Readings, above, between, exactly, over_worlds
from school_mentoring.experiments.validation.runs import preset, study

PATTERN = Pattern(
    3,
    "spillover",
    "Mentored schools lead their neighbours, who lead the rest",
    "the pilot's own aim: mentors, mentees and the schools around them",
    "Lead over no programme at the end of funding, in points of share; the pilot, 40 worlds.",
)
END = 34
DESIGNS = ("top_down", "regional_hub")
GROUPS = ("mentored", "their neighbours", "the rest")


@cache
def leads(design: str, **parameters: float) -> np.ndarray:
    """Return the lead of mentored schools, of their neighbours and of the others, in points of share, (worlds, 3).

    A group that a world does not have is nan: in a dense world every school may have a mentored neighbour.
    """
    runs = study({design: preset(design)}, parameters=parameters, months=END + 1, per_school=True)
    rows = []
    for index in range(runs.worlds):
        world = runs.world(index)
        lead = (runs.adopters(design)[index, END] - runs.adopters("none")[index, END]) / world.teachers
        mentored = runs.mentored(design)[index].any(axis=0)
        mentor = runs.mentors(design)[index].any(axis=0)
        near = np.zeros(len(lead), bool)
        np.logical_or.at(near, np.repeat(np.arange(len(lead)), np.diff(world.peer_start)), (mentored | mentor)[world.peer])
        plain = ~mentored & ~mentor
        groups = (mentored & ~mentor, plain & near, plain & ~near)
        rows.append([100.0 * lead[chosen].mean() if chosen.any() else np.nan for chosen in groups])
    return np.array(rows)


def complete(lead: np.ndarray) -> np.ndarray:
    """Return the worlds that have all three groups."""
    return lead[~np.isnan(lead).any(axis=1)]


@PATTERN.check("Mentored schools lead their neighbours, who lead the rest")
def _ranked() -> Readings:
    for design in DESIGNS:
        lead = complete(leads(design))
        yield between(f"{design}: worlds that have all three groups", len(lead), 29.5)
        for ahead, behind in ((0, 1), (1, 2)):
            yield above(f"{design}: lead of {GROUPS[ahead]} less that of {GROUPS[behind]}", lead[:, ahead] - lead[:, behind])


@PATTERN.check("Without influence between schools only mentored ones gain", contrast=True)
def _no_influence() -> Readings:
    for design in DESIGNS:  # unmentored schools draw the same numbers with the same chances
        lead = leads(design, q_out=0.0)
        yield above(f"{design}: lead of mentored schools", lead[:, 0])
        yield exactly(f"{design}: worlds in which neighbours or the rest lead at all", int(np.count_nonzero(np.nan_to_num(lead[:, 1:]))))


@PATTERN.drawn
def _curves() -> Curves:
    for title, parameters in (("As the model is", {}), ("Without influence between schools", {"q_out": 0.0})):
        for design in DESIGNS:
            lead = complete(leads(design, **parameters))
            yield over_worlds(title, ("", "points of share over no programme"), design, GROUPS, lead)
