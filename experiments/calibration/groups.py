"""Who is told apart in a calibration: the structures of a pilot (mentors, mentees, neighbours), its clusters, and what is held out."""

from dataclasses import dataclass

import numpy as np

from school_mentoring.model.errors import InputError
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import Flags, World
from school_mentoring.model.world.network import Peers
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .summaries import FeatureSet, exposure_matrix
from .survey import Survey

FEWEST = 5


@dataclass(frozen=True)
class Groups:
    """Masks of schools, (n,), by name: ``structures`` (roles and who is near them; disjoint) and ``clusters`` (else regions)."""

    structures: dict[str, Flags]
    clusters: dict[str, Flags]


def groups_of(world: World, schools: Schools) -> Groups:
    """Return the groups of a pilot's schools: without named roles one structure, and regions for clusters where no mentors are known."""
    role = world.named_role
    named = {"mentors": role == MENTOR, "mentees": role == MENTEE}
    near = np.zeros(len(role), bool)
    if (role == MENTOR).any() and len(world.peer):
        near[np.repeat(np.arange(len(role)), np.diff(world.peer_start))[role[world.peer] != 0]] = True
        named["neighbours of mentored schools"] = (role == 0) & near
    named["other schools"] = (role == 0) & ~near
    structures = {name: member for name, member in named.items() if member.sum() >= FEWEST}
    if len(structures) < 2:
        structures = {"all schools": np.ones(len(role), bool)}
    mentors = np.unique(world.named_mentor[world.named_mentor >= 0])
    if len(mentors) >= 2:
        each = np.arange(len(schools))
        clusters = {str(schools.school_id[m]): (world.named_mentor == m) | (each == m) for m in mentors.tolist()}
    else:
        clusters = {name: world.region == r for r, name in enumerate(schools.region_names) if (world.region == r).any()}
    return Groups(structures, clusters)


def feature_set(scenario: Scenario, world: World, schools: Schools, survey: Survey, groups: Groups, who: Flags | None = None) -> FeatureSet:
    """Return the features of a survey; of the schools of a mask only where one is given."""
    member = np.ones(len(schools), bool) if who is None else who
    weight = survey.respondents * member
    drawn = {*schools.drawn, *(schools.partly_drawn or ())}
    columns = {"digital_capacity": world.capacity, "openness": world.openness}
    known = [values for name, values in columns.items() if name not in drawn]
    starts = [world.adopters_at_start[practice] for practice in sorted(set(survey.practices))]
    known += [start / world.teachers for start in starts if (start >= 0).all()]
    covariates = [(values - values[member].mean()) / values[member].std() for values in known if values[member].std() > 1e-9]
    exposure = []
    if scenario.world.ties is not None and len(world.peer) > 0:
        ties = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()
        exposure = [exposure_matrix(world.peer_start, world.peer, ties, seen > 0) for seen in weight]
    structures = [mask & member for mask in groups.structures.values() if (mask & member).sum() >= FEWEST]
    mentor = world.named_mentor if (world.named_mentor >= 0).any() else np.zeros(0, np.int32)
    return FeatureSet(weight.astype(np.float64), survey.follows, structures or [member], covariates, exposure, mentor)


def held_out(text: str, survey: Survey, groups: Groups, seed: int) -> Flags:
    """Return the cells (W, n) that a ``--hold-out`` holds out. Raises InputError where it names nothing, or leaves nothing."""
    where, allowed = f"--hold-out {text}", "allowed: wave=last, wave=N (the N-th), or clusters=SHARE, for example clusters=0.2"
    what, _, value = text.partition("=")
    held = np.zeros_like(survey.seen)
    if what == "wave":
        months = sorted(set(survey.months))
        if value != "last" and not (value.isdecimal() and 1 <= int(value) <= len(months)):
            raise InputError(where, f"there are {len(months)} waves", allowed)
        month = months[-1] if value == "last" else months[int(value) - 1]
        held[[m == month for m in survey.months]] = True
    elif what == "clusters":
        try:
            share = float(value)
        except ValueError:
            share = 0.0
        if not 0.0 < share < 1.0:
            raise InputError(where, "is no share of the clusters", allowed)
        names = sorted(groups.clusters)
        count = round(share * len(names))
        if not 0 < count < len(names):
            raise InputError(where, f"is {count} of {len(names)} clusters", "allowed: a share that leaves some on either side")
        for name in np.random.default_rng(seed).permutation(names)[:count].tolist():
            held[:, groups.clusters[name]] = True
    else:
        raise InputError(where, "names nothing that can be held out", allowed)
    held &= survey.seen
    if not held.any():
        raise InputError(where, "holds no observation", allowed)
    return held
