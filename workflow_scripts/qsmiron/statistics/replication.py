"""The replication arm: two-sided Mann-Whitney and Spearman, vectorised over cells.

Mann-Whitney is exact where a cell has no ties and the groups are not too large
(:data:`EXACT_UP_TO`), else asymptotic with tie and continuity correction (Mann & Whitney 1947,
doi 10.1214/aoms/1177730491). Spearman's p comes from t with n − 2 degrees of freedom.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from math import comb
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from .linear import correlate, t_from_r, two_sided_t

EXACT_UP_TO = 10_000
"""Largest n₁n₂ with an exact distribution (100 against 100: 0.1 s). Above it the asymptotic p is
used, which differs by less than 0.001, and by 0.00015 at p = .05."""


class MannWhitney(NamedTuple):
    """U of the first level and two-sided p, one per cell."""

    u: np.ndarray
    p: np.ndarray


class Correlation(NamedTuple):
    """Rank correlation, its degrees of freedom and two-sided p, one per cell."""

    rho: np.ndarray
    df: int
    p: np.ndarray


def mann_whitney(outcomes: np.ndarray, first: np.ndarray) -> MannWhitney:
    """Two-sided Mann-Whitney test of every cell.

    Parameters
    ----------
    outcomes
        Subjects × cells, complete, no constant column.
    first
        Boolean per subject: belongs to the first level. Both levels have members.
    """
    ranks = stats.rankdata(outcomes, axis=0)
    n_1 = int(first.sum())
    u = ranks[first].sum(axis=0) - n_1 * (n_1 + 1) / 2
    return MannWhitney(u, p_of_u(u, n_1, len(first) - n_1, tie_terms(ranks)))


def tie_terms(ranks: np.ndarray) -> np.ndarray:
    """Σ(t³ − t) over the tied groups of each column of midranks; 0 without ties.

    By the identity Σr² = N(N+1)(2N+1)/6 − Σ(t³ − t)/12, exact in float64 for midranks.
    """
    n = len(ranks)
    return 12.0 * (n * (n + 1) * (2 * n + 1) / 6 - np.square(ranks).sum(axis=0))


def p_of_u(u: np.ndarray, n_1: int, n_2: int, ties: np.ndarray) -> np.ndarray:
    """Two-sided p of U (… × cells), exact in cells without ties (``ties`` from tie_terms)."""
    u = np.maximum(u, n_1 * n_2 - u)
    p = np.empty(u.shape)
    exact = (ties == 0) & (n_1 * n_2 <= EXACT_UP_TO)
    if exact.any():
        # By symmetry P(U ≥ u) = P(U ≤ n₁n₂ − u).
        tail = lower_tail(*sorted((n_1, n_2)))
        p[..., exact] = 2.0 * tail[np.rint(n_1 * n_2 - u[..., exact]).astype(int)]
    n = n_1 + n_2
    variance = n_1 * n_2 / 12 * (n + 1 - ties[~exact] / (n * (n - 1)))
    z = (u[..., ~exact] - n_1 * n_2 / 2 - 0.5) / np.sqrt(variance)
    p[..., ~exact] = 2.0 * special.ndtr(-z)
    return np.minimum(p, 1.0)


@lru_cache(maxsize=64)
def lower_tail(n_1: int, n_2: int) -> np.ndarray:
    """Exact P(U ≤ u) without ties, for u = 0 … ⌊n₁n₂/2⌋, correctly rounded.

    The counts of arrangements are the coefficients of the Gaussian binomial
    ∏ᵢ (1 − q^(n₂+i)) / (1 − q^i). The polynomial is kept in one long integer (a coefficient every
    ``width`` bytes), so that a product is a shift and an addition, and nothing is rounded: in
    floating point the divisions amplify noise without bound.
    """
    n_1, n_2 = sorted((n_1, n_2))
    total = comb(n_1 + n_2, n_1)
    half = n_1 * n_2 // 2 + 1
    width = total.bit_length() // 8 + 1
    keep = (1 << (8 * width * half)) - 1
    polynomial = 1
    for i in range(1, n_1 + 1):
        step = i
        # 1/(1 − q^i) = (1 + q^i)(1 + q^2i)(1 + q^4i)…
        while step < half:
            polynomial = (polynomial + (polynomial << (8 * width * step))) & keep
            step *= 2
        if n_2 + i < half:
            polynomial -= (polynomial << (8 * width * (n_2 + i))) & keep
    packed = polynomial.to_bytes(width * half, "little")
    counts = (
        int.from_bytes(packed[start : start + width], "little")
        for start in range(0, len(packed), width)
    )
    tail = np.array([count / total for count in accumulate(counts)])
    tail.flags.writeable = False
    return tail


def spearman(outcomes: np.ndarray, score: np.ndarray) -> Correlation:
    """Spearman correlation of every cell with a score.

    Parameters
    ----------
    outcomes
        Subjects × cells, complete, no constant column.
    score
        One number per subject, not constant.
    """
    ranks = stats.rankdata(outcomes, axis=0)
    x = stats.rankdata(score)
    rho = correlate(x - x.mean(), ranks - ranks.mean(axis=0))
    df = len(x) - 2
    return Correlation(rho, df, two_sided_t(t_from_r(rho, df), df))
