"""Small worlds, designs and parameter sets for tests: built by hand from arrays, or drawn at random by hypothesis.

Random cases are drawn by a NumPy generator from a seed that hypothesis chooses, with the knobs that lead to edge cases (network density,
equal attributes, places, windows) chosen by hypothesis itself: fast enough for worlds of 40 schools, and shrinking towards small ones.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from school_mentoring.experiments.validation.runs import batch_of, build_practices, build_world, complete
from school_mentoring.model.designs import CHOICES, FIELDS, PRESETS, Design, design_table
from school_mentoring.model.engine import Batch, Task
from school_mentoring.model.parameters import PARAMETERS, parameter_table
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import ADD, NO_CONTACTS, SHARE, Practices, World

__all__ = [
    "Case",
    "batch_of",
    "build_practices",
    "build_world",
    "cases",
    "complete",
    "design",
    "drawn_case",
    "parameter_record",
    "random_design",
    "random_parameters",
    "source_of",
]

LONGEST = 50
"""The longest random horizon in months: four school years, so three rounds of recruitment and more."""


def design(base: str = "none", **changes: object) -> Design:
    """Return a preset with some of its fields changed."""
    return Design.model_validate({**PRESETS[base].model_dump(), **changes})


def parameter_record(values: Mapping[str, float] | None = None) -> np.record:
    """Return one parameter set, absent names at base, as the record that rules read."""
    return parameter_table([values or {}]).view(np.recarray)[0]


# --- at random -------------------------------------------------------------------------------------------------------


def source_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a compiled function as plain Python; where nothing is compiled (NUMBA_DISABLE_JIT=1) it is that already."""
    return getattr(function, "py_func", function)


