"""Weak-harmonic total variation: χ together with the rest of the background in the local field.

min over χ and h of ½‖w(Dχ + h − f)‖² + λ‖∇χ‖₁ + ½β‖Δh‖² (in the mask): what a background filter
left behind, being nearly harmonic, goes into h and not into χ. Milovic et al., Magn Reson Med 2019,
doi 10.1002/mrm.27483; χ and h are updated together here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..total_variation.admm import HarmonicSystem, iterate
from ..total_variation.grid import DipoleGrid
from ..total_variation.settings import TotalVariationParameters
from ..total_variation.slabs import Slabs
from .tv import data_weight


class WeakHarmonicParameters(TotalVariationParameters):
    """Parameters of the weak-harmonic inversion."""

    harmonic_weight: float = Field(
        150.0, gt=0, description="β, weight of the squared Laplacian of the background left (mm⁴)"
    )


def weak_harmonic(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: WeakHarmonicParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from a local field (X, Y, Z; ppm).

    ``voxel_size`` in mm, ``b0_direction`` along the array axes; ``magnitude`` (any unit) weights
    the data as in :mod:`.tv`.
    """
    grid = DipoleGrid(mask, voxel_size, b0_direction, threads, parameters.margin)
    settings = parameters.settings(local_field, mask)
    weight = data_weight(grid, magnitude)
    with Slabs(threads) as slabs:
        system = HarmonicSystem(
            grid, settings.mu, settings.rho, slabs, 1 / parameters.harmonic_weight
        )
        chi, _ = iterate(grid, system, grid.embed(local_field), weight, settings, slabs)
    return grid.extract(chi)
