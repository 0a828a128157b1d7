"""From the template back to the scan: the inverse of a coordinate map, and maps carried through it.

For whoever compares maps voxel by voxel in the template's space. What this workflow measures stays
on the scan's own grid.
"""

from __future__ import annotations

import numpy as np

from ..spaces import apply_affine, bounding_box, grid_points, look_up
from ..volumes import Volume
from .coordinates import NOWHERE_MM, is_registered

ITERATIONS = 60
TOLERANCE_MM = 0.02
LARGEST_MISS_MM = 0.5
"""A point that stays farther from where it should be has no counterpart in the scan."""

MARGIN_MM = 12.0
"""What of the scan is taken around the template's brain, to fit the affine part."""

LEAST_SHARE = 0.5
"""Of a point's neighbours in the scan, weighted as the interpolation does, in the mask."""


def invert_coordinates(coordinates: Volume, template: Volume) -> np.ndarray:
    """Scanner RAS mm (X, Y, Z, 3; float32) of each voxel of the template's brain, else NOWHERE.

    ``coordinates`` (X, Y, Z, 3) are the template RAS mm of every voxel of the scan, ``template``
    (X, Y, Z) is 0 outside the brain. By fixed-point iteration (Chen et al., Med Phys 2008, doi
    10.1118/1.2816107): with A the affine map that fits the coordinates best and u what is left of
    them, x ← A⁻¹(p − u(x)).
    """
    inside = template.data > 0
    found = np.full((*template.data.shape, 3), NOWHERE_MM, np.float32)
    if not is_registered(coordinates.data):
        return found
    wanted = grid_points(template.data.shape, template.affine)[inside]
    affine = _affine_part(coordinates, wanted)
    voxels = grid_points(coordinates.data.shape[:3], coordinates.affine)
    left = coordinates.data - apply_affine(affine, voxels)
    back = np.linalg.inv(affine)
    points = apply_affine(back, wanted)
    for _ in range(ITERATIONS):
        moved = apply_affine(back, wanted - _at(left, coordinates.affine, points))
        change = float(np.abs(moved - points).max())
        points = moved
        if change < TOLERANCE_MM:
            break
    there = apply_affine(affine, points) + _at(left, coordinates.affine, points)
    covered = look_up(np.ones(coordinates.data.shape[:3], np.float32), coordinates.affine, points)
    right = (np.abs(there - wanted).max(axis=-1) < LARGEST_MISS_MM) & (covered > LEAST_SHARE)
    found[inside] = np.where(right[:, None], points, NOWHERE_MM)
    return found


def carry_mask(mask: Volume, points: np.ndarray) -> np.ndarray:
    """A mask (bool) at scanner ``points`` (X, Y, Z, 3): where half of the neighbours are in it."""
    share = look_up(mask.data.astype(np.float32), mask.affine, points)
    return (share >= LEAST_SHARE) & is_somewhere(points)


def carry_map(
    image: Volume, mask: np.ndarray, points: np.ndarray, inside: np.ndarray
) -> np.ndarray:
    """An image (X, Y, Z) at scanner ``points`` (X, Y, Z, 3), by one trilinear interpolation.

    Of a point's neighbours those in the ``mask`` on the image's grid count, lest what is 0 outside
    dilute the edge. 0 where ``inside``, the mask in the template, is not.
    """
    weight = look_up(mask.astype(np.float32), image.affine, points)
    total = look_up(np.where(mask, image.data, 0).astype(np.float32), image.affine, points)
    kept = inside & (weight > 0)
    return np.divide(total, weight, out=np.zeros_like(total), where=kept)


def is_somewhere(points: np.ndarray) -> np.ndarray:
    """Which points (…, 3) have a place in the scan (bool)."""
    return (points > NOWHERE_MM / 2).any(axis=-1)


def _affine_part(coordinates: Volume, wanted: np.ndarray) -> np.ndarray:
    """The affine map (4, 4) that fits the coordinates around the ``wanted`` points best."""
    low, high = wanted.min(axis=0) - MARGIN_MM, wanted.max(axis=0) + MARGIN_MM
    near = ((coordinates.data > low) & (coordinates.data < high)).all(axis=-1)
    box = bounding_box(near)
    kept = near[box]
    voxels = grid_points(coordinates.data.shape[:3], coordinates.affine)[box][kept].astype(float)
    centre = voxels.mean(axis=0)
    design = np.c_[voxels - centre, np.ones(len(voxels))]
    fitted, *_ = np.linalg.lstsq(design, coordinates.data[box][kept].astype(float), rcond=None)
    affine = np.eye(4)
    affine[:3, :3] = fitted[:3].T
    affine[:3, 3] = fitted[3] - fitted[:3].T @ centre
    return affine


def _at(field: np.ndarray, affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A vector field (X, Y, Z, 3) at points; beyond its grid, as it is at the edge."""
    parts = [look_up(field[..., axis], affine, points, outside=None) for axis in range(3)]
    return np.stack(parts, axis=-1)
