"""Use of a practice by teachers in teams, their colleagues and teachers of other schools, month by month, one panel per design."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.analysis.curves import adoption_curve
from school_mentoring.analysis.outcomes import COMPARATOR, TEAM_GROUP_NAMES, names_in
from school_mentoring.analysis.palette import GREY, INK, design_styles

from .adoption import draw_curve, mark_funding, month_panels
from .style import explain, key, styled

LINES = {"team": "-", "colleagues": "--", "others": ":"}
BAND = 0.12


@styled
def teams(table: pd.DataFrame, monthly: pd.DataFrame, funding: tuple[int, int] | Mapping[str, tuple[int, int]]) -> Figure:
    """Return curves of use among the three groups of teachers with 5 to 95 % bands over runs, beside use under the comparator.

    ``table``: columns ``design, parameter_set, replicate, month, practice, group, teachers, adopters``, of which only designs that have
    teams are drawn. ``monthly``: the same by groups of schools, for the comparator. ``funding``: first funded month and first without
    funding again, of all designs or by design.
    """
    shown = [d for d in names_in(table["design"]) if (table.loc[table["design"] == d].query("group == 'team'")["teachers"] > 0).any()]
    if not shown:
        raise ValueError("no design has teams, so there is nothing to show")
    low, high = int(table["month"].min()), int(table["month"].max())
    styles, practices = design_styles(names_in(table["design"], present=False)), names_in(table["practice"])
    curves = {keys: adoption_curve(rows) for keys, rows in table.groupby(["practice", "design", "group"], observed=True)}
    base = monthly[(monthly["design"] == COMPARATOR) & (monthly["group"] == "all")]
    without = {practice: adoption_curve(rows) for practice, rows in base.groupby("practice", observed=True)}
    tops = [float(curves[practice, design, group]["q95"].max()) for practice in practices for design in shown for group in LINES]
    title = f"Share of teachers who use {'each' if len(practices) > 1 else 'the'} practice: teams, their colleagues, other schools"
    figure, panels = month_panels(title, practices, {d: styles[d] for d in shown}, (low, high), tops)
    for (practice, design), axes in panels.items():
        mark_funding(axes, funding, design, (low, high))
        if practice in without:
            draw_curve(axes, without[practice], styles[COMPARATOR], band=0.0)
        for group, line in LINES.items():
            draw_curve(axes, curves[practice, design, group], styles[design], band=BAND, line=line)
    handles: list[Any] = [key(TEAM_GROUP_NAMES[group], color=INK, ls=line) for group, line in LINES.items()]
    if without:
        handles.append(key(f"all teachers with {styles[COMPARATOR].label}", color=styles[COMPARATOR].colour))
    if table[["parameter_set", "replicate"]].drop_duplicates().shape[0] > 1:
        handles.append(Patch(color=GREY, alpha=2 * BAND, lw=0, label="5 to 95 % of runs"))
    note = "Teams and colleagues are those of schools that have a mentor in the month; mentor schools are among the other schools."
    explain(figure, handles, columns=3, note=note)
    return figure
