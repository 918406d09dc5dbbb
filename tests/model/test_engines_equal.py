"""The compiled engine and the Mesa model are one model: every recorded number agrees to the last bit."""

from dataclasses import astuple, dataclass

import numpy as np
import pytest
from hypothesis import given, settings

from school_mentoring.model import engine
from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Batch, Results, Task, run_batch
from school_mentoring.model.mesa_model import MentoringModel, run_batch_with_mesa
from school_mentoring.model.parameters import base_values, parameter_table
from school_mentoring.model.recruitment import LAID_OUT
from school_mentoring.model.world.countries import COUNTRIES
from school_mentoring.model.world.network import generate_world
from school_mentoring.model.world.structure import STRUCTURE, Structure
from tests.worlds import Case, batch_of, build_practices, build_world, cases


def bits(array: np.ndarray) -> np.ndarray:
    """Return the bits of an array, all not-a-numbers alike."""
    if array.dtype != np.float64:
        return array
    return np.where(np.isnan(array), np.nan, array).view(np.uint64)


def assert_same(left: Results, right: Results) -> None:
    for name in Results._fields:
        a, b = getattr(left, name), getattr(right, name)
        assert a.shape == b.shape, name
        np.testing.assert_array_equal(bits(a), bits(b), err_msg=name)


def select(results: Results, rows: np.ndarray) -> Results:
    return Results(*(part[rows] for part in results))


def compiled(case: Case, batch: Batch | None = None, threads: int = 1) -> Results:
    return run_batch(case.task(batch), monthly=True, per_school=True, threads=threads)


def assert_engines_agree(task: Task) -> None:
    ours, theirs = (engine(task, monthly=True, per_school=True) for engine in (run_batch, run_batch_with_mesa))
    assert_same(ours, theirs)


@settings(max_examples=100)
@given(cases(max_schools=40, runs=3))
def test_both_engines_give_the_same_bits_in_any_world_under_any_design(case):
    mesa = run_batch_with_mesa(case.task(), monthly=True, per_school=True)
    assert_same(compiled(case), mesa)


@settings(max_examples=50)
@given(cases(max_schools=40, runs=3, sequential=True))
def test_both_engines_give_the_same_bits_where_schools_take_turns(case):
    mesa = run_batch_with_mesa(case.task(), monthly=True, per_school=True)
    assert_same(compiled(case), mesa)


@settings(max_examples=20)
@given(cases(runs=9, sequential=True))
def test_threads_and_batches_never_change_a_run_in_which_schools_take_turns(case):
    together = compiled(case)
    assert_same(together, compiled(case, threads=3))
    for row in range(case.batch.design.size):
        assert_same(select(together, np.array([row])), compiled(case, Batch(*(column[row : row + 1] for column in case.batch))))


@pytest.mark.parametrize(("field", "word"), [(field, word) for field in STRUCTURE for word in STRUCTURE[field]])
def test_both_engines_give_the_same_bits_under_every_structural_choice(field, word):
    # A generated world, so that the choice acts on its ties too; three presets with mentoring, the pilot's window and horizon.
    world, _ = generate_world(
        [COUNTRIES["IT"], COUNTRIES["CZ"]], [2, 1], 15, base_values(), 3, 0, structure=Structure()._replace(**{field: word})
    )
    designs = design_table([PRESETS[name] for name in ("regional_hub", "bottom_up", "virtual")], 6, 34)
    batch = Batch(np.arange(3), np.zeros(3, np.int64), np.arange(3))
    assert_engines_agree(Task(world, build_practices(), parameter_table([{}]), designs, batch, seed=11, months=72, end_of_funding=34))


def test_both_engines_give_the_same_bits_where_schools_have_more_contacts_than_they_can_keep():
    # Clusters of 16 that meet and end each year, in which everybody is in contact with everybody.
    world = build_world(np.arange(48) % 7 + 3, capacity=np.linspace(0.2, 0.9, 48), x=np.arange(48) % 13)
    way = PRESETS["regional_hub"].model_copy(update={"places": 15, "tie_months": 12, "meeting_hours": 2.0, "mentor_share": 1 / 24})
    tables = parameter_table([{"contact_lasts": 0.95, "contact_fade": 0.01}]), design_table([way], 0, 40)
    task = Task(world, build_practices(), *tables, batch_of(5), seed=11, months=60, end_of_funding=40)
    assert (run_batch(task, per_school=True).partners[:, 0] >= 0).all(axis=1).any()
    assert_engines_agree(task)


