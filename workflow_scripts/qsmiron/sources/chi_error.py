"""How far a map of χ is uncertain, told from what of the local field it does not explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..spectral import dipole_kernel, inverse, padded_shape, transform

MARGIN_MM = 24.0
WINDOW_MM = 5.0
CHI_PER_FIELD = 2.0
"""SD of χ over that of the field that is left: the dipole kernel's mean square is 4/45."""


def chi_error(
    chi: np.ndarray,
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    threads: int = 1,
) -> np.ndarray:
    """Standard deviation (X, Y, Z; float32 ppm) of ``chi`` by the misfit of the field around.

    ``chi`` and ``local_field`` in ppm; both count inside ``mask`` only.
    """
    margin = [int(np.ceil(MARGIN_MM / edge)) for edge in voxel_size]
    shape = padded_shape(chi.shape, margin)
    spectrum = transform(np.where(mask, chi, 0), shape, threads)
    spectrum *= dipole_kernel(shape, voxel_size, b0_direction)
    misfit = np.where(mask, local_field - inverse(spectrum, shape, chi.shape, threads), 0)
    window = [max(1, 2 * round((WINDOW_MM / edge - 1) / 2) + 1) for edge in voxel_size]
    share = ndimage.uniform_filter(mask.astype(np.float32), window)
    square = ndimage.uniform_filter((misfit**2).astype(np.float32), window)
    return np.float32(CHI_PER_FIELD) * np.sqrt(square / np.maximum(share, np.float32(1e-3)))
