"""The subjects' calibration lines against a contrast or score, and what they carry into iron.

``iron_calibrated`` divides by a line through caudate, putamen and pallidum. A difference in one of
these nuclei is a difference of the line, and so of every other region: slope and intercept are
tested like a metric, and where they go with the contrast or score, its rows say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..bids import ChosenSession
from ..tables import read_table
from .calibration_remarks import CALIBRATED, TOLD
from .cell_tests import cell_test_table
from .cells import CELL, VARIANT, Cells, one_session
from .inputs import Inputs
from .regressors import Regressor

PARAMETERS = ("slope", "intercept")
_SHARED = ("arm", *VARIANT, "covariates", "df", "p", "p_perm", "ci_low", "ci_high", "reason")


def read_calibrations(path: str | Path, session: ChosenSession) -> list[Cells]:
    """Slope and intercept of every participant's line, one entry per variant and atlas."""
    table = one_session(read_table(path, "calibration"), session, str(path))
    usable = table["reason"].isna()
    found = []
    for (desc, atlas), rows in table[usable].groupby(VARIANT, sort=False):
        rows = rows.sort_values("participant_id", kind="stable")
        index = pd.DataFrame({"metric": PARAMETERS, "family": "iron_concentration"})
        index = index.assign(region="calibration", hemisphere="B", index=0)[CELL]
        people = pd.Index(rows["participant_id"], dtype=object)
        values = rows[list(PARAMETERS)].to_numpy(float)
        found.append(Cells(str(desc), str(atlas), people, index, values))
    return found


def calibration_test_table(
    regressors: Sequence[Regressor], lines: Sequence[Cells], data: Inputs
) -> pd.DataFrame:
    """Slope and intercept against contrasts or scores: columns of ``calibration_tests``.

    With the design's covariates but those of a region, of which a line has none.
    """
    found = []
    for regressor in regressors:
        for cells in lines:
            covariates = replace(data.covariates(cells), regional=None)
            table = cell_test_table(cells, regressor, covariates, data.design.statistics)
            is_contrast = regressor.kind == "contrast"
            found.append(
                table[list(_SHARED)].assign(
                    kind=regressor.kind,
                    name=regressor.name,
                    parameter=table["metric"],
                    test=table["test" if is_contrast else "method"],
                    n=table["n_1"] + table["n_2"] if is_contrast else table["n"],
                    effect=table["effect" if is_contrast else "rho"],
                    effect_name=regressor.effect_name,
                )
            )
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def mark_calibrated(table: pd.DataFrame, lines: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """A table of tests whose rows of calibrated iron say where the calibration differs.

    Parameters
    ----------
    table
        ``group_tests`` or ``correlations``.
    lines
        The tests of slope and intercept, of :func:`calibration_test_table`.
    alpha
        A line whose slope or intercept has a p below it, in the row's own arm, differs.
    """
    if table.empty or lines.empty:
        return table
    key = "contrast" if "contrast" in table else "score"
    reason = table["reason"].to_numpy(object).copy()
    for (name, arm, desc, atlas), rows in lines.groupby(["name", "arm", *VARIANT], sort=False):
        if not (rows["p"] < alpha).any():
            continue
        p = ", ".join(
            f"{parameter} p = {value:.2g}"
            for parameter, value in zip(rows["parameter"], rows["p"], strict=True)
        )
        what = "differs between the groups" if key == "contrast" else "goes with the score"
        here = (table[key] == name) & (table["arm"] == arm) & (table["metric"] == CALIBRATED)
        here &= (table["desc"] == desc) & (table["atlas"] == atlas) & table["p"].notna()
        reason[np.flatnonzero(here)] = (
            f"{TOLD}{what} ({p}): this may be caudate, putamen or pallidum"
        )
    return table.assign(reason=reason)
