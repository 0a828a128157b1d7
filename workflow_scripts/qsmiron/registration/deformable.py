"""Greedy diffeomorphic registration by local cross-correlation.

Coarse to fine, the map is composed with small smooth steps that climb the squared local
correlation coefficient of the two images: the force and metric of symmetric normalisation (Avants
et al. 2008, Med Image Anal, doi 10.1016/j.media.2007.06.004), one-sided and greedy as in
Christensen et al. 1996 (IEEE Trans Image Process, doi 10.1109/83.536892), which makes an iteration
about ten times cheaper than the symmetric one. Local correlation needs no common contrast and no
bias correction. Every step is small against its smoothness, so the map stays invertible; steps
shrink over a level's iterations, or noise would keep them wandering. Smoothing the whole
displacement as well, after every step, keeps the deformation as stiff as anatomy needs: without it
more iterations follow noise and take labels further from where they belong. The Jacobian is
reported with the result. The loops are compiled, in :mod:`.deformable_loops`.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field, model_validator
from scipy import ndimage

from ..parameters import Parameters
from ..spaces import bounding_box, crop, decimate, grid_points, look_up
from ..volumes import Volume
from .coordinates import TemplateMap

LAST_STEP = 0.1
"""Length of a level's last step, as a fraction of its first."""

CROP_MARGIN = 4
"""Voxels around what is compared that take part, for windows and smoothing at its edge."""


_PER_LEVEL = (
    "shrink",
    "iterations",
    "image_smoothing",
    "step_smoothing",
    "total_smoothing",
    "step",
)


class GreedyParameters(Parameters):
    """Schedule of the greedy registration; tuples hold one value a level, coarse to fine."""

    shrink: tuple[int, ...] = Field((4, 2, 1), description="coarsening of each level (1)")
    iterations: tuple[int, ...] = Field((40, 40, 15), description="iterations of each level (1)")
    image_smoothing: tuple[float, ...] = Field(
        (0.5, 0.3, 0.0), description="Gaussian SD applied to both images (voxels of the level)"
    )
    step_smoothing: tuple[float, ...] = Field(
        (3.0, 3.0, 2.5), description="Gaussian SD applied to each step (voxels of the level)"
    )
    total_smoothing: tuple[float, ...] = Field(
        (0.7, 0.7, 0.7),
        description="Gaussian SD applied to the whole displacement (voxels of the level)",
    )
    step: tuple[float, ...] = Field(
        (0.7, 0.7, 0.7),
        description="longest displacement of the first iteration; it falls to a tenth over the "
        "level (voxels of the level)",
    )
    radius: int = Field(2, ge=1, le=8, description="half width of the correlation window (voxels)")

    @model_validator(mode="after")
    def _one_value_per_level(self) -> GreedyParameters:
        lengths = {len(getattr(self, name)) for name in _PER_LEVEL}
        if len(lengths) != 1:
            raise ValueError("give every level a value of each of the schedule's lists")
        return self

    def coarse(self) -> GreedyParameters:
        """The same schedule without its finest level (with one level: unchanged)."""
        if len(self.shrink) == 1:
            return self
        cut = {name: getattr(self, name)[:-1] for name in _PER_LEVEL}
        return self.model_copy(update=cut)


def register_greedy(
    fixed: Volume,
    moving: Volume,
    start: np.ndarray | TemplateMap,
    parameters: GreedyParameters,
    mask: np.ndarray | None = None,
) -> TemplateMap:
    """Deform ``fixed``'s space so that an affine map takes it to ``moving``'s.

    Parameters
    ----------
    fixed, moving : Volume
        Images (X, Y, Z) in any intensity unit; ``fixed`` on a RAS-aligned isotropic grid. 0 is
        outside. The moving image is best of about the same voxel size.
    start : (4, 4) array or TemplateMap
        RAS mm of ``fixed`` to RAS mm of ``moving``: the affine map, which is not changed, or one
        with a displacement to go on from.
    mask : (X, Y, Z) bool array, optional
        Where the images are compared; by default one voxel around where ``fixed`` is above 0.

    Returns
    -------
    TemplateMap
        With the displacement on the grid of ``fixed``.
    """
    if mask is None:
        mask = ndimage.binary_dilation(fixed.data > 0)
    whole, around = fixed, bounding_box(mask, CROP_MARGIN)
    fixed = Volume(fixed.data / np.float32(fixed.data[mask].std() or 1), fixed.affine)
    fixed, mask = crop(fixed, around), mask[around]
    moving = Volume(moving.data / np.float32(moving.data.std() or 1), moving.affine)
    affine, displacement = _split(start)
    for level in range(len(parameters.shrink)):
        factor, blur = parameters.shrink[level], parameters.image_smoothing[level]
        target = decimate(fixed, factor, blur)
        source = decimate(moving, factor, blur)
        offset = (factor - 1) // 2
        where = mask[offset::factor, offset::factor, offset::factor]
        field = _climb(
            target, source, affine, where, _on_grid(displacement, target), parameters, level
        )
        displacement = Volume(field, target.affine)
    field = _on_grid(displacement, fixed)
    spacing = np.float32(fixed.voxel_size[0])
    outside = [
        (part.start, length - part.stop)
        for part, length in zip(around, whole.data.shape, strict=True)
    ]
    field = np.pad(np.moveaxis(field, 0, -1) * spacing, [*outside, (0, 0)], mode="edge")
    return TemplateMap(field, whole.affine, affine)


