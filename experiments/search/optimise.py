"""Search the space of designs: more adopters for less money and a smaller gap, on common random numbers; then judge anew what was found.

Three panels that share nothing: the first is what the search sees; on the second the designs it found are chosen from; on the third the
chosen ones and the scenario's own are told. So neither what is chosen nor how good it is said to be profits from the luck of its draw (the
winner's curse; Smith & Winkler 2006, Management Science 52, 311-322).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.compare import with_comparator
from school_mentoring.experiments.progress import Stage
from school_mentoring.model.designs import FIELDS, Design, design_from_row
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.scenarios import COMPARATOR, Scenario

from .aim import Aim, minimised, worth_of
from .choice import choose_designs
from .design_space import Space, design_space
from .evolve import Evaluation, Evolution, non_dominated, search_variables
from .panel import Panel

CHOICE_CELLS, REPORT_CELLS = 100, 400
BEST_KEPT = 5  # designs taken to the second panel for each budget and each design of the scenario, besides the front
COST_MARGIN = 1.5  # how much dearer than the dearest design of the scenario a design may be where no budget is stated


class Archive:
    """Where the generations of a search are kept; this one keeps them in memory."""

    def read(self, number: int, designs: Sequence[Design]) -> pd.DataFrame | None:
        """Return what these designs of a generation were worth, or None where it was not evaluated yet."""
        return None

    def write(self, number: int, table: pd.DataFrame) -> None:
        """Keep what the designs of a generation were worth."""


@dataclass(frozen=True)
class Found:
    """What a search found.

    ``evaluations``: every design tried, with its generation and its worth on the first panel. ``candidates``: the designs taken to the
    second panel, with their worth there. ``designs``: no programme, the scenario's own and the chosen ones by name. ``chosen``: one row per
    choice: ``kind`` (budget, equal_cost, equal_effect, all_objectives), ``budget``, ``against`` (a design of the scenario) and ``design``,
    blank where none was found. ``runs``: of all ``designs`` on the third panel. ``sets``: its parameter sets. ``convergence``: one row per
    generation. ``outside``: the scenario's designs that the space does not hold. ``highest_cost``: what a design might cost, EUR.
    """

    scenario: Scenario
    aim: Aim
    evaluations: pd.DataFrame
    candidates: pd.DataFrame
    designs: dict[str, Design]
    chosen: pd.DataFrame
    runs: pd.DataFrame
    sets: pd.DataFrame
    convergence: pd.DataFrame
    outside: list[str]
    highest_cost: float

    def for_report(self) -> dict[str, Any]:
        """Return what ``analysis.report.search.search_report`` takes."""
        names = ("runs", "chosen", "candidates", "evaluations", "convergence", "outside", "highest_cost")
        aim = {"objectives": list(self.aim.objectives), "cost": self.aim.cost}
        own = [name for name in self.scenario.designs if name != COMPARATOR]
        return {**{name: getattr(self, name) for name in names}, **aim, "fields": design_fields(self.designs), "own": own}


def search(
    scenario: Scenario, aim: Aim, archive: Archive, *, engine: str = "compiled", threads: int | None = None, stage: Stage = lambda *_: None
) -> Found:
    """Search the space of a scenario's designs, and judge what was found on fresh panels.

    Raises InputError where the space or the aim is not possible, and where a gap is sought that the schools do not have.
    """
    scenario = with_comparator(scenario)
    space = design_space(scenario, aim.space)
    own = {name: design for name, design in scenario.designs.items() if name != COMPARATOR}
    panel = Panel(scenario, aim.cells, aim.draws, 0, engine=engine, threads=threads)
    comparator, *rest = panel.outcomes([scenario.designs[COMPARATOR], *own.values()])
    worth = worth_of(np.array(rest).reshape(len(own), *comparator.shape), comparator)
    _refuse_no_gap(aim, comparator)
    highest = _highest_cost(aim, worth)
    evaluations, survivors = _evolve(scenario, aim, space, panel, comparator, highest, own, archive, stage)
    budgets = aim.budgets or _round_budgets(worth[aim.cost].tolist(), highest)
    taken = _candidates(aim, evaluations, survivors, budgets, worth, highest)
    candidates = [design_from_row(row) for row in taken.to_dict("records")]
    second = Panel(scenario, CHOICE_CELLS, min(aim.draws, 1) * CHOICE_CELLS, 1, engine=engine, threads=threads)
    judged = _outcomes(second, [scenario.designs[COMPARATOR], *own.values(), *candidates], "choice among the best", stage)
    meant = {name: space.design(space.point(design)) if space.holds(design) else design for name, design in own.items()}
    chosen, designs = choose_designs(aim, meant, candidates, judged, budgets)
    third = Panel(scenario, REPORT_CELLS, min(aim.draws, 1) * REPORT_CELLS, 2, engine=engine, threads=threads)
    designs = {COMPARATOR: scenario.designs[COMPARATOR], **own, **designs}
    runs = third.runs(designs, lambda done, total: stage("fresh seeds", done, total))
    table = design_fields({f"c{k}": design for k, design in enumerate(candidates)}).drop(columns="design")
    table = pd.concat([table, worth_of(judged[1 + len(own) :], judged[0])], axis=1)
    outside = [name for name, design in own.items() if not space.holds(design)]
    return Found(
        scenario,
        aim,
        evaluations,
        table,
        designs,
        chosen,
        runs,
        third.parameters(),
        _convergence(aim, evaluations, highest),
        outside,
        highest,
    )


def design_fields(designs: Mapping[str, Design]) -> pd.DataFrame:
    """Return the fields of designs, a row each; what is not stated (no quota, the scenario's months) is blank."""
    rows = [{"design": name, **design.model_dump()} for name, design in designs.items()]
    return pd.DataFrame(rows, columns=["design", *FIELDS])


def _refuse_no_gap(aim: Aim, comparator: NDArray[np.float64]) -> None:
    for name, outcome in (("gap", "gap_disadvantaged"), ("gap_rural", "gap_rural")):
        if name in aim.objectives and np.isnan(comparator[:, OUTCOMES.index(outcome)]).any():
            kind = "disadvantaged" if name == "gap" else "rural"
            raise InputError(
                f"--objectives {','.join(aim.objectives)}", f"not all worlds have {kind} schools and others", f"leave {name} out"
            )


def _highest_cost(aim: Aim, worth: pd.DataFrame) -> float:
    """Return what a design may cost at most: the largest budget, or some more than the dearest design of the scenario."""
    if aim.budgets:
        return max(aim.budgets)
    dearest = float(worth[aim.cost].max()) if len(worth) else 0.0
    if not dearest > 0.0:
        raise InputError("--budget", "none is stated, and no design of the scenario costs anything", "give --budget EUR")
    return COST_MARGIN * dearest


def _round_budgets(costs: Sequence[float], highest: float) -> tuple[float, ...]:
    """Return budgets of 1, 2 and 5 times powers of ten, from that next below the cheapest design of the scenario to the highest cost."""
    steps = [base * 10.0**power for power in range(0, 16) for base in (1.0, 2.0, 5.0)]
    cheapest = min((cost for cost in costs if cost > 0.0), default=highest)
    least = max((step for step in steps if step <= cheapest), default=steps[0])
    return tuple(step for step in steps if least <= step <= highest)[-10:]


# --- the search --------------------------------------------------------------------------------------------------------


def _evolve(
    scenario: Scenario,
    aim: Aim,
    space: Space,
    panel: Panel,
    comparator: NDArray[np.float64],
    highest: float,
    own: Mapping[str, Design],
    archive: Archive,
    stage: Stage,
) -> tuple[pd.DataFrame, list[Design]]:
    """Return every design tried with its worth, and the last population."""
    tables: list[pd.DataFrame] = []
    total = aim.generations * aim.population

    def evaluate(number: int, points: list[dict[str, Any]]) -> Evaluation:
        designs = [space.design(point) for point in points]
        worth = archive.read(number, designs)
        if worth is None:
            done = sum(map(len, tables))
            outcomes = panel.outcomes(designs, lambda part, runs: stage("designs tried", done + part * len(designs) // runs, total))
            worth = worth_of(outcomes, comparator)
            worth = pd.concat([design_fields(dict(zip(map(str, range(len(designs))), designs, strict=True))), worth], axis=1)
            worth = worth.drop(columns="design").assign(generation=number)
            archive.write(number, worth)
        tables.append(worth)
        return Evaluation(minimised(worth, aim), (worth[[aim.cost]].to_numpy(np.float64) - highest))

    evolution = Evolution(
        search_variables(space.variables),
        evaluate,
        objectives=len(aim.objectives),
        constraints=1,
        initial=[space.point(design) for design in [scenario.designs[COMPARATOR], *own.values()]],
        canonical=lambda point: space.point(space.design(point)),
        population=aim.population,
        generations=aim.generations,
        seed=scenario.seed,
    )
    survivors: list[dict[str, Any]] = []
    for generation in evolution:
        survivors = generation.survivors
    return pd.concat(tables, ignore_index=True), [space.design(point) for point in survivors]


def _candidates(
    aim: Aim, evaluations: pd.DataFrame, survivors: Sequence[Design], budgets: Sequence[float], worth: pd.DataFrame, highest: float
) -> pd.DataFrame:
    """Return the designs that go to the second panel: the front of the last population, and the best few for each budget and each design.

    The best few are by effect at no more cost than the budget, or than a design of the scenario (also at no larger a gap), and by cost at
    no less effect than that design.
    """
    allowed = evaluations[evaluations[aim.cost] <= highest].reset_index(drop=True)
    goals = minimised(allowed, aim)
    keys = [_row_key(row) for row in allowed[list(FIELDS)].to_dict("records")]
    last = {_row_key(design.model_dump()) for design in survivors}
    alive = np.array([row for row, key in enumerate(keys) if key in last], np.int64)
    rows: set[int] = set(alive[non_dominated(goals[alive])].tolist()) if len(alive) else set()
    cost, effect = allowed[aim.cost].to_numpy(), allowed["effect"].to_numpy()
    for budget in budgets:
        rows.update(_best(effect, cost <= budget))
    for row in worth.to_dict("records"):
        mine = minimised(pd.DataFrame([row]), aim)[0]
        rows.update(_best(effect, cost <= row[aim.cost]))
        rows.update(_best(-cost, effect >= row["effect"]))
        rows.update(_best(effect, (goals <= mine).all(axis=1)))
    return allowed.loc[sorted(rows)].reset_index(drop=True)


def _best(value: NDArray[np.float64], where: NDArray[np.bool_]) -> list[int]:
    """Return the few rows with the largest value among some."""
    rows = np.flatnonzero(where)
    return [int(row) for row in rows[np.argsort(-value[rows], kind="stable")][:BEST_KEPT]]


def _row_key(row: Mapping[str, Any]) -> str:
    return design_from_row(row).model_dump_json()


def _outcomes(panel: Panel, designs: list[Design], what: str, stage: Stage) -> NDArray[np.float64]:
    return panel.outcomes(designs, lambda done, total: stage(what, done, total))


def _convergence(aim: Aim, evaluations: pd.DataFrame, highest: float) -> pd.DataFrame:
    """Return the volume that the designs found so far dominate, by generation, as a share of that at the end.

    Objectives run from the best to the worst value among the front of all designs within the cost allowed (Zitzler & Thiele 1999).
    """
    from pymoo.indicators.hv import HV

    allowed = evaluations[evaluations[aim.cost] <= highest]
    goals = minimised(allowed, aim)
    front = goals[non_dominated(goals)]
    low, high = front.min(axis=0), front.max(axis=0)
    scaled = (goals - low) / np.where(high > low, high - low, 1.0)
    volume = HV(ref_point=np.full(len(aim.objectives), 1.1))
    generation = allowed["generation"].to_numpy()
    rows, best = [], np.empty((0, len(aim.objectives)))
    for number in range(int(evaluations["generation"].max()) + 1):
        best = np.vstack([best, scaled[generation == number]])
        best = best[non_dominated(best)] if len(best) else best
        tried = int((evaluations["generation"] <= number).sum())
        rows.append({"generation": number, "evaluations": tried, "volume": float(volume(best)) if len(best) else 0.0})
    table = pd.DataFrame(rows)
    last = table["volume"].iloc[-1]
    table["volume"] = (table["volume"] / last if last > 0 else table["volume"]).round(10)
    return table
