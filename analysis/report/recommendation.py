"""The recommendation: what a study says of which design to choose, as a document to hand over, and as tables.

Costs and effects are expected values over the parameter sets of the study, ranges from the 5 to the 95 % quantile over them. What the
chapters rest on: ``advice`` (the answer), ``cost_effectiveness``, ``equity``, ``budget_impact``, ``value_of_information``, ``robustness``,
``scenario_discovery``.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from school_mentoring.analysis.economics.acceptability import acceptability, best_by_willingness, incremental, willingness_grid
from school_mentoring.analysis.economics.advice import Standing, choice_sentence, consequence_sentence, dependence_sentence, standing
from school_mentoring.analysis.economics.psa import PERSPECTIVES, Sample, psa_sample
from school_mentoring.analysis.economics.value_of_information import evpi, evppi
from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.report.chapters.budget import budget_section
from school_mentoring.analysis.report.chapters.costs import costs_section
from school_mentoring.analysis.report.chapters.depends import depends_section
from school_mentoring.analysis.report.chapters.facts import ENOUGH_SETS, Evidence, Facts, size_in_words
from school_mentoring.analysis.report.chapters.gains import gains_section
from school_mentoring.analysis.report.chapters.statements import (
    assumptions_section,
    cheers_section,
    designs_section,
    discounting,
    limits_section,
)
from school_mentoring.analysis.report.chapters.unknown import unknown_section
from school_mentoring.model.designs import FIELDS
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.parameters import PARAMETERS

from .document import Document, Section, Text
from .terminal import finite, records


@dataclass(frozen=True)
class Recommendation:
    """``document`` to hand over; ``answer``: its three sentences; ``tables`` by file name; ``json``: what programs read."""

    document: Document
    answer: list[str]
    tables: dict[str, pd.DataFrame]
    json: dict[str, Any] = field(default_factory=dict)


def recommendation(evidence: Evidence, *, willingness_to_pay: float, perspective: str = "society") -> Recommendation:
    """Return the recommendation of a study at a willingness to pay in EUR per adopter-year, in a perspective of ``psa.PERSPECTIVES``.

    Raises InputError for another perspective, where there is no design but the comparator, and for runs that cannot be compared (a value
    that is no finite number).
    """
    if perspective not in PERSPECTIVES:
        raise InputError(f"--perspective {perspective}", f"no perspective named {perspective!r}", nearest(perspective, PERSPECTIVES))
    designs = list(dict.fromkeys(evidence.runs["design"].astype(str)))
    if len(designs) < 2:
        raise InputError("--designs", f"there is no design to compare with {COMPARATOR}", "allowed: one or more others")
    parameters = evidence.parameters if len(evidence.parameters) else None
    try:
        sample = psa_sample(evidence.runs, parameters, perspective=perspective)
    except ValueError as error:
        raise InputError("the study", str(error), "make it anew with designs and a horizon that give values") from None
    used = _used(evidence.runs, sample)
    found = standing(sample, willingness_to_pay)
    table = incremental(sample)
    tables = {"designs.csv": table, "standing.csv": found.table, "acceptability.csv": acceptability(sample, willingness_grid(sample))}
    names = {name: f"{meaning} ({name})" for name in sample.parameters if (meaning := _meaning(str(name)))}
    known = _worth_knowing(sample, willingness_to_pay, tables)
    perfect = evpi(sample, willingness_to_pay)
    ranges = best_by_willingness(sample)
    tables["willingness.csv"] = ranges
    answer = [
        choice_sentence(found),
        consequence_sentence(found, table, _by_payer(used, found, perspective)),
        dependence_sentence(found, ranges, perfect, known, names),
    ]
    worth = [] if known is None else known.loc[known["worth_knowing"], "name"].astype(str).tolist()
    facts = Facts(evidence, sample, used, found, willingness_to_pay, perspective, names)
    sections = [
        Section("answer", "The answer", [*(Text(sentence, strong=True) for sentence in answer), Text(_conditions(facts))]),
        designs_section(evidence.designs, [names[name] for name in names if name not in PARAMETERS]),
        costs_section(facts, table, tables["acceptability.csv"]),
        gains_section(facts, tables),
        budget_section(facts, tables),
        depends_section(facts, ranges, tables),
        unknown_section(facts, perfect, known, tables),
        assumptions_section(evidence.ranges, list(sample.parameters), worth),
        limits_section(sample.sets, len(sample.cost_runs) // max(1, sample.sets), designs),
        Section("again", "How to run it again", [Text("\n".join(evidence.commands), code=True), Text(evidence.source)]),
        cheers_section(
            evidence.title,
            evidence.schools,
            evidence.funding,
            evidence.months,
            perspective,
            designs,
            sample.sets,
            discounting(evidence.ranges, list(sample.parameters)),
        ),
    ]
    funded = f"funding in months {evidence.funding[0]} to {evidence.funding[1] - 1}"
    subtitle = f"{evidence.schools[0].upper()}{evidence.schools[1:]}; {evidence.months} months, {funded}; {size_in_words(sample)}."
    document = Document(f"Which way to organise school mentoring? {evidence.title}", subtitle, sections)
    json = {"answer": answer, "best": found.first, "beside": found.beside, "willingness_to_pay": willingness_to_pay}
    json |= {"perspective": perspective, "designs": records(table), "standing": records(found.table), "evpi": finite(perfect.value)}
    json |= {"worth_knowing": [] if known is None else records(known[known["worth_knowing"]].drop(columns="parameters"))}
    return Recommendation(document, answer, tables, json)


def _meaning(name: str) -> str:
    """Return what a varied thing is, as it stands within a sentence: a parameter, or a design's field (``regional_hub.fte``)."""
    if name in PARAMETERS:
        return _lower(PARAMETERS[name].meaning)
    design, _, field = name.rpartition(".")
    return f"{_lower(FIELDS[field].meaning)}, with {design_name(design)}" if field in FIELDS and design else ""


