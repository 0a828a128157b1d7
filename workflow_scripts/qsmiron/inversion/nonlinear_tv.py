"""Total-variation inversion with a data term that knows the field only as a phase.

min over χ of (1/2s²)‖w(exp(isDχ) − exp(isf))‖² + λ‖∇χ‖₁ by ADMM, s being the phase that 1 ppm
gives. For small residuals this is the linear data term; a field that is off by whole cycles of
phase costs nothing. Milovic et al., Magn Reson Med 2018, doi 10.1002/mrm.27073.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spectral import inner_product, laplacian_kernel
from ..total_variation.grid import DipoleGrid
from ..total_variation.shrinkage import GradientShrinkage
from ..total_variation.slabs import Slabs
from .tikhonov import TikhonovParameters, closed_form_l2
from .tv import data_weight

START_SMOOTHING = 0.025
"""λ of the L2 estimate whose field the search starts from, over the voxel's squared edge (1)."""

NEWTON_STEPS = 3
"""Per ADMM iteration: exact to 1e-5 rad within a quarter turn; later iterations do the rest."""


class NonlinearTvParameters(Parameters):
    """Parameters of the nonlinear total-variation inversion."""

    regularisation: float = Field(
        2e-4, gt=0, description="λ, weight of the total variation per mm (ppm·mm)"
    )
    phase_scale: float = Field(
        2 * np.pi * 42.577478 * 3 * 0.02,
        gt=0,
        description="s, phase per field: 2π · 42.577478 MHz/T · B0 · echo time, by default that "
        "of 3 T and 20 ms (rad/ppm)",
    )
    rho: float = Field(2e-2, gt=0, description="penalty of the gradient splitting (1)")
    data_penalty: float = Field(
        1.0,
        ge=1,
        description="penalty of the field splitting; below 1 its step would be ambiguous (1)",
    )
    iterations: int = Field(100, ge=1, le=2000, description="most iterations (1)")
    tolerance: float = Field(
        1e-3,
        ge=0,
        lt=1,
        description="stop when an iteration changes χ by less than this, relative (1)",
    )
    margin: float = Field(
        24.0, ge=0, le=200, description="zero padding between the brain and its copy (mm)"
    )


def nonlinear_total_variation(
    local_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: NonlinearTvParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from a local field (X, Y, Z; ppm).

    ``voxel_size`` in mm, ``b0_direction`` along the array axes. ``magnitude`` (any unit), where
    given, weights the data by :func:`.tv.data_weight`; otherwise every voxel of the mask weighs 1.
    The problem is not convex: the field given should be unwrapped as well as it can be.
    """
    grid = DipoleGrid(mask, voxel_size, b0_direction, threads, parameters.margin)
    penalty, rho = np.float32(parameters.data_penalty), np.float32(parameters.rho)
    scale = np.float32(parameters.phase_scale)
    corner = grid.corner  # only there is data; elsewhere the field is whatever Dχ makes it
    data = grid.embed(local_field)[corner]
    squares = data_weight(grid, magnitude)
    weight = squares[corner] / penalty

    system = penalty * grid.dipole**2 + rho * laplacian_kernel(grid.shape)
    system[0, 0, 0] = np.inf  # the mean is arbitrary: it is set by the reference
    steps = [parameters.regularisation / (parameters.rho * edge) for edge in voxel_size]
    chi = np.zeros(grid.shape, np.float32)  # not the start: its spikes would linger in the duals
    field = _start(grid, grid.extract(np.sqrt(squares)) * local_field, b0_direction, parameters)
    dual = np.zeros(grid.shape, np.float32)
    with Slabs(threads) as slabs:
        shrinkage = GradientShrinkage(grid.shape, steps, slabs)
        for _ in range(parameters.iterations):
            dual += field
            split = dual.copy()
            split[corner] = data + _residual(split[corner] - data, weight, scale)
            dual -= split
            split -= dual
            spectrum = grid.transform(split)
            spectrum *= penalty * grid.dipole
            spectrum += rho * grid.transform(shrinkage.update(chi))
            spectrum /= system
            previous, chi = chi, grid.inverse(spectrum.copy())
            spectrum *= grid.dipole
            field = grid.inverse(spectrum)
            previous -= chi
            changed = inner_product(previous, previous)
            if changed <= parameters.tolerance**2 * inner_product(chi, chi):
                break
    return grid.extract(chi)


def _start(
    grid: DipoleGrid,
    weighted_field: np.ndarray,
    b0_direction: Sequence[float],
    parameters: NonlinearTvParameters,
) -> np.ndarray:
    """Field (ppm, padded grid) from which that of every voxel should be under half a cycle away.

    That of a χ smooth enough to miss single voxels that are off by whole cycles, yet not strong
    sources, whose field may be more than a cycle. The data are weighted since voxels that do not
    count later could still lead their neighbours onto the wrong cycle.
    """
    quick = TikhonovParameters(
        regularisation=START_SMOOTHING * float(np.prod(grid.voxel_size)) ** (2 / 3),
        margin=parameters.margin,
    )
    chi = closed_form_l2(
        weighted_field, grid.mask, grid.voxel_size, b0_direction, quick, grid.threads
    )
    return grid.field(grid.embed(chi))


def _residual(drawn: np.ndarray, weight: np.ndarray, scale: np.float32) -> np.ndarray:
    """Field residual r (ppm) with r + w sin(s r) / s = ``drawn``, by Newton's method.

    For a phase y = s r this is Kepler's equation, with one solution since ``weight`` is at most
    1. The slope is taken without its negative part, so that no step overshoots near y = π, where
    the true one vanishes.
    """
    target = scale * drawn
    phase = target.copy()
    for _ in range(NEWTON_STEPS):
        slope = 1 + weight * np.maximum(np.cos(phase), 0)
        phase -= (phase - target + weight * np.sin(phase)) / slope
    phase /= scale
    return phase
