"""A programme: designs one after the other, in one or in several tracks, each of its countries or regions. A plain design is one of one phase.

Ties, mentors and contacts carry over from phase to phase. A gate lets a phase begin only where a survey of the mentored schools says so.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .designs import Design

OTHERS = "others"
"""The key of the track that all countries or regions take for which no track of their own is stated."""


class Gate(BaseModel):
    """A question that is asked when a phase is to begin, and answered by a survey of mentored schools in that month.

    ``outcome``: what is asked, ``mentee_share``: the share of the teachers in the teams of mentored schools who use the practice.
    ``at_least``: the share from which on the phase begins. ``survey``: schools that are asked, drawn from those that have a mentor or had
    one; all of them where there are fewer. ``survey_cost``: EUR per school asked, paid by the programme in that month.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["mentee_share"]
    at_least: float
    survey: int
    survey_cost: float


class Phase(Design):
    """A design for so many ``months``; its own ``first_month`` and ``last_month`` are None, as the programme's run from phase to phase.

    ``gate`` (``if`` in a scenario): what the phase needs to begin. Where it does not, ``otherwise`` (``else``) are the phases that come in
    the place of this one and all after it; where there are none, the programme ends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    months: int
    gate: Gate | None = Field(default=None, alias="if")
    otherwise: tuple["Phase", ...] = Field(default=(), alias="else")


Track = Design | tuple[Phase, ...]
"""What schools of one track go through: a design in the scenario's window (or its own), or phases from the window's first month on."""


class Programme(BaseModel):
    """One of three: ``phases`` for all schools, or a track by country or by region, of which ``OTHERS`` is that of all not named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phases: tuple[Phase, ...] = ()
    by_country: Mapping[str, Track] = {}
    by_region: Mapping[str, Track] = {}

    @property
    def tracks(self) -> Mapping[str, Track]:
        """The tracks by the names of their places; that of ``OTHERS`` alone where all schools share one."""
        return self.by_country or self.by_region or {OTHERS: self.phases}
