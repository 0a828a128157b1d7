"""One contrast against every cell, in both arms: the rows of the group_tests table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cell_results import (
    CellResults,
    open_group_sizes,
    refuse_degenerate,
    refuse_model,
    set_intervals,
)
from .cells import Cells, Pattern, missingness_patterns
from .covariates import Covariates
from .delta_intervals import delta_intervals
from .effect_sizes import cliffs_delta, hedges_g
from .family_wise import FamilyWise
from .linear import nuisance_space
from .permutation import Permutations, permutation_p
from .rank_ancova import rank_ancova
from .replication import mann_whitney
from .settings import Levels, Statistics

_NUMBERS = (
    "n_1", "n_2", "median_1", "median_2", "statistic", "df", "p", "p_perm", "p_maxt", "effect",
    "ci_low", "ci_high", "hedges_g",
)  # fmt: skip
_UNTESTED = ("statistic", "df", "p", "p_perm", "p_maxt")


def group_test_table(
    cells: Cells,
    contrast: str,
    levels: Levels,
    group: pd.Series,
    covariates: Covariates,
    settings: Statistics,
) -> pd.DataFrame:
    """Test a contrast in every cell: Mann-Whitney, and rank ANCOVA with permutation.

    Parameters
    ----------
    cells
        One variant and atlas.
    contrast, levels
        Its name and levels; a positive effect means the first level above the second.
    group
        Level of each participant (by participant_id), missing where there is none.
    covariates
        Of the participants of ``cells``, in their order.
    settings
        Numbers and seed of the permutations and of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["group_tests"]``; one row per arm and cell, ``n/a`` with a reason
        where a test is impossible. In the rigorous arm the effect sizes are those of the
        residuals after the covariates, the medians those of the values.
    """
    level = group.reindex(cells.participants).to_numpy(object)
    first = level == levels[0]
    member = first | (level == levels[1])
    common = {"contrast": contrast, "level_1": levels[0], "level_2": levels[1]}
    replication = _replication(cells, first, member, settings)
    rigorous = _rigorous(cells, first, member, covariates, settings)
    return pd.concat(
        [
            replication.table(
                _UNTESTED,
                arm="replication",
                test="mann_whitney",
                covariates=None,
                effect_name="cliffs_delta",
                **common,
            ),
            rigorous.table(
                _UNTESTED,
                arm="rigorous",
                test="rank_ancova",
                covariates=covariates.label,
                effect_name="cliffs_delta",
                **common,
            ),
        ],
        ignore_index=True,
    )


def _replication(
    cells: Cells, first: np.ndarray, member: np.ndarray, settings: Statistics
) -> CellResults:
    results = CellResults(cells, _NUMBERS)
    without = np.zeros((len(cells.participants), 0))
    for pattern in missingness_patterns(cells.values, member):
        outcomes, group = _describe(results, cells, pattern, first)
        if not group.size:
            continue
        refuse_degenerate(results, pattern.columns, outcomes, None)
        kept = results.open(pattern.columns)
        outcomes = cells.values[np.ix_(pattern.rows, kept)]
        if kept.size:
            u, p = mann_whitney(outcomes, group)
            results.set(
                kept,
                statistic=u,
                p=p,
                effect=cliffs_delta(outcomes, group),
                hedges_g=hedges_g(outcomes, group),
            )
            _add_intervals(results, kept, outcomes, group, without[pattern.rows], settings)
    return results


def _rigorous(
    cells: Cells,
    first: np.ndarray,
    member: np.ndarray,
    covariates: Covariates,
    settings: Statistics,
) -> CellResults:
    results = CellResults(cells, _NUMBERS)
    permutations = Permutations(settings.seed, settings.permutations, len(cells.participants))
    families = FamilyWise(cells.index["metric"].to_numpy(object), settings.permutations)
    regions = cells.index["index"].to_numpy()
    for pattern, design in covariates.designs(cells.values, regions, member):
        outcomes, group = _describe(results, cells, pattern, first)
        if not group.size:
            continue
        nuisance = nuisance_space(design)
        refuse_model(
            results, pattern.columns, group.astype(float), design.shape[1], nuisance, "group"
        )
        refuse_degenerate(results, pattern.columns, outcomes, nuisance)
        kept = results.open(pattern.columns)
        if not kept.size:
            continue
        outcomes = cells.values[np.ix_(pattern.rows, kept)]
        test = rank_ancova(outcomes, group, nuisance)
        adjusted = nuisance.residuals(outcomes)
        results.set(
            kept,
            statistic=test.t,
            df=test.df,
            p=test.p,
            p_perm=permutation_p(
                test, nuisance.basis, permutations, pattern.rows, families.watch(kept, test)
            ),
            effect=cliffs_delta(adjusted, group),
            hedges_g=hedges_g(adjusted, group),
        )
        _add_intervals(results, kept, outcomes, group, design, settings)
    results.set(np.arange(len(cells.index)), p_maxt=families.p())
    return results


def _add_intervals(
    results: CellResults,
    columns: np.ndarray,
    outcomes: np.ndarray,
    group: np.ndarray,
    covariates: np.ndarray,
    settings: Statistics,
) -> None:
    if settings.bootstrap:
        found = delta_intervals(
            outcomes, group, nuisance_space(covariates), settings.bootstrap, settings.seed
        )
        set_intervals(results, columns, found)


def _describe(
    results: CellResults, cells: Cells, pattern: Pattern, first: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sizes and medians of the groups; outcomes and group of the pattern's subjects."""
    outcomes = cells.values[np.ix_(pattern.rows, pattern.columns)]
    group = first[pattern.rows]
    open_group_sizes(results, pattern.columns, group)
    for number, members in ((1, group), (2, ~group)):
        if members.any():
            median = np.median(outcomes[members], axis=0)
            results.set(pattern.columns, **{f"median_{number}": median})
    return outcomes, group
