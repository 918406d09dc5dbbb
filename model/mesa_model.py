"""The model as a researcher runs it: agents of ``agents.py`` under one design or programme, one month per step.

It gives the same trajectory as the compiled engine, to the last bit. Subclass ``MentoringModel`` to change the order of a month, or
``SchoolTrack`` (as its ``track_class``) to change what is decided for all schools of a track at once.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import mesa
import numpy as np

from school_mentoring.model.world.arrays import Ints, Practices, Records, World

from . import costs, draws
from .agents import SchoolAgent
from .costs import CATEGORIES, PAYERS
from .designs import Design
from .draws import Moment
from .engine import Results, Task, empty_results, factors_of, most_tracks, observe_run
from .parameters import parameter_table
from .programmes import Programme, programme_table, track_table
from .state import MENTOR, Member, RunCounts, Shared, Spread, State, Tie, TrackCounts, TrackNumbers, allocate
from .track import CoordinatorAgent, SchoolTrack


class ProgrammeRows(NamedTuple):
    """A programme as rows of ``programme_table``, and that with which it begins in each region; empty: with the first everywhere."""

    table: Records
    entries: Ints


def programme_rows(design: Design | Programme, window: tuple[int, int], places: Sequence[tuple[str, str]] = ()) -> ProgrammeRows:
    """Return a design or programme as rows; ``window`` as for a model; ``places``: country's code and name of each region, for tracks."""
    return ProgrammeRows(programme_table([design], *window), track_table([design], places))


