"""Command lines that are damaged word by word: options, their values, and what belongs to what."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from school_mentoring.analysis.commands.program import run
from school_mentoring.experiments.progress import Progress
from tests.commands.program import Done

from .sound import OBSERVATIONS
from .trial import Case

__all__ = ["line_cases", "shard_case"]

LINES: Mapping[str, str] = {
    "validate": """small.yaml schools.csv observations.csv --scenario=small.yaml --start=2021-01 --mapping=linear:1:5 --end=2022""",
    "parameters": """small.yaml --group=cost --json""",
    "new": """mine --out=study""",
    "simulate": """small.yaml --design=mine --set=p=0.01 --months=9 --replicates=2 --seed=1 --engine=compiled --threads=1""",
    "compare": """small.yaml --designs=none,mine --replicates=2 --schools=schools.csv --ties=ties.csv --set=draws=2""",
    "scale": """small.yaml --clusters=1,2 --perspective=programme --designs=none,mine --replicates=2 --threads=1""",
    "recommend": """small.yaml --k=1000 --perspective=society --designs=none,mine --replicates=2 --months=8""",
    "sweep": """small.yaml --vary=p=0.01:0.02 --vary=mine.fte --sample=lhs:8 --random=common --chunk=8 --shard=1/1 --workers=1""",
    "sensitivity": """
        small.yaml --method=pawn --outputs=effect_adopter_years --pairs=mine-none --n=8 --ci=0.5 --max-runs=60 --k=1
        --replicates=2 --threads=1""",
    "optimise": """
        small.yaml --budget=20000 --objectives=effect,cost --perspective=society --space=fte=0:1 --evaluations=4 --population=4
        --replicates=2 --draws=0""",
    "validation": """small.yaml --quick --k=1000 --designs=none,mine --seed=1 --threads=1 --set=draws=2""",
    "calibrate": """
        small.yaml --observations=observations.csv --schools=schools.csv --fit=p,q_in=0.01:0.2 --pool=p --hold-out=wave=last
        --overdispersion=0.1 --discrepancy=0.01 --likelihood=exact --runs=1 --design=mine""",
}
"""A command line of each command. That of calibrate is refused as it stands, as a fit takes long; validation is interrupted."""

SHARD = """
    small.yaml --vary=p=0.01:0.05 --vary=mine.fte=0.2:1 --sample=lhs:16 --chunk=8 --random=common --replicates=2 --shard=2/2 --workers=2
    --yes --resume"""
"""A command line that adds a share of its chunks to the sweep of ``sound.STUDIES``."""

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
            codes=(130,) if command == "validation" else (),
            weight=6 if command in ("validate", "parameters", "new") else 2,
        )
        for command, line in LINES.items()
    ]


def shard_case(inside: Mapping[str, bytes], folder: str) -> Case:
    """Return the case of a sweep of which only the first chunk is done, and a command line that is to add a share of the others."""
    parts = {name: content for name, content in inside.items() if name.startswith(f"{folder}/results/part-")}
    later = sorted(parts)[1:]
    files = {name: content for name, content in inside.items() if name not in later}

    def hold(path: Path, done: Done) -> None:
        """Hold that just the chunks of the share were added, each with the bytes that it has in the whole sweep."""
        there = {found.relative_to(path).as_posix(): found.read_bytes() for found in (path / folder / "results").glob("part-*")}
        assert there.items() <= parts.items(), "other runs than the whole sweep has"
        shards = re.findall(r"(?m)^--shard=([0-9]+)/([0-9]+)$", (path / "options.txt").read_text(encoding="utf-8"))
        if len(shards) == 1:
            wanted = {name for chunk, name in enumerate(sorted(parts)) if chunk % int(shards[0][1]) == int(shards[0][0]) - 1}
            assert there.keys() == wanted | {min(parts)}, f"shard {shards[0]} made {sorted(there)}"
        if "{" not in done.out:
            assert f"{len(there)} of {len(parts)} chunks are done" in done.out, done.out

    return Case(
        "sweep --shard < sweep/options",
        {**files, "options.txt": "\n".join(SHARD.split()).encode()},
        "options.txt",
        _typed("sweep", folder),
        hold,
        too_much=_long,
        weight=8,
    )


def _typed(command: str, folder: str = "study") -> Callable[[Path], object]:
    """Return what runs a command with the words of ``options.txt``."""

    def typed(here: Path) -> None:
        words = os.fsdecode((here / "options.txt").read_bytes().replace(b"\0", b"")).split("\n")
        out = () if command in ("validate", "parameters", "new") else ("--out", folder)
        sys.argv = ["run.py", command, *words, *out]
        with _interrupted() if command == "validation" else contextlib.nullcontext():
            run()

    return typed


@contextlib.contextmanager
def _interrupted() -> Iterator[None]:
    """Press Ctrl-C when a command first tells how far it has come, as all of its work would take minutes."""

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    shown = Progress.show
    Progress.show = press  # type: ignore[method-assign]
    try:
        yield
    finally:
        Progress.show = shown  # type: ignore[method-assign]


def _long(folder: Path) -> bool:
    """Tell whether a command line asks for more work than a trial may take: large numbers, or another scenario than the small one."""
    text = (folder / "options.txt").read_bytes().decode("utf-8", "replace")
    numbers = [int(word) for word in re.findall(r"(?<![=\d.])(?<!budget=)(?<!runs=)(?<!k=)\b\d{2,18}\b", text.replace("=", " "))]
    return any(MOST_STATED < number < 10**18 and number not in (1000, 20000, 2021, 2022) for number in numbers) or not text.startswith(
        ("small.yaml", "mine")
    )
