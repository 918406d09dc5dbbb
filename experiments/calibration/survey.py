"""A survey of schools: who was asked when, what was seen, and how a simulated world would have answered the same survey.

The observation layer stands here and nowhere else, so reference tables, predictive checks and scores all see data through it.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from school_mentoring.experiments.pilot_data.observations import Observations
from school_mentoring.experiments.sweep.plan import SchoolRecord
from school_mentoring.model.errors import InputError
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import Flags, Floats, World
from school_mentoring.model.world.schools import Schools

MOST_WAVES = 12  # that adoption times are cut into, where they are many
OVERDISPERSION = "overdispersion"
"""Name of the parameter of the beta-binomial: the correlation of answers within a school and wave; 0 is the binomial."""

EFFECTS = ("between_regions", "drift", "shocks")
"""Names of the parameters of effects of regions and months (``effects.py``): standard deviations on the logarithm of a chance."""


@dataclass(frozen=True)
class Survey:
    """W waves (a month in which one practice was looked at) of n schools.

    ``kind``: counts, scale or times. ``months``, ``practices``: of each wave, (W,). ``shares``: the share of adopting teachers that was
    seen (of times: whether the school had adopted), ``respondents``: teachers who answered (of times: 1), 0 where nothing was seen,
    ``errors``: standard error of a share on a scale, 0 otherwise; all (W, n). ``discrepancy``: sd of the error that the model itself is
    allowed, on the share of all schools of a wave alike. ``practice_names``: as the scenario has them. ``readily``: how many times as
    readily as other teachers those who use the practice answer; 1 where who answers is random. ``weights``: the user's own, of schools'
    answers, beyond their numbers, (W, n); None where all are 1.
    """

    kind: str
    months: tuple[int, ...]
    practices: tuple[int, ...]
    shares: Floats
    respondents: NDArray[np.int64]
    errors: Floats
    practice_names: tuple[str, ...]
    discrepancy: float = 0.0
    readily: float = 1.0
    weights: Floats | None = None

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which schools were seen in which wave, (W, n)."""
        return self.respondents > 0

    @property
    def counting(self) -> Floats:
        """How much each school's answers count in sums over schools, (W, n): respondents by the user's weights."""
        return self.respondents.astype(np.float64) if self.weights is None else self.respondents * self.weights

    @property
    def horizon(self) -> int:
        """Months to simulate: up to the last wave."""
        return max(self.months) + 1

    @cached_property
    def follows(self) -> tuple[int, ...]:
        """The next wave of the same practice after each wave, or -1."""
        order = sorted(range(len(self.months)), key=lambda w: (self.practices[w], self.months[w]))
        after = {w: x for w, x in pairwise(order) if self.practices[w] == self.practices[x]}
        return tuple(after.get(w, -1) for w in range(len(self.months)))

    def only(self, kept: NDArray[np.bool_]) -> "Survey":
        """Return the survey with the cells of a mask (W, n) only. Raises InputError where nothing is left."""
        rows = (self.seen & kept).any(axis=1)
        if not rows.any():
            raise InputError("--hold-out", "leaves no observation to fit to", "hold out less")
        months, practices = (tuple(column[w] for w in np.flatnonzero(rows)) for column in (self.months, self.practices))
        respondents = np.where(kept, self.respondents, 0)[rows]
        weights = None if self.weights is None else self.weights[rows]
        shares, errors = self.shares[rows], self.errors[rows]
        return replace(self, months=months, practices=practices, respondents=respondents, shares=shares, errors=errors, weights=weights)

    def answers(
        self, adopters: NDArray[Any], teachers: NDArray[np.int32], keys: NDArray[np.int64], seed: int, overdispersion: Floats
    ) -> Floats:
        """Return the shares (B, W, n) that the survey finds in simulated schools: ``adopters`` (B, W, n) out of ``teachers`` (B, n).

        Counts are (beta-)binomial: the chance of a respondent to be an adopter is the school's share, which itself varies by a beta
        distribution where ``overdispersion`` (B,) is above 0. Scale means have normal errors. Row b draws by the numbers of key b alone.
        """
        if self.kind == "times":
            return adopters.astype(np.float64)
        found = np.empty(adopters.shape)
        for b, key in enumerate(keys.tolist()):
            rng = np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), key]))
            share = answering_share(adopters[b] / teachers[b], self.readily, self.respondents / teachers[b])
            if self.discrepancy > 0.0:
                share = np.clip(share + self.discrepancy * rng.standard_normal((len(share), 1)), 0.0, 1.0)
            if self.kind == "scale":
                found[b] = share + self.errors * rng.standard_normal(share.shape)
                continue
            if overdispersion[b] > 0.0:
                inverse = 1.0 / overdispersion[b] - 1.0
                inside = (share > 0.0) & (share < 1.0)
                safe = np.where(inside, share, 0.5)
                share = np.where(inside, rng.beta(safe * inverse, (1.0 - safe) * inverse), share)
            found[b] = rng.binomial(self.respondents, share) / np.maximum(self.respondents, 1)
        return found

    def record(self) -> SchoolRecord:
        """Return what a sweep has to record for this survey."""
        return SchoolRecord(self.months, self.practices, self.respondents.shape[1], self.kind == "times")


