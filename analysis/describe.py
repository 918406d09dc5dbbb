"""Says in plain words what a design is: each field adds its phrase of ``model/data/designs.csv``, for the page and every report alike."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from school_mentoring.model.designs import CHOICES, FIELDS, OPTIONAL, PRESETS, Design, DesignField
from school_mentoring.model.programmes import OTHERS, Course, Gate, Phase, Programme
from school_mentoring.model.world.countries import COUNTRIES

from .outcomes import COMPARATOR, design_name, field_name

RECRUITING = ("mentors", "mentees")
"""Topics of fields that mean nothing where no school is recruited, also to those that were mentored before."""


def describe(design: Design | Programme, among: Mapping[str, Design | Programme] | None = None) -> str:
    """Return what a design is, a sentence for each topic; of fields that are off or without meaning in it nothing is said.

    Months are those that the design states itself, none where it takes the scenario's. A programme is one sentence, in which each design is
    told by the one it is most like, ``among`` the plain ones of the scenario or presets, and by what differs.
    """
    if isinstance(design, Programme):
        plain = {name: one for name, one in (among or {}).items() if isinstance(one, Design)}
        known = {**plain, **{name: preset for name, preset in PRESETS.items() if name not in plain}}
        tracks = [f"{_place(name, design)}{_track(track, known)}" for name, track in design.tracks.items()]
        return _sentence("; ".join(tracks))
    topics = defaultdict(list)
    for row in FIELDS.values():
        if phrase := _said(row, design):
            topics[row.topic].append(phrase)
    return " ".join(_sentence("; ".join(phrases)) for phrases in topics.values())


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _place(name: str, programme: Programme) -> str:
    """Return how the track of a place is begun: with nothing where all places share one."""
    if programme.phases:
        return ""
    return "all others: " if name == OTHERS else f"{COUNTRIES[name].name if programme.by_country and name in COUNTRIES else name}: "


def _track(track: Course, known: Mapping[str, Design]) -> str:
    return _most_like(track, known) if isinstance(track, Design) else _phases(track, known)


def _phases(phases: Sequence[Phase], known: Mapping[str, Design], mentored: bool = False) -> str:
    said = ""
    for phase in phases:
        this = f"{phase.months} month{'s' * (phase.months > 1)} of {_most_like(phase, known, mentored)}"
        mentored |= phase.recruitment != "none"
        if phase.gate is None:
            said += f", then {this}" if said else this
        else:
            instead = _phases(phase.otherwise, known, mentored=True) if phase.otherwise else "it ends"
            said += f"; goes on only if {_gate(phase.gate)} (otherwise {instead}): {this}"
    return said.removeprefix("; ")


def _gate(gate: Gate) -> str:
    share = _shown("share", gate.at_least)
    return f"a survey of {gate.survey:,} mentored schools finds at least {share} of the teachers in their teams using the practice"


def _most_like(design: Design, known: Mapping[str, Design], mentored: bool = False) -> str:
    """Return a design by the name of that which it is most like, and how it differs; a phase has no months of its own to tell.

    What does anything is not said to be like no programme. ``mentored``: whether schools are when it begins, to whom it may give what it
    has for mentored schools also where it recruits none.
    """
    told = [row for row in FIELDS.values() if not (isinstance(design, Phase) and row.topic == "funding")]
    unlike = {name: [row for row in told if getattr(design, row.field) != getattr(one, row.field)] for name, one in known.items()}
    name = min(unlike, key=lambda one: (len(unlike[one]) > 0 and known[one] == PRESETS[COMPARATOR], len(unlike[one])))
    given = design.model_copy(update={"recruitment": "volunteer"}) if mentored else design
    of_phase = [(row, given if row.topic not in RECRUITING else design) for row in unlike[name]]
    how = dict.fromkeys(filter(None, (_difference(row, one, known[name]) for row, one in of_phase)))
    return f"{design_name(name)} ({'; '.join(how)})" if how else design_name(name)


def _difference(row: DesignField, design: Design, other: Design) -> str:
    """Return what is said of a field in a design, by itself or within another's phrase; that it is off where in ``other`` it is on."""
    telling = row if row.phrase else next(one for one in FIELDS.values() if f"{{{row.field}}}" in (one.phrase or ""))
    return _said(telling, design) or (f"no {field_name(row.field)}" if _phrase(telling, other) else "")


def _said(row: DesignField, design: Design) -> str:
    values = {name: _shown(one.unit, getattr(design, name)) for name, one in FIELDS.items()}
    return _phrase(row, design).format(**values)


def _phrase(row: DesignField, design: Design) -> str:
    if not row.phrase or not _means(row, design):
        return ""
    value = getattr(design, row.field)
    if row.field in CHOICES:
        return row.phrase.split("|")[CHOICES[row.field].index(value)]
    off = value is None if row.field in OPTIONAL else value == 0
    return "" if off else row.phrase


def _means(row: DesignField, design: Design) -> bool:
    """Tell whether a field means anything: it needs none, or one that is on, or of a certain word, and that means something itself."""
    return row.needs is None or any(_holds(need, design) for need in row.needs.split("|"))


def _holds(need: str, design: Design) -> bool:
    field, _, word = need.partition("=")
    value = getattr(design, field)
    return bool(value == word if word else value not in ("none", 0)) and _means(FIELDS[field], design)


def _shown(unit: str, value: str | float | None) -> str:
    """Return a value as its unit is written: a share or chance in per cent, money with its currency, other numbers as they are."""
    if value is None or isinstance(value, str):
        return str(value)
    share = unit.startswith(("share", "chance"))
    rounded = round(100 * value if share else value, 2)
    number = f"{rounded:,.9g}" if rounded or not value else "less than 0.01"
    return f"{number} %" if share else f"EUR {number}" if unit.startswith("EUR") else number
