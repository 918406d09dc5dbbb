"""Programmes of phases, tracks and gates: both engines agree, and what does not change leaves every bit as it was."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from school_mentoring.model.costs import COORDINATION, PLATFORM
from school_mentoring.model.designs import PRESETS, Design, design_table
from school_mentoring.model.engine import Batch, Results, Task, run_batch
from school_mentoring.model.mesa_model import MentoringModel, programme_rows, run_batch_with_mesa
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.programmes import OTHERS, Phase, Programme, programme_table, track_table
from school_mentoring.model.world.arrays import World
from tests.model.test_engines_equal import assert_same
from tests.worlds import Case, batch_of, build_practices, build_world, cases, complete, design, random_design

WINDOW = (6, 30)


def phase(way: Design, months: int, **more: object) -> Phase:
    """Return a design as a phase."""
    return Phase.model_validate({**way.model_dump(), "first_month": None, "last_month": None, "months": months, **more})


def gate(at_least: float, survey: int = 5, cost: float = 10.0) -> dict[str, object]:
    return {"outcome": "mentee_share", "at_least": at_least, "survey": survey, "survey_cost": cost}


def places_of(world: World) -> list[tuple[str, str]]:
    return [(f"C{country}", f"R{region}") for region, country in enumerate(world.region_country.tolist())]


def task_of(world: World, designs: Sequence[Design | Programme], batch: Batch, months: int = 40, **parameters: float) -> Task:
    tables = parameter_table([parameters]), programme_table(designs, *WINDOW)
    return Task(world, build_practices(), *tables, batch, 7, months, WINDOW[1], tracks=track_table(designs, places_of(world)))


def recorded(task: Task) -> Results:
    return run_batch(task, monthly=True, per_school=True, threads=1)


# --- at random -------------------------------------------------------------------------------------------------------


def random_phases(rng: np.random.Generator, wild: float, months: int, nested: bool = True) -> tuple[Phase, ...]:
    """Draw one to three phases, some with gates, some of which lead elsewhere."""
    found = []
    for number in range(int(rng.integers(1, 4))):
        more: dict[str, Any] = {}
        if number > 0 and rng.random() < 0.6:
            more["gate"] = gate(float(rng.choice([0.0, 0.1, 0.3, 0.6, 1.1])), int(rng.integers(1, 8)), float(rng.choice([0.0, 33.335])))
            if nested and rng.random() < 0.5:
                more["otherwise"] = random_phases(rng, wild, months, nested=False)
        found.append(phase(random_design(rng, wild, months), int(rng.integers(1, 20)), **more))
    return tuple(found)


def random_programme(rng: np.random.Generator, wild: float, months: int, places: Sequence[tuple[str, str]]) -> Programme:
    """Draw a programme: phases for all, or designs and phases by country or by region."""
    kind = str(rng.choice(["phases", "by_country", "by_region"], p=[0.3, 0.3, 0.4]))
    if kind == "phases":
        return Programme(phases=random_phases(rng, wild, months))
    names = sorted({place[kind == "by_region"] for place in places})
    chosen = [name for name in names if rng.random() < 0.6]
    tracks: dict[str, Design | tuple[Phase, ...]] = {
        name: random_design(rng, wild, months) if rng.random() < 0.4 else random_phases(rng, wild, months) for name in [*chosen, OTHERS]
    }
    return Programme(**{kind: tracks})


def programme_task(case: Case, entropy: int, wild: float = 0.05) -> Task:
    """Return a case's runs with programmes in the place of two of its designs."""
    rng, places = np.random.default_rng(entropy), places_of(case.world)
    designs = [*case.designs[:1], *(random_programme(rng, wild, case.months, places) for _ in range(2))]
    table = programme_table(designs, *case.window)
    return case.task()._replace(designs=table, tracks=track_table(designs, places))


@settings(max_examples=150)
@given(cases(max_schools=40, runs=3), st.integers(0, 2**32 - 1))
def test_both_engines_give_the_same_bits_under_any_programme(case, entropy):
    task = programme_task(case, entropy)
    assert_same(recorded(task), run_batch_with_mesa(task, monthly=True, per_school=True))


@settings(max_examples=40)
@given(cases(max_schools=40, runs=3, sequential=True), st.integers(0, 2**32 - 1))
def test_both_engines_give_the_same_bits_under_any_programme_where_schools_take_turns(case, entropy):
    task = programme_task(case, entropy)
    assert_same(recorded(task), run_batch_with_mesa(task, monthly=True, per_school=True))


