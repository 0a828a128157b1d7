"""What rows of calibrated iron are told where calibrations differ, and how that is found again."""

from __future__ import annotations

import pandas as pd

CALIBRATED = "iron_calibrated"
TOLD = "the calibration "
"""How such a reason begins."""


def told_of(table: pd.DataFrame) -> str:
    """What rows of calibrated iron were told, of the rigorous arm before the other; else empty."""
    rows = table[(table["metric"] == CALIBRATED) & table["reason"].notna()]
    rows = rows[rows["reason"].str.startswith(TOLD)].sort_values("arm", ascending=False)
    return "" if rows.empty else str(rows["reason"].iloc[0])
