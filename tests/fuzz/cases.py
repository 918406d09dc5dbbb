"""Which command reads which file: every pair is a case, with what a success must hold."""

import base64
import io
import json
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from school_mentoring.analysis.web.app import Server
from school_mentoring.analysis.web.limits import Limits
from school_mentoring.analysis.web.state import from_address, new_state, to_address
from school_mentoring.analysis.web.uploads import upload
from school_mentoring.experiments.calibration.calibrate import asked, problem_of
from school_mentoring.experiments.folder.reading import open_study
from school_mentoring.experiments.folder.rerun import again
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.own_schools import read_schools
from school_mentoring.model.world.own_ties import read_ties
from school_mentoring.scenarios import dump_yaml, load_scenario, scenario_from
from tests.commands.program import Done

from .calibrations import calibration_cases
from .lines import line_cases, shard_case
from .meanings import meaning_cases
from .oracles import description_read, observations_read, posterior_read, scenario_read, schools_read, sets_read, ties_read
from .sound import OBSERVATIONS, READ_WITH, SMALL, TABLES, draws_bytes, graph_text, tables_of
from .trial import Case

__all__ = ["file_cases", "study_cases"]

Act = tuple[str, ...] | Callable[[Path], object]
MOST_WORK = 400_000  # school-months that a trial may simulate
OUT = ("--out", "study")
SETS = "p,q_in,mine.fte\n0.01,0.1,0.5\n0.02,0.15,1\n0.03,0.2,0.25\n"
CALIBRATED = SMALL.replace("correlations:", "posterior: draws.parquet\n# correlations:")


def file_cases() -> list[Case]:
    """Return the cases of the files that users write."""
    tables = {name: text.encode() for name, text in TABLES.items()}
    base = {"small.yaml": SMALL.encode(), **tables}
    own = {**base, "sets.csv": SETS.encode(), "draws.parquet": draws_bytes(), "calibrated.yaml": CALIBRATED.encode()}
    found = _scenario_cases(base)
    schools = ("--schools", "schools.csv", *OUT)
    ties = ("--schools", "schools.csv", "--ties", "ties.csv", *OUT)
    checked = ("--scenario", "small.yaml")
    found += [
        Case("validate < schools.csv", base, "schools.csv", ("validate", "schools.csv", *checked), schools_read, weight=20),
        Case("simulate < schools.csv", base, "schools.csv", ("simulate", "small.yaml", "--design", "mine", *schools), schools_read),
        Case("validate < ties.csv", base, "ties.csv", ("validate", "schools.csv", "ties.csv", *checked), ties_read, weight=20),
        Case("simulate < ties.csv", base, "ties.csv", ("simulate", "small.yaml", "--design", "mine", *ties), ties_read),
        Case(
            "sweep < sets.csv",
            own,
            "sets.csv",
            ("sweep", "small.yaml", "--sample", "table:sets.csv", "--workers", "1", *OUT),
            sets_read,
            weight=4,
        ),
        Case("validate < posterior draws", own, "draws.parquet", ("validate", "calibrated.yaml"), posterior_read, weight=8),
        Case("validate < calibrated.yaml", own, "calibrated.yaml", ("validate", "calibrated.yaml"), _too_many_schools, weight=4),
        Case("parameters < posterior draws", own, "draws.parquet", ("parameters", "calibrated.yaml", "--json"), posterior_read, weight=2),
        Case("read_graphml < ties.graphml", {**base, "ties.graphml": graph_text()}, "ties.graphml", _graphml, weight=4),
    ]
    for kind, text in OBSERVATIONS.items():
        files = {**base, "schools.csv": tables_of(kind)["schools.csv"].encode(), "observations.csv": text.encode()}
        options = tuple(word for name, value in READ_WITH[kind].items() for word in (f"--{name}", value))
        check = ("validate", "schools.csv", "observations.csv", *checked, *options)
        found.append(Case(f"validate < observations.csv ({kind})", files, "observations.csv", check, observations_read, weight=8))
        found.append(Case(f"calibrate < observations.csv ({kind})", files, "observations.csv", _fit_of(kind), observations_read, weight=4))
    return found + meaning_cases() + line_cases(base) + _page_cases(base)


def _scenario_cases(base: Mapping[str, bytes]) -> list[Case]:
    commands: list[tuple[str, tuple[str, ...], int]] = [
        ("validate", ("validate", "small.yaml"), 30),
        ("parameters", ("parameters", "small.yaml", "--json"), 4),
        ("validate --scenario", ("validate", "schools.csv", "--scenario", "small.yaml"), 4),
        ("simulate", ("simulate", "small.yaml", "--design", "mine", *OUT), 1),
        ("compare", ("compare", "small.yaml", "--threads", "1", "--json", *OUT), 1),
        ("sweep", ("sweep", "small.yaml", "--vary", "p", "--sample", "grid:2", "--workers", "1", "--json", *OUT), 1),
        ("recommend", ("recommend", "small.yaml", "--json", *OUT), 1),
        (
            "sensitivity",
            ("sensitivity", "small.yaml", "--method", "pawn", "--n", "8", "--max-runs", "60", "--json", *OUT),
            1,
        ),
        ("optimise", ("optimise", "small.yaml", "--evaluations", "4", "--population", "4", "--replicates", "2", "--draws", "0", *OUT), 1),
    ]
    return [
        Case(
            f"{name} < scenario",
            base,
            "small.yaml",
            words,
            partial(scenario_read, designs=["mine"] if name == "simulate" else None),
            _too_much("small.yaml"),
            mends=name == "sensitivity",  # runs that turn out to have nothing to analyse are kept, whole
            weight=weight,
        )
        for name, words, weight in commands
    ]


