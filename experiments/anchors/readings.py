"""Readings of the anchors: what the compiled engine gives where it is asked as a study measured.

A reading adds up counts over the runs of each world, and takes one figure from their sums: so its standard error is the jackknife's over
worlds (Efron & Stein 1981).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from school_mentoring.experiments.ensemble import run_rows
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model import rules
from school_mentoring.model.designs import CHOICES, PRESETS, Design, design_table
from school_mentoring.model.engine import Batch, Results
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import parameter_table, salary_factor
from school_mentoring.model.state import ALUMNUS, MENTEE, MENTOR
from school_mentoring.model.world.arrays import World
from school_mentoring.scenarios import Scenario

START, YEAR = 6, 12
"""First funded month of the pilot, in which ties begin, and the months between rounds."""

TWO_YEARS, THREE_YEARS, FOUR_YEARS, SIX_YEARS = 24, 36, 48, 72
NOBODY_ADOPTS: Mapping[str, float] = {"p": 0.0, "q_in": 0.0, "q_out": 0.0, "beta": 0.0, "turnover": 0.0, "initial_share": 0.1}
FEW, LARGE_PROGRAMME = (0.05, 0.15), 60

Sums = NDArray[np.float64]
"""What a reading adds up: of each world, shape (worlds, counts)."""


class Measure(NamedTuple):
    """``sums``: adds up a case's runs of a design; ``figure``: takes the reading from the sums over worlds."""

    sums: Callable[["Case", str], Sums]
    figure: Callable[[Sums], float]


@dataclass(frozen=True)
class CaseRuns:
    """Runs of some designs, one after the other, in the same replicates. ``homes``: the world of each replicate."""

    results: Results
    designs: Sequence[Design]
    homes: Sequence[World]

    def rows(self, design: int) -> slice:
        """Return the rows of a design's replicates."""
        return slice(design * len(self.homes), (design + 1) * len(self.homes))

    @cached_property
    def teachers(self) -> NDArray[np.int64]:
        """Teachers of each school, (replicates, n)."""
        return np.stack([world.teachers for world in self.homes]).astype(np.int64)

    def adopters(self, design: int) -> NDArray[np.int32]:
        """Return adopting teachers, (replicates, months, n)."""
        return self.results.schools[self.rows(design), :, 0]

    def team_adopters(self, design: int) -> NDArray[np.int32]:
        """Return adopting teachers in teams, (replicates, months, n)."""
        return self.results.team_adopters[self.rows(design), :, 0]

    def role(self, design: int) -> NDArray[np.int32]:
        """Return roles, (replicates, months, n)."""
        return self.results.schools[self.rows(design), :, -2]

    def mentor(self, design: int) -> NDArray[np.int32]:
        """Return each mentee's mentor, else -1, (replicates, months, n)."""
        mentor = self.results.schools[self.rows(design), :, -1]
        return np.where(self.role(design) == MENTEE, mentor, -1)

    def team(self, design: int) -> NDArray[np.int64]:
        """Return the teachers that a school's team has, (replicates, n)."""
        return self.teachers if self.homes[0].whole_staff else np.minimum(self.designs[design].team, self.teachers)

    def total(self, design: int, outcome: str) -> NDArray[np.float64]:
        """Return an outcome of each replicate, (replicates,)."""
        return self.results.outcomes[self.rows(design), OUTCOMES.index(outcome)]


