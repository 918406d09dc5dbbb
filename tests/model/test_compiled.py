"""Where compiled code is kept, and that it is found again."""

import os
import subprocess
import sys
import tempfile
import threading

from numba.core.caching import IndexDataCacheFile

from school_mentoring.model import compiled


def test_code_compiled_before_is_found_on_a_disk_that_may_only_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = compiled.cache_folder.__wrapped__()
    assert folder.parent == tmp_path / "school-mentoring"
    (folder / "engine.nbc").write_bytes(b"code")
    writable = tempfile.TemporaryFile

    def refused_there(*arguments, dir=None, **options):
        if dir == folder:
            raise PermissionError(dir)
        return writable(*arguments, dir=dir, **options)

    monkeypatch.setattr(tempfile, "TemporaryFile", refused_there)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "not-a-folder"))
    (tmp_path / "not-a-folder").write_text("")
    copy = compiled.cache_folder.__wrapped__()
    assert copy != folder
    assert (copy / "engine.nbc").read_bytes() == b"code"


def test_code_that_two_save_at_once_for_different_types_is_kept_apart(tmp_path):
    ours, theirs = (IndexDataCacheFile(str(tmp_path), "rule", "stamp") for _ in range(2))
    within, go_on = threading.Event(), threading.Event()
    save_index = ours._save_index

    def held(overloads):
        within.set()
        assert go_on.wait(60)
        save_index(overloads)

    ours._save_index = held
    first = threading.Thread(target=ours.save, args=("integers", b"code for integers"))
    second = threading.Thread(target=theirs.save, args=("reals", b"code for reals"))
    first.start()
    assert within.wait(60)  # the first has read the index, and not yet written it
    second.start()
    second.join(0.3)
    go_on.set()
    first.join(60)
    second.join(60)
    assert theirs.load("integers") == b"code for integers"
    assert theirs.load("reals") == b"code for reals"


CALLED = """
import gc
import numpy as np
from school_mentoring.model.compiled import compiled
from school_mentoring.model.observe import _sum
sum_compiled = compiled(_sum)  # a part, which other compiled code calls, for Python to call
print(sum_compiled(np.arange(5, dtype=np.int32)), sum(sum_compiled.stats.cache_hits.values()), gc.isenabled())
"""


def test_a_part_that_python_calls_is_found_on_disk_by_the_next_process_and_garbage_is_collected_again(tmp_path):
    for hits in (0, 1):
        done = subprocess.run(
            [sys.executable, "-c", CALLED],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.split()) == (0, ["10", str(hits), "True"]), done.stderr
