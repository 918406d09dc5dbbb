"""What a study of scale says: cost of a mentored school by size, and from which size on a design is the cheaper one."""

import math
from collections.abc import Mapping
from functools import partial

import pandas as pd

from school_mentoring.analysis.economics.scale import break_even, growth
from school_mentoring.analysis.outcomes import design_name, names_in

from .sentences import in_words
from .terminal import Report, records

WHOSE: Mapping[str, str] = {"programme": "the programme's costs", "society": "the added cost to society"}
MOST_SAID = 6  # break-even sizes in a sentence; the sheet holds all
MOST_SIZES = 6  # in the terminal's table


def scale_report(runs: pd.DataFrame, *, worlds: int, perspective: str, left_out: Mapping[str, str]) -> Report:
    """Return the report on designs at growing sizes; ``runs``, ``left_out``: of ``experiments.scale.Growth``."""
    from school_mentoring.analysis.figures.scale import scale

    table = growth(runs, worlds=worlds, perspective=perspective)
    table["design"] = pd.Categorical(table["design"], categories=names_in(runs["design"], present=False))
    evens = break_even(table.astype({"design": str}))
    sizes = sorted(set(table["clusters"]) - {0})
    sizes = sizes[:: -(-len(sizes) // MOST_SIZES)]
    columns = ["design", "fixed\nkEUR", *(f"EUR a\nschool at\n{size:,}" for size in sizes), "one more\nat the\nlargest"]
    rows = []
    for name, part in table.groupby("design", sort=False, observed=True):
        mine = part.set_index("clusters")
        cells = [_euros(mine["cost_per_school"].get(size, math.nan)) for size in sizes]
        rows.append(
            [design_name(str(name)), f"{mine['fixed_cost'].iloc[0] / 1000:,.0f}", *cells, _euros(mine["marginal_per_school"].iloc[-1])]
        )
    said = [
        f"Cost of a mentored school by number of clusters, of {WHOSE[perspective]}, discounted; fixed: of the programme without a cluster; "
        "one more: what each further mentored school costs between the design's two largest sizes, - where more clusters mentor no more "
        "schools (scale.csv).",
        _even(evens, "schools_reached", "mentored schools"),
        _even(evens, "effect", "added adopter-years"),
        *(f"Left out: {design_name(name)}, as {why}." for name, why in left_out.items()),
    ]
    document = {"perspective": perspective, "sizes": records(table), "break_even": records(evens), "said": said}
    files = {"scale.csv": table, "break_even.csv": evens}
    return Report(
        columns, rows, [text for text in said if text], files, document, {"scale": partial(scale, table, whose=WHOSE[perspective])}
    )


def _euros(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:,.0f}"


def _even(evens: pd.DataFrame, by: str, what: str) -> str:
    """Say from which size on which design costs less than another."""
    rows = evens[evens["by"] == by].sort_values("size", kind="stable").to_dict("records")
    if not rows:
        return f"For the same {what} no design becomes cheaper than another within these sizes."
    names = [(design_name(row["cheaper_above"]), design_name(row["cheaper_below"]), row["size"]) for row in rows[:MOST_SAID]]
    listed = [f"{one} than {other} from {size:,.0f} on" for one, other, size in names]
    rest = f", and {len(rows) - MOST_SAID} more" if len(rows) > MOST_SAID else ""
    return f"For the same {what}, by the means, cheaper is {in_words(listed)}{rest} (break_even.csv)."
