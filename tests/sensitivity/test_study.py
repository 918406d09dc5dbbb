"""Studies as a whole: growth, resumption, what is refused or named, and effects of which the sign is known."""

import numpy as np
import pandas as pd
import pytest

from school_mentoring.experiments.folder.reading import open_study
from school_mentoring.experiments.sensitivity.design import layout_of, one_at_a_time
from school_mentoring.experiments.sensitivity.outputs import _Spread, read_targets, targets_of
from school_mentoring.experiments.sensitivity.study import SensitivityOptions, asked, run_study, study_of_sweep
from school_mentoring.experiments.sweep import chunks
from school_mentoring.experiments.sweep.execution import carry_out, open_sweep
from school_mentoring.experiments.sweep.plan import plan_sweep
from school_mentoring.experiments.variables import parse_variable
from school_mentoring.model.engine import Results, run_batch
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from tests.experiments.sweeps import content, small

from .functions import UNIT, ranges, with_function

VARY = ("beta", "q_in", "cover_share")
EFFECT = ("effect_adopter_years",)
FEW = {"vary": VARY, "points": 8, "local": False, "resamples": 50}


def tiny(**options):
    return small(designs=["none", "regional_hub"], replicates=2, **options)


# --- growth and resumption -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sobol", "morris", "pawn"])
def test_a_sample_that_doubles_keeps_its_first_sets(method):
    scenario = tiny()
    variables = [parse_variable(name, scenario) for name in VARY]
    layout = layout_of(method if method != "pawn" else "sample", variables, second=method == "sobol", seed=1, start=8)
    pd.testing.assert_frame_equal(layout.sets(32).iloc[: 8 * layout.step], layout.sets(8))


def test_a_study_that_doubles_reuses_every_part_and_says_what_one_of_that_size_says(tmp_path, monkeypatch):
    first = run_study(tiny(), SensitivityOptions(outputs=EFFECT, ci=0.01, max_runs=400, **FEW), tmp_path / "grown")
    assert first.state["points"] == 8
    before = content(tmp_path / "grown" / "results")
    grown = run_study(tiny(), SensitivityOptions(outputs=EFFECT, ci=0.01, max_runs=2000, **FEW), tmp_path / "grown", resume=True)
    assert grown.state["points"] == 32
    assert not grown.state["settled"]
    after = content(tmp_path / "grown" / "results")
    assert before.items() <= after.items()
    straight = run_study(tiny(), SensitivityOptions(outputs=EFFECT, ci=0.01, max_runs=2000, **FEW), tmp_path / "straight")
    pd.testing.assert_frame_equal(grown.indices, straight.indices)
    assert content(tmp_path / "straight" / "results") == after
    assert open_study(tmp_path / "grown").complete


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_an_interrupted_study_gives_the_same_indices_when_resumed(tmp_path, monkeypatch, dies_at):
    options = SensitivityOptions(outputs=EFFECT, ci=0.01, max_runs=1000, **FEW)
    whole = run_study(tiny(), options, tmp_path / "whole")
    assert whole.state["points"] == 16
    calls = []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == dies_at:
            raise KeyboardInterrupt
        return run_batch(*args, **kwargs)

    monkeypatch.setattr(chunks, "runner", lambda engine: dies)
    with pytest.raises(KeyboardInterrupt):
        run_study(tiny(), options, tmp_path / "cut")
    monkeypatch.undo()
    with pytest.raises(InputError, match="--resume"):
        run_study(tiny(), options, tmp_path / "cut")
    resumed = run_study(tiny(), options, tmp_path / "cut", resume=True)
    pd.testing.assert_frame_equal(resumed.indices, whole.indices)
    pd.testing.assert_frame_equal(resumed.outputs, whole.outputs)
    once_more = run_study(tiny(), options, tmp_path / "cut", resume=True)
    pd.testing.assert_frame_equal(once_more.indices, whole.indices)


