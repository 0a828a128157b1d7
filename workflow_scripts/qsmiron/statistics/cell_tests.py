"""One regressor (a contrast or a score) against every cell, in both arms: rows of a table of tests.

Both arms go the same way: design → test → resampling → correction → rows. The replication arm has
no covariates and a rank test of its own; the rigorous arm is a linear model on ranks, permuted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cell_results import CellResults, refuse_degenerate, refuse_model, set_intervals
from .cells import Cells
from .covariates import Covariates, no_covariates
from .family_wise import FamilyWise
from .permutation import permutation_p
from .regressors import Regressor
from .settings import Statistics


def cell_test_table(
    cells: Cells, regressor: Regressor, covariates: Covariates, settings: Statistics
) -> pd.DataFrame:
    """Test a contrast or score in every cell, without covariates and with them.

    Parameters
    ----------
    cells
        One variant and atlas.
    regressor
        The contrast or score, of the participants.
    covariates
        Of the participants of ``cells``, in their order.
    settings
        Numbers and seed of the permutations and of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["group_tests"]`` or ``TABLES["correlations"]``; one row per arm and
        cell, ``n/a`` with a reason where a test is impossible. In the rigorous arm the effects are
        those of the residuals after the covariates, medians those of the values.
    """
    x = regressor.values.reindex(cells.participants).to_numpy(float)
    return pd.concat(
        [
            _arm(cells, regressor, x, arm, adjusted, settings).table(
                arm=arm, covariates=cells.adjusted(adjusted.label), **regressor.labels(arm)
            )
            for arm, adjusted in (
                ("replication", no_covariates(len(x))),
                ("rigorous", covariates),
            )
        ],
        ignore_index=True,
    )


def _arm(
    cells: Cells,
    regressor: Regressor,
    x: np.ndarray,
    arm: str,
    covariates: Covariates,
    settings: Statistics,
) -> CellResults:
    results = CellResults(cells, regressor.numbers)
    permutations = regressor.permutations(cells.participants, settings.seed, settings.permutations)
    families = FamilyWise(cells.index["metric"].to_numpy(object), settings.permutations)
    regions = cells.index["index"].to_numpy()
    for pattern, design in covariates.designs(cells.values, regions, np.isfinite(x)):
        here = x[pattern.rows]
        outcomes = cells.values[np.ix_(pattern.rows, pattern.columns)]
        if not regressor.describe(results, pattern.columns, outcomes, here):
            continue
        nuisance = regressor.nuisance(design)
        refuse_model(
            results, pattern.columns, regressor.ranked(here), design.shape[1], nuisance,
            regressor.term,
        )  # fmt: skip
        refuse_degenerate(results, pattern.columns, outcomes, nuisance)
        kept = results.open(pattern.columns)
        if not kept.size:
            continue
        outcomes = cells.values[np.ix_(pattern.rows, kept)]
        if arm == "replication":
            results.set(kept, **regressor.replicate(outcomes, here))
        else:
            test = regressor.test(outcomes, here, nuisance, cells.participants[pattern.rows])
            see = families.watch(kept, test)
            results.set(
                kept,
                p_perm=permutation_p(test, nuisance.basis, permutations, pattern.rows, see),
                **regressor.adjusted(outcomes, here, nuisance, test),
            )
        if settings.bootstrap:
            found = regressor.intervals(outcomes, here, design, settings)
            set_intervals(results, kept, found)
    if arm == "rigorous":
        results.set(np.arange(len(cells.index)), p_maxt=families.p())
    return results
