"""One score against every cell, in both arms: the rows of the correlations table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cell_results import (
    MIN_DF,
    NOBODY,
    CellResults,
    refuse_degenerate,
    refuse_model,
    set_intervals,
)
from .cells import Cells, missingness_patterns
from .covariates import Covariates
from .family_wise import FamilyWise
from .partial_spearman import partial_spearman, ranked_nuisance
from .permutation import Permutations, permutation_p
from .replication import spearman
from .rho_intervals import rho_intervals
from .settings import Statistics

_NUMBERS = ("n", "df", "rho", "ci_low", "ci_high", "p", "p_perm", "p_maxt")
_UNTESTED = ("df", "p", "p_perm", "p_maxt")


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
        Numbers and seed of the permutations and of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["correlations"]``; one row per arm and cell, ``n/a`` with a reason
        where a test is impossible.
    """
    numbers = values.reindex(cells.participants).to_numpy(float)
    return pd.concat(
        [
            _replication(cells, numbers, settings).table(
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


def _replication(cells: Cells, score: np.ndarray, settings: Statistics) -> CellResults:
    results = CellResults(cells, _NUMBERS)
    without = np.zeros((len(score), 0))
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
            outcomes = cells.values[np.ix_(pattern.rows, kept)]
            rho, df, p = spearman(outcomes, x)
            results.set(kept, rho=rho, df=df, p=p)
            _add_intervals(results, kept, outcomes, x, without[pattern.rows], settings)
    return results


def _rigorous(
    cells: Cells, score: np.ndarray, covariates: Covariates, settings: Statistics
) -> CellResults:
    results = CellResults(cells, _NUMBERS)
    permutations = Permutations(settings.seed, settings.permutations, len(cells.participants))
    families = FamilyWise(cells.index["metric"].to_numpy(object), settings.permutations)
    regions = cells.index["index"].to_numpy()
    for pattern, design in covariates.designs(cells.values, regions, np.isfinite(score)):
        x = score[pattern.rows]
        results.set(pattern.columns, n=x.size)
        if not x.size:
            results.refuse(pattern.columns, NOBODY)
        if x.size < MIN_DF + 2:
            results.refuse(pattern.columns, f"fewer than {MIN_DF + 2} subjects")
            continue
        if np.ptp(x) == 0:
            results.refuse(pattern.columns, "constant score")
        nuisance = ranked_nuisance(design)
        ranked = pd.Series(x).rank().to_numpy()
        refuse_model(results, pattern.columns, ranked, design.shape[1], nuisance, "score")
        outcomes = cells.values[np.ix_(pattern.rows, pattern.columns)]
        refuse_degenerate(results, pattern.columns, outcomes, nuisance)
        kept = results.open(pattern.columns)
        if not kept.size:
            continue
        outcomes = cells.values[np.ix_(pattern.rows, kept)]
        test = partial_spearman(outcomes, x, nuisance)
        results.set(
            kept,
            rho=test.r,
            df=test.df,
            p=test.p,
            p_perm=permutation_p(
                test, nuisance.basis, permutations, pattern.rows, families.watch(kept, test)
            ),
        )
        _add_intervals(results, kept, outcomes, x, design, settings)
    results.set(np.arange(len(cells.index)), p_maxt=families.p())
    return results


def _add_intervals(
    results: CellResults,
    columns: np.ndarray,
    outcomes: np.ndarray,
    score: np.ndarray,
    covariates: np.ndarray,
    settings: Statistics,
) -> None:
    if settings.bootstrap:
        found = rho_intervals(outcomes, score, covariates, settings.bootstrap, settings.seed)
        set_intervals(results, columns, found)
