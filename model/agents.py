"""The agent a researcher reads: a school, one month of it; ``track.py`` has those who coordinate and match schools.

It applies the rules of ``rules.py`` with the draws the compiled engine uses; ``mesa_model.py`` lets schools act in the order of a month.
Subclass ``SchoolAgent`` to change a behaviour; every experiment also runs on a subclass, only slower.
"""

import math
from typing import TYPE_CHECKING, Any

import mesa

from school_mentoring.model.world.arrays import NO_CONTACTS

from . import costs, draws, matching, rules
from .acquainted import Acquainted
from .mentoring import spend
from .state import ALUMNUS, MENTEE, MENTOR, NO_ROLE
from .ties import FORMED, MONTHLY

if TYPE_CHECKING:
    from .designs import Design
    from .track import CoordinatorAgent, SchoolTrack


class SchoolAgent(Acquainted, mesa.Agent):
    """A school: its fixed traits, its adopting teachers by practice, its part in mentoring; its contacts in ``acquainted.py``."""

    def __init__(self, model: Any, index: int) -> None:
        super().__init__(model)
        world = model.world
        self.index = index
        self.country = int(world.country[index])
        self.region = int(world.region[index])
        self.x, self.y = float(world.x[index]), float(world.y[index])
        self.traits = int(world.traits[index])
        self.likeness = int(world.likeness[index])
        self.teachers = int(world.teachers[index])
        self.capacity = float(world.capacity[index])
        self.openness = float(world.openness[index])
        ties = slice(world.peer_start[index], world.peer_start[index + 1])
        weights = world.weight[ties].tolist() if world.weight.size else [1.0] * (ties.stop - ties.start)
        self.peer_weights = list(zip(world.peer[ties].tolist(), weights, strict=True))
        self.row_weight = float(world.row_weight[index])
        self.contact_weight = self.row_weight if world.weight.size == 0 else 1.0 / max(len(self.peer_weights), 1)
        self.track: SchoolTrack
        self.coordinator: CoordinatorAgent | None = None
        self.role = self.experience = NO_ROLE
        self.mentor: SchoolAgent | None = None
        self.mentees: list[SchoolAgent] = []
        self.past_mentees = 0
        self.tie_start = -1
        self.team, self.dilution = 0, 1.0
        self.hours_shared = self.hours_met = 0.0
        self.contacts = []
        self.adopters: list[int] = []
        self.share: list[float] = []
        self.influence: list[float] = []
        self.ready: list[float] = []
        self.team_adopters = [0] * model.practices.weight.size
        self.saturation = [0.0] * model.practices.weight.size
        self.keeping = [0.0] * model.practices.weight.size
        self.changes: list[int] = []
        self.team_changes: list[int] = []
        self.gained = 0

    # --- its track, draws and state ---

    @property
    def des(self) -> Any:
        """The design in force in its track, as a record."""
        return self.track.des

    @property
    def design(self) -> "Design":
        """The same, as it is stated."""
        return self.track.design

    @property
    def funded(self) -> int:
        """1 while its track's programme runs, else 0."""
        return self.track.funded

    def draw(self, event: int, practice: int = 0, other: int = 0) -> float:
        """Return this school's uniform of one event in this month."""
        model = self.model
        return draws.uniform(model.seed_key, model.replicate, event, self.index, practice, model.month, other)

    def set_adopters(self, practice: int, adopters: int) -> None:
        """Set the adopting teachers of a practice and what follows from them."""
        self.adopters[practice] = adopters
        self.share[practice] = adopters / self.teachers
        self.influence[practice] = rules.social_influence(self.model.par, self.share[practice])

    def _over_practices(self, shares: list[float]) -> float:
        total = 0.0
        for weight, share in zip(self.model.practices.weight.tolist(), shares, strict=True):
            total += weight * share
        return total

    @property
    def own_share(self) -> float:
        """The adopting share over practices, weighted as mentoring time is."""
        return self._over_practices(self.share)

    @property
    def team_share(self) -> float:
        """The adopting share of the team, weighted in the same way."""
        return self._over_practices([adopters / self.team for adopters in self.team_adopters])

    @property
    def is_member(self) -> bool:
        """Whether this school is or was a mentor or a mentee."""
        return self.experience != NO_ROLE

    def start(self) -> None:
        """Draw the adopters before month 0, where the user gave none."""
        model, practices = self.model, self.model.practices
        count = practices.weight.size
        self.adopters, self.share, self.influence = [0] * count, [0.0] * count, [0.0] * count
        self.changes, self.team_changes = [0] * count, [0] * count
        self.ready = [rules.readiness(model.par, self.capacity, d) for d in practices.difficulty.tolist()]
        for p in range(count):
            adopters = int(model.world.adopters_at_start[p, self.index])
            if adopters < 0:
                own = float(practices.initial_share[p])
                share = rules.start_share(model.par, self.capacity, own if own >= 0.0 else model.par.initial_share)
                if rules.advanced(model.par, model.world.capacity_rank[self.index], len(model.schools)):
                    share = model.par.advanced_share
                adopters = draws.binomial(self.draw(draws.START, p), self.teachers, share)
            self.set_adopters(p, adopters)

    # --- recruitment and matching ---

    def form_team(self) -> None:
        """Form the team that takes part in mentoring, as large as the design in force says."""
        self.team = rules.team_size(self.des.team, self.teachers, self.model.world.whole_staff)
        self.dilution = rules.dilution(self.model.par, self.team)

    def become_mentor(self) -> None:
        """Take the role of a mentor and be trained for it."""
        self.form_team()
        self.role = self.experience = MENTOR
        costs.post_new_mentor(self.model.ledger[self.country], self.model.par, self.funded)

    def leave_mentor(self, role: int = NO_ROLE) -> None:
        """End the tie to the mentor; some of the contacts that it made outlast it."""
        if self.mentor is None:
            return
        if self.model.world.contacts != NO_CONTACTS:
            self.keep_contact(self.mentor, self.hours_shared)
            for other in self.mentor.mentees:
                if other is not self:
                    self.keep_contact(other, min(self.hours_met, other.hours_met))
        self.mentor.mentees.remove(self)
        self.mentor = None
        self.role = role
        count = len(self.saturation)
        self.team_adopters, self.saturation, self.keeping = [0] * count, [0.0] * count, [0.0] * count

    def cascades(self) -> bool:
        """Decide whether a mentee becomes a mentor this school year."""
        model = self.model
        if self.role != MENTEE or self.team_share < model.par.mainstream_threshold:
            return False
        return self.draw(draws.CASCADE) < self.des.cascade

    def graduates(self) -> bool:
        """Tell whether the tie to the mentor has lasted as long as was planned."""
        planned = self.des.tie_months
        return self.mentor is not None and 0 < planned <= self.model.month - self.tie_start

    @property
    def may_mentor(self) -> bool:
        """Whether this school may become a mentor in a round: an alumnus only of its own will."""
        return self.role == NO_ROLE or (self.role == ALUMNUS and self.design.recruitment == "volunteer")

    @property
    def is_target(self) -> bool:
        """Whether this school may take places that are reserved."""
        target = self.des.target
        return target == matching.NO_TARGET or matching.is_target(self.model.par, target, self.traits, self.teachers)

    def volunteers(self) -> bool:
        """Decide whether to volunteer as a mentor this school year."""
        par, des, funded = self.model.par, self.des, self.funded
        if self.capacity + self.own_share < par.advanced_threshold:
            return False
        incentives = des.stipend * funded, des.release_hours * funded, des.recognition * funded
        chance = rules.volunteer_chance(par, self.own_share, *incentives)
        return self.draw(draws.VOLUNTEER) < chance

    def seeks(self) -> bool:
        """Decide whether to seek a mentor this school year, where nobody assigns one."""
        grant = self.des.mentee_grant * self.funded
        return self.draw(draws.SEEK) < rules.seek_chance(self.model.par, self.openness, self.capacity, grant)

    def distance_to(self, other: "SchoolAgent") -> float:
        """Return the distance in km to a school of the same country."""
        dx, dy = self.x - other.x, self.y - other.y
        return math.sqrt(dx * dx + dy * dy)

    def relation_to(self, mentor: "SchoolAgent") -> tuple[float, float, int]:
        """Return (distance in km, unlikeness, 1 if abroad else 0)."""
        abroad = int(self.country != mentor.country)
        distance = self.model.par.abroad_km if abroad else self.distance_to(mentor)
        return distance, rules.unlikeness(self.likeness, mentor.likeness, abroad), abroad

    @property
    def has_place(self) -> bool:
        """Whether this school is a mentor that can take another mentee."""
        return self.role == MENTOR and len(self.mentees) < self.des.places

    def queue_key(self) -> float:
        """Return how early this school is served; larger is earlier."""
        priority = self.design.priority
        if priority == "motivation":
            return self.openness
        if priority == "need":
            return ((self.traits >> 1) & 1) + ((self.traits >> 2) & 1) + self.draw(draws.QUEUE)
        if priority == "centrality":
            return float(len(self.peer_weights))
        near = [-self.distance_to(m) for m in self.model.regions[self.region] if m.has_place]
        return max(near) if near else -1e9 - self.draw(draws.QUEUE)

    def mentors_in_reach(self) -> list["SchoolAgent"]:
        """Return the mentors with a free place in the design's scope: for peers those among own peers and theirs."""
        model = self.model
        if self.design.scope != "peers":
            return self.track.pools[self.track.pool_of(self)]
        found: list[SchoolAgent] = []
        for near, _ in self.peer_weights:
            peer = model.schools[near]
            for m in [peer, *(model.schools[far] for far, _ in peer.peer_weights)]:
                if m is not self and m.has_place and m.track is self.track and m not in found:
                    found.append(m)
        return found

    def choose_mentor(self) -> "SchoolAgent | None":
        """Take the best of the mentors that this school considers, or none if nobody assigns one and it wants none."""
        model = self.model
        reach = self.mentors_in_reach()
        considered = min(len(reach), int(model.par.consideration_set + 0.5))
        best = -math.inf
        chosen: SchoolAgent | None = None
        if self.design.recruitment == "volunteer":
            best = rules.outside_score(model.par, draws.gumbel(self.draw(draws.CHOOSE, other=self.index)))
        for j in range(considered):
            if considered < len(reach):
                k = j + int(self.draw(draws.CONSIDER, other=j) * (len(reach) - j))
                reach[j], reach[k] = reach[k], reach[j]
            m = reach[j]
            distance, unlike, _ = self.relation_to(m)
            noise = draws.gumbel(self.draw(draws.CHOOSE, other=m.index))
            score = rules.mentor_score(model.par, distance, unlike, m.past_mentees, noise)
            if score > best or (score == best and chosen is not None and m.index < chosen.index):
                best, chosen = score, m
        return chosen

    def follow(self, mentor: "SchoolAgent") -> None:
        """Become the mentee of a mentor; a random part of the staff is the team."""
        self.form_team()
        self.role = MENTEE
        self.experience = self.experience or MENTEE
        self.mentor = mentor
        self.tie_start = self.model.month
        self.hours_shared = self.hours_met = 0.0
        for p, adopters in enumerate(self.adopters):
            self.team_adopters[p] = rules.team_adopters(adopters, self.teachers, self.team, self.draw(draws.TEAM, p, FORMED))
        mentor.mentees.append(self)
        mentor.past_mentees += 1

    # --- a month of mentoring ---

    @property
    def quality(self) -> float:
        """The coordination quality of the unit this school belongs to, or of clusters that organise themselves."""
        if self.design.tier == "platform" and not self.funded:
            return 0.0
        return self.coordinator.quality if self.coordinator else self.model.par.self_organisation

    def ends_tie(self) -> bool:
        """Decide whether the tie to the mentor ends this month."""
        if self.mentor is None:
            return False
        model, des = self.model, self.des
        chance = rules.attrition_chance(
            model.par,
            self.mentor.quality,
            des.virtual_share,
            (des.stipend + des.mentee_grant) * self.funded,
            des.recognition * self.funded,
            len(self.mentor.mentees) / des.places,
            des.mandate * self.funded,
        )
        return self.draw(draws.RETAIN) < chance

    def deliver(self) -> None:
        """Post what this school's mentoring costs and receive a month of it from its mentor."""
        model, par, des = self.model, self.model.par, self.des
        ledger, prices = model.ledger[self.country], model.prices[self.country]
        if self.mentees:
            costs.post_mentor(ledger, prices, par, des, self.team, rules.meeting_hours(des, self.funded), self.funded)
        if self.mentor is None:
            return
        distance, unlike, abroad = self.relation_to(self.mentor)
        mentees = len(self.mentor.mentees)
        worth = rules.online_worth(par, model.world.fading, model.month - self.tie_start)
        effective, spent = spend(par, des, self.funded, mentees, distance, abroad, worth)
        hours = effective * self.dilution
        for p, weight in enumerate(model.practices.weight.tolist()):
            dose = weight * rules.dose(par, hours, unlike, self.mentor.quality, des.mandate, self.mentor.share[p])
            raised = rules.raised(par, dose)
            self.saturation[p] = rules.saturation(raised, rules.raised(par, par.dose_half))
            self.keeping[p] = rules.saturation(raised, rules.raised(par, par.shield_half))
        self.hours_met += spent.meeting / mentees
        self.hours_shared += spent.session + spent.meeting / mentees
        costs.post_mentee(ledger, prices, par, des, self.team, spent, self.funded)

    # --- teachers ---

    def exposure(self, practice: int) -> float:
        """Return E, the weighted share of adopting teachers in the peer schools and in those met through mentoring."""
        model, seen = self.model, 0.0
        for peer, weight in self.peer_weights:
            seen += weight * model.schools[peer].share[practice]
        seen = self.row_weight * seen
        if not self.is_member or model.world.contacts == NO_CONTACTS:
            return seen
        total = weights = 0.0
        for contacts in self.met():
            of_kind = weights_of_kind = 0.0
            for other, weight in contacts:
                of_kind += weight * other.share[practice]
                weights_of_kind += weight
            total += of_kind
            weights += weights_of_kind
        if self.track.community > 0.0 and model.in_community > 1:
            weight = rules.community_contact(model.par, self.track.community, self.team, self.teachers)
            total += weight * ((model.member_shares[practice] - self.share[practice]) / (model.in_community - 1))
            weights += weight
        return rules.exposure(model.world.contacts, seen, self.contact_weight, total, weights)

    def decide(self) -> None:
        """Draw next month's gains and losses from this month's state, without changing it: of the team and of all others."""
        par = self.model.par
        self.gained = 0
        for p in range(len(self.adopters)):
            peers = rules.social_influence(par, self.exposure(p))
            team, using = (self.team, self.team_adopters[p]) if self.mentor else (0, 0)
            self.team_changes[p] = self._change(draws.TEAM, p, team - using, using, peers, self.saturation[p], self.keeping[p])
            others = self.teachers - team - (self.adopters[p] - using)
            self.changes[p] = self._change(draws.TEACHERS, p, others, self.adopters[p] - using, peers, 0.0, 0.0)

    def _change(self, event: int, practice: int, others: int, users: int, peers: float, mentoring: float, kept: float) -> int:
        """Draw how many more teachers of a part of the staff will use a practice."""
        model, par = self.model, self.model.par
        outreach = self.track.outreach
        gain = rules.adoption_chance(par, self.ready[practice], self.openness, outreach, self.influence[practice], peers, mentoring)
        loss = rules.loss_chance(par, self.share[practice], kept)
        u, v = draws.uniform_pair(model.seed_key, model.replicate, event, self.index, practice, model.month, MONTHLY)
        gained = draws.binomial(u, others, gain)
        self.gained += gained
        return gained - draws.binomial(v, users, loss)

    def commit(self) -> None:
        """Let the decided changes happen, after every school has decided."""
        for p, (change, in_team) in enumerate(zip(self.changes, self.team_changes, strict=True)):
            self.team_adopters[p] += in_team
            self.set_adopters(p, self.adopters[p] + change + in_team)
