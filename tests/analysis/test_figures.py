import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from school_mentoring.analysis.curves import outline
from school_mentoring.analysis.economics.frontier import FRONTIER, frontier
from school_mentoring.analysis.figures import adoption, cost_effect, costs, durability, gaps, network, teams
from school_mentoring.analysis.figures.style import save_bytes
from school_mentoring.analysis.outcomes import design_name
from school_mentoring.model.costs import CATEGORIES, PAYERS

from .tables import random_runs

LONG = "a_design_whose_name_is_forty_letters_now"
DESIGNS = ["none", "virtual", "regional_hub", LONG]
TWELVE = [*DESIGNS, *(f"design_{k}" for k in range(8))]
FUNDING = (6, 34)


def monthly(designs=DESIGNS, practices=("digital_practice",), replicates=3) -> pd.DataFrame:
    """Return monthly counts of 100 teachers that rise by design."""
    index = pd.MultiIndex.from_product(
        [designs, [0], range(replicates), range(48), practices, ["all", "rural"]],
        names=["design", "parameter_set", "replicate", "month", "practice", "group"],
    )
    table = index.to_frame(index=False)
    table["design"] = pd.Categorical(table["design"], categories=designs)
    table["teachers"] = 100
    rise = 1 + table["design"].cat.codes.astype(int)
    table["adopters"] = np.minimum(100, 10 + table["month"] * rise // 2 + table["replicate"])
    return table


def by_team(designs=DESIGNS, practices=("digital_practice",), replicates=3) -> pd.DataFrame:
    """Return monthly counts of 4 teachers in teams, all adopting, 16 colleagues and 80 others in months 6 to 33; the first has no teams."""
    index = pd.MultiIndex.from_product(
        [designs, [0], range(replicates), range(48), practices, ["team", "colleagues", "others"]],
        names=["design", "parameter_set", "replicate", "month", "practice", "group"],
    )
    table = index.to_frame(index=False)
    table["design"] = pd.Categorical(table["design"], categories=designs)
    tied = table["month"].between(6, 33) & (table["design"] != designs[0])
    size = table["group"].map({"team": 4, "colleagues": 16, "others": 80})
    table["teachers"] = np.where(tied, size, np.where(table["group"] == "others", 100, 0))
    share = table["group"].map({"team": 1.0, "colleagues": 0.5, "others": 0.25})
    table["adopters"] = (table["teachers"] * share).astype(int)
    return table


def ledger(designs=DESIGNS) -> pd.DataFrame:
    """Return costs of 12 EUR per category, payer and run in month 12, none of the comparator."""
    index = pd.MultiIndex.from_product(
        [designs[1:], [0, 1], [12], CATEGORIES, PAYERS], names=["design", "replicate", "month", "category", "payer"]
    )
    table = index.to_frame(index=False).assign(cost=12.0)
    table["design"] = pd.Categorical(table["design"], categories=designs)
    return table


def snapshot(design="regional_hub") -> pd.DataFrame:
    """Return ten schools, the first mentoring the next two and a mentor from abroad the fourth, at three months."""
    parts = []
    for month in (6, 34, 47):
        mentor = np.array([-1, 0, 0, 99, *[-1] * 6]) if month < 47 else np.full(10, -1)
        role = np.array([1, 2, 2, 2, *[0] * 6])
        place = {"x_km": np.arange(10.0) * 7, "y_km": np.arange(10.0) ** 2 % 11}
        parts.append(
            pd.DataFrame(
                {"design": design, "month": month, "school": np.arange(10), **place, "share": month / 50, "role": role, "mentor": mentor}
            )
        )
    return pd.concat(parts, ignore_index=True)


PEERS = pd.DataFrame({"source": [0, 1, 2], "target": [4, 5, 77]})
CONTACTS = pd.DataFrame(
    {
        "design": "regional_hub",
        "month": [34, 34, 34, 34, 47, 34],
        "school": [1, 2, 0, 2, 1, 3],
        "partner": [2, 1, 2, 0, 2, 88],
        "weight": 0.5,
    }
)
"""At the end of funding two contacts within the map, each by both schools, and one out of it; at the end one, by the first school alone."""


def words(figure: Figure) -> str:
    """Return everything that is written on a figure, in one line."""
    figure.draw_without_rendering()
    parts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return " ".join(" ".join(parts).split())


FIGURES = {
    "adoption": lambda: adoption(monthly(), FUNDING),
    "teams": lambda: teams(by_team(), monthly(), FUNDING),
    "costs": lambda: costs(ledger(), runs=2, discount_rate=0.03),
    "cost_effect": lambda: cost_effect(random_runs(DESIGNS), random_runs(DESIGNS, sets=30, replicates=2)),
    "gaps": lambda: gaps(random_runs(DESIGNS)),
    "durability": lambda: durability(random_runs(DESIGNS), end_of_funding=34, end=47),
    "network": lambda: network(snapshot(), PEERS, CONTACTS, funding=FUNDING, place="Croatia"),
}
UNITS = {
    "adoption": ["share of teachers, %", "month of the simulation"],
    "teams": ["share of teachers, %", "month of the simulation", "teachers in a team", "their colleagues", "teachers of other schools"],
    "costs": ["EUR thousand", "EUR of 2023, discounted at 3 % a year"],
    "cost_effect": ["additional adopter-years (discounted)", "additional cost to society, EUR thousand (discounted)"],
    "gaps": ["gap, percentage points", "these behind"],
    "durability": ["adopting teachers more than with no programme"],
    "network": ["share of teachers who use it, %", "km"],
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_say_what_they_show_and_in_which_unit(name) -> None:
    said = words(FIGURES[name]())
    for unit in UNITS[name]:
        assert unit in said


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "network"])
def test_every_design_is_there(name) -> None:
    said = words(FIGURES[name]())
    for design in DESIGNS:
        assert design_name(design) in said


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_the_same_bytes_each_time(name) -> None:
    for kind in ("png", "svg"):
        assert save_bytes(FIGURES[name](), kind) == save_bytes(FIGURES[name](), kind)


