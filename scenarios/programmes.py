"""The programmes of a scenario: phases, tracks by country or region and gates, filled in from plain designs and checked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from school_mentoring.model.designs import FIELDS, OPTIONAL, PRESETS, Design
from school_mentoring.model.errors import listed, nearest
from school_mentoring.model.programmes import OTHERS, Course, Gate, Phase, Programme
from school_mentoring.model.world.countries import likely_code

from .designs import allowed_values, check_fields, filled_design, refuse_words
from .fields import Number, Whole, fault
from .stated_programmes import BY_PLACE, GATE, KINDS, OTHERWISE, PHASE_FIELDS, WINDOW, is_programme
from .yaml_file import KeyPath

T = TypeVar("T")

PHASE_KEYS = ("months", "design", *PHASE_FIELDS, GATE, OTHERWISE)
TRACK_KEYS = ("design", *FIELDS, "phases")
MOST_MONTHS = int(FIELDS["last_month"].maximum or 0)
MOST_NESTED = 3
"""So many ``else`` may stand within each other."""

_PHASES = "a list of {months: ..., design: NAME, fields that differ}"
_TRACKS = "the name of a design, {design: NAME, fields that differ}, or {phases: [...]}"


class StatedGate(Gate):
    """A gate as a scenario states it, with what is allowed.

    What it costs to ask a school is an assumption: half a day of a visitor, at the day rate of England's specialist leaders of education,
    350 GBP (yarlsideteachingschool.co.uk/deployment-costs), some 400 EUR; no price of such a survey was found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["mentee_share"] = Field(description="What is asked: the share of the teachers of mentored teams who use the practice")
    at_least: Number = Field(description="Share from which on the phase begins (share)", ge=0, le=1)
    survey: Whole = Field(description="Schools asked, drawn from those that have a mentor or had one (schools)", ge=1, le=1_000_000)
    survey_cost: Number = Field(description="Paid by the programme for each school asked (EUR)", default=200.0, ge=0, le=1e6)


def built_designs(stated: Mapping[Any, Any]) -> dict[Any, Design | Programme]:
    """Return all designs of a scenario in full, in their order: plain ones as stated or of presets, programmes of these.

    Raises what pydantic reports as an error, counted from the section ``designs``.
    """
    filled = {name: filled_design(name, given) for name, given in stated.items() if not is_programme(given)}
    plain = _validated(_PLAIN, filled, ())
    for name, design in plain.items():
        check_fields((name,), design)
    known = Known(plain, [str(name) for name in stated if name not in plain])
    return {name: plain[name] if name in plain else _programme((name,), given, known) for name, given in stated.items()}


_PLAIN: TypeAdapter[dict[Any, Design]] = TypeAdapter(dict[Any, Design])
_GATE = TypeAdapter(StatedGate)
_DESIGN = TypeAdapter(Design)
_PHASE = TypeAdapter(Phase)


def _validated(kind: TypeAdapter[T], values: Any, at: KeyPath) -> T:
    """Return values as what they are; what is wrong with them is told as being ``at`` so many keys further in."""
    try:
        return kind.validate_python(values)
    except ValidationError as error:
        within: list[Any] = error.errors(include_url=False)
        raise PydanticCustomError("within", "faults within", {"at": at, "within": within}) from None


class Known(NamedTuple):
    """What ``design: NAME`` may name, the scenario's own plain designs before presets, and the programmes, which it may not."""

    plain: Mapping[Any, Design]
    programmes: Sequence[str]

    def named(self, at: KeyPath, name: Any) -> Design:
        """Return the design of a name."""
        if not isinstance(name, str):
            fault(at, f"{name!r} is no name of a design", f"allowed: {listed({**self.plain, **PRESETS})}")
        if name in self.programmes:
            fault(at, f"{name!r} is a programme itself", "allowed: plain designs")
        if name not in self.plain and name not in PRESETS:
            fault(at, f"no design named {name!r}", nearest(name, {**self.plain, **PRESETS}))
        return self.plain[name] if name in self.plain else PRESETS[name]


def _programme(at: KeyPath, stated: Any, known: Known) -> Programme:
    if isinstance(stated, Programme):
        return stated
    kind, *more = [kind for kind in KINDS if kind in stated]
    if more:
        fault((*at, more[0]), f"stands beside {kind!r}", "allowed: one of them; a country or region may have phases")
    if beside := [str(key) for key in stated if key != kind]:
        fault((*at, beside[0]), f"a design of {kind!r} takes no {beside[0]!r} of its own", f"state it within {kind!r}")
    if kind == "phases":
        return Programme(phases=_phases((*at, kind), stated[kind], known))
    places = stated[kind]
    if not isinstance(places, Mapping) or not places:
        fault((*at, kind), "states no place", f"allowed: a place or {OTHERS!r}, each with {_TRACKS}")
    return Programme.model_validate({kind: {place: _track((*at, kind, place), given, known) for place, given in places.items()}})


