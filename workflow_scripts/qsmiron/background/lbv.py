"""LBV: the background field from its boundary values, by the Laplace equation.

The background field is harmonic in the brain, so both fields share one Laplacian there. At the
edge of the brain the background is far stronger than the local field, which is therefore set to 0
on it: together with ∇²(local) = ∇²(total) inside, this determines the local field. Zhou et al., NMR
Biomed 2014, doi 10.1002/nbm.3064.

Solved by conjugate gradients, preconditioned with a multigrid V-cycle (Tatebe, Copper Mountain
Conf. on Multigrid Methods 1993). The loops are compiled by numba, which is loaded on first use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import bounding_box
from ..spectral import inner_product


class LbvParameters(Parameters):
    """Parameters of the Laplacian boundary value method."""

    peel: int = Field(
        1,
        ge=1,
        le=20,
        description="layers taken off the mask; on the innermost of them the local field is set "
        "to 0 (voxels)",
    )
    iterations: int = Field(
        50, ge=1, le=1000, description="most iterations of the conjugate gradients (1)"
    )
    tolerance: float = Field(
        1e-5, ge=0, lt=1, description="stop when the residual has fallen to this, relative (1)"
    )


def laplacian_boundary_value(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: LbvParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Local field by the Laplacian boundary value method.

    Parameters
    ----------
    field : total field (X, Y, Z), ppm.
    mask : where the field is reliable, boolean.
    voxel_size : mm; may be anisotropic.
    b0_direction : not used: the method knows no dipoles.
    parameters : see :class:`LbvParameters`.
    threads : not used: the compiled loops run on one.

    Returns
    -------
    local_field : float32 ppm, 0 outside ``local_mask``.
    local_mask : the mask without ``peel`` layers of voxels (by faces).

    Raises
    ------
    InputError
        If nothing of the mask is left below the layers.
    """
    from .lbv_loops import minus_laplacian

    local_mask = ndimage.binary_erosion(mask, iterations=parameters.peel)
    if not local_mask.any():
        raise InputError(
            Problem(
                "mask",
                f"no voxel deeper than {parameters.peel} layers of voxels from its edge",
                "a mask thick enough for the Laplacian boundary value method",
                "Check the mask, or lower peel.",
            )
        )
    # One voxel around the unknowns: the layer of the mask on which the local field is 0.
    box = bounding_box(local_mask, margin=1)
    inside = np.ascontiguousarray(local_mask[box])
    total = np.ascontiguousarray(np.where(mask[box], field[box], 0), np.float32)
    levels = _levels(inside, voxel_size)
    solution = _conjugate_gradients(
        minus_laplacian(total, inside, levels[0].weights), levels, parameters
    )
    local = np.zeros(field.shape, np.float32)
    local[box] = solution
    return local, local_mask


@dataclass(frozen=True)
class _Level:
    """A grid of the multigrid cycle.

    ``inside`` are its unknowns, ``weights`` 1 / edge² per axis (1/mm²), ``halved`` the axes of
    which the next coarser grid has every second plane.
    """

    inside: np.ndarray
    weights: np.ndarray
    halved: tuple[int, ...]


SHORTEST = 5
"""Planes (two of them outside) below which an axis is not halved again."""


def _levels(inside: np.ndarray, voxel_size: Sequence[float]) -> list[_Level]:
    """Grids from the finest to the coarsest.

    Only edges up to √2 times the shortest are doubled: relaxation smooths along an axis only if
    its voxels are coupled about as strongly as those of the others.
    """
    edges = np.asarray(voxel_size, float)
    levels = []
    while True:
        weights = (1 / edges**2).astype(np.float32)
        long = [axis for axis in range(3) if inside.shape[axis] >= SHORTEST]
        shortest = min((edges[axis] for axis in long), default=0)
        halved = tuple(axis for axis in long if edges[axis] ** 2 <= 2 * shortest**2)
        coarse = inside
        for axis in halved:
            coarse = _every_second_plane(coarse, axis)
        if not halved or not coarse.any():
            return [*levels, _Level(inside, weights, ())]
        levels.append(_Level(inside, weights, halved))
        inside = np.ascontiguousarray(coarse)
        edges[list(halved)] *= 2


