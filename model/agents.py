"""The model as a researcher reads it: schools and coordinators as Mesa agents, one month per step.

It applies the rules of ``rules.py`` school by school, with the draws the compiled engine uses, and gives the same trajectory to the last
bit. Subclass ``SchoolAgent`` or ``MentoringModel`` to change a behaviour; every experiment also runs on a subclass, only slower.
"""

import math
from collections.abc import Mapping
from typing import Any

import mesa
import numpy as np

from . import costs, draws, rules
from .costs import CATEGORIES, PAYERS
from .designs import Design, design_from_record, design_table
from .engine import Batch, Results, empty_results, observe_run
from .matching import quota, recruiting_month
from .observe import CELLS
from .parameters import parameter_table
from .state import MENTEE, MENTOR, NO_ROLE, allocate
from .world import Practices, World

__all__ = ["CoordinatorAgent", "MentoringModel", "SchoolAgent", "run_batch_with_mesa"]


class CoordinatorAgent(mesa.Agent):
    """The coordinators of one unit of the design's tier: a country, a region, or all schools."""

    def __init__(self, model: "MentoringModel") -> None:
        super().__init__(model)
        self.clusters = 0
        self.quality = 0.0

    def coordinate(self) -> None:
        """Set the coordination quality from the clusters that are active now."""
        fte = self.model.des.fte * self.model.funded
        self.quality = rules.coordination_quality(self.model.par, fte, float(self.clusters))


