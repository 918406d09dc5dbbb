"""Who is told apart in a calibration: the structures of a pilot (mentors, mentees, neighbours), its clusters, and its countries."""

from dataclasses import dataclass

import numpy as np

from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import Flags, World
from school_mentoring.model.world.network import Peers
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .features import FeatureSet, exposure_matrix
from .survey import Survey

COVARIATES = {"digital_capacity": "capacity", "openness": "openness"}
FEWEST = 5


@dataclass(frozen=True)
class Groups:
    """Masks of schools, (n,), by name: ``structures`` (roles and who is near them; disjoint) and ``clusters`` (else regions)."""

    structures: dict[str, Flags]
    clusters: dict[str, Flags]


def groups_of(world: World, schools: Schools) -> Groups:
    """Return the groups of a pilot's schools; without named roles all schools are one structure."""
    role = world.named_role
    named = {"mentors": role == MENTOR, "mentees": role == MENTEE}
    rest = role == 0
    if (role == MENTOR).any() and len(world.peer):
        source = np.repeat(np.arange(len(role)), np.diff(world.peer_start))
        near = np.zeros(len(role), bool)
        near[source[role[world.peer] != 0]] = True
        named |= {"neighbours of mentored schools": rest & near, "other schools": rest & ~near}
    else:
        named |= {"other schools": rest}
    structures = {name: member for name, member in named.items() if member.sum() >= FEWEST}
    if len(structures) < 2:
        structures = {"all schools": np.ones(len(role), bool)}
    return Groups(structures, _clusters(world, schools))


def _clusters(world: World, schools: Schools) -> dict[str, Flags]:
    """Return each mentor with its mentees, or each region where no mentors are known."""
    mentors = np.unique(world.named_mentor[world.named_mentor >= 0])
    if len(mentors) >= 2:
        return {str(schools.school_id[m]): (world.named_mentor == m) | (np.arange(len(schools)) == m) for m in mentors.tolist()}
    return {name: world.region == r for r, name in enumerate(schools.region_names) if (world.region == r).any()}


def feature_set(scenario: Scenario, world: World, schools: Schools, survey: Survey, groups: Groups, who: Flags | None = None) -> FeatureSet:
    """Return the features of a survey; of the schools of a mask only where one is given."""
    member = np.ones(len(schools), bool) if who is None else who
    weight = survey.respondents * member
    drawn = {*schools.drawn, *(schools.partly_drawn or ())}
    covariates = {}
    for column, label in COVARIATES.items():
        values = getattr(world, label)
        if column not in drawn and values[member].std() > 1e-9:
            covariates[label] = (values - values[member].mean()) / values[member].std()
    for practice in sorted(set(survey.practices)):
        start = world.adopters_at_start[practice] / world.teachers
        if (world.adopters_at_start[practice] >= 0).all() and start[member].std() > 1e-9:
            covariates[f"start {survey.practice_names[practice]}"] = (start - start[member].mean()) / start[member].std()
    tied = scenario.world.ties is not None and len(world.peer) > 0
    ties = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights() if tied else world.weight
    exposure = tuple(exposure_matrix(world.peer_start, world.peer, ties, seen > 0) for seen in weight) if tied else ()
    structures = {name: mask & member for name, mask in groups.structures.items() if (mask & member).sum() >= FEWEST}
    mentor = world.named_mentor if (world.named_mentor >= 0).any() else np.zeros(0, np.int32)
    return FeatureSet(
        weight.astype(np.float64), survey.follows, structures or {"all schools": member}, covariates, exposure, mentor, survey.labels
    )
