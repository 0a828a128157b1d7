"""Compiled loops of :mod:`.surface`, apart so that reading its parameters does not load numba."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def interpolate(image, to_index, points, result):
    """Trilinear values of an ``image`` (X, Y, Z) at ``points`` (n, 3) into ``result`` (n,).

    ``to_index`` (3, 4; float64) takes points to voxel indices. Beyond the edge voxels it is 0.
    """
    columns, rows, planes = image.shape
    for n in range(len(points)):
        p, q, r = points[n, 0], points[n, 1], points[n, 2]
        x = to_index[0, 0] * p + to_index[0, 1] * q + to_index[0, 2] * r + to_index[0, 3]
        y = to_index[1, 0] * p + to_index[1, 1] * q + to_index[1, 2] * r + to_index[1, 3]
        z = to_index[2, 0] * p + to_index[2, 1] * q + to_index[2, 2] * r + to_index[2, 3]
        if not (0 <= x <= columns - 1 and 0 <= y <= rows - 1 and 0 <= z <= planes - 1):
            result[n] = 0  # NaN as well
            continue
        i, j, k = min(int(x), columns - 2), min(int(y), rows - 2), min(int(z), planes - 2)
        i, j, k = max(i, 0), max(j, 0), max(k, 0)
        i_2, j_2, k_2 = min(i + 1, columns - 1), min(j + 1, rows - 1), min(k + 1, planes - 1)
        a, b, c = x - i, y - j, z - k
        front = (1 - c) * image[i, j, k] + c * image[i, j, k_2]
        back = (1 - c) * image[i, j_2, k] + c * image[i, j_2, k_2]
        left = (1 - b) * front + b * back
        front = (1 - c) * image[i_2, j, k] + c * image[i_2, j, k_2]
        back = (1 - c) * image[i_2, j_2, k] + c * image[i_2, j_2, k_2]
        result[n] = (1 - a) * left + a * ((1 - b) * front + b * back)


@njit(cache=True, nogil=True)
def minimise(inside, price, cost, free, iterations):
    """Chambolle & Pock's steps for min Σ price·|∇u| + cost·u, 0 ≤ u ≤ 1; changes ``inside`` (u).

    All arrays (X, Y, Z), C order, float32, ``free`` bool. Voxels that are not free keep their
    value, so only the edges that end at a free one are looked at; there are none from the last
    voxel of an axis, and the first keeps its value. One thread, in a fixed order.
    """
    columns, rows, planes = inside.shape
    across, along = rows * planes, planes
    u, weight, charge = inside.reshape(-1), price.reshape(-1), cost.reshape(-1)
    place = np.full(u.size, -1, np.int32)  # of the edges from a voxel among those looked at
    count = 0
    moved = 0
    for x in range(columns):
        for y in range(rows):
            for z in range(planes):
                moves = free[x, y, z] and x > 0 and y > 0 and z > 0
                moved += moves
                if x == columns - 1 or y == rows - 1 or z == planes - 1:
                    continue
                ends = free[x + 1, y, z] or free[x, y + 1, z] or free[x, y, z + 1]
                if free[x, y, z] or ends:
                    place[x * across + y * along + z] = count
                    count += 1
    start = np.empty(count, np.int32)
    longest = np.empty(count, np.float32)
    voxels = np.empty(moved, np.int32)
    edges = np.empty((moved, 4), np.int32)  # from the voxel, and to it along each axis
    moved = 0
    for v in range(u.size):
        if place[v] >= 0:
            start[place[v]] = v
            longest[place[v]] = weight[v]
        x, y, z = v // across, v // along % rows, v % along
        if free[x, y, z] and x > 0 and y > 0 and z > 0:
            voxels[moved] = v
            edges[moved, 0], edges[moved, 1] = place[v], place[v - across]
            edges[moved, 2], edges[moved, 3] = place[v - along], place[v - 1]
            moved += 1
    dual = np.zeros((count + 1, 3), np.float32)  # the last, place -1, is what is not looked at
    # Their product times the norm of the gradient (12) is below 1; so unequal, since prices are
    # small beside u, they converge three times as fast as equal ones.
    step, dual_step = np.float32(1.6), np.float32(0.05)
    zero, one = np.float32(0), np.float32(1)
    ahead = u.copy()
    for _ in range(iterations):
        for n in range(count):
            v, most = start[n], longest[n]
            here = ahead[v]
            a = dual[n, 0] + dual_step * (ahead[v + across] - here)
            b = dual[n, 1] + dual_step * (ahead[v + along] - here)
            c = dual[n, 2] + dual_step * (ahead[v + 1] - here)
            length = np.sqrt(a * a + b * b + c * c)
            scale = most / length if length > most else one
            dual[n, 0], dual[n, 1], dual[n, 2] = a * scale, b * scale, c * scale
        for n in range(moved):
            v = voxels[n]
            own = edges[n, 0]
            flow = dual[own, 0] - dual[edges[n, 1], 0]
            flow += dual[own, 1] - dual[edges[n, 2], 1]
            flow += dual[own, 2] - dual[edges[n, 3], 2]
            old = u[v]
            new = min(max(old + step * (flow - charge[v]), zero), one)
            u[v] = new
            ahead[v] = 2 * new - old
