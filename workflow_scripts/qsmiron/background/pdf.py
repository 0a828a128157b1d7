"""Projection onto dipole fields: the background is what sources outside the mask can make.

min over s outside the mask of ‖m (D s − f)‖², by conjugate gradients whose early stop is the
regularisation: Liu et al., NMR Biomed 2011, doi 10.1002/nbm.1670. Solved on a grid of half the
resolution first: strong, distant sources are found there at an eighth of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spaces import bounding_box
from ..spectral import Shape, dipole_kernel, inner_product, inverse, padded_shape, transform

ROUNDING = 1e-5
"""Conjugate gradients end at a residual of so much: single precision tells no more."""


class PdfParameters(Parameters):
    """Parameters of the projection onto dipole fields."""

    margin: float = Field(
        24.0, gt=0, le=200, description="sources lie up to this far outside the mask's box (mm)"
    )
    coarse_iterations: int = Field(
        40, ge=0, le=1000, description="conjugate-gradient steps at half the resolution (1)"
    )
    iterations: int = Field(
        15, ge=0, le=1000, description="conjugate-gradient steps at full resolution (1)"
    )


def projection_onto_dipole_fields(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: PdfParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Local field by projection onto dipole fields.

    Parameters
    ----------
    field : total field (X, Y, Z), ppm.
    mask : where the field is reliable, boolean.
    voxel_size : mm.
    b0_direction : B0 along the array axes.
    parameters : see :class:`PdfParameters`.
    threads : workers of the FFTs.

    Returns
    -------
    local_field : float32 ppm, 0 outside the mask.
    local_mask : the mask itself: nothing is lost at its edge.
    """
    background = background_field(field, mask, voxel_size, b0_direction, parameters, threads)
    return np.where(mask, field - background, 0).astype(np.float32), mask.copy()


def background_field(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: PdfParameters,
    threads: int = 1,
) -> np.ndarray:
    """The background (X, Y, Z; float32 ppm, 0 outside the mask) alone; parameters as above."""
    box = bounding_box(mask)
    crop = mask[box].shape
    half = padded_shape(
        [(n + 1) // 2 for n in crop],
        [int(np.ceil(parameters.margin / edge)) for edge in voxel_size],
    )
    shape: Shape = (2 * half[0], 2 * half[1], 2 * half[2])
    # The mask in the middle, so that sources may lie on either side of it.
    inner = tuple(slice((n - c) // 2, (n - c) // 2 + c) for n, c in zip(shape, crop, strict=True))
    inside = np.zeros(shape, bool)
    inside[inner] = mask[box]
    data = np.zeros(shape, np.float32)
    data[inner] = np.where(mask[box], field[box], 0)
    # A constant is made by no source nearby: receiver frequency.
    offset = data[inside].mean(dtype=float)
    data[inside] -= np.float32(offset)

    count = _halved(inside.astype(np.float32))
    coarse = count >= 1
    sources = _Projection(coarse, [2 * edge for edge in voxel_size], b0_direction, threads).sources(
        np.where(coarse, _halved(data) / np.maximum(count, 1), 0), parameters.coarse_iterations
    )
    for axis in range(3):
        sources = np.repeat(sources, 2, axis)
    sources[inside] = 0
    projection = _Projection(inside, voxel_size, b0_direction, threads)
    sources = projection.sources(data, parameters.iterations, sources)
    background = np.zeros(mask.shape, np.float32)
    made = projection.field(sources)[inner] + np.float32(offset)
    background[box] = np.where(mask[box], made, 0)
    return background


def _halved(data: np.ndarray) -> np.ndarray:
    x, y, z = (n // 2 for n in data.shape)
    return data.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5), dtype=np.float32)


class _Projection:
    """The least-squares problem on one grid; ``inside`` (X, Y, Z) is the mask on it."""

    def __init__(
        self,
        inside: np.ndarray,
        voxel_size: Sequence[float],
        b0_direction: Sequence[float],
        threads: int,
    ) -> None:
        self.inside, self.threads = inside, threads
        self.dipole = dipole_kernel(inside.shape, voxel_size, b0_direction)

    def field(self, sources: np.ndarray) -> np.ndarray:
        """Dipole field of ``sources``; the operator is its own adjoint."""
        spectrum = transform(sources, self.inside.shape, self.threads)
        spectrum *= self.dipole
        return inverse(spectrum, self.inside.shape, threads=self.threads)

    def _normal(self, sources: np.ndarray) -> np.ndarray:
        made = self.field(sources)
        made[~self.inside] = 0
        back = self.field(made)
        back[self.inside] = 0
        return back

    def sources(
        self, data: np.ndarray, iterations: int, start: np.ndarray | None = None
    ) -> np.ndarray:
        """Sources outside the mask after some conjugate-gradient steps."""
        sources = np.zeros(data.shape, np.float32) if start is None else start
        residual = self.field(data)
        residual[self.inside] = 0
        least = ROUNDING**2 * inner_product(residual, residual)
        if start is not None:
            residual -= self._normal(start)
        direction = residual.copy()
        energy = inner_product(residual, residual)
        for _ in range(iterations):
            image = self._normal(direction)
            curvature = inner_product(direction, image)
            if energy <= least or curvature <= 0:
                break
            step = energy / curvature
            sources += np.float32(step) * direction
            residual -= np.float32(step) * image
            before, energy = energy, inner_product(residual, residual)
            direction *= np.float32(energy / before)
            direction += residual
        return sources
