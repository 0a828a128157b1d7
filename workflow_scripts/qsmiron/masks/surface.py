"""Brain surface in a T1w: the cheapest one near the template's, by a continuous minimal cut.

1. The template's brain, placed by an affine map and a smooth displacement that follow the
   registration deep inside only: at the surface a registration may have stretched it over muscle.
2. What grey matter, white matter and fluid of this very head look like, from deep inside.
3. The surface that costs least: cutting tissue is dear, fluid and bone are cheap, and there is a
   small price for tissue left out, for fluid and fat taken in and for distance from the template.

The cut is that of Appleton & Talbot 2006 (IEEE Trans Pattern Anal, doi 10.1109/TPAMI.2006.12),
found by the primal-dual method of Chambolle & Pock 2011 (doi 10.1007/s10851-010-0251-1). Sulci and
the fluid in them are inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import (
    apply_affine,
    bounding_box,
    boxed_grid,
    corners,
    grid_points,
    look_up,
    resample,
)
from ..volumes import Volume
from .holes import filled

DEEP_MM = 8.0
"""Deeper than this below the template's surface a registration is trusted."""

MAP_SPACING_MM = 4.0
"""Grid of the smooth displacement."""


class SurfaceParameters(Parameters):
    """How the surface is found."""

    spacing: float = Field(2.0, ge=1, le=4, description="grid of the surface (mm)")
    smoothness: float = Field(
        16.0, gt=0, description="SD of the kernel that smooths the template's displacement (mm)"
    )
    reach: float = Field(8.0, gt=0, description="the surface lies so near to the template's (mm)")
    shading: float = Field(25.0, gt=5, description="SD of the kernel of the white level (mm)")
    dark: float = Field(0.05, gt=0, le=1, description="price of a cut where there is no tissue (1)")
    tissue: float = Field(0.05, ge=0, description="price of tissue left out (1)")
    fluid: float = Field(0.05, ge=0, description="price of fluid, bone and air taken in (1)")
    fat: float = Field(0.3, ge=0, description="price of what is brighter than white matter (1)")
    prior: float = Field(0.1, ge=0, description="price of leaving the template's surface (1)")
    prior_reach: float = Field(4.0, gt=0, description="distance at which it is full (mm)")
    iterations: int = Field(100, ge=1, description="steps of the primal-dual method (1)")


@dataclass(frozen=True)
class TemplateBrain:
    """Brain (bool) of the template and its tissue probabilities, 0–255."""

    inside: Volume
    grey: Volume
    white: Volume


def find_surface(
    t1w: Volume,
    to_t1w: np.ndarray,
    coordinates: Volume,
    template: TemplateBrain,
    parameters: SurfaceParameters,
) -> np.ndarray:
    """How far inside the brain (X, Y, Z) every voxel of the ``coordinates``' grid is: 0 to 1.

    ``to_t1w`` (4, 4) takes points of that grid to points of the ``t1w``; ``coordinates``
    (X, Y, Z, 3) are template RAS mm. Where the T1w does not reach the template decides.

    Raises
    ------
    InputError
        If the T1w shows no white matter where the registration puts it.
    """
    inside = Volume(template.inside.data.astype(np.float32), template.inside.affine)
    known = grid_points(coordinates.data.shape[:3], coordinates.affine)
    brain = _interpolated(inside, coordinates.data) > 0.5
    affine, field = _smooth_map(coordinates, known, brain, inside, parameters.smoothness)
    box = bounding_box(brain, int(np.ceil(parameters.reach / min(coordinates.voxel_size))) + 2)
    shape, grid = boxed_grid(known[box], parameters.spacing, 2 * parameters.spacing)
    points = grid_points(shape, grid)
    there = _template_points(points, affine, field)
    guess = filled(_interpolated(inside, there) > 0.5)
    depth = ndimage.distance_transform_edt(guess) - ndimage.distance_transform_edt(~guess)
    depth = (depth * parameters.spacing).astype(np.float32)
    image = Volume(t1w.data, np.linalg.inv(to_t1w) @ t1w.affine)
    seen = _interpolated(Volume(np.ones_like(t1w.data), image.affine), points) > 0.5
    grey, white = (_interpolated(v, there) / 255 for v in (template.grey, template.white))
    head = np.maximum(resample(image, shape, grid), 0)
    cut, cost = _prices(head, seen, depth, grey, white, parameters)
    found = (depth > 0).astype(np.float32)
    free = np.abs(depth) < parameters.reach

    from .surface_loops import minimise

    minimise(found, cut, cost, free, parameters.iterations)
    return _interpolated(Volume(found, grid), known)


