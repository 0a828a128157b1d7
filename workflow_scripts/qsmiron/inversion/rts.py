"""Rapid two-step inversion: well-conditioned spatial frequencies first, then the rest by TV.

Step 1 solves for χ where the dipole kernel is large, by a few iterations of a least-squares
solver. Step 2 keeps these frequencies and fills those near the kernel's zero cone so that the
total variation becomes least. Kames et al., NeuroImage 2018,
doi 10.1016/j.neuroimage.2017.11.018.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spaces import bounding_box
from ..spectral import (
    dipole_kernel,
    inverse,
    laplacian_kernel,
    padded_shape,
    spectral_inner_product,
    transform,
)
from ..total_variation.shrinkage import GradientShrinkage


class RtsParameters(Parameters):
    """Parameters of the rapid two-step inversion."""

    delta: float = Field(
        0.15,
        gt=0,
        lt=2 / 3,
        description="dipole kernel magnitude above which a spatial frequency is kept from the "
        "first step (1)",
    )
    mu: float = Field(
        1e5, gt=0, description="weight of the kept frequencies against total variation (1/ppm)"
    )
    rho: float = Field(10.0, gt=0, description="penalty of the gradient splitting (1/ppm)")
    iterations: int = Field(20, ge=1, le=500, description="iterations of the second step (1)")
    first_step_iterations: int = Field(
        8, ge=1, le=100, description="iterations of the least-squares first step (1)"
    )
    margin: float = Field(
        24.0, ge=0, le=200, description="zero padding between the brain and its copy (mm)"
    )


def rapid_two_step(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: RtsParameters,
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
    spectrum = transform(np.where(mask[box], local_field[box], 0), shape, threads)
    kept = _least_squares(dipole, spectrum, parameters.first_step_iterations)

    weight = np.where(np.abs(dipole) > parameters.delta, np.float32(parameters.mu), 0)
    kept *= weight
    curvature = np.float32(parameters.rho) * laplacian_kernel(shape)
    weight += curvature
    weight[0, 0, 0] = np.inf  # the mean is arbitrary: it is set by the reference
    penalty = np.float32(parameters.rho)
    shrinkage = GradientShrinkage(shape, [1 / (parameters.rho * edge) for edge in voxel_size])
    x = inverse(kept / weight, shape, threads=threads)
    for _ in range(parameters.iterations):
        target = transform(shrinkage.update(x), shape, threads)
        target *= penalty
        target += kept
        target /= weight
        x = inverse(target, shape, threads=threads)

    chi = np.zeros(mask.shape, np.float32)
    chi[box] = np.where(mask[box], x[tuple(slice(0, n) for n in crop)], 0)
    return chi


def _least_squares(dipole: np.ndarray, field: np.ndarray, iterations: int) -> np.ndarray:
    """Spectrum of χ after some conjugate-gradient iterations on D χ = f, started at 0.

    The early stop is the regularisation. Everything stays in k-space, where D is diagonal.
    """
    chi = np.zeros_like(field)
    residual = field * dipole
    direction = residual.copy()
    energy = spectral_inner_product(residual, residual)
    square = dipole**2
    for _ in range(iterations):
        if energy == 0:
            break
        image = square * direction
        step = energy / spectral_inner_product(direction, image)
        chi += np.float32(step) * direction
        residual -= np.float32(step) * image
        previous, energy = energy, spectral_inner_product(residual, residual)
        direction *= np.float32(energy / previous)
        direction += residual
    return chi
