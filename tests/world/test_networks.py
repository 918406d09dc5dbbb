"""Peer networks: the right distribution by either way of drawing, symmetric rows, no trap in degenerate inputs."""

import hashlib
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import base_values
from school_mentoring.model.world.countries import COUNTRIES, PILOT
from school_mentoring.model.world.network import Peers, generate_peers, generate_world, make_world, peers_from_ties
from school_mentoring.model.world.own_ties import graph_ties, read_ties
from school_mentoring.model.world.schools import Schools, generate_schools
from school_mentoring.model.world.spatial_homophily import draw_partners

ITALY, CZECHIA = COUNTRIES["IT"], COUNTRIES["CZ"]
BY_GRID = 0
"""A threshold that sends every country through the grid."""


def population(per_region: int, regions: int = 1, **changed: float) -> Schools:
    return generate_schools([ITALY], [regions], per_region, base_values() | changed, seed=5, index=0)


def rows(peers: Peers) -> list[list[int]]:
    return [peers.peer[a:b].tolist() for a, b in zip(peers.peer_start[:-1], peers.peer_start[1:], strict=True)]


def costs(schools: Schools, parameters: dict[str, float]) -> np.ndarray:
    """Return -log chance of each ordered pair, inf on the diagonal: the model's formula, written out."""
    distance = np.sqrt((schools.x[:, None] - schools.x) ** 2 + (schools.y[:, None] - schools.y) ** 2)
    unlikeness = np.bitwise_count(schools.traits[:, None] ^ schools.traits)
    cost = distance / parameters["peer_distance"] + parameters["homophily"] * unlikeness
    np.fill_diagonal(cost, np.inf)
    return cost


def standard_score(observed: np.ndarray, expected: np.ndarray) -> float:
    """Return (chi-square - its mean) / its standard deviation, summed over the rows of two tables of counts.

    A row is a multinomial of its own; its columns that expect fewer than 5 are merged with the smallest of the others.
    """
    statistic, freedom = 0.0, 0
    for counts, means in zip(observed, expected, strict=True):
        order = np.argsort(-means)
        alone = max(int((means >= 5).sum()) - 1, 0)
        seen, due = (np.append(table[order][:alone], table[order][alone:].sum()) for table in (counts, means))
        statistic += float(((seen - due) ** 2 / due).sum())
        freedom += len(due) - 1
    return (statistic - freedom) / np.sqrt(2 * freedom)


@pytest.mark.parametrize("threshold", [256, BY_GRID], ids=["direct", "grid"])
@pytest.mark.parametrize("peer_distance", [0.1, 3.0, 20.0, 5000.0])
def test_partners_follow_the_chances_of_the_model(threshold: int, peer_distance: float) -> None:
    """First and second partner of 120 schools in 2,000 worlds against the exact chances, within 4 standard errors.

    At 0.1 km most schools of the grid use up their attempts, so this also holds the list that they fall back on.
    """
    parameters = base_values() | {"peer_degree": 4.0, "peer_distance": peer_distance, "homophily": 0.7}
    schools, worlds = population(120), 2000
    n = len(schools)
    drawn = np.zeros((2, n, n))
    for index in range(worlds):
        _, partner = draw_partners(schools, parameters, 5, index, direct_up_to=threshold)
        for slot in range(2):
            drawn[slot, np.arange(n), partner[slot::2]] += 1
    cost = costs(schools, parameters)
    chance = np.exp(cost.min(axis=1, keepdims=True) - cost)
    first = chance / chance.sum(axis=1, keepdims=True)
    second = np.zeros((n, n))
    for j in range(n):  # the chance of k once j is gone
        left = np.exp(np.delete(cost, j, axis=1).min(axis=1, keepdims=True) - cost)
        left[:, j] = 0.0
        second += first[:, j : j + 1] * left / left.sum(axis=1, keepdims=True)
    assert abs(standard_score(drawn[0], worlds * first)) < 4
    assert abs(standard_score(drawn[1], worlds * second)) < 4