def _every_second_plane(inside: np.ndarray, axis: int) -> np.ndarray:
    # An even number of planes ends on an odd one: the plane beyond it is outside as well.
    more = [
        (0, int(other == axis and length % 2 == 0)) for other, length in enumerate(inside.shape)
    ]
    return np.moveaxis(np.moveaxis(np.pad(inside, more), axis, 0)[::2], 0, axis)


def _coarser(values: np.ndarray, axis: int) -> np.ndarray:
    """Half of the adjoint of :func:`_finer`: weights ¼ ½ ¼ around every second plane."""
    values = np.moveaxis(values, axis, 0)
    even, odd = values[::2], np.float32(0.25) * values[1::2]
    coarse = np.zeros((len(values) // 2 + 1, *values.shape[1:]), np.float32)
    coarse[: len(even)] = np.float32(0.5) * even
    coarse[: len(odd)] += odd
    coarse[1:] += odd
    return np.moveaxis(coarse, 0, axis)


def _finer(coarse: np.ndarray, axis: int, length: int) -> np.ndarray:
    """Linear interpolation to ``length`` planes, of which every second is one of ``coarse``."""
    coarse = np.moveaxis(coarse, axis, 0)
    values = np.empty((length, *coarse.shape[1:]), np.float32)
    values[::2] = coarse[: (length + 1) // 2]
    values[1::2] = np.float32(0.5) * (coarse[:-1] + coarse[1:])
    return np.moveaxis(values, 0, axis)


SWEEPS = 1
"""Relaxations of both colours before and after the coarser grids."""

COARSEST_SWEEPS = 8
"""The same where there is no coarser grid: it has few planes, so that this nearly solves it."""


def _v_cycle(right: np.ndarray, levels: Sequence[_Level]) -> np.ndarray:
    """Approximate solution of minus_laplacian(x) = ``right``, linear and symmetric in it."""
    from .lbv_loops import minus_laplacian, relax

    level = levels[0]
    values = np.zeros_like(right)
    sweeps = SWEEPS if level.halved else COARSEST_SWEEPS
    for _ in range(sweeps):
        for colour in (0, 1):
            relax(values, right, level.inside, level.weights, colour)
    if level.halved:
        residual = right - minus_laplacian(values, level.inside, level.weights)
        for axis in level.halved:
            residual = _coarser(residual, axis)
        residual *= levels[1].inside
        correction = _v_cycle(np.ascontiguousarray(residual), levels[1:])
        for axis in reversed(level.halved):
            correction = _finer(correction, axis, right.shape[axis])
        correction *= level.inside
        values += correction
    # In the reverse order, or the cycle would not be symmetric as conjugate gradients need it.
    for _ in range(sweeps):
        for colour in (1, 0):
            relax(values, right, level.inside, level.weights, colour)
    return values


def _conjugate_gradients(
    right: np.ndarray, levels: Sequence[_Level], parameters: LbvParameters
) -> np.ndarray:
    """The x, 0 outside, with minus_laplacian(x) = ``right`` inside, started at 0."""
    from .lbv_loops import minus_laplacian

    solution = np.zeros_like(right)
    residual = right.copy()
    smallest = parameters.tolerance * np.sqrt(inner_product(right, right))
    direction = np.zeros_like(right)
    previous = np.inf
    for _ in range(parameters.iterations):
        if np.sqrt(inner_product(residual, residual)) <= smallest:
            break
        preconditioned = _v_cycle(residual, levels)
        energy = inner_product(residual, preconditioned)
        direction *= np.float32(energy / previous)
        direction += preconditioned
        previous = energy
        image = minus_laplacian(direction, levels[0].inside, levels[0].weights)
        step = np.float32(energy / inner_product(direction, image))
        solution += step * direction
        residual -= step * image
    return solution
