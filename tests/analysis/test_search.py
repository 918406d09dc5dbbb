"""What is said of a search follows from its fresh runs: verdicts by intervals, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from school_mentoring.analysis.figures.search import front
from school_mentoring.analysis.report.search import best_designs, mean_interval, own_designs, search_report
from school_mentoring.model.designs import PRESETS

CELLS = 50
NOISE = np.random.default_rng(0).normal(size=CELLS)


def runs_of(**designs):
    """Return runs of designs given as (effect, cost, gap), each with the same noise in its effect and a little of its own."""
    frames = []
    for position, (name, (effect, cost, gap)) in enumerate({"none": (0.0, 0.0, 0.1), **designs}.items()):
        own = np.random.default_rng(position + 1).normal(size=CELLS)
        frame = pd.DataFrame({"design": name, "parameter_set": range(1, CELLS + 1), "replicate": range(CELLS)})
        frame["effect_adopter_years"] = 1000.0 + effect + 100.0 * NOISE + (own if effect else 0.0)
        frame["cost_society"] = frame["cost_programme"] = cost * (1.0 + 0.001 * own)
        frame["gap_disadvantaged"] = gap + 0.001 * own
        frame["gap_rural"] = 0.0
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def chosen_of(*rows):
    return pd.DataFrame(rows, columns=["kind", "budget", "against", "design"])


def verdict(kind, rival, own=(100.0, 1000.0, 0.1)):
    runs = runs_of(own=own, rival=rival)
    table = own_designs(runs, chosen_of((kind, np.nan, "own", "rival")), ["own"], cost="cost_society", objectives=["effect", "cost", "gap"])
    return table["verdict"].iloc[0]


@pytest.mark.parametrize(
    ("kind", "rival", "said"),
    [
        ("equal_cost", (110.0, 900.0, 0.2), "beaten"),
        ("equal_cost", (110.0, 1100.0, 0.0), "unsure"),
        ("equal_cost", (100.0, 900.0, 0.1), "not told apart"),
        ("equal_cost", (90.0, 900.0, 0.1), "unbeaten"),
        ("equal_effect", (110.0, 900.0, 0.2), "beaten"),
        ("equal_effect", (90.0, 900.0, 0.1), "unsure"),
        ("equal_effect", (110.0, 1100.0, 0.1), "unbeaten"),
        ("all_objectives", (110.0, 900.0, 0.05), "beaten"),
        ("all_objectives", (110.0, 900.0, 0.15), "unsure"),
    ],
)
def test_a_verdict_follows_from_the_intervals_of_differences(kind, rival, said):
    assert verdict(kind, rival) == said


def test_being_further_ahead_is_not_asked_of_a_rival_that_is_ahead():
    assert verdict("all_objectives", (110.0, 900.0, -0.02), own=(100.0, 1000.0, -0.05)) == "beaten"


def test_the_best_design_is_compared_with_the_own_design_within_the_budget():
    runs = runs_of(cheap=(50.0, 500.0, 0.1), dear=(300.0, 5000.0, 0.1), found=(90.0, 950.0, 0.1))
    fields = pd.DataFrame([{"design": "found", **PRESETS["virtual"].model_dump()}])
    table = best_designs(runs, chosen_of(("budget", 1000.0, "", "found")), fields, ["cheap", "dear"], cost="cost_society")
    row = table.iloc[0]
    assert (row["own"], bool(row["undominated"]), row["probability_over_budget"]) == ("cheap", True, 0.0)
    difference = (
        runs[runs["design"] == "found"]["effect_adopter_years"].to_numpy()
        - runs[runs["design"] == "cheap"]["effect_adopter_years"].to_numpy()
    )
    expected = stats.t.interval(0.95, CELLS - 1, difference.mean(), stats.sem(difference))
    assert (row["more_effect_low"], row["more_effect_high"]) == pytest.approx(expected)
    assert row["scope"] == "anywhere"


def test_with_a_risk_the_own_design_beside_the_best_is_one_that_exceeds_the_budget_as_seldom():
    """A design that costs 1,000 in the mean exceeds that in half of its runs."""
    runs = runs_of(even=(70.0, 1000.0, 0.1), sure=(50.0, 500.0, 0.1), found=(90.0, 950.0, 0.1))
    fields = pd.DataFrame([{"design": "found", **PRESETS["virtual"].model_dump()}])
    chosen, own = chosen_of(("budget", 1000.5, "", "found")), ["even", "sure"]
    for risk, beside in ((None, "even"), (0.1, "sure"), (0.9, "even")):
        assert best_designs(runs, chosen, fields, own, cost="cost_society", budget_risk=risk)["own"].tolist() == [beside]


def test_an_interval_is_students_and_the_whole_line_for_one_value():
    assert mean_interval(np.array([1.0, 2.0, 6.0])) == pytest.approx((3.0, *stats.t.interval(0.95, 2, 3.0, stats.sem([1.0, 2.0, 6.0]))))
    assert mean_interval(np.array([4.0])) == (4.0, -np.inf, np.inf)
    assert mean_interval(np.array([4.0, 4.0])) == (4.0, 4.0, 4.0)


OWN = ("beaten", "alike")
FIELDS_OF = {"beaten": "bottom_up", "alike": "virtual", "found": "regional_hub"}


def report(growth=(0.5, 0.9, 0.99, 1.0), outside=(), chosen=None, **designs):
    """Return the report of a search that found one design, worth more than one of the scenario's and as much as the other."""
    runs = runs_of(**{"beaten": (100.0, 1000.0, 0.1), "alike": (110.0, 900.0, 0.1), "found": (110.0, 900.0, 0.1), **designs})
    if chosen is None:
        against = [(kind, np.nan, own, "found") for own in OWN for kind in ("equal_cost", "equal_effect")]
        chosen = chosen_of(("budget", 1500.0, "", "found"), ("budget", 10.0, "", ""), *against)
    tried = pd.DataFrame({"effect": [10.0, 110.0], "cost_society": [100.0, 900.0], "generation": [0, 1]})
    candidates = tried.assign(**PRESETS["regional_hub"].model_dump())
    convergence = pd.DataFrame(
        {"generation": range(len(growth)), "evaluations": [10 * (k + 1) for k in range(len(growth))], "volume": growth}
    )
    fields = pd.DataFrame([{"design": name, **PRESETS[preset].model_dump()} for name, preset in FIELDS_OF.items()])
    return search_report(
        runs=runs, chosen=chosen, candidates=candidates, evaluations=tried, convergence=convergence, fields=fields,
        designs={name: PRESETS[preset] for name, preset in FIELDS_OF.items()}, own=OWN,
        outside=outside, objectives=["effect", "cost"], cost="cost_society", highest_cost=5000.0,
    )  # fmt: skip


