"""Total-variation inversion by ADMM with the data term restricted to the mask.

min over χ of ½‖w(Dχ − f)‖² + λ‖∇χ‖₁. Splitting both the gradient and the field makes every
update closed-form. Bilgic et al., Magn Reson Med 2015, doi 10.1002/mrm.25029; the weighted,
split data term after Milovic et al., Magn Reson Med 2018, doi 10.1002/mrm.27073.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spectral import (
    bounding_box,
    dipole_kernel,
    inverse,
    laplacian_kernel,
    padded_shape,
    transform,
)
from .shrinkage import GradientShrinkage


class TvParameters(Parameters):
    """Parameters of the total-variation inversion."""

    regularisation: float = Field(
        2e-4, gt=0, description="λ, weight of the total variation per mm (ppm·mm)"
    )
    rho: float = Field(2e-2, gt=0, description="penalty of the gradient splitting (1)")
    data_penalty: float = Field(1.0, gt=0, description="penalty of the field splitting (1)")
    iterations: int = Field(100, ge=1, le=2000, description="most iterations (1)")
    tolerance: float = Field(
        1e-3,
        ge=0,
        lt=1,
        description="stop when an iteration changes χ by less than this, relative (1)",
    )
    margin: float = Field(
        24.0, ge=0, le=200, description="zero padding between the brain and its copy (mm)"
    )


def total_variation(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: TvParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from a local field (X, Y, Z; ppm).

    ``magnitude`` (any unit), where given, weights the data: voxels below the median of the mask
    count less, none counts more than 1. Otherwise every voxel of the mask weighs 1.
    """
    box = bounding_box(mask)
    inside = mask[box]
    crop = inside.shape
    shape = padded_shape(crop, [int(np.ceil(parameters.margin / edge)) for edge in voxel_size])
    corner = tuple(slice(0, n) for n in crop)
    penalty, rho = np.float32(parameters.data_penalty), np.float32(parameters.rho)

    weight = inside.astype(np.float32)
    if magnitude is not None:
        median = np.median(magnitude[mask])
        weight *= np.minimum(magnitude[box] / max(median, np.finfo(np.float32).tiny), 1)
    weight **= 2
    # Only in the box is there data; elsewhere the field is whatever Dχ makes it.
    data = weight * np.where(inside, local_field[box], 0).astype(np.float32)
    weight = 1 / (weight + penalty)

    dipole = dipole_kernel(shape, voxel_size, b0_direction)
    system = penalty * dipole**2 + rho * laplacian_kernel(shape)
    system[0, 0, 0] = np.inf
    steps = [parameters.regularisation / (parameters.rho * edge) for edge in voxel_size]
    shrinkage = GradientShrinkage(shape, steps)
    x = np.zeros(shape, np.float32)
    field = np.zeros(shape, np.float32)  # D x
    dual = np.zeros(shape, np.float32)
    for _ in range(parameters.iterations):
        dual += field
        split = dual.copy()
        split[corner] *= penalty
        split[corner] += data
        split[corner] *= weight
        dual -= split
        split -= dual
        spectrum = transform(split, shape, threads)
        spectrum *= penalty * dipole
        spectrum += rho * transform(shrinkage.update(x), shape, threads)
        spectrum /= system
        previous, x = x, inverse(spectrum.copy(), shape, threads=threads)
        spectrum *= dipole
        field = inverse(spectrum, shape, threads=threads)
        previous -= x
        if np.linalg.norm(previous) <= parameters.tolerance * np.linalg.norm(x):
            break

    chi = np.zeros(mask.shape, np.float32)
    chi[box] = np.where(inside, x[corner], 0)
    return chi
