"""The smooth part of χ that no field can tell, found from the tissues instead.

A smooth χ with χ_xx + χ_yy = 2 χ_zz (z along B0) makes a field that is harmonic in the brain, as
a background is: linear functions of position and five of the six quadratic ones, r² among them,
fulfil it exactly. Data leave this part of χ open. Total variation fills it with a bias of several
ppb from the brain's centre to its surface, since it wants the cortex as low as the white matter
beneath.

Tissue knows better: grey and white matter have their χ all over the brain. A mixture of classes is
fitted to the χ of all voxels together with such a polynomial, as is done for the bias field of
T1-weighted images (Wells et al., IEEE Trans Med Imaging 1996, doi 10.1109/42.511747; there the
field multiplies, here it adds). Near the mask's surface χ and background are hardest to tell apart,
hence voxels there do not vote. This is a prior: true differences between regions that follow the
same eight functions are removed with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..parameters import Parameters
from ..spaces import bounding_box

PPB = 1e-3
LARGEST_SAMPLE = 100_000
OUTLIER_SHARE = 0.05
"""Voxels expected outside all classes at the start: veins, calcifications, errors."""
SMALLEST_SD_PPB = 4.0
LEAST_DEEP_SHARE = 0.1
"""If less of the mask lies deeper than its rim, all of it counts."""


class TissueParameters(Parameters):
    """Parameters of the tissue classes that settle the smooth part of χ."""

    starts: tuple[float, ...] = Field(
        (20.0, 50.0, 75.0),
        min_length=2,
        description="one class starts at each of these percentiles of χ (%)",
    )
    rim: float = Field(
        6.0,
        ge=0,
        le=50,
        description="voxels this close to the mask's surface, where χ and background are hardest "
        "to tell apart, have no say (mm)",
    )
    iterations: int = Field(60, ge=1, le=1000, description="expectation-maximisation steps (1)")
    least_separation: float = Field(
        10.0,
        ge=0,
        description="where the classes' means end up closer than this, χ is left as it is (ppb)",
    )


def null_polynomials(
    mask: np.ndarray, voxel_size: Sequence[float], b0_direction: Sequence[float]
) -> np.ndarray:
    """The eight smooth functions of position whose field is harmonic.

    Returns
    -------
    float32 (8, n) at the mask's voxels in C order, each with mean 0 and SD 1: linear functions
    across (2) and along B0, their three products, the difference of squares across it, and r².
    """
    b = np.asarray(b0_direction, float)
    b = b / np.linalg.norm(b)
    first = np.cross(b, np.eye(3)[np.argmin(np.abs(b))])
    first /= np.linalg.norm(first)
    points = np.argwhere(mask) * np.asarray(voxel_size, float)
    points -= points.mean(axis=0)
    x, y, z = (points @ axis for axis in (first, np.cross(b, first), b))
    functions = np.stack([x, y, z, x * y, y * z, z * x, x**2 - y**2, x**2 + y**2 + z**2])
    functions -= functions.mean(axis=1, keepdims=True)
    spread = functions.std(axis=1, keepdims=True)
    return (functions / np.where(spread > 0, spread, 1)).astype(np.float32)


def smooth_chi(
    chi: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: TissueParameters,
) -> np.ndarray:
    """The smooth part that has to be taken off ``chi`` for the tissues to have one χ each.

    Parameters
    ----------
    chi : susceptibility (X, Y, Z), ppm.
    mask : boolean.
    voxel_size : mm.
    b0_direction : B0 along the array axes.
    parameters : see :class:`TissueParameters`.

    Returns
    -------
    float32 (X, Y, Z), ppm: a combination of :func:`null_polynomials`, 0 outside the mask, and 0
    everywhere if the classes cannot be told apart.
    """
    functions = null_polynomials(mask, voxel_size, b0_direction)
    smooth = np.zeros(mask.shape, np.float32)
    # Where no two tissues lie deep in the mask, the rim has to tell.
    for voting in (_deeper(mask, voxel_size, parameters.rim), mask):
        sample = np.flatnonzero(voting[mask])
        sample = sample[:: max(1, len(sample) // LARGEST_SAMPLE)]
        values = chi[mask][sample].astype(float) / PPB
        weights, means = _fit_classes(values, functions[:, sample].T.astype(float), parameters)
        if means.max() - means.min() >= parameters.least_separation:
            smooth[mask] = sum(
                np.float32(PPB * weight) * function
                for weight, function in zip(weights, functions, strict=True)
            )
            break
    return smooth


def _deeper(mask: np.ndarray, voxel_size: Sequence[float], rim: float) -> np.ndarray:
    """The mask without its rim (mm), or all of it where too little would be left."""
    box = bounding_box(mask)
    depth = ndimage.distance_transform_edt(np.pad(mask[box], 1), sampling=voxel_size)
    deeper = np.zeros_like(mask)
    deeper[box] = depth[1:-1, 1:-1, 1:-1] > rim
    return deeper if deeper.sum() >= LEAST_DEEP_SHARE * mask.sum() else mask


def _fit_classes(
    values: np.ndarray, functions: np.ndarray, parameters: TissueParameters
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (8,) of the functions (n, 8) and means of the classes (ppb), by EM on values (n,)."""
    from .tissue_loops import assign, normal_equations

    means = np.percentile(values, parameters.starts)
    count = len(means)
    sds = np.full(count, max(values.std() / 2, SMALLEST_SD_PPB))
    shares = np.full(count, (1 - OUTLIER_SHARE) / count)
    outliers = OUTLIER_SHARE
    span = max(np.ptp(np.percentile(values, (0.1, 99.9))), 1.0)
    weights = np.zeros(functions.shape[1])
    ridge = 1e-6 * len(values) / max(values.var(), SMALLEST_SD_PPB**2) * np.eye(len(weights))
    member = np.empty((len(values), count))
    functions = np.ascontiguousarray(functions)
    for _ in range(parameters.iterations):
        heights = shares / (np.sqrt(2 * np.pi) * sds)
        (totals, firsts, squares), outside = assign(
            values, functions, weights, means, sds, heights, outliers / span, member
        )
        outliers = outside / len(values)
        sums = np.maximum(totals, 1e-9)
        shares = sums / len(values)
        means = firsts / sums
        spread = np.maximum(squares - 2 * means * firsts + means**2 * totals, 0)
        sds = np.maximum(np.sqrt(spread / sums), SMALLEST_SD_PPB)
        matrix, right = normal_equations(values, functions, means, sds, member)
        weights = np.linalg.solve(matrix + ridge, right)
    return weights, means