def test_the_report_says_what_beats_the_own_designs_by_how_much_and_which_are_not_beaten():
    found = report()
    assert [row[:2] for row in found.rows] == [["2", "found"]]  # no design is within the smaller budget
    said = " ".join(found.said)
    assert "More effect at no more cost: found adds 9.89 ± 0.45 adopter-years to those of beaten." in said
    assert "Less cost at no less effect: found saves 0.10011 ± 0.00043 kEUR of what beaten costs." in said
    assert "The best design found at no more cost is not told apart from alike." in said
    assert "a design was found for 0 of 2 designs of the scenario." in said


def test_where_no_design_found_is_cheap_enough_there_is_no_rival():
    kinds = [("equal_cost", np.nan, own, "") for own in OWN] + [("equal_cost", np.nan, "another", "found")]
    found = report(chosen=chosen_of(*kinds))
    assert found.files["own.csv"]["design"].tolist() == list(OWN)  # what is compared with no own design is left out
    assert set(found.files["own.csv"]["verdict"]) == {"no rival"}
    assert "No design found costs as little as beaten and alike." in found.said
    assert found.rows == []


@pytest.mark.parametrize(
    ("growth", "said"),
    [
        ((0.5, 1.0), "Too few generations to say whether the search has settled"),
        ((0.5, 0.9, 0.99, 1.0), "The search has nearly settled: the last quarter of it added 0 %"),
        ((0.2, 0.4, 0.6, 0.7, 1.0), "The search was still finding better designs: its last quarter added 30 %"),
    ],
)
def test_whether_the_search_has_settled_is_told_by_its_last_quarter(growth, said):
    assert any(line.startswith(said) for line in report(growth=growth).said)


def test_an_own_design_outside_the_space_is_named():
    assert any(
        line.startswith("The space searched does not hold beaten; compared as it stands") for line in report(outside=["beaten"]).said
    )
    assert not any("does not hold" in line for line in report().said)


def test_figures_of_a_search_name_the_designs_and_need_none_that_was_found():
    found = report()
    for make in found.figures.values():
        make().draw_without_rendering()
    runs = runs_of(own=(100.0, 1000.0, 0.1))
    tried = pd.DataFrame({"effect": [10.0], "cost_society": [100.0]})
    best = pd.DataFrame({"design": ["own"], "effect": [100.0], "cost": [1000.0]})
    figure = front(runs, tried, pd.DataFrame({"kind": [], "verdict": []}), best, cost="cost_society", own=["own"])
    assert "own" in {text.get_text() for text in figure.axes[0].texts}
