"""Planted against recovered change over time: rates per year, of patients with several visits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .change import PLANTED_RATES
from .recovery import RecoveryParameters, compare_values

MEASURED = "chi_mean"


def compare_rates(
    visits: pd.DataFrame,
    regions: pd.DataFrame,
    participants: pd.DataFrame,
    parameters: RecoveryParameters | None = None,
) -> pd.DataFrame:
    """One row per planted rate, reconstruction variant and atlas that has the region.

    Parameters
    ----------
    visits : the plan of the visits, with each patient's true rates (ppm/year).
    regions : the measured table, of all sessions.
    participants : indexed by participant_id, with a column for each contrast.
    parameters : as of :func:`.recovery.compare`.

    Returns
    -------
    Columns of ``tables.TABLES["recovery"]``: differences of mean rates. A patient's rate is the
    slope of a line through their visits.
    """
    parameters = parameters or RecoveryParameters()
    months = visits.set_index(["participant_id", "session"])["months_since_baseline"] / 12
    rows = []
    for rate in PLANTED_RATES:
        known = visits.groupby("participant_id")[rate.plan_column].first().rename("planted")
        is_cell = (
            (regions["region"] == rate.region)
            & (regions["hemisphere"] == rate.hemisphere)
            & (regions["metric"] == MEASURED)
        )
        for (desc, atlas), cell in regions[is_cell].groupby(["desc", "atlas"], sort=False):
            levels = participants.get(rate.contrast, pd.Series(dtype=object))
            data = pd.concat(
                [known, _slopes(cell, months).rename("value"), levels.rename("clinical")], axis=1
            ).dropna()
            effect = {"measure": "mean_difference", "levels": ",".join(rate.levels)}
            rows.append(
                {
                    "effect": rate.effect,
                    "desc": desc,
                    "atlas": atlas,
                    "contrast_or_score": rate.contrast,
                    "region": rate.region,
                    "hemisphere": rate.hemisphere,
                    "metric": MEASURED,
                    "measure": "mean_difference",
                    "unit": "ppm/year",
                    "assumption": rate.assumption,
                    **compare_values(data.sort_index(), effect, parameters),
                }
            )
    return pd.DataFrame(rows)


def _slopes(cell: pd.DataFrame, years: pd.Series) -> pd.Series:
    """ppm/year by participant_id, of those measured at two times at least."""
    keys = pd.MultiIndex.from_frame(cell[["participant_id", "session"]].astype(str))
    points = cell.assign(years=years.reindex(keys).to_numpy()).dropna(subset=["years", "value"])
    found = {
        who: np.polyfit(own["years"], own["value"], 1)[0]
        for who, own in points.groupby("participant_id")
        if own["years"].nunique() > 1
    }
    return pd.Series(found, dtype=float)
