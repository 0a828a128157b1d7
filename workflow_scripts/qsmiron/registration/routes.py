"""Routes: where a point of the scan lies in a label image.

A route takes voxel indices of the GRE's grid, whole or between voxels, to RAS mm of the space that
the labels are in. Labels are then looked up there once, without any resampling in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy import ndimage

from ..errors import InputError, Problem
from ..spaces import apply_affine, look_up
from ..volumes import Volume
from .coordinates import read_coordinates

FAR_MM = 1e6
"""Coordinate of a point that the route does not reach: outside every image."""

TIE_MM = 1e-6
"""Grids half a voxel apart put points on the very border of two voxels. So small a step makes
rounding errors choose none of them, and all storage orders of an image the same."""


class Route(Protocol):
    """Points (…, 3), RAS mm, of the label image's space."""

    def centres(self) -> np.ndarray:
        """Of all voxel centres of the scan: (X, Y, Z, 3)."""

    def between(self, index: np.ndarray) -> np.ndarray:
        """Of voxel indices (N, 3), which need not be whole: (N, 3)."""


@dataclass(frozen=True)
class CoordinateRoute:
    """Through the scan's coordinate map, and from the default template to another if need be.

    ``coordinates`` (X, Y, Z, 3) are RAS mm in the default template. ``onward`` is a map (X, Y, Z,
    3) on a grid of the default template that holds RAS mm in the atlas' own template; points
    outside that grid are nowhere.
    """

    coordinates: np.ndarray
    onward: Volume | None = None

    def centres(self) -> np.ndarray:
        """See :class:`Route`."""
        return self._on(self.coordinates)

    def between(self, index: np.ndarray) -> np.ndarray:
        """See :class:`Route`; trilinear between voxel centres, beyond the outermost as there."""
        where = np.moveaxis(index, -1, 0)
        points = [
            ndimage.map_coordinates(
                self.coordinates[..., axis], where, order=1, mode="nearest", output=np.float32
            )
            for axis in range(3)
        ]
        return self._on(np.stack(points, axis=-1))

    def _on(self, points: np.ndarray) -> np.ndarray:
        if self.onward is None:
            return points
        there = [
            look_up(self.onward.data[..., axis], self.onward.affine, points, outside=FAR_MM)
            for axis in range(3)
        ]
        return np.stack(there, axis=-1)


@dataclass(frozen=True)
class RigidRoute:
    """From the GRE's grid by a rigid map (4, 4) of its RAS mm to those of the label image.

    In double precision, so that :data:`TIE_MM` is above its rounding errors.
    """

    shape: tuple[int, ...]
    affine: np.ndarray
    matrix: np.ndarray

    @property
    def _to_points(self) -> np.ndarray:
        step = np.eye(4)
        step[:3, 3] = TIE_MM
        return step @ self.matrix @ self.affine

    def centres(self) -> np.ndarray:
        """See :class:`Route`."""
        x, y, z = np.ogrid[tuple(slice(0.0, length) for length in self.shape[:3])]
        rows = self._to_points[:3]
        return np.stack([a * x + b * y + c * z + d for a, b, c, d in rows], axis=-1)

    def between(self, index: np.ndarray) -> np.ndarray:
        """See :class:`Route`."""
        return apply_affine(self._to_points, index)


def read_template_map(path: str | Path) -> Volume:
    """Read a map between templates: ``data`` (X, Y, Z, 3) float32, RAS mm in the atlas' own one.

    Raises
    ------
    InputError
        If it is missing, unreadable, or has not three coordinates a voxel.
    """
    volume = read_coordinates(path)
    if volume.data.shape[3] != 3:
        raise InputError(
            Problem(
                str(path),
                f"an image of shape {volume.data.shape}",
                "three coordinates a voxel, (X, Y, Z, 3)",
                "Give a map written as the workflow's coordinate maps are.",
            )
        )
    return volume
