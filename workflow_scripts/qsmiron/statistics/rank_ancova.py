"""Rank ANCOVA: the group term of a linear model on the outcome's midranks.

Conover & Iman 1982, Analysis of covariance using the rank transformation,
doi 10.2307/2530051. The outcome is ranked; covariates stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .linear import Nuisance, correlate, t_from_r, two_sided_t
from .standard_error import group_weights, hc3_weights, satterthwaite_df, slope_t


@dataclass(frozen=True)
class PartialTest:
    """A test of one regressor beside covariates, in every cell.

    ``r`` is the partial correlation, ``t`` its statistic with ``df`` degrees of freedom, ``p``
    two-sided; ``outcome_residuals`` (n × cells) and ``regressor_residuals`` (n) are what remains
    after the covariates, from which permutations start. ``weights`` (n) are those of a robust
    standard error (:mod:`.standard_error`), None for the usual one. Of a
    term with several columns ``rank`` is their number, ``regressor_residuals`` (n × rank) an
    orthonormal basis, ``r`` the root of R² and ``t`` the F. ``df_of_t`` are degrees of freedom that
    differ from cell to cell.
    """

    r: np.ndarray
    t: np.ndarray
    df: int
    p: np.ndarray
    outcome_residuals: np.ndarray
    regressor_residuals: np.ndarray
    weights: np.ndarray | None = None
    rank: int = 1
    df_of_t: np.ndarray | None = None

    @property
    def df_shown(self) -> int | np.ndarray:
        """The degrees of freedom of the parametric p."""
        return self.df if self.df_of_t is None else self.df_of_t

    @property
    def r_of_t(self) -> np.ndarray:
        """The partial correlation that has this t with the usual error: t on a scale of −1 to 1."""
        if self.weights is None:
            return self.r
        with np.errstate(invalid="ignore"):
            r = self.t / np.sqrt(self.df + np.square(self.t))
        return np.where(np.isinf(self.t), np.sign(self.t), r)


def rank_ancova(
    outcomes: np.ndarray,
    first: np.ndarray,
    nuisance: Nuisance,
    standard_error: str = "usual",
    groups: np.ndarray | None = None,
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
    standard_error, groups
        As :func:`partial_test` takes it.
    """
    ranks = stats.rankdata(outcomes, axis=0)
    return partial_test(
        nuisance.residuals(ranks),
        nuisance.residuals(first.astype(float)),
        nuisance,
        standard_error,
        groups,
    )


def partial_test(
    outcome: np.ndarray,
    regressor: np.ndarray,
    nuisance: Nuisance,
    standard_error: str = "usual",
    groups: np.ndarray | None = None,
) -> PartialTest:
    """Test a regressor by t, from residuals after the covariates (Frisch-Waugh-Lovell).

    ``standard_error`` is ``usual`` or ``hc3``; in place of either, ``groups`` (n whole numbers)
    have a residual variance each.

    A cell whose outcome leaves no residual has NaN for r, t and p.
    """
    df = len(regressor) - 2 - nuisance.basis.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = correlate(regressor, outcome)
    if groups is not None:
        weights = group_weights(regressor, nuisance, groups)
        t = slope_t(outcome, regressor, weights)
        df_of_t = satterthwaite_df(outcome, regressor, nuisance, groups)
        p = two_sided_t(t, df_of_t)
        return PartialTest(r, t, df, p, outcome, regressor, weights, df_of_t=df_of_t)
    if standard_error == "usual":
        t = t_from_r(r, df)
        return PartialTest(r, t, df, two_sided_t(t, df), outcome, regressor)
    weights = hc3_weights(regressor, nuisance)
    t = slope_t(outcome, regressor, weights)
    return PartialTest(r, t, df, two_sided_t(t, df), outcome, regressor, weights)
