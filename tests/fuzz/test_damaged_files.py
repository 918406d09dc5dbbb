"""Damaged files to every command that reads them: refused in one line and nothing changed, or still sound. A short run of the long one."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .cases import file_cases, study_cases
from .sound import studies
from .trial import Case, Folder, tried

FILES = file_cases()
EXAMPLES = 10
"""Inputs for each case; of one that makes a study, as taking seconds, fewer."""


def hold(case: Case, folder: Path, examples: int) -> None:
    """Try inputs that hypothesis chooses, and shrinks where one fails."""
    place = Folder(folder)

    @settings(max_examples=examples)
    @given(st.randoms(use_true_random=False))
    def on(random: Random) -> None:
        content = case.damage(case.files[case.spoil], case.spoil, random)
        outcome = tried(case, place, content)
        assert outcome.faults == [], (content[:2000], outcome.done)

    on()


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_a_damaged_file_is_refused_or_sound(case, tmp_path):
    hold(case, tmp_path, EXAMPLES if case.weight > 2 else 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the studies that are damaged."""
    return {case.name: case for case in study_cases(studies(tmp_path_factory.mktemp("studies"), ["sweep", "other"]))}


@pytest.mark.parametrize("command", ["open_study", "rerun", "recommend", "sensitivity", "sweep --resume", "sweep --shard"])
def test_a_damaged_study_is_refused_or_sound(made, command, tmp_path):
    for number, case in enumerate(case for name, case in made.items() if name.startswith(f"{command} < ")):
        (tmp_path / str(number)).mkdir()
        hold(case, tmp_path / str(number), 6 if case.weight > 1 else 1)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """Make the calibration that is damaged."""
    return study_cases(studies(tmp_path_factory.mktemp("calibrations"), ["calibrate"]))


@pytest.mark.parametrize("command", ["open_study", "rerun", "validate", "parameters"])
def test_a_damaged_calibration_is_refused_or_sound(calibrated, command, tmp_path):
    for number, case in enumerate(case for case in calibrated if case.command == command):
        (tmp_path / str(number)).mkdir()
        hold(case, tmp_path / str(number), 3)


def test_a_calibration_whose_simulations_are_damaged_finds_again_what_it_had_found(calibrated, tmp_path):
    hold(next(case for case in calibrated if case.name == "calibrate --resume < calibrate/results/part"), tmp_path, 1)


@pytest.mark.parametrize("case", [case for case in FILES if not case.name.startswith("calibrate < options")], ids=lambda case: case.name)
def test_the_sound_file_is_accepted(case, tmp_path):
    if case.weight > 2:  # the others make studies, which their own tests do
        assert tried(case, Folder(tmp_path), case.files[case.spoil]).verdict == "accepted"
