"""Reading a study: every number equals what NumPy and pandas find in the rows themselves."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from school_mentoring import open_study
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.folder.reading import Study
from school_mentoring.experiments.folder.writing import new_study, provenance
from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.store import sweep_store
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from tests.experiments.sweeps import DESIGNS, KEYS, made, parts_of, plan_of, rows_of, small


def the_plan():
    return plan_of("gamma=0.5:1.5", "top_down.scope=region|peers", sampling="sobol:8", chunk=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("read") / "a study's folder"
    made(path, the_plan())
    return path


@pytest.fixture(scope="module")
def rows():
    return rows_of(the_plan())


@pytest.fixture
def study(folder):
    return open_study(folder)


def test_all_runs_are_read_in_order(study, rows):
    pd.testing.assert_frame_equal(study.runs().astype({"design": str}), rows, check_exact=True)


@pytest.mark.parametrize("chunk", [1, 1000])
def test_the_rows_read_back_do_not_depend_on_the_chunks(tmp_path, rows, chunk):
    plan = plan_of("gamma=0.5:1.5", "top_down.scope=region|peers", sampling="sobol:8", chunk=chunk)
    made(tmp_path / "study", plan)
    pd.testing.assert_frame_equal(open_study(tmp_path / "study").runs().astype({"design": str}), rows, check_exact=True)


def test_a_study_knows_its_sets_and_whether_it_is_complete(study):
    assert study.parameters["parameter_set"].tolist() == list(range(8))
    assert study.info["sweep"]["variables"] == ["gamma", "top_down.scope"]
    assert study.complete


def test_outcomes_and_designs_may_be_chosen(study, rows):
    found = study.runs(["adopters_end", "cost_total"], designs=["none", "regional_hub"])
    wanted = rows[rows["design"].isin(["none", "regional_hub"])][[*KEYS, "adopters_end", "cost_total"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.astype({"design": str}), wanted, check_exact=True)


def test_runs_may_carry_their_parameters(study):
    found = study.runs(["adopters_end"], with_parameters=True)
    sets = the_plan().sets
    assert found["gamma"].tolist() == sets["gamma"].iloc[found["parameter_set"]].tolist()
    assert found["top_down.scope"].tolist() == sets["top_down.scope"].iloc[found["parameter_set"]].tolist()


def check_quantiles(found, groups, outcome, probabilities):
    names = ["q05", "q50", "q97.5"]
    assert len(found) == groups.ngroups
    for values, (_, group) in zip(found.to_dict("records"), groups, strict=True):
        data = group[outcome].dropna().to_numpy()
        assert values["n"] == len(data)
        np.testing.assert_allclose(values["mean"], data.mean(), rtol=1e-12)
        np.testing.assert_allclose(values["sd"], data.std(ddof=1), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose([values[name] for name in names], np.quantile(data, probabilities), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("by", [["design"], ["design", "replicate"], ["design", "top_down.scope"], ["top_down.scope"]])
@pytest.mark.parametrize("outcome", ["effect_adopter_years", "cost_total", "gap_rural"])
def test_quantiles_are_those_of_numpy(study, rows, by, outcome):
    probabilities = [0.05, 0.5, 0.975]
    joined = rows.merge(the_plan().sets.rename_axis("parameter_set").reset_index(), on="parameter_set")
    check_quantiles(study.quantiles(outcome, by=by, q=probabilities), joined.groupby(by), outcome, probabilities)


def test_runs_in_which_an_outcome_does_not_exist_are_left_out(tmp_path, monkeypatch):
    """As in the summaries of other commands; ``n`` tells how many are left."""
    real = Sweep.outcomes

    def holes(self, chosen):
        outcomes = real(self, chosen)
        outcomes[chosen["cell"].to_numpy() % 3 == 0, OUTCOMES.index("sustained_share")] = np.nan
        return outcomes

    monkeypatch.setattr(Sweep, "outcomes", holes)
    made(tmp_path / "study", the_plan())
    study = open_study(tmp_path / "study")
    found = study.quantiles("sustained_share", q=[0.05, 0.5, 0.975])
    assert found["n"].tolist() == [16] * 3
    check_quantiles(found, study.runs().astype({"design": str}).groupby("design"), "sustained_share", [0.05, 0.5, 0.975])


def test_sql_sees_runs_and_parameters(study, rows):
    of_set = "runs JOIN parameters USING (parameter_set)"
    sql = f"SELECT design, count(*) AS n, max(adopters_end) AS most FROM {of_set} WHERE gamma > 1 GROUP BY 1 ORDER BY 1"
    found = study.query(sql).df()
    chosen = rows[rows["parameter_set"].isin(np.flatnonzero(the_plan().sets["gamma"] > 1))]
    assert found["design"].tolist() == sorted(DESIGNS)
    assert found["n"].tolist() == chosen.groupby("design").size().tolist()
    assert found["most"].tolist() == chosen.groupby("design")["adopters_end"].max().tolist()


def test_a_dataset_reads_only_the_columns_asked_for(study, rows):
    table = study.dataset().to_table(columns=["cost_total"])
    assert table.column_names == ["cost_total"]
    assert table["cost_total"].to_pylist() == rows["cost_total"].tolist()


def test_opening_a_study_reads_no_part(folder, monkeypatch):
    opened = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: opened.append(self.name) or real(self))
    study = open_study(folder)
    assert not [name for name in opened if name.startswith("part-")]
    study.runs(["adopters_end"])
    assert len([name for name in opened if name.startswith("part-")]) == 5


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda study: study.runs(["adopters_ende"]), "no outcome named 'adopters_ende'; did you mean 'adopters_end'?"),
        (lambda study: study.runs(designs=["regional"]), "no design named 'regional'; did you mean 'regional_hub'?"),
        (lambda study: study.quantiles("cost"), "no outcome named 'cost'"),
        (lambda study: study.quantiles("cost_total", by=["gama"]), "no column named 'gama'; did you mean 'gamma'?"),
        (lambda study: study.quantiles("cost_total", q=[5]), "q: 5 is no probability; allowed: 0 to 1"),
    ],
)
def test_unknown_names_are_refused(study, ask, words):
    with pytest.raises(InputError) as caught:
        ask(study)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}"])
def test_a_folder_without_a_study_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "study.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="give the folder that a command wrote"):
        open_study(tmp_path)


def test_a_sweep_under_way_can_be_read(tmp_path, rows):
    made(tmp_path / "study", the_plan(), shard=(2, 2))
    study = open_study(tmp_path / "study")
    assert not study.complete
    kept = rows[((rows["parameter_set"] * 3 + rows["replicate"]) // 5) % 2 == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(study.runs().astype({"design": str}), kept, check_exact=True)


def test_a_sweep_without_a_part_says_so(tmp_path):
    made(tmp_path / "study", the_plan(), shard=(9, 9))
    for ask in (Study.runs, Study.dataset, lambda study: study.quantiles("cost_total")):
        with pytest.raises(InputError, match="holds no runs yet"):
            ask(open_study(tmp_path / "study"))


@pytest.mark.parametrize("ask", [Study.runs, Study.dataset, lambda study: study.quantiles("cost_total")])
def test_a_damaged_part_is_named_and_not_read(tmp_path, ask):
    made(tmp_path / "study", the_plan())
    path = parts_of(tmp_path / "study")[3]
    data = bytearray(path.read_bytes())
    data[200] ^= 4
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        ask(open_study(tmp_path / "study"))
    assert str(caught.value) == f"{path}: is damaged (not the bytes that were written); run the study again with --resume"


def test_damaged_parameter_sets_are_named(tmp_path):
    made(tmp_path / "study", the_plan())
    path = tmp_path / "study" / "parameters.parquet"
    os.truncate(path, 300)
    with pytest.raises(InputError, match=r"parameters.parquet: is damaged"):
        open_study(tmp_path / "study").runs(with_parameters=True)


def test_a_chunk_is_read_once_though_two_parts_of_it_are_there(tmp_path, rows):
    """Two versions of the Parquet library may write one table in two ways; then there are two names."""
    made(tmp_path / "study", the_plan())
    store = sweep_store(tmp_path / "study")
    store.write(0, Sweep(the_plan(), threads=1).chunk(0)[0].replace_schema_metadata({"by": "another version"}))
    assert len(parts_of(tmp_path / "study")) == 6
    pd.testing.assert_frame_equal(open_study(tmp_path / "study").runs().astype({"design": str}), rows, check_exact=True)


def test_a_study_with_failed_runs_is_not_complete(tmp_path):
    made(tmp_path / "study", the_plan())
    (tmp_path / "study" / "failures").mkdir()
    (tmp_path / "study" / "failures" / "chunk-00000001.json").write_text("[]", encoding="utf-8")
    assert not open_study(tmp_path / "study").complete


def test_runs_of_other_commands_are_read_too(tmp_path):
    scenario = small()
    runs = run_ensemble(scenario, [{}], 3, worlds=Worlds(scenario), threads=1).runs
    with new_study(tmp_path / "study", provenance(scenario, "simulate", {})) as writing:
        writing.table("runs.parquet", runs)
    study = open_study(tmp_path / "study")
    assert study.complete
    pd.testing.assert_frame_equal(study.runs().astype({"design": str}), runs.astype({"design": str}), check_exact=True)
    check_quantiles(
        study.quantiles("cost_total", q=[0.05, 0.5, 0.975]),
        runs.astype({"design": str}).groupby("design"),
        "cost_total",
        [0.05, 0.5, 0.975],
    )
