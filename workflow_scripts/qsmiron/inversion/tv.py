"""Total-variation inversion: χ of least total variation that explains the local field in the mask.

min over χ of ½‖w(Dχ − f)‖² + λ‖∇χ‖₁ by ADMM (Bilgic et al., Magn Reson Med 2015,
doi 10.1002/mrm.25029; the weighted, split data term after Milovic et al., Magn Reson Med 2018,
doi 10.1002/mrm.27073), with λ in proportion to the noise and edges of χ taken out of the penalty
after some iterations, so that contrast is not shrunk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..total_variation.admm import DipoleSystem, iterate
from ..total_variation.grid import DipoleGrid
from ..total_variation.settings import TotalVariationParameters
from ..total_variation.slabs import Slabs


class TvParameters(TotalVariationParameters):
    """Parameters of the total-variation inversion."""

    iterations: int = Field(50, ge=1, le=2000, description="most iterations (1)")


def total_variation(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: TvParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from a local field (X, Y, Z; ppm).

    ``voxel_size`` in mm, ``b0_direction`` along the array axes. ``magnitude`` (any unit), where
    given, weights the data by :func:`data_weight`; otherwise every voxel of the mask weighs 1.
    """
    grid = DipoleGrid(mask, voxel_size, b0_direction, threads, parameters.margin)
    settings = parameters.settings(local_field, mask)
    weight = data_weight(grid, magnitude)
    with Slabs(threads) as slabs:
        system = DipoleSystem(grid, settings.mu, settings.rho, slabs)
        chi, _ = iterate(grid, system, grid.embed(local_field), weight, settings, slabs)
    return grid.extract(chi)


def data_weight(grid: DipoleGrid, magnitude: np.ndarray | None) -> np.ndarray:
    """Squared weight of the data on the padded grid, 0 outside the mask.

    Phase noise goes with 1/magnitude: voxels below the median magnitude of the mask count less,
    none counts more than 1, since coil shading is no reason to trust one place more.
    """
    weight = grid.inside.astype(np.float32)
    if magnitude is not None:
        finite = np.nan_to_num(magnitude, nan=0, posinf=0, neginf=0)
        median = max(float(np.median(finite[grid.mask])), float(np.finfo(np.float32).tiny))
        weight *= np.minimum(grid.embed(finite) / np.float32(median), 1)
    weight **= 2
    return weight
