"""A rigid map between two images of one contrast, by least squares that outliers do not pull.

Where mutual information only says that intensities are related, two T1w of one head have the same:
Gauss-Newton steps on their difference find the map to hundredths of a millimetre. Voxels that
differ for another reason than the place (motion, vessels, scalp) lose their weight, by Tukey's
biweight as in Reuter et al. 2010 (Neuroimage 53:1181-1196, doi 10.1016/j.neuroimage.2010.07.020).
"""

from __future__ import annotations

import numpy as np
from pydantic import Field
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..parameters import Parameters
from ..spaces import apply_affine, grid_points, look_up
from ..volumes import Volume

TUKEY = 4.685
"""Residuals of so many robust SDs have no weight: 95 % efficient for normal ones."""


class SameContrastParameters(Parameters):
    """Schedule of the rigid registration of one contrast; a value a level, coarse to fine."""

    smoothing: tuple[float, ...] = Field((4.0, 1.5), description="Gaussian SD of each level (mm)")
    iterations: int = Field(15, ge=1, description="most Gauss-Newton steps of a level (1)")
    tolerance: float = Field(2e-3, gt=0, description="a shorter step is the last of a level (mm)")
    points: int = Field(200_000, ge=1000, description="voxels compared, evenly chosen (1)")


def register_same_contrast(
    fixed: Volume,
    moving: Volume,
    mask: np.ndarray,
    start: np.ndarray,
    parameters: SameContrastParameters,
) -> np.ndarray:
    """Rigid map (4, 4) of ``fixed`` RAS mm to ``moving`` RAS mm.

    ``mask`` (X, Y, Z) bool, on the grid of ``fixed``, is where the images are compared; ``start``
    is a map of the same direction, some millimetres off at most. Scale and offset of the
    intensities are fitted.
    """
    chosen = np.flatnonzero(mask)
    chosen = chosen[:: max(1, chosen.size // parameters.points)]
    points = grid_points(mask.shape, fixed.affine).reshape(-1, 3)[chosen].astype(float)
    centre = points.mean(axis=0)
    found = np.array(start, float)
    for sigma in parameters.smoothing:
        wanted = _smooth(fixed, sigma).ravel()[chosen].astype(float)
        image = _smooth(moving, sigma)
        slopes = np.stack(np.gradient(image), axis=-1) @ np.linalg.inv(moving.affine)[:3, :3]
        for _ in range(parameters.iterations):
            there = apply_affine(found, points)
            seen = look_up(image, moving.affine, there).astype(float)
            slope = np.stack(
                [look_up(slopes[..., axis], moving.affine, there) for axis in range(3)], axis=-1
            ).astype(float)
            arm = there - apply_affine(found, centre)
            columns = [np.cross(arm, slope), slope, seen[:, None], np.ones((len(seen), 1))]
            step = _solve(np.concatenate(columns, axis=1), wanted)
            # the fitted gain multiplies the slopes too
            turn, shift = (part / (step[6] or 1) for part in (step[:3], step[3:6]))
            found = _moved(found, turn, shift, centre)
            if np.linalg.norm(shift) + 70 * np.linalg.norm(turn) < parameters.tolerance:
                break
    return found


def _smooth(image: Volume, sigma: float) -> np.ndarray:
    size = [sigma / edge for edge in image.voxel_size]
    return ndimage.gaussian_filter(image.data.astype(np.float32), size, truncate=3)


def _solve(columns: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Coefficients of weighted least squares, from those of plain ones on."""
    weight = np.ones(len(wanted))
    for _ in range(3):
        heavy = columns * weight[:, None]
        found = np.linalg.solve(heavy.T @ columns, heavy.T @ wanted)
        rest = wanted - columns @ found
        spread = 1.4826 * np.median(np.abs(rest - np.median(rest)))
        weight = np.clip(1 - (rest / (TUKEY * spread or 1)) ** 2, 0, None) ** 2
    return found


def _moved(
    matrix: np.ndarray, turn: np.ndarray, shift: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """A map after a small rotation (vector, rad) about where ``centre`` goes, and a shift (mm)."""
    step = np.eye(4)
    step[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    there = apply_affine(matrix, centre)
    step[:3, 3] = there + shift - step[:3, :3] @ there
    return step @ matrix
