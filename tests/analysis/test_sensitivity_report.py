"""The report of a sensitivity study: sentences by rule, what may be fixed, and that every figure can be made of its tables."""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from school_mentoring.analysis.figures import sensitivity as draw
from school_mentoring.analysis.outcomes import panel_name, target_name
from school_mentoring.analysis.report import terminal as report_module
from school_mentoring.analysis.report.sensitivity import FIX_BELOW, fixable, sensitivity_report, title_of

DESIGNS = ("regional_hub", "virtual")
PARAMETERS = {"beta": "behaviour", "team": "cost", "seek_base": "incentive"}
FACTORS = {**dict.fromkeys(PARAMETERS, "parameter"), "behaviour": "group", "cost": "group", "dummy": "dummy"}
VALUES = {"beta": 0.7, "team": 0.25, "seek_base": 0.004, "behaviour": 0.7, "cost": 0.25, "dummy": 0.0}


def rows(index, *, output="effect_adopter_years", method="sobol", half=0.05):
    """Return the rows of one index for two designs less none, of a sample where beta decides and seek_base does next to nothing."""
    place = {"beta": 1.0, "team": 2.0, "seek_base": 3.0, "behaviour": 1.0, "cost": 2.0, "dummy": np.nan}
    listed = []
    for design in DESIGNS:
        for name, value in VALUES.items():
            low, high = max(0.0, value - min(half, value)), value * 1.1 if value < 0.01 else value + half
            high = 0.0 if name == "dummy" else high
            listed.append(
                {
                    "method": method, "output": output, "design": design, "comparator": "none", "index": index, "parameter": name,
                    "with_parameter": "", "group": PARAMETERS.get(name, name), "kind": FACTORS[name], "estimate": value, "low": low,
                    "high": high, "distinguishable": low > 0.01, "floor": 0.0, "place": place[name], "place_settled": name == "beta",
                }
            )  # fmt: skip
    return pd.DataFrame(listed)


def outputs(problem="", share=0.02):
    keys = {"output": "effect_adopter_years", "comparator": "none", "mean": 100.0, "sd": 10.0, "noise_variance": 2.0}
    listed = [{**keys, "design": d, "noise_share": share, "replicates": 4, "replicates_needed": 9.0, "problem": ""} for d in DESIGNS]
    if problem:
        listed += [
            {**listed[0], "output": name, "design": "none", "comparator": "", "problem": problem} for name in ("cost_total", "gap_rural")
        ]
    return pd.DataFrame(listed)


def state(**changes):
    return {
        "method": "sobol", "random": "common", "ci": 0.1, "level": 0.95, "max_runs": 1000, "willingness_to_pay": 1000.0, "points": 64,
        "parameter_sets": 448, "replicates": 4, "runs": 900, "widest": 0.2, "widest_at": "ST of beta for x", "settled": False, "outputs": 3,
        "outputs_settled": 2, **changes,
    }  # fmt: skip


def report(**changes):
    tables = {"indices": pd.concat([rows("S1"), rows("ST")], ignore_index=True), "outputs": outputs(**changes.pop("outputs", {}))}
    return sensitivity_report(tables, state(**changes))


def test_mere_chance_and_rare_winners_are_no_reason_to_keep_a_parameter():
    noisy = rows("ST", output="gap_rural").assign(high=0.4, floor=0.9, distinguishable=False)
    rare = decision(design="virtual").assign(high=0.9)
    joint = decision().assign(high=lambda r: r["high"] * 0.5)
    table = fixable(pd.concat([rows("ST"), noisy, rare, joint])).set_index("parameter")
    assert table.loc["seek_base", "may_be_fixed"]
    heard = noisy.assign(distinguishable=True)
    assert not fixable(pd.concat([rows("ST"), heard])).set_index("parameter").loc["seek_base", "may_be_fixed"]


def test_what_is_not_settled_is_said_first():
    assert report().said[0].startswith("Not settled: 900 of at most 1,000 runs are spent, and the widest 95 % interval is 0.20")
    assert report(settled=True, widest=0.05).said[0].startswith("Settled: the widest 95 % interval is 0.05")


