"""T1w ↔ GRE magnitude of one session: a rigid map by mutual information.

The scanner coordinates of both images are the start: patients move by millimetres between two
scans of a session. Where the images do not agree at that start, neither will the quality numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..masks.brain import local_brightness
from ..parameters import Parameters
from ..spaces import apply_affine, decimate, grid_points, look_up
from ..volumes import Volume
from .itk_bridge import register_linear
from .similarity import mutual_information

MOVED_MM = 6.0
"""So far the GRE is moved to see what mutual information a wrong place has."""

SHARPNESS_POINTS = 200_000
"""About so many voxels say how sharp it is: the fewer, the more information is left in noise."""


class RigidParameters(Parameters):
    """Schedule of the rigid registration; tuples hold one value a level, coarse to fine."""

    iterations: tuple[int, ...] = Field((50, 20, 10), description="iterations of each level (1)")
    shrink: tuple[int, ...] = Field((3, 2, 1), description="coarsening of each level (1)")
    smoothing: tuple[float, ...] = Field(
        (1.0, 0.5, 0.0), description="Gaussian SD of each level (voxels)"
    )
    points: int = Field(
        60_000, ge=1000, description="voxels compared, drawn at random where there are more (1)"
    )
    spacing: float = Field(
        1.0, gt=0.5, description="finer magnitudes are compared on this grid (mm)"
    )
    margin: float = Field(8.0, ge=0, description="what is compared around the T1w's brain (mm)")
    shading: float = Field(12.0, gt=5, description="SD of the kernel that evens out the coil (mm)")


def combine_echoes(echoes: Sequence[np.ndarray]) -> np.ndarray:
    """Root sum of squares (X, Y, Z) of the echoes' magnitudes: signal of all, noise averaged."""
    total = np.zeros(echoes[0].shape, np.float32)
    for echo in echoes:
        total += echo.astype(np.float32) ** 2
    return np.sqrt(total)


def register_gre(
    session: tuple[Any, Path],
    magnitude: Volume,
    t1w: Volume,
    brain: np.ndarray,
    parameters: RigidParameters,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Rigid map (4, 4) of GRE points to T1w points (RAS mm).

    ``start`` is a map of the same direction; by default the scanner's coordinates are.

    ``brain`` (bool) is on the grid of ``t1w``. The GRE is the fixed image, since its field of view
    is the smaller one: every voxel of it that is compared has a counterpart, and moving out of
    the picture gains nothing. Its shading is divided out: the coil's changes of brightness are
    larger than the contrast of grey and white matter, and would make up the mutual information.
    """
    even = evened(magnitude, parameters)
    steps = max(1, round(parameters.margin / min(t1w.voxel_size)))
    near = ndimage.binary_dilation(brain, iterations=steps) if parameters.margin else brain
    start = np.eye(4) if start is None else start
    points = apply_affine(start, grid_points(even.data.shape, even.affine))
    compared = look_up(near, t1w.affine, points, order=0, outside=False)
    return register_linear(
        session,
        even,
        t1w,
        compared,
        start,
        "Rigid",
        parameters.iterations,
        parameters.shrink,
        parameters.smoothing,
        min(1.0, parameters.points / max(int(compared.sum()), 1)),
    )


def sharpness(
    magnitude: Volume,
    t1w: Volume,
    brain: np.ndarray,
    to_t1w: np.ndarray,
    parameters: RigidParameters,
) -> float:
    """Mutual information of T1w and GRE over its mean with the GRE moved by :data:`MOVED_MM`.

    It is moved to six sides. Arguments as for :func:`register_gre`, whose result is ``to_t1w``;
    the GRE's shading is divided out. Mutual information itself depends on contrast and noise as
    much as on the place; two images of one head lose it within millimetres, those of two heads
    have little to lose. 1 for noise.
    """
    even = evened(magnitude, parameters)
    inside = np.flatnonzero(brain)
    inside = inside[:: max(1, inside.size // SHARPNESS_POINTS)]
    index = np.stack(np.unravel_index(inside, brain.shape), axis=-1).astype(np.float32)
    points, values = apply_affine(t1w.affine, index), t1w.data.ravel()[inside]

    def information(shift: np.ndarray) -> float:
        there = apply_affine(np.linalg.inv(to_t1w), points + shift.astype(np.float32))
        seen = look_up(even.data, even.affine, there, outside=np.nan)
        return mutual_information(values, seen, np.isfinite(seen))

    sides = MOVED_MM * np.concatenate([np.eye(3), -np.eye(3)])
    return information(np.zeros(3)) / float(np.mean([information(side) for side in sides]))


def evened(magnitude: Volume, parameters: RigidParameters) -> Volume:
    """The magnitude (X, Y, Z), not finer than need be, its shading divided out."""
    factor = max(1, int(parameters.spacing / max(magnitude.voxel_size) + 0.01))
    small = decimate(magnitude, factor, 0.4 if factor > 1 else 0.0)
    sigma = [parameters.shading / size for size in small.voxel_size]
    brightness = local_brightness(small.data, sigma)
    floor = np.float32(1e-2 * brightness.max())
    return Volume(small.data / np.maximum(brightness, floor), small.affine)
