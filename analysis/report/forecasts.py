"""What is said of predictions of observations that were held out: a table of scores, and who predicts better than whom."""

from collections.abc import Sequence

import pandas as pd

from .sentences import in_words

MODEL = "posterior"
NAMES = {MODEL: "the fitted model", "prior": "the prior", "posterior without mentoring": "the model without mentoring"}
NARROW, WIDE = 0.75, 0.97  # of the curves seen, within their 90 % intervals


def _shown(name: str) -> str:
    return NAMES.get(name, name)


def score_lines(scores: pd.DataFrame | None, splits: Sequence[str]) -> list[str]:
    """Return the table of scores, and below it who predicts what was held out better, worse, or about as well as the model."""
    if scores is None or not len(scores):
        return []
    rows = scores.set_index("prediction")
    first = rows.loc[MODEL]
    held = in_words(list(splits)) if len(splits) <= 4 else f"{len(splits)} times, {splits[0]} to {splits[-1]}"
    return [
        f"Held out ({held}): {int(first['cells']):,} observations.\n{_table(rows)}",
        *_compared(rows.drop(index=MODEL)),
        *_intervals(float(first["curve_within_90"])),
    ]


def _table(rows: pd.DataFrame) -> str:
    """Return the scores as lines of text: log score and CRPS of observations, CRPS of the curves of clusters and how many lie within."""
    lines = [f"{'':<28} {'log score':>9} {'model better by':>17} {'CRPS':>7} {'curves: CRPS':>13} {'in 90 %':>8}"]
    for name, row in rows.iterrows():
        lead = f"{-row['log_score_less_posterior']:+.3f} ± {2.0 * row['log_score_less_posterior_se']:.3f}" if name != MODEL else ""
        numbers = f"{100 * row['crps']:>7.2f} {100 * row['curve_crps']:>13.2f} {100 * row['curve_within_90']:>6.0f} %"
        lines.append(f"{_shown(str(name)):<28} {row['log_score']:>9.3f} {lead:>17} {numbers}")
    return "\n".join(lines)


def _compared(others: pd.DataFrame) -> list[str]:
    """Return one sentence for those that predict worse, better, or cannot be told apart, beyond two standard errors over clusters."""
    lead, error = -others["log_score_less_posterior"], others["log_score_less_posterior_se"]
    told = [
        ("The fitted model predicts them better than", others.index[lead > 2.0 * error], "."),
        ("The fitted model predicts them worse than", others.index[lead < -2.0 * error], "."),
        ("They do not tell the fitted model from", others.index[lead.abs() <= 2.0 * error], " (within two standard errors)."),
    ]
    return [f"{words} {in_words([_shown(str(name)) for name in names])}{end}" for words, names, end in told if len(names)]


def _intervals(within: float) -> list[str]:
    """Return a sentence where the model's 90 % intervals of the curves of clusters hold too little or too much."""
    if NARROW <= within <= WIDE:
        return []
    return [f"Its 90 % intervals hold {100 * within:.0f} % of the curves: they are too {'narrow' if within < NARROW else 'wide'}."]


def lost(scores: pd.DataFrame | None) -> list[str]:
    """Return a warning that names who predicted what was held out better than the model, where somebody did; the prior is none."""
    if scores is None or not len(scores):
        return []
    rows = scores.set_index("prediction").drop(index=[MODEL, "prior"], errors="ignore")
    rows = rows[rows["log_score_less_posterior"] > 2.0 * rows["log_score_less_posterior_se"]]
    if not len(rows):
        return []
    best = rows["log_score_less_posterior"].idxmax()
    by = f"{rows.loc[best, 'log_score_less_posterior']:.3f} ± {2.0 * rows.loc[best, 'log_score_less_posterior_se']:.3f}"
    return [f"THE MODEL LOSES: {_shown(str(best))} predicts what was held out better, by {by} in log score. Do not forecast by the model."]
