"""RESHARP: spherical-mean filtering with one ball, undone under Tikhonov regularisation.

The background field is harmonic in the brain, so its mean over a ball equals its value at the
ball's centre: S, which subtracts the mean, removes it wherever the ball stays inside. Of all the
local fields x that explain what S leaves there (M), the regularisation takes a small one: minimise
‖M S (f − x)‖² + λ‖x‖².

Sun & Wilman, Magn Reson Med 2014, doi 10.1002/mrm.24765.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import bounding_box
from ..spectral import (
    Shape,
    inverse,
    padded_shape,
    spectral_inner_product,
    sphere_kernel,
    transform,
)


class ResharpParameters(Parameters):
    """Parameters of RESHARP."""

    radius: float = Field(
        6.0,
        gt=0,
        le=50,
        description="radius of the ball, by which the mask shrinks; the largest voxel edge where "
        "that is more (mm)",
    )
    regularisation: float = Field(
        3e-4,
        gt=0,
        le=1,
        description="λ, weight of the local field's own energy against the data (1)",
    )
    iterations: int = Field(
        100, ge=1, le=2000, description="most iterations of the conjugate gradients (1)"
    )
    tolerance: float = Field(
        1e-4,
        ge=0,
        lt=1,
        description="stop when the preconditioned residual has fallen to this, relative (1)",
    )


def resharp(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: ResharpParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Local field by RESHARP.

    Parameters
    ----------
    field : total field (X, Y, Z), ppm.
    mask : where the field is reliable, boolean.
    voxel_size : mm.
    b0_direction : not used: the method knows no dipoles.
    parameters : see :class:`ResharpParameters`.
    threads : workers of the FFTs; they do not change the result.

    Returns
    -------
    local_field : float32 ppm, 0 outside ``local_mask``.
    local_mask : the mask eroded by the ball.

    Raises
    ------
    InputError
        If the ball fits nowhere into the mask.
    """
    radius = max(parameters.radius, *voxel_size)
    # A ball around a voxel stays inside exactly where the nearest voxel outside is farther away.
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=voxel_size)
    local_mask = depth[1:-1, 1:-1, 1:-1] > radius
    if not local_mask.any():
        raise InputError(
            Problem(
                "mask",
                f"no voxel farther than {radius:g} mm from its edge",
                "a mask thick enough for the ball of RESHARP",
                "Check the mask, or lower radius (not below a voxel's edge).",
            )
        )

    box = bounding_box(mask)
    inside = local_mask[box]
    # No margin: no ball that counts leaves the mask, so none wraps around the box.
    shape = padded_shape(inside.shape)
    passed = 1 - sphere_kernel(shape, voxel_size, radius)
    # The filter would remove a constant anyway; without it single precision reaches further.
    constant = field[mask].mean(dtype=np.float64)
    masked = np.where(mask[box], field[box] - constant, 0)
    spectrum = transform(masked, shape, threads)
    data = _filter_inside(spectrum, passed, inside, shape, threads)
    solution = _conjugate_gradients(data, passed, inside, shape, parameters, threads)
    local = np.zeros(field.shape, np.float32)
    local[box] = np.where(inside, inverse(solution, shape, inside.shape, threads), 0)
    return local, local_mask


def _filter_inside(
    spectrum: np.ndarray, passed: np.ndarray, inside: np.ndarray, shape: Shape, threads: int
) -> np.ndarray:
    """Spectrum of SᵀMS applied to the volume that ``spectrum`` belongs to."""
    filtered = inverse(spectrum * passed, shape, inside.shape, threads)
    image = transform(np.where(inside, filtered, 0), shape, threads)
    image *= passed
    return image


def _conjugate_gradients(
    data: np.ndarray,
    passed: np.ndarray,
    inside: np.ndarray,
    shape: Shape,
    parameters: ResharpParameters,
    threads: int,
) -> np.ndarray:
    """Spectrum of the x with (SᵀMS + λ) x = ``data``, started at 0.

    Everything but M is diagonal in k-space, so the vectors stay there and an iteration costs two
    FFTs. The preconditioner is the system of an unlimited mask, 1 / (S² + λ).
    """
    weight = np.float32(parameters.regularisation)
    preconditioner = 1 / (passed**2 + weight)
    solution = np.zeros_like(data)
    residual = data
    direction = residual * preconditioner
    energy = first = spectral_inner_product(residual, direction)
    for _ in range(parameters.iterations):
        if energy <= parameters.tolerance**2 * first:
            break
        image = _filter_inside(direction, passed, inside, shape, threads)
        image += weight * direction
        step = np.float32(energy / spectral_inner_product(direction, image))
        solution += step * direction
        image *= step
        residual -= image
        preconditioned = residual * preconditioner
        previous, energy = energy, spectral_inner_product(residual, preconditioned)
        direction *= np.float32(energy / previous)
        direction += preconditioned
    return solution
