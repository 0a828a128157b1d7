"""Standard errors of a regressor's slope that do not take residuals to spread equally.

The variance of the slope is a weighted sum of the full model's squared residuals, Σ w u². With x
what covariates leave of the regressor and h the leverage in the full model, HC3 (MacKinnon & White
1985, doi 10.1016/0304-4076(85)90158-7) has

    w = (x / (1 − h))² / (xᵀx)².

With one residual variance per group g (a site, say), it is that of Welch:

    w = Σ_g x² / (xᵀx)² / Σ_g (1 − h),

the same for all of a group; the degrees of freedom of t are Satterthwaite's (1946,
doi 10.2307/3002019). Divided by such an error, the statistic keeps its level under permutation
where the spread differs (DiCiccio & Romano 2017, doi 10.1080/01621459.2016.1202117), as that of
ranks does.
"""

from __future__ import annotations

import numpy as np

from .linear import Nuisance


def hc3_weights(regressor: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """Weights of the squared residuals in the slope's variance, HC3.

    Parameters
    ----------
    regressor
        What the covariates leave of it, n (or n × m, each column by itself).
    nuisance
        Space of the covariates.
    """
    return np.square(regressor / (1 - leverage(regressor, nuisance)) / _size(regressor))


def group_weights(regressor: np.ndarray, nuisance: Nuisance, groups: np.ndarray) -> np.ndarray:
    """The same with a residual variance of its own per group (n whole numbers)."""
    left = np.bincount(groups, 1 - leverage(regressor, nuisance))
    share = np.bincount(groups, np.square(regressor)) / _size(regressor) ** 2
    return (share / np.maximum(left, _LEAST_LEFT))[groups]


def satterthwaite_df(
    outcomes: np.ndarray,
    regressor: np.ndarray,
    nuisance: Nuisance,
    groups: np.ndarray,
) -> np.ndarray:
    """Degrees of freedom of t in every cell, with a residual variance per group."""
    slope = regressor @ outcomes / _size(regressor)
    squared = np.square(outcomes - np.outer(regressor, slope))
    weights = group_weights(regressor, nuisance, groups)[:, None] * squared
    parts = np.stack([weights[groups == group].sum(axis=0) for group in np.unique(groups)])
    left = np.bincount(groups, 1 - leverage(regressor, nuisance))[np.unique(groups)]
    with np.errstate(invalid="ignore"):
        return np.square(parts.sum(axis=0)) / (np.square(parts) / left[:, None]).sum(axis=0)


def leverage(regressor: np.ndarray, nuisance: Nuisance) -> np.ndarray:
    """Leverage of every subject in the model of intercept, covariates and regressor (as above)."""
    fixed = 1 / len(regressor) + np.square(nuisance.basis).sum(axis=1)
    fixed = fixed.reshape(-1, *(1,) * (regressor.ndim - 1))
    # a subject alone in its group is fitted wholly, and leaves no residual to weigh
    return np.minimum(fixed + np.square(regressor) / _size(regressor), 1 - _LEAST_LEFT)


def slope_t(outcomes: np.ndarray, regressor: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """T of the slope in every cell, from residuals after the covariates (n × cells, n)."""
    slope = regressor @ outcomes / _size(regressor)
    left = outcomes - np.outer(regressor, slope)
    with np.errstate(divide="ignore"):
        return slope / np.sqrt(weights @ np.square(left))


def _size(regressor: np.ndarray) -> np.ndarray:
    return np.square(regressor).sum(axis=0)


_LEAST_LEFT = 1e-9
