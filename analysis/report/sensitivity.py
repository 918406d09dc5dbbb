"""The report of a sensitivity study: its table for the terminal, its sentences, its files and figures.

Rules of the sentences. A parameter matters where its interval lies above what chance alone gives: 0 for first-order indices, the share of
chance in the variance for total ones, the dummy's interval for the others. One may be fixed where its total-order index is below FIX_BELOW
at the upper end of its interval, for every output and design that was analysed. A ranking is called settled as far down as each place
holds in 95 % of resamples. What is not settled is said first.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from school_mentoring.analysis.outcomes import (
    COMPARATOR,
    DECISION,
    DERIVED,
    INDEX_NAMES,
    RANKED,
    design_name,
    output_of,
    panel_name,
    target_name,
)

from .sentences import in_words, percent
from .terminal import Report, records

FIX_BELOW = 0.01
"""Share of the variance below which a parameter may be fixed (Saltelli et al. 2008, The Primer, section 4.5)."""

MOST_CHANCE = 0.05
"""Share of an output's variance, above which what cannot be told from chance is no reason to keep a parameter."""

SHOWN = 10  # parameters in the terminal's table
NAMED = 4  # in a sentence
GROUPED = 3  # outputs of which the groups are told in sentences; the tables have all


def title_of(state: Mapping[str, Any]) -> str:
    """Return two lines that say what was done."""
    numbers = "common random numbers" if state["random"] == "common" else "random numbers of their own"
    points = f"{state['points']:,} points" + (f" of {state['scramblings']} scramblings" if "scramblings" in state else "")
    return (
        f"Sensitivity by {state['method']}: {points}, {state['parameter_sets']:,} parameter sets\n"
        f"{state['replicates']} replicates of each design, {numbers}; {state['runs']:,} runs."
    )


def sensitivity_report(tables: Mapping[str, pd.DataFrame], state: Mapping[str, Any]) -> Report:
    """Return the report of what a study found: the tables of ``SensitivityFindings.tables`` and its state."""
    indices, outputs = tables["indices"], tables["outputs"]
    ranked = indices[indices["index"] == RANKED[state["method"]]]
    lead = _leading(ranked)
    columns, rows = _table(lead)
    said = [_verdict(state), *_lead_sentences(lead), *_decision(ranked, outputs, state), *_group_sentence(ranked), _noise(outputs, state)]
    if state["method"] == "sobol":
        tables = {**tables, "may_be_fixed": fixable(indices)}
        said.append(_fixed(tables["may_be_fixed"]))
    said += _problems(outputs)
    files = {f"{name}.{kind}": table for name, table in tables.items() for kind in ("csv", "parquet")}
    document = {"state": dict(state), "indices": records(indices), "outputs": records(outputs), "said": said}
    return Report(columns, rows, said, files, document, _figures(tables, state))


def fixable(indices: pd.DataFrame) -> pd.DataFrame:
    """Return one row per parameter: the highest upper end of its total-order index, where that is, and whether it may be fixed.

    Not asked are outputs of which chance makes up more than MOST_CHANCE, as far as an index cannot be told from chance there, and, of the
    decision, single designs, which may be best in a handful of sets: the choice as a whole counts. Fixing several loses at most the sum of
    their total-order indices of the variance; that sum is given for those that may be fixed.
    """
    heard = (indices["floor"] <= MOST_CHANCE) | indices["distinguishable"].astype(bool)
    indices = indices[heard & ((indices["output"] != DECISION) | (indices["design"] == ""))]
    rows = indices[(indices["index"] == "ST") & (indices["kind"] == "parameter")].reset_index(drop=True)
    worst = rows.loc[rows.groupby("parameter", sort=False)["high"].idxmax()]
    table = worst[["parameter", "group", "estimate", "high", "output", "design", "comparator"]].sort_values("high", kind="stable")
    table["may_be_fixed"] = table["high"] < FIX_BELOW
    table["lost_at_most"] = table["high"].cumsum().where(table["may_be_fixed"])
    return table.reset_index(drop=True)


