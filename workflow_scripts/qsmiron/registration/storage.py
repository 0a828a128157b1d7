"""The frame of a registration: how a patient lies in the scanner must not matter to it.

RAS-aligned working grids follow the head's pose; so registration works in the frame of the T1w's
own axes (:func:`straightened`), on images in one storage order (:mod:`..storage_order`).
"""

from __future__ import annotations

import numpy as np

from ..volumes import Volume

ORIGIN_STEP_MM = 1e-3
"""Files keep origins as float32, so storage orders of one image differ by some 1e-5 mm."""

AXIS_STEP_MM = 1e-6
"""The same for the steps from voxel to voxel."""


def own_frame(affine: np.ndarray) -> np.ndarray:
    """Rotation (4, 4) that takes the axes nearest to an image's own to those of the scanner.

    ``affine`` is that of a volume in the order of :func:`..storage_order.nearest_to_ras`; upright
    scans give the identity.
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
