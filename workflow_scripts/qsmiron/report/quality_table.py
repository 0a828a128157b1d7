"""What was measured of each scan, as the report shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

QUALITY_SHOWN: dict[str, tuple[str, Callable[[float], str]]] = {
    "brain_volume": ("Brain (mL)", "{:.0f}".format),
    "reliable_fraction": ("Reliable (%)", lambda value: f"{100 * value:.0f}"),
    "reference_mean": ("Reference mean (ppb)", lambda value: f"{1000 * value:.1f}"),
    "reference_sd": ("Reference SD (ppb)", lambda value: f"{1000 * value:.0f}"),
    "registration_similarity": ("T1w–template r", "{:.2f}".format),
    "gre_sharpness": ("T1w–GRE MI, over that 6 mm off", "{:.1f}".format),
    "brain_overlap": ("Brain overlap", "{:.2f}".format),
    "jacobian_min": ("Jacobian min", "{:.2f}".format),
    "jacobian_max": ("Jacobian max", "{:.2f}".format),
    "min_coverage": ("Least coverage (%)", lambda value: f"{100 * value:.0f}"),
    "volume_outliers": ("Odd volumes", "{:.0f}".format),
    "pallidum_chi": ("Pallidum χ (ppb)", lambda value: f"{1000 * value:.0f}"),
}
"""Columns of the quality table that the report shows, their headings and formats."""

MOST_QUALITY_ROWS = 400


def quality_table(table: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without scans. ``table`` is the table ``quality``."""
    if table.empty:
        return []
    keys = [key for key in QUALITY_SHOWN if table[key].notna().any()]
    several = bool(table["session"].notna().any())
    variants = table["desc"].nunique() > 1
    origins = table["labels_source"].nunique() > 1
    makers = table["chi_source"].nunique() > 1
    rows = [
        ["Participant", *(["Session"] * several), *(["Variant"] * variants), "Used",
         *(["χ from"] * makers), *(["Labels"] * origins),
         *(QUALITY_SHOWN[key][0] for key in keys), "Flags"]
    ]  # fmt: skip
    # flagged subjects stay even in a cohort too large to list
    shown = table if len(table) <= MOST_QUALITY_ROWS else table[table["flags"].notna()]
    for _, row in shown.iterrows():
        values = (
            QUALITY_SHOWN[key][1](row[key]).replace("-", "−") if pd.notna(row[key]) else "n/a"
            for key in keys
        )
        names = [row["participant_id"]]
        names += [_text(row["session"])] * several + [_text(row["desc"])] * variants
        rows.append(
            [
                *names,
                _text(row["used"]),
                *[_text(row["chi_source"])] * makers,
                *[_text(row["labels_source"])] * origins,
                *values,
                _text(row["flags"]),
            ]
        )
    return rows


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
