"""What a recommendation rests on, and what its chapters share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from school_mentoring.analysis.economics.advice import Standing
from school_mentoring.analysis.economics.psa import Sample
from school_mentoring.analysis.outcomes import Terms
from school_mentoring.model.designs import Design
from school_mentoring.model.programmes import Programme


@dataclass(frozen=True)
class Evidence:
    """What a recommendation rests on.

    ``runs``: one row per run, broken down where the study recorded it; ``parameters``: the drawn values by ``parameter_set``. ``designs``:
    what the runs are of, by name. ``title``, ``months``, ``funding`` (first month, first without), ``schools`` (number, or how they came),
    ``countries``: names by code; ``ranges``: of the scenario's parameters (base, low, high, distribution); ``commands``: to make it again;
    ``source``: versions and seed in a line; ``notes``: what a reader must know of the data. ``budget``: ``budget.csv`` of designs that were
    scaled to one, ``budget_words``: what it is. ``gates``: runs of ``economics.gates``.
    """

    runs: pd.DataFrame
    parameters: pd.DataFrame
    designs: Mapping[str, Design | Programme]
    title: str
    months: int
    funding: tuple[int, int]
    schools: str
    countries: Mapping[str, str]
    ranges: Mapping[str, Mapping[str, Any]]
    commands: Sequence[str]
    source: str
    notes: Sequence[str] = ()
    budget: pd.DataFrame | None = None
    budget_words: str = ""
    gates: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class Facts:
    """What the chapters share: the sample and how its designs stand at ``k`` EUR; ``names``: what parameters of the model are called."""

    sample: Sample
    found: Standing
    k: float
    names: Mapping[str, str]

    @property
    def spread(self) -> bool:
        """Whether there are several parameter sets, so ranges."""
        return self.sample.sets > 1

    @property
    def terms(self) -> Terms:
        """What effect and comparator are called."""
        return self.sample.terms

    @property
    def chosen(self) -> str:
        """The design that the report looks at most: the first that is not the comparator."""
        return next((str(name) for name in self.found.table["design"] if name != self.terms.comparator), self.terms.comparator)

    def parameter(self, name: str) -> str:
        """Return what a varied thing is called."""
        return self.names.get(name, name)


@dataclass(frozen=True)
class StudyFacts(Facts):
    """What chapters on a study's own runs need besides: ``used``: the runs that the sample holds."""

    evidence: Evidence
    used: pd.DataFrame
    perspective: str


def size_in_words(sample: Sample) -> str:
    """Say how many parameter sets and runs a study has."""
    replicates = len(sample.cost_runs) // max(1, sample.sets)
    if sample.sets == 1:
        return f"one parameter set, {replicates} {'run' if replicates == 1 else 'runs'} of each design"
    return f"{sample.sets:,} parameter sets, {replicates} {'run' if replicates == 1 else 'runs'} of each design under each"


def not_recorded(what: str) -> str:
    """Say what a study lacks, and which have it."""
    return f"This study did not record its runs {what}. A comparison does, and so does a sweep with --broken-down."
