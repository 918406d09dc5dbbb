"""What is not known and worth knowing: everything, single assumptions, and what a survey or a pilot would show."""

from typing import Any

import pandas as pd

from school_mentoring.analysis.economics.advice import euros, euros_with_error
from school_mentoring.analysis.economics.value_of_information import ENOUGH_SETS, Perfect, evsi, observed
from school_mentoring.analysis.figures import economics as draw
from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.report.document import Picture, Section, Table, Text
from school_mentoring.analysis.report.sentences import in_words, percent
from school_mentoring.model.parameters import row_of

from .facts import Facts, StudyFacts

ROUGH = 0.25
"""Values whose two standard errors are a larger part of them are called rough."""

TIED = 0.5
"""Parameters whose rank correlation over the parameter sets is larger, either way, cannot be looked at one by one."""

SURVEYS = (200, 2000)
"""Teachers asked in a survey wave."""

PILOT = (6, 200)
"""Clusters of a pilot, and teachers asked in it."""

NOTHING = "not told apart from nothing"


def unknown_section(facts: Facts, perfect: Perfect, known: pd.DataFrame | None, tables: dict[str, pd.DataFrame]) -> Section:
    """Return what would be worth knowing before the choice: ``perfect`` of ``evpi``, ``known`` of ``evppi`` (None: too little to tell)."""
    title = "What is not known and worth knowing"
    if not facts.spread:
        return Section("unknown", title, [Text("The study varies no assumption: it cannot say what would be worth knowing.")])
    blocks: list[Any] = [Text(_everything(facts, perfect))]
    figure: list[Any] = []
    if known is None:
        said = "The sample holds no parameters, so it cannot be said which of them matters."
        if facts.sample.sets < ENOUGH_SETS:
            said = f"With {facts.sample.sets} parameter sets it cannot be said which assumption matters; {ENOUGH_SETS} or more are needed."
        return Section("unknown", title, [*blocks, Text(said)])
    top = known[known["worth_knowing"]]
    if top.empty:
        blocks.append(Text("No single assumption is worth knowing by itself: each value is not told apart from that of shuffled numbers."))
    else:
        *words, picture = _assumptions(facts, perfect, known, top)
        blocks, figure = [*blocks, *words], [picture]
    return Section("unknown", title, [*blocks, *(_looking(facts, tables) if isinstance(facts, StudyFacts) else []), *figure])


def _everything(facts: Facts, perfect: Perfect) -> str:
    if not perfect.value > 0:
        return "The same design is best under every parameter set, so nothing more needs to be known for this choice."
    worth = euros_with_error(perfect.value, perfect.se)
    said = f"Knowing every uncertain assumption before the choice would be worth {worth} on average (EVPI; ± is two standard errors)"
    said += f", for this one choice{' for these schools' if facts.terms.ours else ''}; no study of them can be worth more."
    if perfect.lower < perfect.value:
        said += f" {euros(perfect.lower)} of it remain where one half of the runs chooses and the other half judges; the rest may be luck."
    if perfect.noise_share > 0.1:
        said += f" Chance between runs makes {percent(perfect.noise_share)} of the variance of the difference to the best rival."
    return said


def _assumptions(facts: Facts, perfect: Perfect, known: pd.DataFrame, top: pd.DataFrame) -> list[Any]:
    names = {str(name): facts.parameter(str(name)) for name in known["name"]}
    rows = [
        [names[str(r["name"])], euros_with_error(r["value"], r["se"]), percent(min(1.0, r["share"])), _kind(facts, str(r["name"]))]
        for r in top.head(12).to_dict("records")
    ]
    said = "; ".join(f"{names[str(r['name'])]} {euros_with_error(r['value'], r['se'])}" for r in top.head(3).to_dict("records"))
    picture = Picture(
        "worth_knowing",
        lambda: draw.information(known, perfect.value, willingness_to_pay=facts.k, unit=facts.terms.unit),
        f"Bars of the value of knowing single assumptions, the highest: {said}.",
        "Expected value of partial perfect information (EVPPI) of single assumptions. Values do not add up: assumptions act together.",
    )
    columns = ["assumption", "value ± two standard errors", "of the EVPI", "its range is"]
    table = Table("What knowing single assumptions exactly would be worth", columns, rows, (3,), (48, 28, 14, 14))
    return [table, Text(_how_rough(facts, known, top)), picture]