class SchoolAgent(mesa.Agent):
    """A school: its fixed traits, its adopting teachers by practice, its part in mentoring."""

    def __init__(self, model: "MentoringModel", index: int) -> None:
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
        self.coordinator: CoordinatorAgent | None = None
        self.role = self.experience = NO_ROLE
        self.mentor: SchoolAgent | None = None
        self.mentees: list[SchoolAgent] = []
        self.past_mentees = 0
        self.tie_start = -1
        self.adopters: list[int] = []
        self.share: list[float] = []
        self.influence: list[float] = []
        self.ready: list[float] = []
        self.saturation = [0.0] * model.practices.weight.size
        self.changes: list[int] = []

    # --- draws and state ---

    def draw(self, event: int, practice: int = 0, other: int = 0) -> float:
        """Return this school's uniform of one event in this month."""
        model = self.model
        return draws.uniform(model.seed_key, model.replicate, event, self.index, practice, model.month, other)

    def set_adopters(self, practice: int, adopters: int) -> None:
        """Set the adopting teachers of a practice and what follows from them."""
        self.adopters[practice] = adopters
        self.share[practice] = adopters / self.teachers
        self.influence[practice] = rules.social_influence(self.model.par, self.share[practice])

    @property
    def own_share(self) -> float:
        """The adopting share over practices, weighted as mentoring time is."""
        total = 0.0
        for weight, share in zip(self.model.practices.weight.tolist(), self.share, strict=True):
            total += weight * share
        return total

    def start(self) -> None:
        """Draw the adopters before month 0, where the user gave none."""
        model, practices = self.model, self.model.practices
        count = practices.weight.size
        self.adopters, self.share, self.influence, self.changes = [0] * count, [0.0] * count, [0.0] * count, [0] * count
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

    def become_mentor(self) -> None:
        """Take the role of a mentor and be trained for it."""
        self.role = self.experience = MENTOR
        costs.post_new_mentor(self.model.ledger[self.country], self.model.par, self.model.funded)

    def leave_mentor(self) -> None:
        """End the tie to the mentor."""
        if self.mentor is not None:
            self.mentor.mentees.remove(self)
        self.mentor = None
        self.role = NO_ROLE
        self.saturation = [0.0] * len(self.saturation)

    def cascades(self) -> bool:
        """Decide whether a mentee becomes a mentor this school year."""
        model = self.model
        if self.role != MENTEE or self.own_share < model.par.mainstream_threshold:
            return False
        return self.draw(draws.CASCADE) < model.des.cascade

    def volunteers(self) -> bool:
        """Decide whether to volunteer as a mentor this school year."""
        model = self.model
        if self.capacity + self.own_share < model.par.advanced_threshold:
            return False
        chance = rules.volunteer_chance(
            model.par,
            self.own_share,
            model.des.stipend * model.funded,
            model.des.release_hours * model.funded,
            model.des.recognition * model.funded,
        )
        return self.draw(draws.VOLUNTEER) < chance

    def seeks(self) -> bool:
        """Decide whether to seek a mentor this school year, where nobody assigns one."""
        grant = self.model.des.mentee_grant * self.model.funded
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
        return self.role == MENTOR and len(self.mentees) < self.model.des.places

    def queue_key(self) -> float:
        """Return how early this school is served; larger is earlier."""
        priority = self.model.design.priority
        if priority == "motivation":
            return self.openness
        if priority == "need":
            return ((self.traits >> 1) & 1) + ((self.traits >> 2) & 1) + self.draw(draws.QUEUE)
        near = [-self.distance_to(m) for m in self.model.regions[self.region] if m.has_place]
        return max(near) if near else -1e9 - self.draw(draws.QUEUE)

    def mentors_in_reach(self) -> list["SchoolAgent"]:
        """Return the mentors with a free place in the design's scope: for peers those among own peers and theirs."""
        model = self.model
        if model.design.scope != "peers":
            return model.pools[model.pool_of(self)]
        found: list[SchoolAgent] = []
        for near, _ in self.peer_weights:
            peer = model.schools[near]
            for m in [peer, *(model.schools[far] for far, _ in peer.peer_weights)]:
                if m is not self and m.has_place and m not in found:
                    found.append(m)
        return found

    def choose_mentor(self) -> "SchoolAgent | None":
        """Take the best of the mentors that this school considers, or none if nobody assigns one and it wants none."""
        model = self.model
        reach = self.mentors_in_reach()
        considered = min(len(reach), int(model.par.consideration_set + 0.5))
        best = -math.inf
        chosen: SchoolAgent | None = None
        if model.design.recruitment == "volunteer":
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
        """Become the mentee of a mentor."""
        self.role = MENTEE
        self.experience = self.experience or MENTEE
        self.mentor = mentor
        self.tie_start = self.model.month
        mentor.mentees.append(self)
        mentor.past_mentees += 1

    # --- a month of mentoring ---

    @property
    def quality(self) -> float:
        """The coordination quality of the unit this school belongs to."""
        return self.coordinator.quality if self.coordinator else 0.0

    def ends_tie(self) -> bool:
        """Decide whether the tie to the mentor ends this month."""
        if self.mentor is None:
            return False
        model, des = self.model, self.model.des
        chance = rules.attrition_chance(
            model.par,
            self.mentor.quality,
            des.virtual_share,
            (des.stipend + des.mentee_grant) * model.funded,
            des.recognition * model.funded,
            len(self.mentor.mentees) / des.places,
            des.mandate * model.funded,
        )
        return self.draw(draws.RETAIN) < chance

    def deliver(self) -> None:
        """Post what this school's mentoring costs and receive a month of it from its mentor."""
        model, par, des = self.model, self.model.par, self.model.des
        ledger, salary = model.ledger[self.country], model.world.salary[self.country]
        if self.mentees:
            costs.post_mentor(ledger, par, des, salary, model.funded)
        if self.mentor is None:
            return
        distance, unlike, abroad = self.relation_to(self.mentor)
        hours = rules.hours_per_mentee(par, des.release_hours * model.funded, len(self.mentor.mentees))
        visits = rules.visits(par, hours, des.virtual_share, abroad)
        travel = rules.travel_hours(par, visits, distance)
        face_to_face = rules.face_to_face_hours(par, visits, travel)
        effective = rules.effective_hours(par, face_to_face, hours, des.virtual_share)
        for p, weight in enumerate(model.practices.weight.tolist()):
            dose = weight * rules.dose(par, effective, unlike, self.mentor.quality, des.mandate, self.mentor.share[p])
            self.saturation[p] = rules.saturation(par, dose)
        session = face_to_face + des.virtual_share * hours
        costs.post_mentee(ledger, par, des, salary, model.funded, session, travel, visits * 2.0 * distance)

    # --- teachers ---

    def exposure(self, practice: int) -> float:
        """Return E, the weighted share of adopting teachers in the peer schools."""
        total = 0.0
        for peer, weight in self.peer_weights:
            total += weight * self.model.schools[peer].share[practice]
        return self.row_weight * total

    def decide(self) -> None:
        """Draw next month's gains and losses from this month's state, without changing it."""
        model, par = self.model, self.model.par
        for p in range(len(self.adopters)):
            mentoring = self.saturation[p]
            gain = rules.adoption_chance(
                par,
                self.ready[p],
                self.openness,
                model.des.outreach * model.funded,
                self.influence[p],
                rules.social_influence(par, self.exposure(p)),
                mentoring,
            )
            loss = rules.loss_chance(par, self.share[p], mentoring)
            u, v = draws.uniform_pair(model.seed_key, model.replicate, draws.TEACHERS, self.index, p, model.month, 0)
            gained = draws.binomial(u, self.teachers - self.adopters[p], gain)
            self.changes[p] = gained - draws.binomial(v, self.adopters[p], loss)

    def commit(self) -> None:
        """Let the decided changes happen, after every school has decided."""
        for p, change in enumerate(self.changes):
            self.set_adopters(p, self.adopters[p] + change)