def test_schools_that_take_turns_are_another_model_whose_order_is_drawn_each_month():
    rng = np.random.default_rng(7)
    world = build_world(np.full(30, 20), weights=rng.random((30, 30)) < 0.3, adopters_at_start=4)
    inputs = build_practices(), parameter_table([{"q_out": 0.5}]), design_table([PRESETS["none"]], 6, 34), batch_of(200)
    tasks = (Task(world._replace(sequential=way), *inputs, seed=5, months=60, end_of_funding=34) for way in (False, True))
    together, in_turn = (run_batch(task, per_school=True).schools[:, :, 0] for task in tasks)
    assert (together[:, 0] == in_turn[:, 0]).all()
    # News travels within the month, so adoption is ahead, here of the steep part of the S: 4 standard errors over replicates.
    lead = (in_turn[:, 12] - together[:, 12]).sum(axis=1)
    assert lead.mean() > 4 * lead.std(ddof=1) / np.sqrt(lead.size)
    model = MentoringModel(world._replace(sequential=True), build_practices(), PRESETS["none"], seed=5)
    orders = []
    for _ in range(3):
        orders.append([school.index for school in model.in_turn()])
        model.step()
    assert all(sorted(order) == list(range(30)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_both_engines_give_the_same_bits_for_each_preset_over_the_default_horizon(preset):
    rng = np.random.default_rng(7)
    n = 60
    near = rng.random((n, n)) < 0.1
    world = build_world(
        rng.integers(5, 60, n),
        weights=near | near.T,
        region=np.arange(n) % 4,
        region_country=[0, 0, 1, 1],
        x=rng.uniform(0, 60, n),
        y=rng.uniform(0, 60, n),
        traits=rng.integers(0, 8, n),
        capacity=rng.beta(4, 4, n),
        openness=rng.random(n),
        salary=[20000.0, 40000.0],
    )
    tables = parameter_table([{}]), design_table([PRESETS[preset]], 6, 34)
    assert_engines_agree(Task(world, build_practices(), *tables, batch_of(1), seed=11, months=72, end_of_funding=34))


@settings(max_examples=40)
@given(cases(runs=7))
def test_the_order_of_a_batch_never_changes_a_run(case):
    shuffled = np.random.default_rng(case.months).permutation(case.batch.design.size)
    forward = compiled(case)
    backward = compiled(case, Batch(*(column[shuffled] for column in case.batch)))
    assert_same(select(forward, shuffled), backward)


@settings(max_examples=40)
@given(cases(runs=9))
def test_threads_never_change_a_result(case):
    one, two = compiled(case, threads=1), compiled(case, threads=2)
    assert_same(one, two)


@settings(max_examples=40)
@given(cases(runs=1))
def test_splitting_the_schools_of_a_large_world_over_threads_never_changes_a_result(case):
    # The path that large worlds take, brought down to worlds of any size.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "MANY_SCHOOLS", 1)
        split = compiled(case, threads=3)
    assert_same(compiled(case, threads=1), split)


@settings(max_examples=20)
@given(cases(max_schools=25, runs=12))
def test_runs_side_by_side_are_those_of_the_mesa_model(case):
    sets = case.batch.parameter_set
    assert engine._side_by_side(sets, case.world.teachers.size)[1].size - 1 < sets.size
    assert_same(compiled(case), run_batch_with_mesa(case.task(), monthly=True, per_school=True))


@settings(max_examples=30)
@given(cases(runs=12))
def test_a_run_alone_equals_the_run_within_a_batch(case):
    together = compiled(case)
    for row in range(case.batch.design.size):
        alone = compiled(case, Batch(*(column[row : row + 1] for column in case.batch)))
        assert_same(select(together, np.array([row])), alone)


@settings(max_examples=30)
@given(cases(runs=4))
def test_what_is_recorded_never_changes_the_outcomes(case):
    bare = run_batch(case.task(), threads=1)
    np.testing.assert_array_equal(bits(bare.outcomes), bits(compiled(case).outcomes))


@dataclass
class Seen:
    """What the random cases brought about, over all of them."""

    ties: int = 0
    mentors: int = 0
    cascades: int = 0
    lost_ties: int = 0
    abroad: int = 0
    alumni: int = 0
    contacts: int = 0
    nan: int = 0


def test_the_random_cases_reach_every_part_of_the_model():
    # An oracle is worth what its cases exercise: ties begin and end, also as planned, mentees become mentors, ties cross borders, contacts
    # last, and gaps are undefined.
    seen = Seen()

    @settings(max_examples=60)
    @given(cases(runs=4))
    def look(case):
        results = compiled(case)
        role, mentor = results.schools[:, :, -2].astype(int), results.schools[:, :, -1].astype(int)
        country = case.world.country
        seen.ties += int(results.ties.sum())
        seen.mentors += int((role[:, -1] == 1).sum())
        seen.cascades += int(((role[:, :-1] == 2) & (role[:, 1:] == 1)).sum())
        seen.lost_ties += int(((role[:, :-1] == 2) & (role[:, 1:] == 0)).sum())
        seen.abroad += int(((mentor >= 0) & (country[mentor] != country)).sum())
        seen.alumni += int((role[:, -1] == 3).sum())
        seen.contacts += int(results.contacts.sum())
        seen.nan += int(np.isnan(results.outcomes).sum())

    look()
    assert min(astuple(seen)) > 20, seen


@pytest.mark.parametrize("name", ["regional_hub", "bottom_up"])
def test_both_engines_give_the_same_bits_where_members_are_laid_out_anew(name):
    world, _ = generate_world([COUNTRIES["IT"], COUNTRIES["CZ"]], [17, 17], LAID_OUT // 34 + 1, base_values(), 5, 0)
    assert world.teachers.size >= LAID_OUT
    designs = design_table([PRESETS[name]], 0, 20)
    batch = Batch(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64))
    assert_engines_agree(Task(world, build_practices(), parameter_table([base_values()]), designs, batch, 5, 26, 20))
