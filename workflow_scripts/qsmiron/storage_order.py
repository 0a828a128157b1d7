"""Storage order: how an image's array axes run through the scanner, which must not change a result.

The same scan stored as RAS, LAS or PIR must give the same map, voxel by voxel. Sums, forward
differences and the corner that a grid begins at follow the order, so a step works on the one
nearest to RAS and writes its result as the scan is stored.
"""

from __future__ import annotations

import numpy as np

from .nifti import nib
from .volumes import Volume


def turn_to_ras(affine: np.ndarray) -> np.ndarray:
    """Which axis nearest to RAS each array axis of a grid becomes, and its sign (3, 2)."""
    return np.asarray(nib.orientations.io_orientation(affine))


def turned(data: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Values (…, X, Y, Z) in the order that ``turn`` leads to, laid out in memory as before."""
    first = data.ndim - 3
    flipped = np.flip(data, [first + axis for axis in range(3) if turn[axis, 1] < 0])
    axes = np.argsort(turn[:, 0]) + first
    return _laid_out(flipped.transpose(*range(first), *axes), data)


def as_stored(data: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Values (X, Y, Z[, …]) in the order that ``turn`` led to, in the first order again."""
    axes = turn[:, 0].astype(int)
    back = data.transpose(*axes, *range(3, data.ndim))
    return _laid_out(np.flip(back, [axis for axis in range(3) if turn[axis, 1] < 0]), data)


def turned_direction(direction: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """A vector (3,) along the stored axes, along those that ``turn`` leads to."""
    there = np.empty(3)
    there[turn[:, 0].astype(int)] = np.asarray(direction) * turn[:, 1]
    return there


def direction_as_stored(direction: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """A vector (3,) along the axes that ``turn`` led to, along the stored ones again."""
    return np.asarray(direction)[turn[:, 0].astype(int)] * turn[:, 1]


def nearest_to_ras(volume: Volume) -> tuple[Volume, np.ndarray]:
    """The image (X, Y, Z) in the storage order nearest to RAS, and how its axes were turned.

    No voxel changes its value or its place.
    """
    turn = turn_to_ras(volume.affine)
    affine = volume.affine @ nib.orientations.inv_ornt_aff(turn, volume.data.shape)
    return Volume(turned(volume.data, turn), affine), turn


def _laid_out(data: np.ndarray, like: np.ndarray) -> np.ndarray:
    """In the memory order of ``like``, for that is the order of sums over an array."""
    return np.asarray(data, order="F" if like.flags.f_contiguous else "C")
