"""The options that several commands share, each with its help."""

from pathlib import Path
from typing import Annotated, TypedDict

import typer
from typer import Argument, Option

from school_mentoring.model.errors import InputError


def euros(word: str | float) -> float:
    """Return an amount of money, a default as it is; one that could be two is refused with both."""
    from school_mentoring.model.world.numbers import Bounds, read_option

    try:
        return read_option("", str(word), Bounds(0.0, 1e15, "0 or more"))
    except InputError as error:
        raise typer.BadParameter(f"{error.problem}; {error.allowed}") from None


ScenarioArgument = Annotated[str, Argument(metavar="SCENARIO", help="A scenario file, or the name of a shipped one.")]
SetOption = Annotated[
    list[str] | None,
    Option("--set", metavar="NAME=VALUE", help="Fix a parameter in every run (NAME=LOW:HIGH: its range), or a field: design.field=value."),
]
DesignsOption = Annotated[str | None, Option(metavar="A,B", help="Only these designs; presets may be added.")]
ReplicatesOption = Annotated[int | None, Option(help="Runs per design and parameter set.")]
SeedOption = Annotated[int | None, Option(help="The seed that every random draw follows from.")]
MonthsOption = Annotated[int | None, Option(help="Months simulated.")]
EngineOption = Annotated[str, Option(help="compiled, or mesa (the same results, slower).")]
SchoolsOption = Annotated[str | None, Option(metavar="FILE", help="Your own schools.csv.")]
TiesOption = Annotated[str | None, Option(metavar="FILE", help="Your own ties.csv, or a network as .graphml.")]
EncodingOption = Annotated[str | None, Option(metavar="NAME", help="Encoding of own files that are not Unicode: cp1250, cp1252, ...")]
ColumnsOption = Annotated[
    list[str] | None,
    Option(metavar="NAME=HEADER,...", help="Own headers of own files: school_id=URN,teachers=Staff; other unknown ones are left out."),
]
ObservationsOption = Annotated[str | None, Option(metavar="FILE", help="What was seen of the schools (observations.csv).")]
KeepInputsOption = Annotated[
    bool | None, Option("--keep-inputs/--no-inputs", help="Whether the study keeps copies of your own files, which may be confidential.")
]
StartOption = Annotated[str | None, Option(metavar="DATE", help="The month that is month 0, where observations have dates.")]
MappingOption = Annotated[str | None, Option(metavar="MAP", help="How a scale becomes a share: linear:1:5, threshold:4.")]
EndOption = Annotated[str | None, Option(metavar="DATE", help="The last month in which adoption times were looked for.")]
NetBenefitOption = Annotated[float, Option("--k", parser=euros, metavar="EUR", help="EUR per adopter-year in the net benefit.")]
OutOption = Annotated[Path | None, Option(metavar="DIR", help="The study folder (default results/<scenario>-<command>).")]
JsonOption = Annotated[bool, Option("--json", help="One JSON document on standard output, nothing else.")]
ThreadsOption = Annotated[int | None, Option(min=1, help="Processors to use (default: all); results do not depend on it.")]


class PilotOptions(TypedDict, total=False):
    """How a scenario differs from the one stated, whose design and months are known; commands with ``**chosen`` hand it to ``load``."""

    sets: SetOption
    seed: SeedOption
    schools: SchoolsOption
    ties: TiesOption
    encoding: EncodingOption
    columns: ColumnsOption
    keep_inputs: KeepInputsOption


class OneDesignOptions(PilotOptions, total=False):
    """Of the runs of one design."""

    months: MonthsOption
    replicates: ReplicatesOption


class SearchOptions(PilotOptions, total=False):
    """Of many designs, where the command itself says how often each is run."""

    months: MonthsOption
    designs: DesignsOption


class AllOptions(OneDesignOptions, SearchOptions, total=False):
    """Of any scenario."""
