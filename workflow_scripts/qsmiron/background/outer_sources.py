"""Least-squares estimate of the sources outside a mask, by conjugate gradients on two grids.

The model of a field f (ppm) in the mask is D (K u + a s): dipole sources s that lie outside the
mask, or at some distance from it, and where asked for a texture K u of χ anywhere, a Gaussian
random field. What is minimised is ‖f − D (K u + a s)‖² in the mask, over the squared noise, plus
‖s‖² + ‖u‖². It is solved on a grid of half the resolution first: strong, distant sources are found
there at an eighth of the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..spaces import bounding_box
from ..spectral import (
    Shape,
    dipole_kernel,
    inner_product,
    inverse,
    padded_shape,
    transform,
    within_distance,
)
from ..total_variation.slabs import Slabs

State = list[np.ndarray]
"""Sources s, and the spectrum of the texture u where there is one."""

ROUNDING = 1e-5
"""Conjugate gradients end at a residual of so much: single precision tells no more."""


class SourceGrid:
    """The mask's box in the middle of a padded grid, so that sources may lie on any side of it.

    ``inside`` is the mask on that grid, whose shape has even halves.
    """

    def __init__(self, mask: np.ndarray, voxel_size: Sequence[float], margin: float) -> None:
        self.mask = mask
        self.voxel_size = tuple(float(edge) for edge in voxel_size)
        self.box = bounding_box(mask)
        crop = mask[self.box].shape
        half = padded_shape(
            [(n + 1) // 2 for n in crop], [int(np.ceil(margin / edge)) for edge in voxel_size]
        )
        self.shape: Shape = (2 * half[0], 2 * half[1], 2 * half[2])
        self.inner = tuple(
            slice((n - c) // 2, (n - c) // 2 + c) for n, c in zip(self.shape, crop, strict=True)
        )
        self.inside = np.zeros(self.shape, bool)
        self.inside[self.inner] = mask[self.box]

    def embed(self, data: np.ndarray) -> np.ndarray:
        """An image (X, Y, Z) inside the mask, 0 elsewhere, on the padded grid (float32)."""
        padded = np.zeros(self.shape, np.float32)
        padded[self.inner] = np.where(self.mask[self.box], data[self.box], 0)
        return padded

    def extract(self, padded: np.ndarray) -> np.ndarray:
        """Back from the padded grid to the image's, 0 outside the mask (float32)."""
        data = np.zeros(self.mask.shape, np.float32)
        data[self.box] = np.where(self.mask[self.box], padded[self.inner], 0)
        return data


def halved(data: np.ndarray) -> np.ndarray:
    """Means of blocks of 2 × 2 × 2 voxels (float32)."""
    x, y, z = (n // 2 for n in data.shape)
    return data.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5), dtype=np.float32)


def _doubled(data: np.ndarray) -> np.ndarray:
    for axis in range(3):
        data = np.repeat(data, 2, axis)
    return data


@dataclass(frozen=True)
class Prior:
    """What is known of the sources and of the texture.

    ``strength`` is the SD of a source's χ (ppm) and ``noise`` that of the field (ppm): where they
    are given the estimate is the most probable one, otherwise only its early stop keeps it small.
    ``texture`` makes the texture's amplitude spectrum K (ppm), on the half grid, of a grid's shape
    and voxel size (mm).
    """

    strength: float
    noise: float
    texture: Callable[[Shape, Sequence[float]], np.ndarray]


