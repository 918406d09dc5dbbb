"""A track of a programme as a researcher reads it: the schools that go through its phases together, who recruits and matches them.

``programmes.py`` says what a programme is; ``recruitment.py`` and ``matching.py`` tell the same story over arrays.
"""

import math
from typing import Any

import mesa

from . import costs, draws, rules
from .designs import design_from_record
from .matching import PLATFORM, open_places
from .recruitment import is_funded, phase_ends, quota, recruiting_month, round_month
from .state import ALUMNUS, MENTEE, MENTOR, NO_ROLE


class CoordinatorAgent(mesa.Agent):
    """The coordinators of one unit: of a track a country or a region, or the platform of all tracks that use it (``track`` None)."""

    def __init__(self, model: Any, track: "SchoolTrack | None") -> None:
        super().__init__(model)
        self.track = track
        self.clusters = 0
        self.quality = 0.0

    def coordinate(self) -> None:
        """Set the coordination quality from the clusters that are active now."""
        model, track = self.model, self.track
        tier, fte = (PLATFORM, model.platform_fte) if track is None else (track.des.tier, track.des.fte * track.funded)
        self.quality = rules.coordination_quality(model.par, tier, fte, float(self.clusters))


class SchoolTrack:
    """The schools of some regions, which one design after the other is for; ``number`` counts tracks by their first regions.

    Its design in force is ``des``, a record, and ``design``; ``node`` its row in the model's table. ``regions``: numbers of its regions.
    ``community``: intensity of the community this month, 0 where it has no part in it; ``last_found``: what its last gate's survey found.
    """

    def __init__(self, model: Any, number: int, node: int, regions: list[int]) -> None:
        self.model, self.number, self.regions = model, number, regions
        self.schools = [s for s in model.schools if s.region in set(regions)]
        self.countries = {int(model.world.region_country[region]) for region in regions}
        self.community, self.last_found = 0.0, math.nan
        self.pools: dict[int, list[Any]] = {}
        for school in self.schools:
            school.track = self
        self.enter(node)

    @property
    def funded(self) -> int:
        """1 while its programme runs, else 0."""
        return is_funded(self.des, self.model.month)

    @property
    def on_platform(self) -> bool:
        """Whether the platform coordinates it: as long as its programme pays."""
        return self.design.tier == "platform" and self.funded > 0

    @property
    def outreach(self) -> float:
        """The outreach that reaches its schools this month."""
        return float(self.des.outreach * self.funded)

    def enter(self, node: int) -> None:
        """Let a phase begin, that of a row of the model's table."""
        self.node, self.des = node, self.model.nodes[node]
        self.design = design_from_record(self.des)

    def go_on(self) -> bool:
        """Begin the next phase if it is due, by the way that gates leave open; tell whether one began."""
        if not phase_ends(self.des, self.model.month):
            return False
        nodes, node = self.model.nodes, int(self.des.next)
        while nodes[node].survey > 0:
            self.last_found = self.found(int(nodes[node].survey), nodes[node].survey_cost)
            if self.last_found >= nodes[node].at_least:
                break
            node = int(nodes[node].other)
        self.enter(node)
        return True

    def found(self, survey: int, cost: float) -> float:
        """Ask a random ``survey`` of the schools that have or had a mentor; return which share of the mentored teachers are users.

        Of a school without a mentor the team is not known any more: as many of it are counted as are in the whole school.
        """
        mentored = [s for s in self.schools if s.experience == MENTEE]
        users, teachers = 0.0, 0
        for school in sorted(mentored, key=lambda s: (s.draw(draws.GATE), s.index))[:survey]:
            for p, weight in enumerate(self.model.practices.weight.tolist()):
                users += weight * (float(school.team_adopters[p]) if school.mentor else school.team * school.share[p])
            teachers += school.team
            costs.post_survey(self.model.ledger[school.country], cost)
        return users / teachers if teachers > 0 else 0.0

    # --- a round ---

    def hold_round(self) -> None:
        """Do what is due of a round: cascade, ties that end as planned, recruitment of mentors, matching of mentees."""
        recruiting = recruiting_month(self.des, self.model.month)
        if recruiting:
            self.cascade()
        if round_month(self.des, self.model.month):
            for school in [s for s in self.schools if s.graduates()]:
                school.leave_mentor(ALUMNUS)
        if recruiting:
            self.recruit()
            self.match()

    @property
    def named_round(self) -> bool:
        """Whether this round takes the mentors and ties that a pilot named."""
        return self.model.named_world and self.design.recruitment == "assigned" and self.model.month == self.des.first_month

    def cascade(self) -> None:
        """Make mentors of mentees in whose team the practice is mainstreamed."""
        for school in [s for s in self.schools if s.cascades()]:
            school.leave_mentor()
            school.become_mentor()

    def recruit(self) -> None:
        """Make mentors: the assigned or volunteering schools, region by region; a pilot that named its mentors has no more."""
        model, assigned = self.model, self.design.recruitment == "assigned"
        if assigned and model.named_world and model.month != self.des.first_month:
            return
        for number in self.regions:
            region = model.regions[number]
            free = [s for s in region if s.may_mentor]
            if self.named_round:
                chosen = [s for s in free if model.world.named_role[s.index] == MENTOR]
            else:
                willing = free if assigned else [s for s in free if s.volunteers()]
                chosen = sorted(willing, key=lambda s: (-(s.capacity + s.own_share), s.index))
                if self.design.mentor_share is not None:
                    present, before = sum(s.role == MENTOR for s in region), int(model.world.region_start[number])
                    chosen = chosen[: max(0, quota(self.design.mentor_share, before, len(region)) - present)]
            for school in chosen:
                school.become_mentor()

    def pool_of(self, school: Any) -> int:
        """Return the number of the list of free mentors that is in a school's scope."""
        return int({"country": school.country, "region": school.region, "anywhere": 0}[self.design.scope])

    def match(self) -> None:
        """Tie schools to mentors: first the pairs a pilot named, then in the order of priority, each to the best mentor left."""
        model = self.model
        if self.named_round:
            for school in self.schools:
                m = int(model.world.named_mentor[school.index])
                if m >= 0 and school.role == NO_ROLE and model.schools[m].has_place and model.schools[m].track is self:
                    school.follow(model.schools[m])
        wanting = [s for s in self.schools if s.role == NO_ROLE]
        if self.named_round:
            wanting = [s for s in wanting if model.world.named_role[s.index] == MENTEE]
        if self.design.recruitment == "volunteer":
            wanting = [s for s in wanting if s.seeks()]
        queue = sorted((-s.queue_key(), s.index) for s in wanting)
        self.fill_pools()
        places = open_places(self.des, sum(max(0, self.des.places - len(s.mentees)) for s in self.schools if s.role == MENTOR))
        waiting = []
        for _, index in queue:
            school = model.schools[index]
            if school.is_target:
                self.serve(school)
            elif places > 0:
                places -= self.serve(school)
            else:
                waiting.append(school)
        for school in waiting:
            self.serve(school)

    def fill_pools(self) -> None:
        """List the mentors that have free places, by scope."""
        self.pools = {}
        for school in self.schools if self.design.scope != "peers" else []:
            pool = self.pools.setdefault(self.pool_of(school), [])
            if school.has_place:
                pool.append(school)

    def serve(self, school: Any) -> bool:
        """Let a school choose its mentor; tell whether it has one now."""
        mentor = school.choose_mentor()
        if mentor is None:
            return False
        school.follow(mentor)
        if self.design.scope != "peers" and not mentor.has_place:
            pool = self.pools[self.pool_of(mentor)]
            # The last of the list fills the gap, as in the compiled engine: the order decides who is sampled next.
            pool[pool.index(mentor)] = pool[-1]
            pool.pop()
        return True