class Case(NamedTuple):
    """Everything that ``run_batch`` takes: a world, practices, designs, parameter sets and which runs to make.

    ``factors``: on the salaries of each country under each parameter set.
    """

    world: World
    practices: Practices
    designs: list[Design]
    parameters: list[dict[str, float]]
    batch: Batch
    seed: int
    months: int
    end_of_funding: int
    window: tuple[int, int]
    factors: np.ndarray

    def __repr__(self) -> str:
        n, units = self.world.teachers.size, (self.world.region_country.size, self.world.salary.size)
        return f"<{n} schools, {units} regions and countries, {self.practices.weight.size} practices, {self.months} months, {self.designs}>"

    def task(self, batch: Batch | None = None) -> Task:
        """Return what ``run_batch`` makes the runs from, or those of another batch."""
        tables = parameter_table(self.parameters), design_table(self.designs, *self.window)
        return Task(self.world, self.practices, *tables, batch or self.batch, self.seed, self.months, self.end_of_funding, self.factors)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from low..high, both ends often."""
    ends = rng.random()
    return float(low if ends < 0.1 else high if ends < 0.2 else rng.uniform(low, high))


def random_parameters(rng: np.random.Generator, wild: float) -> dict[str, float]:
    """Draw a parameter set: each value from its plausible range, or with chance ``wild`` from all that the equations allow."""
    values = {}
    for name, p in PARAMETERS.items():
        low, high = (p.minimum, p.maximum) if rng.random() < wild else (p.low, p.high)
        value = _between(rng, low, high)
        values[name] = float(round(value)) if p.distribution == "integer" else value
    return values


def _design_fields(rng: np.random.Generator, wild: float, months: int) -> dict[str, object]:
    """Draw every field of a design from its allowed range, mostly from the range that makes sense."""

    def number(name: str) -> float:
        field = FIELDS[name]
        low, high = (field.minimum, field.maximum) if rng.random() < wild else (field.low, field.high)
        return _between(rng, low, high)

    fields: dict[str, object] = {name: str(rng.choice(words)) for name, words in CHOICES.items()}
    fields["recruitment"] = str(rng.choice(CHOICES["recruitment"], p=[0.1, 0.45, 0.45]))
    for name in ("virtual_share", "fte", "stipend", "release_hours", "mentee_grant", "cascade", "reserve"):
        fields[name] = number(name)
    for name in ("meeting_hours", "community"):
        fields[name] = number(name) if rng.random() < 0.7 else 0.0
    for name in ("mandate", "recognition", "supply_cover", "community_after"):
        fields[name] = bool(rng.random() < 0.5)
    fields["team"] = round(number("team"))
    fields["tie_months"] = int(rng.choice([0, 12, 24, 7], p=[0.5, 0.3, 0.15, 0.05]))
    fields["outreach"] = number("outreach") if rng.random() < 0.5 else 0.0
    fields["mentor_share"] = None if rng.random() < 0.4 else number("mentor_share")
    fields["places"] = int(rng.integers(1, 5)) if rng.random() < 0.7 else round(number("places"))
    # Windows: the scenario's own; inside the horizon; from the start; after it; over its end; empty.
    kind = rng.random()
    first, last = sorted(int(m) for m in rng.integers(0, months + 1, 2))
    fields["first_month"], fields["last_month"] = first, last
    if kind < 0.3:
        fields["first_month"] = fields["last_month"] = None
    elif kind < 0.6:
        fields["first_month"], fields["last_month"] = int(rng.integers(0, 4)), int(rng.integers(4, months + 10))
    elif kind < 0.65:
        fields["first_month"], fields["last_month"] = months + int(rng.integers(0, 100)), 1200
    elif kind < 0.8:
        fields["last_month"] = months + int(rng.integers(0, 500))
    elif kind < 0.85:
        fields["last_month"] = first
    return fields


def random_design(rng: np.random.Generator, wild: float, months: int) -> Design:
    """Draw a design: any mix of fields, now and then a preset."""
    if rng.random() < 0.15:
        return PRESETS[str(rng.choice(list(PRESETS)))]
    return Design.model_validate(_design_fields(rng, wild, months))


def _weights(rng: np.random.Generator, n: int, density: float, equal: bool) -> NDArray[np.float64]:
    """Draw a symmetric network, some schools of which have no peers."""
    present = np.triu(rng.random((n, n)) < density, 1)
    isolated = rng.random(n) < 0.15
    present[isolated] = False
    present[:, isolated] = False
    weight = np.where(present, 1.0 if equal else rng.uniform(0.05, 1.0, (n, n)), 0.0)
    return weight + weight.T


def _world(rng: np.random.Generator, n: int, countries: int, regions: int, practices: int, knobs: Mapping[str, object]) -> World:
    region_country = np.concatenate([np.arange(countries), rng.integers(0, countries, max(0, regions - countries))])
    coarse = 1 if knobs["equal_schools"] else 6  # few distinct values make ties in every comparison
    teachers = np.where(rng.random(n) < knobs["big"], rng.integers(1, 1001, n), rng.integers(1, 30, n))
    start = np.full((practices, n), -1)
    given = rng.random((practices, n)) < knobs["given_start"]
    start[given] = np.floor(rng.random((practices, n)) * (teachers + 1))[given]
    role, mentor = np.zeros(n, int), np.full(n, -1)
    if knobs["named"]:
        role = rng.choice([0, MENTOR, MENTEE], n, p=[0.3, 0.3, 0.4])
        mentors = np.flatnonzero(role == MENTOR)
        if mentors.size:
            mentor = np.where((role == MENTEE) & (rng.random(n) < 0.6), rng.choice(mentors, n), -1)
    return build_world(
        teachers,
        weights=_weights(rng, n, knobs["density"], bool(knobs["equal_schools"])),
        region=rng.integers(0, region_country.size, n),
        region_country=region_country,
        x=np.round(rng.uniform(0, 120, n), 3 if coarse == 6 else -1),
        y=np.round(rng.uniform(0, 120, n), 3 if coarse == 6 else -1),
        traits=rng.integers(0, 8, n),
        pupils=teachers * rng.integers(5, 25, n),
        capacity=np.round(rng.beta(4, 4, n), coarse),
        openness=np.round(rng.random(n), coarse),
        adopters_at_start=start,
        practices=practices,
        named_role=role,
        named_mentor=mentor,
        salary=rng.uniform(5000, 90000, countries),
        taught_hours=rng.uniform(400, 1000, countries),
        working_hours=rng.uniform(1200, 2000, countries),
        contacts=int(rng.choice([ADD, SHARE, NO_CONTACTS], p=[0.6, 0.25, 0.15])),
        whole_staff=bool(rng.random() < 0.2),
        fading=bool(rng.random() < 0.3),
        likeness=rng.integers(0, 8, n) if knobs["own_likeness"] else None,
        sequential=bool(knobs["sequential"]),
    )


@st.composite
def cases(
    draw: st.DrawFn,
    max_schools: int = 40,
    runs: int = 3,
    wild: float | None = None,
    longest: int = LONGEST,
    sequential: bool = False,
) -> Case:
    """Draw a world, three designs, two parameter sets and a batch of runs over them."""
    n = draw(st.integers(1, max_schools))
    countries = draw(st.integers(1, 3))
    regions = draw(st.integers(countries, 5))
    practices = draw(st.integers(1, 3))
    months = draw(st.one_of(st.integers(1, longest), st.integers(longest // 2, longest)))
    extreme = draw(st.sampled_from([0.0, 0.05, 0.3])) if wild is None else wild
    knobs = {
        "density": draw(st.sampled_from([0.15, 0.0, 0.5, 1.0])),
        "equal_schools": draw(st.booleans()),
        "big": draw(st.sampled_from([0.0, 0.1, 1.0])),
        "given_start": draw(st.sampled_from([0.0, 0.3, 1.0])),
        "named": draw(st.booleans()),
        "own_likeness": draw(st.booleans()),
        "sequential": sequential,
    }
    seed = draw(st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 2**32, 2**64 - 1])))
    replicate = draw(st.sampled_from([0, 1, 2**32 - 1]))
    return _case(draw(st.integers(0, 2**32 - 1)), n, countries, regions, practices, months, extreme, knobs, seed, replicate, runs)


def drawn_case(
    entropy: int,
    *,
    n: int,
    countries: int = 1,
    regions: int = 1,
    practices: int = 1,
    months: int = 20,
    wild: float = 0.05,
    density: float = 0.3,
    named: bool = False,
    sequential: bool = False,
    runs: int = 3,
) -> Case:
    """Return the case of a number, where hypothesis is not there to choose one."""
    knobs = {"density": density, "equal_schools": entropy % 3 == 0, "big": 0.1, "given_start": 0.3, "named": named}
    knobs |= {"own_likeness": entropy % 2 == 0, "sequential": sequential}
    return _case(entropy, n, countries, regions, practices, months, wild, knobs, 2**63 + entropy, 1, runs)


def _case(
    entropy: int,
    n: int,
    countries: int,
    regions: int,
    practices: int,
    months: int,
    wild: float,
    knobs: Mapping[str, object],
    seed: int,
    replicate: int,
    runs: int,
) -> Case:
    """Return the case that these choices name; ``cases`` makes the choices."""
    rng = np.random.default_rng(entropy)
    world = _world(rng, n, countries, regions, practices, knobs)
    own_start = np.where(rng.random(practices) < 0.5, rng.random(practices), -1.0)
    ways = Practices(rng.uniform(0.5, 2.0, practices), rng.dirichlet(np.ones(practices)), own_start)
    first = int(rng.integers(0, 8))
    return Case(
        world=world,
        practices=ways,
        designs=[random_design(rng, wild, months) for _ in range(3)],
        parameters=[random_parameters(rng, wild) for _ in range(2)],
        batch=Batch(
            rng.integers(0, 3, runs).astype(np.int64),
            rng.integers(0, 2, runs).astype(np.int64),
            np.where(rng.random(runs) < 0.5, replicate, rng.integers(0, 1000, runs)).astype(np.int64),
        ),
        seed=seed,
        months=months,
        end_of_funding=int(rng.integers(0, months + 5)),
        window=(first, first + int(rng.integers(1, 40))),
        factors=rng.uniform(0.5, 2.0, (2, countries)),
    )