class OuterSources:
    """The operator A: (s, u) → D (K u + a s) in the mask, and its least-squares solution.

    s is an array (float32) that is 0 in ``forbidden``, u is kept as its spectrum (complex64, half
    grid). ``inside`` is where there are data; ``slabs`` are the threads of the loops.
    """

    def __init__(
        self,
        inside: np.ndarray,
        forbidden: np.ndarray,
        voxel_size: Sequence[float],
        b0_direction: Sequence[float],
        slabs: Slabs,
        prior: Prior | None = None,
    ) -> None:
        self.inside, self.allowed, self.slabs = inside, ~forbidden, slabs
        self.shape: Shape = inside.shape
        self.dipole = dipole_kernel(self.shape, voxel_size, b0_direction)
        self.ridge = np.float32(1 if prior else 0)
        self.texture: np.ndarray | None = None
        if prior:
            # Everything in units of the noise, so that data and priors weigh 1.
            self.texture = prior.texture(self.shape, voxel_size)
            self.texture *= self.dipole
            self.texture /= np.float32(prior.noise)
            self.dipole *= np.float32(prior.strength / prior.noise)
        self._sums = np.zeros(self.shape[0])

    def field(self, sources: np.ndarray) -> np.ndarray:
        """Field of the sources alone, everywhere (in units of the noise, where it is given)."""
        spectrum = transform(sources, self.shape, self.slabs.threads)
        spectrum *= self.dipole
        return inverse(spectrum, self.shape, threads=self.slabs.threads)

    def _model(self, state: State) -> tuple[np.ndarray, float]:
        """A of sources and texture, and its energy."""
        from .source_loops import add_texture

        if len(state) == 1:
            made = self.field(state[0])
        else:
            spectrum = transform(state[0], self.shape, self.slabs.threads)
            self.slabs.run(
                add_texture, len(spectrum), spectrum, self.dipole, state[1], self.texture
            )
            made = inverse(spectrum, self.shape, threads=self.slabs.threads)
        return made, self._keep(made, self.inside)

    def _adjoint(self, data: np.ndarray) -> State:
        """Aᵀ of a field that is 0 outside the mask."""
        from .source_loops import split_texture

        spectrum = transform(data, self.shape, self.slabs.threads)
        texture = []
        if self.texture is None:
            spectrum *= self.dipole
        else:
            texture = [np.empty_like(spectrum)]
            self.slabs.run(
                split_texture, len(spectrum), spectrum, self.dipole, texture[0], self.texture
            )
        sources = inverse(spectrum, self.shape, threads=self.slabs.threads)
        self._keep(sources, self.allowed)
        return [sources, *texture]

    def _keep(self, data: np.ndarray, kept: np.ndarray) -> float:
        from .source_loops import keep

        self.slabs.run(keep, len(data), data, kept, self._sums)
        return float(self._sums.sum())

    def _energy(self, state: State) -> float:
        from .source_loops import square

        energy = inner_product(state[0], state[0])
        for spectrum in state[1:]:
            self.slabs.run(square, len(spectrum), spectrum, self._sums)
            energy += float(self._sums.sum()) / float(np.prod(self.shape))
        return energy

    def solve(
        self, data: np.ndarray, iterations: int, start: np.ndarray | None = None
    ) -> np.ndarray:
        """Sources (X, Y, Z) after some conjugate-gradient steps from ``start``, or from 0.

        ``data`` (X, Y, Z) is 0 outside the mask; ``start`` is overwritten.
        """
        from .source_loops import advance, turn

        residual = self._adjoint(data)
        least = ROUNDING**2 * self._energy(residual)
        solution = [np.zeros_like(part) for part in residual]
        if start is not None:
            solution[0] = start
            residual = self._adjoint(data - self._model(solution)[0])
            residual[0] -= self.ridge * start
        direction = [part.copy() for part in residual]
        energy = self._energy(residual)
        for _ in range(iterations):
            made, curvature = self._model(direction)
            if self.ridge:
                curvature += self._energy(direction)
            if energy <= least or curvature <= 0:
                break
            step = np.float32(energy / curvature)
            image = self._adjoint(made)
            for parts in zip(solution, residual, direction, image, strict=True):
                self.slabs.run(advance, len(parts[0]), *parts, step, self.ridge)
            before, energy = energy, self._energy(residual)
            share = np.float32(energy / before)
            for along, rest in zip(direction, residual, strict=True):
                self.slabs.run(turn, len(along), along, rest, share)
        return solution[0]


def outer_field(
    field: np.ndarray,
    grid: SourceGrid,
    b0_direction: Sequence[float],
    distance: float,
    iterations: tuple[int, int],
    threads: int = 1,
    prior: Prior | None = None,
) -> np.ndarray:
    """Field of the sources outside, and the constant of the receiver.

    Parameters
    ----------
    field : (X, Y, Z), ppm.
    grid : where the sources are looked for.
    b0_direction : B0 along the array axes.
    distance : sources lie farther than this from the mask (mm).
    iterations : conjugate-gradient steps at half and at full resolution.
    threads : workers of the FFTs.
    prior : see :class:`Prior`.

    Returns
    -------
    float32 (X, Y, Z), ppm; 0 outside the mask.
    """
    inside, edges = grid.inside, grid.voxel_size
    data = grid.embed(field)
    # A constant is made by no source nearby: receiver frequency.
    offset = np.float32(data[inside].mean(dtype=float))
    data[inside] -= offset
    unit = np.float32(prior.noise if prior else 1)
    data /= unit
    near = within_distance(inside, edges, distance, threads)

    count = halved(inside)
    whole = count >= 1
    with Slabs(threads) as slabs:
        coarse = OuterSources(
            whole, halved(near) >= 1, [2 * edge for edge in edges], b0_direction, slabs, prior
        )
        sources = coarse.solve(np.where(whole, halved(data), np.float32(0)), iterations[0])
        del coarse
        sources = _doubled(sources)
        sources[near] = 0
        fine = OuterSources(inside, near, edges, b0_direction, slabs, prior)
        made = fine.field(fine.solve(data, iterations[1], sources))
    made *= unit
    made += offset
    return grid.extract(made)
