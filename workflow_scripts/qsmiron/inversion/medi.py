"""Morphology-enabled inversion: total variation that leaves out the edges of the magnitude.

min over χ of ½‖w(Dχ − f)‖² + λ‖M∇χ‖₁, M being 0 at edges and 1 elsewhere, w the magnitude. Each
outer iteration replaces the L1 norm by a quadratic form about the last χ (lagged diffusivity, what
a Gauss-Newton step solves) and lowers the weight of voxels that no χ explains (MERIT).

Liu et al., NeuroImage 2012, doi 10.1016/j.neuroimage.2011.08.082 (morphology); Liu et al., Magn
Reson Med 2013, doi 10.1002/mrm.24272 (MERIT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spectral import divergence, gradient, laplacian_kernel, spectral_inner_product
from ..total_variation.grid import DipoleGrid
from .tikhonov import TikhonovParameters, closed_form_l2
from .tv import data_weight


class MediParameters(Parameters):
    """Parameters of the morphology-enabled inversion."""

    regularisation: float = Field(
        2e-4, gt=0, description="λ, weight of the total variation per mm (ppm·mm)"
    )
    edge_percentage: float = Field(
        30.0,
        ge=0,
        lt=100,
        description="differences between neighbours regarded as edges, the largest ones (%)",
    )
    smoothing: float = Field(
        1e-3, gt=0, description="gradient of χ below which the L1 norm is rounded off (ppm/mm)"
    )
    outlier_threshold: float = Field(
        0.05, gt=0, description="weighted residual above which a voxel loses weight (ppm)"
    )
    outer_iterations: int = Field(
        5, ge=1, le=100, description="updates of the quadratic form and of the weights (1)"
    )
    inner_iterations: int = Field(
        30, ge=1, le=500, description="most conjugate-gradient iterations per update (1)"
    )
    tolerance: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="conjugate gradients stop at this residual, relative to the data's (1)",
    )
    margin: float = Field(
        24.0, ge=0, le=200, description="zero padding between the brain and its copy (mm)"
    )


def morphology_enabled(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: MediParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from a local field (X, Y, Z; ppm).

    ``voxel_size`` in mm, ``b0_direction`` along the array axes. ``magnitude`` (any unit) shows the
    edges and weights the data; without it the edges are those of the closed-form L2 estimate and
    every voxel of the mask weighs 1.
    """
    grid = DipoleGrid(mask, voxel_size, b0_direction, threads, parameters.margin)
    if magnitude is None:
        quick = TikhonovParameters(margin=parameters.margin)
        guide = closed_form_l2(local_field, mask, voxel_size, b0_direction, quick, threads)
    else:
        guide = np.nan_to_num(magnitude, nan=0, posinf=0, neginf=0)
    penalised = _outside_edges(grid, guide, parameters.edge_percentage)

    field = grid.embed(local_field)
    given = data_weight(grid, magnitude)
    curvature = laplacian_kernel(grid.shape, voxel_size)
    weight = given
    # Of χ. From 0 the first solution is smooth, so that outliers stand out; an estimate that has
    # taken them up would hide them.
    spectrum = np.zeros(grid.dipole.shape, np.complex64)
    for _ in range(parameters.outer_iterations):
        slopes = gradient(grid.inverse(spectrum.copy()))
        diffusivity = [
            _diffusivity(slope / np.float32(edge), free, parameters)
            for slope, free, edge in zip(slopes, penalised, voxel_size, strict=True)
        ]
        system = _NormalEquations(grid, weight, diffusivity, curvature)
        spectrum = system.solve(spectrum, field, parameters.inner_iterations, parameters.tolerance)
        residual = grid.inverse(spectrum * grid.dipole) - field
        weight = _without_outliers(given, residual, grid.inside, parameters.outlier_threshold)
    return grid.extract(grid.inverse(spectrum))


