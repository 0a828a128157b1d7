"""Sources of least total variation that explain χ and the relaxation rate of every voxel.

The rate is linear in both sources. With a measured R2 it is R2' = Dr⁺χ⁺ + Dr⁻|χ⁻|; without one
R2* = R2₀ + (Dr⁺ + ρ⁺)χ⁺ + (Dr⁻ + ρ⁻)|χ⁻|: R2 itself rises with iron and with myelin (the model of
Stüber 2014, doi 10.1016/j.neuroimage.2014.02.026), from the R2₀ of tissue that has neither. So grey
matter, white matter and iron-rich nuclei get an R2 of their own without a segmentation, and an
error of R2₀ moves both sources everywhere by the same amount.

Assumptions, all in the parameters: Dr⁺ and Dr⁻ of realistic tissue; Dr⁺ + ρ⁺ = 240, between about
200 (R2* of thalamus and pallidum, 20 and 40 1/s, over their χ⁺, doi 10.1002/nbm.5226) and 274
(R2*QSM, doi 10.3390/tomography8030127); ρ⁻ from the T2 of white and grey matter at 3 T (69 and
99 ms; Stanisz 2005, doi 10.1002/mrm.20605), 40 ppb of χ⁻ apart.

χ is kept: χ⁺ = χ + u and χ⁻ = −u, where u is found by
min ½Σ w(u − d)² + λ(‖∇u‖₁ + ‖∇(χ + u)‖₁) over u ≥ max(0, −χ),
with d the solution in closed form, w its inverse variance (noise of R2* and of χ) and both sources
free of each other's edges: where χ has an edge that R2* does not decide on, it goes to one source.
Primal-dual iterations (Chambolle & Pock 2011, doi 10.1007/s10851-010-0251-1).
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spaces import bounding_box
from ..total_variation.noise import field_noise
from .maps import Maps, admissible, in_closed_form


class SourceTvParameters(Parameters):
    """Parameters of the separation by least total variation; constants at 3 T grow with B0."""

    dr_paramagnetic: float = Field(
        114.0, gt=0, description="Dr⁺, R2' per ppm of χ⁺ at 3 T (1/(s·ppm))"
    )
    dr_diamagnetic: float = Field(
        30.0, gt=0, description="Dr⁻, R2' per ppm of |χ⁻| at 3 T (1/(s·ppm))"
    )
    r2_per_paramagnetic: float = Field(
        126.0, ge=0, description="ρ⁺, R2 per ppm of χ⁺ at 3 T, where it is not measured (1/(s·ppm))"
    )
    r2_per_diamagnetic: float = Field(
        110.0,
        ge=0,
        description="ρ⁻, R2 per ppm of |χ⁻| at 3 T, where it is not measured (1/(s·ppm))",
    )
    r2_without_sources: float = Field(
        8.0, ge=0, description="R2₀, R2 of tissue without sources, where R2 is not measured (1/s)"
    )
    regularisation_per_noise: float = Field(
        0.2, ge=0, description="λ over the noise of the solution in closed form (mm)"
    )
    chi_noise: float = Field(
        0.004, gt=0, description="noise of χ, where the local field does not tell it (ppm)"
    )
    iterations: int = Field(40, ge=0, le=2000, description="most iterations (1)")
    tolerance: float = Field(
        2e-3, ge=0, lt=1, description="stop when an iteration changes χ⁻ by less, relative (1)"
    )


def least_variation(maps: Maps, parameters: SourceTvParameters) -> np.ndarray:
    """χ⁺ (X, Y, Z; float32 ppm), see :mod:`qsmiron.sources`."""
    box = bounding_box(maps.mask, 1)
    inside = maps.mask[box]
    chi = np.where(inside, maps.chi[box], 0).astype(np.float32)
    rate, positive, negative = _rate(maps, parameters, box)
    known = inside & np.isfinite(rate)
    solution = in_closed_form(chi, np.where(known, rate, 0), positive, negative) - chi
    variance = _variance(maps, parameters, box, known, positive) / (positive + negative) ** 2
    typical = float(np.median(variance[known])) if known.any() else 1.0
    weight = np.where(known, typical / np.maximum(variance, np.float32(1e-12)), 0)
    u = _minimise(
        solution.astype(np.float32),
        weight.astype(np.float32),
        chi,
        inside,
        maps.voxel_size,
        parameters.regularisation_per_noise * np.sqrt(typical),
        parameters,
    )
    whole = np.zeros(maps.mask.shape, np.float32)
    whole[box] = chi + u
    return admissible(whole, maps)


def _rate(
    maps: Maps, p: SourceTvParameters, box: tuple[slice, ...]
) -> tuple[np.ndarray, np.float32, np.float32]:
    """The rate that the sources make (1/s), and what each of them makes per ppm."""
    positive, negative = maps.at_field(p.dr_paramagnetic), maps.at_field(p.dr_diamagnetic)
    if maps.r2 is not None:
        return maps.r2star[box] - maps.r2[box], positive, negative
    positive += maps.at_field(p.r2_per_paramagnetic)
    negative += maps.at_field(p.r2_per_diamagnetic)
    return maps.r2star[box] - np.float32(p.r2_without_sources), positive, negative


def _variance(
    maps: Maps,
    p: SourceTvParameters,
    box: tuple[slice, ...],
    known: np.ndarray,
    positive: np.float32,
) -> np.ndarray:
    """Variance (1/s²) of rate − r⁺χ, of which the solution in closed form is a multiple."""
    if maps.r2star_error is None:
        error = np.float32(field_noise(maps.r2star[box], known))
    else:
        error = maps.r2star_error[box]
    chi_error = np.float32(p.chi_noise) if maps.chi_error is None else maps.chi_error[box]
    return np.broadcast_to(error**2 + (positive * chi_error) ** 2, known.shape)


def _minimise(
    data: np.ndarray,
    weight: np.ndarray,
    chi: np.ndarray,
    inside: np.ndarray,
    voxel_size: tuple[float, float, float],
    regularisation: float,
    p: SourceTvParameters,
) -> np.ndarray:
    """The u = |χ⁻| (ppm), 0 outside; ``regularisation`` is λ in ppm·mm."""
    from .loops import ascend, descend

    u = np.where(inside, np.maximum(np.maximum(data, 0), -chi), 0).astype(np.float32)
    if not regularisation:
        return u
    limits = np.asarray([regularisation / edge for edge in voxel_size], np.float32)
    # ‖(∇, ∇)‖² ≤ 24 in voxel units; τσ = 1/24, and τ of the size of 1 over the typical weight.
    primal = np.float32(0.5)
    dual = np.float32(1 / (24 * primal))
    extrapolated = u.copy()
    duals = np.zeros((2, 3, *u.shape), np.float32)
    for _ in range(p.iterations):
        ascend(extrapolated, chi, inside, limits, dual, *duals)
        changed, total = descend(u, extrapolated, data, weight, chi, inside, primal, *duals)
        if changed <= p.tolerance**2 * total:
            break
    return u
