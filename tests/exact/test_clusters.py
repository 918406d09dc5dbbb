"""Teams and contacts against the exact chain of ``clusters.py``: 20,000 replicates, mean and variance within 4 standard errors."""

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.parameters import base_values, parameter_table
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import ADD, NO_CONTACTS, SHARE
from tests.worlds import batch_of, build_practices, build_world

from .clusters import Cluster, exact

REPLICATES = 20_000
MONTHS = 11  # a tie that has ended is not replaced before the round of month 12
ALWAYS = {"readiness_floor": 1.0, "likeness_effect": 0.0}
PAR = {
    **base_values(),
    **ALWAYS,
    **{"p": 0.02, "q_in": 0.15, "q_out": 0.5, "gamma": 1.3, "beta": 0.4, "d": 0.1, "protection": 0.6, "shield": 0.8, "turnover": 0.03},
    **{"dose_half": 2.0, "dose_power": 1.7, "dilution": 0.6, "shield_half": 0.5, "expertise_full": 0.7, "voluntary_hours": 3.0},
    **{"attrition": 0.2, "contact_hours": 9.0, "contact_lasts": 0.7, "contact_fade": 0.2},
}
STEADY = {**PAR, "protection": 1.0, "turnover": 0.0, "attrition": 0.0, "contact_hours": 1e9}
"""A mentor school that uses the practice whole keeps it, so its mentee's dose is constant."""

CLUSTERS = {
    "a team under a constant dose": Cluster((1, 5), (1, 2), 3, 5.0, 0.0, STEADY, "none"),
    "a team of one": Cluster((1, 4), (1, 3), 1, 9.0, 0.0, STEADY, "none"),
    "the whole staff": Cluster((1, 3), (1, 1), 3, 9.0, 0.0, STEADY, "none"),
    "a pair": Cluster((3, 2), (2, 0), 1, 4.0, 0.0, PAR),
    "a pair that shares attention": Cluster((3, 2), (2, 0), 1, 4.0, 0.0, PAR, "share"),
    "a pair without contacts": Cluster((3, 2), (2, 0), 1, 4.0, 0.0, PAR, "none"),
    "three that meet": Cluster((2, 3, 1), (2, 1, 0), 2, 4.0, 2.0, PAR),
    "three that never meet": Cluster((2, 3, 1), (2, 1, 0), 2, 4.0, 0.0, PAR),
    "three that share attention": Cluster((2, 2, 1), (1, 0, 1), 2, 2.0, 4.0, PAR, "share"),
}
SHORT = dict.fromkeys(CLUSTERS, (1, 3, 6, 10)) | {name: (1, 3, 6) for name in CLUSTERS if name.startswith("three")}


@cache
def simulated(name: str) -> np.ndarray:
    """Return the adopters of the engine in the parts of ``Chain.flat``, (replicates, months, parts)."""
    cluster = CLUSTERS[name]
    mentees = len(cluster.teachers) - 1
    way = PRESETS["bottom_up"].model_copy(
        update={
            **{"recruitment": "assigned", "scope": "country", "mandate": False, "virtual_share": 1.0, "places": mentees, "cascade": 0.0},
            **{"team": cluster.team, "release_hours": cluster.release, "meeting_hours": cluster.meeting, "community": 0.0, "stipend": 0.0},
            **{"mentee_grant": 0.0, "recognition": False, "tie_months": 0, "first_month": 0, "last_month": 100},
        }
    )
    world = build_world(
        cluster.teachers,
        openness=1.0,
        adopters_at_start=list(cluster.start),
        named_role=[MENTOR, *[MENTEE] * mentees],
        named_mentor=[-1, *[0] * mentees],
        contacts={"add": ADD, "share": SHARE, "none": NO_CONTACTS}[cluster.contacts],
    )
    table = parameter_table([cluster.par])
    task = Task(world, build_practices(), table, design_table([way], 0, 100), batch_of(REPLICATES), 1, MONTHS, MONTHS)
    found = run_batch(task, per_school=True)
    adopters, team = found.schools[:, :, 0].astype(int), found.team_adopters[:, :, 0].astype(int)
    team[:, :, 0] = 0
    return np.stack([team, adopters - team], axis=3).reshape(REPLICATES, MONTHS, -1)


@cache
def chain(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    return exact(CLUSTERS[name], max(SHORT[name]) + 1)


def assert_mean(sample: np.ndarray, probability: np.ndarray, values: np.ndarray) -> None:
    mean = probability @ values
    error = math.sqrt(max(0.0, probability @ (values - mean) ** 2) / sample.shape[0])
    assert abs(sample.mean() - mean) <= 4.0 * error + 1e-9


CASES = [(name, month) for name in CLUSTERS for month in SHORT[name]]


@pytest.mark.parametrize(("name", "month"), CASES)
def test_the_mean_and_variance_of_the_adopters_of_each_school_are_the_exact_ones(name, month):
    states, probability = chain(name)[month]
    assert abs(probability.sum() - 1.0) < 1e-9
    sample = simulated(name)[:, month]
    for school in range(states.shape[1] // 2):
        values, drawn = (counts[:, 2 * school : 2 * school + 2].sum(axis=1) for counts in (states, sample))
        assert_mean(drawn, probability, values)
        centre = probability @ values
        assert_mean((drawn - centre) ** 2, probability, (values - centre) ** 2)


@pytest.mark.parametrize("name", [name for name in CLUSTERS if CLUSTERS[name].contacts == "none" and len(CLUSTERS[name].teachers) == 2][:3])
@pytest.mark.parametrize("month", [0, 1, 3, 10])
def test_the_adopters_in_a_team_and_beside_it_are_jointly_as_in_the_exact_chain(name, month):
    # Chi-square over all (k_T, k), those expected fewer than 10 times pooled.
    states, probability = chain(name)[month]
    numbers = {tuple(state): number for number, state in enumerate(states.tolist())}
    observed = np.bincount([numbers[tuple(row)] for row in simulated(name)[:, month].tolist()], minlength=len(states))
    expected = REPLICATES * probability
    rare = expected < 10.0
    observed, expected = (np.append(a[~rare], a[rare].sum()) for a in (observed, expected))
    kept = expected > 0.0
    assert observed[~kept].sum() == 0
    assert kept.sum() < 2 or stats.chisquare(observed[kept], expected[kept] * observed[kept].sum() / expected[kept].sum()).pvalue > 1e-4


def test_a_team_without_effect_and_contacts_changes_nothing_in_distribution():
    nothing = {**PAR, "beta": 0.0, "shield": 0.0}
    with_team = Cluster((3, 5), (2, 2), 3, 5.0, 0.0, nothing, "none")
    alone = Cluster((3, 5), (2, 2), 3, 5.0, 0.0, {**nothing, "attrition": 1.0, "attrition_coordination": 0.0}, "none")
    CLUSTERS["without effect"], CLUSTERS["no tie"] = with_team, alone
    one, other = (simulated(name)[:, 10].sum(axis=1) for name in ("without effect", "no tie"))
    error = math.sqrt((one.var() + other.var()) / REPLICATES)
    assert abs(one.mean() - other.mean()) <= 4.0 * error
    assert stats.ks_2samp(one, other).pvalue > 1e-4
