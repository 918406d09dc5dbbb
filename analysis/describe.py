"""Says in plain words what a design is: each field adds its phrase of ``model/data/designs.csv``, for the page and every report alike."""

from collections import defaultdict

from school_mentoring.model.designs import CHOICES, FIELDS, OPTIONAL, Design, DesignField


def describe(design: Design) -> str:
    """Return what a design is, a sentence for each topic; of fields that are off or without meaning in it nothing is said.

    Months are those that the design states itself, none where it takes the scenario's.
    """
    values = {name: _shown(row.unit, getattr(design, name)) for name, row in FIELDS.items()}
    topics = defaultdict(list)
    for row in FIELDS.values():
        if phrase := _phrase(row, design):
            topics[row.topic].append(phrase.format(**values))
    sentences = ("; ".join(phrases) for phrases in topics.values())
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)


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
