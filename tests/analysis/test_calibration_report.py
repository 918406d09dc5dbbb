"""The report of a calibration says by fixed rules what the data told, what they did not, and how far the sampling may be trusted."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration_figures import rank_histograms, recovery, simultaneous_band
from school_mentoring.analysis.report.calibration import calibration_report, quick_report, title_of
from school_mentoring.analysis.report.terminal import print_report
from school_mentoring.experiments.calibration.findings import edge_of

RNG = np.random.default_rng(2)
PRIOR = {"parameter": "", "prior_mean": 0.1, "prior_sd": 0.05, "prior_low": 0.02, "prior_median": 0.1, "prior_high": 0.19}


def row(name, told="well", goes_with="", correlation=0.0, r_hat=1.0, ess=2000.0, edge=""):
    ratio = {"well": 0.3, "partly": 0.7, "not": 1.0, "edge": 0.2}[told]
    after = {"posterior_mean": 0.11, "posterior_sd": ratio * 0.05, "posterior_low": 0.08, "posterior_median": 0.11, "posterior_high": 0.14}
    about = {"sd_ratio": ratio, "told": told, "goes_with": goes_with, "correlation": correlation, "r_hat": r_hat, "ess": ess}
    about |= {"edge": edge, "least": 0.0005, "most": 0.008}
    return {**PRIOR, **after, **about, "parameter": name}


def curves(groups, months=12):
    index = pd.MultiIndex.from_product([groups, range(months), ["prior", "posterior"]], names=["group", "month", "source"])
    return index.to_frame(index=False).assign(practice="digital_practice", low=0.1, median=0.2, high=0.3)


def observed(groups, held=False):
    rows = [{"group": g, "month": m, "share": 0.2, "low": 0.1, "high": 0.3, "held_out": held and m == 9} for g in groups for m in (3, 9)]
    return pd.DataFrame(rows).assign(practice="digital_practice")


def report(rows, *, clusters=("A", "B"), held=False, funding=(2, 8), tables=None, **changes):
    names = [one["parameter"] for one in rows]
    groups = ["all schools", "mentors", *clusters]
    found = {
        "parameters": pd.DataFrame(rows),
        "draws": pd.DataFrame({name: RNG.normal(0.11, 0.02, 200) for name in names}),
        "prior_draws": pd.DataFrame({name: RNG.normal(0.1, 0.05, 200) for name in names}),
        "curves": curves(groups),
        "observed": observed(groups, held),
        **(tables or {}),
    }
    state = {"parameters": names, "within_90": 0.92, "clusters": list(clusters), "structures": ["all schools", "mentors"], **changes}
    return calibration_report(found, state, funding)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (["well"], ["The data tell p0: less than half as uncertain as before."]),
        (["partly"], ["p0 is partly told: moved, or narrower than the prior by no more than half."]),
        (["partly", "partly"], ["p0 and p1 are partly told: moved, or narrower than the prior by no more than half."]),
        (["not"], ["The data cannot tell p0, which keeps its prior: what is concluded from it rests on assumption."]),
        (
            ["not", "well", "not"],
            [
                "The data cannot tell p0 and p2, which keep their priors: what is concluded from them rests on assumption.",
                "The data tell p1: less than half as uncertain as before.",
            ],
        ),
    ],
)
def test_what_the_data_told_follows_from_the_widths_and_what_they_did_not_is_said_first(told, said):
    found = report([row(f"p{k}", word) for k, word in enumerate(told)]).said
    assert found[: len(said)] == said


def test_parameters_that_go_together_are_named_once_with_their_correlation():
    pair = [row("beta", goes_with="d", correlation=-0.8), row("d", goes_with="beta", correlation=-0.8), row("p", correlation=0.5)]
    together = [line for line in report(pair).said if "go together" in line]
    assert together == ["beta and d go together (correlation -0.80): told better together than each, so use the joint draws."]


SETTLED = "The sampler has settled: R-hat at most 1.000, at least 2,000 effective draws."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, SETTLED),
        ({"synthetic": True}, "SYNTHETIC: the observations say of themselves that they are made up."),
        ({"fit_probability": 0.3}, "92 % of the schools' answers lie within the 90 % that the fitted model leads to expect."),
        ({"check_sd": 0.9}, "The emulated likelihood is off the directly simulated one by 0.90 (sd): take more --runs."),
        ({"check_sd": 0.2}, "Simulated directly at eight draws, the log-likelihood differs from the emulated one by 0.20 (sd)."),
        ({"kurtosis": 4.0}, "The summaries are not quite normal (kurtosis 4.0, 3 if normal): intervals may be somewhat off."),
    ],
)
def test_each_warning_stands_where_its_figure_calls_for_it_and_nowhere_else(changes, said):
    warned = [line for line in report([row("p")], **changes).said if line not in report([row("p")]).said or line == said]
    assert any(line.startswith(said) for line in warned)
    assert len(warned) <= 1


def test_that_a_model_does_not_fit_is_said_before_the_table(capsys):
    found = report([row("p")], misfit=True, fit_probability=0.002)
    print_report(found, "a title")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("THE MODEL DOES NOT FIT (p-value 0.002). To mend it: allow it an error (--discrepancy 0.02).")
    assert found.document["warnings"] == found.warnings and len(found.warnings) == 1
    assert report([row("p")], fit_probability=0.3).warnings == []


@pytest.mark.parametrize(("edge", "wider"), [("high", "p=0.0005:0.08"), ("low", "p=0:0.008")])
def test_a_posterior_at_the_edge_of_its_prior_is_not_called_told_and_the_remedy_is_named(edge, wider):
    found = report([row("p", "edge", edge=edge)])
    assert found.warnings[0].startswith("AT THE EDGE OF ITS PRIOR: p (")
    assert found.warnings[0].endswith(f"Widen: --fit {wider}")
    assert found.rows[0][-1] == "at the edge of its prior"
    assert not any("data tell p" in line for line in found.said)


WORST = {"group": "mentees", "month": 18, "seen": 0.744, "low": 0.0362, "high": 0.093}


@pytest.mark.parametrize(
    ("rows", "changes", "remedy"),
    [
        ([row("p", "edge", edge="high"), row("beta", "edge", edge="low")], {}, "widen p and beta (--fit p=0.0005:0.08,beta=0:0.008)"),
        ([row("p")], {}, "widen p (--fit p=0.0005:0.08)"),
        ([row("beta")], {}, "free p (--fit p)"),
        ([row("p")], {"worst": WORST | {"seen": 0.01}}, "free d (--fit d)"),
        ([row("p")], {"kind": "times"}, "widen p (--fit p=0.0005:0.08); free gamma (--fit gamma)."),
    ],
)
def test_where_the_model_does_not_fit_the_first_line_says_where_and_what_to_change(rows, changes, remedy):
    said = report(rows, **{"misfit": True, "aggregate_p": 0.005, "worst": WORST, "gap": 0.31, **changes}).warnings[0]
    seen = 100 * changes.get("worst", WORST)["seen"]
    assert said.startswith(
        f"THE MODEL DOES NOT FIT (p-value 0.005; mentees, month 18: seen {seen:.3g} %, expected 3.62 to 9.3 %). To mend it:"
    )
    assert remedy in said
    assert ("--discrepancy 0.3" in said) == ("kind" not in changes)


def test_a_point_under_a_model_that_does_not_fit_is_called_one_and_nothing_is_called_told():
    rows = [row("q_in") | {"told": "point", "sd_ratio": 0.001}, row("p") | {"told": "unfit"}]
    found = report(rows, misfit=True, aggregate_p=0.005, worst=WORST, gap=0.1)
    assert found.warnings[-1].startswith("DEGENERATE: the posterior of q_in is a point")
    assert [line[-1] for line in found.rows] == ["a point: does not fit", "narrower, but does not fit"]
    assert not any("data tell" in line for line in found.said)


def test_figures_have_the_decimals_that_each_spread_has():
    cells = report([row("p") | {"posterior_mean": 0.0123456, "posterior_sd": 0.00012}]).rows[0]
    assert cells[1:4:2] == ["0.100", "0.01235"]


def test_which_posterior_lies_at_the_edge_of_its_prior():
    before = pd.Series(RNG.uniform(0.0, 1.0, 4096))
    after = {"inside": (0.4, 0.6), "up to the end": (0.5, 1.0), "high": (0.96, 1.0), "low": (0.0, 0.03), "beyond half": (0.93, 0.999)}
    found = {name: edge_of(before, pd.Series(RNG.uniform(*ends, 4096))) for name, ends in after.items()}
    assert found == {"inside": "", "up to the end": "", "high": "high", "low": "low", "beyond half": "high"}


@pytest.mark.parametrize("mixing", [{"r_hat": 1.05}, {"ess": 100.0}, {"r_hat": np.nan}])
def test_a_sampler_that_has_not_mixed_is_said_not_to_have_settled(mixing):
    said = report([row("p", **mixing)]).said
    assert any(line.startswith("The sampler has not settled (R-hat at most ") for line in said)


def scores(prior=(-1.0, 0.1), bass=(-0.05, 0.1), within=0.9):
    """Return scores of the posterior and of how far others lie behind it in log score, with the error of that."""
    rows = [("posterior", 0.0, 0.0), ("prior", *prior), ("Bass", *bass)]
    names = ["prediction", "log_score_less_posterior", "log_score_less_posterior_se"]
    return pd.DataFrame(rows, columns=names).assign(cells=30, log_score=-2.5, crps=0.04, curve_crps=0.02, curve_within_90=within)


def test_predictions_of_what_was_held_out_are_told_apart_only_beyond_two_standard_errors():
    found = report([row("p")], held=True, tables={"scores": scores()}, splits=["after month 9"])
    table = next(line for line in found.said if line.startswith("Held out (after month 9): 30 observations.")).splitlines()
    assert [line.split()[0] for line in table[2:]] == ["the", "the", "Bass"]
    assert table[4].split() == ["Bass", "-2.500", "+0.050", "±", "0.200", "4.00", "2.00", "90", "%"]
    assert "The fitted model predicts them better than the prior." in found.said
    assert "They do not tell the fitted model from Bass (within two standard errors)." in found.said
    assert not any(line.startswith("THE MODEL LOSES") for line in found.warnings)


def test_a_model_that_loses_to_a_rival_says_so_before_all_else_and_a_better_prior_is_no_rival():
    found = report([row("p")], tables={"scores": scores(prior=(0.9, 0.1), bass=(0.5, 0.1), within=0.6)}, splits=["north", "south"])
    assert "The fitted model predicts them worse than the prior and Bass." in found.said
    assert "Its 90 % intervals hold 60 % of the curves: they are too narrow." in found.said
    lost = "THE MODEL LOSES: Bass predicts what was held out better, by 0.500 ± 0.200 in log score. Do not forecast by the model."
    assert lost in found.warnings


@pytest.mark.parametrize(("high", "few"), [(1.9, True), (0.9, False)])
def test_how_far_countries_differ_is_told_beside_what_the_prior_says_of_it(high, few):
    rows = [("p", "spread between countries", 0.1, 0.5, high), ("p", "spread, prior", 0.06, 0.67, 1.96), ("p", "HR", 0.1, 0.2, 0.3)]
    countries = pd.DataFrame(rows, columns=["parameter", "country", "low", "median", "high"])
    found = report([row("p")], tables={"countries": countries})
    line = next(line for line in found.said if line.startswith("Countries differ"))
    assert line.startswith(f"Countries differ in p by 0.50 (0.10 to {high:.2f}) of its prior's sd")
    assert line.endswith("; with so few countries that is mostly its prior.") is few
    assert json.loads(json.dumps(found.document, allow_nan=False))["countries"][0]["country"] == "spread between countries"


@pytest.mark.parametrize(
    ("names", "clusters", "made"),
    [
        (["p"], (), {"learned", "fit"}),
        (["p", "beta"], (), {"learned", "fit", "pairs"}),
        (["p"], [f"cluster {k}" for k in range(8)], {"learned", "fit", "clusters"}),
    ],
)
@pytest.mark.parametrize("funding", [None, (2, 8)])
def test_figures_are_those_that_there_is_something_to_show_in(names, clusters, made, funding):
    found = report([row(name) for name in names], clusters=clusters, held=True, funding=funding)
    assert set(found.figures) == made
    figure = found.figures["fit"]()
    said = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert "observed, held out" in said
    assert ("funded months" in said) is (funding is not None)
    if "clusters" in made:
        axes = [one for one in found.figures["clusters"]().axes if one.get_title()]
        assert [one.get_title() for one in axes] == [str(k) for k in range(8)]
        assert [bool(one.get_xlabel()) for one in axes] == [False] * 2 + [True] * 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"kind": "counts", "months": [0, 12], "likelihood": "exact"},
            "adopting teachers among respondents, months 0 and 12; exact likelihood.",
        ),
        ({"kind": "times", "months": list(range(30))}, "times of adoption, months 0 to 29; point fit."),
        ({"kind": "scale", "months": [6]}, "means on a scale, months 6; point fit."),
    ],
)
def test_the_title_says_what_was_fitted_to_what(changes, said):
    title = title_of({"design": "regional_hub", "parameters": ["p", "d"], "answers": 1200, "schools": 120, **changes})
    assert title == f"Calibration of regional hub: 2 parameters, 1,200 observations\n120 schools, {said}"


def test_a_point_fit_says_that_it_is_not_sure_of_anything():
    found = quick_report(pd.DataFrame({"step": [1], "value": [2.0]}), {"p": 0.00449, "beta": 0.1234567}, {"parameters": ["p", "beta"]})
    assert found.rows == [["p", "0.00449"], ["beta", "0.1235"]]
    assert found.said[0].startswith("A point fit says nothing of how sure it is")


# --- figures of whether a calibration may be trusted ----------------------------------------------------------------------


def fits(datasets=40, ranks=100):
    rng = np.random.default_rng(1)
    truth = np.tile(np.linspace(0.1, 0.2, datasets), 2)
    table = pd.DataFrame({"parameter": np.repeat(["p", "beta"], datasets), "dataset": np.tile(np.arange(datasets), 2), "truth": truth})
    table["rank"] = rng.integers(0, ranks + 1, len(table))
    return table.assign(mean=truth + 0.01, low=truth - 0.02, high=np.where(table["dataset"] == 0, truth - 0.01, truth + 0.02))


def test_ranks_and_recovery_have_a_panel_for_each_parameter_and_mark_what_was_missed():
    ranked = rank_histograms(fits(), 100)
    assert [axes.get_title() for axes in ranked.axes] == ["p", "beta", "", ""]
    assert sum(bar.get_height() for bar in ranked.axes[0].patches if bar.get_width() < 0.2) == 40  # every data set stands in a bar
    recovered = recovery(fits())
    assert [axes.get_title() for axes in recovered.axes] == ["p", "beta"]
    held, missed = (len(lines.get_segments()) for lines in recovered.axes[0].collections)
    assert (held, missed) == (39, 1)


def test_the_band_holds_uniform_ranks_at_all_points_at_once_as_often_as_it_says():
    # 1,000 samples of their own: 95 % is seen to within 0.7 points (one standard error), and the band itself rests on 2,000.
    points = np.linspace(0.05, 0.95, 19)
    low, high = simultaneous_band(50, points)
    samples = np.random.default_rng(9).random((1000, 50))
    off = (samples[:, :, None] <= points).mean(axis=1) - points
    assert ((off >= low) & (off <= high)).all(axis=1).mean() == pytest.approx(0.95, abs=0.03)
