"""Columns of results under construction: one array per column, one entry per cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from .cells import PLACE, Cells
from .linear import Nuisance, vanishes
from .multiplicity import COPIES, q_values
from .quantile_functions import QuantileFunctions
from .resampling import Intervals

MIN_GROUP = 3
MIN_DF = 2
NOBODY = "nobody has all the values needed"
REFERENCE = "χ is relative to this region: zero by construction"


class CellResults:
    """Results of one arm over all cells: NaN, and no reason, until something is set."""

    def __init__(self, cells: Cells | QuantileFunctions, numbers: tuple[str, ...]) -> None:
        self._cells = cells
        self._size = len(cells.index)
        self._numbers = {name: np.full(self._size, np.nan) for name in numbers}
        self.reason = np.full(self._size, None, dtype=object)
        self.reason[cells.is_reference] = REFERENCE

    def set(self, columns: np.ndarray, **values: Any) -> None:
        """Fill the named results of some cells with arrays or a common value."""
        for name, value in values.items():
            self._numbers[name][columns] = value

    def refuse(self, columns: np.ndarray, reason: str) -> None:
        """Say why these cells have no test; a reason that is there already stays."""
        empty = columns[self.reason[columns] == None]  # noqa: E711 - elementwise
        self.reason[empty] = reason

    def open(self, columns: np.ndarray) -> np.ndarray:
        """Those of the cells that nothing speaks against."""
        return columns[self.reason[columns] == None]  # noqa: E711 - elementwise

    def _with_the_test_of(self, name: str, original: str, metric: np.ndarray) -> np.ndarray:
        """Cells of a copy that has its original's p; values from elsewhere may be no copy."""
        p = pd.Series(self._numbers["p"], pd.MultiIndex.from_frame(self._cells.index[PLACE]))
        here = np.flatnonzero(metric == name)
        theirs = p[metric == original].reindex(p.index[here]).to_numpy(float)
        return here[np.isclose(p.to_numpy(float)[here], theirs, rtol=1e-6, atol=0)]

    def table(self, **labels: Any) -> pd.DataFrame:
        """Table of all cells, with q; what copies another metric's test says so."""
        metric = self._cells.index["metric"].to_numpy(object)
        for name, original in COPIES.items():
            words = f"the test of {original} in other units"
            self.refuse(self._with_the_test_of(name, original, metric), words)
        results = dict(self._numbers)
        results["q"] = q_values(results["p"], metric)
        return self._cells.index.assign(
            desc=self._cells.desc,
            atlas=self._cells.atlas,
            **labels,
            **results,
            reason=self.reason,
        )


def open_group_sizes(results: CellResults, columns: np.ndarray, group: np.ndarray) -> bool:
    """Set n_1 and n_2, and refuse cells of groups too small; whether there is anybody at all.

    ``group`` is boolean per subject: in the first level.
    """
    sizes = int(group.sum()), int((~group).sum())
    results.set(columns, n_1=sizes[0], n_2=sizes[1])
    if not group.size:
        results.refuse(columns, NOBODY)
    if min(sizes) < MIN_GROUP:
        results.refuse(columns, f"fewer than {MIN_GROUP} subjects in a group")
    return bool(group.size)


def set_intervals(results: CellResults, columns: np.ndarray, intervals: Intervals) -> None:
    """Set ci_low and ci_high, and the reason of the cells that have none."""
    results.set(columns, ci_low=intervals.low, ci_high=intervals.high)
    for reason in set(intervals.reason) - {None}:
        results.refuse(columns[intervals.reason == reason], reason)


def refuse_degenerate(
    results: CellResults, columns: np.ndarray, outcomes: np.ndarray, nuisance: Nuisance
) -> None:
    """Refuse cells that are constant, or whose values or ranks the covariates explain wholly.

    ``outcomes`` is subjects × columns.
    """
    results.refuse(columns[np.ptp(outcomes, axis=0) == 0], "constant metric")
    if nuisance.basis.shape[1]:
        for values in (outcomes, stats.rankdata(outcomes, axis=0)):
            flat = vanishes(nuisance.residuals(values), values)
            results.refuse(columns[flat], "no variation left after the covariates")


def refuse_model(
    results: CellResults,
    columns: np.ndarray,
    regressor: np.ndarray,
    covariate_columns: int,
    nuisance: Nuisance,
    what: str,
) -> None:
    """Refuse a model without degrees of freedom, or with collinear terms, in these subjects.

    ``what`` names the regressor (``group``, ``score``).
    """
    df = len(regressor) - 2 - covariate_columns
    if df < MIN_DF:
        results.refuse(columns, f"too few degrees of freedom: {df}")
    elif not nuisance.full_rank:
        results.refuse(columns, "covariates are constant or collinear in these subjects")
    elif vanishes(nuisance.residuals(regressor), regressor):
        results.refuse(columns, f"the {what} is collinear with the covariates in these subjects")
