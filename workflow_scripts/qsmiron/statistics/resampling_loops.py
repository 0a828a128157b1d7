"""Compiled loops of the bootstrap, apart so that nothing else loads numba.

``weights`` is resamples × n, float64: how often each subject is in the resample. The compiled
code is cached on disk.
"""

import numpy as np
from numba import njit

_RESAMPLES_AT_A_TIME = 32


@njit(cache=True)
def deltas_in_order(order, new_value, first, weights):
    """Cliff's δ of outcomes that no covariate moves, resamples × cells.

    ``order`` (cells × n) lists the subjects by rising outcome, ``new_value`` (cells × n) says
    where in that list a value differs from the one before; ``first`` n (boolean); ``weights`` is
    n × resamples here, so that one pass through the list serves many resamples.
    """
    n_cells, n = order.shape
    count = weights.shape[1]
    sizes = np.zeros((2, count))
    for i in range(n):
        sizes[int(first[i])] += weights[i]
    pairs = sizes[0] * sizes[1]
    out = np.empty((count, n_cells))
    for one in range(0, count, _RESAMPLES_AT_A_TIME):
        part = slice(one, min(one + _RESAMPLES_AT_A_TIME, count))
        here = np.ascontiguousarray(weights[:, part])
        # Twice the weight of the second level below; its weight among the tied; the sum.
        below = np.empty(here.shape[1])
        tied = np.empty(here.shape[1])
        total = np.empty(here.shape[1])
        for c in range(n_cells):
            below[:] = 0
            total[:] = 0
            start = 0
            while start < n:
                end = start + 1
                while end < n and not new_value[c, end]:
                    end += 1
                tied[:] = 0
                for i in order[c, start:end]:
                    if not first[i]:
                        tied += here[i]
                for i in order[c, start:end]:
                    if first[i]:
                        total += here[i] * (below + tied)
                below += 2 * tied
                start = end
            out[part, c] = total / pairs[part] - 1
    return out


@njit(cache=True)
def weighted_deltas(outcomes, order, design, slopes, weights, first, same):
    """Cliff's δ of outcome − slopes · design, resamples × cells.

    ``outcomes`` cells × n, ``design`` n × k, ``slopes`` resamples × k × cells, ``first`` n
    (boolean); values that differ by no more than ``same`` (per cell) are tied. ``order``
    (cells × n) lists the subjects about by rising difference: any order gives the same δ, the
    closer it is the sooner (a resample's slopes change it little).
    """
    n_cells, n = outcomes.shape
    count = len(weights)
    k = design.shape[1]
    out = np.empty((count, n_cells))
    pairs = np.empty(count)
    for b in range(count):
        sizes = np.zeros(2)
        for i in range(n):
            sizes[int(first[i])] += weights[b, i]
        pairs[b] = sizes[0] * sizes[1]
    subjects = np.empty(n, np.int64)
    start = np.empty(n)
    covariates = np.empty((k, n))
    moved = np.empty(n)
    values = np.empty((2, n))
    counts = np.empty((2, n))
    below = np.empty(n + 1)
    n_ones = first.sum()
    for c in range(n_cells):
        ones, twos = 0, n_ones
        for i in order[c]:
            if first[i]:
                subjects[ones] = i
                ones += 1
            else:
                subjects[twos] = i
                twos += 1
        for m in range(n):
            start[m] = outcomes[c, subjects[m]]
            for d in range(k):
                covariates[d, m] = design[subjects[m], d]
        for b in range(count):
            moved[:] = start
            for d in range(k):
                slope = slopes[b, d, c]
                for m in range(n):
                    moved[m] -= slope * covariates[d, m]
            ones = _sorted(moved[:n_ones], weights[b], subjects[:n_ones], values[0], counts[0])
            twos = _sorted(moved[n_ones:], weights[b], subjects[n_ones:], values[1], counts[1])
            total = _above_less_below(values, counts, ones, twos, same[c], below)
            out[b, c] = total / pairs[b]
    return out


@njit(cache=True)
def _sorted(moved, weights, subjects, values, counts):
    """Fill in the values of the subjects that have a weight, rising, and the weights; how many.

    By insertion, as little is out of order.
    """
    size = 0
    for m in range(len(moved)):
        weight = weights[subjects[m]]
        values[size] = moved[m]
        counts[size] = weight
        size += weight > 0
    for i in range(1, size):
        value, weight = values[i], counts[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j], counts[j] = values[j - 1], counts[j - 1]
            j -= 1
        values[j], counts[j] = value, weight
    return size