def _split(start: np.ndarray | TemplateMap) -> tuple[np.ndarray, Volume | None]:
    """Affine map, and displacement (3, X, Y, Z) in voxels of its grid if there is one."""
    if not isinstance(start, TemplateMap):
        return start, None
    grid = Volume(np.moveaxis(start.displacement, -1, 0), start.grid_affine)
    return start.affine, Volume(grid.data / np.float32(grid.voxel_size[0]), grid.affine)


def _on_grid(displacement: Volume | None, target: Volume) -> np.ndarray:
    """A displacement (3, X, Y, Z) in voxels of its own grid, on another one in its voxels."""
    if displacement is None:
        return np.zeros((3, *target.data.shape), np.float32)
    if displacement.data.shape[1:] == target.data.shape:
        return displacement.data
    points = grid_points(target.data.shape, target.affine)
    ratio = np.float32(displacement.voxel_size[0] / target.voxel_size[0])
    return np.stack(
        [
            look_up(component, displacement.affine, points, outside=None) * ratio
            for component in displacement.data
        ]
    )


def _climb(
    fixed: Volume,
    moving: Volume,
    affine: np.ndarray,
    mask: np.ndarray,
    displacement: np.ndarray,
    parameters: GreedyParameters,
    level: int,
) -> np.ndarray:
    """Iterate on one level; displacements (3, X, Y, Z) in voxels of the fixed grid."""
    from .deformable_loops import (
        MIRROR,
        REPEAT,
        ZERO,
        compose_step,
        convolve,
        correlation_force,
        longest_vector,
        sample_image,
    )

    iterations, width = parameters.iterations[level], 2 * parameters.radius + 1
    flat = np.full(parameters.radius + 1, 1 / width, np.float32)
    smooth = _half_kernel(parameters.step_smoothing[level], 2)
    stiff = _half_kernel(parameters.total_smoothing[level], 3)
    to_moving = (np.linalg.inv(moving.affine) @ affine @ fixed.affine)[:3].astype(np.float32)
    target, image = (np.ascontiguousarray(v.data, np.float32) for v in (fixed, moving))
    displacement = np.array(displacement, np.float32, order="C")
    mask, spare = np.ascontiguousarray(mask), np.empty_like(target)

    def window(image: np.ndarray) -> np.ndarray:
        convolve(image, flat, ZERO, spare)
        return image

    target_mean = window(target.copy())
    target_variance = np.maximum(window(target * target) - target_mean**2, 0)
    # windows without contrast have no say: their variance is noise
    target_floor = 1e-3 * target[mask].var() + 1e-12
    source = np.empty_like(target)
    force, moved = np.empty_like(displacement), np.empty_like(displacement)
    for step in parameters.step[level] * np.linspace(1, LAST_STEP, iterations):
        sample_image(image, to_moving, displacement, source)
        floors = np.array([target_floor, 1e-3 * source[mask].var() + 1e-12], np.float32)
        correlation_force(
            target,
            target_mean,
            target_variance,
            source,
            window(source.copy()),
            window(source * source),
            window(target * source),
            mask,
            floors,
            force,
        )
        for component in force:
            convolve(component, smooth, MIRROR, spare)
        longest = longest_vector(force)
        if not longest > 0:
            break
        force *= np.float32(step) / longest
        # the new map is the old one after the step: u(x) ← s(x) + u(x + s(x))
        compose_step(displacement, force, moved)
        displacement, moved = moved, displacement
        for component in displacement:
            convolve(component, stiff, REPEAT, spare)
    return displacement


def _half_kernel(sigma: float, truncate: float) -> np.ndarray:
    """A Gaussian's weights, its middle first, to ``truncate`` times ``sigma``; in sum 1."""
    if not sigma > 0:
        return np.ones(1, np.float32)
    weights = np.exp(-0.5 * (np.arange(int(truncate * sigma + 0.5) + 1) / sigma) ** 2)
    return (weights / (2 * weights.sum() - weights[0])).astype(np.float32)