@settings(max_examples=30)
@given(cases(max_schools=40, runs=9), st.integers(0, 2**32 - 1))
def test_runs_of_programmes_side_by_side_and_on_threads_are_those_made_alone(case, entropy):
    task = programme_task(case, entropy)
    together = run_batch(task, monthly=True, per_school=True, threads=3)
    for row in range(9):
        alone = recorded(task._replace(batch=Batch(*(column[row : row + 1] for column in task.batch))))
        assert_same(Results(*(one[row : row + 1] for one in together)), alone)


# --- what does not change --------------------------------------------------------------------------------------------


def bytes_of(results: Results) -> dict[str, bytes]:
    return {name: getattr(results, name).tobytes() for name in Results._fields if name not in ("nodes", "found")}


def worlds_and_plain(case: Case, entropy: int) -> tuple[Design, np.random.Generator]:
    rng = np.random.default_rng(entropy)
    return random_design(rng, 0.05, case.months).model_copy(update={"first_month": None, "last_month": None}), rng


def same_task(case: Case, way: Design | Programme) -> Task:
    batch = case.batch._replace(design=np.zeros_like(case.batch.design))
    table, tracks = programme_table([way], *case.window), track_table([way], places_of(case.world))
    return case.task(batch)._replace(designs=table, tracks=tracks)


@settings(max_examples=60)
@given(cases(max_schools=40, runs=3), st.integers(0, 2**32 - 1))
def test_a_programme_that_repeats_a_design_is_that_design(case, entropy):
    way, rng = worlds_and_plain(case, entropy)
    months = case.window[1] - case.window[0]
    cuts = sorted({0, months, *(int(m) for m in rng.integers(1, max(months, 2), 3) if m < months)})
    parts = [phase(way, end - start) for start, end in itertools.pairwise(cuts)]
    assert bytes_of(recorded(same_task(case, Programme(phases=tuple(parts))))) == bytes_of(recorded(same_task(case, way)))


@settings(max_examples=60)
@given(cases(max_schools=40, runs=3), st.integers(0, 2**32 - 1))
def test_one_design_in_every_country_is_that_design_where_mentors_are_found_at_home(case, entropy):
    way, rng = worlds_and_plain(case, entropy)
    way = way.model_copy(update={"scope": str(rng.choice(["country", "region"])), "reserve": 0.0})
    tracks = {**{country: way for country, _ in places_of(case.world)}, OTHERS: way}
    by_country = recorded(same_task(case, Programme(by_country=tracks)))
    if (case.world.named_mentor >= 0).any():
        return  # a pilot's pairs may cross borders
    assert bytes_of(by_country) == bytes_of(recorded(same_task(case, way)))


ISLANDS = build_world(
    np.arange(40) % 9 + 6,
    weights=np.kron(np.eye(2), complete(20)),
    region=np.arange(40) // 10,
    region_country=[0, 0, 1, 1],
    x=np.linspace(0, 30, 40),
    traits=np.arange(40) % 8,
    capacity=np.linspace(0.15, 0.95, 40)[np.arange(40) * 7 % 40],
    openness=np.linspace(0.9, 0.1, 40),
    salary=[20000.0, 40000.0],
)


@pytest.mark.parametrize("other", ["none", "top_down", "bottom_up", "hybrid", "virtual", "outreach"])
def test_another_design_abroad_changes_nothing_at_home(other):
    home = (phase(design("regional_hub", community=0.0), 12), phase(design("specialist", community=0.0), 12))
    found = [
        recorded(task_of(ISLANDS, [Programme(by_country={"C0": home, "C1": way})], batch_of(4)))
        for way in (PRESETS["regional_hub"], PRESETS[other])
    ]
    here = ISLANDS.country == 0
    for name in ("schools", "team_adopters", "partners", "partner_weights"):
        one, two = (getattr(results, name)[..., here] for results in found)
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(found[0].costs[:, :, 0], found[1].costs[:, :, 0])
    assert (found[0].costs[:, :, 1] != found[1].costs[:, :, 1]).any()


# --- phases ----------------------------------------------------------------------------------------------------------


