"""Pieces of studies that are in the wrong folder are refused by all that reads them, and pieces that lack are missed."""

import shutil
from pathlib import Path

import pytest

from school_mentoring import open_study
from school_mentoring.experiments.calibration.prior import prior_of
from school_mentoring.experiments.calibration.reference_table import ReferenceTable
from school_mentoring.experiments.evidence import evidence_of_study
from school_mentoring.experiments.folder.rerun import again, compare_folders
from school_mentoring.experiments.search.aim import aim_of
from school_mentoring.experiments.search.folder import open_search
from school_mentoring.experiments.search.optimise import search
from school_mentoring.experiments.sensitivity.study import asked, study_of_sweep
from school_mentoring.experiments.sweep.execution import open_sweep
from school_mentoring.experiments.sweep.plan import SchoolRecord
from school_mentoring.model.errors import InputError
from tests.experiments.sweeps import made, parts_of, plan_of, small

OLD = Path(__file__).parents[1] / "data" / "study-1.0"
"""Four sets x two replicates x three designs in two chunks, as version 1.0 wrote them: without a word of whose the parts are."""

READINGS = {
    "open_study": lambda folder, plan: open_study(folder).runs(),
    "sweep --resume": lambda folder, plan: open_sweep(folder, plan, resume=True),
    "recommend": lambda folder, plan: evidence_of_study(str(folder)),
    "sensitivity": lambda folder, plan: study_of_sweep(folder, asked(method="given", outputs="adopters_end")),
    "rerun": lambda folder, plan: again(folder, folder.with_name("made-again"), folder.parent),
}


def ours(**options):
    return plan_of(sampling="sobol:8", chunk=6, **options)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return the folders of two sweeps of four chunks that differ in nothing but their seed."""
    place = tmp_path_factory.mktemp("two")
    for seed in (1, 2):
        made(place / str(seed), ours(seed=seed))
    return place / "1", place / "2"


@pytest.fixture(params=["replaced", "both", "beyond"])
def mixed(two, tmp_path, request):
    """Return a folder with a part that is not its own, and the name of that."""
    folder = shutil.copytree(two[0], tmp_path / "mixed")
    foreign = parts_of(two[1])[1]
    if request.param == "replaced":
        parts_of(folder)[1].unlink()
    name = foreign.name.replace("part-00000001", "part-00000009") if request.param == "beyond" else foreign.name
    shutil.copy(foreign, folder / "results" / name)
    return folder, name


@pytest.mark.parametrize("reading", READINGS)
def test_a_part_of_another_study_is_refused_by_name_and_stays(mixed, tmp_path, reading):
    folder, name = mixed
    with pytest.raises(InputError) as caught:
        READINGS[reading](folder, ours())
    assert f"{name}: is " in str(caught.value)
    assert str(caught.value).endswith("take it out of the folder, then complete the study with --resume")
    assert (folder / "results" / name).exists()


def test_a_part_under_the_number_of_another_is_refused(two, tmp_path):
    folder = shutil.copytree(two[0], tmp_path / "swapped")
    first, second, *_ = parts_of(folder)
    second.unlink()
    first.rename(first.with_name(first.name.replace("part-00000000", "part-00000001")))
    with pytest.raises(InputError, match="is chunk 0 of this study under the name of chunk 1"):
        open_study(folder).runs()


def test_two_folders_are_not_the_same_where_one_holds_a_chunk_twice(two, tmp_path):
    folder = shutil.copytree(two[0], tmp_path / "both")
    shutil.copy(parts_of(two[1])[1], folder / "results")
    assert not compare_folders(folder, two[0]).same
    assert not compare_folders(two[0], folder).same


def test_what_is_missing_is_said_with_how_to_complete_it_and_no_recommendation_rests_on_it(two, tmp_path, capsys):
    folder = shutil.copytree(two[0], tmp_path / "cut")
    parts_of(folder)[2].unlink()
    study, words = (
        open_study(folder),
        f"{folder}: 18 of 72 runs are missing (chunk 2); complete it with run.py sweep ... --out {folder} --resume",
    )
    assert len(study.runs()) == 54
    study.quantiles("adopters_end")
    assert capsys.readouterr().err == f"notice: {words}\n"
    for name in ("recommend", "sensitivity", "rerun"):
        with pytest.raises(InputError) as caught:
            READINGS[name](folder, ours())
        assert str(caught.value) == words


def test_a_simulation_of_another_calibration_is_refused(tmp_path):
    def table(name, seed):
        scenario, record = small(seed=seed, replicates=1, designs=("regional_hub",)), SchoolRecord((6,), (0,), 48, False)
        return ReferenceTable(tmp_path / name, scenario, prior_of(scenario, ("p",), kind="times"), record, threads=1)

    for name, seed in (("mine", 1), ("other", 2)):
        table(name, seed).first_wave(8, resume=False)
    (mine,), (other,) = parts_of(tmp_path / "mine"), parts_of(tmp_path / "other")
    mine.unlink()
    shutil.copy(other, mine.parent)
    with pytest.raises(InputError, match=f"{other.name}: is of another study"):
        table("mine", 1).first_wave(8, resume=True)


def test_a_generation_of_another_search_is_refused(tmp_path):
    aim = aim_of(
        objectives="effect,cost",
        perspective="society",
        budgets=[],
        evaluations=4,
        population=4,
        cells=2,
        draws=0,
        space=["recruitment=volunteer"],
    )

    def store(name, seed, *, resume):
        return open_search(tmp_path / name, small(seed=seed, designs=("none", "regional_hub")), aim, resume=resume)

    search(small(seed=1, designs=("none", "regional_hub")), aim, store("mine", 1, resume=False), threads=1)
    store("other", 2, resume=False)
    (part,) = (tmp_path / "mine/generations").glob("part-*")
    shutil.copytree(part.parent, tmp_path / "other/generations", dirs_exist_ok=True)
    store("mine", 1, resume=True)
    with pytest.raises(InputError, match=f"{part.name}: is of another study"):
        store("other", 2, resume=True)


@pytest.fixture
def old(tmp_path):
    return shutil.copytree(OLD, tmp_path / "old")


def test_a_study_of_version_1_0_is_read_and_what_cannot_be_checked_is_said(old, capsys):
    study = open_study(old)
    runs = study.runs()
    assert len(runs) == 24
    means = runs.groupby("design", observed=True)["adopters_end"].mean()
    assert means.to_dict() == {
        "none": 61.25,
        "regional_hub": 75.625,
        "virtual": 61.25,
    }
    study.runs()
    assert capsys.readouterr().err.count("parts written by version 1.0, which did not record of which study they are") == 1
    assert evidence_of_study(str(old))[0]["runs"].drop(columns="cost_society").equals(study.runs())


def test_a_part_of_version_1_0_is_held_to_the_rows_of_its_chunk(old):
    first, second = parts_of(old)
    copied = shutil.copy(first, first.with_name(first.name.replace("part-00000000", "part-00000001")))
    with pytest.raises(InputError, match=r"holds rows that are not of chunk 1 of this study|is a second part of chunk 1"):
        open_study(old).runs()
    second.unlink()
    with pytest.raises(InputError, match=f"{Path(copied).name}: holds rows that are not of chunk 1 of this study"):
        open_study(old).runs()


def test_a_part_without_a_word_is_none_of_a_study_of_today(two, tmp_path):
    folder = shutil.copytree(two[0], tmp_path / "mixed")
    parts_of(folder)[0].unlink()
    shutil.copy(parts_of(OLD)[0], folder / "results")
    with pytest.raises(InputError, match="does not say of which study it is"):
        open_study(folder).runs()