def _lower(text: str) -> str:
    """Return a text as it stands within a sentence; what begins with an acronym or a symbol stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _used(runs: pd.DataFrame, sample: Sample) -> pd.DataFrame:
    """Return the rows of the runs that the sample holds."""
    kept = sample.cost_runs.index
    keys = pd.MultiIndex.from_frame(runs[["parameter_set", "replicate"]])
    return runs[keys.isin(kept)]


def _by_payer(used: pd.DataFrame, found: Standing, perspective: str) -> dict[str, float]:
    """Return the added cost of the first design by payer, where all of society's costs count."""
    first = next((name for name in (found.first, *found.beside) if name != COMPARATOR), None)
    if first is None or perspective != "society":
        return {}
    mean = used.assign(design=used["design"].astype(str)).groupby(["design", "parameter_set"])[["cost_programme", "cost_schools"]].mean()
    extra = (mean.loc[first] - mean.loc[COMPARATOR]).mean()
    return {"programme": float(extra["cost_programme"]), "schools": float(extra["cost_schools"])}


def _worth_knowing(sample: Sample, k: float, tables: dict[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Return the value of knowing each parameter; None where there are too few sets, or nothing varies."""
    if sample.sets < ENOUGH_SETS or sample.parameters.shape[1] == 0:
        return None
    # Many small regressions, which threads of the linear algebra only get in the way of.
    with threadpool_limits(1):
        table = evppi(sample, k)
    tables["worth_knowing.csv"] = table
    return table


def _conditions(facts: Facts) -> str:
    whose = {"society": "the programme's and the schools'", "programme": "the programme's alone", "schools": "the schools' alone"}
    text = f"All this is given the model, its ranges and these {len(facts.sample.designs)} designs. Costs are {whose[facts.perspective]}."
    if facts.sample.sets < ENOUGH_SETS:
        few = "one" if facts.sample.sets == 1 else str(facts.sample.sets)
        text += f" With {few} parameter set{'s' if facts.sample.sets > 1 else ''} no probability is worth much."
    return " ".join([text, *facts.evidence.notes])