def test_a_study_settles_when_the_widest_interval_is_within_the_one_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "runner", with_function(lambda x: x[:, 0] + x[:, 1], UNIT))
    options = SensitivityOptions(outputs=EFFECT, vary=ranges(UNIT[:2]), points=16, ci=0.2, max_runs=50_000, local=False)
    found = run_study(small(designs=["none"], replicates=1), options, tmp_path / "s")
    assert found.state["settled"]
    assert found.state["points"] > 16
    ranked = found.indices[found.indices["index"].isin(["S1", "ST"])]
    assert (ranked["high"] - ranked["low"]).max() == pytest.approx(found.state["widest"])


# --- chance and the decision -----------------------------------------------------------------------------------------


def test_outputs_do_not_depend_on_how_a_sweep_is_cut(tmp_path):
    targets = targets_of((*EFFECT, "best_design"), ["none", "regional_hub"], [("regional_hub", "none")])
    found = []
    for chunk in (3, 8):
        plan = plan_sweep(small(designs=["none", "regional_hub"], replicates=4), ["beta"], "sobol:8", chunk=chunk)
        folder = tmp_path / str(chunk)
        carry_out(folder, plan, open_sweep(folder, plan, resume=False), threads=1)
        found.append(read_targets(folder, plan, targets, 25_000.0))
    np.testing.assert_array_equal(found[0].means, found[1].means)
    # Of no programme, which beta is nothing to, both are what rounding leaves of squares of some 10,000.
    np.testing.assert_allclose(found[0].noise, found[1].noise, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found[0].seed, found[1].seed, rtol=1e-9)


def three(x, r, draws):
    """Return adopter-years of three designs: one of a known worth, one that gains with x, both with chance of their own, and none."""
    chance = draws[r]
    return np.column_stack([np.zeros(len(x)), 0.5 + chance[:, 0], x + chance[:, 1]])


def decide(tmp_path, monkeypatch, sd, replicates=8):
    draws = np.random.default_rng(4).normal(0.0, sd, (512 * 8 * replicates, 2))

    def engine(task, **options):
        batch = task.batch
        outcomes = np.zeros((len(batch.replicate), len(OUTCOMES)))
        worth = three(task.parameters["beta"][batch.parameter_set], batch.replicate, draws)
        outcomes[:, 0] = worth[np.arange(len(worth)), batch.design % 3]
        return Results(outcomes, *[np.empty((0, 0))] * (len(Results._fields) - 1))

    monkeypatch.setattr(chunks, "runner", lambda name: engine)
    scenario = small(designs=["none", "outreach", "virtual"], replicates=replicates)
    options = SensitivityOptions(
        "sobol", ("best_design",), ("beta=0:1", "q_in=0:1"), points=512, local=False, random="independent", ci=9, max_runs=10**6
    )
    return run_study(scenario, options, tmp_path / "s")


def test_the_decision_is_that_of_the_design_with_the_highest_net_benefit(tmp_path, monkeypatch):
    found = decide(tmp_path, monkeypatch, 0.0)
    outputs = found.outputs.set_index("design")
    assert outputs["mean"]["virtual"] == pytest.approx(0.5, abs=0.01)
    assert outputs["problem"]["none"].startswith("is the same, 0")
    joint = found.indices[(found.indices["design"] == "")].set_index(["index", "parameter"])["estimate"]
    assert joint["ST", "beta"] == pytest.approx(1.0, abs=0.05)
    assert joint["S1", "beta"] == pytest.approx(1.0, abs=0.05)
    assert joint["ST", "q_in"] == 0.0


def test_how_often_chance_decides_is_found_from_halves_of_the_replicates(tmp_path, monkeypatch):
    """The dummy's total-order index is the share of chance where sets draw of their own: halves of the replicates must tell the same."""
    found = decide(tmp_path, monkeypatch, 0.5)
    joint = found.indices[(found.indices["design"] == "") & (found.indices["index"] == "ST")].set_index("parameter")
    dummy = joint.loc["dummy"]
    # A half of 8 replicates is centred on their mean, not on the truth, so the share is a little low where most sets are near a tie.
    assert dummy["floor"] == pytest.approx(dummy["estimate"], rel=0.25)


