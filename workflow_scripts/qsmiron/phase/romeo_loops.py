"""Compiled loops of :mod:`.romeo`, apart so that reading its parameters does not load numba.

Arrays are contiguous: phase, magnitude (X, Y, Z) float32; mask boolean; weights (3, X, Y, Z)
float32. The compiled code is cached on disk.
"""

import numpy as np
from numba import njit

TWO_PI = 2 * np.pi
BUCKETS = 256


@njit(cache=True)
def wrapped(angle):
    """Angle (rad) brought into −π…π by whole turns."""
    return angle - TWO_PI * np.round(angle / TWO_PI)


@njit(cache=True)
def edge_weights(phase, mask, magnitude, second_phase, ratio):
    """Product of coherences per edge; an empty magnitude or second phase takes no part."""
    nx, ny, nz = phase.shape
    weights = np.zeros((3, nx, ny, nz), np.float32)
    for axis in range(3):
        dx, dy, dz = axis == 0, axis == 1, axis == 2
        for i in range(nx - dx):
            for j in range(ny - dy):
                for k in range(nz - dz):
                    a, b, c = i + dx, j + dy, k + dz
                    if not (mask[i, j, k] and mask[a, b, c]):
                        continue
                    step = wrapped(phase[a, b, c] - phase[i, j, k])
                    weight = 1 - abs(step) / np.pi
                    if second_phase.size:
                        other = wrapped(second_phase[a, b, c] - second_phase[i, j, k])
                        weight *= max(0.0, 1 - abs(step - other * ratio))
                    if magnitude.size:
                        low = min(magnitude[i, j, k], magnitude[a, b, c])
                        high = max(magnitude[i, j, k], magnitude[a, b, c])
                        weight *= (low / high) ** 2 if low > 0 else 0.0
                    weights[axis, i, j, k] = weight
    return weights


@njit(cache=True)
def voxel_quality(weights, mask):
    """Mean weight of the edges that lead to neighbours inside the mask."""
    nx, ny, nz = mask.shape
    quality = np.zeros((nx, ny, nz), np.float32)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if not mask[i, j, k]:
                    continue
                total, count = 0.0, 0
                if i > 0 and mask[i - 1, j, k]:
                    total, count = total + weights[0, i - 1, j, k], count + 1
                if i + 1 < nx and mask[i + 1, j, k]:
                    total, count = total + weights[0, i, j, k], count + 1
                if j > 0 and mask[i, j - 1, k]:
                    total, count = total + weights[1, i, j - 1, k], count + 1
                if j + 1 < ny and mask[i, j + 1, k]:
                    total, count = total + weights[1, i, j, k], count + 1
                if k > 0 and mask[i, j, k - 1]:
                    total, count = total + weights[2, i, j, k - 1], count + 1
                if k + 1 < nz and mask[i, j, k + 1]:
                    total, count = total + weights[2, i, j, k], count + 1
                if count:
                    quality[i, j, k] = total / count
    return quality


@njit(cache=True)
def push(voxel, lengths, strides, weights, part, heads, tails, following):
    """Queue the edges of a voxel just reached that lead to voxels not yet reached.

    An edge is named by its axis and lower end. Returns the best bucket that got one.
    """
    best = BUCKETS
    volume = part.size
    x, rest = voxel // strides[0], voxel % strides[0]
    position = (x, rest // strides[1], rest % strides[1])
    for axis in range(3):
        for side in range(2):
            if side == 0:
                if position[axis] == 0:
                    continue
                lower, other = voxel - strides[axis], voxel - strides[axis]
            else:
                if position[axis] == lengths[axis] - 1:
                    continue
                lower, other = voxel, voxel + strides[axis]
            if part[other] != 0:
                continue
            edge = axis * volume + lower
            bucket = int((1 - weights[edge]) * (BUCKETS - 1))
            following[edge] = -1
            if heads[bucket] < 0:
                heads[bucket] = edge
            else:
                following[tails[bucket]] = edge
            tails[bucket] = edge
            best = min(best, bucket)
    return best


@njit(cache=True)
def grow(phase, weights, mask, seeds):
    """Unwrap ``phase`` in place; returns the connected part that each voxel belongs to, from 1."""
    nx, ny, nz = phase.shape
    lengths = (nx, ny, nz)
    strides = (ny * nz, nz, 1)
    values, trust, inside = phase.reshape(-1), weights.reshape(-1), mask.reshape(-1)
    # -1: outside the mask, 0: not yet reached, n: in the n-th part
    part = np.full(values.size, -1, np.int32)
    for voxel in range(values.size):
        if inside[voxel]:
            part[voxel] = 0
    heads = np.full(BUCKETS, -1, np.int64)
    tails = np.full(BUCKETS, -1, np.int64)
    following = np.empty(trust.size, np.int32)
    label = 0
    for seed in seeds:
        if part[seed] != 0:
            continue
        label += 1
        part[seed] = label
        bucket = push(seed, lengths, strides, trust, part, heads, tails, following)
        while bucket < BUCKETS:
            edge = heads[bucket]
            if edge < 0:
                bucket += 1
                continue
            heads[bucket] = following[edge]
            axis, lower = edge // values.size, edge % values.size
            upper = lower + strides[axis]
            if part[lower] == 0:
                known, reached = upper, lower
            elif part[upper] == 0:
                known, reached = lower, upper
            else:
                continue
            turns = np.round((values[reached] - values[known]) / TWO_PI)
            values[reached] -= np.float32(TWO_PI * turns)
            part[reached] = label
            best = push(reached, lengths, strides, trust, part, heads, tails, following)
            bucket = min(bucket, best)
    return part.reshape(phase.shape)