def _too_much(name: str) -> Callable[[Path], bool]:
    """Return whether the scenario of a file asks for more than a trial may take; one that cannot be read asks for nothing."""

    def asks(folder: Path) -> bool:
        try:
            scenario = load_scenario(folder / name)
        except InputError:
            return False
        except Exception:  # a fault, which the trial will show
            return False
        schools = sum(scenario.regions()) * scenario.world.schools_per_region
        runs = (scenario.replicates + 2 * scenario.draws) * len(scenario.designs)
        return schools * scenario.worlds > 20_000 or schools * scenario.months * runs * len(scenario.practices) > MOST_WORK

    return asks


def _too_many_schools(folder: Path, _done: Done) -> None:
    scenario = load_scenario(folder / "calibrated.yaml")
    assert scenario_from(json.loads(scenario.model_dump_json()), str(folder / "study.json")) == scenario
    assert dump_yaml(scenario)


def _fit_of(kind: str) -> Callable[[Path], object]:
    """Return what reads a calibration's files, short of the fit."""

    def read(folder: Path) -> None:
        scenario = load_scenario(folder / "small.yaml", designs=["mine"], schools=folder / "schools.csv", ties=folder / "ties.csv")
        problem, _ = problem_of(scenario, folder / "observations.csv", asked(fit="p,q_in"), **READ_WITH[kind])
        assert problem.survey.seen.any()

    return read


def _graphml(folder: Path) -> None:
    scenario = load_scenario(folder / "small.yaml")
    schools = read_schools(
        folder / "schools.csv",
        countries=scenario.country_list(),
        regions=scenario.regions(),
        parameters=scenario.base_parameters(),
        seed=7,
        index=0,
    )
    ties = read_ties(folder / "ties.graphml", schools)
    assert len(ties.source) == len(ties.target) == len(ties.weight)
    assert (ties.weight > 0).all() and (ties.source != ties.target).all()


# --- the page ----------------------------------------------------------------------------------------------------------


def _page_cases(base: Mapping[str, bytes]) -> list[Case]:
    address = to_address(new_state("mensi-pilot"))
    plain = zlib.decompress(base64.urlsafe_b64decode(address + "=" * (-len(address) % 4)))
    return [
        Case("page upload < scenario", base, "small.yaml", _upload("small.yaml"), weight=6),
        Case("page upload < schools.csv", base, "schools.csv", _upload("schools.csv"), schools_read, weight=6),
        Case("page address < content", {"content.json": plain}, "content.json", _address, weight=6),
    ]


def _upload(name: str) -> Callable[[Path], object]:
    def up(folder: Path) -> None:
        server = Server(new_state("mensi-pilot"), Limits())
        try:
            visitor = server.sessions.visitor(None)
            state, _ = upload(name, (folder / name).read_bytes(), server.first, visitor, server.sessions, server.checked)
            assert from_address(to_address(state)).scenario.designs.keys() == state.scenario.designs.keys()
        finally:
            server.give_up()
            server.sessions.close()

    return up


def _address(folder: Path) -> None:
    packed = zlib.compress((folder / "content.json").read_bytes(), 9)
    state = from_address(base64.urlsafe_b64encode(packed).decode().rstrip("="))
    assert state.scenario.designs


# --- the folders of studies --------------------------------------------------------------------------------------------

DRAWN = (".png", ".svg", ".html", ".pdf")


def study_cases(studies: Mapping[str, Mapping[str, bytes]]) -> list[Case]:
    """Return the cases of the folders of studies that are there: every file that a command reads in them, and the others as one."""
    found = []
    base = {
        "small.yaml": SMALL.encode(),
        **{name: text.encode() for name, text in TABLES.items()},
        "observations.csv": OBSERVATIONS["counts"].encode(),
    }
    for kind, files in studies.items():
        inside = {**base, **{f"studies/{kind}/{name}": content for name, content in files.items()}}
        if kind == "sweep" and "other" in studies:
            found += _swapped(inside, studies["other"])
        if kind == "other":
            continue
        if kind == "calibrate":  # it records schools, not the outcomes that other commands read
            found += calibration_cases(files, base, {_short(name): name for name in _to_spoil(files)})
            found += [_planned(kind, inside, name) for name in _to_spoil(files)]
            continue
        if kind == "sweep":
            found.append(shard_case(inside, f"studies/{kind}"))
        for name in _to_spoil(files):
            path = f"studies/{kind}/{name}"
            unlike = _as_before(kind, files, name)
            runs = unlike if not name.endswith("study.json") else _nothing
            found.append(Case(f"open_study < {kind}/{_short(name)}", inside, path, _opened(kind), runs, weight=6))
            found.append(_planned(kind, inside, name))
            for words, command, weight, mends in _commands(kind):
                found.append(Case(f"{command} < {kind}/{_short(name)}", inside, path, words, unlike, mends=mends, weight=weight))
    return found


