"""Scale: the designs of a scenario at growing numbers of clusters, on common random numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from school_mentoring.model.designs import Design
from school_mentoring.model.engine import run_batch
from school_mentoring.model.errors import InputError, listed
from school_mentoring.model.programmes import Programme
from school_mentoring.model.state import MENTOR
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import COMPARATOR, Scenario

from .compare import notes_on, with_comparator
from .ensemble import BatchRunner, run_ensemble
from .notes import fixed_note
from .progress import Advance
from .scaling import ladder_of
from .worlds import Worlds

STEPS = 6
"""Sizes where none are stated: the last has clusters for all schools, each of 1 + 4 as in the pilot, and each other half as many."""
CLUSTER = 5


@dataclass(frozen=True)
class Growth:
    """What ``grow`` found.

    ``runs``: one row per run at the base parameters, columns ``design``, ``clusters`` (0: the programme's frame without any),
    ``parameter_set``, ``replicate`` and the outcomes; those of ``none`` have 0 clusters. ``left_out``: why designs have no such sizes.
    """

    scenario: Scenario
    schools: Schools
    sizes: tuple[int, ...]
    runs: pd.DataFrame
    left_out: Mapping[str, str]

    @property
    def title(self) -> str:
        """Two lines that say what was run."""
        one = self.scenario
        size = f"{len(self.schools):,} schools, {one.months} months; {one.replicates:,} runs of each design and size at the base parameters"
        return f"{one.title or one.name}\n{size}."

    @property
    def notes(self) -> list[str]:
        """What a reader must know of where the schools and parameters come from."""
        return [*notes_on(self.scenario, self.schools), *fixed_note(self.scenario)]


def grow(
    scenario: Scenario, clusters: str, *, engine: BatchRunner = run_batch, threads: int | None = None, progress: Advance = lambda *_: None
) -> Growth:
    """Run every design of a scenario at several numbers of clusters: those of a text such as ``6,12,24``, or, where it is empty, ``STEPS``.

    Raises InputError for what are no numbers of clusters, and where no design has clusters whose number can change.
    """
    scenario = with_comparator(scenario)
    worlds = Worlds(scenario)
    world, schools = worlds.get(scenario.base_parameters(), 0)
    sizes = _sizes(clusters, len(schools))
    named = bool((world.named_role == MENTOR).any())
    labels: list[tuple[str, int]] = [(COMPARATOR, 0)]
    designs: list[Design | Programme] = [scenario.designs[COMPARATOR]]
    left_out = {}
    for name, design in scenario.designs.items():
        ladder = ladder_of(design, len(schools), named=named)
        if ladder.unit == "cluster":
            for size in (0, *(size for size in sizes if size <= ladder.first)):
                labels.append((name, size))
                designs.append(ladder.at(size))
        elif name != COMPARATOR:
            left_out[name] = ladder.limit if not ladder.unit else "it has no clusters"
    if len(labels) == 1:
        raise InputError("--designs", "none of them has clusters whose number can change", "allowed: designs with mentors")
    sized = scenario.model_copy(update={"designs": dict(zip(map(str, range(len(designs))), designs, strict=True))})
    runs = run_ensemble(sized, [{}], scenario.replicates, worlds=worlds, engine=engine, threads=threads, progress=progress).runs
    names = list(scenario.designs)
    codes, counts = zip(*((names.index(name), size) for name, size in labels), strict=True)
    keys = {
        "design": pd.Categorical.from_codes(np.repeat(codes, scenario.replicates), categories=names),
        "clusters": np.repeat(counts, scenario.replicates),
    }
    return Growth(scenario, schools, sizes, pd.concat([pd.DataFrame(keys), runs.drop(columns="design")], axis=1), left_out)


def _sizes(text: str, schools: int) -> tuple[int, ...]:
    """Return numbers of clusters, the smallest first. Raises InputError for what is no whole number from 1 to half of the schools."""
    most = max(1, schools // 2)
    if not text:
        return tuple(sorted({max(1, schools // CLUSTER) >> step for step in range(STEPS)} - {0}))
    words = [word.strip() for word in text.split(",")]
    if wrong := [word for word in words if not (word.isdecimal() and 1 <= int(word[:9]) <= most)]:
        problem = f"{listed(map(repr, wrong))}: no number of clusters among {schools:,} schools"
        raise InputError(f"--clusters {text}", problem, f"allowed: whole numbers from 1 to {most:,}, separated by commas")
    return tuple(sorted({int(word) for word in words}))
