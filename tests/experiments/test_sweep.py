"""What a sweep computes: the runs it names, no others, whatever the chunks, the threads and the engine."""

import numpy as np
import pandas as pd
import pytest

from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.plan import Plan, plan_sweep
from school_mentoring.experiments.sweep.store import hash_sets
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.costs import CATEGORIES, TRANSFERS
from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Batch, Task, run_batch
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import engine_tables, parameter_table
from tests.experiments.sweeps import DESIGNS, KEYS, plan_of, rows_of, same_rows, small


def ensemble(scenario, sets=({},), first_set=0):
    """Return the runs of a scenario's ensemble, the reference of all tests below."""
    return run_ensemble(scenario, list(sets), scenario.replicates, worlds=Worlds(scenario), first_set=first_set, threads=1).runs


def test_the_rows_of_a_sweep_are_those_of_an_ensemble():
    plan = plan_of()
    same_rows(rows_of(plan), ensemble(plan.scenario, plan.sets.to_dict("records")))


def test_rows_stand_by_set_replicate_and_design():
    rows = rows_of(plan_of())
    expected = [(design, s, r) for s in range(5) for r in range(3) for design in DESIGNS]
    assert list(rows[KEYS].itertuples(index=False, name=None)) == expected


def test_a_row_is_the_run_that_the_engine_makes_alone():
    plan = plan_of(random="independent")
    rows = rows_of(plan)
    scenario = plan.scenario
    designs = design_table(list(scenario.designs.values()), scenario.programme.first_month, scenario.programme.last_month)
    for number in (0, 17, 44):
        row = rows.iloc[number]
        values = {**scenario.base_parameters(), **plan.sets.iloc[row["parameter_set"]].to_dict()}
        draw = row["parameter_set"] * 3 + row["replicate"]
        world, schools = Worlds(scenario).get(values, draw % scenario.worlds)
        codes = schools.country_codes
        records, factors = engine_tables(parameter_table([values], codes), codes)
        batch = Batch(np.array([DESIGNS.index(row["design"])]), np.array([0]), np.array([draw]))
        inputs = world, scenario.practice_arrays(), records, designs, batch
        alone = run_batch(Task(*inputs, scenario.seed, scenario.months, scenario.programme.last_month, factors), threads=1)
        assert alone.outcomes[0].tobytes() == row[list(OUTCOMES)].to_numpy(np.float64).tobytes()


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_the_rows_do_not_depend_on_the_chunks(chunk):
    pd.testing.assert_frame_equal(rows_of(plan_of(chunk=chunk)), rows_of(plan_of(chunk=4)), check_exact=True)


def test_the_rows_do_not_depend_on_the_threads():
    pd.testing.assert_frame_equal(rows_of(plan_of(), threads=2), rows_of(plan_of(), threads=1), check_exact=True)


def test_the_rows_do_not_depend_on_the_engine():
    plan = plan_of(sampling="lhs:2", replicates=1)
    pd.testing.assert_frame_equal(rows_of(plan, engine="mesa"), rows_of(plan), check_exact=True)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("top_down.recruitment", ["assigned", "volunteer", "none"]),
        ("top_down.scope", ["region", "country", "anywhere"]),
        ("top_down.priority", ["need", "proximity"]),
        ("top_down.mentor_share", ["null", "0.3"]),
        ("top_down.places", ["2", "6"]),
        ("top_down.mandate", ["false", "true"]),
        ("top_down.stipend", ["250.5", "4000"]),
        ("top_down.first_month", ["1", "5"]),
        ("top_down.last_month", ["4", "11"]),
        ("regional_hub.virtual_share", ["0.1", "0.9"]),
        ("regional_hub.tier", ["none", "platform", "ministry"]),
    ],
)
def test_a_varied_field_of_a_design_is_that_of_the_scenario_that_states_it(field, words):
    given = [{"false": "0", "true": "1"}.get(word, word) for word in words]
    rows = rows_of(plan_of(f"{field}={'|'.join(given)}", sampling="grid:1"))
    stated = [ensemble(small(f"{field}={word}"), first_set=number) for number, word in enumerate(words)]
    same_rows(rows, pd.concat(stated))
    moved = rows[rows["design"] == field.partition(".")[0]].groupby("parameter_set")[list(OUTCOMES)].sum()
    assert len(moved.drop_duplicates()) == len(words), "the field makes no difference, so the test would hold nothing"


