"""What each participant has one number of (a rate, a baseline value) against groups and scores.

The robust arm is the rigorous arm of the cross-section: t of the term on midranks, beside the
covariates, with Freedman-Lane permutation of whole participants, max-T and q over the regions of a
metric. The linear arm is the same on the values as they are, its effect the slope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ..cell_results import MIN_GROUP, NOBODY, CellResults, refuse_degenerate, refuse_model
from ..cells import Cells
from ..effect_sizes import cliffs_delta
from ..family_wise import FamilyWise
from ..inputs import Inputs
from ..linear import nuisance_space
from ..model_tests import term_test
from ..permutation import permutation_p
from ..rank_ancova import PartialTest

_NUMBERS = (
    "n", "n_scans", "n_1", "n_2", "effect", "se", "ci_low", "ci_high", "statistic", "df", "p",
    "p_perm", "p_maxt",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RateCells(Cells):
    """Rates of participants; ``reference`` is boolean per cell, as the scans' values have it."""

    reference: np.ndarray

    @property
    def is_reference(self) -> np.ndarray:
        """Of what is measured, not of its rate, which may be as small anywhere."""
        return self.reference


@dataclass(frozen=True)
class Question:
    """One regressor against every cell of participants.

    ``regressor`` is a number per participant, NaN for who has no part; with ``groups`` 1 and 0 for
    the two. ``beside`` (participants × m) are further columns to adjust for, named ``adjusted``.
    ``ranked`` says that the outcome is ranked. ``unit`` gives the slope's unit for a metric.
    """

    term: str
    regressor: np.ndarray
    ranked: bool
    groups: bool = False
    beside: np.ndarray | None = None
    adjusted: tuple[str, ...] = ()
    unit: Callable[[str], str] = lambda metric: ""


def participant_table(
    data: Inputs, cells: Cells, n_scans: np.ndarray, question: Question
) -> pd.DataFrame:
    """Rows of the table ``change``; ``n_scans`` counts each participant's scans."""
    settings = data.design.statistics
    covariates = data.covariates(cells)
    permutations = data.permutations(cells.participants)
    sites = data.column_codes(settings.variance_groups, cells.participants)
    families = FamilyWise(cells.index["metric"].to_numpy(object), settings.permutations)
    results = CellResults(cells, _NUMBERS)
    usable = np.isfinite(question.regressor) & data.in_blocks(cells.participants)
    beside = np.zeros((len(usable), 0)) if question.beside is None else question.beside
    usable &= np.isfinite(beside).all(axis=1)
    regions = cells.index["index"].to_numpy()
    for pattern, design in covariates.designs(cells.values, regions, usable):
        rows = pattern.rows
        regressor = question.regressor[rows]
        results.set(pattern.columns, n=len(rows), n_scans=int(n_scans[rows].sum()))
        smallest = len(rows)
        if question.groups:
            sizes = [int((regressor == side).sum()) for side in (1, 0)]
            results.set(pattern.columns, n_1=sizes[0], n_2=sizes[1])
            smallest = min(sizes)
        if not len(rows):
            results.refuse(pattern.columns, NOBODY)
        if smallest < MIN_GROUP:
            what = " in a group" if question.groups else ""
            results.refuse(pattern.columns, f"fewer than {MIN_GROUP} subjects{what}")
            continue
        nuisance = nuisance_space(np.column_stack([design, beside[rows]]))
        outcomes = cells.values[np.ix_(rows, pattern.columns)]
        fixed = design.shape[1] + beside.shape[1]
        refuse_model(results, pattern.columns, regressor, fixed, nuisance, "term")
        refuse_degenerate(results, pattern.columns, outcomes, nuisance)
        kept = results.open(pattern.columns)
        if not kept.size:
            continue
        outcomes = cells.values[np.ix_(rows, kept)]
        groups = None if sites is None else np.unique(sites[rows], return_inverse=True)[1]
        test = term_test(
            outcomes, regressor[:, None], nuisance, question.ranked, settings.standard_error, groups
        )
        see = families.watch(kept, test)
        p_perm = permutation_p(test, nuisance.basis, permutations, rows, see)
        results.set(kept, statistic=test.t, df=test.df_shown, p=test.p, p_perm=p_perm)
        if not question.ranked:
            results.set(kept, **_slope(test))
        elif question.groups:
            left = nuisance.residuals(outcomes)
            results.set(kept, effect=cliffs_delta(left, regressor == 1))
        else:
            results.set(kept, effect=test.r)
    results.set(np.arange(len(cells.index)), p_maxt=families.p())
    name = "slope" if not question.ranked else "cliffs_delta" if question.groups else "partial_r"
    label = ",".join([*filter(None, [covariates.label]), *question.adjusted]) or None
    return results.table(
        test="rank_t" if question.ranked else "t",
        term=question.term,
        covariates=label,
        effect_name=name,
        unit=[None if question.ranked else question.unit(each) for each in cells.index["metric"]],
    )


def _slope(test: PartialTest) -> dict[str, np.ndarray]:
    """The slope of the outcome on the regressor with its standard error and 95 % interval."""
    x = test.regressor_residuals
    slope = x @ test.outcome_residuals / (x @ x)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(slope / test.t)
    half = stats.t.ppf(0.975, test.df_shown) * error
    return {"effect": slope, "se": error, "ci_low": slope - half, "ci_high": slope + half}
