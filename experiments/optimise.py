"""Search the space of designs: more adopters for less money and a smaller gap, on common random numbers; then judge anew what was found.

Three panels that share nothing: the first is what the search sees; on the second the designs it found are chosen from; on the third the
chosen ones and the scenario's own are told. So neither what is chosen nor how good it is said to be profits from the luck of its draw (the
winner's curse; Smith & Winkler 2006, Management Science 52, 311-322).
"""

import dataclasses
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.designs import FIELDS, Design
from model.errors import InputError, nearest
from model.observe import OUTCOMES
from scenarios import COMPARATOR, Scenario

from .compare import with_comparator
from .design_space import Space, design_space
from .evolve import Evaluation, Evolution, non_dominated, search_variables
from .panel import Panel

__all__ = ["OBJECTIVES", "PERSPECTIVES", "Aim", "Archive", "Found", "aim_of", "search", "worth_of"]

PERSPECTIVES: Mapping[str, str] = {"society": "cost_total", "programme": "cost_programme"}
"""Whose costs count: all, or those the programme pays; with the outcome that holds them."""

OBJECTIVES = ("effect", "cost", "gap", "gap_rural")
"""What may be sought: adopter-years added (most), cost (least), how far disadvantaged or rural schools are behind at the end (least)."""

WORTH = ("effect", "cost_total", "cost_programme", "gap", "gap_rural")
"""What is kept of every design: means over a panel; effect and costs beyond no programme."""

CHOICE_CELLS, REPORT_CELLS = 100, 400
BEST_KEPT = 5  # designs taken to the second panel for each budget and each design of the scenario, besides the front
COST_MARGIN = 1.5  # how much dearer than the dearest design of the scenario a design may be where no budget is stated