class MentoringModel(mesa.Model):
    """Schools under one design; ``step()`` is one month.

    The arguments are a world and practices (``model.world``), a design, parameter values by name (absent ones at base), the ``seed`` and
    ``replicate`` that name the random numbers, and the programme window: funded in first_month <= month < last_month, unless the design
    states its own. ``school_class`` puts a subclass of ``SchoolAgent`` in the place of every school.
    """

    def __init__(
        self,
        world: World,
        practices: Practices,
        design: Design,
        parameters: Mapping[str, float] | None = None,
        *,
        seed: int = 0,
        replicate: int = 0,
        first_month: int = 6,
        last_month: int = 34,
        school_class: type[SchoolAgent] = SchoolAgent,
    ) -> None:
        super().__init__(seed=seed % 2**32)
        self.world, self.practices, self.design = world, practices, design
        self.par = parameter_table([parameters or {}]).view(np.recarray)[0]
        self.des = design_table([design], first_month, last_month).view(np.recarray)[0]
        self.seed_key, self.replicate = np.uint64(seed), replicate
        self.month = 0
        self.ties = 0
        self.ledger = np.zeros((world.salary.size, len(CATEGORIES), len(PAYERS)), np.int64)
        self.named_world = bool((world.named_role == MENTOR).any())
        self.schools = [school_class(self, i) for i in range(world.teachers.size)]
        self.regions = [
            [self.schools[i] for i in world.by_region[world.region_start[r] : world.region_start[r + 1]]]
            for r in range(world.region_country.size)
        ]
        self.coordinators = self._appoint()
        self.pools: dict[int, list[SchoolAgent]] = {}
        for school in self.schools:
            school.start()
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "month": "month",
                "adopters": lambda m: sum(sum(s.adopters) for s in m.schools),
                "mainstreamed": lambda m: sum(x >= m.par.mainstream_threshold for s in m.schools for x in s.share),
                "active_ties": "ties",
                "cost_programme": lambda m: int(m.ledger[..., 0].sum()) / 100,
                "cost_schools": lambda m: int(m.ledger[..., 1].sum()) / 100,
            },
            agenttype_reporters={SchoolAgent: {"adopters": lambda s: sum(s.adopters), "role": "role"}},
        )

    @property
    def funded(self) -> int:
        """1 while the programme runs, else 0."""
        return int(self.des.first_month <= self.month < self.des.last_month)

    def _appoint(self) -> list[CoordinatorAgent]:
        units = {"none": 0, "platform": 1, "hub": len(self.regions), "ministry": self.world.salary.size}
        coordinators = [CoordinatorAgent(self) for _ in range(units[self.design.tier])]
        for school in self.schools if coordinators else []:
            unit = {"platform": 0, "hub": school.region, "ministry": school.country}[self.design.tier]
            school.coordinator = coordinators[unit]
        return coordinators

    def step(self) -> None:
        """Let one month pass: recruit and match, retain, deliver, account and observe, adopt and discontinue."""
        self.open_month()
        self.datacollector.collect(self)
        self.close_month()

    def open_month(self) -> None:
        """Do everything of a month that comes before teachers adopt."""
        self.ledger[:] = 0
        self.ties = 0
        if recruiting_month(self.des, self.month):
            self.recruit()
            self.match()
        if self.design.recruitment != "none" and self.month >= self.des.first_month:
            self.coordinate()
            for school in [s for s in self.schools if s.ends_tie()]:
                school.leave_mentor()
            for school in self.schools:
                school.deliver()
            self.ties = sum(s.mentor is not None for s in self.schools)
        self.post_country_costs()

    def close_month(self) -> None:
        """Let teachers adopt and discontinue, all on the state of this month or school by school, and move on to the next."""
        if self.world.sequential:
            for school in self.in_turn():
                school.decide()
                school.commit()
        else:
            for school in self.schools:
                school.decide()
            for school in self.schools:
                school.commit()
        self.month += 1

    def in_turn(self) -> list[SchoolAgent]:
        """Return the schools in this month's order of turns, drawn anew each month."""
        return sorted(self.schools, key=lambda school: (-school.draw(draws.TURN), school.index))

    @property
    def named_round(self) -> bool:
        """Whether this round takes the mentors and ties that a pilot named."""
        return self.named_world and self.design.recruitment == "assigned" and self.month == self.des.first_month

    def recruit(self) -> None:
        """Make mentors: mentees that cascade, then the assigned or volunteering schools, region by region."""
        for school in [s for s in self.schools if s.cascades()]:
            school.leave_mentor()
            school.become_mentor()
        assigned = self.design.recruitment == "assigned"
        if assigned and self.month != self.des.first_month:
            return
        before = 0
        for region in self.regions:
            free = [s for s in region if s.role == NO_ROLE]
            if self.named_round:
                chosen = [s for s in free if self.world.named_role[s.index] == MENTOR]
            else:
                willing = free if assigned else [s for s in free if s.volunteers()]
                chosen = sorted(willing, key=lambda s: (-(s.capacity + s.own_share), s.index))
                if self.design.mentor_share is not None:
                    present = sum(s.role == MENTOR for s in region)
                    chosen = chosen[: max(0, quota(self.design.mentor_share, before, len(region)) - present)]
            for school in chosen:
                school.become_mentor()
            before += len(region)

    def pool_of(self, school: SchoolAgent) -> int:
        """Return the number of the list of free mentors that is in a school's scope."""
        return {"country": school.country, "region": school.region, "anywhere": 0}[self.design.scope]

    def match(self) -> None:
        """Tie schools to mentors: first the pairs a pilot named, then in the order of priority, each to the best mentor left."""
        if self.named_round:
            for school in self.schools:
                m = int(self.world.named_mentor[school.index])
                if m >= 0 and school.role == NO_ROLE and self.schools[m].has_place:
                    school.follow(self.schools[m])
        wanting = [s for s in self.schools if s.role == NO_ROLE]
        if self.named_round:
            wanting = [s for s in wanting if self.world.named_role[s.index] == MENTEE]
        if self.design.recruitment == "volunteer":
            wanting = [s for s in wanting if s.seeks()]
        queue = sorted((-s.queue_key(), s.index) for s in wanting)
        self.pools = {}
        if self.design.scope != "peers":
            for school in self.schools:
                pool = self.pools.setdefault(self.pool_of(school), [])
                if school.has_place:
                    pool.append(school)
        for _, index in queue:
            school = self.schools[index]
            mentor = school.choose_mentor()
            if mentor is None:
                continue
            school.follow(mentor)
            if self.design.scope != "peers" and not mentor.has_place:
                pool = self.pools[self.pool_of(mentor)]
                # The last of the list fills the gap, as in the compiled engine: the order decides who is sampled next.
                pool[pool.index(mentor)] = pool[-1]
                pool.pop()

    def coordinate(self) -> None:
        """Count the active clusters of each coordinator and set its quality."""
        for coordinator in self.coordinators:
            coordinator.clusters = 0
        for school in self.schools:
            if school.mentees and school.coordinator:
                school.coordinator.clusters += 1
        for coordinator in self.coordinators:
            coordinator.coordinate()

    def post_country_costs(self) -> None:
        """Post coordination, platform and outreach of each country."""
        countries = len(self.ledger)
        for country, ledger in enumerate(self.ledger):
            schools = [s for s in self.schools if s.country == country]
            active = sum(bool(s.mentees) or s.mentor is not None for s in schools)
            regions = int((self.world.region_country == country).sum())
            if self.funded and self.design.tier != "none":
                units = {"platform": 1.0 / countries, "hub": float(regions), "ministry": 1.0}[self.design.tier]
                costs.post_coordination(ledger, self.par, self.des, self.world.salary[country], units)
            share = len(schools) / len(self.schools)
            costs.post_programme(ledger, self.par, self.des, len(schools), active, share, self.funded)

    def snapshot(self, state: Any) -> None:
        """Write the changing variables of every school into the arrays of a ``model.state.State`` of one run."""
        for i, school in enumerate(self.schools):
            state.adopters[:, i] = school.adopters
            state.share[:, i] = school.share
            state.role[0, i], state.experience[0, i] = school.role, school.experience
            state.mentor[0, i] = school.mentor.index if school.mentor else -1
        state.ledger[0] = self.ledger


