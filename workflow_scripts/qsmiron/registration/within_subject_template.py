"""A template within the participant: the mean head of all visits, none of them preferred.

Every visit's T1w is moved rigidly, and only so, to a space halfway between all (Reuter et al. 2012,
Neuroimage 61:1402-1418, doi 10.1016/j.neuroimage.2012.02.084). A registration that took one visit
for the reference would blur the others alone, and what it measures of change would hang on which
one that is. Here each visit is treated as every other:

1. An affine map to the study's template, without its scale and shear, tells how each head lies.
2. Each visit is registered to the median of the others, and goes (n - 1)/n of the way, so that all
   together arrive at their mean; some rounds of this, each centred anew.
3. The template is the median of all visits there, each resampled once.

Sums over visits are exact, so that the order of the visits changes no bit. Where there is one T1w
alone, it is the template.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..parameters import Parameters
from ..spaces import apply_affine, boxed_grid, corners, grid_points, look_up, resample
from ..storage_order import nearest_to_ras
from ..volumes import Volume
from .same_contrast import SameContrastParameters, register_same_contrast
from .storage import own_frame, straightened
from .template_to_t1w import TemplateParameters, find_affine
from .within_subject import RigidParameters, evened

FINEST_MM = 0.7
"""The mean is on no finer grid: no step of the registration uses one."""


class AverageParameters(Parameters):
    """How the visits of a participant are averaged."""

    rounds: int = Field(2, ge=1, le=20, description="registrations of every visit (1)")
    rim: float = Field(4.0, ge=0, description="around the brain that the visits compare (mm)")
    rigid: SameContrastParameters = Field(
        SameContrastParameters(), description="T1w of a visit to that of the others"
    )


@dataclass(frozen=True)
class AveragedVisits:
    """``image``: the T1w of all visits; ``to_visits``: its RAS mm → each visit's (4, 4), rigid."""

    image: Volume
    to_visits: list[np.ndarray]


def average_visits(
    session: tuple[Any, Path],
    visits: Sequence[Volume],
    template: Volume,
    fit: TemplateParameters,
    rigid: RigidParameters,
    parameters: AverageParameters,
) -> AveragedVisits:
    """The template of one participant from the T1w of each visit.

    ``visits`` have any grid; ``template`` is the study's, 0 outside the brain; ``session`` is from
    :func:`.itk_bridge.ants_session`; ``fit`` and ``rigid`` are how heads are brought to the
    template and images of a head to each other.
    """
    upright = [nearest_to_ras(_contiguous(visit))[0] for visit in visits]
    frames = [own_frame(visit.affine) for visit in upright]
    heads = [straightened(visit, frame) for visit, frame in zip(upright, frames, strict=True)]
    if len(heads) == 1:
        return AveragedVisits(heads[0], frames)
    there = [np.linalg.inv(find_affine(session, head, template, fit)) for head in heads]
    brain = grid_points(template.data.shape, template.affine)[template.data > 0].astype(float)
    centre = brain.mean(axis=0)
    # of the template: how each head lies; of the mean place of all heads: the space between them
    poses = _centred([_rigid_part(matrix, centre) for matrix in there], centre)
    middle = _centre_of(poses.mean_map, centre)
    maps = poses.maps
    brightness = [
        float(np.median(look_up(head.data, head.affine, apply_affine(matrix, brain))))
        for head, matrix in zip(heads, there, strict=True)
    ]
    heads = [
        Volume(head.data.astype(np.float32) / np.float32(level or 1), head.affine)
        for head, level in zip(heads, brightness, strict=True)
    ]
    shape, grid = _grid(heads, maps)
    placed = [np.linalg.inv(m) @ matrix for m, matrix in zip(maps, there, strict=True)]
    near = _near(brain, _mean(placed), shape, grid, parameters.rim)
    for _ in range(parameters.rounds):
        seen = [_seen(head, matrix, shape, grid) for head, matrix in zip(heads, maps, strict=True)]
        share = (len(maps) - 1) / len(maps)
        moved = []
        for number, (head, start) in enumerate(zip(heads, maps, strict=True)):
            others = _median([image for each, image in enumerate(seen) if each != number])
            fixed = Volume(np.nan_to_num(others), grid)
            seen_by_all = near & np.isfinite(others)
            found = register_same_contrast(
                evened(fixed, rigid), evened(head, rigid), seen_by_all, start, parameters.rigid
            )
            step = np.linalg.inv(start) @ found
            moved.append(start @ _part_of(step, share, middle))
        maps = _centred(moved, middle).maps
    mean = _median([_seen(head, m, shape, grid) for head, m in zip(heads, maps, strict=True)])
    return AveragedVisits(
        Volume(np.nan_to_num(mean).astype(np.float32), grid),
        [frame @ matrix for frame, matrix in zip(frames, maps, strict=True)],
    )


