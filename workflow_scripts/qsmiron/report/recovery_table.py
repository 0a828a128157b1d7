"""The demo's planted effects beside what came back through the whole workflow."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..figures.wording import PPB_PER_PPM, format_p, metric, region_label, score_name
from .region_table import telling_columns

SIGNS = {"yes": "same", "no": "opposite"}
HEADER = [
    "Effect", "Planted", "Recovered", "Ratio [95 % CI]", "Sign", "Net χ there [95 % CI]",
    "Assumption",
]  # fmt: skip


def recovery_table(table: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without planted effects. ``table``: ``recovery``."""
    if table.empty:
        return []
    rows = [HEADER]
    which = telling_columns(table)
    for _, row in table.iterrows():
        shown = metric(row["metric"])
        is_rho = row["measure"] == "rho"
        factor, unit = (1.0, "") if is_rho else (shown.factor, shown.unit)
        unit += "/year" if str(row["unit"]).endswith("/year") else ""
        question = row["contrast_or_score"]
        kind = ", ".join(str(row[key]) for key in which)
        rows.append(
            [
                f"{shown.label}, {region_label(row['region'], row['hemisphere'])}, "
                + (score_name(question) if is_rho else question)
                + f" ({kind})" * bool(kind),
                _signed(row["planted"] * factor, unit, is_rho),
                _signed(row["recovered"] * factor, unit, is_rho),
                f"{row['ratio']:.2f} [{row['ratio_low']:.2f}, {row['ratio_high']:.2f}]".replace(
                    "-", "−"
                ),
                SIGNS.get(row["same_sign"], "nothing planted"),
                _net(row),
                "" if pd.isna(row["assumption"]) else str(row["assumption"]),
            ]
        )
    return rows


def _net(row: pd.Series) -> str:
    """What net χ shows of an effect that is planted in one source."""
    if not np.isfinite(row.get("net", np.nan)):
        return ""
    low, high = (f"{PPB_PER_PPM * row[end]:.1f}" for end in ("net_low", "net_high"))
    text = f"{PPB_PER_PPM * row['net']:+.1f} ppb [{low}, {high}], {format_p(row['p_net'])}"
    return text.replace("-", "−")


def _signed(value: float, unit: str, is_rho: bool) -> str:
    if not np.isfinite(value):
        return "n/a"
    text = f"ρ = {value:.2f}".replace("0.", ".") if is_rho else f"{value:+.1f} {unit}"
    return text.replace("-", "−").strip()