def _interpolated(image: Volume, points: np.ndarray) -> np.ndarray:
    """Trilinear values (…) of an ``image`` (X, Y, Z) at ``points`` (…, 3; mm), 0 outside it.

    :func:`.spaces.look_up` at a tenth of the cost, where there are millions of points.
    """
    from .surface_loops import interpolate

    flat = np.ascontiguousarray(points, np.float32).reshape(-1, 3)
    result = np.empty(len(flat), np.float32)
    data = np.ascontiguousarray(image.data, np.float32)
    interpolate(data, np.linalg.inv(image.affine)[:3], flat, result)
    return result.reshape(points.shape[:-1])


def _smooth_map(
    coordinates: Volume,
    known: np.ndarray,
    carried: np.ndarray,
    inside: Volume,
    smoothness: float,
) -> tuple[np.ndarray, Volume]:
    """Affine map to the template and a smooth displacement before it, from the deep brain.

    ``known`` (X, Y, Z, 3; mm) are the points of the ``coordinates``, ``carried`` (X, Y, Z) is the
    template's brain there.
    """
    box = bounding_box(carried, 2)
    shape, grid = boxed_grid(known[box], MAP_SPACING_MM, 5 * MAP_SPACING_MM)
    points = grid_points(shape, grid)
    there = np.stack(
        [
            look_up(part, coordinates.affine, points)
            for part in np.moveaxis(coordinates.data, -1, 0)
        ],
        axis=-1,
    )
    covered = np.ones(coordinates.data.shape[:3], np.float32)
    brain = (_interpolated(inside, there) > 0.5) & (
        look_up(covered, coordinates.affine, points) > 0.99
    )
    deep = ndimage.distance_transform_edt(brain) * MAP_SPACING_MM > DEEP_MM
    deep = deep if deep.sum() > 100 else brain
    known_there = np.c_[points[deep].astype(float), np.ones(deep.sum())]
    affine = np.eye(4)
    affine[:3] = np.linalg.lstsq(known_there, there[deep].astype(float), rcond=None)[0].T
    shift = apply_affine(np.linalg.inv(affine), there) - points
    sigma = smoothness / MAP_SPACING_MM
    weight = ndimage.gaussian_filter(deep.astype(np.float32), sigma, truncate=3) + 1e-3
    smooth = [
        ndimage.gaussian_filter(np.where(deep, shift[..., axis], 0), sigma, truncate=3) / weight
        for axis in range(3)
    ]
    return affine, Volume(np.stack(smooth, axis=-1), grid)


def _template_points(points: np.ndarray, affine: np.ndarray, field: Volume) -> np.ndarray:
    low, high = corners(field.data.shape, field.affine)[[0, -1]].astype(np.float32)
    edge = np.float32(1e-3)  # rounding leaves nobody outside
    within = np.clip(points, low + edge, high - edge)
    there = points.copy()
    for axis in range(3):
        there[..., axis] += _interpolated(Volume(field.data[..., axis], field.affine), within)
    return apply_affine(affine, there)


