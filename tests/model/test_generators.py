"""The other generators of peer networks: the ties of the model's own, tied otherwise; and the measures of likeness."""

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest

from school_mentoring.model.parameters import base_values
from school_mentoring.model.world.countries import COUNTRIES
from school_mentoring.model.world.likeness import likeness_bits
from school_mentoring.model.world.network import generate_peers
from school_mentoring.model.world.peers import REWIRED, draw
from school_mentoring.model.world.schools import generate_schools
from school_mentoring.model.world.spatial_homophily import draw_partners, start_of_draws
from school_mentoring.model.world.structure import STRUCTURE, Contacts, Likeness, Mentored, Network, OnlineHours, Structure, Update

ITALY, CZECHIA = COUNTRIES["IT"], COUNTRIES["CZ"]
OTHERS = ["configuration", "small_world", "nearest"]
PARAMETERS = base_values()


def population(per_region=20, index=0):
    return generate_schools([ITALY, CZECHIA], [4, 4], per_region, PARAMETERS, 1, index)


def peers_of(network, schools, index=0, **changed):
    return generate_peers(schools, PARAMETERS | changed, 1, index, Structure(network))


def ties(peers):
    """Return the set of (row, column) of a network."""
    return set(zip(np.repeat(np.arange(len(peers.peer_start) - 1), np.diff(peers.peer_start)).tolist(), peers.peer.tolist(), strict=True))


def distances(schools, pairs):
    i, j = np.array(sorted(pairs)).T
    return np.hypot(schools.x[i] - schools.x[j], schools.y[i] - schools.y[j])


def test_the_words_of_each_choice_are_those_of_its_type_and_the_first_is_the_default():
    for field, words in zip(STRUCTURE, (Network, Update, Likeness, Contacts, Mentored, OnlineHours), strict=True):
        assert tuple(STRUCTURE[field]) == get_args(words)
        assert getattr(Structure(), field) == next(iter(STRUCTURE[field]))
    assert tuple(STRUCTURE) == Structure._fields


@pytest.mark.parametrize("network", OTHERS)
def test_rows_are_sorted_symmetric_without_loops_and_within_a_country(network):
    schools = population()
    peers = peers_of(network, schools)
    assert peers.peer.dtype == np.int32 and peers.peer_start.dtype == np.int64
    found = ties(peers)
    assert len(found) == len(peers.peer)
    assert all((j, i) in found and i != j and schools.country[i] == schools.country[j] for i, j in found)
    assert all((np.diff(peers.peer[a:b]) > 0).all() for a, b in pairwise(peers.peer_start.tolist()))


@pytest.mark.parametrize("network", OTHERS)
def test_a_network_is_a_function_of_seed_and_index(network):
    schools = population()
    assert ties(peers_of(network, schools)) == ties(peers_of(network, schools))
    assert ties(peers_of(network, schools)) != ties(peers_of(network, schools, index=1))


def test_a_configuration_has_the_degrees_of_the_models_own_network_and_hardly_a_tie_of_it():
    schools = population(60)
    own, other = peers_of("spatial_homophily", schools), peers_of("configuration", schools)
    assert np.array_equal(own.peer_start, other.peer_start)
    assert np.array_equal(own.row_weight, other.row_weight)
    # A random tie is one of the old ones with chance mean degree / schools of the country, 7.8 / 240; 4 standard errors.
    pairs = len(other.peer) / 2
    chance = len(own.peer) / len(schools) / 240
    shared = len(ties(own) & ties(other)) / 2
    assert abs(shared - chance * pairs) < 4 * np.sqrt(chance * pairs) + 0.05 * pairs * 0.2


def test_a_configuration_knows_neither_distance_nor_likeness():
    # Over 40 worlds of 160 schools: mean distance and unlikeness of tied schools are those of all pairs of a country whose ends are
    # weighted by degree; standard errors over worlds.
    gaps = []
    for index in range(40):
        schools = population(index=index)
        peers = peers_of("configuration", schools, index)
        degree = np.diff(peers.peer_start).astype(float)
        same = schools.country[:, None] == schools.country
        weight = np.where(same, np.outer(degree, degree), 0.0)
        np.fill_diagonal(weight, 0.0)
        apart = np.hypot(schools.x[:, None] - schools.x, schools.y[:, None] - schools.y)
        unlike = np.bitwise_count(schools.traits[:, None] ^ schools.traits)
        i, j = np.array(sorted(ties(peers))).T
        gaps.append([(m[i, j].mean() - (m * weight).sum() / weight.sum()) / m.mean() for m in (apart, unlike)])
    mean, error = np.mean(gaps, axis=0), np.std(gaps, axis=0, ddof=1) / np.sqrt(len(gaps))
    # Chances proportional to the product of degrees hold up to terms of 1 / schools, here below 1 %.
    assert np.all(np.abs(mean) < 4 * error + 0.01)


