"""The report of a calibration: its table for the terminal, its sentences, its files and figures.

What is said first is what the data cannot tell. A parameter is called told by the data where its posterior is at most half as wide as its
prior, not told where it keeps nine tenths of the prior's width.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.outcomes import design_name
from school_mentoring.model.parameters import row_of

from .forecasts import lost, score_lines
from .sentences import in_words
from .terminal import Report, records

TOGETHER = 0.6  # correlation of two parameters from which only their combination is told
NORMAL = 0.5  # kurtosis of summaries beyond that of the normal which is said
CHECK = 0.5  # sd of emulated less direct log-likelihood which is said
R_HAT = 1.01
WIDER = 10.0  # times as far, for a prior at whose end the posterior lies
FEW = 400
TOLD = {"well": "told by the data", "partly": "partly told", "not": "not told: keeps its prior", "edge": "at the edge of its prior"}
TOLD |= {"unfit": "narrower, but does not fit", "point": "a point: does not fit"}


def title_of(state: Mapping[str, Any]) -> str:
    """Return two lines that say what was fitted to what."""
    what = {"counts": "adopting teachers among respondents", "scale": "means on a scale", "times": "times of adoption"}[state["kind"]]
    months = state["months"]
    when = in_words([str(month) for month in months]) if len(months) <= 6 else f"{months[0]} to {months[-1]}"
    how = f"{state['likelihood']} likelihood" if "likelihood" in state else "point fit"
    return (
        f"Calibration of {design_name(state['design'])}: {len(state['parameters'])} parameters, {state['answers']:,} observations\n"
        f"{state['schools']:,} schools, {what}, {state.get('step', 'month')}s {when}; {how}."
    )


def calibration_report(tables: Mapping[str, pd.DataFrame], state: Mapping[str, Any], funding: tuple[int, int] | None = None) -> Report:
    """Return the report of what a calibration found: ``CalibrationFindings.tables`` and its state; ``funding``: funded months."""
    parameters = tables["parameters"]
    columns = ["parameter", "prior\nmean", "90 %", "posterior\nmean", "90 %", "width\nof prior", "data say"]
    rows = [_row(row) for row in parameters.to_dict("records")]
    warned = [*_misfit(parameters, state), *_at_edges(parameters), *_points(parameters), *lost(tables.get("scores"))]
    said = [
        *(["SYNTHETIC: the observations say of themselves that they are made up."] if state.get("synthetic") else []),
        *_identified(parameters),
        *_together(parameters),
        *_curves(state),
        *score_lines(tables.get("scores"), state.get("splits", [])),
        *_countries(tables.get("countries")),
        *_trust(parameters, state),
    ]
    large = ("draws", "prior_draws", "curves")
    files = {f"{name}.parquet": tables[name] for name in large} | {f"{name}.csv": tables[name] for name in tables if name not in large}
    document = {
        "state": {key: value for key, value in state.items() if key not in ("clusters", "structures")},
        "parameters": records(parameters),
        "scores": records(tables.get("scores", pd.DataFrame())),
        "countries": records(tables.get("countries", pd.DataFrame())),
        "warnings": warned,
        "said": said,
    }
    return Report(columns, rows, said, files, document, _figures(tables, state, funding), warnings=warned)


def _row(row: Mapping[str, Any]) -> list[str]:
    """Return a line of the table, with two figures of the spread of each distribution."""
    cells = [str(row["parameter"])]
    for label in ("prior", "posterior"):
        sd = row[f"{label}_sd"]
        digits = int(np.clip(1 - np.floor(np.log10(sd)), 0, 8)) if sd > 0 else 4
        cells += [f"{row[f'{label}_mean']:.{digits}f}", f"{row[f'{label}_low']:.{digits}f} to {row[f'{label}_high']:.{digits}f}"]
    return [*cells, f"{100 * row['sd_ratio']:.0f} %", TOLD[row["told"]]]


def _identified(parameters: pd.DataFrame) -> list[str]:
    by = {told: [str(name) for name in parameters.loc[parameters["told"] == told, "parameter"]] for told in TOLD}
    said = []
    if by["not"]:
        kept, them = ("keeps its prior", "it") if len(by["not"]) == 1 else ("keep their priors", "them")
        said.append(f"The data cannot tell {in_words(by['not'])}, which {kept}: what is concluded from {them} rests on assumption.")
    if by["partly"]:
        be = "is" if len(by["partly"]) == 1 else "are"
        said.append(f"{in_words(by['partly'])} {be} partly told: moved, or narrower than the prior by no more than half.")
    if by["well"]:
        said.append(f"The data tell {in_words(by['well'])}: less than half as uncertain as before.")
    return said


def _together(parameters: pd.DataFrame) -> list[str]:
    rows = parameters[parameters["correlation"].abs() >= TOGETHER].to_dict("records")
    pairs = {frozenset((row["parameter"], row["goes_with"])): row["correlation"] for row in rows}
    return [
        f"{in_words(sorted(pair))} go together (correlation {value:+.2f}): told better together than each, so use the joint draws."
        for pair, value in pairs.items()
    ]


def _misfit(parameters: pd.DataFrame, state: Mapping[str, Any]) -> list[str]:
    """Return that the model does not fit, where it is farthest off, and what may mend it, in the order in which to try."""
    if not state.get("misfit"):
        return []
    chance = min(state.get("fit_probability", 1.0), state.get("aggregate_p", 1.0))
    rows = {row["parameter"]: row for row in parameters.to_dict("records")}
    where, remedies = "", _widened([row for row in rows.values() if row["edge"]])
    if worst := state.get("worst"):
        seen, low, high = (f"{100 * worst[name]:.3g}" for name in ("seen", "low", "high"))
        where = f"; {worst['group']}, month {worst['month']}: seen {seen} %, expected {low} to {high} %"
        more, once = worst["seen"] > 0.5 * (worst["low"] + worst["high"]), state.get("kind") == "times"
        name = "p" if more else "gamma" if once else "d"  # what makes more adopters, fewer early ones, or fewer of all
        remedies = remedies or (_widened([{**rows[name], "edge": "high"}]) if name in rows else [f"free {name} (--fit {name})"])
    if state.get("kind") != "times":
        remedies.append(f"allow it an error (--discrepancy {max(state.get('gap', 0.02), 0.005):.1g})")
    elif "gamma" not in rows and "free gamma (--fit gamma)" not in remedies:
        remedies.append("free gamma (--fit gamma)")
    return [f"THE MODEL DOES NOT FIT (p-value {chance:.1g}{where}). To mend it: {'; '.join(remedies)}."]


def _widened(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"widen {in_words([row['parameter'] for row in rows])} (--fit {_wider(rows)})"] if rows else []


def _points(parameters: pd.DataFrame) -> list[str]:
    names = [row["parameter"] for row in parameters.to_dict("records") if row["told"] == "point"]
    be = "is a point, and that" if len(names) == 1 else "are points, and that"
    return (
        [f"DEGENERATE: the posterior of {in_words(names)} {be} says where a wrong model is least wrong, not what is so."] if names else []
    )


def _curves(state: Mapping[str, Any]) -> list[str]:
    """Return how the curves of schools taken together compare, and of counts and means those of single schools."""
    said = []
    if (p := state.get("aggregate_p")) is not None:
        said.append(f"Of curves that the fitted model makes itself, {100 * p:.2g} % lie as far out as those seen (predictive check).")
    if state.get("kind") != "times":  # single schools are 0 or 1 there, which lies within anything
        said.append(f"{100 * state['within_90']:.0f} % of the schools' answers lie within the 90 % that the fitted model leads to expect.")
    return said


def _wider(edges: Sequence[Mapping[str, Any]]) -> str:
    """Return the wider priors of parameters at the edge of theirs, as --fit takes them."""
    texts = []
    for row in edges:
        known, low, high = row_of(row["parameter"]), row["least"], row["most"]
        if row["edge"] == "high":
            high = min(WIDER * high, known.maximum if known else 1.0)
        else:
            low = max(low - (WIDER - 1.0) * (high - low), known.minimum if known else 0.0)
        texts.append(f"{row['parameter']}={low:g}:{high:g}")
    return ",".join(texts)


def _at_edges(parameters: pd.DataFrame) -> list[str]:
    edges = [row for row in parameters.to_dict("records") if row["edge"]]
    if not edges:
        return []
    ends = [
        f"{row['parameter']} ({'upper' if row['edge'] == 'high' else 'lower'} end of {row['least']:g} to {row['most']:g})" for row in edges
    ]
    its, interval = ("its", "its interval is") if len(edges) == 1 else ("their", "their intervals are")
    where = f"AT THE EDGE OF {its.upper()} PRIOR{'S' if len(edges) > 1 else ''}: {in_words(ends)}"
    return [f"{where}; {interval} too narrow. Widen: --fit {_wider(edges)}"]


def _countries(countries: pd.DataFrame | None) -> list[str]:
    if countries is None or not len(countries):
        return []
    said = []
    for name, rows in countries.groupby("parameter", sort=False):
        at = rows.set_index("country")
        found, before = at.loc["spread between countries"], at.loc["spread, prior"]
        ratio = (found["high"] - found["low"]) / (before["high"] - before["low"])
        few = "; with so few countries that is mostly its prior" if ratio > 2 / 3 else ""
        by = f"{found['median']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
        said.append(f"Countries differ in {name} by {by} of its prior's sd{few}.")
    return said


def _trust(parameters: pd.DataFrame, state: Mapping[str, Any]) -> list[str]:
    said = []
    rhat, ess = float(parameters["r_hat"].max()), float(parameters["ess"].min())
    mixed = f"R-hat at most {rhat:.3f}, at least {ess:,.0f} effective draws"
    if not rhat <= R_HAT or ess < FEW:
        said.append(f"The sampler has not settled ({mixed}): take more --runs or fewer parameters.")
    else:
        said.append(f"The sampler has settled: {mixed}.")
    if why := state.get("obstacles"):
        said.append(f"Summaries stand for the answers, as the exact likelihood asks for what is not so: {'; '.join(why)}.")
    if state.get("check_sd", 0.0) > CHECK:
        said.append(f"The emulated likelihood is off the directly simulated one by {state['check_sd']:.2f} (sd): take more --runs.")
    elif "check_sd" in state:
        said.append(f"Simulated directly at eight draws, the log-likelihood differs from the emulated one by {state['check_sd']:.2f} (sd).")
    if abs(state.get("kurtosis", 3.0) - 3.0) > NORMAL:
        said.append(f"The summaries are not quite normal (kurtosis {state['kurtosis']:.1f}, 3 if normal): intervals may be somewhat off.")
    return said


def quick_report(path: pd.DataFrame, best: Mapping[str, float], state: Mapping[str, Any]) -> Report:
    """Return the report of a point fit."""
    columns, rows = ["parameter", "point fit"], [[name, f"{value:.4g}"] for name, value in best.items()]
    said = (
        "A point fit says nothing of how sure it is, and of parameters that go together it takes one of many: run without --quick for that."
    )
    document = {"state": dict(state), "point": dict(best), "said": [said]}
    return Report(columns, rows, [said], {"point.csv": pd.DataFrame([best]), "path.csv": path}, document, {})


def _figures(tables: Mapping[str, pd.DataFrame], state: Mapping[str, Any], funding: tuple[int, int] | None) -> dict[str, Any]:
    from school_mentoring.analysis.figures import calibration as draw

    structures = [name for name in state["structures"] if name != "all schools"]
    made: dict[str, Any] = {
        "learned": partial(draw.learned, tables["parameters"], tables["draws"], tables["prior_draws"]),
        "fit": partial(draw.fit, tables["curves"], tables["observed"], ["all schools", *structures], funding),
    }
    if len(state["parameters"]) > 1:
        made["pairs"] = partial(draw.pairs, tables["draws"], tables["prior_draws"])
    if len(state["clusters"]) > 1:
        made["clusters"] = partial(draw.clusters, tables["curves"], tables["observed"], state["clusters"], funding)
    return made
