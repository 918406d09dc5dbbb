"""Runs of a sweep in a process apart, so that a run that kills its process is found like any other that fails."""

import io
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import school_mentoring

from .chunks import Sweep
from .plan import Plan, read_plan


class SweepApart(Sweep):
    """Computes the chunks of the sweep in a folder, every piece of a chunk in a new process."""

    def __init__(self, folder: Path, plan: Plan, *, engine: str = "compiled", threads: int | None = None) -> None:
        super().__init__(plan, engine=engine, threads=threads)
        self._call = [sys.executable, "-m", __name__, str(folder.absolute()), engine, str(threads or 0)]

    def outcomes(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the outcomes of the runs of some rows; raises RuntimeError where their process dies."""
        given = io.BytesIO()
        np.save(given, rows[["cell", "design"]].to_numpy(np.int64))
        root = Path(school_mentoring.__file__).parents[1]
        done = subprocess.run(self._call, input=given.getvalue(), capture_output=True, check=False, cwd=root)
        if done.returncode < 0:
            raise RuntimeError(f"the run kills its process ({signal.Signals(-done.returncode).name})")
        if done.returncode > 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise RuntimeError(lines[-1] if lines else f"the run ends its process with code {done.returncode}")
        return np.asarray(np.load(io.BytesIO(done.stdout)), np.float64)


def _main(folder: str, engine: str, threads: str) -> None:
    """Read rows from standard input and write their outcomes to standard output."""
    cells = np.load(io.BytesIO(sys.stdin.buffer.read()))
    rows = pd.DataFrame({"cell": cells[:, 0], "design": cells[:, 1]})
    outcomes = Sweep(read_plan(Path(folder)), engine=engine, threads=int(threads) or None).outcomes(rows)
    # By way of a buffer, as numpy asks a file for its position, which a pipe does not have.
    taken = io.BytesIO()
    np.save(taken, outcomes)
    sys.stdout.buffer.write(taken.getvalue())


if __name__ == "__main__":
    _main(*sys.argv[1:])
