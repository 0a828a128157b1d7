"""A ball of brain whose local field and background are known apart, small enough for tests.

The local field is simulated on a grid twice as fine by the field of cuboids and averaged over
voxels, as a scanner does; the background is a sum of closed forms. Nothing in either goes through
the Fourier kernel that the methods invert.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest

from qsmiron.spectral import convolve_dipole

Vector = tuple[float, float, float]

CUBES, BRICKS = (2.0, 2.0, 2.0), (1.6, 1.8, 2.6)
UPRIGHT, OBLIQUE = (0.0, 0.0, 1.0), (0.25, -0.3, 0.92)
GEOMETRIES = ((CUBES, UPRIGHT), (CUBES, OBLIQUE), (BRICKS, OBLIQUE))
"""Voxel size (mm) and direction of B0."""

RADIUS = 32.0
"""Of the brain (mm)."""

WHITE_PPM, GREY_PPM = -0.03, 0.02
NUCLEI = (
    ((13, 3, 0), 5.5, 0.13),
    ((-13, 3, 0), 5.5, 0.13),
    ((7, -14, -8), 5, 0.08),
    ((-7, -14, -8), 5, 0.08),
    ((0, 16, 6), 6, -0.05),
)
"""Centre (mm), radius (mm) and susceptibility (ppm), the first two like a pallidum."""

OUTER_SOURCES = (
    ((0, 18, -44), 10, 9.4),
    ((38, -20, -26), 6, 9.4),
    ((-44, -2, 8), 5, -3.0),
)
"""The same of air and bone, all of it outside the brain."""


@dataclass(frozen=True)
class BallBrain:
    """χ and fields (X, Y, Z; float32 ppm) of a brain, and where it is pure.

    ``local`` is the field of χ in the brain, ``background`` that of all outside. ``depth`` is the
    distance from the brain's surface (mm). ``parts`` are the nuclei in the order above, the
    cortex and the white matter (boolean), without the voxels that belong to two of them.
    """

    chi: np.ndarray
    parts: list[np.ndarray]
    mask: np.ndarray
    depth: np.ndarray
    local: np.ndarray
    background: np.ndarray
    voxel_size: Vector
    direction: Vector

    def total(self, noise_ppm: float = 0.0, seed: int = 0) -> np.ndarray:
        """The field as measured, with white noise."""
        noise = np.random.default_rng(seed).normal(scale=noise_ppm, size=self.mask.shape)
        return (self.local + self.background + noise).astype(np.float32)

    def error(self, local: np.ndarray, where: np.ndarray | None = None) -> float:
        """RMS error (ppm) of a local field in the brain, or ``where``; a constant is free."""
        where = self.mask if where is None else where
        return float(np.std((local - self.local)[where]))

    def slope(self, local: np.ndarray, where: np.ndarray | None = None) -> float:
        """Slope of a local field on the true one."""
        where = self.mask if where is None else where
        return float(np.polyfit(self.local[where], local[where], 1)[0])

    def regional(self, chi: np.ndarray) -> tuple[float, float]:
        """Slope of the means of nuclei, cortex and white matter on the truth; residual SD (ppb)."""
        truth = np.array([self.chi[part].mean() for part in self.parts])
        found = np.array([chi[part].mean() for part in self.parts])
        slope, intercept = np.polyfit(truth, found, 1)
        return float(slope), 1000 * float((found - slope * truth - intercept).std(ddof=2))


def positions(shape: Sequence[int], voxel_size: Sequence[float]) -> list[np.ndarray]:
    """Position of every voxel along each axis (mm; X, Y, Z), 0 at the middle one."""
    axes = [(np.arange(n) - n // 2) * edge for n, edge in zip(shape, voxel_size, strict=True)]
    return np.meshgrid(*axes, indexing="ij")


def distance(points: Sequence[np.ndarray], centre: Sequence[float]) -> np.ndarray:
    """From ``centre`` (mm) to all ``points``."""
    return np.linalg.norm([axis - c for axis, c in zip(points, centre, strict=True)], axis=0)


def sphere_field(
    points: Sequence[np.ndarray],
    centre: Sequence[float],
    radius: float,
    chi: float,
    direction: Sequence[float],
) -> np.ndarray:
    """Field (ppm) around a ball: χ/3 (a/r)³ (3 cos²θ − 1), 0 within it."""
    b = np.asarray(direction) / np.linalg.norm(direction)
    apart = [axis - c for axis, c in zip(points, centre, strict=True)]
    r = np.maximum(np.linalg.norm(apart, axis=0), 1e-9)
    along = sum(component * part for component, part in zip(b, apart, strict=True)) / r
    return np.where(r > radius, chi / 3 * (radius / r) ** 3 * (3 * along**2 - 1), 0)


def outer_field(points: Sequence[np.ndarray], direction: Sequence[float]) -> np.ndarray:
    """Field (ppm) of air and bone around the brain, a shim that is off, and a wrong frequency."""
    x, y, z = points
    field = 0.002 * x - 0.001 * y + 2e-5 * (x**2 - z**2) - 0.3
    return field + sum(sphere_field(points, *source, direction) for source in OUTER_SOURCES)


def averaged(fine: np.ndarray) -> np.ndarray:
    """Means over blocks of 2 × 2 × 2 voxels."""
    x, y, z = (n // 2 for n in fine.shape)
    return fine.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5))


@lru_cache(maxsize=4)
def ball_brain(voxel_size: Vector = CUBES, direction: Vector = UPRIGHT) -> BallBrain:
    """White matter and nuclei under a folded cortex of 3 to 7 mm."""
    shape = [2 * (2 * int(RADIUS / edge) + 5) for edge in voxel_size]
    half = [edge / 2 for edge in voxel_size]
    points = positions(shape, half)
    depth = RADIUS - distance(points, (0, 0, 0))
    x, y, z = points
    labels = np.where(depth < 5 + np.sin(x / 3) * np.sin(y / 3.5) + np.sin(z / 3), -2, -1)
    chi = np.where(labels == -2, GREY_PPM, WHITE_PPM)
    for label, (centre, radius, value) in enumerate(NUCLEI):
        inside = distance(points, centre) < radius
        chi[inside], labels[inside] = value, label
    chi[depth < 0], labels[depth < 0] = 0, -3
    local = averaged(convolve_dipole(chi, half, direction))
    background = outer_field([averaged(axis) for axis in points], direction)
    return BallBrain(
        averaged(chi).astype(np.float32),
        [averaged(labels == label) > 0.99 for label in (*range(len(NUCLEI)), -2, -1)],
        *(averaged(depth > 0) > 0.5, averaged(depth)),
        *(local.astype(np.float32), background.astype(np.float32)),
        *(voxel_size, direction),
    )


def _small_masks() -> Iterator:
    """Where a field tells next to nothing: a few voxels, a line's ends, a plane."""
    shape = (20, 22, 18)
    for length in (1, 2, 3, 4):
        mask = np.zeros(shape, bool)
        mask[8 : 8 + length, 9 : 9 + length, 7 : 7 + length] = True
        yield pytest.param(mask, id=f"{length} voxels wide")
    yield pytest.param(distance(positions(shape, CUBES), (0, 0, 0)) < 8, id="ball of 8 mm")
    for axis in range(3):
        mask = np.zeros(shape, bool)
        mask[tuple(9 if axis == other else slice(3, 16) for other in range(3))] = True
        yield pytest.param(mask, id=f"slab across axis {axis}")
    corners = np.zeros(shape, bool)
    corners[0, 0, 0] = corners[-1, -1, -1] = True
    yield pytest.param(corners, id="two corners")
    yield pytest.param(np.ones((12, 14, 1), bool), id="one slice")


SMALL_MASKS = list(_small_masks())