def _swapped(inside: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[Case]:
    """Return the cases of a sweep that holds a part of one that differs in nothing but its seed: whatever reads it has to refuse it."""
    acts = [("open_study", _opened("sweep")), ("rerun", _again("sweep")), *((name, words) for words, name, *_ in _commands("sweep"))]
    own = sorted(name for name in inside if "/part-" in name)[1]
    part = sorted(name for name in other if "/part-" in name)[1]
    found = []
    for how, name in (("for its own", part), ("beside its own", part), ("beyond its last", part.replace("00000001", "00000009"))):
        path = f"studies/sweep/{name}"
        files = {kept: content for kept, content in inside.items() if how != "for its own" or kept != own} | {path: other[part]}
        found += [
            Case(f"{command} < sweep/a part of another, {how}", files, path, act, _taken, weight=2, damage=lambda content, *_: content)
            for command, act in acts
        ]
    return found


def _taken(_folder: Path, _done: Done) -> None:
    raise AssertionError("a part of another study was taken for one of this")


def _planned(kind: str, inside: Mapping[str, bytes], name: str) -> Case:
    """Return the case of a re-run that is planned, not made."""
    return Case(f"rerun < {kind}/{_short(name)}", inside, f"studies/{kind}/{name}", _again(kind), weight=3)


def _commands(kind: str) -> list[tuple[tuple[str, ...], str, int, bool]]:
    """Return the commands that read the study of a kind: words, name, weight, and whether it may mend the study."""
    folder = f"studies/{kind}"
    from .sound import STUDIES

    resume = (*STUDIES[kind], "--out", folder, "--resume")
    found: list[tuple[tuple[str, ...], str, int, bool]] = []
    if kind in ("compare", "sweep", "optimise"):
        found.append((("recommend", folder, "--json", *OUT), "recommend", 1, False))
    if kind == "sweep":
        found.append((("sensitivity", folder, "--method", "given", "--json", *OUT), "sensitivity", 1, False))
        found.append((resume, "sweep --resume", 2, True))
    if kind in ("optimise", "sensitivity"):
        found.append((resume, f"{kind} --resume", 1, True))
    return found


def _to_spoil(files: Mapping[str, bytes]) -> list[str]:
    """Return one file of each sort that a study holds; figures and reports are read by nobody."""
    chosen = {}
    for name in sorted(files):
        if not name.endswith((*DRAWN, ".claims")):
            chosen.setdefault(_short(name), name)
    return list(chosen.values())


def _short(name: str) -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/part" if file.startswith("part-") else name


def _opened(kind: str) -> Callable[[Path], object]:
    def read(folder: Path) -> None:
        study = open_study(folder / "studies" / kind)
        if study.files:
            frame = study.runs(["effect_adopter_years"], with_parameters=kind != "simulate")
            assert isinstance(frame, pd.DataFrame) and len(frame)
            assert len(study.quantiles("cost_total"))

    return read


def _again(kind: str) -> Callable[[Path], object]:
    def plan(folder: Path) -> None:
        scratch = folder / ".scratch"
        scratch.mkdir(exist_ok=True)
        try:
            assert again(folder / "studies" / kind, None, scratch).words
        finally:
            for path in scratch.iterdir():
                path.unlink()
            scratch.rmdir()

    return plan


def _nothing(_folder: Path, _done: Done) -> None:
    """Hold nothing: runs are read without the scenario that they came from."""


def _as_before(kind: str, files: Mapping[str, bytes], spoiled: str) -> Callable[[Path, Done], None]:
    """Return what holds after a success: the study reads as it was made, but for a description that is sound in itself.

    The runs and parameter sets that were read are those that were written: ``study.json``, or the name of a part, holds their hash.
    """
    data = spoiled in ("runs.parquet", "parameters.parquet") or spoiled.startswith("results/part-")

    def hold(folder: Path, done: Done) -> None:
        place = folder / "studies" / kind
        if spoiled.endswith("study.json"):
            description_read(place / spoiled)
        elif data and kind == "sweep" and spoiled == "parameters.parquet":  # its values are hashed, not its bytes
            written = pd.read_parquet(io.BytesIO(files[spoiled]))
            assert pd.read_parquet(place / spoiled).equals(written), "other parameter sets than were written"
        elif data:
            assert (place / spoiled).exists() and (place / spoiled).read_bytes() == files[spoiled], (
                f"{spoiled} holds other bytes than were written"
            )

    return hold