def test_parameters_are_named_with_intervals_and_how_far_the_order_holds():
    said = report().said[1]
    assert said == (
        "For adopter-years with regional hub less no programme, beta (0.70, 0.65 to 0.75) and team (0.25, 0.20 to 0.30) matter most; "
        "the first place is settled, and 1 of 3 cannot be told from chance."
    )


def test_where_nothing_stands_out_or_no_place_is_settled_that_is_said():
    def told(**changes):
        indices = rows("ST").assign(**changes)
        return sensitivity_report({"indices": indices, "outputs": outputs()}, state()).said[1]

    assert told(distinguishable=False) == "For adopter-years with regional hub less no programme nothing stands out from chance."
    assert "; no place in this order is settled, and 1 of 3" in told(place_settled=False)
    assert "; the first 2 in this order are settled, and 1 of 3" in told(place_settled=True)


def test_one_replicate_says_nothing_of_chance_and_where_nothing_is_small_nothing_may_be_fixed():
    tables = {"indices": rows("ST").assign(high=0.5), "outputs": outputs().assign(noise_share=np.nan)}
    said = sensitivity_report(tables, state()).said
    assert "How much is chance cannot be said from one replicate; take at least two." in said
    assert any(line.startswith("No parameter may be fixed by the rule: total-order index below 0.01") for line in said)


def test_the_table_shows_a_dot_where_nothing_can_be_told_from_chance():
    columns, table = report().columns, report().rows
    assert columns[1:] == ["regional\nhub", "virtual"]
    assert table == [["beta", "0.70", "0.70"], ["team", "0.25", "0.25"], ["seek_base", "·", "·"]]


def test_parameters_that_may_be_fixed_are_below_the_bound_at_the_upper_end_everywhere():
    table = fixable(pd.concat([rows("ST"), rows("ST", output="cost_total").assign(high=lambda r: r["high"] * 1.5)]))
    assert list(table["parameter"]) == ["seek_base", "team", "beta"]
    assert list(table["may_be_fixed"]) == [True, False, False]
    assert table.loc[0, "high"] == pytest.approx(0.0066)
    assert table.loc[0, "high"] < FIX_BELOW
    assert "May be fixed, for all outputs and designs analysed (together at most 0.004 of a variance): seek_base." in report().said


@pytest.mark.parametrize(
    ("share", "needed", "text"),
    [
        (
            0.02,
            1.0,
            "Chance makes up at most 2 % of the variance (adopter-years with regional hub less no programme): 4 replicates suffice.",
        ),
        (0.4, 60.0, "9 replicates would bring that under 5 %. Total-order indices up to that share may be chance."),
    ],
)
def test_chance_and_the_replicates_that_suffice_are_told(share, needed, text):
    assert any(said.endswith(text) for said in report(outputs={"share": share}).said)


def test_what_is_not_analysed_is_named():
    assert report(outputs={"problem": "is the same, 0, in every parameter set"}).said[-1] == (
        "Not analysed, as the same in every parameter set: cost of all resources with no programme and gap of rural schools at the end "
        "with no programme."
    )
    named = report(outputs={"problem": "is no finite number in parameter set 3, replicate 0"}).said[-1]
    assert named.endswith("which is no finite number in parameter set 3, replicate 0.")


def test_the_document_is_json_without_what_json_has_not():
    found = report()
    text = json.dumps(found.document, allow_nan=False)
    assert json.loads(text)["said"] == found.said


def test_targets_have_names_for_people():
    assert target_name("net_benefit", "virtual", "none") == "net monetary benefit with virtual"
    assert target_name("cost_total", "virtual", "regional_hub") == "cost of all resources with virtual less regional hub"
    assert title_of(state()).startswith("Sensitivity by sobol: 64 points, 448 parameter sets\n4 replicates of each design, common random")


def decision(*, design="", estimate=0.8):
    table = rows("ST", output="best_design").query("design == 'virtual'").assign(design=design, comparator="")
    return table.assign(estimate=table["estimate"] * estimate)


