"""What of a design is scaled: its clusters, then the places of each; where it has no mentors, the intensity of its campaign.

A cluster is a school funded as a mentor, with the schools that it mentors. A design states how many there are by ``mentor_share``, which
``model.recruitment.quota`` makes into whole numbers of mentors. Of a programme all quotas grow together: its clusters are those of the
phase or place with the largest quota, as many as there would be if it were everywhere.
"""

from dataclasses import dataclass
from typing import Any

from school_mentoring.model.designs import FIELDS, Design
from school_mentoring.model.programmes import Course, Phase, Programme
from school_mentoring.scenarios import parts

MOST_PLACES = int(FIELDS["places"].high or 0)
"""Places of a mentor up to which a design is scaled: more than are usual would make another design of it."""

HUNDREDTHS = 100
"""Steps in which a campaign is scaled, up to its full intensity."""


@dataclass(frozen=True)
class Ladder:
    """A design at growing sizes: steps 1 to ``top``, of which the design itself stands on ``own``.

    ``schools``: of the world. ``unit``: cluster, or campaign, or empty where nothing of the design can be scaled; ``limit``: then why, else
    what ends the ladder. ``first``: the steps that scale what ``unit`` says. Where mentors volunteer, the next step takes all of them,
    without a quota, and ``places`` more steps have one place more each than the design's own.
    """

    design: Design | Programme
    schools: int
    unit: str
    limit: str
    first: int = 0
    places: int = 0

    @property
    def whole(self) -> int:
        """The last step that leaves the places as they are."""
        open_to_all = isinstance(self.design, Design) and self.design.recruitment == "volunteer"
        return self.first + (self.unit == "cluster" and open_to_all)

    @property
    def top(self) -> int:
        """The last step."""
        return self.whole + self.places

    @property
    def own(self) -> int:
        """The step on which the design itself stands, or that nearest to it."""
        if isinstance(self.design, Programme):
            return max(1, clusters_of(largest_quota(self.design), self.schools)) if self.unit else 0
        if self.unit == "campaign":
            return max(1, round(HUNDREDTHS * self.design.outreach))
        share = self.design.mentor_share
        return self.whole if share is None else max(1, clusters_of(share, self.schools))

    def at(self, step: int) -> Design | Programme:
        """Return the design at a step; itself at 0 where nothing is scaled."""
        if not self.unit:
            return self.design
        if isinstance(self.design, Programme):
            return _with_quotas(self.design, step / (self.schools * largest_quota(self.design)))
        if self.unit == "campaign":
            return self.design.model_copy(update={"outreach": step / HUNDREDTHS})
        share = step / self.schools if step <= self.first else None
        return self.design.model_copy(update={"mentor_share": share, "places": self.design.places + max(0, step - self.whole)})


def clusters_of(mentor_share: float, schools: int) -> int:
    """Return the clusters that a share of mentors makes among so many schools, as ``model.recruitment.quota`` rounds it."""
    return int(mentor_share * schools + 0.5)


def largest_quota(programme: Programme) -> float:
    """Return the largest share of mentors that a phase or place of a programme asks for, 0 where none has a quota."""
    return max((design.mentor_share or 0.0 for _, design in parts(programme) if design.recruitment != "none"), default=0.0)


def _with_quotas(programme: Programme, factor: float) -> Programme:
    """Return a programme of which every quota is multiplied by a factor."""

    def scaled(part: Any) -> Any:
        share = None if part.mentor_share is None else part.mentor_share * factor
        others = {"otherwise": tuple(map(scaled, part.otherwise))} if isinstance(part, Phase) else {}
        return part.model_copy(update={"mentor_share": share, **others})

    def course(track: Course) -> Course:
        return scaled(track) if isinstance(track, Design) else tuple(map(scaled, track))

    places = {kind: {place: course(track) for place, track in getattr(programme, kind).items()} for kind in ("by_country", "by_region")}
    return programme.model_copy(update={"phases": tuple(map(scaled, programme.phases)), **places})


def _ladder_of_programme(programme: Programme, schools: int, named: bool) -> Ladder:
    largest, recruiting = largest_quota(programme), [part for _, part in parts(programme) if part.recruitment != "none"]
    if not largest:
        return Ladder(programme, schools, "", "no part of it has a quota of mentors")
    if named and any(part.recruitment == "assigned" for part in recruiting):
        return Ladder(programme, schools, "", "its mentors are those that the data name")
    fullest = max((part.mentor_share or 0.0) * (1 + part.places) for part in recruiting)
    most = int(schools * largest / fullest)
    return Ladder(programme, schools, "cluster", "no schools are left for another cluster", max(most, clusters_of(largest, schools), 1))


def ladder_of(design: Design | Programme, schools: int, *, named: bool = False) -> Ladder:
    """Return the steps by which a design is scaled among so many schools; ``named``: whether the data name who mentors.

    Clusters end where no schools are left for a further mentor and its places, or where the design has more already; those of volunteers
    where no more volunteer. Their places go on to ``MOST_PLACES``.
    """
    if isinstance(design, Programme):
        return _ladder_of_programme(design, schools, named)
    if design.recruitment != "none" and design.mentor_share != 0.0:
        own = clusters_of(design.mentor_share or 0.0, schools)
        if design.recruitment == "volunteer":
            more = max(0, MOST_PLACES - design.places)
            return Ladder(design, schools, "cluster", "no more schools volunteer", max(schools // 2, own, 1), more)
        if named:
            return Ladder(design, schools, "", "its mentors are those that the data name")
        most = schools // (1 + design.places)
        return Ladder(design, schools, "cluster", "no schools are left for another cluster", max(most, own, 1))
    if design.outreach > 0.0:
        return Ladder(design, schools, "campaign", "its campaign has its full intensity", HUNDREDTHS)
    return Ladder(design, schools, "", "it has neither mentors nor a campaign")
