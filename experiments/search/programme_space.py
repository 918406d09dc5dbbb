"""The space of programmes: phases one after the other, for all schools or country by country, as the product of the spaces of its parts.

Its variables are those of a phase, once for each phase of each place: ``phase_2.tier``, ``IT.phase_1.places``. A phase has ``months``, 0
where it is not there, the fields of a plain design but for its window, and, from the second on, a gate: ``at_least``, 0 where none is,
and ``survey``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.variables import Domain
from school_mentoring.model.designs import FIELDS, PRESETS, Design
from school_mentoring.model.errors import InputError
from school_mentoring.model.programmes import OTHERS, Course, Gate, Phase, Programme
from school_mentoring.model.world.numbers import Bounds
from school_mentoring.scenarios import COMPARATOR, Scenario, parts
from school_mentoring.scenarios.programmes import StatedGate
from school_mentoring.scenarios.stated_programmes import PHASE_FIELDS, WINDOW

from .design_space import SHORTEST_FUNDING, Point, Space, canonical_design, refuse_strange, space_over, stated_field, whole_range

ABSENT_PART = 0.25  # of the range of ``months``, below its low end, that means that a later phase is not there
NO_GATE_PART = 0.5  # of the range of ``at_least``, below its low end, that means no gate
AT_LEAST, SURVEY = (0.0, 0.6), (10.0, 60.0)
NO_GATE = {"at_least": 0.0, "survey": 30}
UNSTATED = dict.fromkeys(WINDOW)
DOMAINS = {
    "months": Domain((), Bounds(0, 1200, "whole numbers from 0", True)),
    "at_least": Domain((), Bounds(0.0, 1.0, "0 (no gate) to 1")),
    "survey": Domain((), Bounds(1, 1_000_000, "whole numbers from 1", True)),
}
"""What ``--space`` may state of a phase beside the fields of a design."""

Phases = tuple[Phase, ...]


@dataclass(frozen=True)
class ProgrammeSpace:
    """``parts``: by place a space for each phase, of ``OTHERS`` alone where all schools share one programme.

    ``first_month``, ``last_month``: of the scenario's funding, which a plain design has; ``months``: those of the scenario, in which all
    phases must end; ``own_schools``: whether these are read from a file, and so may be in countries that are not known beforehand.
    """

    parts: Mapping[str, tuple[Space, ...]]
    first_month: int
    last_month: int
    months: int
    own_schools: bool

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """One for each field that varies, named by its place and phase."""
        return tuple(replace(one, name=prefix + one.name) for _, prefix, space in _walk(self.parts) for one in space.variables)

    def design(self, point: Point) -> Design | Programme:
        """Return what a point means, a plain design where it has one phase for all schools."""
        found: dict[str, list[Phase]] = {place: [] for place in self.parts}
        for place, prefix, space in _walk(self.parts):
            values = space.values({one.name: point[prefix + one.name] for one in space.variables})
            months = min(int(values["months"]), self.months - self.first_month - sum(phase.months for phase in found[place]))
            if months > 0:
                found[place].append(_phase(values, months, _gate(values)))
        return self._joined(found)

    def point(self, design: Design | Programme) -> dict[str, Any]:
        """Return the point nearest to a design, phase by phase: the design itself where the space holds it.

        A phase that the design does not have is the last one again, for 0 months.
        """
        found: dict[str, Any] = {}
        begun = {place: list(phases) for place, phases in self._tracks(design).items()}
        last: dict[str, Phase] = {}
        for place, prefix, space in _walk(self.parts):
            there = bool(begun[place])
            phase = last[place] = begun[place].pop(0) if there else last[place]
            gate = phase.gate.model_dump() if there and phase.gate else NO_GATE
            stated = {**phase.model_dump(include=set(FIELDS)), **gate, "months": phase.months if there else 0}
            found |= {prefix + name: value for name, value in space.nearest(stated).items()}
        return found

    def holds(self, design: Design | Programme) -> bool:
        """Tell whether the space holds a design (or one that means the same)."""
        by_country = isinstance(design, Programme) and bool(design.by_country)
        begins = {part.first_month for _, part in parts(design)}
        if not begins <= {None, self.first_month} or (isinstance(design, Programme) and design.by_region):
            return False
        meant = self._joined(self._tracks(design))
        alike = by_country != (OTHERS in self.parts) or all(_canonical([_phase(_fields(part), 1, None)]) == () for _, part in parts(design))
        return alike and self.design(self.point(design)) == meant

    def _tracks(self, design: Design | Programme) -> dict[str, Phases]:
        """Return the phases of a design in each place of this space, at least one."""
        stated: Mapping[str, Course] = {OTHERS: design} if isinstance(design, Design) else design.tracks
        rest = stated[OTHERS] if OTHERS in stated else next(iter(stated.values()))
        return {place: self._phases(stated.get(place, rest)) for place in self.parts}

    def _phases(self, track: Course) -> Phases:
        if isinstance(track, Design):
            last = min(self.last_month if track.last_month is None else track.last_month, self.months)
            return (_phase(_fields(track), max(last - self.first_month, 0), None),)
        return _canonical(track) or self._phases(_nothing())

    def _joined(self, tracks: Mapping[str, Sequence[Phase]]) -> Design | Programme:
        """Return phases by place as the simplest design that means the same."""
        meant = {place: self._track(phases) for place, phases in tracks.items()}
        if all(track == _nothing() for track in meant.values()):
            return _nothing()
        if OTHERS not in self.parts:
            return Programme(by_country={**meant, **({OTHERS: _nothing()} if self.own_schools else {})})
        track = meant[OTHERS]
        return track if isinstance(track, Design) else Programme(phases=track)

    def _track(self, stated: Sequence[Phase]) -> Course:
        """Return phases as the design that they are where they are one, or none."""
        phases = _canonical(stated)
        if len(phases) > 1:
            return phases
        return Design(**_fields(phases[0]), first_month=None, last_month=self.first_month + phases[0].months) if phases else _nothing()


def programme_space(scenario: Scenario, phases: int, by_country: bool, narrowed: Sequence[str] = ()) -> ProgrammeSpace:
    """Return the space of programmes of up to so many ``phases``, for all schools or ``by_country``, where there are several.

    ``narrowed`` holds texts as ``--space`` takes them: of a field in all phases, ``tier=hub``, in one, ``phase_2.tier=hub``, in a country,
    ``IT.places=2:8``, or in both, ``IT.phase_1.places=2:8``; what says more of where goes before what says less. Raises InputError for
    fields and values that no phase may have.
    """
    codes = scenario.country_codes
    places = codes if by_country and len(codes) > 1 else (OTHERS,)
    ranges = {**_phase_ranges(scenario), **{name: whole_range(name, scenario) for name in PHASE_FIELDS}}
    first = {name: one for name, one in ranges.items() if name not in NO_GATE}
    shortest = min(float(SHORTEST_FUNDING), ranges["months"].high)
    first["months"] = replace(ranges["months"], low=shortest, base=shortest)
    whole = {k: ranges if k > 1 else first for k in range(1, phases + 1)}
    spots = [("", whole[phases]), *((f"phase_{k}.", fields) for k, fields in whole.items())]
    starts = ["", *(f"{place}." for place in places if place != OTHERS)]
    known = [start + spot + name for start in starts for spot, fields in spots for name in fields]
    refuse_strange(narrowed, set(known), known, "a phase")
    stated = {text.partition("=")[0]: stated_field(text, scenario, DOMAINS) for text in narrowed}
    parts_of = {
        place: tuple(space_over(fields, _narrowed(stated, place, k, fields), scenario) for k, fields in whole.items()) for place in places
    }
    programme = scenario.programme
    space = ProgrammeSpace(parts_of, programme.first_month, programme.last_month, scenario.months, scenario.world.schools is not None)
    if not space.variables:
        raise InputError("--space", "leaves nothing to search", "give at least one field two values")
    return space


def _narrowed(stated: Mapping[str, Variable], place: str, k: int, fields: Mapping[str, Variable]) -> Iterator[Variable]:
    """Yield what is stated of a phase in a place, from what holds for all to what holds for it alone."""
    for name, variable in sorted(stated.items(), key=lambda item: item[0].count(".")):
        if variable.name in fields and set(name.split(".")[:-1]) <= {place, f"phase_{k}"}:
            yield variable


def _phase_ranges(scenario: Scenario) -> dict[str, Variable]:
    longest = float(scenario.months - scenario.programme.first_month)
    absent, (low, high) = -float(int(ABSENT_PART * longest)), AT_LEAST
    return {
        "months": Variable("months", absent, absent, longest, "integer"),
        "at_least": Variable("at_least", low - NO_GATE_PART * (high - low), low, high),
        "survey": Variable("survey", SURVEY[0], SURVEY[0], SURVEY[1], "integer"),
    }


def _walk(parts: Mapping[str, tuple[Space, ...]]) -> Iterator[tuple[str, str, Space]]:
    """Yield every part with its place and the start of its variables' names."""
    for place, spaces in parts.items():
        for k, space in enumerate(spaces, 1):
            yield place, f"{'' if place == OTHERS else f'{place}.'}phase_{k}.", space