class MentoringModel(mesa.Model):
    """Schools under one design or programme; ``step()`` is one month.

    The arguments are a world and practices (``model.world.arrays``), a design, parameter values by name (absent ones at base), the
    ``seed`` and ``replicate`` that name the random numbers, and the ``window`` of the programme: funded from its first month on, up to and
    without its second, unless the design states its own. ``school_class`` puts a subclass of ``SchoolAgent`` in the place of every school.
    A programme comes as ``programme_rows``. Salaries are the world's until ``set_factors`` says otherwise.
    """

    track_class = SchoolTrack

    def __init__(
        self,
        world: World,
        practices: Practices,
        design: Design | ProgrammeRows,
        parameters: Mapping[str, float] | None = None,
        *,
        seed: int = 0,
        replicate: int = 0,
        window: tuple[int, int] = (6, 34),
        school_class: type[SchoolAgent] = SchoolAgent,
    ) -> None:
        super().__init__(seed=seed % 2**32)
        self.world, self.practices = world, practices
        self.par = parameter_table([parameters or {}]).view(np.recarray)[0]
        rows = design if isinstance(design, ProgrammeRows) else programme_rows(design, window)
        self.nodes = rows.table.view(np.recarray)
        self.seed_key, self.replicate = np.uint64(seed), replicate
        self.month = 0
        self.ties = self.members = 0
        self.in_community = 0
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
        entry = rows.entries.reshape(-1) if rows.entries.size else np.zeros(len(self.regions), np.int32)
        starts = {int(node): [int(region) for region in np.flatnonzero(entry == node)] for node in entry.tolist()}
        self.tracks = [self.track_class(self, number, node, regions) for number, (node, regions) in enumerate(starts.items())]
        self.coordinators: list[CoordinatorAgent] = []
        self.appoint()
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
        """1 while a programme runs in any track, else 0."""
        return max(track.funded for track in self.tracks)

    @property
    def platform_fte(self) -> float:
        """How many coordinators the platform has: the most that any track which uses it asks for."""
        return max((float(track.des.fte) for track in self.tracks if track.on_platform), default=0.0)

    def appoint(self) -> None:
        """Appoint coordinators: of each track in each of its regions or countries, and for all tracks one platform."""
        for former in self.coordinators:
            former.remove()
        units: dict[tuple[int, int], CoordinatorAgent] = {}
        for track in self.tracks:
            tier, mine = track.design.tier, track.number
            of_tier = {"hub": track.regions, "ministry": sorted(track.countries), "platform": [-1]}.get(tier, [])
            for unit in of_tier:
                if (key := (mine if unit >= 0 else -1, unit)) not in units:
                    units[key] = CoordinatorAgent(self, track if unit >= 0 else None)
            for school in track.schools:
                place = {"hub": (mine, school.region), "ministry": (mine, school.country), "platform": (-1, -1)}
                school.coordinator = units[place[tier]] if of_tier else None
        self.coordinators = list(units.values())

    def step(self) -> None:
        """Let one month pass: recruit and match, retain, deliver, account and observe, adopt and discontinue."""
        self.open_month()
        self.datacollector.collect(self)
        self.close_month()

    def open_month(self) -> None:
        """Do everything of a month that comes before teachers adopt."""
        self.ledger[:] = 0
        self.post_learning()
        began = [track.go_on() for track in self.tracks]
        if any(began):
            self.appoint()
        for track in self.tracks:
            track.hold_round()
        if any(school.is_member for school in self.schools):
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

    def coordinate(self) -> None:
        """Count the active clusters of each coordinator and set its quality."""
        for coordinator in self.coordinators:
            coordinator.clusters = 0
        for school in self.schools:
            if school.mentees and school.coordinator and (school.design.tier != "platform" or school.funded):
                school.coordinator.clusters += 1
        for coordinator in self.coordinators:
            coordinator.coordinate()

    def meet_community(self) -> None:
        """Open the community of practice for this month, in the tracks in which it runs, and add up what its members know."""
        open_to = [track for track in self.tracks if costs.community_runs(track.des, self.month, track.funded)]
        if not any(track.funded or any(s.is_member for s in track.schools) for track in open_to):
            open_to = []
        for track in self.tracks:
            track.community = float(track.des.community) if track in open_to else 0.0
        members = [s for s in self.schools if s.is_member and s.track.community > 0.0]
        self.in_community = len(members)
        for p in range(len(self.member_shares)):
            self.member_shares[p] = 0.0
            for school in members:
                self.member_shares[p] += school.share[p]

    def post_learning(self) -> None:
        """Post the hours that those who have taken a practice up since last month spend on learning it."""
        for country, (ledger, prices) in enumerate(zip(self.ledger, self.prices, strict=True)):
            gained = sum(s.gained for s in self.schools if s.country == country)
            costs.post_learning(ledger, prices, self.par, gained)

    def post_country_costs(self) -> None:
        """Post coordination, community and outreach of each country, track by track; the platform and the community are one for all."""
        on_platform = sorted({country for track in self.tracks if track.on_platform for country in track.countries})
        for country in on_platform:
            costs.post_coordination(self.ledger[country], self.prices[country], self.par, self.platform_fte, 1.0 / len(on_platform))
        in_community = max(1, sum(len(track.schools) for track in self.tracks if track.community > 0.0))
        largest = max(track.community for track in self.tracks)
        for track in self.tracks:
            for country in sorted(track.countries):
                ledger, prices, des = self.ledger[country], self.prices[country], track.des
                schools = [s for s in track.schools if s.country == country]
                if track.funded and track.design.tier in ("hub", "ministry"):
                    hubs = sum(int(self.world.region_country[region]) == country for region in track.regions)
                    costs.post_coordination(ledger, prices, self.par, des.fte, float(hubs) if track.design.tier == "hub" else 1.0)
                if track.community > 0.0:
                    members, share = sum(s.is_member for s in schools), len(schools) / in_community
                    costs.post_community(ledger, self.par, track.community, largest, members, share, track.funded)
                if track.outreach > 0.0:
                    reached = 0.0
                    for p in range(self.practices.weight.size):
                        for s in schools:
                            reached += s.openness * (s.teachers - s.adopters[p])
                    costs.post_outreach(ledger, prices, self.par, des, len(schools), reached)

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
        state.runs[RunCounts.TRACKS] = len(self.tracks)
        for track in self.tracks:
            state.tracks[0, TrackCounts.NODE, track.number] = track.node
            state.numbers[0, TrackNumbers.FOUND, track.number] = track.last_found


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
    tracks, factors = most_tracks(task.tracks), factors_of(task).tolist()
    results = empty_results(world, practices, batch.design.size, months, monthly, per_school, tracks)
    state, end = allocate(world, practices.weight.size, tracks=tracks), min(task.end_of_funding, months - 1)
    for r in range(batch.design.size):
        row, design = task.parameters[batch.parameter_set[r]], batch.design[r]
        model = model_class(
            world,
            practices,
            ProgrammeRows(task.designs, task.tracks[design] if task.tracks.size else np.full(world.region_country.size, design, np.int32)),
            dict(zip(row.dtype.names, row.tolist(), strict=True)),
            seed=task.seed,
            replicate=int(batch.replicate[r]),
            school_class=school_class,
        )
        model.set_factors(factors[batch.parameter_set[r]])
        for month in range(months):
            model.open_month()
            model.snapshot(state)
            now = Moment(model.seed_key, model.replicate, 0, month, months, end)
            observe_run(world, practices, model.par, state, now, results, r)
            model.close_month()
    return results
