"""One score against every cell, in both arms: the rows of the correlations table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cell_results import MIN_DF, NOBODY, CellResults, refuse_degenerate, refuse_model
from .cells import Cells, missingness_patterns
from .covariates import Covariates
from .partial_spearman import partial_spearman, ranked_nuisance
from .permutation import Permutations, permutation_p
from .replication import spearman
from .settings import Statistics

_NUMBERS = ("n", "df", "rho", "p", "p_perm")
_UNTESTED = ("df", "p", "p_perm")


def correlation_table(
    cells: Cells, score: str, values: pd.Series, covariates: Covariates, settings: Statistics
) -> pd.DataFrame:
    """Correlate a score with every cell: Spearman, and partial Spearman with permutation.

    Parameters
    ----------
    cells
        One variant and atlas.
    score, values
        Its name, and its value for each participant (by participant_id), NaN where missing.
    covariates
        Of the participants of ``cells``, in their order.
    settings
        Number and seed of the permutations.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["correlations"]``; one row per arm and cell, ``n/a`` with a reason
        where a test is impossible.
    """
    numbers = values.reindex(cells.participants).to_numpy(float)
    return pd.concat(
        [
            _replication(cells, numbers).table(
                _UNTESTED, arm="replication", score=score, method="spearman", covariates=None
            ),
            _rigorous(cells, numbers, covariates, settings).table(
                _UNTESTED,
                arm="rigorous",
                score=score,
                method="partial_spearman",
                covariates=covariates.label,
            ),
        ],
        ignore_index=True,
    )


def _replication(cells: Cells, score: np.ndarray) -> CellResults:
    results = CellResults(cells, _NUMBERS)
    for pattern in missingness_patterns(cells.values, np.isfinite(score)):
        x = score[pattern.rows]
        results.set(pattern.columns, n=x.size)
        if not x.size:
            results.refuse(pattern.columns, NOBODY)
        if x.size < MIN_DF + 2:
            results.refuse(pattern.columns, f"fewer than {MIN_DF + 2} subjects")
            continue
        if np.ptp(x) == 0:
            results.refuse(pattern.columns, "constant score")
        outcomes = cells.values[np.ix_(pattern.rows, pattern.columns)]
        refuse_degenerate(results, pattern.columns, outcomes, None)
        kept = results.open(pattern.columns)
        if kept.size:
            rho, df, p = spearman(cells.values[np.ix_(pattern.rows, kept)], x)
            results.set(kept, rho=rho, df=df, p=p)
    return results


def _rigorous(
    cells: Cells, score: np.ndarray, covariates: Covariates, settings: Statistics
) -> CellResults:
    results = CellResults(cells, _NUMBERS)
    permutations = Permutations(settings.seed, settings.permutations, len(cells.participants))
    usable = np.isfinite(score) & covariates.complete
    for pattern in missingness_patterns(cells.values, usable):
        x = score[pattern.rows]
        results.set(pattern.columns, n=x.size)
        if not x.size:
            results.refuse(pattern.columns, NOBODY)
        if x.size < MIN_DF + 2:
            results.refuse(pattern.columns, f"fewer than {MIN_DF + 2} subjects")
            continue
        if np.ptp(x) == 0:
            results.refuse(pattern.columns, "constant score")
        design = covariates.values[pattern.rows]
        nuisance = ranked_nuisance(design)
        ranked = pd.Series(x).rank().to_numpy()
        refuse_model(results, pattern.columns, ranked, design.shape[1], nuisance, "score")
        outcomes = cells.values[np.ix_(pattern.rows, pattern.columns)]
        refuse_degenerate(results, pattern.columns, outcomes, nuisance)
        kept = results.open(pattern.columns)
        if not kept.size:
            continue
        test = partial_spearman(cells.values[np.ix_(pattern.rows, kept)], x, nuisance)
        results.set(
            kept,
            rho=test.r,
            df=test.df,
            p=test.p,
            p_perm=permutation_p(test, nuisance.basis, permutations, pattern.rows),
        )
    return results
