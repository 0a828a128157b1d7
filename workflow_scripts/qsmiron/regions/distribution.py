"""Shape of a region's susceptibility distribution: spread, skewness, kurtosis, percentiles.

Every function takes a region's values in ascending order, float64, shape (n,), n ≥ 1, in ppm.
What is undefined is NaN (``n/a`` in tables), without a warning: the SD of a single voxel; skewness
and kurtosis of a single voxel or of a constant region. A constant region's SD and IQR are 0.
"""

from __future__ import annotations

import math

import numpy as np

PROBABILITIES = np.arange(1, 200) / 200
"""Probabilities of the quantile function: .005, .010, …, .995."""


def standard_deviation(values: np.ndarray) -> float:
    """Sample standard deviation (divisor n − 1); NaN for a single value."""
    if values.size == 1:
        return math.nan
    # Equal values need not equal their rounded mean, and their SD is 0 all the same.
    return float(values.std(ddof=1)) if values[0] < values[-1] else 0.0


def standardised_moment(values: np.ndarray, order: int) -> float:
    """Central moment of that order over the second one to the power order/2, divisors n.

    These are the moment estimators g1 (order 3) and b2 (order 4), not corrected for bias.
    """
    if values[0] == values[-1]:
        return math.nan
    # Scaled first, so that the powers of a very small range cannot underflow.
    deviations = (values - values.mean()) / (values[-1] - values[0])
    return float((deviations**order).mean() / (deviations**2).mean() ** (order / 2))


def quantiles(values: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Quantiles by linear interpolation between order statistics (Hyndman and Fan's type 7)."""
    position = np.asarray(probabilities) * (values.size - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, values.size - 1)
    return values[low] + (position - low) * (values[high] - values[low])


def shape(values: np.ndarray) -> dict[str, float]:
    """The metrics of the distribution family; kurtosis is the excess over the normal's 3."""
    p05, p25, p75, p95 = quantiles(values, np.array([0.05, 0.25, 0.75, 0.95]))
    return {
        "chi_sd": standard_deviation(values),
        "chi_iqr": float(p75 - p25),
        "chi_skewness": standardised_moment(values, 3),
        "chi_kurtosis": standardised_moment(values, 4) - 3,
        "chi_p05": float(p05),
        "chi_p95": float(p95),
    }
