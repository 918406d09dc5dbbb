"""Random numbers: the published generator, names that never collide, uniforms without trace of their names, exact binomial counts.

Statistical tests run at fixed seeds, so their verdict is always the same; each states its bound as a p value or in standard errors.
"""

import itertools
import math

import numba
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from school_mentoring.model import draws
from school_mentoring.model.draws import EVENTS, binomial, gumbel, philox4x32, uniform, uniform_pair

FIELDS = ("seed", "replicate", "event", "school", "practice", "month", "other")
LIMITS = dict(zip(FIELDS, (2**64, 2**32, 256, 2**32, 256, 2**16, 2**32), strict=True))
LARGEST = 1.0 - 2.0**-52  # the largest uniform that 52 bits give
SMALLEST_P = (
    1e-5  # of a test at a fixed seed; about 60 such tests leave a chance of 6e-4 that a sound generator had failed when they were written
)


@numba.njit
def _pairs(seed, replicate, event, school, practice, month, other, out):
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1] = uniform_pair(seed[i], replicate[i], event[i], school[i], practice[i], month[i], other[i])


def pairs(count: int = 1, **names) -> np.ndarray:
    """Return the uniform pairs (count, 2) of names given as arrays or single numbers, 0 where not given."""
    columns = [
        np.ascontiguousarray(np.broadcast_to(np.asarray(names.get(f, 0), np.uint64 if f == "seed" else np.int64), (count,))).copy()
        for f in FIELDS
    ]
    out = np.empty((count, 2))
    _pairs(*columns, out)
    return out


# --- the generator ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_published_known_answers(counter, key, answer):
    # kat_vectors of Random123 (Salmon, Moraes, Dror & Shaw 2011), philox4x32 with 10 rounds.
    words = [np.uint64(int(word, 16)) for word in f"{counter} {key}".split()]
    assert " ".join(f"{int(word):08x}" for word in philox4x32(*words)) == answer


def reference_philox(counter: list[int], key: list[int]) -> list[int]:
    """Return Philox4x32-10 in plain integers, typed from the paper."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


word = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 2**31, 2**32 - 1]))


@given(st.lists(word, min_size=6, max_size=6))
def test_philox_equals_plain_integer_arithmetic(words):
    assert [int(w) for w in philox4x32(*(np.uint64(w) for w in words))] == reference_philox(words[:4], words[4:])


# --- names -----------------------------------------------------------------------------------------------------------

name_of_event = st.tuples(*(st.one_of(st.integers(0, limit - 1), st.sampled_from([0, 1, limit - 1])) for limit in LIMITS.values()))


@given(name_of_event)
def test_a_name_is_written_into_key_and_counter_without_hashing(name):
    # (school, month + 2**16 practice + 2**24 event, replicate, other) is one to one below the limits, and Philox is a bijection
    # of counters: so no two events of a seed share their random bits.
    seed, replicate, event, school, practice, month, other = name
    w = reference_philox([school, month + 2**16 * practice + 2**24 * event, replicate, other], [seed % 2**32, seed // 2**32])
    expected = tuple(((high << 32 | low) >> 12) / 2**52 for high, low in (w[:2], w[2:]))
    assert uniform_pair(np.uint64(seed), *name[1:]) == expected


@given(name_of_event, name_of_event)
def test_distinct_names_draw_distinct_numbers(name, other):
    # Within one seed outputs are 128 bits of a bijection, of which 104 are kept; two equal pairs among the examples would be a 1e-27 event.
    assume(name != other)
    assert uniform_pair(np.uint64(name[0]), *name[1:]) != uniform_pair(np.uint64(other[0]), *other[1:])


def test_no_two_names_of_a_small_world_share_a_draw():
    axes = [range(4), range(4), range(len(EVENTS)), range(12), range(3), range(30), range(6)]
    names = np.array(list(itertools.product(*axes)))
    drawn = pairs(len(names), **dict(zip(FIELDS, names.T, strict=True)))
    assert len(np.unique(drawn.view("V16"))) == len(names)


def test_the_number_of_an_event_is_its_position_in_the_list():
    assert [getattr(draws, event.upper()) for event in EVENTS] == list(range(len(EVENTS)))


def test_uniform_is_the_first_of_the_pair():
    assert uniform(np.uint64(5), 4, 3, 2, 1, 6, 7) == uniform_pair(np.uint64(5), 4, 3, 2, 1, 6, 7)[0]


# --- uniformity and independence -------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", FIELDS)
@pytest.mark.parametrize("which", [0, 1])
def test_draws_along_each_part_of_the_name_are_uniform(axis, which):
    count = min(LIMITS[axis], 400_000)
    background = {"seed": 12345, "replicate": 3, "event": 1, "school": 77, "practice": 1, "month": 9, "other": 2}
    u = pairs(count, **{**background, axis: np.arange(count, dtype=np.uint64)})[:, which]
    bins = min(1000, count // 16)
    assert stats.chisquare(np.histogram(u, bins, (0.0, 1.0))[0]).pvalue > SMALLEST_P
    assert stats.kstest(u, "uniform").pvalue > SMALLEST_P


def test_every_bit_of_a_draw_is_fair():
    # 52 bits, 4 standard errors each: the chance that a fair generator fails is 52 x 6.3e-5.
    count = 200_000
    u = pairs(count, seed=9, school=np.arange(count))[:, 0]
    whole = (u * 2**52).astype(np.int64)
    ones = np.array([((whole >> bit) & 1).mean() for bit in range(52)])
    assert np.abs(ones - 0.5).max() < 4 * 0.5 / math.sqrt(count)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of two samples in standard errors under independence."""
    return abs(float(np.corrcoef(a, b)[0, 1])) * math.sqrt(a.size)


