"""Joint estimate of χ and background: what χ of least total variation explains is the local field.

min over χ and h of ½‖Dχ + h − f‖² + λ‖∇χ‖₁ with h harmonic in the mask. A background filter also
takes away the harmonic part of the local field, about half of it; here the χ that explains the rest
says what that part was. Weak-harmonic QSM (Milovic et al., Magn Reson Med 2019,
doi 10.1002/mrm.27483) with a strictly harmonic h, updated together with χ, edges of χ taken out of
the penalty after some iterations, and a start from the projection onto dipole fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ..total_variation.admm import HarmonicSystem, iterate
from ..total_variation.grid import DipoleGrid
from ..total_variation.settings import TotalVariationParameters
from ..total_variation.slabs import Slabs
from .pdf import PdfParameters, background_field
from .smooth_chi import TissueParameters, smooth_chi


class JointTvParameters(TotalVariationParameters):
    """Parameters of the joint estimate."""

    regularisation_per_noise: float = Field(
        0.17, gt=0, description="λ over the noise of the field, where λ is null (mm)"
    )
    rho_per_regularisation: float = Field(
        50.0, gt=0, description="penalty of the gradient splitting over λ (1/ppm)"
    )
    reweighted_at: tuple[int, ...] = Field(
        (10, 15, 20, 25, 30, 35),
        description="iterations at which edges of χ are taken out of the penalty (1)",
    )
    edge_gain: float = Field(
        2.0,
        gt=0,
        description="λ is multiplied by this when edges are taken out of the penalty (1)",
    )
    start: PdfParameters = Field(
        default_factory=PdfParameters, description="projection onto dipole fields, the start"
    )


class JointTvTissueParameters(JointTvParameters):
    """Parameters of the joint estimate with tissue classes."""

    tissue: TissueParameters = Field(
        default_factory=TissueParameters, description="the smooth part of χ"
    )


@dataclass(frozen=True)
class JointEstimate:
    """χ of the mask and its field plus what neither χ nor background explains (float32 ppm)."""

    chi: np.ndarray
    local_field: np.ndarray


def joint_tv(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: JointTvParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Local field (float32 ppm, 0 outside the mask) and where it holds: the mask itself.

    Parameters
    ----------
    field : total field (X, Y, Z), ppm.
    mask : where the field is reliable, boolean.
    voxel_size : mm.
    b0_direction : B0 along the array axes.
    parameters : see :class:`JointTvParameters`.
    threads : workers; the result does not depend on them.
    """
    estimate = _Estimation(field, mask, voxel_size, b0_direction, parameters, threads)
    return estimate.result().local_field, mask.copy()


def joint_tv_tissue(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: JointTvTissueParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`joint_tv`, the smooth part of χ being settled by tissue classes."""
    estimate = estimate_with_tissue(field, mask, voxel_size, b0_direction, parameters, threads)
    return estimate.local_field, mask.copy()


def estimate_with_tissue(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: JointTvTissueParameters,
    threads: int = 1,
) -> JointEstimate:
    """χ and local field with tissue classes; arguments as in :func:`joint_tv`."""
    estimate = _Estimation(field, mask, voxel_size, b0_direction, parameters, threads)
    estimate.chi -= smooth_chi(estimate.chi, mask, voxel_size, b0_direction, parameters.tissue)
    return estimate.result()


class _Estimation:
    """The joint estimate on its grid; ``chi`` (X, Y, Z) may be changed before the result."""

    def __init__(
        self,
        field: np.ndarray,
        mask: np.ndarray,
        voxel_size: Sequence[float],
        b0_direction: Sequence[float],
        parameters: JointTvParameters,
        threads: int,
    ) -> None:
        rest = field - background_field(
            field, mask, voxel_size, b0_direction, parameters.start, threads
        )
        margin = parameters.margin
        self.grid = grid = DipoleGrid(mask, voxel_size, b0_direction, threads, margin)
        data = grid.embed(rest)
        settings = parameters.settings(rest, mask)
        with Slabs(threads) as slabs:
            system = HarmonicSystem(grid, settings.mu, settings.rho, slabs)
            weight = grid.inside.astype(np.float32)
            chi, modelled = iterate(grid, system, data, weight, settings, slabs)
        data -= modelled
        self.chi = grid.extract(chi)
        self.unexplained = grid.extract(data)

    def result(self) -> JointEstimate:
        """χ and the local field that belongs to it."""
        local = self.grid.extract(self.grid.field(self.grid.embed(self.chi)))
        local += self.unexplained
        return JointEstimate(self.chi, local)
