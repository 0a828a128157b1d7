"""Closed-form inversion with a quadratic gradient regularisation: one division in k-space.

min over χ of ½‖Dχ − f‖² + ½λ‖∇χ‖², the gradient per mm. Bilgic et al., J Magn Reson Imaging 2014,
doi 10.1002/jmri.24365.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spaces import bounding_box
from ..spectral import dipole_kernel, inverse, laplacian_kernel, padded_shape, transform


class TikhonovParameters(Parameters):
    """Parameters of the closed-form inversion."""

    regularisation: float = Field(
        5e-3, gt=0, description="λ, weight of the squared gradient per mm (mm²)"
    )
    margin: float = Field(
        24.0, ge=0, le=200, description="zero padding between the brain and its copy (mm)"
    )


def closed_form_l2(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: TikhonovParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from a local field (X, Y, Z; ppm).

    ``voxel_size`` in mm, ``b0_direction`` along the array axes; ``magnitude`` is not used.
    """
    box = bounding_box(mask)
    crop = mask[box].shape
    shape = padded_shape(crop, [int(np.ceil(parameters.margin / edge)) for edge in voxel_size])
    dipole = dipole_kernel(shape, voxel_size, b0_direction)
    system = dipole**2
    system += np.float32(parameters.regularisation) * laplacian_kernel(shape, voxel_size)
    system[0, 0, 0] = np.inf  # the mean is arbitrary: it is set by the reference
    dipole /= system
    spectrum = transform(np.where(mask[box], local_field[box], 0), shape, threads)
    spectrum *= dipole
    chi = np.zeros(mask.shape, np.float32)
    chi[box] = np.where(mask[box], inverse(spectrum, shape, crop, threads), 0)
    return chi