def _phase(fields: Mapping[str, Any], months: int, gate: Gate | None, otherwise: Phases = ()) -> Phase:
    plain = {name: fields[name] for name in PHASE_FIELDS}
    return Phase.model_validate({**plain, **UNSTATED, "months": months, "if": gate, "else": otherwise})


def _gate(values: Mapping[str, Any]) -> Gate | None:
    """Return the gate before a phase; None where none is meant, or it is the first."""
    if not values.get("at_least", 0.0) > 0.0:
        return None
    cost = StatedGate.model_fields["survey_cost"].default
    return Gate(outcome="mentee_share", at_least=values["at_least"], survey=int(values["survey"]), survey_cost=cost)


def _fields(design: Design) -> dict[str, Any]:
    return {name: getattr(design, name) for name in PHASE_FIELDS}


def _canonical(phases: Sequence[Phase]) -> Phases:
    """Return the phases that mean the same and are fewest: none where nothing is done in any, one where they go on without a change.

    A gate before any school was mentored has nothing to ask, and is left out. A phase that recruits nobody is for those mentored before.
    """
    found: list[Phase] = []
    for stated in phases:
        mentored = any(before.recruitment != "none" for before in found)
        plain = canonical_design({**_fields(stated), **UNSTATED}, mentored)
        phase = _phase(_fields(plain), stated.months, *((stated.gate, stated.otherwise) if mentored else (None, ())))
        if found and phase.gate is None and _fields(phase) == _fields(found[-1]):
            found[-1] = found[-1].model_copy(update={"months": found[-1].months + phase.months})
        else:
            found.append(phase)
    return tuple(found) if any(_fields(phase) != _fields(_nothing()) for phase in found) else ()


def _nothing() -> Design:
    return PRESETS[COMPARATOR]
