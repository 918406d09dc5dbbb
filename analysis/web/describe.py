"""A plain sentence that says what a design is, from its fields."""

from school_mentoring.model.designs import Design

from .texts import text

__all__ = ["describe"]


def describe(design: Design, window: tuple[int, int]) -> str:
    """Return what a design is in plain words; ``window``: first funded month and first without funding again."""
    if design.recruitment == "none":
        if not design.outreach:
            return text("says.none")
        return " ".join((text("says.outreach_only", outreach=_percent(design.outreach)), _funded(window)))
    parts = [f"{_who(design)}; {_mentees(design)}", _meetings(design), _incentives(design)]
    extras = [text("says.cascade", cascade=_percent(design.cascade))] if design.cascade else []
    if design.outreach:
        extras.append(text("says.outreach", outreach=_percent(design.outreach)))
    if extras:
        joined = "; ".join(extras)
        parts.append(joined[0].upper() + joined[1:])
    return ". ".join(parts) + ". " + _funded(window)


def _who(design: Design) -> str:
    quota = "" if design.mentor_share is None else text("says.quota", mentor_share=_percent(design.mentor_share))
    if design.recruitment == "assigned":
        tier = text(f"says.tier_{design.tier}", fte=_number(design.fte))
        return text("says.assigned", tier=tier, quota=quota) + (text("says.mandate") if design.mandate else "")
    coordinated = text(f"says.coordinated_{design.tier}", fte=_number(design.fte)) if design.tier != "none" else text("says.uncoordinated")
    return f"{text('says.volunteer', quota=quota)}, {coordinated}"


def _mentees(design: Design) -> str:
    return text(
        "says.mentee", places=design.places, scope=text(f"says.scope_{design.scope}"), priority=text(f"says.priority_{design.priority}")
    )


def _meetings(design: Design) -> str:
    if design.virtual_share in (0.0, 1.0):
        return text("says.virtual_all" if design.virtual_share else "says.virtual_none")
    return text("says.virtual_some", virtual_share=_percent(design.virtual_share))


def _incentives(design: Design) -> str:
    given = [
        *([text("says.stipend", stipend=_number(design.stipend))] if design.stipend else []),
        *([text("says.release_hours", release_hours=_number(design.release_hours))] if design.release_hours else []),
        *([text("says.recognition")] if design.recognition else []),
    ]
    said = [text("says.paid", parts=", ".join(given)) if given else text("says.unpaid")]
    if design.mentee_grant:
        said.append(text("says.mentee_grant", mentee_grant=_number(design.mentee_grant)))
    if design.supply_cover:
        said.append(text("says.supply_cover"))
    return "; ".join(said)


def _funded(window: tuple[int, int]) -> str:
    return text("says.funded", first=window[0], last=window[1])


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"
