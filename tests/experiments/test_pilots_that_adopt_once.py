"""Pilots of other shapes than the default one are read as they were made: schools that adopt once, by years or by steps."""

import numpy as np
import pytest

from school_mentoring.experiments.pilot_data.observations import Observations, read_observations
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.world.network import Peers
from tests.pilots import Pilot, adoption_years, many_nodes


def read(pilot: Pilot) -> tuple[Observations, object]:
    _, schools = Worlds(pilot.scenario).get(pilot.scenario.base_parameters(), 0)
    return read_observations(pilot.observations, schools, start=pilot.start, end=pilot.end), schools


@pytest.fixture(scope="module")
def years(tmp_path_factory) -> Pilot:
    return adoption_years(tmp_path_factory.mktemp("years"))


@pytest.fixture(scope="module", params=[500, 1000])
def nodes(request, tmp_path_factory) -> Pilot:
    return many_nodes(tmp_path_factory.mktemp("nodes"), request.param)


def test_years_of_38_schools_hold_the_months_in_which_they_adopted(years):
    seen, schools = read(years)
    assert (seen.kind, len(schools), seen.synthetic) == ("times", 38, True)
    assert (schools.teachers == 1).all()
    frame = seen.frame
    month = years.months[frame["school"]]
    adopted = month >= 0
    assert (frame["earliest"][adopted] <= month[adopted]).all()
    assert (month[adopted] <= frame["latest"][adopted]).all()
    assert (frame["latest"] - frame["earliest"])[month > 0].eq(11).all()
    assert frame.loc[~adopted, "earliest"].eq(72).all()
    assert seen.end == 71
    assert seen.waves == (0, 11, 23, 35, 47, 59, 71)
    assert 5 <= adopted.sum() <= 37


def test_a_pilot_of_many_nodes_is_seen_step_by_step(nodes):
    seen, schools = read(nodes)
    frame = seen.frame
    month = nodes.months[frame["school"]]
    assert len(frame) == len(schools) in (500, 1000)
    assert np.array_equal(frame["adoption_time"].fillna(-1).to_numpy(), month)
    assert (month == 0).sum() == 5
    assert frame.loc[month < 0, "earliest"].eq(11).all()
    assert seen.waves == tuple(range(11))
    assert 0.2 < (month >= 0).mean() < 0.99


def test_the_times_that_are_read_are_those_of_a_bass_contagion_with_the_truth(nodes):
    """A school without the practice at a step has it at the next with chance 1 - (1 - p)(1 - q_out E), E the share of peers with it.

    Takers less chances over their standard deviation: within 4, in all and where E > 0; beyond 3 with peers as they are a step later.
    """
    seen, _ = read(nodes)
    world, _ = Worlds(nodes.scenario).get(nodes.scenario.base_parameters(), 0)
    earliest = seen.frame.sort_values("school")["earliest"].to_numpy()
    row = np.repeat(np.arange(len(earliest)), np.diff(world.peer_start))
    ties = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()

    def score(late: int, *, only_exposed: bool) -> float:
        excess = variance = 0.0
        for step in range(1, 10):
            has = earliest <= step
            exposure = np.bincount(row, weights=ties * (earliest <= step - late)[world.peer], minlength=len(has))
            chance = 1.0 - (1.0 - nodes.truth["p"]) * (1.0 - nodes.truth["q_out"] * exposure)
            asked = ~has & (exposure > 0) if only_exposed else ~has
            excess += (earliest[asked] == step + 1).sum() - chance[asked].sum()
            variance += (chance * (1.0 - chance))[asked].sum()
        return float(excess / np.sqrt(variance))

    assert abs(score(0, only_exposed=False)) < 4
    assert abs(score(0, only_exposed=True)) < 4
    assert abs(score(-1, only_exposed=False)) > 3