def test_a_mandate_binds_in_the_sets_that_assign():
    """With a design that volunteers in the scenario: its mandate sleeps there and wakes where a set assigns."""
    stated = "top_down.recruitment=volunteer"
    plan = plan_sweep(small(stated), ["top_down.recruitment=assigned|volunteer"], "grid:1", chunk=4)
    same_rows(rows_of(plan), pd.concat([ensemble(small()), ensemble(small(stated), first_set=1)]))


def test_world_sizes_are_those_of_scenarios_of_that_size():
    plan = plan_of("world.schools_per_region=2|3", "world.regions_per_country=1|2", "gamma=0.6|1.4", sampling="grid:1", replicates=2)
    stated = []
    for number, (per_region, regions, gamma) in enumerate(plan.sets.itertuples(index=False)):
        scenario = small(f"world.schools_per_region={per_region:g}", f"world.regions_per_country={regions:g}", replicates=2)
        stated.append(ensemble(scenario, [{"gamma": gamma}], first_set=number))
    same_rows(rows_of(plan), pd.concat(stated))


def test_structural_choices_are_those_of_scenarios_that_state_them():
    choices = ("world.network=nearest|configuration", "world.update", "world.contacts=share|none", "world.mentored", "world.online_hours")
    plan = plan_of(*choices, "world.schools_per_region=6", sampling="grid:1", replicates=2)
    stated = []
    for number, words in enumerate(plan.sets.drop(columns="world.schools_per_region").to_dict("records")):
        scenario = small(*(f"{name}={word}" for name, word in words.items()), "world.schools_per_region=6", replicates=2)
        stated.append(ensemble(scenario, first_set=number))
    assert len(stated) == 32
    same_rows(rows_of(plan), pd.concat(stated))
    assert len({tuple(one["effect_adopter_years"]) for one in stated}) == 32


def test_parameters_and_structures_of_the_world_make_worlds_of_their_own():
    plan = plan_sweep(small(replicates=2), (), "sobol:3", chunk=4)
    assert {"peer_degree", "world.network", "world.contacts", "world.mentored", "world.online_hours"} <= set(plan.sets.columns)
    same_rows(rows_of(plan), ensemble(plan.scenario, plan.sets.to_dict("records")))


def test_few_worlds_of_other_sizes_are_kept():
    plan = plan_of("world.schools_per_region=1:9", sampling="grid:9", replicates=1)
    sweep = Sweep(plan, threads=1)
    for number in range(plan.chunks):
        sweep.chunk(number)
        assert len(sweep._worlds) <= 4


def test_common_random_numbers_repeat_under_equal_sets():
    rows = rows_of(plan_of("gamma=0.9|0.9", sampling="grid:1"))
    one, other = (rows[rows["parameter_set"] == s].drop(columns="parameter_set").reset_index(drop=True) for s in (0, 1))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_independent_random_numbers_differ_under_equal_sets():
    rows = rows_of(plan_of("gamma=0.9|0.9|0.9", sampling="grid:1", random="independent", replicates=4))
    runs = rows[rows["design"] == "none"]["effect_adopter_years"]
    assert runs.nunique() == 12


def test_independent_sets_share_no_worlds_and_draws_but_designs_within_a_cell_do():
    """Set s, replicate r draws as replicate s x replicates + r of an ensemble, under all designs."""
    plan = plan_of("gamma=0.9|0.9", sampling="grid:1", random="independent")
    scenario = small(replicates=6)
    reference = ensemble(scenario, [{"gamma": 0.9}])
    reference["parameter_set"], reference["replicate"] = np.divmod(reference["replicate"], 3)
    same_rows(rows_of(plan), reference)


# --- plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_counts_its_cells_chunks_and_runs():
    plan = plan_of()
    assert (plan.cells, plan.chunks, plan.runs) == (15, 4, 45)
    assert [plan.runs_of(chunk) for chunk in range(4)] == [12, 12, 12, 9]


def test_a_plan_is_what_its_description_and_sets_say():
    plan = plan_of("gamma=0.5:1", "top_down.scope=region|peers")
    again = Plan.of(plan.describe(), plan.sets, "study.json")
    assert again.describe() == plan.describe()
    pd.testing.assert_frame_equal(rows_of(again), rows_of(plan), check_exact=True)


