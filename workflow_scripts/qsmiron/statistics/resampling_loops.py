"""Compiled loops of the bootstrap, apart so that nothing else loads numba.

``weights`` is resamples × n, float64: how often each subject is in the resample. The compiled
code is cached on disk.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def weighted_deltas(outcomes, design, slopes, weights, first, same):
    """Cliff's δ of outcome − slopes · design, resamples × cells.

    ``outcomes`` cells × n, ``design`` n × k, ``slopes`` resamples × k × cells, ``first`` n
    (boolean); values that differ by no more than ``same`` (per cell) are tied.
    """
    n_cells, n = outcomes.shape
    count = len(weights)
    k = design.shape[1]
    out = np.empty((count, n_cells))
    ones = np.empty(n, np.int64)
    twos = np.empty(n, np.int64)
    left = np.empty(n)
    right = np.empty(n)
    for b in range(count):
        n_ones = 0
        n_twos = 0
        sum_one = 0.0
        sum_two = 0.0
        for i in range(n):
            if weights[b, i] > 0:
                if first[i]:
                    ones[n_ones] = i
                    n_ones += 1
                    sum_one += weights[b, i]
                else:
                    twos[n_twos] = i
                    n_twos += 1
                    sum_two += weights[b, i]
        for c in range(n_cells):
            for j in range(n_ones):
                value = outcomes[c, ones[j]]
                for d in range(k):
                    value -= slopes[b, d, c] * design[ones[j], d]
                left[j] = value
            for j in range(n_twos):
                value = outcomes[c, twos[j]]
                for d in range(k):
                    value -= slopes[b, d, c] * design[twos[j], d]
                right[j] = value
            total = 0.0
            for i in range(n_ones):
                above = 0.0
                for j in range(n_twos):
                    difference = left[i] - right[j]
                    sign = int(difference > same[c]) - int(difference < -same[c])
                    above += weights[b, twos[j]] * sign
                total += weights[b, ones[i]] * above
            out[b, c] = total / (sum_one * sum_two)
    return out


@njit(cache=True)
def weighted_rank_correlations(order, new_value, weights, directions, vanishing):
    """(Partial) correlation of the outcomes' midranks with the last direction, resamples × cells.

    ``order`` (cells × n) lists the subjects by rising outcome, ``new_value`` (cells × n) says
    where in that list a value differs from the one before; ``directions`` (resamples × (k+1) × n)
    are orthonormal under the weights, times the weights: k of the covariates, then the score's.
    NaN where the share of the outcome's variation outside the covariates is below ``vanishing``.
    """
    n_cells, n = order.shape
    count, k_1, _ = directions.shape
    out = np.empty((count, n_cells))
    products = np.empty(k_1)
    for b in range(count):
        size = 0.0
        for i in range(n):
            size += weights[b, i]
        for c in range(n_cells):
            products[:] = 0.0
            squares = 0.0
            below = 0.0
            start = 0
            while start < n:
                end = start + 1
                tied = weights[b, order[c, start]]
                while end < n and not new_value[c, end]:
                    tied += weights[b, order[c, end]]
                    end += 1
                if tied > 0:
                    rank = below + (tied + 1) / 2 - (size + 1) / 2
                    squares += tied * rank * rank
                    for j in range(start, end):
                        subject = order[c, j]
                        for d in range(k_1):
                            products[d] += directions[b, d, subject] * rank
                below += tied
                start = end
            left = squares
            for d in range(k_1 - 1):
                left -= products[d] * products[d]
            if left > vanishing * squares:
                out[b, c] = products[k_1 - 1] / np.sqrt(left)
            else:
                out[b, c] = np.nan
    return out
