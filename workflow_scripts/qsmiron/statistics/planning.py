"""Sample size: how many per group a study would need for a difference in ppb, by this cohort.

Residual SD of every region after the covariates (and roles, where they are known), in which the
difference is Cohen's d; the noncentral t of two equal groups (Cohen 1988, chapter 2), with the
efficiency of a rank test. Corrected: at the level over the number of regions (Bonferroni). A
residual SD of few people is uncertain itself, and so is the number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ..regions.metrics import METRICS
from .cell_results import MIN_DF
from .cells import Cells
from .covariates import Covariates
from .linear import nuisance_space
from .multiplicity import PRIMARY_METRICS
from .power import MANN_WHITNEY_EFFICIENCY

PLANNED = tuple(name for name in PRIMARY_METRICS.values() if METRICS[name].unit == "ppm")
PPB = 1e-3
LARGEST = 1_000_000
"""Who would need as many is told none."""
_LARGE_SHIFT = 30.0
_NUMBERS = ("n", "residual_sd", "effect", "d", "n_regions")


def participants_per_group(
    d: np.ndarray, alpha: np.ndarray, power: float, efficiency: float = 1.0
) -> np.ndarray:
    """Participants in each of two equal groups for a two-sided test to find ``d`` SD.

    Arrays of one shape; the smallest whole number, by bisection, 2 at least.
    """
    size, alpha = np.abs(d) * np.sqrt(efficiency), np.asarray(alpha, float)
    low, high = np.ones(np.shape(d), dtype=np.int64), np.full(np.shape(d), LARGEST)
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = _power(size, middle, alpha) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(high < LARGEST, high, np.nan)


def _power(d: np.ndarray, n: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Chance to find ``d`` with the right sign in two groups of ``n``.

    Far from the limit the noncentral t has no number any more, and the normal one serves.
    """
    df = 2.0 * np.maximum(n, 2) - 2
    shift, limit = d * np.sqrt(np.maximum(n, 2) / 2), stats.t.isf(alpha / 2, df)
    near = stats.norm.cdf((shift - limit) / np.sqrt(1 + np.square(limit) / (2 * df)))
    exact = (shift < _LARGE_SHIFT) & (np.abs(near - 0.5) < 0.4999)
    found = np.where(n < 2, 0.0, near)
    found[exact] = stats.nct.sf(limit[exact], df[exact], shift[exact])
    return np.where(n < 2, 0.0, np.where(np.isfinite(found), found, near))


def planning_table(
    cells: Cells,
    covariates: Covariates,
    roles: np.ndarray | None,
    effects: Sequence[float],
    alpha: float,
    power: float,
) -> pd.DataFrame:
    """A row per region, primary metric in ppm and effect: columns of ``TABLES["planning"]``.

    Parameters
    ----------
    cells
        One variant and atlas.
    covariates
        Of these participants; what differs from region to region is not used.
    roles
        1 in patients, 0 in controls, NaN in others; None where nobody is known to be either.
    effects
        Differences of two groups, ppb.
    alpha, power
        Level of one test, and the wanted power.
    """
    metrics = cells.index["metric"].to_numpy(object)
    tested = np.isin(metrics, PLANNED) & ~cells.is_reference
    design = covariates.values if roles is None else np.column_stack([covariates.values, roles])
    known = np.isfinite(design).all(axis=1)
    rows = []
    for place in np.flatnonzero(tested):
        here = known & np.isfinite(cells.values[:, place])
        df = int(here.sum()) - 1 - design.shape[1]
        if df < MIN_DF:
            continue
        left = nuisance_space(design[here]).residuals(cells.values[here, place])
        spread = float(np.sqrt(left @ left / df))
        rows.append((place, int(here.sum()), spread))
    n_regions = {name: sum(metrics[place] == name for place, _, _ in rows) for name in PLANNED}
    found = [
        {
            **cells.index.iloc[place].to_dict(),
            "n": n,
            "residual_sd": spread,
            "effect": effect * PPB,
            "d": effect * PPB / spread,
            "n_regions": n_regions[metrics[place]],
        }
        for place, n, spread in rows
        for effect in effects
        if spread > 0
    ]
    table = pd.DataFrame(found, columns=[*cells.index, *_NUMBERS])
    d, regions = table["d"].to_numpy(float), table["n_regions"].to_numpy(float)
    for name, levels in (("", np.full(len(d), alpha)), ("_corrected", alpha / regions)):
        needed = participants_per_group(d, levels, power, MANN_WHITNEY_EFFICIENCY)
        table[f"n_per_group{name}"] = needed
    label = cells.adjusted(covariates.label)
    return table.assign(
        desc=cells.desc, atlas=cells.atlas, covariates=label, alpha=alpha, power=power
    )
