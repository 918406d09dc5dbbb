"""A sweep on a Dask cluster of two worker processes: the same bytes as here, also when workers die or a run kills its worker."""

import json
import os
import signal

import dask
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.cluster import SweepApart
from school_mentoring.experiments.sweep.execution import carry_out, open_sweep
from school_mentoring.experiments.sweep.store import FAILURES
from school_mentoring.model.errors import InputError
from tests.experiments.sweeps import content, made, parts_of, plan_of

QUIET = {"distributed.scheduler.allowed-failures": 0, "distributed.admin.tick.limit": "1h"}
KILLER = '''
import importlib.abc, importlib.util, os, signal, sys

class Hook(importlib.abc.MetaPathFinder):
    """Lets the runs of one parameter set kill their process, in every process of the test's cluster."""

    def find_spec(self, name, path, target=None):
        if name != "school_mentoring.experiments.ensemble":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def patched(module):
            execute(module)
            engine = module.run_batch

            def deadly(task, **options):
                batch = task.batch
                if any(
                    task.parameters["gamma"][s] == GAMMA and d % 2 == 1 for d, s in zip(batch.design, batch.parameter_set)
                ):
                    os.kill(os.getpid(), signal.SIGKILL)
                return engine(task, **options)

            module.run_batch = deadly

        spec.loader.exec_module = patched
        return spec

GAMMA = 0.75
sys.meta_path.insert(0, Hook())
'''


@pytest.fixture(autouse=True)
def _no_commit(monkeypatch):
    """Let a commit made while the tests run not tell two studies apart."""
    monkeypatch.setenv("GIT_DIR", "/nonexistent")


def two_workers():
    return LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50)


def test_a_cluster_makes_the_same_folder_also_when_workers_die(tmp_path):
    plan = plan_of(sampling="lhs:20", chunk=2)  # 30 chunks
    expected = made(tmp_path / "here", plan)
    folder = tmp_path / "there"
    store = open_sweep(folder, plan, resume=False)
    killed = []
    with dask.config.set({**QUIET, "distributed.scheduler.allowed-failures": 3}), two_workers() as cluster:
        with Client(cluster) as client:
            workers = list(client.run(os.getpid).values())

        def progress(done, total):
            if workers and done >= 20 * (2 - len(workers)) + 20:
                killed.append((len(parts_of(folder)), workers.pop()))
                os.kill(killed[-1][1], signal.SIGKILL)

        failed = carry_out(folder, plan, store, scheduler=cluster.scheduler_address, progress=progress)
        assert failed == 0
        assert len({pid for _, pid in killed}) == 2
        assert all(0 < parts < 30 for parts, _ in killed)
        assert content(folder) == expected

        # The same cluster, still warm: what is missing is done and nothing else.
        for path in parts_of(folder)[::3]:
            path.unlink()
        kept = {path: path.stat().st_mtime_ns for path in parts_of(folder)}
        carry_out(folder, plan, open_sweep(folder, plan, resume=True), scheduler=cluster.scheduler_address)
        assert content(folder) == expected
        assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_a_run_that_kills_its_worker_is_found_and_the_rest_goes_on(tmp_path, monkeypatch):
    plan = plan_of("gamma=0.5|0.75|1", sampling="grid:1", replicates=1, designs=("none", "top_down"), chunk=1)
    expected = made(tmp_path / "here", plan)
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(KILLER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))
    folder = tmp_path / "there"
    store = open_sweep(folder, plan, resume=False)
    with dask.config.set(QUIET), two_workers() as cluster:
        failed = carry_out(folder, plan, store, scheduler=cluster.scheduler_address)
    assert failed == 1
    found = content(folder)
    told = json.loads(found.pop(f"{FAILURES}/chunk-00000001.json"))
    assert told == [
        {
            "design": "top_down",
            "parameter_set": 1,
            "replicate": 0,
            "parameters": {"gamma": 0.75},
            "error": "RuntimeError: the run kills its process (SIGKILL)",
        }
    ]
    differing = {name for name in {*found, *expected} if found.get(name) != expected.get(name)}
    assert {name[:22] for name in differing} == {"results/part-00000001-"}
    monkeypatch.delenv("PYTHONPATH")
    again = made(folder, plan)
    assert again == expected


def test_runs_apart_are_the_runs_here(tmp_path):
    plan = plan_of(chunk=15)
    made(tmp_path / "study", plan)
    apart = SweepApart(tmp_path / "study", plan, threads=1)
    table, failures = apart.chunk(0)
    assert failures == []
    pd.testing.assert_frame_equal(table.to_pandas(), Sweep(plan, threads=1).chunk(0)[0].to_pandas(), check_exact=True)


def test_a_process_apart_that_fails_says_why(tmp_path):
    plan = plan_of(chunk=1, sampling="lhs:1", replicates=1, designs=("none",))
    table, failures = SweepApart(tmp_path / "no study", plan, threads=1).chunk(0)
    assert table.num_rows == 0
    assert "holds no study" in failures[0]["error"]


@pytest.mark.parametrize("address", ["nowhere", "tcp://127.0.0.1:9"])
def test_an_address_where_no_scheduler_answers_is_refused(tmp_path, monkeypatch, address):
    monkeypatch.setattr("school_mentoring.experiments.sweep.cluster.CONNECT_SECONDS", 1.0)
    plan = plan_of()
    store = open_sweep(tmp_path / "study", plan, resume=False)
    with pytest.raises(InputError) as caught:
        carry_out(tmp_path / "study", plan, store, scheduler=address)
    assert str(caught.value).startswith(f"--scheduler {address}: no Dask scheduler answers there (")
    assert "\n" not in str(caught.value)


def test_a_worker_with_other_code_of_the_model_is_refused(tmp_path, monkeypatch):
    """The plan says what code began the sweep; the workers' own code is what this test calls another."""
    plan = plan_of()
    monkeypatch.setattr("school_mentoring.experiments.sweep.plan.result_fingerprint", lambda: "0" * 16)
    store = open_sweep(tmp_path / "study", plan, resume=False)
    words = r"chunk \d could not be made \(RuntimeError: this worker has other code of the model"
    one_worker = LocalCluster(n_workers=1, processes=False, dashboard_address=None, silence_logs=50)
    with one_worker as cluster, pytest.raises(InputError, match=words):
        carry_out(tmp_path / "study", plan, store, scheduler=cluster.scheduler_address)
    assert not parts_of(tmp_path / "study")


def test_threads_of_one_worker_do_not_meet(tmp_path):
    plan = plan_of(sampling="lhs:20", chunk=2)
    expected = made(tmp_path / "here", plan)
    store = open_sweep(tmp_path / "there", plan, resume=False)
    with LocalCluster(n_workers=1, threads_per_worker=4, processes=False, dashboard_address=None, silence_logs=50) as cluster:
        carry_out(tmp_path / "there", plan, store, scheduler=cluster.scheduler_address)
    assert content(tmp_path / "there") == expected
