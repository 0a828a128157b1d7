"""Location of a region's susceptibility: mean, median, trimmed mean.

Every function takes a region's values in ascending order, float64, shape (n,), n ≥ 1, in ppm.
"""

from __future__ import annotations

import numpy as np


def trimmed_mean(values: np.ndarray) -> float:
    """Mean without the lowest and the highest tenth: ⌊n / 10⌋ values go at either end."""
    cut = values.size // 10
    return float(values[cut : values.size - cut].mean())


def location(values: np.ndarray) -> dict[str, float]:
    """``chi_mean``, ``chi_median`` and ``chi_trimmed_mean`` (ppm), all defined from n = 1."""
    return {
        "chi_mean": float(values.mean()),
        "chi_median": float(np.median(values)),
        "chi_trimmed_mean": trimmed_mean(values),
    }