def test_a_seed_of_its_own_is_a_factor_of_single_runs():
    """Of x + 2 r + z with variances 1, 4 and 9 of set, seed and their interaction: 4/14 alone, 13/14 in all."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(4000, 1)) + 2 * rng.normal(size=200) + 3 * rng.normal(size=(4000, 200))
    spread = _Spread(1, 200)
    for part in np.split(values[..., None], 8):
        spread.add(part)
    alone, whole = spread.seed(True, values.mean(axis=1).var(ddof=1, keepdims=True))
    assert alone[0] == pytest.approx(4 / 14, abs=3 * 4 / 14 * np.sqrt(2 / 200))  # the seed's variance is that of 200 draws
    assert whole[0] == pytest.approx(13 / 14, abs=0.02)


# --- what is refused or named ----------------------------------------------------------------------------------------


def test_outputs_that_are_no_numbers_or_constant_are_named_with_their_runs(tmp_path, monkeypatch):
    def engine(task, **options):
        results = run_batch(task, **options)
        results.outcomes[:, OUTCOMES.index("gap_rural")] = np.where(task.batch.parameter_set % 7 == 3, np.nan, 1.0)
        return results

    monkeypatch.setattr(chunks, "runner", lambda engine_name: engine)
    found = run_study(
        tiny(), SensitivityOptions(outputs=(*EFFECT, "gap_rural", "cost_programme"), max_runs=10**6, ci=9.0, **FEW), tmp_path / "s"
    )
    problems = found.outputs.set_index(["output", "design", "comparator"])["problem"]
    assert problems["gap_rural", "none", ""].startswith(
        "is no finite number in parameter set 3, replicate 0; parameter set 3, replicate 1;"
    )
    assert problems["cost_programme", "none", ""] == "is the same, 0, in every parameter set"
    assert problems["effect_adopter_years", "none", ""] == ""
    assert set(found.indices["output"]) == {"effect_adopter_years", "cost_programme"}
    assert np.isfinite(found.indices[["estimate", "low", "high"]].to_numpy()).all()


def test_nothing_left_to_analyse_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing is left to analyse: cost_programme of none is the same"):
        run_study(small(designs=["none"], replicates=2), SensitivityOptions(outputs=("cost_programme",), **FEW), tmp_path / "s")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "fast"}, "--method fast: is not known; allowed: sobol, morris"),
        ({"method": "morris", "second": True}, "allowed with them: --method sobol"),
        ({"method": "pawn", "groups": "only"}, "pawn has no indices of groups"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        asked(**given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 12}, "--n 12: is no power of 2"),
        ({"max_runs": 10}, "the first sample takes"),
        ({"outputs": ("effect_adopter_year",)}, "did you mean 'effect_adopter_years'"),
        ({"pairs": "regional_hub-virtual"}, "no design named 'virtual'"),
        ({"pairs": "regional_hub"}, "names no pairs"),
    ],
)
def test_bad_studies_are_refused_before_a_run_is_made(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        run_study(tiny(), SensitivityOptions(**{"outputs": EFFECT, **FEW, **options}), tmp_path / "s")
    assert not (tmp_path / "s").exists()


# --- signs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "output", "sign"),
    [
        ("teacher_cost_factor", "cost_total", 1),  # a dearer teacher hour never makes a design cheaper
        ("cover_share", "cost_total", 1),  # an hour of a lesson is dearer than one of a teacher's own time
        ("km_rate", "cost_total", 1),
        ("coordinator_cost_ratio", "cost_programme", 1),
        ("beta", "effect_adopter_years", 1),
        ("q_in", "adopters_end", 1),
        ("d", "adopters_end", -1),
    ],
)
def test_effects_of_known_direction_have_it_everywhere(tmp_path, parameter, output, sign):
    """Prices act on the same runs, so every elementary effect has the sign; behaviour may meet other draws, so the mean has it."""
    options = SensitivityOptions("morris", (output,), (parameter, "onboarding", "turnover"), points=16, ci=9.0, max_runs=10**6, local=True)
    found = run_study(small(designs=["none", "regional_hub", "hybrid"], replicates=3, months=24), options, tmp_path / "s")
    effects = found.indices[(found.indices["parameter"] == parameter) & (found.indices["comparator"] == "")].pivot(
        index="design", columns="index", values="estimate"
    )
    assert (sign * effects["mu"] >= 0).all()
    assert sign * effects.loc["regional_hub", "mu"] > 0
    if output.startswith("cost"):
        np.testing.assert_allclose(effects["mu_star"], sign * effects["mu"])
    local = found.local[(found.local["parameter"] == parameter) & (found.local["comparator"] == "")].pivot(
        index="design", columns="end", values="mean"
    )
    assert (sign * (local["high"] - local["low"]) >= 0).all()


# --- sweeps that exist, months, one at a time ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["given", "pawn", "regional"])
def test_a_sweep_that_exists_is_analysed_without_a_run(tmp_path, method):
    """Also one of which the chunks cut parameter sets in two."""
    plan = plan_sweep(tiny(), ["beta", "regional_hub.stipend=0:8000"], "sobol:128", chunk=17)
    carry_out(tmp_path / "sweep", plan, open_sweep(tmp_path / "sweep", plan, resume=False), threads=1)
    _, found, _ = study_of_sweep(
        tmp_path / "sweep",
        SensitivityOptions(
            method, ("net_benefit",) if method == "regional" else EFFECT, pairs="regional_hub-none", willingness_to_pay=200_000.0
        ),
    )
    rows = found.indices[(found.indices["design"] == "regional_hub") & (found.indices["place"] == 1)]
    assert set(rows["parameter"]) == {"beta"}
    assert rows["distinguishable"].all()
    assert set(found.indices["parameter"]) == {"beta", "regional_hub.stipend", "dummy"}
    with pytest.raises(InputError, match="needs a sample of its own"):
        study_of_sweep(tmp_path / "sweep", SensitivityOptions("sobol", EFFECT))


def test_months_are_recorded_only_where_asked_and_change_no_outcome(tmp_path):
    plain = run_study(tiny(), SensitivityOptions(outputs=EFFECT, ci=9.0, max_runs=10**6, **FEW), tmp_path / "plain")
    monthly = run_study(tiny(), SensitivityOptions(outputs=EFFECT, ci=9.0, max_runs=10**6, monthly=True, **FEW), tmp_path / "monthly")
    pd.testing.assert_frame_equal(plain.indices, monthly.indices)
    assert "share_000" not in open_study(tmp_path / "plain").dataset().schema.names
    runs = open_study(tmp_path / "monthly").dataset().to_table().to_pandas()
    shares = runs[[f"share_{month:03d}" for month in range(12)]]
    assert ((shares >= 0) & (shares <= 1)).all(axis=None)
    assert set(monthly.time["month"]) <= set(range(-1, 12))
    last = (shares["share_011"] / runs["adopters_end"]).groupby(runs["replicate"])
    # The same count over the teachers of the replicate's world, to the digits of single precision.
    assert (last.max() / last.min() - 1.0).max() < 1e-6


def test_one_at_a_time_moves_one_parameter_from_the_base():
    scenario = tiny()
    variables = [parse_variable(text, scenario) for text in ("beta", "regional_hub.stipend", "regional_hub.last_month")]
    sets, described = one_at_a_time(variables, scenario)
    moved = (sets != sets.iloc[0]).sum(axis=1)
    assert list(moved[1:]) == [1] * 6
    assert list(described["end"]) == ["base", *("low", "high") * 3]
    assert sets.loc[0, "regional_hub.last_month"] == scenario.programme.last_month
