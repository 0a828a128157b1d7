"""Points, grids and affine maps between spaces.

Every point here is in RAS millimetres of its space (GRE, T1w: scanner; template: MNI). A map from
space A to space B takes *points* of A to points of B, so that an image of B is looked up on a grid
of A: the template seen in the subject needs the map subject → template.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .errors import InputError, Problem
from .volumes import Volume, voxel_size


def grid_points(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """RAS mm (X, Y, Z, 3), float32, of every voxel of a grid."""
    axes = [
        np.arange(length, dtype=np.float32)[:, None] * affine[:3, axis].astype(np.float32)
        for axis, length in enumerate(shape[:3])
    ]
    origin = affine[:3, 3].astype(np.float32)
    return (
        axes[0][:, None, None, :] + axes[1][None, :, None, :] + axes[2][None, None, :, :] + origin
    )


def apply_affine(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """``matrix`` (4, 4) applied to ``points`` (…, 3), in the precision of the points."""
    matrix = np.asarray(matrix)
    return points @ matrix[:3, :3].T.astype(points.dtype) + matrix[:3, 3].astype(points.dtype)


def look_up(
    data: np.ndarray,
    affine: np.ndarray,
    points: np.ndarray,
    order: int = 1,
    outside: float | None = 0.0,
) -> np.ndarray:
    """Values of an image (X, Y, Z) with this ``affine`` at ``points`` (…, 3) mm of its space.

    ``order`` 0 is the nearest voxel, 1 trilinear, 3 cubic spline. Beyond the image's edge voxels
    the value is ``outside``; with None, that of the nearest edge voxel.
    """
    index = np.moveaxis(apply_affine(np.linalg.inv(affine), points), -1, 0)
    mode, value = ("nearest", 0.0) if outside is None else ("constant", outside)
    if order == 0:
        return _nearest(data, index, outside)
    return ndimage.map_coordinates(
        data, index, order=order, mode=mode, cval=value, output=np.float32, prefilter=order > 1
    )


def _nearest(data: np.ndarray, index: np.ndarray, outside: float | None) -> np.ndarray:
    whole = np.floor(index + 0.5).astype(np.int32)
    inside = np.ones(whole.shape[1:], bool)
    for axis, length in enumerate(data.shape):
        inside &= (whole[axis] >= 0) & (whole[axis] < length)
        np.clip(whole[axis], 0, length - 1, out=whole[axis])
    values = data[tuple(whole)]
    if outside is not None:
        values[~inside] = outside
    return values


def boxed_grid(
    points: np.ndarray, spacing: float, margin: float
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and affine of the RAS-aligned isotropic grid around ``points`` (…, 3) plus a margin.

    ``spacing`` and ``margin`` in mm.
    """
    flat = points.reshape(-1, 3)
    low, high = flat.min(axis=0) - margin, flat.max(axis=0) + margin
    shape = np.ceil((high - low) / spacing).astype(int) + 1
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low
    return tuple(int(length) for length in shape), affine


def bounding_box(mask: np.ndarray, margin: int = 0) -> tuple[slice, slice, slice]:
    """Slices of the smallest box that holds ``mask`` (boolean, 3D) plus ``margin`` voxels.

    Raises :class:`InputError` if the mask is empty.
    """
    if not mask.any():
        raise InputError(
            Problem("mask", "an empty mask", "at least one voxel inside", "See how it was made.")
        )
    slices = []
    for axis, length in enumerate(mask.shape):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        start, stop = int(inside[0]), int(inside[-1]) + 1
        slices.append(slice(max(0, start - margin), min(length, stop + margin)))
    return slices[0], slices[1], slices[2]


def crop(volume: Volume, box: tuple[slice, ...]) -> Volume:
    """The part of ``volume`` inside ``box``, with the affine of that part."""
    affine = volume.affine.copy()
    affine[:3, 3] = apply_affine(affine, np.array([float(part.start) for part in box]))
    return Volume(np.ascontiguousarray(volume.data[box]), affine)


def corners(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """RAS mm of the eight corner voxels of a grid, (8, 3)."""
    index = np.array(np.meshgrid(*[(0, length - 1) for length in shape[:3]])).reshape(3, -1).T
    return apply_affine(affine, index.astype(float))


def resample(
    volume: Volume, shape: tuple[int, ...], affine: np.ndarray, order: int = 1
) -> np.ndarray:
    """An image on another grid, smoothed first where that grid is coarser; float32."""
    spacing, target = np.array(volume.voxel_size), np.array(voxel_size(affine))
    excess = np.sqrt(np.maximum(target.min() ** 2 - spacing**2, 0)) / 2.355
    data = volume.data.astype(np.float32)
    if (excess > 0.1).any():
        data = ndimage.gaussian_filter(data, excess / spacing, truncate=3)
    return look_up(data, volume.affine, grid_points(shape, affine), order)


def decimate(volume: Volume, factor: int, sigma: float) -> Volume:
    """Every ``factor``-th voxel after Gaussian smoothing of ``sigma`` coarse voxels."""
    if factor == 1 and not sigma:
        return Volume(volume.data.astype(np.float32), volume.affine)
    data = volume.data.astype(np.float32)
    offset = (factor - 1) // 2
    for axis in range(3):  # what is left out needs no smoothing along the other axes
        if sigma:
            data = ndimage.gaussian_filter1d(data, sigma * factor, axis, truncate=3)
        data = data[(slice(None),) * axis + (slice(offset, None, factor),)]
    affine = volume.affine.copy()
    affine[:3, 3] = apply_affine(volume.affine, np.full(3, float(offset)))
    affine[:3, :3] *= factor
    return Volume(np.ascontiguousarray(data), affine)


def rigid_motion(matrix: np.ndarray) -> tuple[float, float]:
    """Rotation angle (degrees) and length of the translation (mm) of a rigid map (4, 4)."""
    cosine = np.clip((np.trace(matrix[:3, :3]) - 1) / 2, -1, 1)
    return float(np.degrees(np.arccos(cosine))), float(np.linalg.norm(matrix[:3, 3]))


def box_of(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """The least and greatest coordinates (2, 3; RAS mm) of the edges of a grid."""
    ends = np.stack([np.full(3, -0.5), np.array(shape[:3]) - 0.5])
    corners = np.array(np.meshgrid(*ends.T)).reshape(3, -1).T
    points = corners @ affine[:3, :3].T + affine[:3, 3]
    return np.stack([points.min(axis=0), points.max(axis=0)])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the smaller of two boxes that lies in the other."""
    shared = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
    smaller = min(np.prod(one[1] - one[0]), np.prod(other[1] - other[0]))
    return float(np.prod(np.clip(shared, 0, None)) / smaller) if smaller > 0 else 0.0
