"""What a recommendation says of itself: assumptions with their sources, limits, and the items of CHEERS 2022 that apply.

CHEERS 2022: Husereau et al. 2022, Value in Health 25, 3-9 (consolidated health economic evaluation reporting standards).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from school_mentoring.analysis.describe import describe
from school_mentoring.analysis.economics.psa import Sample
from school_mentoring.analysis.outcomes import design_name
from school_mentoring.analysis.report.document import Block, Items, Section, Table, Text
from school_mentoring.analysis.report.sentences import in_words
from school_mentoring.model.designs import Design
from school_mentoring.model.parameters import PARAMETERS, row_of
from school_mentoring.model.programmes import Programme

from .facts import Evidence


def assumptions_section(ranges: Mapping[str, Mapping[str, Any]], varied: Sequence[str], worth_knowing: Sequence[str]) -> Section:
    """Return the table of parameters, those worth knowing first, with value, range, kind and source.

    ``ranges``: of the scenario (base, low, high, distribution) by parameter; ``varied``: those that the study drew.
    """
    known = {name: row for name in (*worth_knowing, *(ranges or PARAMETERS)) if (row := row_of(name))}
    first = [name for name in worth_knowing if name in known]
    rows = []
    for name, row in known.items():
        own = ranges.get(name, {})
        base, low, high = (float(own.get(end, getattr(row, end))) for end in ("base", "low", "high"))
        changed = (base, low, high) != (row.base, row.low, row.high)
        span = f"{low:g} to {high:g}" if name in varied else "not varied"
        source = "stated by the scenario" if changed else f"{row.kind}: {row.source}"
        rows.append([f"{row.meaning} ({name})", f"{base:g}", span, row.unit, source])
    kinds = {kind: sum(row.kind == kind for row in known.values()) for kind in ("evidence", "inference", "assumption")}
    plural = {"evidence": "evidence", "inference": "inferences", "assumption": "assumptions"}
    counted = in_words([f"{count} {kind if count == 1 else plural[kind]}" for kind, count in kinds.items()])
    drawn = sum(name in varied for name in known)
    how_many = "All" if drawn == len(known) else "None" if not drawn else f"{drawn}"
    said = (
        f"The model has {len(known)} parameters: {counted}. {how_many} of them were varied together. Evidence "
        "is a figure seen in a source, an inference derives from one, an assumption is a judgement."
    )
    caption = "Every parameter" + (", those worth knowing first" if first else "")
    table = Table(caption, ["parameter", "base", "range", "unit", "source"], rows, (3, 4), (30, 8, 13, 12, 37))
    return Section("assumptions", "Assumptions and their sources", [Text(said), table])


def designs_section(designs: Mapping[str, Design | Programme], varied: Sequence[str]) -> Section:
    """Return what each design is; ``varied``: the fields of designs that the study drew, in words."""
    said = [f"{design_name(name)}: {describe(design, designs)}" for name, design in designs.items()]
    blocks: list[Block] = [Items([f"{one[0].upper()}{one[1:]}" for one in said])]
    if varied:
        blocks.append(Text(f"Varied by the study, and told here as the scenario has it: {in_words(varied)}."))
    return Section("designs", "The designs compared", blocks)


def limits_section(sets: int, replicates: int, designs: Sequence[str]) -> Section:
    """Return what the study cannot bear."""
    items = [
        "The results are those of a model. A probability of being best holds given its rules, the ranges of its parameters and the designs "
        "compared; a mistake in the rules that no parameter varies is not in any figure.",
        "Most parameters are assumptions with wide ranges. Until the model is fitted to observations of a real programme, differences "
        "between designs deserve more trust than effects in absolute numbers.",
        "Schools are synthetic unless the study names a school table; single schools mean nothing.",
        "An adopter-year says that a teacher uses a practice, not that pupils learn more; no value of learning is in these figures.",
        "Costs and effects after the last month simulated are not counted, which is hard on designs whose costs come first.",
    ]
    if "outreach" in designs:
        items.append("The effect of outreach rests on three rates of an open course (enrolment, completion, uptake); one was measured.")
    if sets == 1:
        items.append("One parameter set was looked at: nothing is said of how wrong its assumptions may be.")
    if replicates == 1 and sets == 1:
        items.append("One run was made: differences may be chance.")
    return Section("limits", "Limits", [Items(items)])


def discounting(ranges: Mapping[str, Mapping[str, Any]], varied: Sequence[str]) -> str:
    """Say by how much costs and effects are discounted."""
    row, own = PARAMETERS["discount_rate"], ranges.get("discount_rate", {})
    base, low, high = (100 * float(own.get(end, getattr(row, end))) for end in ("base", "low", "high"))
    if "discount_rate" not in varied:
        return f"{base:g} % a year, costs and effects alike"
    return f"{low:g} to {high:g} % a year over the parameter sets (base {base:g} %), costs and effects alike; a scenario may fix a rate"


def cheers_section(evidence: Evidence, perspective: str, designs: Sequence[str], sample: Sample) -> Section:
    """Return the items of CHEERS 2022 that apply, each with its answer or the chapter that holds it."""
    society = "all that programme and schools use (teachers' unpaid time included), and what raising the programme's money costs"
    whose = {"society": f"Society: {society}", "programme": "The programme: its outlays", "schools": "The schools, less what they receive"}
    drawn = f"{sample.sets:,} parameter sets drawn from all uncertain parameters together"
    rows = [
        ["1 Title", f"Economic evaluation of school mentoring designs by simulation: {evidence.title}"],
        ["2 Abstract", "The answer"],
        ["3 Background and objectives", "How to coordinate clusters of schools so that a teaching practice spreads, lasts and reaches all"],
        ["4 Analysis plan", "None was registered; the program's rules and its documentation stand in its place"],
        ["5 Study population", evidence.schools],
        ["6 Setting and location", f"Schools and their teachers; funding in months {evidence.funding[0]} to {evidence.funding[1] - 1}"],
        ["7 Comparators", in_words([design_name(name) for name in designs])],
        ["8 Perspective", whose[perspective]],
        ["9 Time horizon", f"{evidence.months} months"],
        ["10 Discount rate", discounting(evidence.ranges, list(sample.parameters))],
        ["11-13 Outcomes", "Adopter-years: teachers who use the practice, over time; their worth in EUR is a judgement, so it is varied"],
        ["14 Resources and costs", "Quantity x unit price, by month, country, category and payer; unit prices under Assumptions; stipends "
         "and grants are transfers, which cost society nothing but what raising them takes"],
        ["15 Currency, price date", "EUR of 2023"],
        ["16-17 Model and its assumptions", "Agent-based simulation of schools (docs/odd.md, by the ODD protocol); Assumptions, Limits"],
        ["18-19 Heterogeneity, distribution", "Who gains; What it costs whom and when"],
        ["20 Uncertainty", f"{drawn if sample.sets > 1 else 'none: one parameter set'}; acceptability curves, value of information"],
        ["21, 25 Engagement of those affected", "None in this study; whoever hands it over should say who was heard"],
        ["22 Study parameters", "Assumptions and their sources"],
        ["23-24 Results, effect of uncertainty", "The chapters on costs and effects, on what it depends on, and on what is worth knowing"],
        ["26 Limits, generalisability", "Limits"],
        ["27-28 Funding, conflicts of interest", "To be stated by whoever hands this report over"],
    ]  # fmt: skip
    table = Table("Items that apply, and where they are answered", ["item", "answer"], rows, (1,), (28, 72))
    return Section("cheers", "Reporting items (CHEERS 2022)", [table])
