"""Maps of many scans averaged in the template's space: a picture, never a measurement.

Each voxel's value is scattered to the template points around the place where the voxel lies, with
weights that fall off linearly; so a scan needs its coordinate map and no inverse of it. What is
measured of χ (:mod:`..regions`) comes from the scan's own grid, where no χ is ever resampled.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from ..spaces import apply_affine, bounding_box
from ..volumes import Volume

SPACING_MM = 2.0
MARGIN_MM = 4.0
LEAST_WEIGHT = 0.1
"""Of the weight inside a filled region; with less, a point is beyond the edge of the map."""

_CHUNK = 2**20


def picture_grid(template: Volume) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and affine of a grid of 2 mm around a template (X, Y, Z) that is 0 outside the brain.

    Its axes point to R, A and S, and its first voxel is a voxel of the template.
    """
    box = bounding_box(template.data > 0)
    ends = np.array([[part.start, part.stop - 1] for part in box], float).T
    corners = apply_affine(template.affine, ends)
    low, high = corners.min(axis=0) - MARGIN_MM, corners.max(axis=0) + MARGIN_MM
    shape = np.ceil((high - low) / SPACING_MM).astype(int) + 1
    affine = np.diag([SPACING_MM, SPACING_MM, SPACING_MM, 1.0])
    affine[:3, 3] = low
    return tuple(int(length) for length in shape), affine


def scatter(
    values: np.ndarray,
    points: np.ndarray,
    voxel_size: tuple[float, float, float],
    shape: tuple[int, ...],
    affine: np.ndarray,
) -> np.ndarray:
    """Weighted mean of the values around each point of an isotropic, RAS-aligned grid.

    Parameters
    ----------
    values
        Values (N,) of voxels, any unit.
    points
        Where these voxels lie (N, 3), RAS mm of the grid's space.
    voxel_size
        Edges of these voxels in mm. A value's weight falls to 0 over the largest of them or one
        step of the grid, whichever is more, so that thick slices leave no gaps.
    shape, affine
        The grid.

    Returns
    -------
    Float32 map of ``shape``; NaN where no or hardly any value lies (:data:`LEAST_WEIGHT`).
    """
    spacing = float(affine[0, 0])
    reach = max(spacing, *voxel_size) / spacing
    size = int(np.prod(shape))
    total, weight = np.zeros(size), np.zeros(size)
    for start in range(0, len(values), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        index = (points[chunk] - affine[:3, 3]) / spacing
        _add(values[chunk].astype(float), index, reach, shape, total, weight)
    filled = reach**3 * spacing**3 / np.prod(voxel_size)
    with np.errstate(invalid="ignore"):
        mean = np.where(weight >= LEAST_WEIGHT * filled, total / weight, np.nan)
    return mean.reshape(shape).astype(np.float32)


def _add(
    values: np.ndarray,
    index: np.ndarray,
    reach: float,
    shape: tuple[int, ...],
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Add ``values`` at the fractional grid ``index`` (N, 3) to the sums of values and weights."""
    below = np.floor(index).astype(np.int64)
    part = index - below
    # a voxel of 2.0000001 mm would ask for 64 nodes in place of 8, most of them of no weight
    nodes = int(np.ceil(reach - 1e-3))
    steps = range(1 - nodes, nodes + 1)
    for step in product(steps, repeat=3):
        node = below + step
        near = np.maximum(1 - np.abs(part - step) / reach, 0).prod(axis=1)
        inside = ((node >= 0) & (node < shape)).all(axis=1) & (near > 0)
        flat = np.ravel_multi_index(tuple(node[inside].T), shape)
        weight += np.bincount(flat, near[inside], len(weight))
        total += np.bincount(flat, near[inside] * values[inside], len(total))


def average(participants: Iterable[Iterable[np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over participants, each of whom counts once however many maps there are of them.

    Parameters
    ----------
    participants
        For each participant the maps, all of one shape, NaN where they have no value. They are
        taken one at a time, so that of files never more than one participant's are in memory.

    Returns
    -------
    mean, n
        Mean (float32), NaN where fewer than half of the participants have a value, and the number
        of participants that have one (int32). A participant without any value is not counted.

    Raises
    ------
    ValueError
        If there is no participant.
    """
    total = count = None
    n_participants = 0
    for maps in participants:
        own = _mean(maps)
        if total is None or count is None:
            total, count = np.zeros(own.shape), np.zeros(own.shape, np.int32)
        seen = np.isfinite(own)
        total[seen] += own[seen]
        count += seen
        n_participants += bool(seen.any())
    if total is None or count is None:
        raise ValueError("no participants")
    kept = (count > 0) & (2 * count >= n_participants)
    mean = np.full(total.shape, np.nan, np.float32)
    mean[kept] = total[kept] / count[kept]
    return mean, count


def _mean(maps: Iterable[np.ndarray]) -> np.ndarray:
    """Mean of one participant's maps, over those that have a value."""
    stack = np.stack(list(maps))
    count = np.isfinite(stack).sum(axis=0)
    return np.where(count > 0, np.nansum(stack, axis=0) / np.maximum(count, 1), np.nan)
