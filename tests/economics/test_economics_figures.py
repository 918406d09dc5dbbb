"""Figures of costs, effects and decisions: drawn from a small broken-down study, they label every axis and cut nothing off."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from school_mentoring.analysis.economics import acceptability as cost_effectiveness
from school_mentoring.analysis.economics import budget_impact, equity, value_of_information
from school_mentoring.analysis.economics.psa import psa_sample
from school_mentoring.analysis.figures import economics
from school_mentoring.analysis.figures.style import save_bytes
from school_mentoring.model.observe import SCHOOL_TYPES
from tests.analysis.tables import table_of_runs

DESIGNS = ("none", "virtual", "regional_hub")


def study() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return broken-down runs of 64 parameter sets in which the effect of mentoring hangs on beta, and the sets."""
    rng = np.random.default_rng(2)
    beta = rng.uniform(0.02, 0.2, 64)
    values = {}
    for d, design in enumerate(DESIGNS):
        columns: dict[str, np.ndarray] = {}
        for g, group in enumerate(SCHOOL_TYPES):
            columns[f"teachers:{group}"] = np.full(64, 1000.0)
            columns[f"effect_adopter_years:{group}"] = 500.0 + 5000 * d * beta * (g + 1) + rng.normal(0, 5, 64)
        columns["effect_adopter_years"] = sum(columns[f"effect_adopter_years:{group}"] for group in SCHOOL_TYPES)
        for payer in ("programme", "schools"):
            for year in (1, 2):
                columns[f"spent_{payer}:country:HR:{year}"] = d * rng.uniform(0.4e6, 0.5e6, 64)
            columns[f"cost_{payer}"] = columns[f"spent_{payer}:country:HR:1"] + columns[f"spent_{payer}:country:HR:2"]
        columns["cost_society"] = 1.2 * columns["cost_programme"] + columns["cost_schools"]
        values[design] = columns
    sets = pd.DataFrame({"parameter_set": range(64), "beta": beta, "gamma": rng.random(64)})
    return table_of_runs(values, sets=64), sets


@pytest.fixture(scope="module")
def makers() -> dict[str, Callable[[], Figure]]:
    runs, sets = study()
    sample, spread = psa_sample(runs, sets), equity.distribution(runs, sets)
    curves = cost_effectiveness.acceptability(sample, np.linspace(0, 2000, 21))
    spent = budget_impact.spending(runs)
    by_payer, whole = budget_impact.budget_impact(spent, runs), budget_impact.budget_impact(spent, runs, by=("year",))
    known, everything = value_of_information.evppi(sample, 500.0), value_of_information.evpi(sample, 500.0).value
    table = cost_effectiveness.incremental(sample)
    return {
        "acceptability": lambda: economics.acceptability(curves),
        "budget": lambda: economics.budget(by_payer, whole),
        "information": lambda: economics.information(known, everything, willingness_to_pay=500.0),
        "gains": lambda: economics.gains(equity.gains(spread)),
        "plane": lambda: economics.plane(table, 500.0, spread=True),
    }


@pytest.fixture(scope="module")
def figures(makers) -> dict[str, Figure]:
    return {name: make() for name, make in makers.items()}


NAMES = ["acceptability", "budget", "information", "gains", "plane"]


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_names_what_it_shows_and_is_the_same_bytes_each_time(figures, makers, name) -> None:
    figure = figures[name]
    texts = [axes.get_xlabel() + axes.get_ylabel() for axes in figure.axes]
    assert any(texts)
    assert figure._suptitle.get_text()
    assert save_bytes(makers[name](), "svg") == save_bytes(makers[name](), "svg")


@pytest.mark.parametrize("name", NAMES)
def test_no_text_leaves_a_figure(figures, name) -> None:
    figure = figures[name]
    figure.draw_without_rendering()
    for axes in figure.axes:
        for text in [axes.xaxis.label, axes.yaxis.label, axes.title, *axes.get_yticklabels()]:
            if text.get_text() and text.get_visible():
                box = text.get_window_extent()
                assert box.x0 >= -2 and box.y0 >= -2, text.get_text()
                assert box.x1 <= figure.bbox.x1 + 2, text.get_text()


def test_budgets_of_four_designs_stand_in_two_rows_of_which_the_last_is_labelled() -> None:
    runs, _ = study()
    hub = runs[runs["design"] == "regional_hub"]
    many = pd.concat([runs[runs["design"] == "none"], *(hub.assign(design=f"hub_{k}") for k in range(4))], ignore_index=True)
    many["design"] = pd.Categorical(many["design"])
    spent = budget_impact.spending(many)
    figure = economics.budget(budget_impact.budget_impact(spent, many), budget_impact.budget_impact(spent, many, by=("year",)))
    labels = {axes.get_title(loc="left"): axes.get_xlabel() for axes in figure.axes if axes.get_title(loc="left")}
    assert labels == {"hub 0": "", **{f"hub {k}": "year of the study" for k in (1, 2, 3)}}


def test_a_design_that_is_hardly_ever_best_and_costly_to_choose_is_left_out() -> None:
    table = pd.DataFrame({"willingness_to_pay": [0.0, 1000.0], "sets": 64, "low": 0.0, "high": 1.0})
    good = table.assign(design="none", probability_best=1.0, expected_loss=[0.0, 1e4], highest_mean=True, net_benefit=0.0)
    bad = table.assign(design="virtual", probability_best=0.0, expected_loss=9e9, highest_mean=False, net_benefit=-9e9)
    both = pd.concat([good, bad], ignore_index=True)
    both["design"] = pd.Categorical(both["design"], categories=["none", "virtual"])
    figure = economics.acceptability(both)
    shown = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert "no programme" in shown and "virtual" not in shown


def test_a_study_that_costs_nothing_has_no_budget_to_show() -> None:
    runs, _ = study()
    free = runs[runs["design"] == "none"].reset_index(drop=True)
    spent = budget_impact.spending(free)
    with pytest.raises(ValueError, match="no design costs anything"):
        economics.budget(budget_impact.budget_impact(spent, free), budget_impact.budget_impact(spent, free, by=("year",)))
