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

from ..regions.metrics import METRICS
from .cell_results import MIN_DF
from .cells import Cells
from .covariates import Covariates
from .linear import nuisance_space
from .multiplicity import PRIMARY_METRICS
from .power import MANN_WHITNEY_EFFICIENCY

PLANNED = tuple(name for name in PRIMARY_METRICS.values() if METRICS[name].unit == "ppm")
PPB = 1e-3
_LARGE_D = 6.0
"""Beyond it two participants per group are enough."""


def participants_per_group(d: float, alpha: float, power: float, efficiency: float = 1.0) -> int:
    """Participants in each of two equal groups for a two-sided test to find ``d`` SD."""
    from statsmodels.stats.power import TTestIndPower

    size = d * np.sqrt(efficiency)
    if size > _LARGE_D:
        return 2
    needed = TTestIndPower().solve_power(size, None, alpha, power, 1.0)
    return max(2, int(np.ceil(np.round(float(np.squeeze(needed)), 6))))


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
    found = []
    for place, n, spread in rows:
        if spread == 0:
            continue
        cell = cells.index.iloc[place].to_dict()
        for effect in effects:
            d = effect * PPB / spread
            level = alpha / n_regions[cell["metric"]]
            per_group = [
                participants_per_group(d, each, power, MANN_WHITNEY_EFFICIENCY)
                for each in (alpha, level)
            ]
            sizes = dict(zip(("n_per_group", "n_per_group_corrected"), per_group, strict=True))
            found.append(
                {**cell, "n": n, "residual_sd": spread, "effect": effect * PPB, "d": d,
                 "n_regions": n_regions[cell["metric"]], **sizes}
            )  # fmt: skip
    label = cells.adjusted(covariates.label)
    return pd.DataFrame(found).assign(
        desc=cells.desc, atlas=cells.atlas, covariates=label, alpha=alpha, power=power
    )