def test_rows_name_the_next_phase_and_the_way_of_each_gate():
    ways = [PRESETS["virtual"], PRESETS["hybrid"], PRESETS["top_down"]]
    second = phase(ways[1], 8, gate=gate(0.3, 4, 50.0), otherwise=(phase(ways[2], 5),))
    third = phase(ways[0], 6, gate=gate(0.6))
    table = programme_table([PRESETS["none"], Programme(phases=(phase(ways[0], 10), second, third))], *WINDOW)
    names = ["first_month", "last_month", "end", "next", "other", "at_least", "survey", "survey_cost"]
    rows = [tuple(row[name] for name in names) for row in table]
    assert rows[0] == (6, 30, -1, -1, -1, 0.0, 0, 0.0)
    assert rows[1] == (6, 30, 16, 2, -1, 0.0, 0, 0.0)
    assert rows[2] == (6, 30, 24, 3, 5, 0.3, 4, 50.0)
    assert rows[3] == (6, 30, -1, -1, 4, 0.6, 5, 10.0)
    assert rows[4] == (6, 24, -1, -1, -1, 0.0, 0, 0.0)  # the second phase stays, without money
    assert rows[5] == (6, 21, -1, -1, -1, 0.0, 0, 0.0)
    for name in ("team", "tier", "fte"):
        assert [row[name] for row in table[1:]] == [table_of(ways[which])[name] for which in (0, 1, 0, 1, 2)]


def table_of(way: Design) -> np.void:
    return design_table([way], *WINDOW)[0]


def test_money_is_that_of_the_phase_in_which_a_month_lies():
    phases = Programme(phases=(phase(PRESETS["regional_hub"], 10), phase(design("regional_hub", fte=0.0), 14)))
    paid = recorded(task_of(ISLANDS, [phases], batch_of(1))).costs[0, :, :, COORDINATION].sum(axis=(1, 2))
    assert [month for month in range(40) if paid[month] > 0] == list(range(6, 16))


def test_a_boundary_of_phases_is_no_round():
    # Ten months on the next phase begins, two months later the next school year.
    fewer, more = (design("top_down", mentor_share=share, cascade=0.0) for share in (0.05, 0.3))
    roles = recorded(task_of(ISLANDS, [Programme(phases=(phase(fewer, 10), phase(more, 26)))], batch_of(3), attrition=0.0)).schools[:, :, 1]
    mentors = (roles == 1).sum(axis=2)
    assert (mentors[:, 6:18] == mentors[:, 6:7]).all() and (mentors[:, 18] > mentors[:, 17]).all()


def test_a_team_is_formed_as_the_design_says_when_the_tie_begins():
    one, two = (design("top_down", team=team, tie_months=12, priority="need") for team in (3, 5))
    model = MentoringModel(
        ISLANDS, build_practices(), programme_rows(Programme(phases=(phase(one, 12), phase(two, 12))), (6, 34)), {"attrition": 0.0}, seed=2
    )  # fmt: skip
    for _ in range(20):
        model.step()
    tied = {(school.tie_start, school.team) for school in model.schools if school.mentor}
    assert tied <= {(6, 3), (18, 5)} and (18, 5) in tied


# --- tracks ----------------------------------------------------------------------------------------------------------


def test_a_platform_and_a_community_are_paid_once_however_many_tracks_use_them():
    # Nobody is mentored, so a community has only its fixed cost.
    way = design("virtual", community=0.6, mentor_share=0.0)
    by_region = Programme(by_region={"R0": way, "R3": way.model_copy(update={"community": 0.3}), OTHERS: way})
    paid = [recorded(task_of(ISLANDS, [one], batch_of(2))).costs[:, 6:30].sum(axis=2) for one in (way, by_region)]
    np.testing.assert_array_equal(paid[0][:, :, COORDINATION], paid[1][:, :, COORDINATION])
    assert np.abs(paid[0][:, :, PLATFORM] - paid[1][:, :, PLATFORM]).max() <= 2  # cents, rounded by track
    assert (paid[0][:, :, [COORDINATION, PLATFORM], 0] > 0).all()


def test_the_largest_platform_that_a_track_asks_for_is_paid():
    small, large = design("virtual", fte=0.2), design("virtual", fte=0.5)
    found = [
        recorded(task_of(ISLANDS, [way], batch_of(1))).costs[..., COORDINATION, 0].sum()
        for way in (Programme(by_country={"C0": small, "C1": large}), large)
    ]
    assert found[0] == found[1] > 0