@dataclass
class Case:
    """What the anchors are read of: a scenario laid out as the pilot, under one parameter set.

    ``parameters``: all of them. The more worlds the scenario has, the more runs a reading takes. Runs that more than one reading needs
    are kept.
    """

    scenario: Scenario
    parameters: Mapping[str, float]
    worlds: Worlds
    threads: int | None = None
    _kept: dict[Any, Any] = field(default_factory=dict)

    def runs(
        self,
        designs: Sequence[Design],
        months: int,
        per_world: float,
        *,
        per_school: bool = True,
        changed: Mapping[str, float] | None = None,
    ) -> CaseRuns:
        """Run designs for some months so many times in each world, or in this part of the worlds, with some parameters ``changed``."""
        count = max(1, round(per_world * self.scenario.worlds))
        values = {**self.parameters, **(changed or {})}
        scenario = self.scenario.model_copy(update={"months": months})
        window = scenario.programme.first_month, scenario.programme.last_month
        d, r = (a.reshape(-1) for a in np.meshgrid(np.arange(len(designs)), np.arange(count), indexing="ij"))
        inputs = scenario, parameter_table([values], scenario.country_codes), design_table(designs, *window), Batch(d, np.zeros_like(d), r)
        results = run_rows(*inputs, worlds=self.worlds, per_school=per_school, threads=self.threads)
        return CaseRuns(results, designs, [self.worlds.get(values, index % scenario.worlds)[0] for index in range(count)])

    def kept(self, key: Any, make: Callable[[], CaseRuns]) -> CaseRuns:
        """Return the runs of a key, made where they are not there yet."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def by_world(self, *counts: NDArray[Any]) -> Sums:
        """Return counts of each replicate, (replicates,) each, added up over the replicates of a world."""
        table = np.column_stack(counts).astype(np.float64)
        return table.reshape(-1, min(len(table), self.scenario.worlds), table.shape[1]).sum(axis=0)


def preset(name: str, **changes: object) -> Design:
    """Return a design of the table with some fields changed."""
    return PRESETS[name].model_copy(update=changes)


# --- A and B: coaching ------------------------------------------------------------------------------------------------


def _coached(case: Case, runs: CaseRuns, design: int) -> Sums:
    """Add up, 12 months after ties began, over the schools of those that still run.

    Team adopters, team teachers, adopters in a random part of that size without a programme; the same three of the other teachers. The
    random part is taken in expectation. Design 0 is ``none``.
    """
    end, mentor, team = START + YEAR, runs.mentor(design), runs.team(design)
    still = (mentor[:, START] >= 0) & (mentor[:, START : end + 1] == mentor[:, START, None]).all(axis=1)
    users, in_team = runs.adopters(design)[:, end], runs.team_adopters(design)[:, end]
    without = runs.adopters(0)[:, end] / runs.teachers
    others = runs.teachers - team
    counts = in_team, team, without * team, users - in_team, others, without * others
    return case.by_world(*(np.where(still, count, 0).sum(axis=1) for count in counts))


def _coaching(case: Case, design: str) -> Sums:
    """Add up for a design as it is; as in a programme of 6 clusters, a hub of the pilot has one."""
    designs = [preset("none"), preset(design, tie_months=0)]  # as a tie of a year has no team when the year is over
    return _coached(case, case.kept(("coaching", design), lambda: case.runs(designs, START + YEAR + 1, 2)), 1)


def _compared(case: Case) -> CaseRuns:
    """Make one year of the hub besides: 60 clusters with the same coordinators, and as it is with no hour and with every hour online."""
    schools = len(case.worlds.get(case.parameters, 0)[1])
    changes: list[dict[str, float]] = [{"mentor_share": LARGE_PROGRAMME / schools}, {"virtual_share": 0.0}, {"virtual_share": 1.0}]
    designs = [preset("none"), *(preset("regional_hub", **change) for change in changes)]
    return case.kept("compared", lambda: case.runs(designs, START + YEAR + 1, 2))


def _scale(case: Case, design: str) -> Sums:
    return np.column_stack([_coached(case, _compared(case), 1), _coaching(case, design)])


def _online(case: Case, _: str) -> Sums:
    runs = _compared(case)
    return np.column_stack([_coached(case, runs, 3), _coached(case, runs, 2)])


def gain(sums: Sums) -> float:
    """Return the difference of probits: of adopters over teachers, and of those without a programme over teachers."""
    users, teachers, without = sums[:3]
    return float(ndtri(users / teachers) - ndtri(without / teachers)) if teachers > 0.0 else np.nan


def _ratio_of_gains(sums: Sums) -> float:
    return gain(sums[:3]) / gain(sums[6:9])


def _colleagues(sums: Sums) -> float:
    return gain(sums[3:6]) / gain(sums[:3])


# --- C and E: who gives up, and ties that end -------------------------------------------------------------------------


def _unsupported(case: Case, _: str) -> Sums:
    runs = case.runs([preset("none")], FOUR_YEARS + 1, 0.5, changed={**NOBODY_ADOPTS, "advanced_fraction": 0.0})
    first, last = runs.adopters(0)[:, 0], runs.adopters(0)[:, FOUR_YEARS]
    few = (first >= FEW[0] * runs.teachers) & (first <= FEW[1] * runs.teachers)
    return case.by_world(*(np.where(few, count, 0).sum(axis=1) for count in (last, first)))


def _three_years(case: Case, design: str) -> CaseRuns:
    """Make three funded years in which nobody takes the practice up."""
    months = START + THREE_YEARS + 1
    return case.kept(("three years", design), lambda: case.runs([preset(design, last_month=months)], months, 2, changed=NOBODY_ADOPTS))


def _supported(case: Case, design: str) -> Sums:
    """Add up the adopters in teams that give up, and those who may, over all months of ties that run on."""
    runs = _three_years(case, design)
    mentor, users = runs.mentor(0)[:, START:], runs.team_adopters(0)[:, START:]
    runs_on = (mentor[:, :-1] >= 0) & (mentor[:, 1:] == mentor[:, :-1])
    counts = (users[:, :-1] - users[:, 1:], users[:, :-1])
    return case.by_world(*(np.where(runs_on, count, 0).sum(axis=(1, 2)) for count in counts))


def _ties(case: Case, design: str) -> Sums:
    """Add up the ties that end unplanned, and those that may, over all months."""
    runs = _three_years(case, design)
    mentor, role = runs.mentor(0)[:, START:], runs.role(0)[:, START:]
    tied = mentor[:, :-1] >= 0
    ended = tied & (mentor[:, 1:] != mentor[:, :-1]) & (role[:, 1:] != ALUMNUS) & (role[:, 1:] != MENTOR)
    return case.by_world(ended.sum(axis=(1, 2)), tied.sum(axis=(1, 2)))


def in_three_years(sums: Sums) -> float:
    """Return the chance of an event within three years, from its count and the months in which it might have been."""
    events, months = sums[:2]
    return float(1.0 - (1.0 - events / months) ** THREE_YEARS) if months > 0.0 else np.nan


def _part_lost(sums: Sums) -> float:
    return float(1.0 - sums[0] / sums[1]) if sums[1] > 0.0 else np.nan


# --- D: contacts ------------------------------------------------------------------------------------------------------


def _contacts(case: Case, design: str) -> Sums:
    """Add up the contacts of ties that end as planned after two years that are there two years later, and all of them."""
    end = START + TWO_YEARS
    runs = case.runs([preset(design, tie_months=TWO_YEARS)], end + TWO_YEARS + 1, 1)
    mentor, meet = runs.mentor(0), runs.designs[0].meeting_hours > 0.0
    counts = [_pairs(world, mentor[r, end - 1 : end + 1], runs.results.partners[r, 1], meet) for r, world in enumerate(runs.homes)]
    return case.by_world(*np.array(counts).T)


def _pairs(world: World, mentor: NDArray[np.int32], partners: NDArray[np.int32], meet: bool) -> tuple[int, int]:
    """Return the pairs of schools whose cluster a tie's end parts, no peers, that are in lasting contact later, and all of them.

    ``mentor``: of the month before the end, and of the month of the end, (2, n).
    """
    n = world.teachers.size
    mentees = np.flatnonzero(mentor[0] >= 0)
    own, left = mentor[0, mentees], mentor[1, mentees] != mentor[0, mentees]
    keys = [(np.minimum(mentees, own) * n + np.maximum(mentees, own))[left]]
    if meet:
        first, second = np.triu_indices(mentees.size, 1)
        parted = (own[first] == own[second]) & (left[first] | left[second])
        keys.append(mentees[first[parted]] * n + mentees[second[parted]])
    peers = np.repeat(np.arange(n), np.diff(world.peer_start)) * n + world.peer
    met = np.setdiff1d(np.concatenate(keys), peers)
    lasting = np.nonzero(partners >= 0)[1] * n + partners[partners >= 0]
    return int(np.isin(met, lasting).sum()), met.size


def _part(sums: Sums) -> float:
    return float(sums[0] / sums[1]) if sums[1] > 0.0 else np.nan


# --- F and G: outlay, background, joining -----------------------------------------------------------------------------


def _outlay(case: Case, design: str) -> Sums:
    runs = case.runs([preset(design)], case.scenario.months, 0.25, per_school=False, changed={"discount_rate": 0.0})
    countries = case.scenario.world.countries
    factors = [case.parameters[salary_factor(country.code)] for country in countries]
    salaries = [country.teacher_salary_eur_per_year for country in countries]
    salary = case.parameters["salary_level"] * float(np.mean(np.multiply(salaries, factors)))
    return case.by_world(runs.total(0, "cost_programme") / salary, runs.total(0, "mentee_schools"))


def _growth(case: Case, _: str) -> Sums:
    runs = case.runs([preset("none")], SIX_YEARS + 1, 0.5, per_school=False)
    return case.by_world(runs.total(0, "adopters_end"), runs.total(0, "adopters_start"))


def _joining(case: Case, design: str) -> Sums:
    """Add up the schools that first have a role in each of six yearly rounds."""
    months = START + SIX_YEARS
    runs = case.runs([preset(design, last_month=months)], months, 1)
    joined = np.logical_or.accumulate(runs.role(0) > 0, axis=1).sum(axis=2)[:, START + YEAR - 1 :: YEAR]
    return case.by_world(*np.diff(joined, axis=1, prepend=0).T)


def _largest_rise(sums: Sums) -> float:
    return float(np.max(sums[1:] / sums[:-1])) if sums[:-1].all() else np.nan


# --- what follows from a formula --------------------------------------------------------------------------------------


def _ties_expected(par: SimpleNamespace) -> float:
    hub = PRESETS["regional_hub"]
    quality = rules.coordination_quality(par, CHOICES["tier"].index(hub.tier), hub.fte, 1.0)
    support = hub.stipend + hub.mentee_grant, float(hub.recognition)
    return float(1.0 - (1.0 - rules.attrition_chance(par, quality, hub.virtual_share, *support, 1.0, 0.0)) ** THREE_YEARS)


EXPECTED: Mapping[str, Callable[[SimpleNamespace], float]] = {
    "unsupported": lambda par: float(1.0 - (1.0 - par.d * (1.0 - 0.1 * par.protection)) ** FOUR_YEARS),
    "ties": _ties_expected,
    "contacts": lambda par: float(par.contact_lasts * (1.0 - par.contact_fade) ** TWO_YEARS),
}
"""What readings come to, but for chance and small corrections, as it follows from a parameter set: a set far off needs no run."""


READINGS: Mapping[str, Measure] = {
    "growth": Measure(_growth, _part),
    "unsupported": Measure(_unsupported, _part_lost),
    "coaching": Measure(_coaching, gain),
    "colleagues": Measure(_coaching, _colleagues),
    "supported": Measure(_supported, in_three_years),
    "ties": Measure(_ties, in_three_years),
    "contacts": Measure(_contacts, _part),
    "scale": Measure(_scale, _ratio_of_gains),
    "online": Measure(_online, _ratio_of_gains),
    "joining": Measure(_joining, _largest_rise),
    "outlay": Measure(_outlay, _part),
}
"""The readings by key, in the order in which draws are held to them: what costs little first."""


def read(case: Case, key: str, design: str) -> float:
    """Return a reading; nan where there is nothing to read."""
    reading = READINGS[key]
    return reading.figure(reading.sums(case, design).sum(axis=0))


def read_with_error(case: Case, key: str, design: str) -> tuple[float, float]:
    """Return a reading and its standard error."""
    reading = READINGS[key]
    sums = reading.sums(case, design)
    whole, worlds = sums.sum(axis=0), len(sums)
    without = np.array([reading.figure(whole - one) for one in sums])
    return reading.figure(whole), float(np.sqrt((worlds - 1) * np.mean((without - without.mean()) ** 2)))
