"""The recommendation: what a study says of which design to choose, as a document to hand over, and as tables.

Costs and effects are expected values over the parameter sets of the study, ranges from the 5 to the 95 % quantile over them. What the
chapters rest on: ``advice`` (the answer), ``cost_effectiveness``, ``equity``, ``budget_impact``, ``value_of_information``, ``robustness``,
``scenario_discovery``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from school_mentoring.analysis.economics.acceptability import acceptability, best_by_willingness, incremental, willingness_grid
from school_mentoring.analysis.economics.advice import Standing, choice_sentence, consequence_sentence, dependence_sentence, standing
from school_mentoring.analysis.economics.gates import gates_table
from school_mentoring.analysis.economics.psa import PERSPECTIVES, Sample, psa_sample
from school_mentoring.analysis.economics.value_of_information import ENOUGH_SETS, Perfect, evpi, evppi
from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.report.chapters.costs import budget_section, costs_section
from school_mentoring.analysis.report.chapters.depends import depends_section
from school_mentoring.analysis.report.chapters.facts import Evidence, Facts, StudyFacts, size_in_words
from school_mentoring.analysis.report.chapters.gains import gains_section
from school_mentoring.analysis.report.chapters.gates import gates_section
from school_mentoring.analysis.report.chapters.statements import assumptions_section, cheers_section, designs_section, limits_section
from school_mentoring.analysis.report.chapters.unknown import unknown_section
from school_mentoring.model.designs import FIELDS
from school_mentoring.model.errors import InputError, listed, nearest
from school_mentoring.model.parameters import row_of

from .document import Document, Items, Section, Text
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
    names = {name: f"{meaning} ({name})" for name in sample.parameters if (meaning := _meaning(str(name)))}
    found = standing(sample, willingness_to_pay)
    used = evidence.runs[pd.MultiIndex.from_frame(evidence.runs[["parameter_set", "replicate"]]).isin(sample.cost_runs.index)]
    facts = StudyFacts(sample, found, willingness_to_pay, names, evidence, used, perspective)
    weighed = _weigh(facts, _by_payer(used, found, perspective))
    known, tables = weighed.known, weighed.tables
    worth = [] if known is None else known.loc[known["worth_knowing"], "name"].astype(str).tolist()
    gates = []
    if len(evidence.gates):
        tables["gates.csv"] = gates_table(evidence.gates, willingness_to_pay, perspective=perspective)
        gates = [gates_section(tables["gates.csv"])]
    sections = [
        _answer_section(weighed, _conditions(facts, evidence.notes, perspective)),
        designs_section(evidence.designs, [names[name] for name in names if row_of(str(name)) is None]),
        costs_section(facts, tables["designs.csv"], tables["acceptability.csv"]),
        gains_section(facts, tables),
        budget_section(facts, tables),
        depends_section(facts, tables["willingness.csv"], tables),
        unknown_section(facts, weighed.perfect, known, tables),
        *gates,
        assumptions_section(evidence.ranges, list(sample.parameters), worth),
        limits_section(sample.sets, len(sample.cost_runs) // max(1, sample.sets), designs),
        Section("again", "How to run it again", [Text("\n".join(evidence.commands), code=True), Text(evidence.source)]),
        cheers_section(evidence, perspective, designs, sample),
    ]
    funded = f"funding in months {evidence.funding[0]} to {evidence.funding[1] - 1}"
    subtitle = f"{evidence.schools[0].upper()}{evidence.schools[1:]}; {evidence.months} months, {funded}; {size_in_words(sample)}."
    document = Document(f"Which way to organise school mentoring? {evidence.title}", subtitle, sections)
    return Recommendation(document, weighed.answer, tables, _json(facts, weighed) | {"perspective": perspective})


LEFT_OUT = (
    "Who gains, and what inequality changes: a sample holds no groups.",
    "Who pays, and in which year.",
    "What a survey or a pilot would be worth.",
    "Sources of assumptions, limits of the model, and the items of CHEERS 2022: to be stated by whoever made the sample.",
)
"""What the report of a study says, and a sample cannot."""


def recommendation_of_sample(sample: Sample, *, title: str, command: str, willingness_to_pay: float) -> Recommendation:
    """Return what a sample of another model says, and what it cannot. Raises InputError where there is nothing to choose from."""
    others = [name for name in sample.designs if name != sample.terms.comparator]
    if sample.terms.comparator not in sample.designs or not others:
        given = f"there are {listed(sample.designs)}"
        raise InputError("--comparator", f"names none of several designs: {sample.terms.comparator!r}", given)
    facts = Facts(sample, standing(sample, willingness_to_pay), willingness_to_pay, {})
    weighed = _weigh(facts, {})
    taken = "Costs, in EUR, and effects are taken as they are given, discounted or not, whoever bears them."
    sections = [
        _answer_section(weighed, _conditions(facts, [taken])),
        costs_section(facts, weighed.tables["designs.csv"], weighed.tables["acceptability.csv"]),
        depends_section(facts, weighed.tables["willingness.csv"], weighed.tables),
        unknown_section(facts, weighed.perfect, weighed.known, weighed.tables),
        Section("left-out", "What is left out", [Text("A sample of costs, effects and parameters does not say:"), Items(list(LEFT_OUT))]),
        Section("again", "How to run it again", [Text(command, code=True)]),
    ]
    document = Document(f"Which design to choose? {title}", f"A sample of another model; {size_in_words(sample)}.", sections)
    return Recommendation(document, weighed.answer, weighed.tables, _json(facts, weighed))


class _Weighed(NamedTuple):
    """The answer in its three sentences, the tables it rests on, the EVPI, and the table of what single parameters are worth, if any."""

    answer: list[str]
    tables: dict[str, pd.DataFrame]
    perfect: Perfect
    known: pd.DataFrame | None


def _weigh(facts: Facts, payers: Mapping[str, float]) -> _Weighed:
    """Return what a sample says of its designs; ``payers``: the parts of the added cost of the first one."""
    sample, found = facts.sample, facts.found
    table, ranges, perfect = incremental(sample), best_by_willingness(sample), evpi(sample, facts.k)
    tables = {"designs.csv": table, "standing.csv": found.table, "acceptability.csv": acceptability(sample, willingness_grid(sample))}
    known = None
    if sample.sets >= ENOUGH_SETS and sample.parameters.shape[1]:
        known = tables["worth_knowing.csv"] = evppi(sample, facts.k)
    tables["willingness.csv"] = ranges
    hangs_on = dependence_sentence(found, ranges, perfect, known, facts.names)
    return _Weighed([choice_sentence(found), consequence_sentence(found, table, payers), hangs_on], tables, perfect, known)


def _answer_section(weighed: _Weighed, conditions: str) -> Section:
    return Section("answer", "The answer", [*(Text(sentence, strong=True) for sentence in weighed.answer), Text(conditions)])


def _json(facts: Facts, weighed: _Weighed) -> dict[str, Any]:
    found, known = facts.found, weighed.known
    json = {"answer": weighed.answer, "best": found.first, "beside": found.beside, "willingness_to_pay": facts.k}
    json |= {"designs": records(weighed.tables["designs.csv"]), "standing": records(found.table), "evpi": finite(weighed.perfect.value)}
    return json | {"worth_knowing": [] if known is None else records(known[known["worth_knowing"]].drop(columns="parameters"))}


def _meaning(name: str) -> str:
    """Return what a varied thing is, as it stands within a sentence: a parameter, or a design's field (``regional_hub.fte``)."""
    if row := row_of(name):
        return _lower(row.meaning)
    design, _, field = name.rpartition(".")
    return f"{_lower(FIELDS[field].meaning)}, with {design_name(design)}" if field in FIELDS and design else ""


