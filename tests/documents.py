"""What the documentation shows and the code decides: the tables of its pages, and what their blocks print.

``python -m tests.documents`` writes all of it anew, with the figures and the example report of the pilot, after a change that is meant;
``python -m tests.documents odd adviser`` only the pages of these names.
"""

import contextlib
import csv
import io
import re
import shlex
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm

from school_mentoring.analysis.economics.programmes import beside_programmes
from school_mentoring.analysis.outcomes import OUTCOMES
from school_mentoring.analysis.summary import cost_of_reach
from school_mentoring.experiments.anchors.draws import DECIDING, Search
from school_mentoring.experiments.anchors.targets import ANCHORS
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.prices.conversion import prices, read_rows
from school_mentoring.experiments.prices.programmes import programmes
from school_mentoring.experiments.validation.checks import Pattern
from school_mentoring.experiments.validation.patterns import PATTERNS
from school_mentoring.experiments.variables import NARROWED
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import FIELDS, PRESETS, Design
from school_mentoring.model.parameters import TABLE, row_of
from school_mentoring.model.world.countries import COUNTRIES, FIGURES, Country
from school_mentoring.model.world.structure import STRUCTURE
from school_mentoring.scenarios import anchored, load_scenario

from .commands.program import ROOT, program
from .patterns.holds import recorded, recorded_anchors

DOCS = ROOT / "docs"
MOVED = 0.1
"""Parameters of which the anchors move an end of the middle 90 % by more than this part of its width are shown."""

README, ODD = ROOT / "README.md", DOCS / "odd.md"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
PAGES = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")), *sorted(DOCS.rglob("*.md"))]
RUNS_OF_PROGRAMMES = 40
"""Runs of each design from which the table of programmes tells what a mentored school costs."""
PROGRAMMES = {
    "design": ("design", "`{}`"),
    "programme": ("programme", "{}"),
    "as seen": ("price", "{}"),
    "per": ("per", "{}"),
    "EUR of 2023": ("euros", "{:,.0f}"),
    "at the pilot's salaries": ("euros_at_pilot_salaries", "{:,.0f}"),
    "outlay of the design": ("outlay", "{:,.0f}"),
    "ratio": ("ratio", "{:.2f}"),
    "what was seen": ("seen", "{}"),
}
"""The columns of that table: heading, name in the table of programmes and how a cell is written."""

ADVICE = "results/mensi-pilot-compare-recommend"
WRITTEN: Mapping[tuple[Path, ...], Mapping[str, str]] = {
    (README, DOCS / "economics.md"): {
        "results/mensi-pilot-compare/figures/adoption.png": "images/adoption.png",
        "results/mensi-pilot-compare/figures/cost_effect.png": "images/cost_effect.png",
        f"{ADVICE}/report.html": "example-report/report.html",
        f"{ADVICE}/report.pdf": "example-report/report.pdf",
    },
    (DOCS / "sensitivity.md",): {
        f"results/small/sensitivity/figures/{name}.png": f"images/sensitivity/{name}.png"
        for name in ("indices_net_benefit", "tornado_net_benefit")
    },
    (DOCS / "tutorials/modeller.md",): {"results/fit/calibration/figures/fit.png": "images/calibration/fit.png"},
    **{
        (DOCS / name,): {}
        for name in (
            "odd.md",
            "parameters.md",
            "validation.md",
            "decisions.md",
            "anchored.md",
            "calibration.md",
            "tutorials/adviser.md",
            "tutorials/researcher.md",
            "tutorials/roll-out.md",
        )
    },
}
"""Pages with parts that the code decides, and which file of the studies that they make stands where in docs.

The pages of one entry share a folder of studies, so that the second can analyse what the first makes.
"""

BLOCK = re.compile(
    r"(?P<mark><!-- not run: [^\n]+ -->\n)?(?P<about><!-- numbers differ: [^\n]+ -->\n)?"
    r"```(?P<language>sh|python)\n(?P<code>.*?)```\n(?P<between>\n(?:<!-- output -->\n\n)?```text\n(?P<printed>.*?)```\n)?",
    re.DOTALL,
)
PART = re.compile(r"<!-- (?P<name>\w+) -->\n(?P<text>.*?)<!-- end -->", re.DOTALL)
NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", ", ") for cell in line) + " |" for line in lines)


def _parameter_rows(group: str) -> str:
    head = ("name", "meaning", "unit", "low", "base", "high", "distribution", "kind", "source")
    rows = (
        (f"`{p.name}`", p.meaning, p.unit, f"{p.low:g}", f"{p.base:g}", f"{p.high:g}", p.distribution, p.kind, p.source)
        for p in TABLE.values()
        if p.group == group
    )
    return table(head, rows)


