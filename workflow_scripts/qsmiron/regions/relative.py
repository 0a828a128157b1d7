"""Susceptibility of a region relative to one near it: what background removal hardly touches.

Fields of sources outside the brain, and what a method leaves of them, vary slowly in space: they
shift a region and its neighbour, or its mirror image, nearly alike. Two contrasts:

- right minus left (ppm), in the row of the right region;
- cortex minus the white matter next to it (ppm), as in the relative susceptibility of the motor
  cortex (Schweitzer et al. 2015, doi 10.2214/AJR.14.13459).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .label_table import Label
from .selection import CORTEX

LEAST_WHITE_MM3 = 100.0
"""With less white matter next to a region there is no contrast."""
_TOLERANCE_MM = 1e-3


def right_minus_left(labels: Sequence[Label], values: np.ndarray) -> np.ndarray:
    """Of every right region its value minus that of the left one of the same name, shape (R,).

    NaN in all other regions, and where either is NaN or a name is there twice on a side.
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        places[label.hemisphere, label.standard_name].append(place)
    found = np.full(len(labels), np.nan)
    for (side, name), right in places.items():
        left = places.get(("L", name), []) if side == "R" else []
        if len(right) == len(left) == 1:
            found[right] = values[right] - values[left]
    return found


def mean_adjacent_white(
    chi: np.ndarray,
    image: np.ndarray,
    labels: Sequence[Label],
    white: np.ndarray,
    voxel_size: Sequence[float],
    distance: float,
) -> np.ndarray:
    """Mean χ (ppm) of the white matter next to every region of the cortex, shape (R,).

    A voxel is next to a region if its centre is within ``distance`` of that of one of the region's
    voxels, and none of the other hemisphere's cortex is nearer.

    Parameters
    ----------
    chi : ndarray of float, shape (X, Y, Z)
        ppm.
    image : ndarray of int, shape (X, Y, Z)
        The regions. Their own voxels are never white matter here, whatever the tissue.
    labels : sequence of Label, length R
        A composite has the white matter next to any of its members, if all are cortex.
    white : ndarray of bool, shape (X, Y, Z)
        White matter with a reliable χ.
    voxel_size : three floats
        mm.
    distance : float
        mm.

    Returns
    -------
    ndarray
        NaN in what is no cortex, and with less than :data:`LEAST_WHITE_MM3` of white matter.
    """
    candidates = white & (image == 0)
    cortex = {label.index: label for label in labels if label.structure == CORTEX}
    plain = {index: label for index, label in cortex.items() if not label.members}
    of_side = {
        side: _distance(np.isin(image, _indices(plain, side)), voxel_size) for side in ("L", "R")
    }
    boxes = ndimage.find_objects(image)
    next_to = {}
    for index, label in plain.items():
        found = boxes[index - 1] if index <= len(boxes) else None
        next_to[index] = np.empty(0, dtype=np.int64)
        if found is not None:
            box = _wider(found, distance, voxel_size)
            near = _distance(image[box] == index, voxel_size)
            here = candidates[box] & (near <= distance + _TOLERANCE_MM)
            for side, other in of_side.items():
                if label.hemisphere in of_side and side != label.hemisphere:
                    here &= near <= other[box] + _TOLERANCE_MM
            voxels = np.argwhere(here) + [axis.start for axis in box]
            next_to[index] = np.ravel_multi_index(tuple(voxels.T), image.shape)
    means = np.full(len(labels), np.nan)
    for place, label in enumerate(labels):
        members = label.members or (label.index,)
        if not set(members) <= set(next_to):
            continue
        voxels = np.unique(np.concatenate([next_to[member] for member in members]))
        if voxels.size * np.prod(voxel_size) >= LEAST_WHITE_MM3:
            # in order of value: the sum must not depend on how the voxels are stored
            means[place] = np.sort(chi.reshape(-1)[voxels]).mean(dtype=np.float64)
    return means


def _indices(plain: dict[int, Label], side: str) -> list[int]:
    return [index for index, label in plain.items() if label.hemisphere == side]


def _distance(inside: np.ndarray, voxel_size: Sequence[float]) -> np.ndarray:
    """Distance (mm) to the nearest voxel that is ``inside``; infinite where there is none."""
    if not inside.any():
        return np.full(inside.shape, np.inf)
    return ndimage.distance_transform_edt(~inside, sampling=voxel_size)


def _wider(
    box: tuple[slice, ...], distance: float, voxel_size: Sequence[float]
) -> tuple[slice, ...]:
    """The box with all voxels within ``distance`` (mm) of it."""
    margins = [int(np.ceil((distance + _TOLERANCE_MM) / size)) for size in voxel_size]
    return tuple(
        slice(max(axis.start - margin, 0), axis.stop + margin)
        for axis, margin in zip(box, margins, strict=True)
    )
