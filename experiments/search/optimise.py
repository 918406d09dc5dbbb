"""Search the space of designs: more adopters for less money and a smaller gap, on common random numbers; then judge anew what was found.

Three panels that share nothing: the first is what the search sees; on the second the designs it found are chosen from; on the third the
chosen ones and the scenario's own are told. So neither what is chosen nor how good it is said to be profits from the luck of its draw (the
winner's curse; Smith & Winkler 2006, Management Science 52, 311-322).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.experiments.compare import with_comparator
from school_mentoring.experiments.progress import Stage
from school_mentoring.model.designs import Design
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.programmes import Programme
from school_mentoring.model.world.arrays import Flags, Floats
from school_mentoring.scenarios import COMPARATOR, Scenario

from .aim import Aim, minimised, worth_of
from .archive import GenerationStore, design_columns, design_key, design_of, key_of
from .design_space import Point, Space, design_space
from .evolve import Points, evolve, non_dominated, search_variables
from .panel import Panel
from .programme_space import ProgrammeSpace, programme_space

CHOICE_CELLS, REPORT_CELLS = 100, 400
BEST_KEPT = 5  # designs taken to the second panel for each budget and each design of the scenario, besides the front
MOST_BUDGETS = 10  # where none is stated
RIVALS = 3  # kinds of designs that each design of the scenario is held against
COST_MARGIN = 1.5  # how much dearer than the dearest design of the scenario a design may be where no budget is stated
GAPS = {"gap": "gap_disadvantaged", "gap_rural": "gap_rural"}  # objectives, and the outcomes that hold them


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
    designs: dict[str, Design | Programme]
    chosen: pd.DataFrame
    runs: pd.DataFrame
    sets: pd.DataFrame
    convergence: pd.DataFrame
    outside: list[str]
    highest_cost: float

    def for_report(self) -> dict[str, Any]:
        """Return what ``analysis.report.search.search_report`` takes."""
        names = ("runs", "chosen", "candidates", "evaluations", "convergence", "outside", "highest_cost")
        aim = {"objectives": list(self.aim.objectives), "cost": self.aim.cost, "budget_risk": self.aim.budget_risk}
        own = [name for name in self.scenario.designs if name != COMPARATOR]
        fields = design_columns(self.designs.values(), among_programmes(self.scenario, self.aim))
        fields.insert(0, "design", list(self.designs))
        return {**{name: getattr(self, name) for name in names}, **aim, "fields": fields, "designs": self.designs, "own": own}


def space_of(scenario: Scenario, aim: Aim) -> Space | ProgrammeSpace:
    """Return the space that is searched, of plain designs or of programmes; raises InputError where what narrows it is not possible."""
    if aim.phases == 1 and not aim.by_country:
        return design_space(scenario, aim.space)
    return programme_space(scenario, aim.phases, aim.by_country, aim.space)


def among_programmes(scenario: Scenario, aim: Aim) -> bool:
    """Tell whether there may be programmes among the designs of a search: those it looks through, or the scenario's own."""
    return aim.phases > 1 or aim.by_country or any(isinstance(design, Programme) for design in scenario.designs.values())


def search(
    scenario: Scenario, aim: Aim, archive: GenerationStore, *, engine: str = "compiled", threads: int | None = None,
    stage: Stage = lambda *_: None,
) -> Found:  # fmt: skip
    """Search the space of a scenario's designs, and judge what was found on fresh panels.

    Raises InputError where the space or the aim is not possible, and where a gap is sought that the schools do not have.
    """
    scenario = with_comparator(scenario)
    space, programmes = space_of(scenario, aim), among_programmes(scenario, aim)
    nothing = scenario.designs[COMPARATOR]
    own = {name: design for name, design in scenario.designs.items() if name != COMPARATOR}
    panel = Panel(scenario, aim.cells, aim.draws, 0, engine=engine, threads=threads)
    first = panel.outcomes([nothing, *own.values()])
    comparator, worth = first[0], worth_of(first[1:], first[0], aim)
    _refuse_no_gap(aim, comparator)
    highest = _highest_cost(aim, worth)
    begin = [space.point(design) for design in [nothing, *own.values()]]
    evaluations, survivors = _evolve(aim, space, programmes, panel, comparator, highest, begin, scenario.seed, archive, stage)
    budgets = aim.budgets or _round_budgets(worth[aim.cost].tolist(), highest)
    taken = _candidates(aim, evaluations, survivors, budgets, worth, highest)
    candidates = [design_of(row) for row in taken.to_dict("records")]
    second = Panel(scenario, CHOICE_CELLS, min(aim.draws, 1) * CHOICE_CELLS, 1, engine=engine, threads=threads)
    pool = [nothing, *own.values(), *candidates]
    judged = second.outcomes(pool, lambda done, total: stage("choice among the best", done, total))
    meant = {name: space.design(space.point(design)) if space.holds(design) else design for name, design in own.items()}
    chosen, designs = _choose(aim, meant, candidates, judged, budgets)
    third = Panel(scenario, REPORT_CELLS, min(aim.draws, 1) * REPORT_CELLS, 2, engine=engine, threads=threads)
    designs = {COMPARATOR: nothing, **own, **designs}
    runs = third.runs(designs, lambda done, total: stage("fresh seeds", done, total))
    table = pd.concat([design_columns(candidates, programmes), worth_of(judged[1 + len(own) :], judged[0], aim)], axis=1)
    outside = [name for name, design in own.items() if not space.holds(design)]
    volumes = _convergence(aim, evaluations, highest)
    return Found(scenario, aim, evaluations, table, designs, chosen, runs, third.parameters(), volumes, outside, highest)


