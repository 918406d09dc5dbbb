"""Run a study again from what its ``study.json`` says: the command line that made it, and what has changed around it since."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from school_mentoring.experiments.budget import OPTIONS
from school_mentoring.experiments.sweep.store import read_sets
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import dump_yaml, scenario_from

from .description import differences, find_inputs
from .model_1 import refuse_model_1
from .reading import open_study
from .same import compare_folders
from .writing import FORMAT

INSIDE = ("sensitivity", "calibration")
"""Folders of findings within the folder of the sweep that they rest on."""

COMMANDS = ("compare", "simulate", "scale", "sweep", "sensitivity", "optimise", "recommend", "calibrate", "validation", "anchor")
RESUMABLE = ("sweep", "sensitivity", "optimise", "calibrate", "anchor")
SURROUNDINGS = ("format", "model", "source_commit", "versions", "inputs")
"""What ``study.json`` says of the program and files that a study was made with, none of which should change its results."""


@dataclass(frozen=True)
class Again:
    """How a study is made again.

    ``words``: the command line after ``run.py``, less ``--out``. ``out``: the folder of that command. ``made``: the folder, in ``out``,
    that is to equal ``study``. ``info``: what the ``study.json`` says that was followed.
    """

    study: Path
    words: list[str]
    out: Path
    made: Path
    info: dict[str, Any]


def again(
    path: Path,
    out: Path | None,
    scratch: Path,
    *,
    given: Mapping[str, str | None] | None = None,
    threads: int | None = None,
    resume: bool = False,
) -> Again:
    """Return how the study of a folder, or of its ``study.json``, is made again in ``out`` (default ``results/<folder>-rerun``).

    What the command line needs as files is written to ``scratch``. ``given``: files that the study was made from, by what they are to it,
    where they are no longer where they were. ``resume``: go on with a re-run that was interrupted. Raises InputError
    where there is no finished study, where a file that it was made from is gone or has changed, and where ``out`` is not beside it.
    """
    study = (path.parent if path.name == "study.json" and path.is_file() else path).resolve()
    out = Path("results") / f"{study.name}-rerun" if out is None else out
    if study in (place := out.resolve(), *place.parents) or place in study.parents:
        raise InputError(f"--out {out}", "would write over the study itself", "give a folder beside it")
    found, made = study, out
    for name in INSIDE:
        if (study / name / "study.json").is_file():
            found = study / name
        elif study.name == name and (study.parent / "study.json").is_file():
            made = out / name
    info = open_study(found).info
    where = str(found / "study.json")
    refuse_model_1(info, where)
    try:
        words = _words(found, info, scratch, given or {})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        problem = f"does not say how the study was made ({type(error).__name__}: {error})"
        raise InputError(where, problem, "give a study as a command wrote it") from None
    whole = open_study(study)
    if "sweep" in whole.info:
        whole.checked_files()
    command = words[0]
    words += [] if threads is None else [f"--{'workers' if command == 'sweep' else 'threads'}={threads}"]
    words += ["--resume"] if resume and command in RESUMABLE else []
    return Again(study, [*words, f"--out={out}"], out, made, info)


def verdict(plan: Again) -> tuple[list[str], dict[str, Any], bool]:
    """Return what a study made again came to: lines for people, a document, and whether its results are the same."""
    found = compare_folders(plan.study, plan.made)
    then, now = ({key: info.get(key) for key in SURROUNDINGS} for info in (plan.info, open_study(plan.made).info))
    changed = list(differences(then, now))
    lines = [f"{plan.study} was made by {plan.words[0]}; made again in {plan.made}", *found.lines()]
    if changed:
        lines += ["Made with, there and here:", *(f"  {name}: {there}, {here}" for name, there, here in changed)]
    else:
        lines.append("Made with the same source and the same versions of Python and libraries")
    surroundings = [{"name": name, "there": there, "here": here} for name, there, here in changed]
    return lines, {"study": str(plan.study), "command": plan.words[0], **found.document(), "made_with": surroundings}, found.same


def _words(folder: Path, info: dict[str, Any], scratch: Path, given: Mapping[str, str | None]) -> list[str]:
    where = str(folder / "study.json")
    command = info["command"]
    if info["format"] > FORMAT:
        problem = f"has the format {info['format']}, of a newer version of the program"
        raise InputError(where, problem, f"allowed: up to {FORMAT}; use that version")
    if command not in COMMANDS:
        raise InputError(where, f"is of the command {command!r}", f"allowed: {', '.join(COMMANDS)}")
    if command != "sweep" and "files" not in info:
        raise InputError(str(folder), "holds an unfinished study", f"complete it with run.py {command} ... --resume")
    info = find_inputs(folder, info, given)
    if command == "anchor":  # in the pilot, as it is now
        return [command, *_flags(info["options"])]
    file = scratch / "scenario.yaml"
    file.write_text(dump_yaml(scenario_from(info["scenario"], where, files=False)), encoding="utf-8")
    return [command, *_arguments(command, info, file, folder)]


def _arguments(command: str, info: Mapping[str, Any], file: Path, folder: Path) -> list[str]:
    """Return the arguments of a command; ``info``: what the ``study.json`` of ``folder`` says, ``file``: its scenario."""
    options, scenario, of = info["options"], info["scenario"], str(file)

    def same(*names: str) -> dict[str, Any]:
        return {name: options[name] for name in names}

    match command:
        case "compare":
            given = same("engine") | {name: options.get(name) for name in OPTIONS}
        case "scale":
            given = same("engine", "clusters", "perspective")
        case "simulate":
            given = {"design": next(iter(scenario["designs"])), **same("per_school", "engine")}
        case "sweep":
            given = {"yes": True, **_of_sweep(info, file, folder)}
        case "sensitivity":
            given = same("method", "vary", "pairs", "ci", "max_runs", "groups", "second", "monthly")
            given |= {"n": options["points"] or None, "k": options["willingness_to_pay"], "outputs": ",".join(options["outputs"])}
            given |= {options["random"]: True}
            if "sweep" in options:
                of, given["independent"] = str(options["sweep"]), None
            else:
                given = {"replicates": scenario["replicates"], **given}
        case "optimise":
            search = info["search"]
            given = {name: search[name] for name in ("perspective", "space", "population", "draws")}
            given |= {"budget": search["budgets"], "replicates": search["cells"], "objectives": ",".join(search["objectives"])}
            given |= {name.replace("_", "-"): search.get(name) for name in ("phases", "by_country", "budget_risk")} | same("evaluations")
        case "recommend":
            of = str(options.get("study") or options.get("sample") or file)
            names = ("k", "perspective", "effects", "parameters", "columns", "encoding", "comparator", "unit")
            given = {name: options.get(name) for name in names}
        case "calibrate":
            given = {"fit": ",".join(options["fit"]), "pool": ",".join(options["pooled"]), "hold-out": options["hold_out"]}
            given |= same("observations", "design", "start", "mapping", "end", "compare", "overdispersion", "discrepancy")
            given |= same("likelihood", "runs", "quick") | {"non-response": options.get("non_response")}
        case _:
            given = same("quick", "k")
    return [of, *_flags(given)]


def _of_sweep(info: Mapping[str, Any], file: Path, folder: Path) -> dict[str, Any]:
    """Return the options of a sweep; its own sets, which the folder keeps, are written beside the scenario."""
    sweep = info["sweep"]
    if "schools" in sweep or sweep.get("monthly"):
        raise InputError(str(folder), "is the sweep of an unfinished calibration or sensitivity study", "complete that with --resume")
    open_study(folder).refuse_incomplete()
    vary, sample = info["options"].get("vary"), sweep["sample"]
    if vary is None:
        table = file.with_name("sets.csv")
        read_sets(folder, info).drop(columns="parameter_set").to_csv(table, index=False)
        vary, sample = [], f"table:{table}"
    return {"vary": vary, "sample": sample, "random": sweep["random"], "chunk": sweep["chunk"], "broken-down": sweep.get("broken_down")}


def _flags(given: Mapping[str, Any]) -> list[str]:
    """Return options as words: True as a flag, a list as one option per value; what is None, False or empty is left out."""
    words = []
    for name, value in ((name.replace("_", "-"), value) for name, value in given.items()):
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                words.append(f"--{name}")
            elif one is not None and one is not False and one != "":
                words.append(f"--{name}={one}")
    return words
