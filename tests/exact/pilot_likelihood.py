"""The exact likelihood of counts at several waves in schools that nothing ties together, by forward filtering.

Teachers are independent two-state chains, so the adopters of a school are a Markov chain whose step over t months is Binomial(k, stay) +
Binomial(n - k, join), and each wave multiplies by the binomial chance of its answers. Written from these two sentences alone; it shares no
code with the model or the calibration.
"""

from math import lgamma

import numba
import numpy as np

__all__ = ["log_likelihood"]


@numba.njit(cache=True)
def _binomials(most, chance):
    """Return the chance of j out of k for all j, k up to ``most``: [k, j]."""
    table = np.zeros((most + 1, most + 1))
    table[0, 0] = 1.0
    for k in range(1, most + 1):
        for j in range(k + 1):
            table[k, j] = (1.0 - chance) * table[k - 1, j] + (chance * table[k - 1, j - 1] if j > 0 else 0.0)
    return table


@numba.njit(cache=True)
def _one_school(teachers, start, adopt, lose, months, respondents, answers):
    belief = np.zeros(teachers + 1)
    belief[start] = 1.0
    total, before = 0.0, 0
    for w in range(months.size):
        memory = (1.0 - adopt - lose) ** (months[w] - before)
        before = months[w]
        rest = adopt / (adopt + lose)
        stayed, joined = _binomials(teachers, rest + (1.0 - rest) * memory), _binomials(teachers, rest * (1.0 - memory))
        after = np.zeros(teachers + 1)
        for k in range(teachers + 1):
            for j in range(k + 1):
                for g in range(teachers - k + 1):
                    after[j + g] += belief[k] * stayed[k, j] * joined[teachers - k, g]
        belief = after
        r, y = respondents[w], answers[w]
        if r > 0:
            for k in range(teachers + 1):
                share = k / teachers
                belief[k] *= np.exp(lgamma(r + 1.0) - lgamma(y + 1.0) - lgamma(r - y + 1.0)) * share**y * (1.0 - share) ** (r - y)
            seen = belief.sum()
            total += np.log(seen)
            belief /= seen
    return total


@numba.njit(cache=True)
def log_likelihood(teachers, starts, adopt, lose, months, respondents, answers):
    """Return the log-likelihood of answers (W, n) out of respondents (W, n) at ascending months (W,).

    ``adopt``: each school's monthly chance that a teacher adopts, (n,); ``lose``: that one is lost; ``starts``: adopters in month 0.
    """
    total = 0.0
    for i in range(teachers.size):
        total += _one_school(teachers[i], starts[i], adopt[i], lose, months, respondents[:, i], answers[:, i])
    return total
