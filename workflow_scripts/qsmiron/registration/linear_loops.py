"""Compiled trilinear interpolation, apart so that reading parameters does not load numba."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def between(image, a, b, c):
    """``image`` (X, Y, Z) at the voxel coordinates a, b, c; 0 beyond its edge voxels."""
    last_a, last_b, last_c = image.shape[0] - 1, image.shape[1] - 1, image.shape[2] - 1
    if not (0 <= a <= last_a and 0 <= b <= last_b and 0 <= c <= last_c):
        return np.float32(0)
    i, j, k = int(a), int(b), int(c)
    p, q, r = a - np.float32(i), b - np.float32(j), c - np.float32(k)
    i2, j2, k2 = min(i + 1, last_a), min(j + 1, last_b), min(k + 1, last_c)
    one = image[i, j, k] + r * (image[i, j, k2] - image[i, j, k])
    two = image[i, j2, k] + r * (image[i, j2, k2] - image[i, j2, k])
    three = image[i2, j, k] + r * (image[i2, j, k2] - image[i2, j, k])
    four = image[i2, j2, k] + r * (image[i2, j2, k2] - image[i2, j2, k])
    one += q * (two - one)
    three += q * (four - three)
    return one + p * (three - one)


@njit(cache=True, nogil=True)
def sample_points(image, matrix, points, found):
    """``found`` (N) ← ``image`` at ``matrix`` (3, 4) · ``points`` (N, 3); all float32."""
    for n in range(points.shape[0]):
        u, v, w = points[n, 0], points[n, 1], points[n, 2]
        a = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2] * w + matrix[0, 3]
        b = matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2] * w + matrix[1, 3]
        c = matrix[2, 0] * u + matrix[2, 1] * v + matrix[2, 2] * w + matrix[2, 3]
        found[n] = between(image, a, b, c)
