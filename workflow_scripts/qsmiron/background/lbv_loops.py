"""Compiled loops of :mod:`.lbv`, apart so that reading its parameters does not load numba.

Arrays are contiguous and of one shape (X, Y, Z): values float32, ``inside`` boolean and False on
all six faces, so that every voxel inside has six neighbours. ``weights`` (3,) float32 are 1 / edge²
per axis (1/mm²). The compiled code is cached on disk.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def minus_laplacian(values, inside, weights):
    """Minus the 7-point Laplacian of ``values`` inside, 0 outside."""
    nx, ny, nz = values.shape
    out = np.zeros((nx, ny, nz), np.float32)
    wx, wy, wz = weights
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            for k in range(1, nz - 1):
                if inside[i, j, k]:
                    # Differences first: the field may be far larger than its curvature.
                    v = values[i, j, k]
                    out[i, j, k] = (
                        wx * ((v - values[i - 1, j, k]) + (v - values[i + 1, j, k]))
                        + wy * ((v - values[i, j - 1, k]) + (v - values[i, j + 1, k]))
                        + wz * ((v - values[i, j, k - 1]) + (v - values[i, j, k + 1]))
                    )
    return out


@njit(cache=True)
def relax(values, right, inside, weights, colour):
    """Solve minus_laplacian(values) = right at every second voxel inside, in place.

    ``colour`` 0 or 1 is the parity of i + j + k. No two voxels of a colour are neighbours, so the
    order within it does not matter.
    """
    nx, ny, nz = values.shape
    wx, wy, wz = weights
    inverse = np.float32(1) / (2 * (wx + wy + wz))
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            for k in range(1 + (i + j + 1 + colour) % 2, nz - 1, 2):
                if inside[i, j, k]:
                    values[i, j, k] = inverse * (
                        right[i, j, k]
                        + wx * (values[i - 1, j, k] + values[i + 1, j, k])
                        + wy * (values[i, j - 1, k] + values[i, j + 1, k])
                        + wz * (values[i, j, k - 1] + values[i, j, k + 1])
                    )
