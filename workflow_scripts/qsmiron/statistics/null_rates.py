"""How often the tests find something in this very table when the group labels are shuffled.

The labels are permuted, outcomes and covariates stay together, so that nothing can be related to
the group; regions stay correlated as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from .cell_results import MIN_DF, MIN_GROUP
from .cells import Cells, Pattern
from .covariates import Covariates, no_covariates
from .linear import Nuisance, nuisance_space, t_from_r, vanishes
from .multiplicity import COPIES
from .permutation import Permutations
from .rank_ancova import partial_test
from .regressors import ContrastRegressor
from .replication import p_of_u, tie_terms
from .settings import Statistics

CONFIDENCE = 0.99


def null_rate_table(
    cells: Cells,
    contrast: ContrastRegressor,
    covariates: Covariates,
    settings: Statistics,
) -> pd.DataFrame:
    """False-positive rate of both arms' parametric p at ``alpha``, per metric, over regions.

    Arguments as in :func:`.cell_tests.cell_test_table`.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["null_rates"]``. The interval is that of the mean of the permutations'
        own rates (each over all regions): correlated regions make those spread, and so widen it.
        Where no region can be tested for a metric, ``n_cells`` is 0 and the rate ``n/a``.
    """
    x = contrast.values.reindex(cells.participants).to_numpy(float)
    first, member = x == 1, np.isfinite(x)
    people = cells.participants
    permutations = contrast.permutations(people, settings.seed, settings.null_permutations)
    metric = cells.index["metric"].to_numpy(object)
    to_test = ~np.isin(metric, list(COPIES)) & ~cells.is_reference
    rows = []
    regions = cells.index["index"].to_numpy()
    for arm, adjusted, positives in (
        ("replication", no_covariates(len(first)), _mann_whitney_positives),
        ("rigorous", covariates, _rank_ancova_positives),
    ):
        positive = np.zeros((permutations.count, len(metric)), dtype=bool)
        tested = np.zeros(len(metric), dtype=bool)
        for pattern, design in adjusted.designs(cells.values, regions, member):
            labels = first[pattern.rows]
            if min(labels.sum(), (~labels).sum()) < MIN_GROUP:
                continue
            outcomes = cells.values[np.ix_(pattern.rows, pattern.columns)]
            nuisance = nuisance_space(design)
            kept = np.ptp(outcomes, axis=0) > 0
            if arm == "rigorous":
                if not _estimable(nuisance, len(labels)):
                    continue
                kept &= ~vanishes(nuisance.residuals(outcomes), outcomes)
            columns = pattern.columns[kept & to_test[pattern.columns]]
            kept_pattern = Pattern(pattern.rows, columns)
            tested[columns] = True
            groups = contrast.groups_of(people[pattern.rows])
            ranks = stats.rankdata(cells.values[np.ix_(pattern.rows, columns)], axis=0)
            for part, orders in _chunks(permutations, kept_pattern):
                positive[part[:, None], columns] = positives(
                    ranks, labels[orders], nuisance, settings, groups
                )
        for name in dict.fromkeys(metric[to_test]):
            chosen = metric == name
            rate, low, high = _rate_and_interval(positive[:, chosen & tested])
            rows.append(
                {
                    "arm": arm,
                    "desc": cells.desc,
                    "atlas": cells.atlas,
                    "contrast": contrast.name,
                    "family": cells.index["family"].to_numpy(object)[chosen][0],
                    "metric": name,
                    "n_permutations": permutations.count,
                    "n_cells": int((chosen & tested).sum()),
                    "alpha": settings.alpha,
                    "rate": rate,
                    "rate_low": low,
                    "rate_high": high,
                }
            )
    return pd.DataFrame(rows)


def _chunks(
    permutations: Permutations, pattern: Pattern
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    size = max(1, 2_000_000 // max(pattern.columns.size, permutations.n_subjects))
    done = 0
    for orders in permutations.orders(pattern.rows, size):
        yield np.arange(done, done + len(orders)), orders
        done += len(orders)


def _mann_whitney_positives(
    ranks: np.ndarray,
    labels: np.ndarray,
    nuisance: Nuisance,
    settings: Statistics,
    groups: np.ndarray | None,
) -> np.ndarray:
    n_1 = int(labels[0].sum())
    u = labels.astype(float) @ ranks - n_1 * (n_1 + 1) / 2
    return p_of_u(u, n_1, len(ranks) - n_1, tie_terms(ranks)) <= settings.alpha


def _rank_ancova_positives(
    ranks: np.ndarray,
    labels: np.ndarray,
    nuisance: Nuisance,
    settings: Statistics,
    groups: np.ndarray | None,
) -> np.ndarray:
    regressors = nuisance.residuals(labels.T.astype(float))
    length = np.linalg.norm(regressors, axis=0)
    outcomes = nuisance.residuals(ranks)
    # A shuffled label can coincide with an indicator among the covariates: no test, no positive.
    usable = ~vanishes(regressors, labels.T.astype(float))
    scale = np.where(usable, length, np.inf)[:, None] * np.linalg.norm(outcomes, axis=0)
    r = np.clip(regressors.T @ outcomes / scale, -1, 1)
    df = len(ranks) - 2 - nuisance.basis.shape[1]
    if groups is None and settings.standard_error == "usual":
        critical = stats.t.isf(settings.alpha / 2, df)
        return np.abs(t_from_r(r, df)) >= critical
    positive = np.zeros(r.shape, dtype=bool)
    for number in np.flatnonzero(usable):
        x = regressors[:, number]
        test = partial_test(outcomes, x, nuisance, settings.standard_error, groups)
        positive[number] = test.p <= settings.alpha
    return positive


def _estimable(nuisance: Nuisance, n: int) -> bool:
    return nuisance.full_rank and n - 2 - nuisance.basis.shape[1] >= MIN_DF


def _rate_and_interval(positive: np.ndarray) -> tuple[float, float, float]:
    """Mean rate and its interval, from permutations × tested cells."""
    if not positive.shape[1]:
        return np.nan, np.nan, np.nan
    rates = positive.mean(axis=1)
    half = stats.t.isf((1 - CONFIDENCE) / 2, rates.size - 1) * rates.std(ddof=1)
    half /= np.sqrt(rates.size)
    return rates.mean(), max(0.0, rates.mean() - half), min(1.0, rates.mean() + half)