def test_any_value_name_or_order_changes_the_hash_of_sets():
    sets = pd.DataFrame({"gamma": [0.5, 1.0], "top_down.scope": ["region", "peers"]})
    others = [
        sets.rename(columns={"gamma": "q_in"}),
        sets.assign(gamma=[0.5, np.nextafter(1.0, 2.0)]),
        sets.assign(**{"top_down.scope": ["region", "region"]}),
        sets.iloc[::-1],
        sets[["top_down.scope", "gamma"]],
        sets.iloc[:1],
    ]
    assert len({hash_sets(frame) for frame in [sets, *others]}) == 7


def test_default_chunks_hold_seconds_of_work():
    little, much = (plan_sweep(small(*sets), ["gamma=0.5:1"], "lhs:2").chunk for sets in ((), ("world.schools_per_region=400",)))
    assert little == 200_000 // 3
    assert much == 150_000_000 // (9_600 * 12 * 3)


# --- runs that fail --------------------------------------------------------------------------------------------------


def failing(monkeypatch, sweep, fails):
    """Let runs fail of which ``fails(gamma, design)`` is true; return the sizes of the batches that were tried."""
    engine, tried = sweep.engine, []

    def run(task, **options):
        batch = task.batch
        tried.append(len(batch.design))
        if any(fails(task.parameters["gamma"][s], d % 3) for d, s in zip(batch.design, batch.parameter_set, strict=True)):
            raise FloatingPointError("no such run")
        return engine(task, **options)

    monkeypatch.setattr(sweep, "engine", run)
    return tried


def test_a_run_that_fails_is_found_and_the_others_are_kept(monkeypatch):
    plan = plan_of("gamma=0.6|0.7|0.8|0.9", sampling="grid:1", replicates=2, chunk=8)
    whole = rows_of(plan)
    sweep = Sweep(plan, threads=1)
    failing(monkeypatch, sweep, lambda gamma, design: gamma == 0.8 and design == 1)
    table, failures = sweep.chunk(0)
    expected = {"design": "top_down", "parameter_set": 2, "parameters": {"gamma": 0.8}, "error": "FloatingPointError: no such run"}
    assert failures == [{**expected, "replicate": 0}, {**expected, "replicate": 1}]
    kept = whole[~((whole["parameter_set"] == 2) & (whole["design"] == "top_down"))].reset_index(drop=True)
    pd.testing.assert_frame_equal(table.to_pandas().astype({"design": str}), kept, check_exact=True)


def test_a_chunk_is_tried_three_times_before_it_is_cut(monkeypatch):
    plan = plan_of("gamma=0.6|0.7", sampling="grid:1", replicates=1, designs=("none",), chunk=2)
    sweep = Sweep(plan, threads=1)
    tried = failing(monkeypatch, sweep, lambda gamma, design: True)
    table, failures = sweep.chunk(0)
    assert tried == [2, 2, 2, 1, 1]
    assert (table.num_rows, len(failures)) == (0, 2)


def test_a_chunk_that_fails_once_is_whole(monkeypatch):
    plan = plan_of()
    sweep = Sweep(plan, threads=1)
    expected = sweep.chunk(1)[0]
    times = iter([True, False])
    failing(monkeypatch, sweep, lambda gamma, design: next(times, False))
    table, failures = sweep.chunk(1)
    pd.testing.assert_frame_equal(table.to_pandas(), expected.to_pandas(), check_exact=True)
    assert failures == []


def test_bad_input_is_no_failing_run(monkeypatch):
    sweep = Sweep(plan_of(), threads=1)

    def refuse(*_, **__):
        raise InputError("schools.csv", "is gone")

    monkeypatch.setattr(sweep, "engine", refuse)
    with pytest.raises(InputError, match=r"schools.csv: is gone"):
        sweep.chunk(0)


def test_costs_of_a_sweep_add_up():
    rows = rows_of(plan_of())
    parts = rows[[f"cost_{category}" for category in CATEGORIES if category not in TRANSFERS]].sum(axis=1)  # those use nothing up
    np.testing.assert_allclose(parts, rows["cost_total"], rtol=1e-12)