@pytest.mark.parametrize("designs", [["none", "virtual"], TWELVE])
def test_two_and_twelve_designs_fit(designs) -> None:
    runs = random_runs(designs)
    for figure in (adoption(monthly(designs), FUNDING), costs(ledger(designs), runs=2, discount_rate=0), cost_effect(runs), gaps(runs)):
        said = words(figure)
        assert all(design_name(design) in said for design in designs)


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_leaves_the_figure(name) -> None:
    figure = FIGURES[name]()
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    # In inches; 0.02 is 3 pixels, by which the outline of a letter may pass the box of its text.
    assert box.x0 > -0.02 and box.y0 > -0.02 and box.x1 < width + 0.02 and box.y1 < height + 0.02


def test_adoption_draws_the_mean_and_the_band_in_per_cent() -> None:
    axes = adoption(monthly(["none", "virtual"]), FUNDING).axes[0]
    base, design = (line.get_ydata() for line in axes.lines)
    assert base[0] == design[0] == 11.0  # 10, 11, 12 of 100 teachers
    assert design[-1] == 11.0 + 47
    low, high = axes.collections[0].get_paths()[0].vertices[:, 1].min(), axes.collections[0].get_paths()[0].vertices[:, 1].max()
    assert low == pytest.approx(10.1) and high == pytest.approx(11.9 + 23)


def test_adoption_keeps_to_the_months_given() -> None:
    axes = adoption(monthly().query("6 <= month <= 20"), FUNDING).axes[0]
    assert axes.get_xlim() == (6, 20)
    assert all(line.get_xdata().max() == 20 for line in axes.lines)


@pytest.mark.filterwarnings("error")
def test_adoption_of_a_single_month_is_marks_and_draws_no_warning() -> None:
    axes = adoption(monthly().query("month == 0"), FUNDING).axes[0]
    assert axes.get_xlim() == (-0.5, 0.5)
    assert [line.get_marker() for line in axes.lines] == ["o"] * len(axes.lines)


