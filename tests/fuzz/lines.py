"""Command lines that are damaged word by word: options, their values, and what belongs to what."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import run

from .sound import OBSERVATIONS
from .trial import Case

__all__ = ["line_cases"]

LINES: Mapping[str, str] = {
    "validate": """small.yaml schools.csv observations.csv --scenario=small.yaml --start=2021-01 --mapping=linear:1:5 --end=2022""",
    "parameters": """small.yaml --group=cost --json""",
    "new": """mine --out=study""",
    "simulate": """small.yaml --design=mine --set=p=0.01 --months=9 --replicates=2 --seed=1 --engine=compiled --threads=1""",
    "compare": """small.yaml --designs=none,mine --replicates=2 --schools=schools.csv --ties=ties.csv --set=draws=2""",
    "recommend": """small.yaml --k=1000 --perspective=society --designs=none,mine --replicates=2 --months=8""",
    "sweep": """small.yaml --vary=p=0.01:0.02 --vary=mine.fte --sample=lhs:8 --random=common --chunk=8 --shard=1/1 --workers=1""",
    "sensitivity": """
        small.yaml --method=pawn --outputs=effect_adopter_years --pairs=mine-none --n=8 --ci=0.5 --budget=60 --k=1
        --replicates=2 --threads=1""",
    "optimise": """
        small.yaml --budget=20000 --objectives=effect,cost --perspective=society --space=fte=0:1 --evaluations=4 --population=4
        --replicates=2 --draws=0""",
    "calibrate": """
        small.yaml --observations=observations.csv --schools=schools.csv --fit=p,q_in=0.01:0.2 --pool=p --hold-out=wave=last
        --overdispersion=0.1 --discrepancy=0.01 --likelihood=exact --runs=1 --design=mine""",
}
"""A command line of each command. That of calibrate is refused as it stands, as a fit takes long."""

MOST_STATED = 60
"""The largest number on a damaged command line with which it is still tried."""


def line_cases(base: Mapping[str, bytes]) -> list[Case]:
    """Return a case for each command; the words are lines of ``options.txt``."""
    files = {**base, "observations.csv": OBSERVATIONS["counts"].encode()}
    return [
        Case(
            f"{command} < options",
            {**files, "options.txt": "\n".join(line.split()).encode()},
            "options.txt",
            _typed(command),
            too_much=_long,
            mends=command == "sensitivity",  # runs that turn out to have nothing to analyse are kept, whole
            weight=6 if command in ("validate", "parameters", "new") else 2,
        )
        for command, line in LINES.items()
    ]


def _typed(command: str) -> Callable[[Path], object]:
    """Return what runs a command with the words of ``options.txt``."""

    def typed(folder: Path) -> None:
        words = os.fsdecode((folder / "options.txt").read_bytes().replace(b"\0", b"")).split("\n")
        out = () if command in ("validate", "parameters", "new") else ("--out", "study")
        sys.argv = ["run.py", command, *words, *out]
        run.main()

    return typed


def _long(folder: Path) -> bool:
    """Tell whether a command line asks for more work than a trial may take: large numbers, or another scenario than the small one."""
    text = (folder / "options.txt").read_bytes().decode("utf-8", "replace")
    numbers = [int(word) for word in re.findall(r"(?<![=\d.])(?<!budget=)(?<!k=)\b\d{2,18}\b", text.replace("=", " "))]
    return any(MOST_STATED < number < 10**18 and number not in (1000, 20000, 2021, 2022) for number in numbers) or not text.startswith(
        ("small.yaml", "mine")
    )
