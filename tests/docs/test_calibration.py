"""What docs/calibration.md shows of files and messages is what the program reads and prints."""

import re
from pathlib import Path

import pytest

from school_mentoring.experiments.check import check_files
from school_mentoring.experiments.pilot_data.answers import parse_mapping
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario

PAGE = (Path(__file__).parents[2] / "docs" / "calibration.md").read_text(encoding="utf-8")
OWN = PAGE[PAGE.index("## Bring your own data") :]
BLOCKS = re.findall(r"(?:<!-- (--[^>]*) -->\n)?```csv\n(.*?)```", OWN, re.DOTALL)
REFUSED = re.findall(r"^\| `([^`]*)`( twice)? \| error: (.*) \|$", OWN, re.MULTILINE)
KINDS = {"schools": "teachers", "ties": "source", "observations": "school_id"}


def kind_of(block: str) -> str:
    return next(kind for kind, column in KINDS.items() if column in block.splitlines()[0].replace(";", ",").split(","))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind in ("schools", "ties"):
        (block,) = (block for _, block in BLOCKS if kind_of(block) == kind)
        Path(f"{kind}.csv").write_text(block, encoding="utf-8")
    return tmp_path


def check(*names: str, options: str = "") -> list[str]:
    words = options.split()
    stated = {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    return [checked.line for checked in check_files(names, load_scenario("mensi-pilot"), **stated)]


def test_every_example_file_is_read(folder):
    shown = [(options, block) for options, block in BLOCKS if kind_of(block) == "observations"]
    assert len(shown) == 5
    lines = []
    for options, block in shown:
        Path("observations.csv").write_text(block, encoding="utf-8")
        schools = _with_one_teacher("schools.csv") if "adoption_time" in block else "schools.csv"
        lines.append(check(schools, "observations.csv", options=options)[1])
    assert lines[4] == lines[1]  # the spreadsheet's writing of the same table
    assert "(months 6, 20)" in lines[3]


def _with_one_teacher(schools: str) -> str:
    Path("single.csv").write_text(re.sub(r",\d+,", ",1,", Path(schools).read_text(encoding="utf-8")), encoding="utf-8")
    return "single.csv"


def test_validate_says_of_the_first_examples_what_the_page_says(folder):
    Path("observations.csv").write_text(next(block for _, block in BLOCKS if kind_of(block) == "observations"), encoding="utf-8")
    shown = re.search(r"```text\n(.*?)```", OWN, re.DOTALL)
    assert shown is not None
    assert check("schools.csv", "ties.csv", "observations.csv") == shown[1].splitlines()


@pytest.mark.parametrize(("row", "twice", "message"), REFUSED)
def test_each_message_is_as_it_is_really_printed(folder, row, twice, message):
    Path("observations.csv").write_text(f"school_id,month,respondents,adopters\n{row}\n" + (f"{row}\n" if twice else ""), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check("schools.csv", "observations.csv")
    assert str(caught.value) == message


def test_the_two_mappings_differ_as_the_page_says():
    import numpy as np

    one = [parse_mapping(text).shares(np.array([3.0]), np.array([1.0]), np.array([10.0]))[0][0] for text in ("linear:1:5", "threshold:4")]
    assert [f"{100 * share:.0f} %" for share in one] == ["50 %", "32 %"]
