"""Compiled loops of :mod:`.deformable`, apart so that reading its parameters does not load numba.

Arrays are float32, fields of vectors (3, X, Y, Z) in voxels. One thread, in a fixed order: same
bits on every run.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .linear_loops import between


@njit(cache=True, nogil=True)
def sample_image(image, matrix, displacement, found):
    """``found`` (X, Y, Z) ← ``image`` at ``matrix`` (3, 4) · (x + displacement); 0 outside."""
    columns, rows, planes = found.shape
    for x in range(columns):
        for y in range(rows):
            for z in range(planes):
                u = np.float32(x) + displacement[0, x, y, z]
                v = np.float32(y) + displacement[1, x, y, z]
                w = np.float32(z) + displacement[2, x, y, z]
                a = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2] * w + matrix[0, 3]
                b = matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2] * w + matrix[1, 3]
                c = matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2] * w + matrix[2, 3]
                found[x, y, z] = between(image, a, b, c)


@njit(cache=True, nogil=True)
def compose_step(field, step, found):
    """``found`` (3, X, Y, Z) ← step(x) + field(x + step(x)), which beyond its edge stays."""
    columns, rows, planes = field.shape[1:]
    for x in range(columns):
        for y in range(rows):
            for z in range(planes):
                a = min(
                    max(np.float32(x) + step[0, x, y, z], np.float32(0)), np.float32(columns - 1)
                )
                b = min(max(np.float32(y) + step[1, x, y, z], np.float32(0)), np.float32(rows - 1))
                c = min(
                    max(np.float32(z) + step[2, x, y, z], np.float32(0)), np.float32(planes - 1)
                )
                i, j, k = int(a), int(b), int(c)
                p, q, r = a - np.float32(i), b - np.float32(j), c - np.float32(k)
                i2, j2, k2 = min(i + 1, columns - 1), min(j + 1, rows - 1), min(k + 1, planes - 1)
                for axis in range(3):
                    part = field[axis]
                    one = part[i, j, k] + r * (part[i, j, k2] - part[i, j, k])
                    two = part[i, j2, k] + r * (part[i, j2, k2] - part[i, j2, k])
                    three = part[i2, j, k] + r * (part[i2, j, k2] - part[i2, j, k])
                    four = part[i2, j2, k] + r * (part[i2, j2, k2] - part[i2, j2, k])
                    one += q * (two - one)
                    three += q * (four - three)
                    found[axis, x, y, z] = step[axis, x, y, z] + one + p * (three - one)


ZERO, REPEAT, MIRROR = 0, 1, 2
"""What lies beyond the edge for :func:`convolve`: nothing, the edge voxel, the mirrored image."""


@njit(cache=True, nogil=True)
def _inside(index, length, edge):
    """Index of the voxel that stands for one beyond the edge; -1 for none."""
    if 0 <= index < length:
        return index
    if edge == ZERO:
        return -1
    if edge == REPEAT:
        return min(max(index, 0), length - 1)
    index %= 2 * length
    return index if index < length else 2 * length - 1 - index


@njit(cache=True, nogil=True)
def convolve(image, weights, edge, spare):
    """``image`` (X, Y, Z) by the symmetric kernel of ``weights``, its middle first, on each axis.

    In place; ``spare`` is of the image's shape.
    """
    columns, rows, planes = image.shape
    reach = weights.size - 1
    for x in range(columns):
        for y in range(rows):
            for z in range(planes):
                spare[x, y, z] = weights[0] * image[x, y, z]
        for far in range(-reach, reach + 1):
            there = _inside(x + far, columns, edge)
            if far == 0 or there < 0:
                continue
            weight = weights[abs(far)]
            for y in range(rows):
                for z in range(planes):
                    spare[x, y, z] += weight * image[there, y, z]
    line = np.zeros(planes + 2 * reach, np.float32)
    middle, total = line[reach : reach + planes], np.zeros(planes, np.float32)
    for x in range(columns):
        for y in range(rows):
            for z in range(planes):
                middle[z] = weights[0] * spare[x, y, z]
            for far in range(-reach, reach + 1):
                there = _inside(y + far, rows, edge)
                if far == 0 or there < 0:
                    continue
                weight = weights[abs(far)]
                for z in range(planes):
                    middle[z] += weight * spare[x, there, z]
            for far in range(1, reach + 1):
                low, high = _inside(-far, planes, edge), _inside(planes - 1 + far, planes, edge)
                line[reach - far] = line[reach + low] if low >= 0 else 0
                line[reach + planes - 1 + far] = line[reach + high] if high >= 0 else 0
            for z in range(planes):
                total[z] = weights[0] * middle[z]
            for far in range(1, reach + 1):
                weight = weights[far]
                before, after = line[reach - far :], line[reach + far :]
                for z in range(planes):
                    total[z] += weight * (before[z] + after[z])
            for z in range(planes):
                image[x, y, z] = total[z]


@njit(cache=True, nogil=True)
def correlation_force(
    target, target_mean, target_variance, source, source_mean, source_square, product, mask, floors,
    force,
):  # fmt: skip
    """``force`` (3, X, Y, Z) ← where the squared local correlation rises; 0 outside the mask.

    ``target_mean``, ``source_mean``, ``source_square`` and ``product`` (of both images) are means
    over windows; ``floors`` holds the variances of target and source below which all is noise.
    """
    columns, rows, planes = target.shape
    zero = np.float32(0)
    for x in range(columns):
        for y in range(rows):
            for z in range(planes):
                if not mask[x, y, z]:
                    force[0, x, y, z] = force[1, x, y, z] = force[2, x, y, z] = zero
                    continue
                mean, other = target_mean[x, y, z], source_mean[x, y, z]
                variance = max(source_square[x, y, z] - other * other, zero) + floors[1]
                covariance = product[x, y, z] - mean * other
                weight = covariance / ((target_variance[x, y, z] + floors[0]) * variance)
                weight *= (target[x, y, z] - mean) - covariance / variance * (
                    source[x, y, z] - other
                )
                low, high = max(x - 1, 0), min(x + 1, columns - 1)
                slope = source[high, y, z] - source[low, y, z]
                force[0, x, y, z] = weight * slope / np.float32(high - low)
                low, high = max(y - 1, 0), min(y + 1, rows - 1)
                slope = source[x, high, z] - source[x, low, z]
                force[1, x, y, z] = weight * slope / np.float32(high - low)
                low, high = max(z - 1, 0), min(z + 1, planes - 1)
                slope = source[x, y, high] - source[x, y, low]
                force[2, x, y, z] = weight * slope / np.float32(high - low)


@njit(cache=True, nogil=True)
def longest_vector(field):
    """Length of the longest vector of a field (3, X, Y, Z)."""
    longest = np.float32(0)
    for x in range(field.shape[1]):
        for y in range(field.shape[2]):
            for z in range(field.shape[3]):
                square = field[0, x, y, z] ** 2 + field[1, x, y, z] ** 2 + field[2, x, y, z] ** 2
                longest = max(longest, square)
    return np.sqrt(longest)