@pytest.mark.parametrize("threshold", [256, BY_GRID], ids=["direct", "grid"])
def test_network_is_symmetric_sorted_and_inside_countries(threshold: int) -> None:
    schools = generate_schools([ITALY, CZECHIA], [2, 1], 60, base_values(), 1, 0)
    peers = generate_peers(schools, base_values(), 1, 0, direct_up_to=threshold)
    row = np.repeat(np.arange(len(schools)), np.diff(peers.peer_start))
    assert np.all(row != peers.peer)
    assert np.all(schools.country[row] == schools.country[peers.peer])
    assert set(zip(row, peers.peer, strict=True)) == set(zip(peers.peer, row, strict=True))
    assert all(row == sorted(set(row)) for row in rows(peers))
    assert peers.peer_start.dtype == np.int64
    assert peers.peer.dtype == np.int32


@pytest.mark.parametrize("threshold", [256, BY_GRID], ids=["direct", "grid"])
@pytest.mark.parametrize(("degree", "usual"), [(3.0, (3, 3)), (8.0, (8, 8)), (30.5, (30.5, 9)), (1000.0, (119, 9))])
def test_a_school_with_fewer_peers_than_usual_sees_less_of_them(threshold: int, degree: float, usual: tuple[float, float]) -> None:
    """A peer weighs 1 / (number of peers), or 1 / peer_degree where they are fewer; nobody can have more than the rest of its country.

    Italy has 120 schools, Czechia 10.
    """
    schools = generate_schools([ITALY, CZECHIA], [12, 1], 10, base_values(), 1, 0)
    peers = generate_peers(schools, base_values() | {"peer_degree": degree}, 1, 0, direct_up_to=threshold)
    count = np.diff(peers.peer_start)
    for school, (a, b) in enumerate(zip(peers.peer_start[:-1], peers.peer_start[1:], strict=True)):
        expected = 1.0 / max(int(count[school]), usual[schools.country[school]])
        assert peers.full_weights()[a:b] == pytest.approx(expected, rel=1e-15)
    if degree <= 8.0:  # both kinds of school are there
        assert count.min() < degree < count.max()


@pytest.mark.parametrize("degree", [3.0, 8.0])
def test_mean_degree_is_peer_degree_less_mutual_draws(degree: float) -> None:
    """Draws number degree / 2 per school within 4 standard errors (u adds 1/2 at most); each mutual pair costs one tie."""
    schools = population(2000)
    start, partner = draw_partners(schools, base_values() | {"peer_degree": degree}, 1, 0)
    n = len(schools)
    assert abs(len(partner) / n - degree / 2) <= 4 * 0.5 / np.sqrt(n) * (degree % 2)
    row = np.repeat(np.arange(n), np.diff(start))
    pairs = set(zip(row.tolist(), partner.tolist(), strict=True))
    mutual = sum((j, i) in pairs for i, j in pairs) / 2
    peers = generate_peers(schools, base_values() | {"peer_degree": degree}, 1, 0)
    assert len(peers.peer) / n == 2 * (len(partner) - mutual) / n
    assert 0.97 * degree < len(peers.peer) / n <= degree + 0.05


def test_homophily_and_distance_shape_the_network() -> None:
    schools = population(400, regions=4)

    def means(**changed: float) -> tuple[float, float]:
        peers = generate_peers(schools, base_values() | changed, 1, 0)
        row = np.repeat(np.arange(len(schools)), np.diff(peers.peer_start))
        distance = np.hypot(schools.x[row] - schools.x[peers.peer], schools.y[row] - schools.y[peers.peer])
        return float(distance.mean()), float(np.bitwise_count(schools.traits[row] ^ schools.traits[peers.peer]).mean())

    near, far = means(peer_distance=5.0)[0], means(peer_distance=60.0)[0]
    mixed, alike = means(homophily=0.0, peer_distance=5000.0)[1], means(homophily=1.5, peer_distance=5000.0)[1]
    shares = [(schools.traits & bit > 0).mean() for bit in (1, 2, 4)]
    blind = sum(2 * share * (1 - share) for share in shares)  # the mean unlikeness of two schools drawn at random
    assert near < far / 2
    assert mixed == pytest.approx(blind, abs=0.05)  # 6,400 ties: 5 standard errors of 0.01
    assert alike < mixed / 2