def _track(at: KeyPath, stated: Any, known: Known) -> Course:
    if isinstance(stated, str):
        return known.named(at, stated)
    if not isinstance(stated, Mapping):
        fault(at, "nothing is stated" if stated is None else f"{stated!r} is no design", f"allowed: {_TRACKS}; `none` to do nothing")
    _refuse_places(at, stated)
    if "phases" not in stated:
        design = _validated(_DESIGN, _filled(at, stated, known), at)
        check_fields(at, design)
        return design
    if beside := [str(key) for key in stated if key != "phases"]:
        fault((*at, beside[0]), f"stands beside 'phases', which take no {beside[0]!r} in common", "state it in each phase")
    return _phases((*at, "phases"), stated["phases"], known)


def _phases(at: KeyPath, stated: Any, known: Known, seen: bool = False, depth: int = 0) -> tuple[Phase, ...]:
    """Return phases in full. ``seen``: whether schools were mentored before; ``depth``: the ``else`` around them."""
    if not isinstance(stated, (list, tuple)) or not stated:
        fault(at, f"{stated!r} is no list of phases" if stated else "states no phases", f"allowed: {_PHASES}")
    if depth > MOST_NESTED:
        fault(at, f"more than {MOST_NESTED} `else` within each other", "allowed: fewer")
    phases = []
    for position, one in enumerate(stated):
        phase = _phase((*at, position), one, known, seen, depth)
        seen |= phase.recruitment != "none"
        phases.append(phase)
    return tuple(phases)


def _phase(at: KeyPath, stated: Any, known: Known, seen: bool, depth: int) -> Phase:
    if isinstance(stated, Phase):
        return stated
    if not isinstance(stated, Mapping):
        fault(at, f"{stated!r} is no phase", f"allowed: {_PHASES}")
    _refuse_places(at, stated)
    if "phases" in stated:
        fault((*at, "phases"), "stands within a phase", "allowed: one list of phases")
    if own := [name for name in WINDOW if stated.get(name) is not None]:
        fault((*at, own[0]), "a phase begins where the one before it ends", "allowed: months; programme.first_month begins the first")
    if OTHERWISE in stated and GATE not in stated:
        fault((*at, OTHERWISE), "stands without `if`", "allowed: beside `if`, for what comes where it does not hold")
    given = {key: value for key, value in stated.items() if key not in (GATE, OTHERWISE)}
    values = {**_filled(at, given, known), **dict.fromkeys(WINDOW)}
    if GATE in stated:
        if not seen:
            allowed = "allowed: `if` on a phase that follows one with mentors"
            fault((*at, GATE), "a gate on an outcome not yet seen: no school was mentored before", allowed)
        values[GATE] = Gate(**_validated(_GATE, stated[GATE], (*at, GATE)).model_dump())
        if OTHERWISE in stated:
            values[OTHERWISE] = _phases((*at, OTHERWISE), stated[OTHERWISE], known, seen, depth + 1)
    phase = _validated(_PHASE, values, at)
    if not 1 <= phase.months <= MOST_MONTHS:
        fault((*at, "months"), f"{phase.months} is out of range", allowed_of("months"))
    check_fields(at, phase)
    return phase


def _refuse_places(at: KeyPath, stated: Mapping[str, Any]) -> None:
    if inner := [kind for kind in BY_PLACE if kind in stated]:
        fault((*at, inner[0]), "stands within a phase or a place", f"allowed: {inner[0]} outside, and phases within its places")


