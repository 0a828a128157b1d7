"""Thresholded k-space division: the quick, closed-form inversion.

Shmueli et al., Magn Reson Med 2009, doi 10.1002/mrm.22135; the correction of its
underestimation after Schweser et al., Magn Reson Med 2013, doi 10.1002/mrm.24405.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spaces import bounding_box
from ..spectral import dipole_kernel, inverse, padded_shape, transform

MARGIN_MM = 24.0
"""Zero padding between the brain and its periodic copy."""


class TkdParameters(Parameters):
    """Parameters of thresholded k-space division."""

    threshold: float = Field(
        0.15,
        gt=0,
        lt=2 / 3,
        description="dipole kernel values below this, in magnitude, are replaced by it (1)",
    )


def thresholded_division(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: TkdParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from a local field (X, Y, Z; ppm).

    ``magnitude`` is not used. The result is divided by the peak of the point-spread function, so
    that thresholding does not shrink it.
    """
    box = bounding_box(mask)
    crop = mask[box].shape
    shape = padded_shape(crop, [int(np.ceil(MARGIN_MM / edge)) for edge in voxel_size])
    dipole = dipole_kernel(shape, voxel_size, b0_direction)
    clipped = np.copysign(np.maximum(np.abs(dipole), np.float32(parameters.threshold)), dipole)
    peak = inverse((dipole / clipped).astype(np.complex64), shape, (1, 1, 1))[0, 0, 0]
    spectrum = transform(np.where(mask[box], local_field[box], 0), shape, threads)
    spectrum /= clipped * peak
    chi = np.zeros(mask.shape, np.float32)
    chi[box] = np.where(mask[box], inverse(spectrum, shape, crop, threads), 0)
    return chi