@pytest.mark.parametrize("axis", FIELDS)
@pytest.mark.parametrize("step", [1, 2, 16])
def test_neighbouring_names_draw_without_correlation(axis, step):
    # 200,000 schools (or replicates, where schools are the neighbours), at the name and `step` beside it; 4 standard errors.
    count = 200_000
    along = "replicate" if axis == "school" else "school"
    here = pairs(count, **{"seed": 2, along: np.arange(count)})
    there = pairs(count, **{"seed": 2 + step if axis == "seed" else 2, along: np.arange(count), **({} if axis == "seed" else {axis: step})})
    for transform in (lambda u: u, lambda u: (u - 0.5) ** 2):  # location and spread
        assert correlation(transform(here[:, 0]), transform(there[:, 0])) < 4.0


@pytest.mark.parametrize("bit", [8, 31, 32, 63])
def test_seeds_that_differ_in_one_bit_draw_without_correlation(bit):
    count = 200_000
    here, there = (pairs(count, seed=seed, school=np.arange(count))[:, 0] for seed in (1, 1 ^ (1 << bit)))
    assert correlation(here, there) < 4.0


def test_the_two_draws_of_a_pair_are_independent():
    # Chi-square of their joint distribution on a 32 x 32 grid.
    count = 400_000
    u = pairs(count, seed=31, school=np.arange(count))
    table = np.histogram2d(u[:, 0], u[:, 1], 32, [(0.0, 1.0), (0.0, 1.0)])[0]
    assert stats.chisquare(table.ravel()).pvalue > SMALLEST_P


def test_draws_of_successive_months_are_independent():
    # Chi-square of (month, month + 1, month + 2) on an 8 x 8 x 8 grid, for 1,000 schools x 300 separate triples.
    month, school = np.divmod(np.arange(900 * 1000), 1000)
    u = pairs(900_000, seed=8, month=month, school=school)[:, 0].reshape(300, 3, 1000)
    table = np.histogramdd(u.transpose(0, 2, 1).reshape(-1, 3), 8, [(0.0, 1.0)] * 3)[0]
    assert stats.chisquare(table.ravel()).pvalue > SMALLEST_P


# --- binomial --------------------------------------------------------------------------------------------------------

SIZES = (1, 2, 3, 5, 10, 40, 150, 400, 1000)
CHANCES = (1e-6, 1e-3, 0.01, 0.1, 0.3, 0.499999, 0.5, 0.500001, 0.7, 0.95, 0.999, 1.0 - 1e-6)
ROUNDING = 2e-12  # the cumulative sum of up to 1,000 terms, each with a relative error of some 1,000 x 2**-53


@pytest.mark.parametrize("trials", SIZES)
@pytest.mark.parametrize("chance", CHANCES)
def test_binomial_counts_change_exactly_at_the_cumulative_distribution(trials, chance):
    # Just below F(k) the count is at most k, just above it is more than k: over all k this is the whole mass function.
    for k in range(trials):
        boundary = stats.binom.cdf(k, trials, chance)
        below, above = boundary - ROUNDING, boundary + ROUNDING
        if below > 0.0:
            assert binomial(below, trials, chance) <= k
        if above < 1.0 - ROUNDING:
            assert binomial(above, trials, chance) > k


@pytest.mark.parametrize("trials", SIZES)
@pytest.mark.parametrize("chance", CHANCES)
def test_binomial_equals_the_inverse_distribution_of_scipy(trials, chance):
    u = np.random.default_rng(trials).random(300)
    drawn = [binomial(x, trials, chance) for x in u]
    # scipy's inverse at u -+ the rounding of the sum brackets the count; the two are the same number for nearly every u.
    low, high = stats.binom.ppf(np.maximum(u - ROUNDING, 1e-300), trials, chance), stats.binom.ppf(u + ROUNDING, trials, chance)
    assert np.all((low <= drawn) & (drawn <= high))


@pytest.mark.parametrize("u", [0.0, 0.3, LARGEST])
@pytest.mark.parametrize("trials", [0, 1, 1000])
def test_binomial_with_chance_zero_is_zero(u, trials):
    assert binomial(u, trials, 0.0) == 0


