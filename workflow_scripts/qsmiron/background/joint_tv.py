"""Joint estimate of χ and background: what χ of least total variation explains is the local field.

min over χ and h of ½‖Dχ + h − f‖² + λ‖∇χ‖₁ with h harmonic in the mask. A background filter also
takes away the harmonic part of the local field, about half of it; here the χ that explains the rest
says what that part was. Weak-harmonic QSM (Milovic et al., Magn Reson Med 2019,
doi 10.1002/mrm.27483) with a strictly harmonic h, updated together with χ, edges of χ taken out of
the penalty after some iterations, and a start from the projection onto dipole fields. Such an h may
have its sources at the mask's very edge, and such a χ has no texture: both are mended at the end,
when the background is looked for anew as that of distant sources (:mod:`.distant_sources`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..total_variation.admm import HarmonicSystem, iterate
from ..total_variation.grid import DipoleGrid
from ..total_variation.settings import TotalVariationParameters
from ..total_variation.slabs import Slabs
from .distant_sources import DistantSourceParameters, distant_field
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
    background: DistantSourceParameters = Field(
        default_factory=DistantSourceParameters,
        description="distant sources of what the field of χ leaves",
    )


class JointTvTissueParameters(JointTvParameters):
    """Parameters of the joint estimate with tissue classes."""

    tissue: TissueParameters = Field(
        default_factory=TissueParameters, description="the smooth part of χ"
    )


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
    estimate = _Estimate(field, mask, voxel_size, b0_direction, parameters, threads)
    return estimate.local_field(), mask.copy()


def joint_tv_tissue(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: JointTvTissueParameters,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`joint_tv`, the smooth part of χ being settled by tissue classes."""
    estimate = _Estimate(field, mask, voxel_size, b0_direction, parameters, threads)
    estimate.settle(parameters.tissue)
    return estimate.local_field(), mask.copy()


def chi_with_tissue(
    field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: JointTvTissueParameters,
    threads: int = 1,
) -> np.ndarray:
    """χ (float32 ppm, 0 outside the mask) of :func:`joint_tv_tissue`, with the same arguments."""
    estimate = _Estimate(field, mask, voxel_size, b0_direction, parameters, threads)
    estimate.settle(parameters.tissue)
    return estimate.chi


class _Estimate:
    """χ (X, Y, Z; ppm) from a total field less its start, as far as total variation tells."""

    def __init__(
        self,
        field: np.ndarray,
        mask: np.ndarray,
        voxel_size: Sequence[float],
        b0_direction: Sequence[float],
        parameters: JointTvParameters,
        threads: int,
    ) -> None:
        self.field, self.b0_direction, self.parameters = field, b0_direction, parameters
        rest = field - background_field(
            field, mask, voxel_size, b0_direction, parameters.start, threads
        )
        self.grid = grid = DipoleGrid(mask, voxel_size, b0_direction, threads, parameters.margin)
        settings = parameters.settings(rest, mask)
        with Slabs(threads) as slabs:
            system = HarmonicSystem(grid, settings.mu, settings.rho, slabs)
            data, weight = grid.embed(rest), grid.inside.astype(np.float32)
            chi, _ = iterate(grid, system, data, weight, settings, slabs)
        self.chi = grid.extract(chi)

    def settle(self, tissue: TissueParameters) -> None:
        """Take off the smooth part of χ by which a tissue would not have one χ."""
        grid = self.grid
        self.chi -= smooth_chi(self.chi, grid.mask, grid.voxel_size, self.b0_direction, tissue)

    def local_field(self) -> np.ndarray:
        """What distant sources do not explain, given the field of χ (float32 ppm)."""
        grid = self.grid
        unexplained = self.field - grid.extract(grid.field(grid.embed(self.chi)))
        background = distant_field(
            unexplained, grid.mask, grid.voxel_size, self.b0_direction,
            self.parameters.background, grid.threads,
        )  # fmt: skip
        return np.where(grid.mask, self.field - background, np.float32(0))
