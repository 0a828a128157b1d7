"""No background removal: the total field as it is, for inversions that deal with the background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..parameters import Parameters


class NoneParameters(Parameters):
    """There are none."""


def no_removal(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: NoneParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """The field (X, Y, Z; float32 ppm, 0 outside the mask) and the mask, unchanged."""
    return np.where(mask, field, 0).astype(np.float32), mask.copy()
