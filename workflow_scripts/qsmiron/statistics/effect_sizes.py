"""Effect sizes of a difference between two groups; positive: first level above second."""

from __future__ import annotations

import numpy as np
from scipy import stats


def cliffs_delta(outcomes: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Cliff's δ = P(first > second) − P(first < second), per cell (n × cells), in −1 … 1.

    Cliff 1993, doi 10.1037/0033-2909.114.3.494.
    """
    ranks = stats.rankdata(outcomes, axis=0)
    n_1 = int(first.sum())
    n_2 = len(first) - n_1
    u = ranks[first].sum(axis=0) - n_1 * (n_1 + 1) / 2
    return 2.0 * u / (n_1 * n_2) - 1.0


def hedges_g(outcomes: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Hedges' g: difference of means over pooled SD, times 1 − 3/(4(n₁ + n₂) − 9), per cell.

    NaN where the groups have no spread. Hedges 1981, doi 10.3102/10769986006002107.
    """
    one, two = outcomes[first], outcomes[~first]
    df = len(outcomes) - 2
    pooled = (np.square(one - one.mean(axis=0)).sum(axis=0)
              + np.square(two - two.mean(axis=0)).sum(axis=0)) / df  # fmt: skip
    total = np.square(outcomes - outcomes.mean(axis=0)).sum(axis=0)
    spread = np.sqrt(np.where(pooled > 1e-20 * total, pooled, np.nan))
    return (one.mean(axis=0) - two.mean(axis=0)) / spread * (1 - 3 / (4 * df - 1))