@njit(cache=True)
def _above_less_below(values, counts, n_ones, n_twos, same, below):
    """Weight of pairs with the first level above, less that with it below.

    ``values`` and ``counts`` (2 × n) are sorted; ``below`` is working space.
    """
    below[0] = 0.0
    for j in range(n_twos):
        below[j + 1] = below[j] + counts[1, j]
    total = 0.0
    smaller = 0
    not_larger = 0
    for i in range(n_ones):
        value = values[0, i]
        while smaller < n_twos and value - values[1, smaller] > same:
            smaller += 1
        not_larger = max(not_larger, smaller)
        while not_larger < n_twos and not value - values[1, not_larger] < -same:
            not_larger += 1
        total += counts[0, i] * (below[smaller] + below[not_larger] - below[n_twos])
    return total


@njit(cache=True)
def weighted_rank_correlations(order, new_value, weights, directions, vanishing):
    """(Partial) correlation of the outcomes' midranks with the last direction, resamples × cells.

    ``order`` (cells × n) lists the subjects by rising outcome, ``new_value`` (cells × n) says
    where in that list a value differs from the one before; ``directions`` (resamples × n × (k+1))
    are orthonormal under the weights, times the weights: k of the covariates, then the score's.
    NaN where the share of the outcome's variation outside the covariates is below ``vanishing``.
    """
    n_cells, n = order.shape
    count, _, k_1 = directions.shape
    out = np.empty((count, n_cells))
    products = np.empty(k_1)
    ranks = np.empty(n)
    for b in range(count):
        size = 0.0
        for i in range(n):
            size += weights[b, i]
        for c in range(n_cells):
            squares = 0.0
            below = 0.0
            start = 0
            while start < n:
                end = start + 1
                tied = weights[b, order[c, start]]
                while end < n and not new_value[c, end]:
                    tied += weights[b, order[c, end]]
                    end += 1
                rank = below + (tied + 1) / 2 - (size + 1) / 2
                squares += tied * rank * rank
                # Whoever is not in the resample has a direction of 0.
                for j in range(start, end):
                    ranks[j] = rank
                below += tied
                start = end
            _project(directions[b], order[c], ranks, products)
            left = squares
            for d in range(k_1 - 1):
                left -= products[d] * products[d]
            if left > vanishing * squares:
                out[b, c] = products[k_1 - 1] / np.sqrt(left)
            else:
                out[b, c] = np.nan
    return out


@njit(cache=True)
def weighted_directions(orders, new_values, weights, singular):
    """Orthonormal directions of weighted midranks, times the weights: resamples × n × columns.

    ``orders`` and ``new_values`` (columns × n) are of the covariates and, last, of the score, as
    above. By Gram-Schmidt, done twice for its rounding. A covariate of which no more than
    ``singular`` is left after those before it gets zeros, such a score NaN.
    """
    n_columns, n = orders.shape
    count = len(weights)
    out = np.empty((count, n, n_columns))
    units = np.empty((n_columns, n))
    roots = np.empty(n)
    for b in range(count):
        size = 0.0
        for i in range(n):
            size += weights[b, i]
            roots[i] = np.sqrt(weights[b, i])
        for d in range(n_columns):
            below = 0.0
            start = 0
            while start < n:
                end = start + 1
                tied = weights[b, orders[d, start]]
                while end < n and not new_values[d, end]:
                    tied += weights[b, orders[d, end]]
                    end += 1
                for j in range(start, end):
                    i = orders[d, j]
                    units[d, i] = (below + tied / 2 - size / 2) * roots[i]
                below += tied
                start = end
            length = np.sqrt(_inner(units[d], units[d]))
            for _ in range(2):
                for e in range(d):
                    _subtract(units[d], _inner(units[e], units[d]), units[e])
            left = np.sqrt(_inner(units[d], units[d]))
            scale = 0.0 if d < n_columns - 1 else np.nan
            if left > singular * length:
                scale = 1 / left
            for i in range(n):
                units[d, i] *= scale
                out[b, i, d] = units[d, i] * roots[i]
    return out


@njit(cache=True, fastmath={"reassoc", "contract"})
def _inner(one, other):
    """Inner product; the order of summation is free."""
    total = 0.0
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@njit(cache=True)
def _subtract(vector, factor, unit):
    for i in range(len(vector)):
        vector[i] -= factor * unit[i]


@njit(cache=True)
def _project(directions, order, ranks, products):
    """Inner product of the ordered ranks with every direction (n × directions).

    Three directions a time: sums that do not wait for each other.
    """
    n, k_1 = directions.shape
    for d in range(0, k_1 - 2, 3):
        one, two, three = 0.0, 0.0, 0.0
        for i in range(n):
            subject = order[i]
            one += directions[subject, d] * ranks[i]
            two += directions[subject, d + 1] * ranks[i]
            three += directions[subject, d + 2] * ranks[i]
        products[d], products[d + 1], products[d + 2] = one, two, three
    for d in range(k_1 - k_1 % 3, k_1):
        one = 0.0
        for i in range(n):
            one += directions[order[i], d] * ranks[i]
        products[d] = one
