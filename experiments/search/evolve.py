"""Multi-objective search over variables of several kinds, a whole generation at a time.

NSGA-II (Deb et al. 2002, IEEE Transactions on Evolutionary Computation 6, 182-197) as pymoo has it. Knows nothing of schools: points are
mappings of names to values, and what is minimised comes from the caller.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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

from school_mentoring.experiments.variables import Variable
from school_mentoring.model.designs import SWITCHES

from .design_space import Point

# Distribution indices of simulated binary crossover and polynomial mutation, as in Deb et al. 2002 and pymoo.
CROSSOVER_SPREAD, MUTATION_SPREAD = 15, 20


class Evaluation(NamedTuple):
    """What points are worth. ``objectives`` (points, objectives), each minimised; ``excess`` (points, constraints), allowed at most 0."""

    objectives: NDArray[np.float64]
    excess: NDArray[np.float64]


class Generation(NamedTuple):
    """The points evaluated in one generation, and the population that survived it, in the order of the algorithm."""

    number: int
    points: list[dict[str, Any]]
    survivors: list[dict[str, Any]]


Key = tuple[tuple[str, str], ...]
Evaluate = Callable[[int, list[dict[str, Any]]], Evaluation]  # given the number of the generation and its points


def search_variables(variables: Sequence[Variable]) -> dict[str, Any]:
    """Return variables of designs as pymoo has them."""
    found: dict[str, Any] = {}
    for variable in variables:
        bounds = (variable.low, variable.high)
        if variable.name in SWITCHES:
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


class Evolution:
    """A search: iterate over its generations.

    ``variables``: pymoo's, by name; ``evaluate``: what the points of a generation are worth; ``initial``: points to begin with, filled up
    at random to ``population``; ``canonical``: the point that stands for all that mean the same; ``seed``: of all random draws. The same
    arguments give the same points. Ends after ``generations``, or when nothing new can be made.
    """

    def __init__(
        self, variables: Mapping[str, Any], evaluate: Evaluate, *, objectives: int, constraints: int = 0, initial: Sequence[Point] = (),
        canonical: Callable[[Point], dict[str, Any]] = dict, population: int = 100, generations: int = 50, seed: int = 1,
    ) -> None:  # fmt: skip
        self.evaluate, self.generations, self.population = evaluate, generations, population
        self.initial = {_key(point): point for point in map(canonical, initial)}
        self.variables, self.canonical = dict(variables), canonical
        self.problem = Problem(vars=self.variables, n_obj=objectives, n_ieq_constr=constraints, elementwise=False)
        self.seed = seed % 2**32

    def __iter__(self) -> Iterator[Generation]:
        tried: set[Key] = set()
        algorithm = self._algorithm(tried)
        for number in range(self.generations):
            asked = algorithm.ask()
            if asked is None or len(asked) == 0:
                return
            points = [_plain(point) for point in asked.get("X")]
            tried.update(map(_key, asked.get("X")))
            worth = self.evaluate(number, points)
            asked.set("F", worth.objectives, "G", worth.excess)
            for individual in asked:
                individual.evaluated = {"F", "G", "H"}
            algorithm.tell(infills=asked)
            yield Generation(number, points, [_plain(point) for point in algorithm.pop.get("X")])

    def _algorithm(self, tried: set[Key]) -> Any:
        rate = 1.0 / len(self.variables)  # one variable of a point changes on average, whatever its kind
        crossing, whole = {"eta": CROSSOVER_SPREAD}, {"vtype": float, "repair": RoundingRepair()}
        changing = {"eta": MUTATION_SPREAD, "prob_var": rate}
        words, switches = ChoiceRandomMutation(prob_var=rate), BFM(prob_var=rate)
        mating = MixedVariableMating(
            selection=TournamentSelection(func_comp=binary_tournament),
            crossover={Binary: UX(), Choice: UX(), Real: SBX(**crossing), Integer: SBX(**crossing, **whole)},
            mutation={Binary: switches, Choice: words, Real: PM(**changing), Integer: PM(**changing, **whole)},
            repair=_Canonical(self.canonical),
            eliminate_duplicates=_NoDuplicates(tried),
        )
        algorithm = MixedVariableGA(
            pop_size=self.population,
            sampling=self._first_population(),
            mating=mating,
            eliminate_duplicates=_NoDuplicates(set()),
            survival=RankAndCrowdingSurvival(),
            output=Output(),
            advance_after_initial_infill=True,  # so that the first points are ranked
        )
        algorithm.tournament_type = "comp_by_rank_and_crowding"
        algorithm.setup(self.problem, seed=self.seed, termination=("n_gen", self.generations + 1))
        return algorithm

    def _first_population(self) -> Any:
        """Return the points to begin with, filled up with random ones that are new."""
        random = np.random.default_rng(self.seed)
        points = dict(list(self.initial.items())[: self.population])
        for _ in range(20 * self.population):
            if len(points) >= self.population:
                break
            point = self.canonical(_plain({name: variable.sample(random_state=random) for name, variable in self.variables.items()}))
            points.setdefault(_key(point), point)
        return Population.new(X=list(points.values()))


def non_dominated(objectives: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows that no other row dominates (at most as much in every objective, less in one), in their order."""
    return np.sort(np.asarray(NonDominatedSorting().do(objectives, only_non_dominated_front=True), np.int64))


def _plain(point: Point) -> dict[str, Any]:
    """Return a point whose values are no longer those of numpy."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in point.items()}