def _outside_edges(grid: DipoleGrid, guide: np.ndarray, percentage: float) -> list[np.ndarray]:
    """M: per axis, whether the difference to the next voxel is penalised (boolean, padded grid).

    Edges are the largest differences per mm of ``guide`` among those between two voxels of the
    mask. All others are penalised: outside, no data holds χ.
    """
    pairs = [grid.inside & np.roll(grid.inside, -1, axis) for axis in range(3)]
    steepness = [
        np.abs(slope) / np.float32(edge)
        for slope, edge in zip(gradient(grid.embed(guide)), grid.voxel_size, strict=True)
    ]
    values = np.concatenate([values[pair] for values, pair in zip(steepness, pairs, strict=True)])
    threshold = np.quantile(values, 1 - percentage / 100) if values.size else 0
    return [~(pair & (values > threshold)) for values, pair in zip(steepness, pairs, strict=True)]


def _diffusivity(
    slope: np.ndarray, penalised: np.ndarray, parameters: MediParameters
) -> np.ndarray:
    """λM / |∂χ|, rounded off: half its product with (∂χ)² has the slope of the L1 norm."""
    slope = slope**2
    slope += np.float32(parameters.smoothing) ** 2
    return np.where(penalised, np.float32(parameters.regularisation) / np.sqrt(slope), 0)


def _without_outliers(
    weight: np.ndarray, residual: np.ndarray, inside: np.ndarray, threshold: float
) -> np.ndarray:
    """w² (the one given first), lowered where the weighted residual (ppm) is too large.

    Unlike MERIT the threshold is no multiple of the residuals' SD, which outliers would widen and
    low noise shrink until the model's own error counted; and the weights do not pile up over the
    iterations, so that a voxel judged by an early χ can recover.
    """
    weighted = np.sqrt(weight[inside]) * residual[inside]
    excess = np.abs(weighted - np.median(weighted)) / np.float32(threshold)
    lowered = weight.copy()
    lowered[inside] /= np.maximum(excess, 1) ** 4
    return lowered


@dataclass(frozen=True)
class _NormalEquations:
    """(D w² D + ∇ᵀ V ∇) χ = D w² f for spectra of χ on the half grid.

    ``weight`` is w², ``diffusivity`` V for differences per mm along each axis, ``curvature`` the
    spectrum of ∇ᵀ∇. In k-space the operator costs two FFTs each way, as it would in space, and
    the preconditioner costs none: it is the inverse with w² and V replaced by their means.
    """

    grid: DipoleGrid
    weight: np.ndarray
    diffusivity: Sequence[np.ndarray]
    curvature: np.ndarray

    def solve(
        self, start: np.ndarray, field: np.ndarray, iterations: int, tolerance: float
    ) -> np.ndarray:
        """χ's spectrum by preconditioned conjugate gradients from ``start``."""
        chi = start.copy()
        residual = self._adjoint(self.weight * field)
        preconditioner = self._preconditioner()
        enough = tolerance**2 * spectral_inner_product(residual, preconditioner * residual)
        residual -= self._apply(chi)
        direction = preconditioner * residual
        energy = spectral_inner_product(residual, direction)
        for _ in range(iterations):
            if energy <= enough:
                break
            image = self._apply(direction)
            step = np.float32(energy / spectral_inner_product(direction, image))
            chi += step * direction
            image *= step
            residual -= image
            scaled = preconditioner * residual
            previous, energy = energy, spectral_inner_product(residual, scaled)
            direction *= np.float32(energy / previous)
            direction += scaled
        return chi

    def _apply(self, chi: np.ndarray) -> np.ndarray:
        result = self._adjoint(self.weight * self.grid.inverse(self.grid.dipole * chi))
        slopes = gradient(self.grid.inverse(chi.copy()))
        for slope, diffusivity, edge in zip(
            slopes, self.diffusivity, self.grid.voxel_size, strict=True
        ):
            slope *= diffusivity
            slope /= np.float32(edge) ** 2
        result -= self.grid.transform(divergence(*slopes))
        return result

    def _adjoint(self, field: np.ndarray) -> np.ndarray:
        spectrum = self.grid.transform(field)
        spectrum *= self.grid.dipole
        return spectrum

    def _preconditioner(self) -> np.ndarray:
        weight = self.weight[self.grid.corner].mean(dtype=np.float64)
        diffusivity = np.mean([values.mean(dtype=np.float64) for values in self.diffusivity])
        diagonal = np.float32(weight) * self.grid.dipole**2
        diagonal += np.float32(diffusivity) * self.curvature
        diagonal[0, 0, 0] = np.inf  # the mean is arbitrary: it is set by the reference
        return 1 / diagonal
