"""Compiled passes of the mixture of tissues in :mod:`.smooth_chi`; one thread, in a fixed order."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def assign(values, functions, weights, means, sds, heights, background, member):
    """Share of each class in each of ``values`` (n,) into ``member`` (n, classes).

    ``functions`` (n, 8) times ``weights`` is taken off first; ``heights`` are the classes'
    densities at their means, ``background`` is that of what belongs to none. Returns the sums over
    the values of the shares, of share × value, of share × value² (3, classes) and of what belongs
    to none. All float64.
    """
    count = len(means)
    sums = np.zeros((3, count))
    outside = 0.0
    for n in range(len(values)):
        flat = values[n]
        for i in range(len(weights)):
            flat -= functions[n, i] * weights[i]
        total = background
        for c in range(count):
            distance = (flat - means[c]) / sds[c]
            member[n, c] = heights[c] * np.exp(-0.5 * distance * distance)
            total += member[n, c]
        outside += background / total
        for c in range(count):
            share = member[n, c] / total
            member[n, c] = share
            sums[0, c] += share
            sums[1, c] += share * flat
            sums[2, c] += share * flat * flat
    return sums, outside


@njit(cache=True, nogil=True)
def normal_equations(values, functions, means, sds, member):
    """Matrix (8, 8) and right side (8,) of the weighted least squares for the functions' weights.

    Each value is expected to be its classes' mean, as precisely as these tell; see :func:`assign`.
    """
    count, size = len(means), functions.shape[1]
    matrix, right = np.zeros((size, size)), np.zeros(size)
    for n in range(len(values)):
        precision, expected = 0.0, 0.0
        for c in range(count):
            part = member[n, c] / (sds[c] * sds[c])
            precision += part
            expected += part * means[c]
        excess = precision * values[n] - expected
        for i in range(size):
            right[i] += functions[n, i] * excess
            weighted = functions[n, i] * precision
            for j in range(i + 1):
                matrix[i, j] += weighted * functions[n, j]
    for i in range(size):
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    return matrix, right
