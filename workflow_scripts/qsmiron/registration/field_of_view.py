"""What of a region lies beyond the scan's field of view: a slab shows parts of regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from ..spaces import apply_affine, bounding_box, look_up
from ..volumes import Volume, read_json

TISSUES_BEYOND = "tissue_voxels_beyond"
"""Key of ``registration.json``."""

_LARGEST_MARGIN = 4
"""No brain reaches farther beyond the field of view than so many times its length."""


def voxels_beyond(labels: np.ndarray, points: np.ndarray, image: Volume) -> dict[int, int]:
    """How many voxels of each label lie beyond the grid, were it to go on.

    Parameters
    ----------
    labels : ndarray of int, shape (X, Y, Z)
        Labels on the scan's grid.
    points : ndarray of float, shape (X, Y, Z, 3)
        Where its voxels lie in the label image (RAS mm). Beyond the grid they go on from its edge
        by the median step of the labelled voxels.
    image : Volume
        The label image, (A, B, C) int.

    Returns
    -------
    dict of label to number
        Labels of which nothing was found beyond are left out. Where no voxel of the scan bears a
        label, nothing is known of what lies beyond: all are left out.
    """
    if not labels.any() or min(labels.shape) < 2:
        return {}
    steps = np.stack([_median_step(points, labels, axis) for axis in range(3)], axis=-1)
    if abs(np.linalg.det(steps)) < np.finfo(np.float32).eps:
        return {}
    source = Volume(image.data.astype(np.int32), image.affine)
    found = np.zeros(int(source.data.max()) + 1, np.int64)
    for index in _beyond(labels.shape, _reach(labels, points, steps, source)):
        inside = np.clip(index, 0, np.array(labels.shape) - 1)
        edge = points[tuple(np.moveaxis(inside, -1, 0))]
        there = edge + (index - inside) @ steps.T
        found += np.bincount(
            look_up(source.data, source.affine, there, order=0).ravel(), minlength=found.size
        )
    return {int(label): int(found[label]) for label in np.flatnonzero(found) if label}


def tissues_beyond(
    classes: np.ndarray, covered: np.ndarray, affine: np.ndarray, grid: np.ndarray
) -> dict[str, int]:
    """Voxels of the scan's size that each tissue has beyond its field of view.

    ``classes`` (X, Y, Z) int are the tissues on the T1w's grid with this ``affine``, ``covered``
    (X, Y, Z) bool what of it the scan covers, ``grid`` the affine of the scan.
    """
    ratio = abs(np.linalg.det(affine[:3, :3]) / np.linalg.det(grid[:3, :3]))
    counts = np.bincount(classes[~covered & (classes > 0)])
    return {str(label): round(ratio * int(counts[label])) for label in np.flatnonzero(counts)}


def read_tissues_beyond(path: str | Path) -> dict[int, int]:
    """Voxels beyond the field of view by tissue, as ``registration.json`` has them."""
    found = read_json(path).get(TISSUES_BEYOND, {})
    return {int(label): int(number) for label, number in found.items()}


def _median_step(points: np.ndarray, labels: np.ndarray, axis: int) -> np.ndarray:
    """Step (3,) in mm from one voxel to the next along an axis, where both bear labels if any do.

    The median, since far from the brain coordinates are coarse.
    """
    along, labelled = np.moveaxis(points, axis, 0), np.moveaxis(labels, axis, 0) != 0
    both = labelled[1:] & labelled[:-1]
    both = both if both.any() else labelled[1:] | labelled[:-1]
    return np.median((along[1:][both] - along[:-1][both]).astype(float), axis=0)


def _reach(
    labels: np.ndarray, points: np.ndarray, steps: np.ndarray, image: Volume
) -> list[tuple[int, int]]:
    """Along each axis, how many voxels before and behind the grid labels may lie."""
    shape = np.array(labels.shape)
    first = np.argwhere(labels)[0]
    box = bounding_box(image.data != 0)
    ends = [(part.start - 0.5, part.stop - 0.5) for part in box]
    corners = apply_affine(image.affine, np.array(list(product(*ends)), float))
    index = first + (corners - points[tuple(first)]) @ np.linalg.inv(steps).T
    # the grid's own warp may put the labels some voxels farther out
    spare = np.ceil(0.1 * (index.max(axis=0) - index.min(axis=0)))
    before = np.clip(np.ceil(-index.min(axis=0) + spare), 0, _LARGEST_MARGIN * shape)
    behind = np.clip(np.ceil(index.max(axis=0) + spare - (shape - 1)), 0, _LARGEST_MARGIN * shape)
    return [(int(low), int(high)) for low, high in zip(before, behind, strict=True)]


def _beyond(shape: Sequence[int], reach: Sequence[tuple[int, int]]) -> Iterator[np.ndarray]:
    """Indices (A, B, C, 3) of the voxels around a grid, in layers of boxes that do not overlap."""
    bounds = [(0, length) for length in shape]
    for axis, (before, behind) in enumerate(reach):
        wide = [
            (-reach[other][0], shape[other] + reach[other][1]) if other < axis else bounds[other]
            for other in range(3)
        ]
        for start, stop in ((-before, 0), (shape[axis], shape[axis] + behind)):
            for layer in range(start, stop):
                box = [*wide]
                box[axis] = (layer, layer + 1)
                yield np.stack(
                    np.meshgrid(*(np.arange(*each) for each in box), indexing="ij"), axis=-1
                )