def _centre_of(matrix: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Where a map (4, 4) takes a point (3,)."""
    return apply_affine(matrix, centre)


@dataclass(frozen=True)
class _Centred:
    """``maps`` from a space in which their mean is at rest, and ``mean_map`` that led there."""

    maps: list[np.ndarray]
    mean_map: np.ndarray


def _centred(maps: Sequence[np.ndarray], centre: np.ndarray) -> _Centred:
    """Rigid maps (4, 4) of one space, as maps of the space in the mean of their targets.

    The mean rotation is the one nearest to the mean matrix; the mean of where ``centre`` goes is
    where it stays.
    """
    left, _, right = np.linalg.svd(_mean(maps)[:3, :3])
    mean = np.eye(4)
    mean[:3, :3] = left @ right
    mean[:3, 3] = _mean([_centre_of(m, centre) for m in maps]) - mean[:3, :3] @ centre
    back = np.linalg.inv(mean)
    return _Centred([matrix @ back for matrix in maps], mean)


def _mean(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of small arrays, whose sums are exact: their order changes no bit."""
    flat = zip(*(array.ravel() for array in arrays), strict=True)
    return np.reshape([math.fsum(values) / len(arrays) for values in flat], arrays[0].shape)


def _rigid_part(matrix: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The rigid map (4, 4) with the rotation of an affine one that moves ``centre`` as it does."""
    left, _, right = np.linalg.svd(matrix[:3, :3])
    rigid = np.eye(4)
    rigid[:3, :3] = left @ right
    rigid[:3, 3] = _centre_of(matrix, centre) - rigid[:3, :3] @ centre
    return rigid


def _part_of(step: np.ndarray, share: float, centre: np.ndarray) -> np.ndarray:
    """A ``share`` of a rigid map (4, 4): of its angle, and of how far ``centre`` goes."""
    part = np.eye(4)
    angle = Rotation.from_matrix(step[:3, :3]).as_rotvec()
    part[:3, :3] = Rotation.from_rotvec(share * angle).as_matrix()
    end = centre + share * (_centre_of(step, centre) - centre)
    part[:3, 3] = end - part[:3, :3] @ centre
    return part


def _grid(
    heads: Sequence[Volume], maps: Sequence[np.ndarray]
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and affine of a grid around all heads, as fine as the finest of them, or nearly."""
    spacing = min(min(head.voxel_size) for head in heads)
    ends = [
        apply_affine(np.linalg.inv(matrix), corners(head.data.shape, head.affine))
        for head, matrix in zip(heads, maps, strict=True)
    ]
    return boxed_grid(np.concatenate(ends), round(max(spacing, FINEST_MM), 3), 0)


def _near(
    brain: np.ndarray,
    to_mean: np.ndarray,
    shape: tuple[int, int, int],
    grid: np.ndarray,
    rim: float,
) -> np.ndarray:
    """Where the template's ``brain`` (N, 3) comes to lie, and a rim around it; (X, Y, Z) bool."""
    index = np.rint(apply_affine(np.linalg.inv(grid) @ to_mean, brain)).astype(int)
    index = index[((index >= 0) & (index < shape)).all(axis=1)]
    there = np.zeros(shape, bool)
    there[tuple(index.T)] = True
    # half a voxel of the template may lie between two points
    steps = max(1, round(rim / grid[0, 0]))
    return ndimage.binary_dilation(ndimage.binary_fill_holes(there), iterations=steps)


def _seen(
    head: Volume, to_head: np.ndarray, shape: tuple[int, int, int], grid: np.ndarray
) -> np.ndarray:
    """A head on the grid of the mean space (cubic); NaN beyond its field of view."""
    seen = np.maximum(resample(head, shape, to_head @ grid, order=3), 0)
    inside = look_up(
        np.ones(head.data.shape, np.float32), head.affine, grid_points(shape, to_head @ grid)
    )
    seen[inside < 0.5] = np.nan
    return seen


def _median(images: Sequence[np.ndarray]) -> np.ndarray:
    """Median of the images that see a voxel; NaN where none does."""
    if len(images) == 1:
        return images[0]
    stack = np.sort(np.stack(images), axis=0)  # NaN last
    count = np.isfinite(stack).sum(axis=0)[None]
    low, high = np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2
    high = np.minimum(high, np.maximum(count - 1, 0))
    return ((np.take_along_axis(stack, low, 0) + np.take_along_axis(stack, high, 0)) / 2)[0]


def _contiguous(volume: Volume) -> Volume:
    return Volume(np.ascontiguousarray(volume.data), volume.affine)