def _design_rows() -> str:
    def shown(design: Design, field: str) -> str:
        value = getattr(design, field)
        return "-" if value is None else f"{value:g}" if isinstance(value, int | float) else value

    rows = ([f"`{f.field}`", f.meaning, f.unit, *(shown(design, f.field) for design in PRESETS.values())] for f in FIELDS.values())
    return table(["field", "meaning", "unit", *PRESETS], rows)


def _kinds() -> str:
    counted = Counter(row.kind for row in TABLE.values())
    return f"{len(TABLE)} parameters: " + ", ".join(f"{counted[kind]} {kind}" for kind in ("evidence", "inference", "assumption")) + "."


def _pattern_rows() -> str:
    contrasts = ("; ".join(check.statement for check in pattern.checks.values() if check.contrast) for pattern in PATTERNS)
    rows = ((p.number, p.title, p.source, contrast, _verdict(p)) for p, contrast in zip(PATTERNS, contrasts, strict=True))
    return table(("#", "pattern", "where it is seen", "contrast under which it vanishes", "at the base values"), rows)


def _verdict(pattern: Pattern) -> str:
    failing = sum(bool(recorded()[pattern.number, statement]) for statement in pattern.checks)
    return f"{failing} of {len(pattern.checks)} checks fail" if failing else "holds"


def _country_rows() -> str:
    def shown(country: Country, field: str) -> str:
        value = getattr(country, field)
        number = f"{value:.2f}" if value < 1 else f"{value:,.1f}" if field == "teachers_per_school" else f"{value:,.0f}"
        return f"*{number}*" if field in country.assumed else number

    rows = ([f"`{c.code}`", c.name, *(shown(c, field) for field in FIGURES), c.source] for c in COUNTRIES.values())
    return table(["code", "name", *(f"`{field}`" for field in FIGURES), "source"], rows)


def _price_rows() -> str:
    def shown(row: Mapping[str, str]) -> list[str]:
        amount, euros = float(row["amount"]), prices()[row["price"]].euros
        seen = f"{amount:,.10g} {row['currency']}", row["price_year"], row["index"] or "-"
        return [f"`{row['price']}`", *seen, f"{euros:,.4g}", row["seen"]]

    return table(("price", "as seen", "year", "consumer prices of", "EUR of 2023", "what was seen"), map(shown, read_rows("prices")))


def _programme_rows() -> str:
    scenario = load_scenario("mensi-pilot")
    years = (scenario.programme.last_month - scenario.programme.first_month) / 12
    runs = run_ensemble(scenario, [{}], RUNS_OF_PROGRAMMES, worlds=Worlds(scenario)).runs
    found = beside_programmes(cost_of_reach(runs), programmes(), years).astype(object).fillna("")
    rows = ([form.format(row[name]) if row[name] else "-" for name, form in PROGRAMMES.values()] for row in found.to_dict("records"))
    return table(PROGRAMMES, rows)


def _anchor_rows() -> str:
    told = {(anchor.letter, anchor.title): anchor for anchor in ANCHORS}
    rows = []
    for row in recorded_anchors():
        anchor = told.get((row["anchor"], row["title"]))
        target = " to ".join(dict.fromkeys((row["target_low"], row["target_high"])))
        found = row["found"] if row["error"] == "nan" else f"{row['found']} ± {float(row['error']):.2g}"
        rows.append((row["anchor"], row["title"], row["design"], target, found, row["verdict"], anchor.source if anchor else ""))
    return table(("anchor", "reading", "design", "target", "found", "verdict", "source"), rows)


def _tension() -> str:
    """Say which anchors cannot be met together at the base values, and how many parameters the anchors leave as they were."""
    rows = [row for row in recorded_anchors() if row["verdict"] != "reported"]
    read, patterns = ([row for row in rows if (row["anchor"] == "H") is of] for of in (False, True))
    outside = [row["title"].lower() for row in read if row["verdict"] == "fail"]
    failing = [row["title"].removeprefix("Pattern ") for row in patterns if row["verdict"] == "fail"]
    met = f"{len(read) - len(outside)} of the {len(read)} readings of A to G are met together" + (
        f"; not {', '.join(outside)}" if outside else ""
    )
    free = sum(row_of(variable.name) is not None for variable in Search().variables) - len(_moved())
    return (
        f"At the base values {met}. With them some checks of the patterns {', '.join(failing)} fail (H), so these and A to G are not met "
        f"together. Free stay {free} parameters of which the anchors move neither end of the middle 90 % by more than "
        f"{100 * MOVED:.0f} % of its width ([the others](anchored.md#what-it-does-to-the-ranges))."
    )


