"""The voxels of one image as they are stored, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..phase_scale import lines_along


@dataclass(frozen=True)
class Values:
    """Stored values (X, Y, Z) of an image, and their scale: value · ``slope`` + ``intercept``."""

    stored: np.ndarray
    slope: float
    intercept: float

    @property
    def physical(self) -> np.ndarray:
        """The scaled values, float32."""
        return self.stored.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept)

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest value."""
        ends = (float(self.stored.min()), float(self.stored.max()))
        low, high = sorted(end * self.slope + self.intercept for end in ends)
        return low, high

    def lines(self, axis: int) -> np.ndarray:
        """Values (n, …) along an axis, float32, through a sample of the points across it."""
        along = lines_along(self.stored, axis)
        return along * np.float32(self.slope) + np.float32(self.intercept)

    @property
    def all_lines(self) -> list[np.ndarray]:
        """Such values along each axis."""
        return [self.lines(axis) for axis in range(self.stored.ndim)]
