"""Panels of runs under which designs are judged."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.ensemble import design_rows, parameter_sets, run_rows, runner
from school_mentoring.experiments.progress import Advance
from school_mentoring.experiments.variables import sample, uncertain_variables
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import Design
from school_mentoring.model.engine import Batch
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.programmes import Programme
from school_mentoring.scenarios import Scenario

GOLDEN = 0x9E3779B97F4A7C15  # odd, so that seeds of panels never meet
KEPT_SCHOOLS = 2_000_000


class Panel:
    """Runs under which designs are judged, so that they differ by nothing but themselves.

    ``cells`` runs for every design: cell c is replicate c under parameter set c modulo ``draws``, in a population of its own.
    With 0 ``draws`` all cells have the base parameters. Panels of different ``number`` share neither parameter sets nor random numbers. A
    scenario whose schools are read from a file has those schools in every cell.
    """

    def __init__(
        self, scenario: Scenario, cells: int, draws: int, number: int, *, engine: str = "compiled", threads: int | None = None
    ) -> None:
        seed = (scenario.seed + number * GOLDEN) % 2**64
        worlds = cells if scenario.world.schools is None else scenario.worlds
        self.scenario = scenario.model_copy(update={"seed": seed, "worlds": worlds})
        self.cells, uncertain = cells, uncertain_variables(self.scenario)
        self.sets: list[dict[Any, Any]] = [{}]
        if draws and uncertain:
            correlation = self.scenario.correlation([variable.name for variable in uncertain])
            self.sets = sample(f"sobol:{draws}", uncertain, seed, correlation).to_dict("records")
        self._parameters, structures = parameter_sets(scenario, self.sets)
        self._how: dict[str, Any] = {
            "structures": structures,
            "worlds": Worlds(self.scenario, keep=KEPT_SCHOOLS),
            "engine": runner(engine),
            "threads": threads,
        }

    def outcomes(self, designs: Sequence[Design | Programme], progress: Advance | None = None) -> NDArray[np.float64]:
        """Return the outcomes of every design in every cell, shape (designs, cells, len(OUTCOMES))."""
        table, tracks = design_rows(self.scenario, designs, self._how["worlds"])
        design, cell = (a.reshape(-1) for a in np.meshgrid(np.arange(len(designs)), np.arange(self.cells), indexing="ij"))
        batch = Batch(design, cell % len(self.sets), cell)
        results = run_rows(self.scenario, self._parameters, table, batch, **self._how, tracks=tracks, progress=progress)
        return results.outcomes.reshape(len(designs), self.cells, len(OUTCOMES))

    def runs(self, designs: Mapping[str, Design | Programme], progress: Advance | None = None) -> pd.DataFrame:
        """Return one row per design and cell: design, parameter_set (from 1; 0 where all have the base parameters), replicate, outcomes."""
        outcomes = self.outcomes(list(designs.values()), progress)
        cell = np.tile(np.arange(self.cells), len(designs))
        names = pd.Categorical.from_codes(np.repeat(np.arange(len(designs)), self.cells), categories=list(designs))
        keys = {"design": names, "parameter_set": cell % len(self.sets) + self._first, "replicate": cell}
        return pd.DataFrame({**keys, **{name: outcomes[..., k].reshape(-1) for k, name in enumerate(OUTCOMES)}})

    def parameters(self) -> pd.DataFrame:
        """Return the drawn values, one row per parameter set, as ``runs`` numbers them."""
        table = pd.DataFrame(self.sets)
        table.insert(0, "parameter_set", range(self._first, self._first + len(self.sets)))
        return table

    @property
    def _first(self) -> int:
        """The number of the first parameter set: 0 is that of the base parameters."""
        return 0 if self.sets == [{}] else 1