def test_adoption_marks_funding_only_where_it_is_in_view() -> None:
    assert "funded" in words(adoption(monthly(), FUNDING))
    assert "funded" not in words(adoption(monthly().query("month >= 36"), FUNDING))


def test_adoption_of_a_single_run_has_no_spread_to_explain() -> None:
    one, several = (words(adoption(monthly(replicates=count), FUNDING)) for count in (1, 3))
    assert "a single run" in one and "of runs" not in one
    assert "mean of 3 runs" in several and "5 to 95 % of runs" in several


def test_adoption_shows_each_practice_of_several() -> None:
    figure = adoption(monthly(practices=("flipped_classroom", "peer_observation")), FUNDING)
    assert "flipped classroom" in words(figure) and "peer observation" in words(figure)
    assert len(figure.findobj(lambda artist: artist.__class__.__name__ == "Axes")) >= 6


def test_adoption_can_show_the_comparator_alone() -> None:
    assert "no programme" in words(adoption(monthly(["none"]), FUNDING))


def test_adoption_refuses_a_group_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="group 'urban'"):
        adoption(monthly(), FUNDING, group="urban")


def test_costs_are_discounted_to_month_zero_and_divided_by_runs() -> None:
    # Two runs, each 11 EUR in month 12 for 14 categories and each payer: 154 / 1.1 = 140 EUR per payer, 280 in all, shown in thousands.
    figure = costs(ledger(["none", "virtual"]).assign(cost=11.0), runs=2, discount_rate=0.1)
    assert sum(bar.get_width() for bar in figure.axes[0].patches) == pytest.approx(0.14)
    assert "0.28" in words(figure)


def test_what_schools_receive_stands_left_of_zero_and_cancels_in_the_sum() -> None:
    table = ledger(["none", "virtual"]).query("category in ('team', 'stipend') and replicate == 0")
    received = (table["category"] == "stipend") & (table["payer"] == "schools")
    table = table.assign(cost=np.where(received, -3000.0, np.where(table["category"] == "stipend", 3000.0, 1000.0)))
    figure = costs(table, runs=1, discount_rate=0)
    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[1].patches if bar.get_width()]
    assert sorted(bars) == [(0.0, -3.0), (0.0, 1.0)]
    assert figure.axes[1].get_xlim()[0] < -3.0
    said = words(figure)
    assert "-2.00" in said and "4.00" in said and "what the programme pays to the schools" in said  # 1 - 3 and 1 + 3
    assert "2.00" in [text.get_text() for text in figure.axes[1].texts]  # in all: two hours' worth of 1,000 each


def test_costs_in_millions_say_so() -> None:
    table = ledger().assign(cost=2e6)
    assert "EUR million" in words(costs(table, runs=1, discount_rate=0))


def test_the_frontier_joins_the_designs_that_are_on_it() -> None:
    runs = random_runs(["none", "virtual", "hybrid"])
    axes = cost_effect(runs).axes[0]
    means = runs.groupby("design", observed=True)[["effect_adopter_years", "cost_society"]].mean()
    expected = frontier(list(means.index), means["cost_society"].to_list(), means["effect_adopter_years"].to_list())
    kept = expected[expected["status"] == FRONTIER].sort_values("cost")
    lines = [line for line in axes.lines if line.get_marker() == "None" and line.get_zorder() == 4]
    assert lines[0].get_xdata() == pytest.approx(kept["effect"] - means.at["none", "effect_adopter_years"])
    assert lines[0].get_ydata() == pytest.approx(kept["cost"] / 1e3)


def test_the_plane_needs_runs_of_the_comparator() -> None:
    with pytest.raises(ValueError, match="no runs of 'none' to compare with"):
        cost_effect(random_runs(["virtual", "hybrid"]))


def test_an_outline_leaves_the_outermost_tenth_out_and_there_is_none_around_a_line() -> None:
    along = np.linspace(0.0, 1.0, 30)
    square = np.array([[x, y] for x in along[::6] for y in along[::6]])
    far = np.array([[50.0, -50.0], [-50.0, 50.0]])
    corners = outline(np.concatenate([square, far]))
    assert corners is not None and np.abs(corners).max() <= 1.0
    line = np.column_stack([along, along])
    assert outline(line) is None
    assert outline(np.concatenate([line, [[0.0, 9.0]]])) is None  # what is left without the point far off lies on a line
    assert outline(square[:9]) is None  # too few


