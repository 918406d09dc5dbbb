"""The synthetic pilot: made again to the same bytes, says what it is, and holds what its truth says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from school_mentoring.experiments.check import check_files
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.pilot_data.observations import read_observations
from school_mentoring.experiments.synthetic_pilot import FOLDER, make, read_truth
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.scenarios import load_scenario

FILES = ("schools.csv", "ties.csv", "observations.csv")


@pytest.fixture(scope="module")
def pilot():
    scenario = load_scenario("synthetic-pilot")
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    return scenario, schools, read_observations(FOLDER / "observations.csv", schools)


def test_it_is_made_again_to_the_same_bytes(tmp_path):
    make(read_truth(), tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_another_truth_gives_other_observations_of_a_file_of_ones_own(tmp_path):
    text = (FOLDER / "truth.yaml").read_text(encoding="utf-8").replace("q_out: 0.03", "q_out: 0.0")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    make(read_truth(tmp_path / "mine.yaml"), tmp_path / "mine")
    assert (tmp_path / "mine" / "schools.csv").read_bytes() == (FOLDER / "schools.csv").read_bytes()
    mine, ours = (pd.read_csv(folder / "observations.csv") for folder in (tmp_path / "mine", FOLDER))
    last = [frame[frame["wave"] == 3] for frame in (mine, ours)]
    assert last[0]["adopters"].sum() < last[1]["adopters"].sum()


def test_everything_in_it_says_that_it_is_synthetic(pilot):
    scenario, schools, seen = pilot
    assert all(str(label).startswith("synthetic-") for label in schools.school_id)
    assert seen.synthetic
    assert scenario.title.startswith("SYNTHETIC")
    for name in ("README.md", "truth.yaml"):
        assert "SYNTHETIC" in (FOLDER / name).read_text(encoding="utf-8").splitlines()[0]
    ((line, _),) = check_files([str(FOLDER / "observations.csv")], scenario)
    assert (
        ": SYNTHETIC (made by the model, no evidence): adopters among respondents of 111 of 120 schools in 3 waves (months 6, 20, 34)"
        in line
    )


def test_it_has_24_clusters_of_one_mentor_and_four_mentees_and_three_waves_with_gaps(pilot):
    scenario, schools, seen = pilot
    assert not schools.drawn
    assert not schools.partly_drawn
    assert [int((schools.named_role == role).sum()) for role in (MENTOR, MENTEE)] == [24, 96]
    assert (np.bincount(schools.named_mentor[schools.named_mentor >= 0])[schools.named_role == MENTOR] == 4).all()
    assert seen.waves == (6, 20, 34) == (scenario.programme.first_month, 20, scenario.programme.last_month)
    answered = seen.frame.groupby("wave").size().to_numpy()
    assert (np.diff(answered) <= 0).all()
    assert 0.7 * 360 < answered.sum() < 0.95 * 360
    assert seen.frame["respondents"].min() >= read_truth().survey.fewest


def test_the_scenario_has_the_design_that_it_was_made_with(pilot):
    truth = read_truth()
    made = load_scenario(truth.base, truth.sets).designs[truth.design]
    assert pilot[0].designs[truth.design] == made
    assert made.team > PRESETS[truth.design].team


def test_the_answers_are_those_of_the_truth(pilot):
    """Under the truth with another seed the adopters of each wave lie within 4 sd of the runs and answers, and beta = 0 does not fit."""
    _, schools, seen = pilot
    truth = read_truth()
    distance = {}
    for beta in (truth.parameters["beta"], 0.0):
        given = load_scenario("synthetic-pilot", [*truth.sets, f"beta={beta}"], replicates=40, months=35, designs=[truth.design])
        runs = run_ensemble(given, [{}], 40, worlds=Worlds(given), per_school=True, threads=1).results.schools
        for wave, month in enumerate(seen.waves, start=1):
            rows = seen.frame[seen.frame["wave"] == wave]
            at, asked = rows["school"].to_numpy(), rows["respondents"].to_numpy()
            share = runs[:, month, 0][:, at] / schools.teachers[at]
            expected = share @ asked
            answers = (share * (1 - share) @ asked).mean()
            distance[beta, wave] = (rows["adopters"].sum() - expected.mean()) / np.sqrt(expected.var(ddof=1) + answers)
    assert all(abs(distance[truth.parameters["beta"], wave]) < 4 for wave in (1, 2, 3))
    assert distance[0.0, 3] > 5


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  beta: 0.075", "  beeta: 0.075", "parameters: no parameter named 'beeta'"),
        (
            "months: [6, 20, 34]",
            "months: [6, 20]",
            "survey: waves and shares of schools that answer differ in number; give one share per month",
        ),
        ("teachers_answering: [0.3, 0.8]", "teachers_answering: [0.3, 8]", "survey.teachers_answering.1"),
    ],
)
def test_a_truth_that_cannot_be_is_refused(tmp_path: Path, old, new, says):
    text = (FOLDER / "truth.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "t.yaml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_truth(tmp_path / "t.yaml")
    assert says in str(caught.value)
