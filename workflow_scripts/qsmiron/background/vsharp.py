"""V-SHARP: spherical-mean filtering with radii that shrink towards the edge of the brain.

The background field is harmonic in the brain, so its mean over a ball equals its value at the
ball's centre: subtracting the mean removes it. What this does to the local field is undone by a
regularised deconvolution with the largest ball.

Schweser et al., NeuroImage 2011, doi 10.1016/j.neuroimage.2010.10.070 (SHARP); Li et al.,
NeuroImage 2011, doi 10.1016/j.neuroimage.2010.11.088, and Wu et al., Magn Reson Med 2012,
doi 10.1002/mrm.23000 (variable radius).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import bounding_box
from ..spectral import inverse, padded_shape, sphere_kernel, transform


class VsharpParameters(Parameters):
    """Parameters of V-SHARP."""

    largest_radius: float = Field(
        12.0, gt=0, le=50, description="radius of the largest ball, deep in the brain (mm)"
    )
    smallest_radius: float = Field(
        1.0,
        gt=0,
        le=50,
        description="radius of the smallest ball, at the edge; the largest voxel edge where that "
        "is more (mm)",
    )
    step: float = Field(1.0, gt=0, le=10, description="step between radii (mm)")
    threshold: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="deconvolution: spatial frequencies that the filter passes by less than "
        "this are left out (1)",
    )


def radii(parameters: VsharpParameters, voxel_size: Sequence[float]) -> np.ndarray:
    """The radii (mm) from the largest to the smallest that still spans a voxel."""
    smallest = max(parameters.smallest_radius, *voxel_size)
    largest = max(parameters.largest_radius, smallest)
    count = int((largest - smallest) / parameters.step + 1e-6) + 1
    return largest - parameters.step * np.arange(count)


def vsharp(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: VsharpParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Local field by V-SHARP.

    Parameters
    ----------
    field : total field (X, Y, Z), ppm.
    mask : where the field is reliable, boolean.
    voxel_size : mm.
    b0_direction : not used: the method knows no dipoles.
    parameters : see :class:`VsharpParameters`.
    threads : workers of the FFTs.

    Returns
    -------
    local_field : float32 ppm, 0 outside ``local_mask``.
    local_mask : the mask without the rim that not even the smallest ball fits in.

    Raises
    ------
    InputError
        If no ball fits into the mask.
    """
    box = bounding_box(mask, margin=1)
    inside = np.pad(mask[box], 1)
    # A ball around a voxel stays inside exactly where the nearest voxel outside is farther away.
    depth = ndimage.distance_transform_edt(inside, sampling=voxel_size)[1:-1, 1:-1, 1:-1]
    sizes = radii(parameters, voxel_size)
    local_mask = depth > sizes[-1]
    if not local_mask.any():
        raise InputError(
            Problem(
                "mask",
                f"no voxel farther than {sizes[-1]:g} mm from its edge",
                "a mask thick enough for the smallest ball of V-SHARP",
                "Check the mask, or lower smallest_radius (not below a voxel's edge).",
            )
        )

    reach = [int(np.ceil(sizes[0] / edge)) for edge in voxel_size]
    shape = padded_shape(inside.shape, reach)
    crop = local_mask.shape
    masked = np.where(mask[box], field[box], 0).astype(np.float32)
    spectrum = transform(masked, shape, threads)
    filtered = np.zeros(crop, np.float32)
    upper = np.inf
    first_kernel = None
    for radius in sizes:
        shell = (depth > radius) & (depth <= upper)
        upper = radius
        if not shell.any():
            continue
        kernel = sphere_kernel(shape, voxel_size, radius)
        if first_kernel is None:
            first_kernel = kernel
        mean = inverse(spectrum * kernel, shape, crop, threads)
        filtered[shell] = masked[shell] - mean[shell]

    passed = 1 - first_kernel
    passed[np.abs(passed) < parameters.threshold] = np.inf
    spectrum = transform(filtered, shape, threads)
    spectrum /= passed
    local = np.zeros(field.shape, np.float32)
    local[box] = np.where(local_mask, inverse(spectrum, shape, crop, threads), 0)
    whole_mask = np.zeros(mask.shape, bool)
    whole_mask[box] = local_mask
    return local, whole_mask
