"""Rank ANCOVA: the group term of a linear model on the outcome's midranks.

Conover & Iman 1982, Analysis of covariance using the rank transformation,
doi 10.2307/2530051. The outcome is ranked; covariates stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .linear import Nuisance, correlate, t_from_r, two_sided_t


@dataclass(frozen=True)
class PartialTest:
    """A test of one regressor beside covariates, in every cell.

    ``r`` is the partial correlation, ``t`` its statistic with ``df`` degrees of freedom, ``p``
    two-sided; ``outcome_residuals`` (n × cells) and ``regressor_residuals`` (n) are what remains
    after the covariates, from which permutations start.
    """

    r: np.ndarray
    t: np.ndarray
    df: int
    p: np.ndarray
    outcome_residuals: np.ndarray
    regressor_residuals: np.ndarray


def rank_ancova(outcomes: np.ndarray, first: np.ndarray, nuisance: Nuisance) -> PartialTest:
    """Group effect on the midranks of every cell, adjusted for covariates.

    Parameters
    ----------
    outcomes
        Subjects × cells, complete.
    first
        Boolean per subject: belongs to the first level; positive t means it lies above.
    nuisance
        Space of the covariates, of full rank.
    """
    ranks = stats.rankdata(outcomes, axis=0)
    return partial_test(
        nuisance.residuals(ranks), nuisance.residuals(first.astype(float)), nuisance
    )


def partial_test(outcome: np.ndarray, regressor: np.ndarray, nuisance: Nuisance) -> PartialTest:
    """Test a regressor by t, from residuals after the covariates (Frisch-Waugh-Lovell).

    A cell whose outcome leaves no residual has NaN for r, t and p.
    """
    df = len(regressor) - 2 - nuisance.basis.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = correlate(regressor, outcome)
    t = t_from_r(r, df)
    return PartialTest(r, t, df, two_sided_t(t, df), outcome, regressor)