def test_the_schools_of_a_track_are_matched_among_themselves():
    way = design("bottom_up", scope="anywhere")
    mentor = recorded(task_of(ISLANDS, [Programme(by_region={"R0": way, OTHERS: way})], batch_of(20))).schools[:, :, 2]
    track = ISLANDS.region == 0
    has = mentor >= 0
    assert has.any()
    assert (track[mentor[has]] == np.broadcast_to(track, mentor.shape)[has]).all()


def test_a_place_without_a_track_is_an_error():
    with pytest.raises(KeyError):
        track_table([Programme(by_country={"C0": PRESETS["none"]})], places_of(ISLANDS))


# --- gates -----------------------------------------------------------------------------------------------------------


def gated(at_least: float, survey: int = 100, cost: float = 10.0, *, first: int = 12, **more: object) -> Programme:
    then = phase(PRESETS["virtual"], 24 - first, gate=gate(at_least, survey, cost), **more)
    return Programme(phases=(phase(PRESETS["regional_hub"], first), then))


def test_a_gate_that_nothing_passes_ends_the_programme_and_one_that_all_pass_goes_on():
    designs = [gated(1.01, cost=0.0), gated(0.0, cost=0.0), design("regional_hub", last_month=18), PRESETS["regional_hub"]]
    results = recorded(task_of(ISLANDS, designs, batch_of(3, design=0)))
    assert results.nodes.ravel().tolist() == [5] * 3
    plain = recorded(task_of(ISLANDS, designs, batch_of(3, design=2)))
    assert bytes_of(results)["schools"] == bytes_of(plain)["schools"] and bytes_of(results)["costs"] == bytes_of(plain)["costs"]
    assert recorded(task_of(ISLANDS, designs, batch_of(3, design=1))).nodes.ravel().tolist() == [6] * 3


def test_a_gate_may_lead_elsewhere():
    designs = [gated(1.01, otherwise=(phase(PRESETS["top_down"], 6),))]
    results = recorded(task_of(ISLANDS, designs, batch_of(3)))
    assert set(results.nodes.ravel().tolist()) == {2}
    assert programme_table(designs, *WINDOW)[2]["last_month"] == 24


def test_an_exact_survey_finds_the_share_of_users_in_teams():
    # Month 16 is that of no round, and no tie ends: the teams recorded are those that the gate saw.
    results = recorded(task_of(ISLANDS, [gated(0.15, cost=0.0, first=10)], batch_of(40), attrition=0.0))
    teachers, users = results.teams[:, 16, 0, 0].T
    went_on = results.nodes[:, 0] == 1
    assert 0 < went_on.sum() < 40
    np.testing.assert_array_equal(went_on, users / teachers >= 0.15)
    np.testing.assert_array_equal(results.found[:, 0], users / teachers)


@pytest.mark.parametrize(("survey", "asked"), [(3, 3), (100, None)])
def test_a_survey_is_paid_in_its_month_for_each_school_asked(survey, asked):
    free, paid = (recorded(task_of(ISLANDS, [gated(1.01, survey, cost)], batch_of(5), attrition=0.0)) for cost in (0.0, 12.5))
    more = (paid.costs - free.costs).sum(axis=2)
    experienced = np.array([(schools[17, 1] == 2).sum() for schools in free.schools])
    expected = np.minimum(experienced, survey) if asked is None else np.minimum(experienced, asked)
    np.testing.assert_array_equal(more[:, 18, COORDINATION, 0], expected * 1250)
    assert np.count_nonzero(more) == np.count_nonzero(expected)


def test_a_small_survey_errs_and_a_whole_one_does_not():
    whole, small = (recorded(task_of(ISLANDS, [gated(0.3, survey, 0.0)], batch_of(200))).nodes[:, 0] for survey in (100, 1))
    assert (whole != small).any()


def test_which_way_was_taken_is_told_of_every_track():
    way = gated(0.3).phases
    results = recorded(task_of(ISLANDS, [Programme(by_country={"C0": way, "C1": PRESETS["none"]})], batch_of(50)))
    table = programme_table([Programme(by_country={"C0": way, "C1": PRESETS["none"]})], *WINDOW)
    assert results.nodes.shape == (50, 2)
    assert set(results.nodes[:, 1].tolist()) == {len(table) - 1}
    assert set(results.nodes[:, 0].tolist()) <= {int(table[0]["next"]), int(table[int(table[0]["next"])]["other"])}
