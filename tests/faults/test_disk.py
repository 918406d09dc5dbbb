"""A disk that fills up: one sentence, no half files, and a resume that ends as if nothing had been."""

import resource

import pytest

from tests.experiments.sweeps import content, parts_of
from tests.faults.command import SWEEP, swept

LARGE = [*SWEEP[: SWEEP.index("--replicates")], "--replicates", "100", "--chunk", "1000", "--workers", "1"]
"""4 chunks of 1,000 cells, so 3,000 runs: a part is larger than the description of the study."""


def limited(size):
    """Return what lets a process write no file larger than ``size`` bytes, as a full disk does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the content of the folder of a sweep that was left alone."""
    folder = tmp_path_factory.mktemp("undisturbed") / "study"
    assert swept(folder, base=LARGE).code == 0
    return content(folder)


def test_a_disk_that_fills_during_the_work_costs_the_chunk_under_way(undisturbed, tmp_path):
    folder = tmp_path / "study"
    sizes = sorted(len(data) for name, data in undisturbed.items() if name.startswith("results/"))
    assert len(undisturbed["study.json"]) < sizes[0]
    done = swept(folder, base=LARGE, preexec_fn=limited(sizes[-1] - 1))
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines()[-1] == f"error: --out {folder}: writing failed (File too large); free space, then continue with --resume"
    assert "Traceback" not in done.err
    assert content(folder).items() < undisturbed.items()
    assert swept(folder, "--resume", base=LARGE).code == 0
    assert content(folder) == undisturbed


def test_a_disk_that_is_full_from_the_start_leaves_no_folder(undisturbed, tmp_path):
    folder = tmp_path / "study"
    done = swept(folder, base=LARGE, preexec_fn=limited(4096))
    assert done.code == 2
    assert done.err.splitlines()[-1] == f"error: --out {folder}: cannot be written (File too large); give a folder you may write to"
    assert list(tmp_path.iterdir()) == []
    assert len(parts_of(folder)) == 0
