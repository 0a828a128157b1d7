"""The terms of one model against every cell: the rows of the model_tests table.

The rigorous arm's way (ranks, covariates, Freedman-Lane, correction over a set) for terms of any
number of columns: with U an orthonormal basis of what the covariates leave of them and e the unit
residuals of the outcome, R² = ‖Uᵀe‖² takes the place of r², and F = (R²/r)/((1 − R²)/df) of t².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import special, stats

from .cell_results import MIN_GROUP, NOBODY, CellResults, refuse_degenerate, refuse_model
from .cells import Cells
from .covariates import Covariates
from .effect_sizes import cliffs_delta
from .family_wise import FamilyWise
from .inputs import Inputs
from .linear import Nuisance, nuisance_space
from .models import Term, terms_of
from .multiplicity import q_values
from .permutation import permutation_p
from .rank_ancova import PartialTest, partial_test

_NUMBERS = ("n", "df_1", "df_2", "statistic", "p", "p_perm", "p_maxt", "effect")


def model_test_table(data: Inputs, name: str, cells: Cells) -> pd.DataFrame:
    """Test every term of a model in every cell: columns of ``TABLES["model_tests"]``.

    q and the family-wise p are over all regions, and over all pairs of levels together.
    """
    terms = terms_of(data, name, cells.participants)
    tables = []
    for label in dict.fromkeys(term.set for term in terms):
        together = [term for term in terms if term.set == label]
        tables.append(_set(data, together, cells))
    return pd.concat(tables, ignore_index=True).assign(model=name)


def _set(data: Inputs, terms: Sequence[Term], cells: Cells) -> pd.DataFrame:
    settings = data.design.statistics
    n_cells = len(cells.index)
    metric = cells.index["metric"].to_numpy(object)
    families = FamilyWise(np.tile(metric, len(terms)), settings.permutations)
    everything = []
    for number, term in enumerate(terms):
        names = tuple(one for one in data.design.covariates if one not in term.without)
        covariates = data.covariates(cells, names)
        results = CellResults(cells, _NUMBERS)
        _test(data, term, cells, covariates, results, families, number * n_cells)
        everything.append((term, covariates, results))
    p_maxt = families.p()
    tables = []
    for number, (term, covariates, results) in enumerate(everything):
        part = slice(number * n_cells, (number + 1) * n_cells)
        results.set(np.arange(n_cells), p_maxt=p_maxt[part])
        one = term.columns.shape[1] == 1
        effect = "partial_r" if one else "partial_r_squared"
        tables.append(
            results.table(
                term=term.name,
                test=("rank_" if term.ranked else "") + ("t" if one else "f"),
                covariates=cells.adjusted(
                    ",".join([*filter(None, [covariates.label]), *term.without])
                ),
                effect_name="cliffs_delta" if term.group is not None else effect,
            )
        )
    table = pd.concat(tables, ignore_index=True)
    table["q"] = q_values(table["p"].to_numpy(float), table["metric"].to_numpy(object))
    return table


def _test(
    data: Inputs,
    term: Term,
    cells: Cells,
    covariates: Covariates,
    results: CellResults,
    families: FamilyWise,
    offset: int,
) -> None:
    settings = data.design.statistics
    permutations = data.permutations(cells.participants)
    sites = data.column_codes(settings.variance_groups, cells.participants)
    usable = np.isfinite(np.column_stack([term.columns, term.beside])).all(axis=1)
    usable &= data.in_blocks(cells.participants)
    regions = cells.index["index"].to_numpy()
    for pattern, design in covariates.designs(cells.values, regions, usable):
        columns, beside = term.columns[pattern.rows], term.beside[pattern.rows]
        outcomes = cells.values[np.ix_(pattern.rows, pattern.columns)]
        results.set(pattern.columns, n=len(columns))
        if not len(columns):
            results.refuse(pattern.columns, NOBODY)
        if _smallest(columns, term, pattern.rows) < MIN_GROUP:
            results.refuse(pattern.columns, f"fewer than {MIN_GROUP} subjects in a group")
            continue
        nuisance = nuisance_space(np.column_stack([design, beside]))
        for column in columns.T:
            fixed = design.shape[1] + beside.shape[1] + columns.shape[1] - 1
            refuse_model(results, pattern.columns, column, fixed, nuisance, "term")
        refuse_degenerate(results, pattern.columns, outcomes, nuisance)
        kept = results.open(pattern.columns)
        if not kept.size:
            continue
        outcomes = cells.values[np.ix_(pattern.rows, kept)]
        groups = None if sites is None else np.unique(sites[pattern.rows], return_inverse=True)[1]
        error = settings.standard_error
        test = term_test(outcomes, columns, nuisance, term.ranked, error, groups)
        effect = np.square(test.r) if test.rank > 1 else test.r
        if term.group is not None:
            group = term.group[pattern.rows]
            here = np.isfinite(group)
            effect = cliffs_delta(
                nuisance_space(design).residuals(outcomes)[here], group[here] == 1
            )
        see = families.watch(offset + kept, test)
        p_perm = permutation_p(test, nuisance.basis, permutations, pattern.rows, see)
        results.set(
            kept, df_1=test.rank, df_2=test.df_shown, statistic=test.t, p=test.p, p_perm=p_perm,
            effect=effect,
        )  # fmt: skip


def _smallest(columns: np.ndarray, term: Term, rows: np.ndarray) -> int:
    """Fewest subjects of a level that the term compares; of one that is no group, all."""
    if term.group is not None:
        return min(int((term.group[rows] == side).sum()) for side in (0, 1))
    if not set(np.unique(columns)) <= {0.0, 1.0} or not term.ranked:
        return len(columns)
    return int(min(*columns.sum(axis=0), len(columns) - columns.any(axis=1).sum()))


def term_test(
    outcomes: np.ndarray,
    columns: np.ndarray,
    nuisance: Nuisance,
    ranked: bool = True,
    standard_error: str = "usual",
    groups: np.ndarray | None = None,
) -> PartialTest:
    """Test columns (n × r) beside the nuisance in every cell (n × cells): t, or F for r > 1.

    ``standard_error`` and ``groups`` are as :func:`.partial_test` takes them; the F of several
    columns is the usual one, whatever they say.
    """
    values = stats.rankdata(outcomes, axis=0) if ranked else outcomes
    left, residuals = nuisance.residuals(values), nuisance.residuals(columns)
    if columns.shape[1] == 1:
        return partial_test(left, residuals[:, 0], nuisance, standard_error, groups)
    basis, sizes, _ = np.linalg.svd(residuals, full_matrices=False)
    basis = basis[:, sizes > 1e-9 * sizes[0]]
    rank = basis.shape[1]
    df = len(columns) - 1 - nuisance.basis.shape[1] - rank
    share = np.square(basis.T @ left).sum(axis=0) / np.square(left).sum(axis=0)
    share = np.minimum(share, 1.0)
    with np.errstate(divide="ignore"):
        f = share / rank / ((1 - share) / df)
    p = special.betainc(df / 2, rank / 2, 1 - share)
    test = PartialTest(np.sqrt(share), f, df, p, left, basis)
    return replace(test, rank=rank)