def test_networks_depend_on_seed_and_index_alone() -> None:
    schools = population(300)
    first = generate_peers(schools, base_values(), 1, 0)
    assert all(np.array_equal(a, b) for a, b in zip(first, generate_peers(schools, base_values(), 1, 0), strict=True))
    assert rows(first) != rows(generate_peers(schools, base_values(), 1, 1))
    assert rows(first) != rows(generate_peers(schools, base_values(), 2, 0))


def test_a_country_keeps_its_partners_whatever_the_other_countries() -> None:
    alone = generate_schools([ITALY], [2], 40, base_values(), 1, 0)
    both = generate_schools([ITALY, CZECHIA], [2, 2], 40, base_values(), 1, 0)
    both = replace(both, **{name: np.append(getattr(alone, name), getattr(both, name)[80:]) for name in ("x", "y", "traits")})
    assert rows(generate_peers(alone, base_values(), 1, 0)) == rows(generate_peers(both, base_values(), 1, 0))[:80]


@pytest.mark.parametrize("threshold", [256, BY_GRID], ids=["direct", "grid"])
class TestDegenerateInputs:
    """Inputs at the edge of what the parameters allow neither hang nor divide by zero."""

    def test_a_lone_school_has_no_peer(self, threshold: int) -> None:
        peers = generate_peers(population(1), base_values(), 1, 0, direct_up_to=threshold)
        assert peers.peer_start.tolist() == [0, 0]

    def test_two_schools_are_each_others_peer(self, threshold: int) -> None:
        assert rows(generate_peers(population(2), base_values(), 1, 0, direct_up_to=threshold)) == [[1], [0]]

    def test_degree_zero_gives_no_tie(self, threshold: int) -> None:
        peers = generate_peers(population(50), base_values() | {"peer_degree": 0.0}, 1, 0, direct_up_to=threshold)
        assert len(peers.peer) == 0

    def test_degree_beyond_the_country_ties_all(self, threshold: int) -> None:
        peers = generate_peers(population(40), base_values() | {"peer_degree": 1000.0}, 1, 0, direct_up_to=threshold)
        assert np.all(np.diff(peers.peer_start) == 39)

    def test_schools_at_one_point_draw_freely(self, threshold: int) -> None:
        schools = population(300)
        schools = replace(schools, x=np.zeros(300), y=np.zeros(300))
        peers = generate_peers(schools, base_values(), 1, 0, direct_up_to=threshold)
        assert 7.5 < len(peers.peer) / 300 <= 8.0

    def test_schools_on_a_line_are_drawn(self, threshold: int) -> None:
        schools = population(300)
        peers = generate_peers(replace(schools, y=np.zeros(300)), base_values(), 1, 0, direct_up_to=threshold)
        assert 7.0 < len(peers.peer) / 300 <= 8.0

    def test_a_tiny_distance_ties_the_nearest(self, threshold: int) -> None:
        """Schools 100 km apart and more, peer_distance 0.1 km: every chance underflows, the nearest is all but certain."""
        x = np.cumsum(100.0 + np.arange(300.0))
        schools = replace(population(300), x=x, y=np.zeros(300))
        parameters = base_values() | {"peer_degree": 2.0, "peer_distance": 0.1}
        _, partner = draw_partners(schools, parameters, 1, 0, direct_up_to=threshold)
        assert partner.tolist() == [1, *range(299)]  # the gap to the left is the smaller one


def test_rows_of_given_ties_are_weighted_and_normalised() -> None:
    source, target = np.array([2, 0, 1], np.int32), np.array([0, 1, 2], np.int32)
    peers = peers_from_ties(4, source, target, np.array([1.0, 3.0, 4.0]))
    assert rows(peers) == [[1, 2], [0, 2], [0, 1], []]
    assert peers.full_weights().tolist() == [3 / 4, 1 / 4, 3 / 7, 4 / 7, 1 / 5, 4 / 5]
    assert peers_from_ties(3, source, target).full_weights().tolist() == [0.5] * 6
    nothing = np.empty(0, np.int32)
    assert peers_from_ties(2, nothing, nothing).peer_start.tolist() == [0, 0, 0]


