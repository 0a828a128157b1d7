"""ComBat: values of several sites brought to common location and scale, covariates protected.

Johnson, Li & Rabinovic 2007, doi 10.1093/biostatistics/kxj037, for regions of the brain Fortin et
al. 2018, doi 10.1016/j.neuroimage.2017.11.024. Of participant j at site i, region f:

    y = α_f + x β_f + γ_if + δ_if ε,

fitted by least squares, standardised, and γ, δ² shrunk towards the site's mean over regions by the
parametric empirical Bayes estimate. What is protected is x: its part of the values stays.
"""

from __future__ import annotations

import numpy as np

from .linear import TOLERANCE

LEAST_REGIONS = 3
"""Of fewer regions there is no distribution to shrink towards: γ and δ are as estimated."""
LEAST_VALUES = 2
"""Values of a region that a site must have."""
_ITERATIONS, _CONVERGED = 1000, 1e-10


def combat(values: np.ndarray, sites: np.ndarray, protected: np.ndarray) -> np.ndarray:
    """Harmonise one metric.

    Parameters
    ----------
    values
        Participants × regions, NaN where missing; any unit.
    sites
        Whole number from 0 on per participant, every one known.
    protected
        Participants × covariates, complete; without an intercept.

    Returns
    -------
    ndarray
        Of the same shape. A region is NaN in everybody where a site has fewer than
        :data:`LEAST_VALUES` values, values that do not vary, or the model cannot be fitted.
    """
    batch = (sites[:, None] == np.unique(sites)).astype(float)
    design = np.column_stack([batch, protected])
    n_sites = batch.shape[1]
    standard = np.full(values.shape, np.nan)
    expected, spread = np.full(values.shape, np.nan), np.full(values.shape[1], np.nan)
    for region, column in enumerate(values.T):
        there = np.isfinite(column)
        counts = batch[there].sum(axis=0)
        if counts.min() < LEAST_VALUES or np.linalg.matrix_rank(design[there]) < design.shape[1]:
            continue
        slopes = np.linalg.lstsq(design[there], column[there], rcond=None)[0]
        left = np.sqrt(np.mean(np.square(column[there] - design[there] @ slopes)))
        if left <= TOLERANCE * np.abs(column[there]).max():
            continue
        spread[region] = left
        grand = counts @ slopes[:n_sites] / counts.sum()
        expected[:, region] = grand + protected @ slopes[n_sites:]
        standard[:, region] = (column - expected[:, region]) / spread[region]
    adjusted = np.full(values.shape, np.nan)
    gamma, scale = np.full((2, n_sites, values.shape[1]), np.nan)
    usable = np.isfinite(standard).any(axis=0)
    for site in range(n_sites):
        here = batch[:, site] == 1
        gamma[site], scale[site] = _location_and_scale(standard[here])
        usable &= scale[site] > 0
    for site in range(n_sites):
        here = batch[:, site] == 1
        there = standard[np.ix_(here, usable)]
        location, variance = gamma[site, usable], scale[site, usable]
        if usable.sum() >= LEAST_REGIONS:
            location, variance = shrunk(there, location, variance)
        adjusted[np.ix_(here, usable)] = (there - location) / np.sqrt(variance)
    return adjusted * spread + expected


def _location_and_scale(standard: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """γ̂ and δ̂² of a site in every region: mean and variance of its standardised values."""
    n = np.isfinite(standard).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nansum(standard, axis=0) / n
        variance = np.nansum(np.square(standard - mean), axis=0) / (n - 1)
    return mean, variance


def shrunk(
    standard: np.ndarray, gamma: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Empirical Bayes estimates γ* and δ*² of one site (Johnson 2007, section 3.2).

    Parameters
    ----------
    standard
        Its participants × regions, standardised, NaN where missing.
    gamma, variance
        Mean and variance of each region: γ is normal with their mean and variance over regions,
        δ² inverse gamma with shape and scale by the method of moments.
    """
    n = np.isfinite(standard).sum(axis=0)
    mean, tau = gamma.mean(), gamma.var(ddof=1)
    middle, width = variance.mean(), variance.var(ddof=1)
    shape, rate = middle**2 / width + 2, middle**3 / width + middle
    location, scale = gamma, variance
    for _ in range(_ITERATIONS):
        before = location, scale
        location = (n * tau * gamma + scale * mean) / (n * tau + scale)
        squares = np.nansum(np.square(standard - location), axis=0)
        scale = (rate + squares / 2) / (n / 2 + shape - 1)
        moved = [
            np.abs(new - old).max() for new, old in zip((location, scale), before, strict=True)
        ]
        if max(moved) < _CONVERGED:
            break
    return location, scale