def _how_rough(facts: Facts, known: pd.DataFrame, top: pd.DataFrame) -> str:
    said = (
        f"Left out are assumptions worth up to {euros(float(top['floor'].iloc[0]))}: in 19 of 20 shuffles of the parameter sets, in which "
        f"nothing is to be learnt, none of the {len(known)} is worth more. So are values within two standard errors of 0."
    )
    if (2 * top["se"] > ROUGH * top["value"]).any():
        said += f" The values are rough: {facts.sample.sets:,} parameter sets are few for this question; a sweep of more sets is sharper."
    near = [str(name) for name in top.loc[top["near_first"], "name"]]
    if len(near) > 1:
        said += f" Which is the highest is not settled: {in_words(near)} lie within two standard errors of each other."
    return said + _tied(facts, top["name"].astype(str).tolist())


def _tied(facts: Facts, names: list[str]) -> str:
    """Say which of the parameters go together with others in the parameter sets, by a fit to data or by poor sampling."""
    related = facts.sample.parameters.corr("spearman")
    said = []
    for name in names:
        others = related[name].drop([*names[: names.index(name)], name])
        said += [f"{name} and {other} ({value:.2f})" for other, value in others.items() if abs(value) > TIED]
    if not said:
        return ""
    return f" In these parameter sets {in_words(said)} go together (rank correlation), so the worth of one may be that of the other."


def _looking(facts: StudyFacts, tables: dict[str, pd.DataFrame]) -> list[Any]:
    """Return what surveys and a pilot at the end of funding would be worth, where the runs tell what they would show."""
    found = {name: evsi(facts.sample, facts.k, data) for name, data in _studies(facts).items()}
    if not found:
        return []
    tables["worth_looking.csv"] = pd.DataFrame([{"study": name, **learnt._asdict()} for name, learnt in found.items()])
    rows = [[name, euros_with_error(one.value, one.se) if one.tells else NOTHING] for name, one in found.items()]
    said = (
        f"Half of the teachers asked are with {design_name(facts.chosen)}, half without a programme; they are asked at the end of funding "
        "whether they use the practice, and answer truly. A pilot shows more chance, the fewer its clusters. The value lies between 0 and "
        "the EVPI. It is before the cost of asking, and is had only where the choice can wait until a programme has been tried."
    )
    return [Table("What looking would be worth (EVSI)", ["study", "value ± two standard errors"], rows, (), (60, 40)), Text(said)]


def _studies(facts: StudyFacts) -> dict[str, pd.DataFrame]:
    """Return what studies would show in each parameter set, by what they are called."""
    used, keys = facts.used, ["parameter_set", "replicate"]
    schools = [name for name in used.columns if name.startswith("teachers:country:")]
    if facts.chosen == COMPARATOR or not schools:
        return {}
    share = used["adopters_end_of_funding"] / used[schools].sum(axis=1)
    shares = used[keys].assign(design=used["design"].astype(str), share=share).pivot(index=keys, columns="design", values="share")
    shares = shares[[COMPARATOR, facts.chosen]]
    found = {f"a survey of {asked:,} teachers": observed(shares, respondents=asked // 2) for asked in SURVEYS}
    clusters = round(float(used.loc[used["design"].astype(str) == facts.chosen, "mentor_schools"].mean()))
    few, asked = PILOT
    if clusters > few and shares.groupby(level="parameter_set").size().min() > 1:
        study = f"a pilot of {few} clusters, {asked} teachers asked"
        found[study] = observed(shares, respondents=asked // 2, clusters=few, clusters_simulated=clusters)
    return found


def _kind(facts: Facts, name: str) -> str:
    if not isinstance(facts, StudyFacts):
        return "not stated"
    row = row_of(name)
    return row.kind if row else "choice"
