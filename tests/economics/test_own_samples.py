"""Samples of others: tables matched by their labels, whatever their order; what cannot be meant is refused in a line that says where."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.nested_evppi import nested_evppi
from school_mentoring.analysis.economics.acceptability import acceptability, incremental
from school_mentoring.analysis.economics.psa import Sample, long_sample, wide_sample
from school_mentoring.analysis.economics.robustness import robustness
from school_mentoring.analysis.economics.scenario_discovery import prim, where_better
from school_mentoring.analysis.economics.value_of_information import evpi, evppi, evsi
from school_mentoring.model.errors import InputError

SETS = 400
RNG = np.random.default_rng(8)
PARAMETERS = pd.DataFrame(RNG.normal(size=(SETS, 2)), columns=["slope", "price"], index=[f"set {k}" for k in range(SETS)])
EFFECTS = pd.DataFrame({"usual care": 1.0, "new": 1.0 + PARAMETERS["slope"], "newer": 1.2 + PARAMETERS["slope"] / 2})
COSTS = pd.DataFrame({"usual care": 10.0, "new": 20.0 + PARAMETERS["price"], "newer": 15.0}, index=PARAMETERS.index)
GIVEN = wide_sample(COSTS, EFFECTS, PARAMETERS)
WORTH = 20.0


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with rows and columns in another order."""
    return table.sample(frac=1, random_state=3).sample(frac=1, axis=1, random_state=3)


def long_table() -> pd.DataFrame:
    """Return the sample as one table, a row per set and design, under names of its own."""
    parts = {"total": COSTS, "qalys": EFFECTS}
    table = pd.concat({name: part.stack() for name, part in parts.items()}, axis=1).rename_axis(["iteration", "strategy"]).reset_index()
    return table.join(PARAMETERS, on="iteration")


def figures(sample: Sample) -> list[float]:
    """Return figures of each kind, which hang on how costs, effects and parameters go together."""
    known = evppi(sample, WORTH, {name: [name] for name in PARAMETERS}).set_index("name")["value"]
    table = incremental(sample, "usual care").astype({"design": str}).set_index("design")
    chances = acceptability(sample, [WORTH]).astype({"design": str}).set_index("design")["probability_best"]
    return [evpi(sample, WORTH).value, *known[["slope", "price"]], *table.loc[list(COSTS), "icer"].fillna(0), *chances[list(COSTS)]]


NAMES = {"design": "strategy", "cost": "total", "effect": "qalys", "of_set": "iteration"}
ALIKE = {
    "columns and rows in another order": lambda: wide_sample(COSTS, shuffled(EFFECTS), shuffled(PARAMETERS)),
    "labels in a column": lambda: wide_sample(
        *(shuffled(table).reset_index(names="iteration") for table in (COSTS, EFFECTS, PARAMETERS)), of_set="iteration"
    ),
    "one long table": lambda: long_sample(long_table().sample(frac=1, random_state=5), **NAMES),
    "a long table of runs": lambda: long_sample(
        pd.concat([long_table().assign(run=run, total=lambda t, r=run: t["total"] + r) for run in (-1, 1)]), **NAMES, of_run="run"
    ),
}


@pytest.mark.parametrize("form", ALIKE)
def test_every_form_and_order_of_a_sample_gives_the_same_figures(form) -> None:
    assert figures(ALIKE[form]()) == pytest.approx(figures(GIVEN), rel=1e-9)


def test_the_value_of_a_known_case_does_not_hang_on_the_order_of_columns() -> None:
    benefit = WORTH * EFFECTS.to_numpy() - COSTS.to_numpy()
    assert evpi(wide_sample(COSTS, EFFECTS[["newer", "usual care", "new"]]), WORTH).value == pytest.approx(
        benefit.max(axis=1).mean() - benefit.mean(axis=0).max()
    )


