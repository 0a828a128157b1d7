"""Storage order and frame: what must not matter to a registration is made the same before it.

The same image stored as RAS, LAS or PIR must give the same labels, voxel by voxel, and so must a
patient who lies turned in the scanner. Random sampling, sums and the corner that a grid begins at
follow the storage order, and RAS-aligned working grids the head's pose; so registration works on
one order (:func:`nearest_to_ras`) and in the frame of the T1w's own axes (:func:`straightened`).
"""

from __future__ import annotations

import numpy as np
from nibabel import orientations

from ..volumes import Volume

ORIGIN_STEP_MM = 1e-3
"""Files keep origins as float32, so storage orders of one image differ by some 1e-5 mm."""

AXIS_STEP_MM = 1e-6
"""The same for the steps from voxel to voxel."""


def nearest_to_ras(volume: Volume) -> tuple[Volume, np.ndarray]:
    """The image (X, Y, Z) in the storage order nearest to RAS, and how its axes were turned.

    No voxel changes its value or its place.
    """
    turn = orientations.io_orientation(volume.affine)
    data = np.ascontiguousarray(orientations.apply_orientation(volume.data, turn))
    affine = volume.affine @ orientations.inv_ornt_aff(turn, volume.data.shape)
    return Volume(data, affine), turn


def own_frame(affine: np.ndarray) -> np.ndarray:
    """Rotation (4, 4) that takes the axes nearest to an image's own to those of the scanner.

    ``affine`` is that of a volume in the order of :func:`nearest_to_ras`; upright scans give the
    identity.
    """
    left, _, right = np.linalg.svd(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    frame = np.eye(4)
    frame[:3, :3] = left @ right
    return frame


def straightened(volume: Volume, frame: np.ndarray) -> Volume:
    """The image with its points in ``frame`` instead of the scanner's axes; places are rounded."""
    affine = frame.T @ volume.affine
    affine[:3, :3] = np.round(affine[:3, :3] / AXIS_STEP_MM) * AXIS_STEP_MM
    affine[:3, 3] = np.round(affine[:3, 3] / ORIGIN_STEP_MM) * ORIGIN_STEP_MM
    return Volume(volume.data, affine)


def as_stored(data: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Values (X, Y, Z[, …]) on the grid of :func:`nearest_to_ras`, in the first storage order."""
    ras = orientations.axcodes2ornt("RAS")
    back = orientations.ornt_transform(ras, turn)
    return np.ascontiguousarray(orientations.apply_orientation(data, back))
