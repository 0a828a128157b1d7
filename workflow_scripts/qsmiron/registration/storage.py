"""Storage order: an image's array axes as near to right, anterior, superior as flips bring them.

The same image stored as RAS, LAS or PIR must give the same labels, voxel by voxel. Random sampling,
sums and the corner that a grid begins at follow the storage order, so registration works on one.
"""

from __future__ import annotations

import numpy as np
from nibabel import orientations

from ..volumes import Volume

ORIGIN_STEP_MM = 1e-3
"""Files keep origins as float32, so storage orders of one image differ by some 1e-5 mm."""


def nearest_to_ras(volume: Volume) -> tuple[Volume, np.ndarray]:
    """The image (X, Y, Z) in the storage order nearest to RAS, and how its axes were turned.

    No voxel changes its value or, by more than :data:`ORIGIN_STEP_MM`, its place.
    """
    turn = orientations.io_orientation(volume.affine)
    data = np.ascontiguousarray(orientations.apply_orientation(volume.data, turn))
    affine = volume.affine @ orientations.inv_ornt_aff(turn, volume.data.shape)
    affine[:3, 3] = np.round(affine[:3, 3] / ORIGIN_STEP_MM) * ORIGIN_STEP_MM
    return Volume(data, affine), turn


def as_stored(data: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Values (X, Y, Z[, …]) on the grid of :func:`nearest_to_ras`, in the first storage order."""
    ras = orientations.axcodes2ornt("RAS")
    back = orientations.ornt_transform(ras, turn)
    return np.ascontiguousarray(orientations.apply_orientation(data, back))