def test_nearest_has_as_many_ties_as_draws_and_its_schools_are_nearer_than_in_any_other_network():
    schools = population()
    peers = peers_of("nearest", schools)
    assert len(peers.peer) == 2 * start_of_draws(schools, PARAMETERS, 1, 0)[-1]
    mean = {network: distances(schools, ties(peers_of(network, schools))).mean() for network in STRUCTURE["network"]}
    assert mean["nearest"] < min(mean["spatial_homophily"], mean["small_world"])
    assert max(mean["spatial_homophily"], mean["small_world"]) < mean["configuration"]


def test_nearest_draws_the_nearest_that_are_free():
    # Four schools on a line and one draw each: the first in turn takes its nearest, nobody takes a tie that is there.
    schools = generate_schools([ITALY], [1], 4, PARAMETERS, 1, 0)
    schools = replace(schools, x=np.array([0.0, 1.0, 3.0, 7.0]), y=np.zeros(4))
    start, partner = draw(schools, PARAMETERS | {"peer_degree": 2.0}, 1, 0, Structure("nearest"))
    assert np.diff(start).tolist() == [1, 1, 1, 1]
    pairs = {frozenset((i, int(j))) for i, j in enumerate(partner)}
    assert len(pairs) == 4
    nearest = {0: 1, 1: 0, 2: 1, 3: 2}
    assert sum(int(partner[i]) == nearest[i] for i in range(4)) >= 2
    assert frozenset((0, 1)) in pairs


def test_a_small_world_leaves_all_but_a_tenth_of_the_nearest_ties():
    # Of 3,800 ties 10 % lead elsewhere, at most a tie in 20 back to one that was there: 4 binomial standard errors.
    schools = population(120)
    before, after = ties(peers_of("nearest", schools)), ties(peers_of("small_world", schools))
    assert len(before) == len(after)
    moved = 1 - len(before & after) / len(before)
    assert abs(moved - REWIRED) < 4 * np.sqrt(REWIRED * (1 - REWIRED) / (len(before) / 2))


@pytest.mark.parametrize("network", OTHERS)
@pytest.mark.parametrize("degree", [0.0, 1000.0])
def test_degrees_that_no_country_can_have(network, degree):
    schools = generate_schools([ITALY, CZECHIA], [1, 1], 6, PARAMETERS, 1, 0)
    peers = peers_of(network, schools, peer_degree=degree)
    assert np.diff(peers.peer_start).tolist() == [0 if degree == 0 else 5] * 12
    single = generate_schools([ITALY], [1], 1, PARAMETERS, 1, 0)
    assert peers_of(network, single, peer_degree=degree).peer.size == 0


# ------------------------------------------------------------------------------------------------------------- likeness


def test_by_default_the_bits_are_the_traits():
    schools = population()
    assert likeness_bits(schools, "traits") is schools.traits


def unlikeness(bits):
    return np.bitwise_count(bits[:, None] ^ bits)


def test_capacity_counts_the_quarters_between():
    schools = replace(population(1), capacity=np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6]))
    quarter = np.array([0, 3, 0, 3, 1, 2, 1, 2])
    assert np.array_equal(unlikeness(likeness_bits(schools, "capacity")), np.abs(quarter[:, None] - quarter))
    alike = replace(schools, capacity=np.full(8, 0.5))
    assert unlikeness(likeness_bits(alike, "capacity")).max() == 0


def test_level_and_capacity_count_the_level_and_thirds():
    schools = population(3)
    order = np.argsort(np.argsort(schools.capacity))
    third, level = 3 * order // 24, schools.traits & 1
    expected = (level[:, None] != level) + np.abs(third[:, None] - third)
    assert np.array_equal(unlikeness(likeness_bits(schools, "level_and_capacity")), expected)


@pytest.mark.parametrize("measure", ["capacity", "level_and_capacity"])
def test_partners_are_alike_by_the_measure(measure):
    # Over 20 worlds the mean unlikeness of partners by the measure is lower than where homophily is 0, by 4 standard errors.
    gains = []
    for index in range(20):
        schools = population(index=index)
        bits = likeness_bits(schools, measure)
        means = []
        for homophily in (0.0, 1.5):
            start, partner = draw_partners(schools, PARAMETERS | {"homophily": homophily}, 1, index, measure)
            owner = np.repeat(np.arange(len(schools)), np.diff(start))
            means.append(np.bitwise_count(bits[owner] ^ bits[partner]).mean())
        gains.append(means[0] - means[1])
    assert np.mean(gains) > 4 * np.std(gains, ddof=1) / np.sqrt(len(gains))