def _fixed_rows() -> str:
    rows = ((anchor.letter, anchor.title, anchor.reading, anchor.fixes) for anchor in ANCHORS if anchor.decides)
    return table(("anchor", "name", "how it is read", "what hangs on it"), rows)


def _acceptance() -> str:
    about, again = anchored().about, anchored().about["again"]
    accepted, passed = 100 * about["accepted"] / about["tried"], 100 * again["passed"] / again["held"]
    said = f"{about['accepted']:,} of {about['tried']:,} sets ({accepted:.1f} %) meet all readings that decide."
    return f"{said} Of {again['held']:,} draws held to all again, with other random numbers and other worlds, {passed:.0f} % meet all."


def _refusal_rows() -> str:
    about, again = anchored().about, anchored().about["again"]
    rows = []
    for anchor in DECIDING:
        shares = about["refused_of_all"][anchor.key] / about["held_to_all"], again["refused"][anchor.key] / again["held"]
        rows.append((anchor.letter, anchor.title, f"{about['refused_first'][anchor.key]:,}", *(f"{100 * share:.1f} %" for share in shares)))
    return table(("anchor", "reading", "sets it refuses first", "of sets held to all it refuses", "of draws held again"), rows)


def _structure_shares() -> str:
    rows = (
        (f"`{name}`", f"`{word}`", f"{tried:,}", f"{accepted:,}", f"{100 * accepted / tried:.1f} %")
        for name, words in anchored().about["structures"].items()
        for word, (tried, accepted) in words.items()
    )
    return table(("choice", "word", "sets", "accepted", "share"), rows)


def _moved() -> list[tuple[str, str, str]]:
    """Return the parameters of which the anchors move an end of the middle 90 %, and that before and after, most moved first."""
    moved = []
    for variable in (variable for variable in Search().variables if row_of(variable.name)):
        before = variable.values(np.array(NARROWED))
        after = np.quantile(anchored().draws[variable.name], NARROWED, method="nearest")
        by = float(np.abs(after - before).max() / (before[1] - before[0]))
        moved.append((by, f"`{variable.name}`", *(f"{low:.3g} to {high:.3g}" for low, high in (before, after))))
    return [(name, before, after) for by, name, before, after in sorted(moved, reverse=True) if by > MOVED]


def _narrowed_rows() -> str:
    return table(("parameter", "middle 90 % of its range", "of the draws"), _moved())


def _tied_rows() -> str:
    draws = anchored().draws.select_dtypes("number")
    pairs = draws.corr("spearman").where(np.triu(np.ones((draws.shape[1],) * 2, bool), 1)).stack().dropna()
    # Of m independent pairs the largest is about the normal quantile of 1 - 1 / 2m, over the root of the number of draws.
    chance = float(norm.ppf(1.0 - 0.5 / len(pairs))) / len(draws) ** 0.5
    tied = pairs[pairs.abs() > chance].sort_values(key=lambda values: -values.abs())
    rows = [(f"`{one}`", f"`{other}`", f"{value:.2f}") for (one, other), value in tied.items()]
    return table(("parameter", "and", "rank correlation"), [*rows, (f"largest of {len(pairs):,} pairs", "by chance", f"{chance:.2f}")])


def _farmers_rows() -> str:
    def shown(row: dict[str, str]) -> tuple[str, ...]:
        first = row["prediction"] == "posterior"
        lead = "" if first else f"{-float(row['log_score_less_posterior']):+.3f} ± {2 * float(row['log_score_less_posterior_se']):.3f}"
        numbers = (
            f"{float(row['log_score']):.3f}",
            lead,
            f"{100 * float(row['curve_crps']):.1f}",
            f"{100 * float(row['curve_within_90']):.0f} %",
        )
        return row["fit"], row["held_out"], "the fitted model" if first else row["prediction"], *numbers

    with (DOCS / "images/calibration/farmers.csv").open(encoding="utf-8", newline="") as file:
        rows = [shown(row) for row in csv.DictReader(file)]
    return table(("fit", "held out", "prediction", "log score", "model better by", "CRPS of curves", "curves in 90 %"), rows)


def _structure_rows() -> str:
    rows = ((f"`{field}`", f"`{word}`", meaning) for field, words in STRUCTURE.items() for word, meaning in words.items())
    return table(("field", "choice", "meaning"), rows)