Stage = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Aim:
    """What is sought, and how hard.

    ``objectives``: names of ``OBJECTIVES``, effect and cost among them; ``perspective``: whose costs; ``budgets``: EUR, discounted, may be
    empty; ``evaluations``: designs tried; ``population``: designs of a generation; ``cells``: runs of each; ``draws``: parameter sets among
    them (0: the base parameters); ``space``: texts that narrow the space.
    """

    objectives: tuple[str, ...] = ("effect", "cost", "gap")
    perspective: str = "society"
    budgets: tuple[float, ...] = ()
    evaluations: int = 5000
    population: int = 100
    cells: int = 50
    draws: int = 50
    space: tuple[str, ...] = ()

    @property
    def cost(self) -> str:
        """The outcome that is the cost."""
        return PERSPECTIVES[self.perspective]

    @property
    def generations(self) -> int:
        """How many generations the evaluations make."""
        return -(-self.evaluations // self.population)

    def describe(self) -> dict[str, Any]:
        """Return all that decides which designs are tried, as JSON holds it; a search may go on with more evaluations."""
        kept = dataclasses.asdict(self)
        del kept["evaluations"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


def aim_of(*, objectives: str, perspective: str, budgets: Sequence[float], evaluations: int, population: int, cells: int, draws: int | None, space: Sequence[str]) -> Aim:
    """Return the aim that options of the command line state; raises InputError for what is not allowed."""
    chosen = tuple(name.strip() for name in objectives.split(",") if name.strip())
    for name in chosen:
        if name not in OBJECTIVES:
            raise InputError(f"--objectives {objectives}", f"no objective named {name!r}", nearest(name, OBJECTIVES))
    if not {"effect", "cost"} <= set(chosen) or len(set(chosen)) < len(chosen):
        raise InputError(f"--objectives {objectives}", "effect and cost are always sought, each once", "allowed: effect,cost and gap, gap_rural")
    if perspective not in PERSPECTIVES:
        raise InputError(f"--perspective {perspective}", f"no perspective named {perspective!r}", nearest(perspective, PERSPECTIVES))
    for budget in budgets:
        if not 0.0 < budget < np.inf:
            raise InputError(f"--budget {budget:g}", "is no budget", "allowed: EUR above 0")
    if population > evaluations:
        raise InputError(f"--population {population}", f"is more than the {evaluations} evaluations", "allowed: at most --evaluations")
    if draws is not None and draws > cells:
        raise InputError(f"--draws {draws}", f"is more than the {cells} runs of a design", "allowed: at most --replicates")
    return Aim(chosen, perspective, tuple(sorted(set(budgets))), evaluations, population, cells, cells if draws is None else draws, tuple(space))


def worth_of(outcomes: NDArray[np.float64], comparator: NDArray[np.float64]) -> pd.DataFrame:
    """Return the means of ``WORTH`` over the cells of a panel.

    ``outcomes`` (designs, cells, outcomes) of ``model.observe.OUTCOMES``; ``comparator`` (cells, outcomes): the same of no programme. A gap
    counts as it is, below 0 where disadvantaged schools are ahead.
    """
    mean = outcomes.mean(axis=1)
    extra = (outcomes - comparator).mean(axis=1)
    at = {name: OUTCOMES.index(name) for name in OUTCOMES}
    columns = {"effect": extra[:, at["effect_adopter_years"]]}
    columns |= {name: extra[:, at[name]] for name in ("cost_total", "cost_programme")}
    columns |= {"gap": mean[:, at["gap_disadvantaged"]], "gap_rural": mean[:, at["gap_rural"]]}
    return pd.DataFrame(columns)


def minimised(worth: pd.DataFrame, aim: Aim) -> NDArray[np.float64]:
    """Return what is minimised, a column per objective: the effect negated, a gap where it is above 0, as being ahead is no aim."""
    columns = {"effect": -worth["effect"], "cost": worth[aim.cost]}
    columns |= {name: worth[name].clip(lower=0.0) for name in ("gap", "gap_rural")}
    return np.column_stack([columns[name].to_numpy(np.float64) for name in aim.objectives])


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

    ``evaluations``: every design tried, with its generation and its worth on the first panel. ``candidates``: the designs taken to the second
    panel, with their worth there. ``designs``: no programme, the scenario's own and the chosen ones by name. ``chosen``: one row per choice:
    ``kind`` (budget, equal_cost, equal_effect, all_objectives), ``budget``, ``against`` (a design of the scenario) and ``design``, blank
    where none was found. ``runs``: of all ``designs`` on the third panel. ``sets``: its parameter sets. ``convergence``: one row per
    generation. ``outside``: the scenario's designs that the space does not hold.
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
        """Return what ``analysis.search.search_report`` takes."""
        own = [name for name in self.scenario.designs if name != COMPARATOR]
        return {
            "runs": self.runs,
            "chosen": self.chosen,
            "candidates": self.candidates,
            "evaluations": self.evaluations,
            "convergence": self.convergence,
            "fields": design_fields(self.designs),
            "own": own,
            "outside": self.outside,
            "objectives": list(self.aim.objectives),
            "cost": self.aim.cost,
            "highest_cost": self.highest_cost,
        }


def search(
    scenario: Scenario,
    aim: Aim,
    archive: Archive,
    *,
    engine: str = "compiled",
    threads: int | None = None,
    stage: Stage = lambda *_: None,
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
    candidates = [_design(row) for row in taken.to_dict("records")]
    second = Panel(scenario, CHOICE_CELLS, min(aim.draws, 1) * CHOICE_CELLS, 1, engine=engine, threads=threads)
    judged = _outcomes(second, [scenario.designs[COMPARATOR], *own.values(), *candidates], "choice among the best", stage)
    meant = {name: space.design(space.point(design)) if space.holds(design) else design for name, design in own.items()}
    chosen, designs = _choose(aim, meant, candidates, judged, budgets)
    third = Panel(scenario, REPORT_CELLS, min(aim.draws, 1) * REPORT_CELLS, 2, engine=engine, threads=threads)
    designs = {COMPARATOR: scenario.designs[COMPARATOR], **own, **designs}
    runs = third.runs(designs, lambda done, total: stage("fresh seeds", done, total))
    table = design_fields({f"c{k}": design for k, design in enumerate(candidates)}).drop(columns="design")
    table = pd.concat([table, worth_of(judged[1 + len(own) :], judged[0])], axis=1)
    outside = [name for name, design in own.items() if not space.holds(design)]
    return Found(
        scenario, aim, evaluations, table, designs, chosen, runs, third.parameters(), _convergence(aim, evaluations, highest), outside, highest
    )


def design_fields(designs: Mapping[str, Design]) -> pd.DataFrame:
    """Return the fields of designs, a row each; what is not stated (no quota, the scenario's months) is blank."""
    rows = [{"design": name, **design.model_dump()} for name, design in designs.items()]
    return pd.DataFrame(rows, columns=["design", *FIELDS])


def _refuse_no_gap(aim: Aim, comparator: NDArray[np.float64]) -> None:
    for name, outcome in (("gap", "gap_disadvantaged"), ("gap_rural", "gap_rural")):
        if name in aim.objectives and np.isnan(comparator[:, OUTCOMES.index(outcome)]).any():
            kind = "disadvantaged" if name == "gap" else "rural"
            raise InputError(f"--objectives {','.join(aim.objectives)}", f"not all worlds have {kind} schools and others", f"leave {name} out")


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
    return _design(row).model_dump_json()


def _design(row: Mapping[str, Any]) -> Design:
    """Return the design of a row of fields, in which what is not stated is blank."""
    return Design.model_validate({name: None if pd.isna(row[name]) else row[name] for name in FIELDS})


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


# --- the choice --------------------------------------------------------------------------------------------------------


def _choose(
    aim: Aim, own: Mapping[str, Design], candidates: list[Design], judged: NDArray[np.float64], budgets: Sequence[float]
) -> tuple[pd.DataFrame, dict[str, Design]]:
    """Choose designs on the second panel, whose outcomes ``judged`` holds: no programme, the scenario's own, the candidates.

    ``own`` holds them as the space has them. Returns the choices, and the designs they name beside the scenario's own. A rival of a design must not exceed its cost, fall below
    its effect or exceed its gaps by the paired means plus (less) two standard errors, so that the third panel is likely to agree; where
    none is so sure the means alone decide.
    """
    pool = [*own.values(), *candidates]
    worth = worth_of(judged[1:], judged[0])
    effect, cost = worth["effect"].to_numpy(), worth[aim.cost].to_numpy()
    keys = np.array([design.model_dump_json() for design in pool])
    names = dict(zip(keys, own, strict=False))
    rows: list[dict[str, Any]] = []
    named: dict[str, Design] = {}

    def choose(label: str, value: NDArray[np.float64], where: NDArray[np.bool_], **row: Any) -> None:
        allowed = np.flatnonzero(where)
        if len(allowed):
            best = int(allowed[np.argmax(value[allowed])])
            if keys[best] not in names:
                names[keys[best]] = _unused(label, names.values())
                named[names[keys[best]]] = pool[best]
        rows.append({**row, "design": names[keys[best]] if len(allowed) else ""})

    for budget in budgets:
        choose(f"best_at_{_short(budget)}", effect, cost <= budget, kind="budget", budget=budget, against="")
    for position, name in enumerate(own):
        less = _exceeds(aim, judged[1:], judged[1 + position])
        others = keys != keys[position]
        for kind, label, value, needed in (
            ("equal_cost", f"more_than_{name[:20]}", effect, ["cost"]),
            ("equal_effect", f"cheaper_than_{name[:20]}", -cost, ["effect"]),
            ("all_objectives", f"better_than_{name[:20]}", effect, list(aim.objectives)),
        ):
            sure = others & np.logical_and.reduce([less[what][1] <= 0.0 for what in needed])
            likely = others & np.logical_and.reduce([less[what][0] <= 0.0 for what in needed])
            choose(label, value, sure if sure.any() else likely, kind=kind, budget=np.nan, against=name)
    return pd.DataFrame(rows, columns=["kind", "budget", "against", "design"]), named


def _unused(label: str, taken: Collection[str]) -> str:
    """Return a label, with a number where it is taken already."""
    return label if label not in taken else next(name for k in itertools.count(2) if (name := f"{label}_{k}") not in taken)


def _exceeds(
    aim: Aim, outcomes: NDArray[np.float64], other: NDArray[np.float64]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return by how much designs are worse than another in each objective, paired by cell: mean, and mean plus two standard errors."""
    columns = {"effect": ("effect_adopter_years", -1.0), "cost": (aim.cost, 1.0), "gap": ("gap_disadvantaged", 1.0), "gap_rural": ("gap_rural", 1.0)}
    found = {}
    for name in aim.objectives:
        outcome, sign = columns[name]
        worse = sign * (outcomes[..., OUTCOMES.index(outcome)] - other[:, OUTCOMES.index(outcome)])
        found[name] = _mean_and_bound(worse)
        if name.startswith("gap"):  # being no longer behind is as good as being as far ahead as the other
            found[name] = tuple(map(np.minimum, found[name], _mean_and_bound(outcomes[..., OUTCOMES.index(outcome)])))
    return found


def _mean_and_bound(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means over cells, and means plus two standard errors."""
    mean = values.mean(axis=1)
    return mean, mean + 2.0 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


def _short(budget: float) -> str:
    """Return a budget as part of a name: 500k, 2m, 2500k."""
    for size, letter in ((1e6, "m"), (1e3, "k")):
        if budget >= size and (budget / size).is_integer():
            return f"{budget / size:.0f}{letter}"
    return f"{budget:.0f}"