def _prices(
    head: np.ndarray,
    seen: np.ndarray,
    depth: np.ndarray,
    grey: np.ndarray,
    white: np.ndarray,
    parameters: SurfaceParameters,
) -> tuple[np.ndarray, np.ndarray]:
    """Price of a cut through each voxel, and of having it inside; both (X, Y, Z) float32."""
    level = _white_level(head, seen & (white > 0.9) & (depth > 4), parameters)
    head = head / level
    pure_grey = seen & (grey > 0.8) & (depth > 3)
    fluid_voxels = seen & (grey + white < 0.2) & (depth > 10)
    cortex = np.median(head[pure_grey]) if pure_grey.sum() > 50 else 0.7
    fluid = np.percentile(head[fluid_voxels], 30) if fluid_voxels.sum() > 50 else 0.4 * cortex
    fluid = min(fluid, 0.7 * cortex)
    tissue = _step((head - fluid) / (cortex - fluid))
    # an edge leaves its voxel for one of three neighbours; the darkest of them is where it is cut
    lowest = ndimage.minimum_filter(head, size=2, origin=-1)
    cut = parameters.dark + (1 - parameters.dark) * _step((lowest - fluid) / (cortex - fluid))
    near = parameters.prior * np.clip(depth / parameters.prior_reach, -1, 1)
    cost = parameters.fluid * (1 - tissue) - parameters.tissue * tissue
    cost += parameters.fat * _step((head - 1.15) / 0.15)
    cost = np.where(seen, cost, 0) - near
    return (
        np.where(seen, cut, 0.3).astype(np.float32),
        (cost * parameters.spacing).astype(np.float32),
    )


def _white_level(head: np.ndarray, white: np.ndarray, parameters: SurfaceParameters) -> np.ndarray:
    """Smooth brightness (X, Y, Z) of white matter: the receiver's shading."""
    typical = float(np.median(head[white])) if white.any() else 0.0
    if not typical > 0:
        raise InputError(
            Problem(
                "brain mask",
                "no signal of the T1w where the registration puts white matter",
                "a T1w that shows the brain",
                "Look at the registration of this scan and at its T1w.",
            )
        )
    logarithm = np.log(np.maximum(head / typical, 1e-6))
    level = np.zeros_like(head)
    for _ in range(2):  # the second time without what is no white matter after all
        used = white & (np.abs(logarithm - level) < np.log(2))
        level = _smooth_mean(logarithm, used, parameters.shading / parameters.spacing)
    return typical * np.exp(level)


BLOCK = 3
"""Edge (voxels) of the blocks that a mean over many voxels is made of."""


def _smooth_mean(data: np.ndarray, used: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian mean (X, Y, Z) of ``data`` where it is ``used``, 0 far from there.

    ``sigma`` (voxels) is many times the edge of a block, so that the blocks' sums tell it.
    """
    sums = []
    for part in (np.where(used, data, np.float32(0)), used.astype(np.float32)):
        padded = np.pad(part, [(0, -n % BLOCK) for n in part.shape])
        x, y, z = (n // BLOCK for n in padded.shape)
        blocks = padded.reshape(x, BLOCK, y, BLOCK, z, BLOCK).mean(axis=(1, 3, 5))
        sums.append(ndimage.gaussian_filter(blocks, sigma / BLOCK, truncate=3))
    mean = sums[0] / (sums[1] + np.float32(1e-4))
    for axis, length in enumerate(data.shape):
        # the middle of block b is voxel b · BLOCK + (BLOCK − 1) / 2
        where = np.clip((np.arange(length) - (BLOCK - 1) / 2) / BLOCK, 0, mean.shape[axis] - 1)
        low = where.astype(int)
        share = (where - low).astype(np.float32).reshape(np.roll((-1, 1, 1), axis))
        high = np.minimum(low + 1, mean.shape[axis] - 1)
        mean = mean.take(low, axis) * (1 - share) + mean.take(high, axis) * share
    return mean


def _step(value: np.ndarray) -> np.ndarray:
    value = np.clip(value, 0, 1)
    return value * value * (3 - 2 * value)
