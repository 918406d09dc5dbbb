"""Multi-objective search over variables of several kinds, a whole generation at a time.

NSGA-II (Deb et al. 2002, IEEE Transactions on Evolutionary Computation 6, 182-197) as pymoo has it. Knows nothing of schools: points are
mappings of names to values, and what is minimised comes from the caller.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymoo.algorithms.moo.nsga2 import RankAndCrowdingSurvival, binary_tournament
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mixed import MixedVariableGA, MixedVariableMating
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.repair import Repair
from pymoo.core.variable import Binary, Choice, Integer, Real
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.crossover.ux import UX
from pymoo.operators.mutation.bitflip import BFM
from pymoo.operators.mutation.pm import PM
from pymoo.operators.mutation.rm import ChoiceRandomMutation
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.util.display.output import Output
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from school_mentoring.experiments.distributions import Variable
from school_mentoring.model.designs import SWITCHES

from .design_space import Point

# Distribution indices of simulated binary crossover and polynomial mutation, as in Deb et al. 2002 and pymoo.
CROSSOVER_SPREAD, MUTATION_SPREAD = 15, 20


Key = tuple[tuple[str, str], ...]
Points = list[dict[str, Any]]
Evaluate = Callable[[int, Points], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Given the number of a generation and its points: the objectives (points, objectives), each minimised; the excess (points, constraints),
allowed at most 0."""


def search_variables(variables: Sequence[Variable]) -> dict[str, Any]:
    """Return variables of designs as pymoo has them."""
    found: dict[str, Any] = {}
    for variable in variables:
        bounds = (variable.low, variable.high)
        if variable.name.rpartition(".")[2] in SWITCHES:
            found[variable.name] = Binary()
        elif variable.choices:
            found[variable.name] = Choice(options=list(variable.choices))
        elif variable.distribution == "integer":
            found[variable.name] = Integer(bounds=tuple(map(int, bounds)))
        else:
            found[variable.name] = Real(bounds=bounds)
    return found


class _Canonical(Repair):
    """Replaces every point by the one that stands for all that mean the same."""

    def __init__(self, canonical: Callable[[Point], dict[str, Any]]) -> None:
        super().__init__()
        self.canonical = canonical

    def do(self, problem: Any, pop: Any, **_: Any) -> Any:
        for individual in pop:
            individual.X = self.canonical(individual.X)
        return pop


class _NoDuplicates(DuplicateElimination):
    """Leaves out points that are there already, or were tried before."""

    def __init__(self, tried: set[Key]) -> None:
        super().__init__()
        self.tried = tried

    def _do(self, pop: Any, other: Any, is_duplicate: NDArray[np.bool_]) -> NDArray[np.bool_]:
        seen = set() if other is None else {_key(individual.X) for individual in other}
        for position, individual in enumerate(pop):
            key = _key(individual.X)
            is_duplicate[position] |= key in seen or key in self.tried
            if other is None:
                seen.add(key)
        return is_duplicate


def _key(point: Point) -> Key:
    return tuple(sorted((name, repr(value)) for name, value in _plain(point).items()))


def evolve(
    variables: Mapping[str, Any], evaluate: Evaluate, *, objectives: int, constraints: int = 0, initial: Sequence[Point] = (),
    canonical: Callable[[Point], dict[str, Any]] = dict, population: int = 100, generations: int = 50, seed: int = 1,
) -> Iterator[Points]:  # fmt: skip
    """Give the population that survives each of the ``generations`` of a search, or of fewer when nothing new can be made.

    ``variables``: pymoo's, by name; ``evaluate``: what the points of a generation are worth; ``initial``: points to begin with, filled up
    at random to ``population``; ``canonical``: the point that stands for all that mean the same; ``seed``: of all random draws. The same
    arguments give the same points.
    """
    tried: set[Key] = set()
    seed %= 2**32
    algorithm = MixedVariableGA(
        pop_size=population,
        sampling=_first_population(variables, initial, canonical, population, seed),
        mating=_mating(len(variables), canonical, tried),
        eliminate_duplicates=_NoDuplicates(set()),
        survival=RankAndCrowdingSurvival(),
        output=Output(),
        advance_after_initial_infill=True,  # so that the first points are ranked
    )
    algorithm.tournament_type = "comp_by_rank_and_crowding"
    problem = Problem(vars=dict(variables), n_obj=objectives, n_ieq_constr=constraints, elementwise=False)
    algorithm.setup(problem, seed=seed, termination=("n_gen", generations + 1))
    for number in range(generations):
        asked = algorithm.ask()
        if asked is None or len(asked) == 0:
            return
        points = [_plain(point) for point in asked.get("X")]
        tried.update(map(_key, asked.get("X")))
        goals, excess = evaluate(number, points)
        asked.set("F", goals, "G", excess)
        for individual in asked:
            individual.evaluated = {"F", "G", "H"}
        algorithm.tell(infills=asked)
        yield [_plain(point) for point in algorithm.pop.get("X")]


def _mating(variables: int, canonical: Callable[[Point], dict[str, Any]], tried: set[Key]) -> MixedVariableMating:
    rate = 1.0 / variables  # one variable of a point changes on average, whatever its kind
    crossing, whole = {"eta": CROSSOVER_SPREAD}, {"vtype": float, "repair": RoundingRepair()}
    changing = {"eta": MUTATION_SPREAD, "prob_var": rate}
    words, switches = ChoiceRandomMutation(prob_var=rate), BFM(prob_var=rate)
    return MixedVariableMating(
        selection=TournamentSelection(func_comp=binary_tournament),
        crossover={Binary: UX(), Choice: UX(), Real: SBX(**crossing), Integer: SBX(**crossing, **whole)},
        mutation={Binary: switches, Choice: words, Real: PM(**changing), Integer: PM(**changing, **whole)},
        repair=_Canonical(canonical),
        eliminate_duplicates=_NoDuplicates(tried),
    )


def _first_population(
    variables: Mapping[str, Any], initial: Sequence[Point], canonical: Callable[[Point], dict[str, Any]], population: int, seed: int
) -> Population:
    """Return the points to begin with, filled up with random ones that are new."""
    random = np.random.default_rng(seed)
    points = dict(list({_key(point): point for point in map(canonical, initial)}.items())[:population])
    for _ in range(20 * population):
        if len(points) >= population:
            break
        point = canonical(_plain({name: variable.sample(random_state=random) for name, variable in variables.items()}))
        points.setdefault(_key(point), point)
    return Population.new(X=list(points.values()))


def non_dominated(objectives: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows that no other row dominates (at most as much in every objective, less in one), in their order."""
    return np.sort(np.asarray(NonDominatedSorting().do(objectives, only_non_dominated_front=True), np.int64))


def _plain(point: Point) -> dict[str, Any]:
    """Return a point whose values are no longer those of numpy."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in point.items()}
