"""Arrange values over patients so that a rank test gives a wanted result, by construction.

A rank test depends on the order of the values only. So the values are fixed first, and then
handed out by swaps of two patients until the test's statistic is the wanted one and the listed
nuisances (age, sex, the other grouping) are unrelated to them. Nothing is searched over seeds.
"""

from __future__ import annotations

import numpy as np

N_SWAPS = 20000
STATISTIC_WEIGHT = 1e4


def mann_whitney_null(n_1: int, n_2: int) -> np.ndarray:
    """Probability of each U = 0 … n_1·n_2 without ties under the null hypothesis.

    The counts are the coefficients of the Gaussian binomial (n_1 + n_2 choose n_1); Mann and
    Whitney, Ann Math Stat 1947, doi 10.1214/aoms/1177730491.
    """
    size = n_1 * n_2 + 1
    counts = np.zeros(size)
    counts[0] = 1.0
    for factor in range(1, n_1 + 1):
        numerator, denominator = n_2 + factor, factor
        if numerator < size:
            counts[numerator:] -= counts[:-numerator].copy()
        for i in range(denominator, size):
            counts[i] += counts[i - denominator]
    return counts / counts.sum()


def mann_whitney_u(n_1: int, n_2: int, p: float) -> int:
    """The U of group 1, above its mean, whose two-sided exact p is nearest ``p`` (log scale)."""
    upper = np.cumsum(mann_whitney_null(n_1, n_2)[::-1])[::-1]
    candidates = np.arange(n_1 * n_2 // 2 + 1, n_1 * n_2 + 1)
    return int(candidates[np.argmin(np.abs(np.log(2 * upper[candidates] / p)))])


def midranks(values: np.ndarray) -> np.ndarray:
    """Ranks 1 … n of ``values`` (n,), ties sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def _unit(values: np.ndarray) -> np.ndarray:
    centred = np.asarray(values, float) - np.mean(values)
    return centred / np.sqrt((centred**2).sum())


def arrange(
    target: np.ndarray,
    correlation: float,
    nuisances: list[np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Ranks 0 … n−1 over patients with a wanted correlation to ``target`` (n,).

    ``correlation`` is the Pearson correlation of the ranks with ``target``: Spearman's rho where
    ``target`` holds midranks, a linear function of U where it is a group's indicator. The
    correlation with each of ``nuisances`` (n,) is brought as near to zero as swaps allow.
    """
    n = len(target)
    rows = np.stack([_unit(target), *(_unit(row) for row in nuisances)])
    goal = np.array([correlation, *[0.0] * len(nuisances)])
    weight = np.array([STATISTIC_WEIGHT, *[1.0] * len(nuisances)])
    ranks = rng.permutation(n)
    scale = np.sqrt(n * (n**2 - 1) / 12)
    error = rows @ ranks / scale - goal
    cost = weight @ error**2
    for i, j in rng.integers(0, n, size=(N_SWAPS, 2)):
        changed = error + (rows[:, i] - rows[:, j]) * (ranks[j] - ranks[i]) / scale
        changed_cost = weight @ changed**2
        if changed_cost < cost:
            ranks[i], ranks[j] = ranks[j], ranks[i]
            error, cost = changed, changed_cost
    return ranks


def arrange_groups(
    first: np.ndarray, p: float, nuisances: list[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Ranks 0 … n−1, higher in the group ``first`` (n,; boolean), with exact Mann-Whitney ``p``."""
    n_1, n_2 = int(first.sum()), int((~first).sum())
    u = mann_whitney_u(n_1, n_2, p)
    n = n_1 + n_2
    excess = u - n_1 * n_2 / 2  # rank sum of the first group above its expectation
    spread = np.sqrt(n_1 * n_2 / n) * np.sqrt(n * (n**2 - 1) / 12)
    return arrange(first.astype(float), excess / spread, nuisances, rng)
