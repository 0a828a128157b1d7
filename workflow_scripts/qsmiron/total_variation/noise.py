"""The noise of a field, told from the field itself."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

MEDIAN_OF_NORMAL = 0.6745
"""Median of the absolute value of a normal variable with SD 1."""


def field_noise(field: np.ndarray, mask: np.ndarray) -> float:
    """Noise (ppm) of a ``field`` (X, Y, Z; ppm) inside ``mask``, from its finest detail.

    The second difference along every axis at once is blind to anything smooth, and the median to
    what little anatomy is left. 6 per axis is the sum of the squared coefficients (Immerkær,
    Comput Vis Image Underst 1996, doi 10.1006/cviu.1996.0060, in three dimensions). 0 where the
    mask is nowhere thick enough to tell.
    """
    detail = np.where(mask, field, 0).astype(np.float32)
    window = [3 if n >= 3 else 1 for n in mask.shape]
    for axis, length in enumerate(window):
        if length == 3:
            weights = np.array([1, -2, 1]) / np.sqrt(6)
            detail = ndimage.correlate1d(detail, weights, axis=axis, mode="constant")
    inside = ndimage.binary_erosion(mask, np.ones(window, bool))
    if not inside.any():
        return 0.0
    return float(np.median(np.abs(detail[inside])) / MEDIAN_OF_NORMAL)
