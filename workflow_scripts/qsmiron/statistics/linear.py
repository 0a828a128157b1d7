"""Removing covariates, and what is left in common: the linear algebra under the rigorous arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Nuisance:
    """The space of intercept and covariates.

    ``basis`` is n × rank, orthonormal, every column of mean zero (the intercept is apart);
    ``full_rank`` says whether covariates and intercept are linearly independent.
    """

    basis: np.ndarray
    full_rank: bool

    def residuals(self, values: np.ndarray) -> np.ndarray:
        """Least-squares residuals of ``values`` (n or n × m) on intercept and covariates."""
        centred = values - values.mean(axis=0)
        return centred - self.basis @ (self.basis.T @ centred)


def nuisance_space(covariates: np.ndarray) -> Nuisance:
    """Orthonormal basis of covariates (n × k, complete) apart from the intercept."""
    centred = covariates - covariates.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    # A column that is constant up to rounding has no length of its own to be scaled by.
    scale = np.linalg.norm(covariates, axis=0)
    varying = length > TOLERANCE * np.where(scale > 0, scale, 1)
    if not varying.any():
        return Nuisance(np.zeros((len(covariates), 0)), covariates.shape[1] == 0)
    vectors, sizes, _ = np.linalg.svd(centred[:, varying] / length[varying], full_matrices=False)
    kept = sizes > TOLERANCE * sizes[0]
    return Nuisance(vectors[:, kept], bool(varying.all() and kept.all()))


def first_dependent(covariates: np.ndarray) -> int:
    """Place of the first column that is constant or a linear combination of those before it.

    ``StopIteration`` if there is none: :func:`nuisance_space` is then of full rank.
    """
    counts = range(1, covariates.shape[1] + 1)
    return next(n for n in counts if not nuisance_space(covariates[:, :n]).full_rank) - 1


def vanishes(residuals: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Whether residuals are nothing but rounding beside the spread of ``values`` (per column)."""
    spread = np.square(values - values.mean(axis=0)).sum(axis=0)
    return np.square(residuals).sum(axis=0) <= TOLERANCE**2 * spread


def correlate(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson correlation of centred ``x`` (n) with every centred column of ``y`` (n × m)."""
    r = (x @ y) / (np.linalg.norm(x) * np.linalg.norm(y, axis=0))
    return np.clip(r, -1.0, 1.0)


def t_from_r(r: np.ndarray, df: float) -> np.ndarray:
    """Statistic t of a (partial) correlation; ±inf where it is ±1."""
    with np.errstate(divide="ignore"):
        return r * np.sqrt(df / ((1.0 + r) * (1.0 - r)))


def two_sided_t(t: np.ndarray, df: float) -> np.ndarray:
    """Two-sided p of t."""
    from scipy import stats

    return 2.0 * stats.t.sf(np.abs(t), df)
