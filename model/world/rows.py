"""Compressed rows: ties as the columns of each school's row, and the sums that rows need in a fixed order."""

import numpy as np

from school_mentoring.model.compiled import allocating

from .arrays import Counts, Floats, Ints


@allocating
def total_of(values: Floats, size: int) -> float:
    """Return the sum of the first values, from left to right: numpy's order of addition depends on the processor."""
    total = 0.0
    for j in range(size):
        total += values[j]
    return total


@allocating
def holds(values: Ints, value: int) -> bool:
    """Tell whether a short array holds a value."""
    for held in values:  # noqa: SIM110 - numba compiles no generator expression
        if held == value:
            return True
    return False


@allocating
def symmetric(start: Counts, partner: Ints) -> tuple[Counts, Ints]:
    """Return rows (start, column) that hold j in row i and i in row j for each partner j of i, columns ascending, repeats kept.

    A counting sort by row, then one by column through the transposed rows: the matrix is symmetric, so its transpose is itself.
    """
    n = len(start) - 1
    row_start = np.zeros(n + 1, np.int64)
    for i in range(n):
        row_start[i + 1] += start[i + 1] - start[i]
        for k in range(start[i], start[i + 1]):
            row_start[partner[k] + 1] += 1
    free = np.empty(n, np.int64)
    for i in range(n):
        free[i] = row_start[i]
        row_start[i + 1] += row_start[i]
    unsorted = np.empty(row_start[-1], np.int32)
    for i in range(n):
        for k in range(start[i], start[i + 1]):
            j = partner[k]
            unsorted[free[i]], unsorted[free[j]] = j, i
            free[i] += 1
            free[j] += 1
    for i in range(n):
        free[i] = row_start[i]
    column = np.empty(row_start[-1], np.int32)
    for i in range(n):
        for k in range(row_start[i], row_start[i + 1]):
            j = unsorted[k]
            column[free[j]] = i
            free[j] += 1
    return row_start, column


@allocating
def equal_rows(start: Counts, column: Ints, usual: Floats) -> tuple[Counts, Ints, Floats]:
    """Return rows without the repeats of sorted ones, and what each column of row i weighs, 1 / max(columns of the row, usual[i])."""
    n = len(start) - 1
    kept_start = np.zeros(n + 1, np.int64)
    for i in range(n):
        kept = 0
        for k in range(start[i], start[i + 1]):
            kept += k == start[i] or column[k] != column[k - 1]
        kept_start[i + 1] = kept_start[i] + kept
    kept_column = np.empty(kept_start[n], np.int32)
    row_weight = np.empty(n)
    for i in range(n):
        row_weight[i] = 1.0 / max(float(kept_start[i + 1] - kept_start[i]), usual[i], 1.0)
        at = kept_start[i]
        for k in range(start[i], start[i + 1]):
            if k == start[i] or column[k] != column[k - 1]:
                kept_column[at] = column[k]
                at += 1
    return kept_start, kept_column, row_weight


@allocating
def weighted_rows(n: int, source: Ints, target: Ints, weight: Floats) -> tuple[Counts, Ints, Floats]:
    """Return rows of ties, which stand in the row of their source, columns ascending, the weights of a row over their sum."""
    start = np.zeros(n + 1, np.int64)
    for k in range(len(source)):
        start[source[k] + 1] += 1
    start = np.cumsum(start)
    column, value = np.empty(start[n], np.int32), np.empty(start[n])
    free = start[:-1].copy()
    for k in range(len(source)):
        i = source[k]
        column[free[i]], value[free[i]] = target[k], weight[k]
        free[i] += 1
    for i in range(n):
        row = slice(start[i], start[i + 1])
        order = np.argsort(column[row])
        column[row] = column[row][order]
        value[row] = value[row][order]
        total = total_of(value[row], start[i + 1] - start[i])
        for k in range(start[i], start[i + 1]):
            value[k] /= total
    return start, column, value
