"""Rank ANCOVA: the group term of a linear model on the outcome's midranks.

Conover & Iman 1982, Analysis of covariance using the rank transformation,
doi 10.2307/2530051. The outcome is ranked; covariates stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .linear import Nuisance, correlate, t_from_r, two_sided_t
from .standard_error import hc3_weights, slope_t


@dataclass(frozen=True)
class PartialTest:
    """A test of one regressor beside covariates, in every cell.

    ``r`` is the partial correlation, ``t`` its statistic with ``df`` degrees of freedom, ``p``
    two-sided; ``outcome_residuals`` (n × cells) and ``regressor_residuals`` (n) are what remains
    after the covariates, from which permutations start. ``weights`` (n) are those of a robust
    standard error (:mod:`.standard_error`), None for the usual one.
    """

    r: np.ndarray
    t: np.ndarray
    df: int
    p: np.ndarray
    outcome_residuals: np.ndarray
    regressor_residuals: np.ndarray
    weights: np.ndarray | None = None

    @property
    def r_of_t(self) -> np.ndarray:
        """The partial correlation that has this t with the usual error: t on a scale of −1 to 1."""
        if self.weights is None:
            return self.r
        with np.errstate(invalid="ignore"):
            r = self.t / np.sqrt(self.df + np.square(self.t))
        return np.where(np.isinf(self.t), np.sign(self.t), r)


def rank_ancova(
    outcomes: np.ndarray, first: np.ndarray, nuisance: Nuisance, standard_error: str = "usual"
) -> PartialTest:
    """Group effect on the midranks of every cell, adjusted for covariates.

    Parameters
    ----------
    outcomes
        Subjects × cells, complete.
    first
        Boolean per subject: belongs to the first level; positive t means it lies above.
    nuisance
        Space of the covariates, of full rank.
    standard_error
        As :func:`partial_test` takes it.
    """
    ranks = stats.rankdata(outcomes, axis=0)
    return partial_test(
        nuisance.residuals(ranks),
        nuisance.residuals(first.astype(float)),
        nuisance,
        standard_error,
    )


def partial_test(
    outcome: np.ndarray, regressor: np.ndarray, nuisance: Nuisance, standard_error: str = "usual"
) -> PartialTest:
    """Test a regressor by t, from residuals after the covariates (Frisch-Waugh-Lovell).

    ``standard_error`` is ``usual`` or ``hc3``.

    A cell whose outcome leaves no residual has NaN for r, t and p.
    """
    df = len(regressor) - 2 - nuisance.basis.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = correlate(regressor, outcome)
    if standard_error == "usual":
        t = t_from_r(r, df)
        return PartialTest(r, t, df, two_sided_t(t, df), outcome, regressor)
    weights = hc3_weights(regressor, nuisance)
    t = slope_t(outcome, regressor, weights)
    return PartialTest(r, t, df, two_sided_t(t, df), outcome, regressor, weights)