def refuse_no_gap(scenario: Scenario, aim: Aim, *, engine: str = "compiled", threads: int | None = None) -> None:
    """Raise InputError where a gap is sought that the schools do not have, before there is a folder."""
    if not GAPS.keys().isdisjoint(aim.objectives):
        scenario = with_comparator(scenario)
        panel = Panel(scenario, aim.cells, aim.draws, 0, engine=engine, threads=threads)
        _refuse_no_gap(aim, panel.outcomes([scenario.designs[COMPARATOR]])[0])


def _refuse_no_gap(aim: Aim, comparator: Floats) -> None:
    for name, outcome in GAPS.items():
        if name in aim.objectives and np.isnan(comparator[:, OUTCOMES.index(outcome)]).any():
            problem = f"not all worlds have {outcome.removeprefix('gap_')} schools and others"
            raise InputError(f"--objectives {','.join(aim.objectives)}", problem, f"leave {name} out")


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
    return tuple(step for step in steps if least <= step <= highest)[-MOST_BUDGETS:]


def _evolve(
    aim: Aim, space: Space | ProgrammeSpace, programmes: bool, panel: Panel, comparator: Floats, highest: float, begin: Sequence[Point],
    seed: int, archive: GenerationStore, stage: Stage,
) -> tuple[pd.DataFrame, list[Design | Programme]]:  # fmt: skip
    """Return every design tried with its worth, and the last population."""
    tables: list[pd.DataFrame] = []
    total = aim.generations * aim.population

    def evaluate(number: int, points: Points) -> tuple[Floats, Floats]:
        designs = [space.design(point) for point in points]
        worth = archive.read(number, designs)
        if worth is None:
            done = sum(map(len, tables))
            outcomes = panel.outcomes(designs, lambda part, runs: stage("designs tried", done + part * len(designs) // runs, total))
            worth = pd.concat([design_columns(designs, programmes), worth_of(outcomes, comparator, aim)], axis=1).assign(generation=number)
            archive.write(number, worth)
        tables.append(worth)
        return minimised(worth, aim), worth[[aim.within]].to_numpy(np.float64) - highest

    *_, last = evolve(
        search_variables(space.variables), evaluate, objectives=len(aim.objectives), constraints=1, initial=begin,
        canonical=lambda point: space.point(space.design(point)), population=aim.population, generations=aim.generations, seed=seed,
    )  # fmt: skip
    return pd.concat(tables, ignore_index=True), [space.design(point) for point in last]


def _candidates(
    aim: Aim, evaluations: pd.DataFrame, survivors: Sequence[Design | Programme], budgets: Sequence[float], worth: pd.DataFrame,
    highest: float,
) -> pd.DataFrame:  # fmt: skip
    """Return the designs that go to the second panel: the front of the last population, and the best few for each budget and each design.

    The best few are by effect at no more cost than the budget, or than a design of the scenario (also at no larger a gap), and by cost at
    no less effect than that design.
    """
    allowed = evaluations[evaluations[aim.within] <= highest].reset_index(drop=True)
    goals = minimised(allowed, aim)
    keys = [key_of(row) for row in allowed.to_dict("records")]
    last = {design_key(design) for design in survivors}
    alive = np.array([row for row, key in enumerate(keys) if key in last], np.int64)
    rows: set[int] = set(alive[non_dominated(goals[alive])].tolist()) if len(alive) else set()
    cost, effect = allowed[aim.cost].to_numpy(), allowed["effect"].to_numpy()
    for budget in budgets:
        rows.update(_best(effect, allowed[aim.within].to_numpy() <= budget))
    for row in worth.to_dict("records"):
        mine = minimised(pd.DataFrame([row]), aim)[0]
        rows.update(_best(effect, cost <= row[aim.cost]))
        rows.update(_best(-cost, effect >= row["effect"]))
        rows.update(_best(effect, (goals <= mine).all(axis=1)))
    return allowed.loc[sorted(rows)].reset_index(drop=True)


def _best(value: Floats, where: Flags) -> list[int]:
    """Return the few rows with the largest value among some."""
    rows = np.flatnonzero(where)
    return [int(row) for row in rows[np.argsort(-value[rows], kind="stable")][:BEST_KEPT]]


def _convergence(aim: Aim, evaluations: pd.DataFrame, highest: float) -> pd.DataFrame:
    """Return the volume that the designs found so far dominate, by generation, as a share of that at the end.

    Objectives run from the best to the worst value among the front of all designs within the cost allowed (Zitzler & Thiele 1999).
    """
    from pymoo.indicators.hv import HV

    allowed = evaluations[evaluations[aim.within] <= highest]
    goals = minimised(allowed, aim)
    front = goals[non_dominated(goals)]
    low, high = front.min(axis=0), front.max(axis=0)
    scaled = (goals - low) / np.where(high > low, high - low, 1.0)
    volume = HV(ref_point=np.full(len(aim.objectives), 1.1))
    rows, best = [], np.empty((0, len(aim.objectives)))
    for number in range(int(evaluations["generation"].max()) + 1):
        best = np.vstack([best, scaled[(allowed["generation"] == number).to_numpy()]])
        best = best[non_dominated(best)] if len(best) else best
        tried = int((evaluations["generation"] <= number).sum())
        rows.append({"generation": number, "evaluations": tried, "volume": float(volume(best)) if len(best) else 0.0})
    table = pd.DataFrame(rows)
    last = table["volume"].iloc[-1]
    table["volume"] = (table["volume"] / last if last > 0 else table["volume"]).round(10)
    return table


# --- the choice among what was found, on runs that the search did not see ------------------------------------------------


def _choose(
    aim: Aim, own: Mapping[str, Design | Programme], candidates: list[Design | Programme], judged: Floats, budgets: Sequence[float]
) -> tuple[pd.DataFrame, dict[str, Design | Programme]]:
    """Choose designs on the second panel, whose outcomes ``judged`` holds: no programme, the scenario's own, the candidates.

    ``own`` holds the scenario's designs as the space has them. Returns the choices (``Found.chosen``), and the designs that they name
    beside the scenario's own. A rival of a design must not exceed its cost, fall below its effect or exceed its gaps by the paired means
    plus two standard errors (less, for effect), so that the third panel is likely to agree; where none is so sure the means alone decide.
    """
    pool = [*own.values(), *candidates]
    worth = worth_of(judged[1:], judged[0], aim)
    effect, cost, within = worth["effect"].to_numpy(), worth[aim.cost].to_numpy(), worth[aim.within].to_numpy()
    keys = np.array([design_key(design) for design in pool])
    names = dict(zip(keys, own, strict=False))
    rows: list[dict[str, Any]] = []
    named: dict[str, Design | Programme] = {}

    def choose(label: str, value: Floats, where: Flags, **row: Any) -> None:
        allowed = np.flatnonzero(where)
        if len(allowed):
            best = int(allowed[np.argmax(value[allowed])])
            if keys[best] not in names:
                labels = itertools.chain([label], (f"{label}_{k}" for k in itertools.count(2)))  # with a number where it is taken
                names[keys[best]] = next(name for name in labels if name not in names.values())
                named[names[keys[best]]] = pool[best]
        rows.append({**row, "design": names[keys[best]] if len(allowed) else ""})

    for budget in budgets:
        choose(f"best_at_{_short(budget)}", effect, within <= budget, kind="budget", budget=budget, against="")
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


def _exceeds(aim: Aim, outcomes: Floats, other: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Return by how much designs are worse than another in each objective, paired by cell: mean, and mean plus two standard errors."""
    columns = {"effect": "effect_adopter_years", "cost": aim.cost, **GAPS}
    found = {}
    for name in aim.objectives:
        at = OUTCOMES.index(columns[name])
        found[name] = _mean_and_bound((-1.0 if name == "effect" else 1.0) * (outcomes[..., at] - other[:, at]))
        if name in GAPS:  # being no longer behind is as good as being as far ahead as the other
            mean, bound = _mean_and_bound(outcomes[..., at])
            found[name] = np.minimum(found[name][0], mean), np.minimum(found[name][1], bound)
    return found


def _mean_and_bound(values: Floats) -> tuple[Floats, Floats]:
    """Return means over cells, and means plus two standard errors."""
    mean = values.mean(axis=1)
    return mean, mean + 2.0 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


def _short(budget: float) -> str:
    """Return a budget as part of a name: 500k, 2m, 2500k."""
    for size, letter in ((1e6, "m"), (1e3, "k")):
        if budget >= size and (budget / size).is_integer():
            return f"{budget / size:.0f}{letter}"
    return f"{budget:.0f}"
