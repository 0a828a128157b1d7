"""One contrast against the whole χ distribution of every region: rows of the group_tests table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cell_results import CellResults, open_group_sizes, refuse_model
from .covariates import Covariates, no_covariates
from .linear import TOLERANCE, nuisance_space
from .quantile_functions import QuantileFunctions
from .regressors import ContrastRegressor
from .settings import Statistics
from .whole_distribution import distance_test, permuted_distances

_NUMBERS = ("n_1", "n_2", "statistic", "p", "p_perm", "p_maxt", "effect")


def distribution_test_table(
    functions: QuantileFunctions,
    contrast: ContrastRegressor,
    covariates: Covariates,
    settings: Statistics,
) -> pd.DataFrame:
    """Test a contrast on quantile functions, raw and with each subject's median removed.

    Arguments as in :func:`.cell_tests.cell_test_table`.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["group_tests"]``, metrics ``wasserstein`` and ``wasserstein_centred``,
        each a correction set of its own. The effect is the distance in ppb, which has no sign;
        the statistic is that distance over its mean under permutation. No parametric p exists: p
        is the permutation p in both arms, and q is that of p. There are no intervals.
    """
    x = contrast.values.reindex(functions.participants).to_numpy(float)
    first, member = x == 1, np.isfinite(x)
    return pd.concat(
        [
            _arm(functions, contrast, first, member, adjusted, settings).table(
                arm=arm,
                test="quantile_permutation",
                covariates=adjusted.label,
                effect_name="wasserstein_ppb",
                **contrast.names,
            )
            for arm, adjusted in (
                ("replication", no_covariates(len(first))),
                ("rigorous", covariates),
            )
        ],
        ignore_index=True,
    )


def _arm(
    functions: QuantileFunctions,
    contrast: ContrastRegressor,
    first: np.ndarray,
    member: np.ndarray,
    covariates: Covariates,
    settings: Statistics,
) -> CellResults:
    results = CellResults(functions, _NUMBERS)
    permutations = contrast.permutations(
        functions.participants, settings.seed, settings.permutations
    )
    n_regions = functions.values.shape[1]
    distances = np.full((permutations.count + 1, 2 * n_regions), np.nan)
    regions = functions.index["index"].to_numpy()[:n_regions]
    for pattern, design in covariates.designs(functions.values.sum(axis=2), regions, member):
        columns = np.concatenate([pattern.columns, n_regions + pattern.columns])
        group = first[pattern.rows]
        if not open_group_sizes(results, columns, group):
            continue
        nuisance = nuisance_space(design)
        refuse_model(results, columns, group.astype(float), design.shape[1], nuisance, "group")
        kept = results.open(pattern.columns)
        if not kept.size:
            continue
        curves = functions.values[np.ix_(pattern.rows, kept)]
        found = permuted_distances(
            curves, functions.median, group, nuisance, permutations, pattern.rows
        )
        scale = np.abs(curves - curves.mean(axis=0)).max(axis=(0, 2))
        for offset, part in ((0, found.raw), (n_regions, found.centred)):
            varies = part.max(axis=0) > TOLERANCE * scale
            results.refuse(kept[~varies] + offset, "no variation between the subjects")
            distances[:, kept[varies] + offset] = part[:, varies]
    results.set(np.arange(2 * n_regions), effect=distances[0])
    for columns in np.split(np.arange(2 * n_regions), 2):
        ratio, p, p_maxt = distance_test(distances[:, columns])
        results.set(columns, statistic=ratio, p=p, p_perm=p, p_maxt=p_maxt)
    return results
