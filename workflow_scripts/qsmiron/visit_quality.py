"""What the visits of a participant differ in as scans: a change of χ may be a change of the scan.

The numbers of each visit stand in the quality table; here each is held against that of the
participant's other visits which comes nearest, so that of three visits only the odd one stands out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from .parameters import Parameters


class VisitParameters(Parameters):
    """When visits of a participant differ enough to be flagged."""

    noise_ratio: float = Field(1.5, gt=1, description="noise of the field, of one over another")
    sharpness_ratio: float = Field(
        1.4, gt=1, description="sharpness of T1w against GRE (motion), of one over another"
    )
    coverage: float = Field(0.1, gt=0, description="smallest coverage of a region (1)")
    reliable: float = Field(0.05, gt=0, description="reliable mask / brain mask (1)")
    volume_ratio: float = Field(1.05, gt=1, description="brain mask, of one over another")
    reference: float = Field(0.005, gt=0, description="mean of the reference region (ppm)")
    reference_ratio: float = Field(1.1, gt=1, description="volume of the reference, likewise")


class _Compared(NamedTuple):
    column: str
    words: str
    limit: str
    is_ratio: bool
    text: Callable[[float], str]


_COMPARED = (
    _Compared("field_noise", "field noise", "noise_ratio", True, lambda v: f"{1000 * v:.1f} ppb"),
    _Compared("gre_sharpness", "sharpness", "sharpness_ratio", True, lambda v: f"{v:.1f}"),
    _Compared("min_coverage", "least coverage", "coverage", False, lambda v: f"{v:.2f}"),
    _Compared("reliable_fraction", "reliable mask", "reliable", False, lambda v: f"{v:.0%}"),
    _Compared("brain_volume", "brain mask", "volume_ratio", True, lambda v: f"{v:.0f} mL"),
    _Compared(
        "reference_mean", "mean of the reference", "reference", False,
        lambda v: f"{1000 * v:.1f} ppb",
    ),
    _Compared(
        "reference_volume", "volume of the reference", "reference_ratio", True,
        lambda v: f"{v:.0f} mL",
    ),
    _Compared("field_strength", "field strength", "", False, lambda v: f"{v:g} T"),
    _Compared("n_echoes", "number of echoes", "", False, lambda v: f"{v:.0f}"),
)  # fmt: skip


def flag_visits(quality: pd.DataFrame, parameters: VisitParameters) -> pd.DataFrame:
    """The quality table with flags of what a visit differs in from the participant's others.

    ``quality`` has the columns of the table of that name; of one visit alone nothing is said.
    """
    found = {
        row: list(_differences(visits, row, parameters))
        for _, visits in quality.groupby(["participant_id", "desc"], sort=False)
        for row in visits.index
        if len(visits) > 1
    }
    if not any(found.values()):
        return quality
    flags = quality["flags"].astype(object)
    for row, new in found.items():
        before = [] if pd.isna(flags[row]) else [flags[row]]
        flags[row] = "; ".join([*before, *new]) or np.nan
    return quality.assign(flags=flags)


def _differences(visits: pd.DataFrame, row: object, parameters: VisitParameters) -> Iterator[str]:
    for column, words, limit, is_ratio, text in _COMPARED:
        values = pd.to_numeric(visits[column], errors="coerce").astype(float)
        own, others = values[row], values.drop(row).dropna()
        if not np.isfinite(own) or others.empty:
            continue
        usual = float(others.iloc[(others - own).abs().argmin()])
        largest = getattr(parameters, limit) if limit else 0.0
        if is_ratio:
            low, high = sorted((own, usual))
            differs = high > largest * low
        else:
            differs = abs(own - usual) > largest
        if differs:
            yield f"unlike the other visits: {words} {text(own)} against {text(usual)}"