def changed(table: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    copy = table.astype(object) if isinstance(value, str) else table.copy()
    copy.loc[copy.index[row], column] = value
    return copy


REFUSED = {
    "a blank cost": (lambda: wide_sample(changed(COSTS, 3, "new", np.nan), EFFECTS), "costs, new, row 'set 3': nan is not a finite number"),
    "an infinite effect": (
        lambda: wide_sample(COSTS, changed(EFFECTS, 0, "newer", -np.inf)),
        "effects, newer, row 'set 0': -inf is not a finite number; fill it in, or leave the row out of all tables",
    ),
    "a blank parameter": (lambda: wide_sample(COSTS, EFFECTS, changed(PARAMETERS, 9, "price", np.nan)), "parameters, price, row 'set 9'"),
    "a word": (
        lambda: wide_sample(changed(COSTS, 0, "new", "n/a"), EFFECTS),
        "costs, new, row 'set 0': 'n/a' is not a finite number",
    ),
    "another design": (
        lambda: wide_sample(COSTS, EFFECTS.rename(columns={"new": "New"})),
        "effects: has no column 'new', which the costs have; name rows and columns alike in all tables",
    ),
    "one more design": (lambda: wide_sample(COSTS, EFFECTS.assign(best=1.0)), "effects: has a column 'best', which the costs have not"),
    "fewer rows": (lambda: wide_sample(COSTS, EFFECTS.iloc[:-2]), "effects: has no row 'set 398' (and 1 more), which the costs have"),
    "labels and none": (
        lambda: wide_sample(COSTS, EFFECTS, PARAMETERS.reset_index(drop=True)),
        "parameters: has no row 'set 0' (and 399 more), which the costs have",
    ),
    "a row twice": (
        lambda: wide_sample(COSTS, pd.concat([EFFECTS, EFFECTS.iloc[[7]]])),
        "effects: the row 'set 7' stands twice; give each once",
    ),
    "a column twice": (lambda: wide_sample(pd.concat([COSTS, COSTS[["new"]]], axis=1), EFFECTS), "costs: the column 'new' stands twice"),
    "nothing": (lambda: wide_sample(COSTS.iloc[:0], EFFECTS.iloc[:0]), "costs: hold no design or no parameter set"),
    "no column of labels": (
        lambda: wide_sample(COSTS, EFFECTS, of_set="iteration"),
        "costs: no column 'iteration'; known names: usual care",
    ),
    "a long row twice": (
        lambda: long_sample(pd.concat([long_table(), long_table().iloc[:1]]), **NAMES),
        "the table: design 'usual care' stands twice in parameter set 'set 0'",
    ),
    "a long row missing": (
        lambda: long_sample(long_table().iloc[1:], **NAMES),
        "costs, usual care, row 'set 0': nan is not a finite number",
    ),
    "a parameter with two values in a set": (
        lambda: long_sample(changed(long_table(), 4, "price", 9.0), **NAMES),
        "the table, price: differs within parameter set 'set 1'",
    ),
    "a column that is not there": (
        lambda: long_sample(long_table(), **NAMES | {"cost": "Total"}),
        "the table: no column 'Total'; did you mean 'total'?",
    ),
    "a blank label": (
        lambda: long_sample(changed(long_table(), 0, "strategy", None), **NAMES),
        "the table, strategy: is blank in some row",
    ),
    "blank data": (
        lambda: evsi(GIVEN, WORTH, changed(PARAMETERS, 2, "slope", np.nan)),
        "data, slope, row 'set 2': nan is not a finite number",
    ),
    "a blank benefit": (lambda: robustness(changed(COSTS, 1, "new", np.nan)), "benefits, new, row 'set 1': nan is not a finite number"),
    "satisfactory elsewhere": (
        lambda: robustness(COSTS, (COSTS > 1).iloc[1:]),
        "satisfactory: has no row 'set 0', which the benefits have",
    ),
    "states elsewhere": (
        lambda: prim(PARAMETERS, where_better(GIVEN, "new", "newer", WORTH).iloc[5:]),
        "states of interest: has no row 'set 0' (and 4 more), which the inputs have",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_and_said_where(case) -> None:
    make, says = REFUSED[case]
    with pytest.raises(InputError) as caught:
        make()
    assert says in str(caught.value)


def test_a_blank_among_inner_draws_is_refused() -> None:
    index = pd.MultiIndex.from_product([range(5), range(4)], names=["outer", "inner"])
    benefit = pd.DataFrame({"none": 0.0, "b": 1.0}, index=index)
    benefit.iloc[3, 1] = np.nan
    with pytest.raises(ValueError, match="not a finite number"):
        nested_evppi(benefit)
