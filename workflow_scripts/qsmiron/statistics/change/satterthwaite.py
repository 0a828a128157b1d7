"""Degrees of freedom of a contrast in a mixed model, by Satterthwaite's approximation.

The variance f of a contrast depends on the variance parameters φ = (θ, σ); with A their covariance,
2 H⁻¹ of the deviance's Hessian H, and g the gradient of f, df = 2f² / (gᵀAg): that of the χ² with
this mean and variance (Kuznetsova et al. 2017, doi 10.18637/jss.v082.i13; Giesbrecht and Burns
1985, doi 10.2307/2530872). Where H has eigenvalues of zero or below, the others count.
"""

from __future__ import annotations

import numpy as np

from .mixed_model import MixedFit, derivatives, gradient_of

_STEP = 3e-4
_SMALLEST_EIGENVALUE = 1e-8


def variance_parameters(fit: MixedFit) -> tuple[np.ndarray, np.ndarray]:
    """φ of every outcome (σ in SD of its residuals), and the covariance of its estimate."""
    problem = fit.problem
    at = np.column_stack([fit.theta, fit.sigma / problem.scale])
    _, hessian = derivatives(problem.deviance, at, _STEP)
    sizes, vectors = np.linalg.eigh(hessian)
    inverse = np.where(sizes > _SMALLEST_EIGENVALUE, 1 / np.where(sizes > 0, sizes, 1), 0.0)
    return at, 2 * np.einsum("cij,cj,ckj->cik", vectors, inverse, vectors)


def degrees_of_freedom(
    fit: MixedFit,
    contrast: np.ndarray,
    parameters: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Degrees of freedom of t of a contrast of β (p), per outcome.

    ``parameters`` are :func:`variance_parameters` of the fit, where they are at hand.
    """
    problem = fit.problem
    at, covariance = parameters or variance_parameters(fit)
    along = np.linalg.solve(problem.back.T, contrast)

    def variance(parameters: np.ndarray) -> np.ndarray:
        found = problem.solve(parameters[:, :-1]).covariance
        return np.square(parameters[:, -1]) * np.einsum("p,cpr,r->c", along, found, along)

    gradient = gradient_of(variance, at, _STEP)
    spread = np.einsum("ci,cij,cj->c", gradient, covariance, gradient)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * np.square(variance(at)) / spread
