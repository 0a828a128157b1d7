"""A ball of brain that holds balls of known susceptibility, small enough for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qsmiron.spectral import convolve_dipole

SHAPE = (52, 56, 48)
TISSUE_PPM = -0.01
BALLS = (
    ((14, 4, 0), 7, 0.13),
    ((-14, 4, 0), 7, 0.05),
    ((0, -16, 8), 8, 0.02),
    ((0, 18, -8), 7, -0.04),
    ((6, -8, -16), 6, 0.08),
)
"""Centre (mm), radius (mm) and susceptibility (ppm)."""

OBLIQUE = (0.0, 0.34, 0.94)
GEOMETRIES = (((2, 2, 2), (0, 0, 1)), ((2, 2, 2), OBLIQUE), ((1.6, 1.6, 2.4), OBLIQUE))
"""Voxel size (mm) and direction of B0."""


@dataclass(frozen=True)
class BallPhantom:
    """χ (ppm), the balls' labels (from 1), the brain mask and the true field of χ (ppm)."""

    chi: np.ndarray
    labels: np.ndarray
    mask: np.ndarray
    field: np.ndarray
    voxel_size: tuple[float, float, float]
    direction: tuple[float, float, float]

    def regional(self, chi: np.ndarray) -> tuple[float, float]:
        """Slope of the balls' means on the truth, and residual SD over slope (ppb)."""
        balls = range(1, self.labels.max() + 1)
        truth = np.array([self.chi[self.labels == ball].mean() for ball in balls])
        found = np.array([chi[self.labels == ball].mean() for ball in balls])
        slope, intercept = np.polyfit(truth, found, 1)
        residual = found - slope * truth - intercept
        return slope, 1000 * residual.std(ddof=2) / slope

    def error(self, chi: np.ndarray, where: np.ndarray | None = None) -> float:
        """SD of the error in the mask, or ``where``, over that of the truth."""
        where = self.mask if where is None else where
        return float(np.std((chi - self.chi)[where]) / np.std(self.chi[where]))

    def magnitude(self) -> np.ndarray:
        """A magnitude that shows every ball, the darker the more paramagnetic (1)."""
        return np.where(self.mask, 1 - 2 * self.chi, 0).astype(np.float32)

    def few_voxels(self, seed: int = 0) -> np.ndarray:
        """One in a hundred of the mask's voxels (boolean)."""
        return self.mask & (np.random.default_rng(seed).random(SHAPE) < 0.01)


def ball_phantom(
    voxel_size: Sequence[float] = (2, 2, 2), direction: Sequence[float] = (0, 0, 1)
) -> BallPhantom:
    """The phantom on a grid of ``voxel_size`` (mm), in a B0 along ``direction``."""
    axes = [(np.arange(n) - n // 2) * v for n, v in zip(SHAPE, voxel_size, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    mask = np.sqrt(x**2 + y**2 + z**2) < 40
    chi = np.where(mask, TISSUE_PPM, 0).astype(np.float32)
    labels = np.zeros(SHAPE, int)
    for label, (centre, radius, value) in enumerate(BALLS, start=1):
        inside = np.linalg.norm([x - centre[0], y - centre[1], z - centre[2]], axis=0) < radius
        chi[inside], labels[inside] = value, label
    field = convolve_dipole(chi, voxel_size, direction)
    return BallPhantom(chi, labels, mask, field, tuple(voxel_size), tuple(direction))
