"""The search finds known fronts by the very path that designs take, and the same points for the same seed."""

import numpy as np
import pytest
from pymoo.core.variable import Binary, Choice, Integer, Real
from pymoo.indicators.igd import IGD
from pymoo.problems import get_problem

from school_mentoring.experiments.search.evolve import evolve, non_dominated


def searched(variables, worth, *, objectives=2, constraints=0, generations=60, **options):
    """Return the points and objectives of every point that a search evaluated."""
    points, goals = [], []

    def evaluate(_, asked):
        points.extend(asked)
        found = worth(asked)
        goals.append(found[0])
        return found

    list(evolve(variables, evaluate, objectives=objectives, constraints=constraints, generations=generations, **options))
    return points, np.vstack(goals)


@pytest.mark.parametrize(
    ("name", "size", "options", "near"), [("zdt1", 10, {}, 0.01), ("zdt3", 10, {}, 0.01), ("dtlz2", 7, {"n_obj": 3}, 0.04)]
)
def test_the_front_of_a_published_problem_is_found(name, size, options, near):
    """Mean distance of the true front to the points found (IGD): 0.004 to 0.02 when written; as many random points have 0.10 and more."""
    problem = get_problem(name, n_var=size, **options)
    variables = {f"x{k:02d}": Real(bounds=(0.0, 1.0)) for k in range(size)}

    def worth(points):
        values = problem.evaluate(np.array([[point[name] for name in variables] for point in points]))
        return values, np.zeros((len(points), 0))

    _, goals = searched(variables, worth, objectives=problem.n_obj)
    distance = IGD(problem.pareto_front())
    assert distance(goals[non_dominated(goals)]) < near
    rng = np.random.default_rng(1)
    assert distance(problem.evaluate(rng.random((6000, size)))) > 2 * near


VARIABLES = {"x": Real(bounds=(0.0, 10.0)), "n": Integer(bounds=(0, 9)), "on": Binary(), "word": Choice(options=["a", "b", "c"])}


def mixed(points):
    """Cost and loss; only n, on and the word b lower the loss, and x above 2 breaks the constraint."""
    cost = [point["n"] + point["on"] + point["x"] for point in points]
    loss = [12 - point["n"] - 2 * point["on"] - (point["word"] == "b") + point["x"] for point in points]
    return np.column_stack([cost, loss]).astype(float), np.array([[point["x"] - 2.0] for point in points])


def test_variables_of_all_kinds_reach_their_front():
    """The front: x = 0, the word b, and first the switch (2 for 1), then n: costs 0 to 10 with losses 11 and 9 to 0."""
    points, goals = searched(VARIABLES, mixed, constraints=1, generations=40, population=40)
    front = {(round(cost), round(loss)) for cost, loss in goals[non_dominated(np.round(goals))]}
    assert front == {(0, 11), *((cost, 10 - cost) for cost in range(1, 11))}
    assert {type(point["on"]) for point in points} == {bool}
    assert {type(point["n"]) for point in points} <= {int, float}


def test_the_same_seed_tries_the_same_points_and_another_seed_others():
    def tried(seed):
        return searched(VARIABLES, mixed, constraints=1, generations=5, population=12, seed=seed)[0]

    assert tried(3) == tried(3)
    assert tried(3) != tried(4)


def test_points_that_mean_the_same_are_tried_once():
    def canonical(point):
        return {**point, "x": float(round(point["x"])), "n": 0, "word": "a"}

    points, _ = searched(VARIABLES, mixed, constraints=1, generations=30, population=8, canonical=canonical)
    keys = [tuple(point.values()) for point in points]
    assert len(keys) == len(set(keys)) <= 22  # 11 values of x, on or off
    assert all(point == canonical(point) for point in points)


def test_the_initial_points_are_tried_first():
    first = {"x": 1.0, "n": 4, "on": True, "word": "c"}
    points, _ = searched(VARIABLES, mixed, constraints=1, generations=1, population=6, initial=[first])
    assert points[0] == first
    assert len(points) == 6
