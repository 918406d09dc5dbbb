"""What a sweep records of single schools: adopting teachers at chosen months, instead of the outcomes of whole runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 64_000_000  # of the months of all schools that are held at a time


@dataclass(frozen=True)
class SchoolRecord:
    """W waves, each a month in which one practice (by its number) is looked at, of n ``schools``.

    ``ever``: instead of adopting teachers, record whether (1 or 0) a school has by then ever reached the mainstream threshold, with one
    teacher at least, which is its time of adoption as classic diffusion studies know it.
    """

    months: tuple[int, ...]
    practices: tuple[int, ...]
    schools: int
    ever: bool = False

    @property
    def cells(self) -> int:
        """Numbers recorded of a run: wave by wave, school by school."""
        return len(self.months) * self.schools

    def describe(self) -> dict[str, Any]:
        """Return the record as JSON holds it."""
        return {"months": list(self.months), "practices": list(self.practices), "schools": self.schools, "ever": self.ever}

    @staticmethod
    def of(described: Mapping[str, Any]) -> "SchoolRecord":
        """Return the record that ``describe`` described."""
        return SchoolRecord(tuple(described["months"]), tuple(described["practices"]), described["schools"], described["ever"])

    def runs_at_a_time(self, months: int, practices: int) -> int:
        """Return how many runs may hold all their schools and months in memory together."""
        return max(1, MOST_BYTES // (4 * months * (practices + 2) * self.schools))

    def read(self, schools: NDArray[np.int32], threshold: NDArray[np.float64], teachers: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return what is recorded of runs, (B, W, n).

        ``schools``: as in ``model.engine.Results``, (B, months, P + 2, n); ``threshold``: the runs' mainstream threshold, (B,);
        ``teachers``: of the schools in each run's world, (B, n).
        """
        waves = list(zip(self.months, self.practices, strict=True))
        if not self.ever:
            return np.stack([schools[:, month, practice] for month, practice in waves], axis=1)
        needed = np.maximum(1, np.ceil(threshold[:, None] * teachers - 1e-9)).astype(np.int32)
        reached = {practice: schools[:, :, practice] >= needed[:, None] for practice in set(self.practices)}
        return np.stack([reached[practice][:, : month + 1].any(axis=1) for month, practice in waves], axis=1).astype(np.int32)
