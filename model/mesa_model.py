"""The model as a researcher runs it: agents of ``agents.py`` under one design, one month per step.

It gives the same trajectory as the compiled engine, to the last bit. Subclass ``MentoringModel`` to change the order of a month, or what
is decided for all schools at once.
"""

from collections.abc import Mapping, Sequence

import mesa
import numpy as np

from school_mentoring.model.world.arrays import Practices, World

from . import costs, draws
from .agents import CoordinatorAgent, SchoolAgent
from .costs import CATEGORIES, PAYERS
from .designs import Design, design_from_record, design_table
from .draws import Moment
from .engine import Results, Task, empty_results, factors_of, observe_run
from .matching import open_places
from .parameters import parameter_table
from .recruitment import is_funded, quota, recruiting_month, round_month
from .state import ALUMNUS, MENTEE, MENTOR, NO_ROLE, Member, RunCounts, Shared, Spread, State, Tie, allocate


class MentoringModel(mesa.Model):
    """Schools under one design; ``step()`` is one month.

    The arguments are a world and practices (``model.world.arrays``), a design, parameter values by name (absent ones at base), the
    ``seed`` and ``replicate`` that name the random numbers, and the ``window`` of the programme: funded from its first month on, up to and
    without its second, unless the design states its own. ``school_class`` puts a subclass of ``SchoolAgent`` in the place of every school.
    Salaries are the world's until ``set_factors`` says otherwise.
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
        window: tuple[int, int] = (6, 34),
        school_class: type[SchoolAgent] = SchoolAgent,
    ) -> None:
        super().__init__(seed=seed % 2**32)
        self.world, self.practices, self.design = world, practices, design
        self.par = parameter_table([parameters or {}]).view(np.recarray)[0]
        self.des = design_table([design], *window).view(np.recarray)[0]
        self.seed_key, self.replicate = np.uint64(seed), replicate
        self.month = 0
        self.ties = self.members = 0
        self.community = 0.0
        self.member_shares = [0.0] * practices.weight.size
        self.prices = np.zeros((world.salary.size, 3))
        self.set_factors([1.0] * world.salary.size)
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

    def __repr__(self) -> str:
        return f"<MentoringModel: {len(self.schools):,} schools, replicate {self.replicate}, month {self.month}>"

    def set_factors(self, factors: Sequence[float]) -> None:
        """Set the prices of each country by the factors on its salaries, before the first month."""
        world = self.world
        costs.set_prices(self.par, np.array(factors), world.salary, world.taught_hours, world.working_hours, self.prices)

    @property
    def funded(self) -> int:
        """1 while the programme runs, else 0."""
        return is_funded(self.des, self.month)

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
        self.post_learning()
        recruiting = recruiting_month(self.des, self.month)
        if recruiting:
            self.cascade()
        if round_month(self.des, self.month):
            for school in [s for s in self.schools if s.graduates()]:
                school.leave_mentor(ALUMNUS)
        if recruiting:
            self.recruit()
            self.match()
        if self.design.recruitment != "none" and self.month >= self.des.first_month:
            self.coordinate()
            for school in [s for s in self.schools if s.ends_tie()]:
                school.leave_mentor()
            for school in self.schools:
                school.deliver()
            for school in self.schools:
                school.age_contacts()
        self.ties = sum(s.mentor is not None for s in self.schools)
        self.members = sum(s.is_member for s in self.schools)
        self.meet_community()
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

    def cascade(self) -> None:
        """Make mentors of mentees in whose team the practice is mainstreamed."""
        for school in [s for s in self.schools if s.cascades()]:
            school.leave_mentor()
            school.become_mentor()

    def recruit(self) -> None:
        """Make mentors: the assigned or volunteering schools, region by region; a pilot that named its mentors has no more."""
        assigned = self.design.recruitment == "assigned"
        if assigned and self.named_world and self.month != self.des.first_month:
            return
        before = 0
        for region in self.regions:
            free = [s for s in region if s.may_mentor]
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
        self.fill_pools()
        places = open_places(self.des, sum(max(0, self.des.places - len(s.mentees)) for s in self.schools if s.role == MENTOR))
        waiting = []
        for _, index in queue:
            school = self.schools[index]
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

    def serve(self, school: SchoolAgent) -> bool:
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

    def coordinate(self) -> None:
        """Count the active clusters of each coordinator and set its quality."""
        for coordinator in self.coordinators:
            coordinator.clusters = 0
        for school in self.schools:
            if school.mentees and school.coordinator:
                school.coordinator.clusters += 1
        for coordinator in self.coordinators:
            coordinator.coordinate()

    def meet_community(self) -> None:
        """Open the community of practice for this month, if it runs, and add up what its members know."""
        runs = costs.community_runs(self.des, self.month, self.funded) and (self.funded or self.members > 0)
        self.community = float(self.des.community) if runs else 0.0
        for p in range(len(self.member_shares) if runs else 0):
            self.member_shares[p] = 0.0
            for school in self.schools:
                if school.is_member:
                    self.member_shares[p] += school.share[p]

    def post_learning(self) -> None:
        """Post the hours that those who have taken a practice up since last month spend on learning it."""
        for country, (ledger, prices) in enumerate(zip(self.ledger, self.prices, strict=True)):
            gained = sum(s.gained for s in self.schools if s.country == country)
            costs.post_learning(ledger, prices, self.par, gained)

    def post_country_costs(self) -> None:
        """Post coordination, community and outreach of each country."""
        countries = len(self.ledger)
        for country, (ledger, prices) in enumerate(zip(self.ledger, self.prices, strict=True)):
            schools = [s for s in self.schools if s.country == country]
            regions = int((self.world.region_country == country).sum())
            if self.funded and self.design.tier != "none":
                units = {"platform": 1.0 / countries, "hub": float(regions), "ministry": 1.0}[self.design.tier]
                costs.post_coordination(ledger, prices, self.par, self.des, units)
            if self.community > 0.0:
                members = sum(s.is_member for s in schools)
                costs.post_community(ledger, self.par, self.des, members, len(schools) / len(self.schools), self.funded)
            if self.funded and self.des.outreach > 0.0:
                reached = 0.0
                for p in range(self.practices.weight.size):
                    for s in schools:
                        reached += s.openness * (s.teachers - s.adopters[p])
                costs.post_outreach(ledger, prices, self.par, self.des, len(schools), reached)

    def snapshot(self, state: State) -> None:
        """Write what is observed of every school into the arrays of a state of one run."""
        ties, member = state.ties[0], state.member[0]
        for i, school in enumerate(self.schools):
            state.adopters[:, i] = school.adopters
            state.spread[Spread.SHARE, :, i] = school.share
            ties[Tie.ROLE, i], ties[Tie.EXPERIENCE, i], ties[Tie.TIE_START, i] = school.role, school.experience, school.tie_start
            ties[Tie.MENTOR, i] = school.mentor.index if school.mentor else -1
            ties[Tie.ROW, i] = i
            member[i, Member.TEAM], member[i, Member.CONTACTS] = school.team, len(school.contacts)
            member[i, Member.USERS :] = school.team_adopters
            for slot, contact in enumerate(school.contacts):
                member[i, Member.PARTNER + slot], state.shared[0, i, Shared.WEIGHT + slot] = contact.other.index, contact.weight
        for row, listed in (
            (Tie.TIED, [s.index for s in self.schools if s.mentor]),
            (Tie.MEMBERS, [s.index for s in self.schools if s.is_member]),
        ):
            ties[row, : len(listed)] = listed
        state.runs[RunCounts.TIED], state.runs[RunCounts.MEMBERS] = self.ties, self.members
        state.runs[RunCounts.CONTACTS] = sum(len(s.contacts) for s in self.schools)
        state.ledger[0] = self.ledger


def run_batch_with_mesa(
    task: Task,
    *,
    monthly: bool = False,
    per_school: bool = False,
    threads: int | None = None,
    model_class: type[MentoringModel] = MentoringModel,
    school_class: type[SchoolAgent] = SchoolAgent,
) -> Results:
    """Make every run of a batch with the Mesa model; arguments and results as ``model.engine.run_batch`` (``threads`` has no effect)."""
    world, practices, batch, months = task.world, task.practices, task.batch, task.months
    results = empty_results(world, practices, batch.design.size, months, monthly, per_school)
    state, end, factors = allocate(world, practices.weight.size), min(task.end_of_funding, months - 1), factors_of(task).tolist()
    for r in range(batch.design.size):
        row, des = task.parameters[batch.parameter_set[r]], task.designs[batch.design[r]]
        model = model_class(
            world,
            practices,
            design_from_record(des),
            dict(zip(row.dtype.names, row.tolist(), strict=True)),
            seed=task.seed,
            replicate=int(batch.replicate[r]),
            school_class=school_class,
        )
        model.set_factors(factors[batch.parameter_set[r]])
        for month in range(months):
            model.open_month()
            model.snapshot(state)
            now = Moment(model.seed_key, model.replicate, 0, month, months, end, model.funded)
            observe_run(world, practices, model.par, state, now, results, r)
            model.close_month()
    return results