def _lower(text: str) -> str:
    """Return a text as it stands within a sentence; what begins with an acronym or a symbol stays."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _by_payer(used: pd.DataFrame, found: Standing, perspective: str) -> dict[str, float]:
    """Return the parts of the added cost of the first design, where society's costs count: by payer, and of raising money."""
    first = next((name for name in (found.first, *found.beside) if name != COMPARATOR), None)
    if first is None or perspective != "society":
        return {}
    columns = ["cost_programme", "cost_schools", "cost_society"]
    mean = used.assign(design=used["design"].astype(str)).groupby(["design", "parameter_set"])[columns].mean()
    programme, schools, society = (mean.loc[first] - mean.loc[COMPARATOR]).mean().tolist()
    parts = {"by the programme": programme, "by the schools": schools}
    return parts | {"for raising the programme's money": society - programme - schools}


def _conditions(facts: Facts, notes: Sequence[str], perspective: str = "") -> str:
    society = "society's: what programme and schools use, and what raising the programme's money costs"
    whose = {"society": society, "programme": "the programme's alone", "schools": "the schools' alone, less what they receive"}
    text = f"All this is given the model, its ranges and these {len(facts.sample.designs)} designs."
    if perspective:
        text += f" Costs are {whose[perspective]}."
    if facts.sample.sets < ENOUGH_SETS:
        few = "one" if facts.sample.sets == 1 else str(facts.sample.sets)
        text += f" With {few} parameter set{'s' if facts.sample.sets > 1 else ''} no probability is worth much."
    return " ".join([text, *notes])