def answering_share(share: Any, readily: float, part: Any) -> Any:
    """Return the share of users among those who answer, of users who answer so many times as readily as others.

    ``part``: of the teachers answered. All of one kind answer at most, so where everybody does the share is as it is.
    """
    if readily == 1.0:
        return share
    told = readily * share / (1.0 - share + readily * share)
    part = np.maximum(np.minimum(part, 1.0), 1e-9)
    return np.minimum(np.maximum(told, np.maximum(0.0, 1.0 - (1.0 - share) / part)), np.minimum(1.0, share / part))


def survey_of(
    observations: Observations,
    schools: int,
    practices: tuple[str, ...],
    discrepancy: float = 0.0,
    readily: float = 1.0,
    *,
    most_waves: int | None = MOST_WAVES,
) -> Survey:
    """Return the survey that observations hold; ``practices`` as the scenario orders them.

    Of adoption times: at each wave a school has adopted, has not, or it is not known (its interval holds the month). They are cut into
    ``most_waves`` waves at most, as summaries of more would drown in each other; None: into all there are.
    """
    frame, times = observations.frame, observations.kind == "times"
    codes = frame["practice"].map({name: at for at, name in enumerate(practices)}).to_numpy()
    school = frame["school"].to_numpy()
    pairs = [] if times else list(zip(frame["month"].tolist(), codes.tolist(), strict=True))
    waves = list(product(_looks(observations, most_waves), sorted({*codes.tolist()}))) if times else sorted({*pairs})
    shape = len(waves), schools
    shares, respondents, errors = np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape)
    if times:
        earliest, latest = frame["earliest"].to_numpy(), frame["latest"].to_numpy()
        for w, (month, code) in enumerate(waves):
            mine = codes == code
            shares[w, school[mine]] = latest[mine] <= month
            respondents[w, school[mine]] = (latest[mine] <= month) | (earliest[mine] > month)
    else:
        at = {wave: w for w, wave in enumerate(waves)}
        cells = np.array([at[pair] for pair in pairs]), school
        respondents[cells] = frame["respondents"]
        if observations.kind == "scale":
            shares[cells], errors[cells] = frame["share"], frame["share_error"]
        else:
            shares[cells] = frame["adopters"] / frame["respondents"]
    months, order = zip(*waves, strict=True)
    weights = None
    if (frame["weight"] != 1.0).any():
        weights = np.ones(shape)
        if times:
            for w, (_, code) in enumerate(waves):
                weights[w, school[codes == code]] = frame["weight"].to_numpy()[codes == code]
        else:
            weights[cells] = frame["weight"]
    return Survey(observations.kind, months, order, shares, respondents, errors, practices, discrepancy, readily, weights)


def _looks(observations: Observations, most: int | None) -> list[int]:
    """Return the months at which adoption is looked at: so many that adoptions fall evenly between them, or all ends of intervals.

    Of None also the last month before each interval, so that the waves say all that the times do.
    """
    earliest, latest = (observations.frame[name].to_numpy() for name in ("earliest", "latest"))
    if most is None:
        ends = np.concatenate([earliest - 1, latest])
        return sorted({0, *ends[np.isfinite(ends) & (ends >= 0)].astype(int).tolist()})
    waves = observations.waves
    if len(waves) <= most:
        return list(waves)
    known = np.sort(latest[np.isfinite(latest)])
    places = np.linspace(0, len(known) - 1, most)[1:-1].astype(int)
    return sorted({waves[0], *(int(known[at]) for at in places), waves[-1]})


# --- who is told apart: structures of a pilot (mentors, mentees, neighbours), its clusters, and what is held out -----

FEWEST = 5  # schools of a structure that is told apart


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
