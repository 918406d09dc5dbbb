"""Damages files at random and gives them to every command that reads them: `python -m benchmarks.fuzz --inputs 20000`.

Each input is one to three faults in one sound file (tests/fuzz/damage.py). A failure is anything but exit code 0 with a file that is still
sound, or exit code 2 with one line on standard error and nothing changed. Input K of a case under a seed is the same on every machine.
"""

import argparse
import contextlib
import io
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.commands.program import program
from tests.fuzz.cases import file_cases, study_cases
from tests.fuzz.serving import faults_of_requests, serve_words, served, stopped, taken_port
from tests.fuzz.sound import STUDIES, studies
from tests.fuzz.surroundings import COMMANDS, SPREADS, SURROUNDINGS, WRITES, at_once, faults_in, interrupted, shards_at_once, spread
from tests.fuzz.trial import Case, Folder, tried

SERVED = {
    "an address of IPv6": ("--host=::1",),
    "all addresses": ("--host=0.0.0.0",),
    "Mesa's page": ("--mesa",),
    "a path of a proxy": ("--root-path=/what/if/",),
    "a name of its own": ("--allow-host=School.Example",),
}
"""Ways to serve the page that must all succeed."""

KEPT = 40
"""Failing inputs that are kept for each case."""


class Tally:
    """What came of the inputs of a case."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.seconds = 0.0


def main(argv: Sequence[str] | None = None) -> None:
    """Run the suite and print a table; exit code 1 where there was a failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000, help="damaged files in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--kinds", default=",".join(STUDIES), help="kinds of study folders; empty for none")
    parser.add_argument("--processes", type=int, default=0, help="this many inputs are tried as real processes too")
    parser.add_argument("--surroundings", action="store_true", help="try every command in all surroundings, and nothing else")
    parser.add_argument("--interrupts", type=int, default=100, help="with --surroundings: moments at which Ctrl-C is pressed")
    parser.add_argument("--server", action="store_true", help="try run.py serve with --inputs damaged command lines, and nothing else")
    parser.add_argument("--requests", type=int, default=1000, help="with --server: damaged requests")
    parser.add_argument("--failures", type=Path, default=Path("build/fuzz"), help="where failing inputs are kept")
    options = parser.parse_args(argv)
    if options.surroundings:
        raise SystemExit(1 if _surroundings(options) else 0)
    if options.server:
        raise SystemExit(1 if _server(options) else 0)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        kinds = [kind for kind in options.kinds.split(",") if kind]
        cases = [*file_cases(), *(study_cases(studies(Path(scratch), kinds)) if kinds else [])]
        cases = [case for case in cases if options.only in case.name]
        tallies = _try_all(cases, options)
        print(_table(cases, tallies))
        unlike = _processes(cases, options) if options.processes else 0
    failures = sum(tally.faults.total() for tally in tallies.values())
    for name, tally in tallies.items():
        for fault, count in tally.faults.most_common():
            print(f"{name}: {count} x {fault}")
    raise SystemExit(1 if failures or unlike else 0)


def _surroundings(options: argparse.Namespace) -> int:
    """Run every command in all surroundings, as processes; print a table and return how many failed."""
    trials: list[tuple[str, str, Callable[[Path], list[str]]]] = []
    for name, surroundings in SURROUNDINGS.items():
        trials += [(name, command, partial(faults_in, name, command)) for command in surroundings.commands if options.only in command]
    trials += [
        ("two at once in one folder", command, lambda path, c=command: at_once(c, path / "both")) for command in WRITES if command != "new"
    ]
    if options.only in "sweep":
        trials += [("a sweep that is spread", option, lambda path, o=option: spread(o, path / "spread")) for option in SPREADS]
        trials += [("shards at once", f"{n} shards", lambda path, n=n: shards_at_once(n, path / "shards")) for n in (2, 3)]
    draw = random.Random(options.seed)
    for _ in range(options.interrupts):
        command, seconds = draw.choice(list(COMMANDS)), draw.choice((draw.uniform(0.0, 0.3), draw.uniform(0.3, 6.0)))
        trials.append(("Ctrl-C at some moment", command, lambda path, c=command, s=seconds: interrupted(c, path / "cut", s)))
    return _each(trials)


def _each(trials: Sequence[tuple[str, str, Callable[[Path], list[str]]]]) -> int:
    """Make trials, each in a folder of its own: where, what, and what returns the faults; print a table and return how many failed."""
    tried, failed = Counter[str](), Counter[str]()
    for name, command, trial in trials:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch, contextlib.redirect_stdout(io.StringIO()) as told:
            faults = trial(Path(scratch))
        tried[name] += 1
        failed[name] += bool(faults)
        for fault in faults:
            print(f"{name}, {command}: {fault}\n{told.getvalue()}", file=sys.stderr, flush=True)
    lines = [f"| {name} | {tried[name]} | {failed[name]} |" for name in tried]
    total = f"| **all** | {tried.total()} | {failed.total()} |"
    print("\n".join(["| where | processes | failures |", "| --- | --: | --: |", *lines, total]))
    return failed.total()


