"""What may be taken away: the scenario, and what ``compare`` writes of it - its tables, its figures, the whole study."""

import io
import json
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from school_mentoring.analysis.report.terminal import Report, comparison_report
from school_mentoring.experiments.compare import Comparison, compare, with_comparator
from school_mentoring.experiments.folder.description import portable
from school_mentoring.experiments.folder.writing import new_study, provenance
from school_mentoring.experiments.whatif import Kept, Stop, SupersededError
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import Scenario, dump_yaml, resolved

if TYPE_CHECKING:
    from school_mentoring.analysis.report.document import Document

FIGURES = ("adoption", "teams", "cost_effect", "costs", "gaps", "durability")
KINDS = {"svg": "image/svg+xml", "png": "image/png"}
TABLES = {
    "summary.csv": "text/csv",
    "runs.csv": "text/csv",
    "runs.parquet": "application/vnd.apache.parquet",
    "months.parquet": "application/vnd.apache.parquet",
}
REPORTS = {"report.html": "text/html", "report.pdf": "application/pdf"}

Download = tuple[bytes, str, str]
"""Content, media type, name of the file."""


def downloads() -> tuple[str, ...]:
    """Return the names of what may be taken away."""
    return ("scenario.yaml", *TABLES, *REPORTS, *(f"{figure}.{kind}" for figure in FIGURES for kind in KINDS), "study.zip")


class Studies:
    """The two comparisons and recommendations last asked for, as several files of one are often taken away."""

    def __init__(self) -> None:
        self.compared: Kept[tuple[Comparison, Report]] = Kept(lambda kept: len(kept) > 2)
        self.recommended: Kept[Document] = Kept(lambda kept: len(kept) > 2)


def download(name: str, scenario: Scenario, k: float, studies: Studies, threads: int, stop: Stop) -> Download:
    """Return one of ``downloads``; ``k``: EUR an adopter-year is worth in a report. Raises InputError, SupersededError."""
    scenario = with_comparator(scenario)
    filename = f"{scenario.name}-{name}"
    if name == "scenario.yaml":
        return portable_yaml(scenario).encode(), "application/yaml", f"{scenario.name}.yaml"
    key = json.dumps(resolved(scenario))
    found, report = studies.compared.get(key, partial(_study, scenario, threads, stop))
    if name in TABLES:
        return _table(name, found, report), TABLES[name], filename
    if name in REPORTS:
        document = studies.recommended.get((key, k), partial(_recommended, found, k))
        from school_mentoring.analysis.report.handover import as_html, as_pdf

        return as_html(document) if name.endswith(".html") else as_pdf(document), REPORTS[name], filename
    if name == "study.zip":
        return _zipped(found, report), "application/zip", f"{scenario.name}-compare.zip"
    figure, kind = name.rsplit(".", 1)
    if figure not in report.figures:
        raise InputError(name, "this comparison has no such figure", f"allowed: {', '.join(report.figures)}")
    from school_mentoring.analysis.figures.style import save_bytes

    return save_bytes(report.figures[figure](), kind), KINDS[kind], filename


def _study(scenario: Scenario, threads: int, stop: Stop) -> tuple[Comparison, Report]:
    def stage(*_: object) -> None:
        if stop():
            raise SupersededError

    found = compare(scenario, threads=threads, stage=stage)
    return found, comparison_report(**found.for_report())


def portable_yaml(scenario: Scenario) -> str:
    """Return a scenario as YAML; the files that it is read from are named as files beside it."""
    named = portable(scenario)
    files = [path for path in (named.world.schools, named.world.ties, named.posterior) if path is not None]
    return (f"# Needs what it was made with beside it: {', '.join(files)}.\n" if files else "") + dump_yaml(named)


def _table(name: str, found: Comparison, report: Report) -> bytes:
    wanted = {"runs.csv": "runs.parquet", "months.parquet": "results.parquet"}.get(name, name)
    table: pd.DataFrame = {**found.tables(), **report.files}[wanted]
    if name.endswith(".csv"):
        return table.to_csv(index=False, float_format="%.10g", lineterminator="\n").encode()
    return table.to_parquet(index=False, compression="zstd")


def _recommended(found: Comparison, k: float) -> "Document":
    """Return the report that ``run.py recommend`` writes. Its libraries take seconds to load, so they wait until somebody asks."""
    from school_mentoring.analysis.report.chapters.facts import Evidence
    from school_mentoring.analysis.report.recommendation import recommendation
    from school_mentoring.experiments.evidence import evidence_of_comparison

    evidence = Evidence(**evidence_of_comparison(found, f"run.py recommend {found.scenario.name}.yaml --k {k:g}"))
    return recommendation(evidence, willingness_to_pay=k).document


def _zipped(found: Comparison, report: Report) -> bytes:
    """Return the study folder that ``compare`` writes, packed. It names no file of this machine, whether it holds copies or not."""
    described: dict[str, Any] = provenance(found.scenario, "compare", {"engine": "compiled"}, notes=found.notes)
    if not found.scenario.keep_inputs:
        described["scenario"] = resolved(portable(found.scenario))
    with tempfile.TemporaryDirectory(prefix="school-mentoring-zip-") as folder:
        out = Path(folder) / f"{found.scenario.name}-compare"
        with new_study(out, described) as study:
            for name, frame in {**found.tables(), **report.files}.items():
                study.table(name, frame)
            report.write_figures(study.path / "figures")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(path for path in out.rglob("*") if path.is_file()):
                packed.write(path, path.relative_to(out.parent))
    return buffer.getvalue()
