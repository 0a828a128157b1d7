"""Each patient against the controls: how far a region lies from what its age and sex expect.

A linear model of the covariates is fitted to the controls, and predicts each patient. The deviation
z is the difference in residual SDs of the controls. The prediction of a single new person is
uncertain too, so that the difference over its own standard error follows t (Crawford & Garthwaite
2006, doi 10.1037/0894-4105.20.3.270): with the leverage h of the patient in the controls' model,

    t = (y − ŷ) / (s √(1 + h)),  df = controls − 1 − covariates.

z itself is uncertain by that of ŷ and of s: its standard error is √(h + z²/(2 df)).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .cell_results import MIN_DF
from .cells import Cells
from .covariates import Covariates
from .linear import first_dependent, nuisance_space, two_sided_t
from .multiplicity import DISTINCT_PRIMARY

METRICS = tuple(DISTINCT_PRIMARY.values())
FEW = "too few controls with the covariates"
ALIKE = "{} is constant or collinear with other covariates in the controls"
OUTSIDE = "beyond the controls' values of {}: extrapolated"


def deviation_table(
    cells: Cells, patients: np.ndarray, controls: np.ndarray, covariates: Covariates
) -> pd.DataFrame:
    """A row per patient and region of every primary metric: columns of ``TABLES["deviations"]``.

    Parameters
    ----------
    cells
        One variant and atlas.
    patients, controls
        Boolean per participant of ``cells``.
    covariates
        Of these participants; what differs from region to region is not used.
    """
    there = np.isfinite(cells.values).any(axis=0)  # no left region has an asymmetry
    chosen = np.flatnonzero(cells.index["metric"].isin(METRICS) & there & ~cells.is_reference)
    known = covariates.complete
    tables = []
    for column in chosen:
        values = cells.values[:, column]
        measured = np.isfinite(values) & known
        tables.append(_of_cell(cells, values, patients, controls & measured, covariates))
        tables[-1] = tables[-1].assign(**cells.index.iloc[column].to_dict())
    if not tables:
        return pd.DataFrame()
    table = pd.concat(tables, ignore_index=True)
    return table.assign(
        desc=cells.desc, atlas=cells.atlas, covariates=cells.adjusted(covariates.label)
    )


def _of_cell(
    cells: Cells,
    values: np.ndarray,
    patients: np.ndarray,
    controls: np.ndarray,
    covariates: Covariates,
) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "participant_id": cells.participants[patients],
            "n_controls": int(controls.sum()),
            "value": values[patients],
        }
    )
    design, new = covariates.values[controls], covariates.values[patients]
    df = int(controls.sum()) - 1 - design.shape[1]
    if df < MIN_DF:
        return table.assign(reason=FEW)
    if not nuisance_space(design).full_rank:
        return table.assign(reason=ALIKE.format(covariates.columns[first_dependent(design)]))
    model = np.column_stack([np.ones(len(design)), design])
    inverse = np.linalg.pinv(model.T @ model)
    slopes = inverse @ model.T @ values[controls]
    left = values[controls] - model @ slopes
    spread = np.sqrt(left @ left / df)
    at = np.column_stack([np.ones(len(new)), new])
    leverage = np.einsum("ij,jk,ik->i", at, inverse, at)
    expected = at @ slopes
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (values[patients] - expected) / spread
        t = z / np.sqrt(1 + leverage)
    reason = np.where(np.isfinite(values[patients]), None, "not measured")
    reason[~np.isfinite(new).all(axis=1)] = "a covariate is not known"
    for column, name in enumerate(covariates.columns):
        low, high = design[:, column].min(), design[:, column].max()
        beyond = ((new[:, column] < low) | (new[:, column] > high)) & (reason == None)  # noqa: E711
        reason[beyond] = OUTSIDE.format(name)
    return table.assign(
        expected=expected,
        control_sd=spread,
        z=z,
        z_error=np.sqrt(leverage + np.square(z) / (2 * df)),
        t=t,
        df=df,
        p=two_sided_t(t, df),
        reason=reason,
    )