def _server(options: argparse.Namespace) -> int:
    """Try ``run.py serve`` as processes, then with damaged requests; print tables and return how many trials failed."""
    verdicts = Counter[str]()

    def line(words: Sequence[str], path: Path) -> list[str]:
        found = served(list(words), path)
        verdicts[found.verdict] += 1
        return found.faults

    def taken(words: Sequence[str], path: Path) -> list[str]:
        with taken_port() as port:
            found = served([*words, f"--port={port}"], path)
        return found.faults or ([] if found.verdict == "refused" else ["listens where another does"])

    trials: list[tuple[str, str, Callable[[Path], list[str]]]] = [
        (where, "small.yaml", partial(line, ["small.yaml", "--port=0", *words])) for where, words in SERVED.items()
    ]
    trials += [
        ("a port that is taken", name, partial(taken, ["small.yaml", *words])) for name, words in (("page", ()), ("mesa", ("--mesa",)))
    ]
    trials.append(("SIGTERM", "small.yaml", lambda path: served(["small.yaml", "--port=0"], path, signal.SIGTERM).faults))
    draw = random.Random(options.seed)
    for _ in range(options.interrupts):
        trials.append(("Ctrl-C at some moment", "small.yaml", partial(stopped, draw.choice((draw.uniform(0, 0.3), draw.uniform(0.3, 6))))))
    trials += [
        ("damaged command lines", str(n), lambda path, n=n: line(serve_words(f"{options.seed}/{n}"), path)) for n in range(options.inputs)
    ]
    failed = _each(trials)
    print(f"\n{verdicts['listening']} listened, {verdicts['refused']} were refused")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        answers, faults = faults_of_requests(options.requests, options.seed, Path(scratch))
    print(f"\n{options.requests} damaged requests: {answers}; failures: {len(faults)}")
    for fault in faults:
        print(fault[:1000], file=sys.stderr, flush=True)
    return failed + len(faults)


def _input(case: Case, seed: int, number: int) -> bytes:
    return case.damage(case.files[case.spoil], case.spoil, random.Random(f"{seed}/{case.name}/{number}"))


def _try_all(cases: Sequence[Case], options: argparse.Namespace) -> dict[str, Tally]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    whole = sum(case.weight for case in cases)
    for case in cases:
        tally = tallies[case.name]
        with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
            folder = Folder(Path(scratch))
            started = time.perf_counter()
            for number in range(-(-options.inputs * case.weight // whole)):
                content = _input(case, options.seed, number)
                outcome = tried(case, folder, content)
                tally.count[outcome.verdict] += 1
                for fault in outcome.faults:
                    tally.faults[fault] += 1
                    if tally.faults.total() <= KEPT:
                        options.failures.mkdir(parents=True, exist_ok=True)
                        name = case.name.replace("/", "_").replace(" ", "_")
                        (options.failures / f"{name}-{options.seed}-{number}{Path(case.spoil).suffix}").write_bytes(content)
            tally.seconds = time.perf_counter() - started
        print(f"{case.name}: {dict(tally.count)} {tally.seconds:.1f} s {dict(tally.faults) or ''}"[:600], file=sys.stderr, flush=True)
    return tallies


def _table(cases: Sequence[Case], tallies: dict[str, Tally]) -> str:
    """Return the figures as a table of Markdown, cases of study folders summed over their files."""
    rows: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for case in cases:
        command, _, file = case.name.partition(" < ")
        tally = tallies[case.name]
        row = rows[file.partition("/")[0] + (" study" if "/" in file else ""), command]
        row.update(tally.count)
        row["failures"] += tally.faults.total()
    lines = [
        "| file | read by | inputs | refused | accepted, and sound | left out as too large | failures |",
        "| --- | --- | " + "--: | " * 5,
    ]
    total: Counter[str] = Counter()
    for (file, command), row in sorted(rows.items()):
        total.update(row)
        lines.append(_line(file, command, row))
    return "\n".join([*lines, _line("**all**", "", total)])


def _line(file: str, command: str, row: Counter[str]) -> str:
    inputs = row["refused"] + row["accepted"] + row["left out"]
    figures = (inputs, row["refused"], row["accepted"], row["left out"], row["failures"])
    return f"| {file} | {command} | " + " | ".join(f"{figure:,}" for figure in figures) + " |"


def _processes(cases: Sequence[Case], options: argparse.Namespace) -> int:
    """Try some inputs as real processes, which must leave what the command left here; return how many did not."""
    draw = random.Random(options.seed)
    commands = [case for case in cases if isinstance(case.act, tuple)]
    unlike = 0
    for _ in range(options.processes):
        case = draw.choice(commands)
        content = _input(case, options.seed, draw.randrange(10))
        with tempfile.TemporaryDirectory(prefix="fuzz-") as one, tempfile.TemporaryDirectory(prefix="fuzz-") as other:
            here = tried(case, Folder(Path(one)), content)
            if here.verdict == "left out":
                continue
            Folder(Path(other)).set({**case.files, case.spoil: content})
            with contextlib.redirect_stdout(io.StringIO()):
                there = program(*case.act, cwd=Path(other), seconds=300)
            same = there.code == here.done.code and (there.code == 0 or there.err == here.done.err.replace(one, other))
            if not same:
                unlike += 1
                print(f"{case.name}: as a process {there}, here {here.done}"[:1000])
    print(f"{options.processes} inputs tried as real processes, {unlike} of them otherwise than here")
    return unlike


if __name__ == "__main__":
    main()