def _filled(at: KeyPath, stated: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Return all fields of a track or phase: those stated, the others of the ``design`` it names."""
    given = dict(stated)
    if "preset" in given:
        fault((*at, "preset"), "is of designs that stand alone", "allowed: `design: NAME`, a preset or a design of this scenario")
    base = known.named((*at, "design"), given.pop("design")).model_dump() if "design" in given else dict.fromkeys(OPTIONAL)
    refuse_words(at, given)
    return {**base, **given}


def allowed_of(field: str) -> str:
    """Return in words what a field of a design, a phase or a gate may hold."""
    return allowed_values(field) if field in FIELDS else f"allowed: 1 to {MOST_MONTHS} (months)"


# --- what is in a programme -------------------------------------------------------------------------------------------


def parts(design: Design | Programme) -> Iterator[tuple[KeyPath, Design]]:
    """Yield every design of which a design consists, with the keys that lead to it: a plain one is its own only part."""
    if isinstance(design, Programme):
        for at, track in tracks(design):
            yield from _parts(at, track)
    else:
        yield (), design


def tracks(programme: Programme) -> Iterator[tuple[KeyPath, Course]]:
    """Yield the tracks of a programme with the keys that lead to them; phases for all schools are one."""
    if programme.phases:
        yield ("phases",), programme.phases
    for kind in BY_PLACE:
        for place, track in getattr(programme, kind).items():
            yield (kind, place) if isinstance(track, Design) else (kind, place, "phases"), track


def _parts(at: KeyPath, track: Course) -> Iterator[tuple[KeyPath, Design]]:
    if isinstance(track, Design):
        yield at, track
        return
    for position, phase in enumerate(track):
        yield (*at, position), phase
        yield from _parts((*at, position, OTHERWISE), phase.otherwise)


def longest(phases: Sequence[Phase]) -> int:
    """Return the months of phases where each gate takes the longer way."""
    months = most = 0
    for phase in phases:
        most = max(most, months + longest(phase.otherwise))
        months += phase.months
    return max(most, months)


def has_mentors(design: Design | Programme) -> bool:
    """Tell whether any school mentors another in a design."""
    return any(part.recruitment != "none" for _, part in parts(design))


def written(design: Design | Programme) -> dict[str, Any]:
    """Return a design as a scenario states it, every field written out and ready for JSON."""
    if not isinstance(design, Programme):
        return design.model_dump(mode="json")
    if design.phases:
        return {"phases": [_written_phase(phase) for phase in design.phases]}
    kind = next(kind for kind in BY_PLACE if getattr(design, kind))
    return {kind: {place: _written_track(track) for place, track in getattr(design, kind).items()}}


def _written_track(track: Course) -> dict[str, Any]:
    return written(track) if isinstance(track, Design) else {"phases": [_written_phase(phase) for phase in track]}


def _written_phase(phase: Phase) -> dict[str, Any]:
    gate = {} if phase.gate is None else {GATE: phase.gate.model_dump(mode="json")}
    otherwise = {OTHERWISE: [_written_phase(one) for one in phase.otherwise]} if phase.otherwise else {}
    return {"months": phase.months, **phase.model_dump(mode="json", include={*PHASE_FIELDS}), **gate, **otherwise}


# --- what goes together with the rest of a scenario -------------------------------------------------------------------


def check_horizon(name: str, programme: Programme, first_month: int, months: int) -> None:
    """Refuse phases that go on after the scenario's last month; ``first_month``: that of the first phase."""
    for at, track in tracks(programme):
        if not isinstance(track, Design):
            _check_phases(("designs", name, *at), track, first_month, months)


def _check_phases(at: KeyPath, phases: Sequence[Phase], month: int, months: int) -> None:
    for position, phase in enumerate(phases):
        _check_phases((*at, position, OTHERWISE), phase.otherwise, month, months)
        month += phase.months
        if month > months:
            problem = f"the phases go on to month {month} of {months}"
            fault((*at, position, "months"), problem, "allowed: phases that end with the scenario's months; shorten them, or raise months")


def check_places(name: str, programme: Programme, countries: Sequence[str], regions: Sequence[str], made: bool = True) -> None:
    """Refuse tracks of places that are not there, and places without a track.

    ``made``: whether the schools are generated in these places; the user's own may be in others, and are asked again once they are read.
    """
    for kind, there, what in (("by_country", countries, "country"), ("by_region", regions, "region")):
        stated_for: Mapping[str, Course] = getattr(programme, kind)
        if not stated_for:
            continue
        strange = [place for place in stated_for if place not in (*there, OTHERS)]
        if made and strange:
            at = ("designs", name, kind, strange[0])
            meant = likely_code(strange[0]) if kind == "by_country" else strange[0]
            fault(at, f"no {what} named {strange[0]!r} in this world", nearest(meant, [*there, OTHERS]))
        left = [place for place in there if place not in stated_for]
        if OTHERS not in stated_for and (left or not made):
            problem = f"says nothing for {listed(left, 6)}" if made else f"may say nothing for a {what} of the own schools"
            fault(("designs", name, kind), problem, f"state them, or {OTHERS!r}: a design for all others, `{OTHERS}: none` to do nothing")
