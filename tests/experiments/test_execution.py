"""The folder of a sweep: what it holds, that shards and resumes make the same bytes, and when it is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from school_mentoring.experiments.sweep import execution
from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.execution import carry_out, open_sweep, parse_shard, shard_of, sweep_summary
from school_mentoring.experiments.sweep.plan import Plan, plan_sweep, read_plan
from school_mentoring.experiments.sweep.store import FAILURES, RESULTS
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario
from tests.experiments.sweeps import content, made, parts_of, plan_of, rows_of, small


@pytest.fixture(autouse=True)
def _no_commit(monkeypatch):
    """Let a commit made while the tests run not tell two studies apart."""
    monkeypatch.setenv("GIT_DIR", "/nonexistent")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the content of an undisturbed sweep's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_DIR", "/nonexistent")
        return made(tmp_path_factory.mktemp("whole") / "study", plan_of())


def test_a_folder_holds_the_study_its_sets_and_a_part_of_each_chunk(whole, tmp_path):
    plan = plan_of()
    folder = tmp_path / "study"
    assert made(folder, plan) == whole
    assert next(iter(whole)) == "parameters.parquet"
    assert [name for name in whole if not name.startswith(RESULTS)] == ["parameters.parquet", "ro-crate-metadata.json", "study.json"]
    assert len(parts_of(folder)) == plan.chunks
    read = pd.concat([pq.read_table(path).to_pandas() for path in parts_of(folder)], ignore_index=True).astype({"design": str})
    pd.testing.assert_frame_equal(read, rows_of(plan), check_exact=True)
    sets = pd.read_parquet(folder / "parameters.parquet")
    pd.testing.assert_frame_equal(sets.drop(columns="parameter_set"), plan.sets, check_exact=True)
    assert sets["parameter_set"].tolist() == list(range(5))


def test_the_plan_is_read_back_from_the_folder(whole, tmp_path):
    made(tmp_path / "study", plan_of())
    assert read_plan(tmp_path / "study").describe() == plan_of().describe()


def test_study_json_tells_what_is_needed_to_run_it_again(whole):
    study = json.loads(whole["study.json"])
    assert study["scenario"] == json.loads(json.dumps(small().model_dump(mode="json")))
    assert study["seed"] == 1
    expected = {"variables": ["gamma", "q_in"], "parameter_sets": 5, "sample": "sobol:5", "random": "common", "chunk": 4, "runs": 45}
    assert expected.items() <= study["sweep"].items()
    assert {"model", "versions", "command"} <= study.keys()


def test_two_threads_make_the_same_folder(whole, tmp_path):
    assert made(tmp_path / "study", plan_of(), threads=2) == whole


@pytest.mark.parametrize("n", [2, 3, 7])
def test_shards_together_are_the_whole(whole, tmp_path, n):
    for i in range(n, 0, -1):
        before = len(parts_of(tmp_path / "study"))
        found = made(tmp_path / "study", plan_of(), shard=(i, n))
        assert len(parts_of(tmp_path / "study")) - before == len(shard_of(range(4), (i, n)))
    assert found == whole


def test_every_chunk_is_of_one_shard():
    for n in (1, 3, 10):
        assert sorted(chunk for i in range(1, n + 1) for chunk in shard_of(range(25), (i, n))) == list(range(25))


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/", "-1/2", "1/²", "1/2/3"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(InputError, match="is no shard; allowed: i/n"):
        parse_shard(text)


def test_a_shard_is_parsed():
    assert parse_shard("3/20") == (3, 20)


@pytest.mark.parametrize("gone", [[0], [3], [0, 2], [0, 1, 2, 3]])
def test_a_resume_computes_what_is_missing_and_nothing_else(whole, tmp_path, monkeypatch, gone):
    folder = tmp_path / "study"
    made(folder, plan_of())
    kept = {}
    for number, path in enumerate(parts_of(folder)):
        if number in gone:
            path.unlink()
        else:
            kept[path] = path.stat().st_mtime_ns
    computed = []
    monkeypatch.setattr(Sweep, "chunk", lambda self, number, real=Sweep.chunk: computed.append(number) or real(self, number))
    assert made(folder, plan_of()) == whole
    assert computed == gone
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_a_begun_sweep_is_not_continued_unasked(whole, tmp_path):
    made(tmp_path / "study", plan_of())
    with pytest.raises(InputError, match="holds this sweep already; add --resume to complete it"):
        open_sweep(tmp_path / "study", plan_of(), resume=False)
    assert content(tmp_path / "study") == whole


def _wind(plan):
    return Plan(plan.scenario, plan.sets.assign(gamma=plan.sets["gamma"].iloc[::-1].to_numpy()), plan.random, plan.chunk, plan.sample)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: plan_of(seed=2), "differs in scenario.seed: 1 there, 2 now"),
        (lambda: plan_of(months=13), "differs in scenario.months: 12 there, 13 now"),
        (lambda: plan_of(replicates=4), "differs in scenario.replicates: 3 there, 4 now"),
        (
            lambda: plan_sweep(small("top_down.stipend=7"), ["gamma=0.5:1.5", "q_in=0.01:0.2"], "sobol:5", chunk=4),
            "differs in scenario.designs.top_down.stipend: 0.0 there, 7.0 now",
        ),
        (
            lambda: plan_sweep(small("turnover=0.2"), ["gamma=0.5:1.5", "q_in=0.01:0.2"], "sobol:5", chunk=4),
            "differs in scenario.parameters.turnover.base: ",
        ),
        (lambda: plan_of(chunk=5), "differs in sweep.chunk: 4 there, 5 now"),
        (lambda: plan_of(random="independent"), 'differs in sweep.random: "common" there, "independent" now'),
        (lambda: plan_of(sampling="lhs:5"), 'differs in sweep.sample: "sobol:5" there, "lhs:5" now'),
        (lambda: plan_of(sampling="sobol:6"), "differs in sweep.parameter_sets: 5 there, 6 now"),
        (lambda: plan_of("gamma=0.5:1.5", "p=0.001:0.01"), 'differs in sweep.variables.1: "q_in" there, "p" now'),
        (lambda: plan_of("gamma=0.5:1.4", "q_in=0.01:0.2"), "holds a sweep of other parameter sets"),
        (lambda: _wind(plan_of()), "holds a sweep of other parameter sets"),
    ],
)
def test_another_sweep_is_refused_with_what_differs(whole, tmp_path, other, words):
    folder = tmp_path / "study"
    made(folder, plan_of())
    with pytest.raises(InputError) as caught:
        open_sweep(folder, other(), resume=True)
    assert words in str(caught.value)
    assert str(caught.value).endswith("; give another folder")
    assert "\n" not in str(caught.value)
    assert content(folder) == whole


def test_a_country_that_differs_is_named(tmp_path):
    scenario = load_scenario("mensi-pilot-only", replicates=1)
    plan = plan_sweep(scenario, ["gamma=0.5:1"], "lhs:2")
    open_sweep(tmp_path / "study", plan, resume=False)
    countries = list(scenario.world.countries)
    countries[1] = countries[1].model_copy(update={"rural": 0.123})
    world = scenario.world.model_copy(update={"countries": tuple(countries)})
    changed = Plan(scenario.model_copy(update={"world": world}), plan.sets, plan.random, plan.chunk, plan.sample)
    with pytest.raises(InputError, match=r"differs in scenario.world.countries.1.rural: [0-9.]+ there, 0.123 now"):
        open_sweep(tmp_path / "study", changed, resume=True)


def test_a_resume_is_refused_when_the_model_has_changed(tmp_path, monkeypatch):
    made(tmp_path / "study", plan_of())
    monkeypatch.setattr("school_mentoring.experiments.sweep.plan.result_fingerprint", lambda: "0" * 16)
    with pytest.raises(InputError, match="the model's code has changed since this sweep was begun"):
        open_sweep(tmp_path / "study", plan_of(), resume=True)


def test_a_resume_is_refused_when_a_file_of_schools_has_changed(tmp_path):
    file = tmp_path / "schools.csv"
    lines = [f"s{i},{10 + i}" for i in range(48)]
    file.write_text("\n".join(["school_id,teachers", *lines]), encoding="utf-8")
    open_sweep(tmp_path / "study", plan_of(schools=file), resume=False)
    open_sweep(tmp_path / "study", plan_of(schools=file), resume=True)
    file.write_text("\n".join(["school_id,teachers", *lines[1:], lines[0]]), encoding="utf-8")
    with pytest.raises(InputError, match=r"differs in sweep.files.schools"):
        open_sweep(tmp_path / "study", plan_of(schools=file), resume=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no study"),
        ("{", "holds no study"),
        ("[]", "describes no study"),
        ('{"a": 1}', "describes no study"),
    ],
)
def test_a_folder_with_another_study_is_refused(tmp_path, text, words):
    (tmp_path / "study.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        open_sweep(tmp_path, plan_of(), resume=True)


def test_a_folder_that_is_no_study_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="exists and is no study folder"):
        open_sweep(tmp_path, plan_of(), resume=True)
    assert content(tmp_path) == {"thesis.txt": b"years of work"}


def test_an_empty_folder_is_filled(whole, tmp_path):
    (tmp_path / "study").mkdir()
    assert made(tmp_path / "study", plan_of()) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_of_two_processes_that_begin_a_sweep_one_makes_the_folder(whole, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    real = execution.write_atomically

    def slow(path, data):
        if path.name == "study.json":
            monkeypatch.setattr(execution, "write_atomically", real)
            open_sweep(folder, plan_of(), resume=False)  # the other process is faster
        real(path, data)

    monkeypatch.setattr(execution, "write_atomically", slow)
    open_sweep(folder, plan_of(), resume=False)
    assert content(folder) == {name: data for name, data in whole.items() if not name.startswith(RESULTS)}
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


# --- damage ----------------------------------------------------------------------------------------------------------


def _cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def _remove(path):
    path.unlink()


def _nudge(path):
    sets = pd.read_parquet(path)
    sets.loc[3, "q_in"] = np.nextafter(sets.loc[3, "q_in"], 1.0)
    sets.to_parquet(path, index=False, compression="zstd")


@pytest.mark.parametrize("damage", [_cut, _flip])
@pytest.mark.parametrize("which", ["parameters.parquet", 0, 2])
def test_a_damaged_file_is_named_and_made_again(whole, tmp_path, capsys, damage, which):
    folder = tmp_path / "study"
    made(folder, plan_of())
    path = folder / which if isinstance(which, str) else parts_of(folder)[which]
    damage(path)
    assert content(folder) != whole
    assert made(folder, plan_of()) == whole
    assert f"{path} is damaged (not the bytes that were written)" in capsys.readouterr().err


def test_parameter_sets_that_are_gone_are_written_again(whole, tmp_path):
    made(tmp_path / "study", plan_of())
    _remove(tmp_path / "study" / "parameters.parquet")
    assert made(tmp_path / "study", plan_of()) == whole


@pytest.mark.parametrize("damage", [_cut, _nudge, _remove])
def test_a_plan_is_not_read_from_damaged_sets(tmp_path, damage):
    made(tmp_path / "study", plan_of())
    damage(tmp_path / "study" / "parameters.parquet")
    with pytest.raises(InputError, match=r"parameters.parquet: is damaged"):
        read_plan(tmp_path / "study")


def test_sets_of_another_sweep_are_not_taken_for_this_one(tmp_path):
    made(tmp_path / "one", plan_of())
    made(tmp_path / "other", plan_of("gamma=0.5:1.4", "q_in=0.01:0.2"))
    shutil.copy(tmp_path / "other/parameters.parquet", tmp_path / "one/parameters.parquet")
    with pytest.raises(InputError, match=r"not the parameter sets of this sweep"):
        read_plan(tmp_path / "one")


def test_what_a_killed_process_left_half_written_goes(whole, tmp_path):
    folder = tmp_path / "study"
    made(folder, plan_of())
    part = parts_of(folder)[1]
    part.rename(part.with_name(f".{part.name}.0123456789abcdef.tmp"))
    assert made(folder, plan_of()) == whole


# --- failing runs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def break_set(monkeypatch):
    """Give a function that lets every run of a parameter set fail, or none."""
    broken = []
    real = Sweep.outcomes

    def outcomes(self, rows):
        if (rows["cell"] // self.plan.scenario.replicates).isin(broken).any():
            raise ArithmeticError("no answer")
        return real(self, rows)

    monkeypatch.setattr(Sweep, "outcomes", outcomes)
    return lambda *numbers: broken.__setitem__(slice(None), numbers)


def test_failing_runs_are_reported_with_their_parameters_and_done_again_on_resume(whole, tmp_path, break_set):
    folder, plan = tmp_path / "study", plan_of()
    break_set(1)
    store = open_sweep(folder, plan, resume=False)
    assert carry_out(folder, plan, store, threads=1) == 9
    told = [failure for path in sorted((folder / FAILURES).iterdir()) for failure in json.loads(path.read_text(encoding="utf-8"))]
    assert {(run["parameter_set"], run["replicate"], run["design"]) for run in told} == {
        (1, replicate, design) for replicate in range(3) for design in plan.scenario.designs
    }
    assert all(run["parameters"] == plan.sets.iloc[1].to_dict() for run in told)
    assert {run["error"] for run in told} == {"ArithmeticError: no answer"}
    lines, document = sweep_summary(folder, plan, store, 9)
    assert any("9 runs failed" in line for line in lines)
    assert (document["failed"], document["missing"]) == (9, 0)
    rows = pd.concat([pq.read_table(path).to_pandas() for path in parts_of(folder)])
    assert rows["parameter_set"].value_counts().to_dict() == {0: 9, 2: 9, 3: 9, 4: 9}
    break_set()
    again = made(folder, plan)
    (folder / FAILURES).rmdir()
    assert again == whole


def test_a_shard_leaves_the_failures_of_other_shards(tmp_path, break_set):
    folder, plan = tmp_path / "study", plan_of()
    break_set(0)
    made(folder, plan, shard=(1, 2))
    before = content(folder)
    break_set()
    after = made(folder, plan, shard=(2, 2))
    assert before.items() <= after.items()
    assert any(name.startswith(FAILURES) for name in after)


# --- progress and summary --------------------------------------------------------------------------------------------


def test_progress_counts_runs_and_ends_with_all(tmp_path):
    told = []
    made(tmp_path / "study", plan_of(), progress=lambda done, total: told.append((done, total)))
    assert list(dict.fromkeys(told)) == [(0, 45), (12, 45), (24, 45), (36, 45), (45, 45)]
    told.clear()
    made(tmp_path / "study", plan_of(), progress=lambda done, total: told.append((done, total)))
    assert told == [(45, 45)]


def test_a_summary_tells_what_is_left(tmp_path):
    folder, plan = tmp_path / "study", plan_of()
    made(folder, plan, shard=(1, 3))
    store = open_sweep(folder, plan, resume=True)
    lines, document = sweep_summary(folder, plan, store, 0)
    assert lines[0].startswith("2 of 4 chunks are done")
    assert lines[1] == "2 chunks are left: run the other shards, or continue with --resume"
    size = sum(path.stat().st_size for path in parts_of(folder))
    assert document == {"runs": 45, "chunks": 4, "missing": 2, "failed": 0, "bytes": size}


def test_a_shard_speaks_of_its_own_share_and_names_the_others_that_are_left(tmp_path):
    folder, plan = tmp_path / "study", plan_of(chunk=2)
    made(folder, plan, shard=(1, 3))
    lines, document = sweep_summary(folder, plan, open_sweep(folder, plan, resume=True), 0, (1, 3))
    assert lines[0].startswith("Shard 1/3: 3 of its 3 chunks are done; in the folder 3 of 8 chunks are done, ")
    assert lines[1] == "5 chunks are left: run the shards 2/3, 3/3, or continue with --resume"
    assert document["shard"] == {"runs": 18, "chunks": 3, "missing": 0}


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"study: cannot be "):
        open_sweep(tmp_path / "file" / "study", plan_of(), resume=False)


def test_chunks_that_another_process_holds_are_left_to_it_and_then_done(whole, tmp_path, monkeypatch):
    """The other process dies without a part; the first look finds its chunk claimed, a later one does not."""
    folder, plan = tmp_path / "study", plan_of()
    store = open_sweep(folder, plan, resume=False)
    real, held = store.claim, [2]

    class Held:
        def __init__(self, chunk):
            self.inner = None if chunk in held else real(chunk)

        def __enter__(self):
            if self.inner is None:
                held.clear()
                return False
            return self.inner.__enter__()

        def __exit__(self, *error):
            return self.inner.__exit__(*error) if self.inner else None

    monkeypatch.setattr(store, "claim", Held)
    carry_out(folder, plan, store, threads=1)
    assert held == []
    assert content(folder) == whole