def test_the_decision_is_told_by_how_often_each_design_is_best_and_what_decides_it():
    share = {"output": "best_design", "comparator": "", "sd": 0.4, "noise_variance": 0.0, "noise_share": 0.01, "replicates": 4,
             "replicates_needed": 2.0, "problem": ""}  # fmt: skip
    best = pd.DataFrame([{**share, "design": "regional_hub", "mean": 0.2}, {**share, "design": "virtual", "mean": 0.8}])
    tables = {"indices": pd.concat([rows("ST"), decision()]), "outputs": pd.concat([outputs(), best], ignore_index=True)}
    said = sensitivity_report(tables, state()).said
    assert "At 1,000 EUR per adopter-year the best design, by share of parameter sets, is virtual (80 %) and regional hub (20 %)." in said
    assert any(text.startswith("For the choice of the best design, beta (0.56") for text in said)
    assert target_name("best_design", "virtual", "") == "virtual being the best design"
    assert (panel_name("", ""), panel_name("virtual", "regional_hub")) == ("the choice as a whole", "virtual\nless regional hub")


def test_every_table_is_written_as_csv_and_as_parquet():
    files = sensitivity_report(tables_of_every_kind(), state()).files
    names = {"indices", "outputs", "one_at_a_time", "over_time", "points", "may_be_fixed"}
    assert set(files) == {f"{name}.{kind}" for name in names for kind in ("csv", "parquet")}


def test_figures_are_the_same_whatever_the_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(report_module, "MANY_FIGURES", 2)
    found = sensitivity_report({"indices": rows("ST"), "outputs": outputs()}, state())
    for processes in (1, 2):
        found.write_figures(tmp_path / str(processes), processes=processes)
    one, two = (sorted((tmp_path / n).iterdir()) for n in ("1", "2"))
    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def tables_of_every_kind():
    rng = np.random.default_rng(1)
    second = rows("S2").query("kind == 'parameter' and parameter != 'seek_base'").assign(with_parameter="seek_base")
    indices = pd.concat([rows("S1"), rows("ST"), second], ignore_index=True)
    local = [
        {"parameter": name, "end": end, "value": 1.0, "output": "effect_adopter_years", "design": d, "comparator": "none", "mean": mean}
        for d in DESIGNS
        for name, end, mean in [("", "base", 100.0)] + [(p, e, 100.0 + s) for p in PARAMETERS for e, s in (("low", -5.0), ("high", 9.0))]
    ]
    time = [
        {
            "design": d,
            "comparator": c,
            "month": m,
            "variance": 1.0,
            "parameter": p,
            "group": g,
            "kind": "parameter",
            "S1": 0.3,
            "S1_low": 0.2,
            "S1_high": 0.4,
            "ST": 0.4,
            "ST_low": 0.3,
            "ST_high": 0.5,
        }
        for d in DESIGNS
        for c in ("", "none")
        for m in range(-1, 12)
        for p, g in PARAMETERS.items()
    ]
    points = pd.DataFrame(rng.random((64, 4)), columns=[*PARAMETERS, "dummy"])
    for design in DESIGNS:
        points[f"effect_adopter_years|{design}|none"] = points["beta"] * 50 + rng.random(64)
    return {
        "indices": indices,
        "outputs": outputs(),
        "one_at_a_time": pd.DataFrame(local),
        "over_time": pd.DataFrame(time),
        "points": points,
    }


def test_every_figure_of_a_sobol_study_is_made_and_leaves_the_style_alone():
    figures = sensitivity_report(tables_of_every_kind(), state()).figures
    assert {name.split("_")[0] for name in figures} == {"indices", "groups", "pairs", "tornado", "scatter", "over", "may"}
    assert {"over_time", "over_time_total", "over_time_difference", "over_time_difference_total", "may_be_fixed"} <= set(figures)
    for name, make in figures.items():
        figure = make()
        assert isinstance(figure, Figure), name
        assert len(figure.axes) >= (1 if name == "may_be_fixed" else len(DESIGNS)), name
        assert figure.get_suptitle()


def test_the_tornado_says_that_it_is_local():
    assert (
        "local" in sensitivity_report(tables_of_every_kind(), state()).figures["tornado_effect_adopter_years_difference"]().get_suptitle()
    )


