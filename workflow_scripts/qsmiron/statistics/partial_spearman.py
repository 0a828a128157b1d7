"""Partial Spearman correlation: outcome, score and covariates are all ranked.

The Pearson partial correlation of midranks (an indicator's rank is a line of itself);
df = n − 2 − k, k covariate columns.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from .linear import Nuisance, nuisance_space
from .rank_ancova import PartialTest, partial_test


def partial_spearman(
    outcomes: np.ndarray,
    score: np.ndarray,
    nuisance: Nuisance,
    standard_error: str = "usual",
    groups: np.ndarray | None = None,
) -> PartialTest:
    """Partial Spearman correlation of every cell with a score; ``r`` of the result is rho.

    Parameters
    ----------
    outcomes
        Subjects × cells, complete.
    score
        One number per subject.
    nuisance
        Space of the *ranked* covariates (:func:`ranked_nuisance`), of full rank.
    standard_error, groups
        As :func:`.partial_test` takes it.
    """
    ranks = stats.rankdata(outcomes, axis=0)
    return partial_test(
        nuisance.residuals(ranks),
        nuisance.residuals(stats.rankdata(score)),
        nuisance,
        standard_error,
        groups,
    )


def ranked_nuisance(covariates: np.ndarray) -> Nuisance:
    """Space of the midranks of covariates (n × k, complete)."""
    return nuisance_space(stats.rankdata(covariates, axis=0) if covariates.size else covariates)