def test_world_joins_the_table_and_the_network() -> None:
    world, schools = generate_world([ITALY, CZECHIA], [2, 1], 5, base_values(), 3, 0, practices=2)
    assert [world.by_region[a:b].tolist() for a, b in zip(world.region_start[:-1], world.region_start[1:], strict=True)] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
        [10, 11, 12, 13, 14],
    ]
    assert world.region_country.tolist() == [0, 0, 1]
    assert world.capacity[np.argsort(world.capacity_rank)].tolist() == sorted(world.capacity, reverse=True)
    assert world.salary.tolist() == [ITALY.teacher_salary_eur_per_year, CZECHIA.teacher_salary_eur_per_year]
    assert world.adopters_at_start.shape == (2, 15)
    dtypes = {
        "country": "i4",
        "by_region": "i4",
        "region_start": "i8",
        "traits": "u1",
        "teachers": "i4",
        "capacity_rank": "i4",
        "named_role": "i1",
    }
    assert {name: np.dtype(code) for name, code in dtypes.items()} == {name: getattr(world, name).dtype for name in dtypes}
    assert make_world(schools, peers_from_ties(15, *2 * (np.empty(0, np.int32),)), [1.0, 2.0]).salary.tolist() == [1.0, 2.0]


def test_equal_capacities_rank_by_position() -> None:
    schools = replace(population(4), capacity=np.array([0.5, 0.9, 0.5, 0.9]))
    assert make_world(schools, generate_peers(schools, base_values(), 1, 0)).capacity_rank.tolist() == [2, 0, 3, 1]


def test_the_base_world_stays_what_it_is() -> None:
    """A baseline: a changed digest means that every study changes; change it on purpose and say why."""
    world, _ = generate_world([COUNTRIES[code] for code in PILOT], [4] * 6, 20, base_values(), 1, 0)
    columns = world._asdict()
    assert np.array_equal(columns.pop("likeness"), world.traits)
    assert columns.pop("sequential") is False
    columns["weight"] = Peers(world.peer_start, world.peer, columns.pop("row_weight"), world.weight).full_weights()
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(column).tobytes() for column in columns.values())).hexdigest()
    assert digest[:16] == "493e466c4751e51a"


def test_a_graph_is_read_as_the_ties_that_it_holds(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_weighted_edges_from([("IT-1-1", "IT-1-2", 8.0), ("IT-1-2", "IT-1-3", 2.0), ("IT-1-1", "IT-1-3", 1.0)])
    nx.write_graphml(graph, tmp_path / "world.graphml")
    schools = population(4)
    for ties in (graph_ties(graph, schools), read_ties(tmp_path / "world.graphml", schools)):
        assert dict(zip(zip(ties.source, ties.target, strict=True), ties.weight, strict=True)) == {(0, 1): 8.0, (1, 2): 2.0, (0, 2): 1.0}


@pytest.mark.parametrize(
    ("edge", "message"),
    [
        (("IT-1-1", "IT-1-9", {}), "graph, node IT-1-9: no school has this school_id; did you mean 'IT-1-4'?"),
        (("IT-1-1", "IT-1-1", {}), "graph, edge IT-1-1 - IT-1-1: a school is tied to itself; a tie joins two schools"),
        (("IT-1-1", "IT-1-2", {"weight": -1.0}), "graph, edge IT-1-1 - IT-1-2: found weight -1.0; give a number above 0"),
    ],
)
def test_graphs_that_make_no_sense_are_refused(edge: tuple[str, str, dict[str, float]], message: str) -> None:
    graph = nx.Graph([edge])
    with pytest.raises(InputError) as error:
        graph_ties(graph, population(4))
    assert str(error.value) == message


@pytest.mark.parametrize("content", ["", "no xml", "<graphml/>"])
def test_files_that_are_no_graphml_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.graphml").write_text(content)
    with pytest.raises(InputError, match=r"^bad.graphml: is not a GraphML graph"):
        read_ties(tmp_path / "bad.graphml", population(4))


def test_a_missing_graphml_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_ties(tmp_path / "none.graphml", population(4))
