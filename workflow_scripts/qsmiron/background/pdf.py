"""Projection onto dipole fields: the background is what sources outside the mask can make.

min over s outside the mask of ‖m (D s − f)‖², by conjugate gradients whose early stop is the
regularisation: Liu et al., NMR Biomed 2011, doi 10.1002/nbm.1670.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from .outer_sources import SourceGrid, outer_field


class PdfParameters(Parameters):
    """Parameters of the projection onto dipole fields."""

    margin: float = Field(
        24.0, gt=0, le=200, description="sources lie up to this far outside the mask's box (mm)"
    )
    distance: float = Field(
        0.0, ge=0, le=20, description="sources lie farther than this from the mask (mm)"
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
    grid = SourceGrid(mask, voxel_size, parameters.margin)
    iterations = parameters.coarse_iterations, parameters.iterations
    return outer_field(field, grid, b0_direction, parameters.distance, iterations, threads)
