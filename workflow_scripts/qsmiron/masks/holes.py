"""Holes of a mask."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def filled(mask: np.ndarray) -> np.ndarray:
    """The ``mask`` (X, Y, Z) bool with all that it encloses, by faces of voxels.

    What ``scipy.ndimage.binary_fill_holes`` gives, in one pass instead of one for each voxel of
    depth.
    """
    outside, _ = ndimage.label(np.pad(~mask, 1, constant_values=True))
    return outside[(slice(1, -1),) * mask.ndim] != outside.flat[0]