@pytest.mark.parametrize("u", [2.0**-52, 0.3, LARGEST])
@pytest.mark.parametrize("trials", [0, 1, 1000])
def test_binomial_with_chance_one_is_all(u, trials):
    assert binomial(u, trials, 1.0) == trials


@pytest.mark.parametrize("trials", SIZES)
@pytest.mark.parametrize("chance", CHANCES)
def test_the_outermost_uniforms_give_counts_of_the_far_tail_and_not_all_or_none(trials, chance):
    # The cumulative sum misses 1 by up to 5e-14 of rounding; uniforms beyond it must still give a count whose tail is that improbable, not
    # far more so: between the quantiles at 1e-12 and 1e-20 from the end.
    top, bottom = binomial(LARGEST, trials, chance), binomial(2.0**-52, trials, chance)
    assert stats.binom.isf(1e-12, trials, chance) <= top <= stats.binom.isf(1e-20, trials, chance)
    assert stats.binom.ppf(1e-20, trials, chance) <= bottom <= stats.binom.ppf(1e-12, trials, chance)


@given(st.floats(0.0, LARGEST), st.integers(0, 1000), st.floats(0.0, 1.0))
def test_binomial_lies_between_none_and_all(u, trials, chance):
    assert 0 <= binomial(u, trials, chance) <= trials


@given(st.floats(1e-9, 1.0 - 1e-9), st.integers(1, 1000), st.floats(0.0, 1.0), st.floats(1e-9, 0.5))
def test_a_higher_chance_never_lowers_the_count_of_the_same_uniform(u, trials, chance, more):
    assert binomial(u, trials, min(1.0, chance + more)) >= binomial(u, trials, chance)


@given(st.floats(1e-9, 1.0 - 1e-9), st.integers(1, 1000), st.floats(0.0, 1.0), st.floats(1e-9, 0.5))
def test_a_larger_uniform_never_lowers_the_count(u, trials, chance, more):
    assert binomial(min(1.0 - 1e-9, u + more), trials, chance) >= binomial(u, trials, chance)


@given(st.floats(1e-9, 1.0 - 1e-9), st.integers(1, 999), st.floats(0.0, 1.0))
def test_one_more_trial_adds_none_or_one(u, trials, chance):
    # F of one trial more lies between F and F shifted by one, so the same uniform gives the same count or one more.
    assert binomial(u, trials + 1, chance) - binomial(u, trials, chance) in (0, 1)


@pytest.mark.parametrize(("trials", "chance"), [(1, 0.03), (20, 0.02), (20, 0.6), (300, 0.01), (1000, 0.45)])
def test_binomial_counts_of_drawn_uniforms_have_the_binomial_mean_and_variance(trials, chance):
    # 100,000 draws; 4 standard errors of the mean and of the variance (from the fourth central moment of the binomial).
    count = 100_000
    k = np.array([binomial(u, trials, chance) for u in pairs(count, seed=4, school=np.arange(count))[:, 0]])
    mean, variance, kurtosis = (float(m) for m in stats.binom.stats(trials, chance, moments="mvk"))
    assert abs(k.mean() - mean) < 4 * math.sqrt(variance / count)
    assert abs(k.var() - variance) < 4 * variance * math.sqrt((kurtosis + 2) / count)


# --- Gumbel ----------------------------------------------------------------------------------------------------------


def test_gumbel_inverts_its_distribution():
    # exp(-exp(-x)) gives u back; relative 1e-12 leaves room for the two logarithms around u = 1.
    u = np.random.default_rng(5).random(10_000)
    assert np.exp(-np.exp(-np.array([gumbel(x) for x in u]))) == pytest.approx(u, rel=1e-12)


def test_gumbel_noise_has_the_gumbel_distribution():
    count = 100_000
    x = [gumbel(u) for u in pairs(count, seed=6, other=np.arange(count))[:, 0]]
    assert stats.kstest(x, "gumbel_r").pvalue > SMALLEST_P


@pytest.mark.parametrize("u", [0.0, 2.0**-52, LARGEST])
def test_gumbel_is_finite_at_the_ends_of_the_uniform(u):
    assert math.isfinite(gumbel(u))


def test_the_best_of_noisy_scores_is_chosen_with_logit_chances():
    # Random utility with Gumbel noise (McFadden 1974): the chance to be best is exp(score) / sum exp(score). Chi-square, 50,000 choices.
    scores = np.array([0.0, 0.5, -1.0, 1.2])
    count = 50_000
    names = {"seed": 3, "school": np.repeat(np.arange(count), 4), "other": np.tile(np.arange(4), count)}
    noise = np.array([gumbel(u) for u in pairs(4 * count, **names)[:, 0]]).reshape(count, 4)
    chosen = np.bincount((scores + noise).argmax(axis=1), minlength=4)
    expected = count * np.exp(scores) / np.exp(scores).sum()
    assert stats.chisquare(chosen, expected).pvalue > SMALLEST_P
