"""Compiled loop of :mod:`.surface`, apart so that reading its parameters does not load numba."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def minimise(inside, price, cost, free, dual, iterations):
    """Chambolle & Pock's steps for min Σ price·|∇u| + cost·u, 0 ≤ u ≤ 1; changes ``inside`` (u).

    All arrays (X, Y, Z) float32, ``free`` bool, ``dual`` (X, Y, Z, 3). Voxels that are not free
    keep their value. One thread, in a fixed order.
    """
    columns, rows, planes = inside.shape
    step = np.float32(0.28)  # step² times the norm of the gradient (12) is below 1
    zero, one = np.float32(0), np.float32(1)
    ahead = inside.copy()
    for _ in range(iterations):
        for x in range(columns - 1):
            for y in range(rows - 1):
                for z in range(planes - 1):
                    longest = price[x, y, z]
                    if longest <= 0:
                        continue
                    here = ahead[x, y, z]
                    a = dual[x, y, z, 0] + step * (ahead[x + 1, y, z] - here)
                    b = dual[x, y, z, 1] + step * (ahead[x, y + 1, z] - here)
                    c = dual[x, y, z, 2] + step * (ahead[x, y, z + 1] - here)
                    length = np.sqrt(a * a + b * b + c * c)
                    scale = longest / length if length > longest else one
                    dual[x, y, z, 0], dual[x, y, z, 1] = a * scale, b * scale
                    dual[x, y, z, 2] = c * scale
        for x in range(1, columns):
            for y in range(1, rows):
                for z in range(1, planes):
                    if not free[x, y, z]:
                        continue
                    flow = dual[x, y, z, 0] - dual[x - 1, y, z, 0]
                    flow += dual[x, y, z, 1] - dual[x, y - 1, z, 1]
                    flow += dual[x, y, z, 2] - dual[x, y, z - 1, 2]
                    old = inside[x, y, z]
                    new = min(max(old + step * (flow - cost[x, y, z]), zero), one)
                    inside[x, y, z] = new
                    ahead[x, y, z] = 2 * new - old