def test_gaps_say_where_there_are_no_such_schools() -> None:
    runs = random_runs(["none", "virtual"]).assign(gap_rural=np.nan, gap_rural_end_of_funding=np.nan)
    said = words(gaps(runs))
    assert "no rural schools" in said and "no small schools" not in said


def test_durability_is_paired_with_the_comparator() -> None:
    runs = random_runs(["none", "virtual"])
    runs["adopters_end_of_funding"] = np.where(runs["design"] == "virtual", 50.0, 0.0) + 1000 * runs["replicate"]
    runs["adopters_end"] = np.where(runs["design"] == "virtual", 25.0, 0.0) + 1000 * runs["replicate"]
    assert "50 %" in words(durability(runs, end_of_funding=34, end=47))


def test_durability_needs_a_design_besides_the_comparator() -> None:
    with pytest.raises(ValueError, match="another design"):
        durability(random_runs(["none"]), end_of_funding=34, end=47)


def test_a_network_marks_mentors_ties_and_mentors_from_abroad() -> None:
    figure = network(snapshot(), PEERS, funding=FUNDING)
    said = words(figure)
    assert "start of the programme (month 6)" in said and "end of funding (month 34)" in said and "end (month 47)" in said
    assert "mentored from another country" in said
    assert "3 mentees" in said and "0 mentees" in said
    arrows = [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 2


def test_a_network_draws_the_contacts_of_the_month_dashed_and_once() -> None:
    figure = network(snapshot(), PEERS, CONTACTS, funding=FUNDING)
    said = words(figure)
    assert all(f"lasting contacts: {count}" in said for count in (0, 1, 2))
    dashed = [lines for lines in figure.axes[1].collections if hasattr(lines, "get_segments") and lines.get_linestyles()[0][1]]
    assert [len(lines.get_segments()) for lines in dashed] == [2]
    assert "contact" not in words(network(snapshot(), PEERS, funding=FUNDING))


def test_teams_are_drawn_while_there_are_any_beside_all_teachers_of_the_comparator() -> None:
    axes = teams(by_team(["none", "virtual"]), monthly(["none", "virtual"]), FUNDING).axes[0]
    base, team, colleagues, others = axes.lines
    assert base.get_ydata()[0] == 11.0  # of all teachers, as adoption draws them
    assert set(team.get_ydata()[6:34]) == {100.0} and np.isnan([*team.get_ydata()[:6], *team.get_ydata()[34:]]).all()
    assert set(colleagues.get_ydata()[6:34]) == {50.0} and set(others.get_ydata()) == {25.0}
    assert len({line.get_linestyle() for line in (team, colleagues, others)}) == 3


def test_without_teams_there_is_nothing_to_show() -> None:
    with pytest.raises(ValueError, match="no design has teams"):
        teams(by_team(["none"]), monthly(["none"]), FUNDING)


def test_a_network_refuses_a_design_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no schools of the design 'hybrid'"):
        network(snapshot(), design="hybrid")


def test_hundreds_of_ties_are_lines_without_heads_and_schools_in_one_column_have_no_scale() -> None:
    n = 500
    table = pd.DataFrame({"design": "virtual", "month": 6, "school": np.arange(n), "x_km": 0.0, "y_km": np.arange(n) * 1.0, "share": 0.1})
    table = table.assign(role=np.where(table["school"] == 0, 1, 2), mentor=np.where(table["school"] == 0, -1, 0))
    figure = network(table)
    assert not [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None) is not None]
    assert n - 1 in [len(lines.get_segments()) for lines in figure.axes[0].collections if hasattr(lines, "get_segments")]
    assert " km" not in words(figure)
    assert " km" in words(network(snapshot()))


def test_a_network_shows_the_first_design_that_mentors() -> None:
    both = pd.concat([snapshot("outreach").assign(mentor=-1), snapshot("virtual")])
    assert "virtual" in words(network(both))
