"""Background of sources at some distance, told from a field whose χ is known but for its texture.

Between the brain and whatever makes the background lie fluid, dura and bone: sources at the mask's
very edge, which a harmonic field may have, would explain a cortex away. And an estimate of χ by
total variation lacks what real tissue has, a texture of 10 to 20 ppb. So the texture is modelled
beside the sources as a Gaussian random field with the spectrum of Matérn's covariances
(doi 10.1007/978-1-4612-1494-6), and the most probable sources of both are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spectral import Shape, wave_numbers
from .outer_sources import Prior, SourceGrid, outer_field


class DistantSourceParameters(Parameters):
    """Parameters of the distant sources and of the texture."""

    distance: float = Field(
        3.0, ge=0, le=20, description="sources lie farther than this from the mask (mm)"
    )
    strength_per_field: float = Field(
        25.0,
        gt=0,
        description="SD of a source's χ over the SD in the mask of the field that is left for "
        "sources to explain: 3 ppm for 0.12 ppm, as in a head, and hardly any where the background "
        "was taken off before (1)",
    )
    texture: float = Field(
        0.015, gt=0, description="SD of what the estimate of χ before it lacks (ppm)"
    )
    correlation_length: float = Field(
        10.0, gt=0, description="the texture's spectrum falls from wave numbers of 1 over this (mm)"
    )
    decay: float = Field(
        2.5, gt=0, description="it is (1 + (length × wave number)²) to the power of minus this (1)"
    )
    noise: float = Field(
        0.004, gt=0, description="SD of the field's noise, and of what no model explains (ppm)"
    )
    margin: float = Field(
        26.0, gt=0, le=200, description="sources lie up to this far outside the mask's box (mm)"
    )
    coarse_iterations: int = Field(
        100, ge=0, le=1000, description="conjugate-gradient steps at half the resolution (1)"
    )
    iterations: int = Field(
        30, ge=0, le=1000, description="conjugate-gradient steps at full resolution (1)"
    )

    def prior(self, field: np.ndarray, mask: np.ndarray) -> Prior:
        """Sources and texture as the least-squares estimate of a ``field`` (ppm) takes them."""
        spread = float(field[mask].std(dtype=float))
        # A field of nothing leaves nothing to explain; any strength does.
        strength = max(self.strength_per_field * spread, np.finfo(np.float32).tiny)
        return Prior(strength, self.noise, self.texture_amplitude)

    def texture_amplitude(self, shape: Shape, voxel_size: Sequence[float]) -> np.ndarray:
        """Amplitude spectrum (ppm) that gives white noise of SD 1 the texture's SD and spectrum.

        float32 on the half grid of ``shape``; ``voxel_size`` in mm.
        """
        square = sum(k**2 for k in wave_numbers(shape, voxel_size))
        power = (1 + np.float32(self.correlation_length**2) * square) ** np.float32(-self.decay)
        # Each plane of the half grid but the first and the last stands for two.
        total = 2 * power.sum(dtype=float)
        total -= power[..., 0].sum(dtype=float) + power[..., -1].sum(dtype=float)
        return np.sqrt(power / np.float32(total / np.prod(shape))) * np.float32(self.texture)


def distant_field(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: DistantSourceParameters,
    threads: int = 1,
) -> np.ndarray:
    """Background in a field from which that of the known χ is taken off already.

    Parameters
    ----------
    field : (X, Y, Z), ppm.
    mask : where the field is reliable, boolean.
    voxel_size : mm.
    b0_direction : B0 along the array axes.
    parameters : see :class:`DistantSourceParameters`.
    threads : workers; the result does not depend on them.

    Returns
    -------
    float32 (X, Y, Z), ppm; 0 outside the mask.
    """
    grid = SourceGrid(mask, voxel_size, parameters.margin)
    iterations = parameters.coarse_iterations, parameters.iterations
    distance, prior = parameters.distance, parameters.prior(field, mask)
    return outer_field(field, grid, b0_direction, distance, iterations, threads, prior)