PARTS: Mapping[str, Callable[[], str]] = {
    "kinds": _kinds,
    **{group: lambda group=group: _parameter_rows(group) for group in dict.fromkeys(row.group for row in TABLE.values())},
    "designs": _design_rows,
    "countries": _country_rows,
    "prices": _price_rows,
    "programmes": _programme_rows,
    "structure": _structure_rows,
    "farmers": _farmers_rows,
    "patterns": _pattern_rows,
    "anchors": _anchor_rows,
    "acceptance": _acceptance,
    "refusals": _refusal_rows,
    "structures": _structure_shares,
    "narrowed": _narrowed_rows,
    "tied": _tied_rows,
    "anchored": _fixed_rows,
    "tension": _tension,
    "outcomes": lambda: table(("outcome", "meaning", "unit"), ((f"`{name}`", row.label, row.unit) for name, row in OUTCOMES.items())),
}
"""What the code gives for each part that a page marks with ``<!-- name -->`` and ``<!-- end -->``; other names are left as they are."""


class Block(NamedTuple):
    """A block of code that a page shows, and what it says that the block prints.

    ``about``: numbers differ from machine to machine, as the page says.
    """

    language: str
    code: str
    printed: str
    about: bool

    def shows(self, printed: str) -> bool:
        """Tell whether the page shows what was printed: the same text; where numbers differ, up to twice or half of them."""
        shown = trimmed(self.printed)
        if not self.about:
            return printed == shown
        if re.sub(f"{NUMBER}| +|─+", " ", printed) != re.sub(f"{NUMBER}| +|─+", " ", shown):
            return False
        pairs = zip(re.findall(NUMBER, printed), re.findall(NUMBER, shown), strict=True)
        both = [[abs(float(one.replace(",", ""))) for one in pair] for pair in pairs]
        return all(max(pair) <= 2 * min(pair) + 0.01 for pair in both)


def commands(text: str) -> list[list[str]]:
    """Return the words of every run.py command in the sh blocks of a page, without comments."""
    shown = re.findall(r"```sh\n(.*?)```|^((?: {4}run\.py .*\n)+)", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(fenced or indented for fenced, indented in shown).replace("\\\n", " ").splitlines()
    found = [shlex.split(line.split("run.py", 1)[1], comments=True) for line in lines if re.match(r"\s*(?:\S*python )?run\.py ", line)]
    return [words for words in found if words and not words[0].isupper()]


def trimmed(text: str) -> str:
    """Return a text without the blanks that end lines."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def anew(pages: Sequence[Path], folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each page with the parts that the code gives, and with what its blocks print, run one after the other in the folder.

    A block is run where the page shows what it prints, unless it is marked. Commands run as processes; the Python blocks of a page share
    their names, as in a notebook. A block that fails raises.
    """
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    for page in pages:
        names: dict[str, Any] = {}

        def filled(match: re.Match[str], names: dict[str, Any] = names) -> str:
            if match["printed"] is None or match["mark"]:
                return match[0]
            block = Block(match["language"], match["code"], match["printed"], bool(match["about"]))
            with contextlib.chdir(folder):
                printed = trimmed(_run_sh(block.code) if block.language == "sh" else run_python(block.code, names))
            start, end = (match.regs[BLOCK.groupindex["printed"]][i] - match.start() for i in (0, 1))
            return match[0] if block.shows(printed) else f"{match[0][:start]}{printed}\n{match[0][end:]}"

        yield page, BLOCK.sub(filled, PART.sub(_part, read(page)))


def _part(match: re.Match[str]) -> str:
    name = match["name"]
    return f"<!-- {name} -->\n{PARTS[name]()}\n<!-- end -->" if name in PARTS else match[0]


def _run_sh(code: str) -> str:
    printed = []
    for words in commands(f"```sh\n{code}```"):
        done = program(*words, cwd=Path(), environment={"COLUMNS": "100"}, seconds=600)
        assert done.code == 0, done
        printed.append(done.out)
    assert printed, f"no command in {code!r}"
    return "".join(printed)


def run_python(code: str, names: dict[str, Any]) -> str:
    """Run code with the names that earlier blocks left, and return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "documentation", "exec"), names)
    return printed.getvalue()


def read(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def write(wanted: Sequence[str]) -> None:
    """Write the pages of these names anew (none given: all), and the files that docs copy from their studies."""
    for pages, copied in WRITTEN.items():
        if wanted and not {page.stem for page in pages} & set(wanted):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for page, text in anew(pages, Path(folder)):
                page.write_text(text, encoding="utf-8")
            for source, target in copied.items():
                shutil.copyfile(Path(folder) / source, DOCS / target)


if __name__ == "__main__":
    write(sys.argv[1:])