def _leading(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the indices that the terminal shows: of the first output, less the comparator where differences were analysed."""
    rows = ranked[ranked["kind"] == "parameter"] if (ranked["kind"] == "parameter").any() else ranked[ranked["kind"] == "group"]
    rows = rows[rows["output"] == rows["output"].iloc[0]]
    against = rows[rows["comparator"] != ""]
    return against if len(against) else rows


def _table(lead: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the terminal's table: parameters by their largest index over designs; a dot where it cannot be told from chance."""
    wide = lead.assign(target=lead["design"] + "|" + lead["comparator"])
    targets = list(dict.fromkeys(wide["target"]))[:7]
    name = output_of(str(lead["output"].iloc[0])).label
    digits = 2 if lead["estimate"].abs().max() < 10 else 0
    order = wide.groupby("parameter", sort=False)["estimate"].max().sort_values(ascending=False, kind="stable").index[:SHOWN]
    cell = wide.set_index(["parameter", "target"])
    rows = []
    for parameter in order:
        values = [cell.loc[(parameter, target)] for target in targets]
        rows.append([str(parameter), *(f"{v['estimate']:,.{digits}f}" if v["distinguishable"] else "·" for v in values)])
    heads = [panel_name(*target.split("|")).replace(" ", "\n") for target in targets]
    index = INDEX_NAMES[str(lead["index"].iloc[0])]
    over = ", over\nno programme" if (lead["comparator"] == COMPARATOR).all() else ""
    return [f"{index} of\n{name}{over}", *heads], rows


def _verdict(state: Mapping[str, Any]) -> str:
    relative = " of the largest mu*" if state["method"] == "morris" else ""
    width = f"{state['widest']:.2f}{relative} ({state['widest_at']})"
    if state["settled"]:
        return f"Settled: the widest {percent(state['level'])} interval is {width}, within the {state['ci']:g} asked for."
    return (
        f"Not settled: {state['runs']:,} of at most {state['max_runs']:,} runs are spent, and the widest {percent(state['level'])} "
        f"interval is {width}, where {state['ci']:g} was asked for; so narrow are those of {state['outputs_settled']} of "
        f"{state['outputs']} outputs. Take what follows as far as its intervals reach, and no further."
    )


def _decision(ranked: pd.DataFrame, outputs: pd.DataFrame, state: Mapping[str, Any]) -> list[str]:
    """Say which design is best how often, how much of that is chance, and what decides it."""
    rows = outputs[(outputs["output"] == DECISION) & (outputs["mean"] > 0)].sort_values("mean", ascending=False, kind="stable")
    if rows.empty:
        return []
    shares = [f"{design_name(str(r['design']))} ({percent(r['mean'])})" for r in rows.to_dict("records")]
    k = f"{state['willingness_to_pay']:,.0f}"
    said = [f"At {k} EUR per adopter-year the best design, by share of parameter sets, is {in_words(shares)}."]
    joint = ranked[(ranked["output"] == DECISION) & (ranked["design"] == "") & (ranked["kind"] == "parameter")]
    return said + _lead_sentences(joint)


def _lead_sentences(lead: pd.DataFrame) -> list[str]:
    said = []
    for (design, comparator), rows in lead.groupby(["design", "comparator"], sort=False):
        clear = rows[rows["distinguishable"]].sort_values("place", kind="stable")
        what = target_name(str(rows["output"].iloc[0]), str(design), str(comparator))
        if clear.empty:
            said.append(f"For {what} nothing stands out from chance.")
            continue
        first = []
        for row in clear.head(NAMED).to_dict("records"):
            value, low, high = (f"{row[name]:,.{2 if abs(row['estimate']) < 10 else 0}f}" for name in ("estimate", "low", "high"))
            first.append(f"{row['parameter']} ({value}, {low} to {high})")
        places = int(clear["place_settled"].sum())
        few = {0: "no place in this order is settled", 1: "the first place is settled"}
        order = few.get(places, f"the first {places} in this order are settled")
        verb = "matters" if len(first) == 1 else "matter"
        rest = f"{len(rows) - len(clear)} of {len(rows)} cannot be told from chance"
        said.append(f"For {what}, {in_words(first)} {verb} most; {order}, and {rest}.")
    return said


def _group_sentence(ranked: pd.DataFrame) -> list[str]:
    rows = ranked[ranked["kind"] == "group"]
    if rows.empty or not (ranked["kind"] == "parameter").any():
        return []
    said = []
    for output in list(dict.fromkeys(rows["output"]))[:GROUPED]:
        part = rows[rows["output"] == output]
        against = part[part["comparator"] != ""]
        mean = (against if len(against) else part).groupby("parameter", sort=False)["estimate"].mean()
        mean = mean.sort_values(ascending=False, kind="stable")
        digits = 2 if mean.abs().max() < 10 else 0
        shares = [f"{name} ({value:,.{digits}f})" for name, value in mean.items()]
        index = INDEX_NAMES[str(part["index"].iloc[0])]
        said.append(f"Groups by {index} for {output_of(str(output)).label}, mean over designs: {in_words(shares)}.")
    return said


def _noise(outputs: pd.DataFrame, state: Mapping[str, Any]) -> str:
    rows = outputs[(outputs["problem"] == "")].dropna(subset=["noise_share"])
    if rows.empty:
        return "How much is chance cannot be said from one replicate; take at least two."
    worst = rows.loc[rows["noise_share"].idxmax()]
    where = target_name(*(str(worst[key]) for key in ("output", "design", "comparator")))
    needed = worst["replicates_needed"]
    rule = "no number of replicates would do" if needed == float("inf") else f"{needed:,.0f} replicates would bring that under 5 %"
    share = percent(worst["noise_share"])
    if worst["noise_share"] <= 0.05:
        return f"Chance makes up at most {share} of the variance ({where}): {state['replicates']} replicates suffice."
    enough = int((rows["noise_share"] <= 0.05).sum())
    return f"Chance makes up at most 5 % of the variance of {enough} of {len(rows)} outputs; most, {share}, of {where}: {rule}." + (
        " Total-order indices up to that share may be chance." if state["method"] == "sobol" else ""
    )


def _fixed(table: pd.DataFrame) -> str:
    may = table[table["may_be_fixed"]]
    if may.empty:
        rule = f"total-order index below {FIX_BELOW:g} at the upper end, for all outputs and designs"
        return f"No parameter may be fixed by the rule: {rule}."
    names = in_words([str(name) for name in may["parameter"]])
    lost = f"together at most {may['lost_at_most'].iloc[-1]:.3f} of a variance"
    return f"May be fixed, for all outputs and designs analysed ({lost}): {names}."


def _problems(outputs: pd.DataFrame) -> list[str]:
    """Name the targets that were not analysed: those that never vary in one sentence, the others with their runs."""
    constant = outputs["problem"].str.startswith("is the same")
    kinds = outputs["problem"].where(~constant, "")
    said = []
    for problem, rows in outputs[outputs["problem"] != ""].groupby(kinds, sort=False):
        names = [target_name(str(r["output"]), str(r["design"]), str(r["comparator"])) for _, r in rows.iterrows()]
        shown = in_words(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
        alike = f"Not analysed, as the same in every parameter set: {shown}."
        said.append(f"Not analysed: {shown}, which {problem}." if problem else alike)
    return said


def _figures(tables: Mapping[str, pd.DataFrame], state: Mapping[str, Any]) -> dict[str, Any]:
    from school_mentoring.analysis.figures import sensitivity as draw

    indices = tables["indices"]
    made: dict[str, Any] = {}
    for output in dict.fromkeys(indices["output"]):
        for difference in (False, True):
            rows = indices[(indices["output"] == output) & ((indices["comparator"] != "") == difference)]
            if len(rows):
                name = f"{output}_difference" if difference and output not in DERIVED else output
                made |= {f"{kind}_{name}": make for kind, make in _figures_of(rows, tables, state, output).items()}
    if "may_be_fixed" in tables and len(tables["may_be_fixed"]):
        made["may_be_fixed"] = partial(draw.may_be_fixed, tables["may_be_fixed"], FIX_BELOW)
    if "over_time" in tables:
        for difference, rows in tables["over_time"].groupby(tables["over_time"]["comparator"] != ""):
            name = "over_time_difference" if difference else "over_time"
            made |= {name: partial(draw.over_time, rows), f"{name}_total": partial(draw.total_over_time, rows)}
    return made


def _figures_of(rows: pd.DataFrame, tables: Mapping[str, pd.DataFrame], state: Mapping[str, Any], output: str) -> dict[str, Any]:
    """Return the figures of one output, of designs or of differences between them, by what they show."""
    from school_mentoring.analysis.figures import sensitivity as draw

    made: dict[str, Any] = {}
    ranked = rows[rows["index"] == RANKED[state["method"]]]
    if (rows["index"] == "sigma").any():
        made["morris"] = partial(draw.mu_sigma, rows)
    for kind, name in (("parameter", "indices"), ("group", "groups")):
        if (ranked["kind"] == kind).any():
            made[name] = partial(draw.bars, rows, kind=kind)
    if (rows["index"] == "S2").any():
        made["pairs"] = partial(draw.pairs, rows)
    if "one_at_a_time" in tables and output != DECISION:
        made["tornado"] = partial(draw.tornado, tables["one_at_a_time"], rows)
    if "points" in tables:
        made["scatter"] = partial(draw.scatter, tables["points"], rows)
    return made