@pytest.mark.parametrize(
    ("method", "index", "first"), [("morris", "mu_star", "morris"), ("pawn", "pawn", "indices"), ("regional", "ks", "indices")]
)
def test_other_methods_have_their_figures(method, index, first):
    kinds = ("mu_star", "sigma") if method == "morris" else (index, "shift") if method == "regional" else (index,)
    indices = pd.concat([rows(name, method=method) for name in kinds], ignore_index=True)
    indices = indices[(indices["kind"] != "group") | (indices["index"] == "mu_star")]
    found = sensitivity_report({"indices": indices, "outputs": outputs()}, state(method=method))
    assert next(iter(found.figures)).startswith(first)
    for make in found.figures.values():
        assert isinstance(make(), Figure)


def written(figure):
    """Return everything that is written on a figure."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")) if text.get_text()]


def test_a_parameter_that_changes_nothing_alone_has_an_empty_panel_that_says_so():
    local = tables_of_every_kind()["one_at_a_time"]
    still = local.assign(mean=local["mean"].where(local["design"] != "virtual", 100.0))
    assert written(draw.tornado(still, rows("ST"))).count("no change") == 1
    assert "no change" not in written(draw.tornado(local, rows("ST")))


@pytest.mark.parametrize(
    ("factor", "unit"), [(1.0, "change, EUR"), (1e4, "change, EUR thousand"), (1e6, "change, EUR million")]
)  # fmt: skip
def test_money_is_shown_in_the_unit_that_its_size_asks_for(factor, unit):
    local = tables_of_every_kind()["one_at_a_time"].assign(output="cost_total")
    local["mean"] *= factor
    assert unit in written(draw.tornado(local, rows("ST", output="cost_total")))


def test_only_interactions_that_can_be_told_from_nothing_are_written_in():
    second = rows("S2").query("kind == 'parameter' and parameter == 'beta'").assign(with_parameter="team", estimate=0.12)
    indices = pd.concat([rows("ST"), second], ignore_index=True)
    assert written(draw.pairs(indices.assign(distinguishable=True))).count("0.12") == len(DESIGNS)
    assert "0.12" not in written(draw.pairs(indices.assign(distinguishable=False)))


def test_groups_are_shown_over_time_where_no_single_parameters_were_analysed():
    time = tables_of_every_kind()["over_time"].query("comparator == 'none'")
    groups = time.assign(kind="group", parameter=time["group"])
    assert {"behaviour", "cost", "incentive"} <= set(written(draw.over_time(groups)))
    assert "beta" not in written(draw.over_time(groups))


def test_bars_without_a_dummy_leave_it_out():
    with_dummy, without = (written(draw.bars(table, kind="parameter")) for table in (rows("ST"), rows("ST").query("kind != 'dummy'")))
    assert "dummy" in with_dummy and "dummy" not in without


def test_the_scatter_has_a_line_for_each_target_and_dots_where_values_are_not_just_yes_and_no():
    points = tables_of_every_kind()["points"]
    figure = draw.scatter(points, rows("ST"))
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "."]
    assert len(dots) == len(DESIGNS)
    best = points.assign(**{f"best_design|{design}|": (points["beta"] > 0.5) * 1.0 for design in DESIGNS})
    chosen = rows("ST", output="best_design").assign(comparator="")
    assert [line for line in draw.scatter(best, chosen).axes[0].lines if line.get_marker() == "."] == []


def test_the_scatter_tells_pairs_apart_in_which_a_design_stands_twice_and_takes_few_values_one_by_one():
    points = tables_of_every_kind()["points"].assign(beta=np.arange(64) % 3)
    against = rows("ST").query("design == 'virtual'").assign(comparator="regional_hub")
    for design, comparator in (("virtual", "none"), ("virtual", "regional_hub")):
        points[f"effect_adopter_years|{design}|{comparator}"] = points["beta"] * 10.0
    figure = draw.scatter(points, pd.concat([rows("ST").query("design == 'virtual'"), against], ignore_index=True))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert len(legend) == len(set(legend)) == 2
    line = next(line for line in figure.axes[0].lines if line.get_marker() != ".")
    assert line.get_xdata().tolist() == [0.0, 1.0, 2.0] and line.get_ydata().tolist() == [0.0, 10.0, 20.0]


def test_where_only_groups_were_analysed_the_scatter_shows_the_parameters_as_they_come():
    figure = draw.scatter(tables_of_every_kind()["points"], rows("ST").query("kind == 'group'"))
    assert [axes.get_xlabel() for axes in figure.axes if axes.lines] == list(PARAMETERS)