def run_batch_with_mesa(
    world: World,
    practices: Practices,
    parameters: Any,
    designs: Any,
    batch: Batch,
    *,
    seed: int,
    months: int,
    end_of_funding: int,
    monthly: bool = False,
    per_school: bool = False,
    threads: int | None = None,
    model_class: type[MentoringModel] = MentoringModel,
    school_class: type[SchoolAgent] = SchoolAgent,
) -> Results:
    """Make every run of a batch with the Mesa model; arguments and results as ``model.engine.run_batch`` (``threads`` has no effect)."""
    results = empty_results(world, practices, batch.design.size, months, monthly, per_school)
    state = allocate(world, practices.weight.size, len(CATEGORIES), len(PAYERS))
    cells = np.zeros((2, world.salary.size * CELLS, 5), np.int64)
    for r in range(batch.design.size):
        row, des = parameters[batch.parameter_set[r]], designs[batch.design[r]]
        model = model_class(
            world,
            practices,
            design_from_record(des),
            dict(zip(parameters.dtype.names, row.tolist(), strict=True)),
            seed=seed,
            replicate=int(batch.replicate[r]),
            school_class=school_class,
        )
        for month in range(months):
            model.open_month()
            model.snapshot(state)
            end = min(end_of_funding, months - 1)
            observe_run(world, practices, model.par, state, 0, model.ties, month, months, end, cells, results, r)
            model.close_month()
    return results
