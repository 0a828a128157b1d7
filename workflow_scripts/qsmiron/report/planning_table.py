"""How many participants a study would need, by this cohort's variance: the middle of regions."""

from __future__ import annotations

import pandas as pd

from ..figures.cells import one_variant
from ..figures.wording import PPB_PER_PPM, metric

HEADER = [
    "Outcome", "Residual SD (ppb)", "Difference (ppb)", "Per group, one test",
    "Per group, corrected", "Regions",
]  # fmt: skip


def planning_table(planning: pd.DataFrame) -> list[list[str]]:
    """A row per metric and difference, header first: medians (quartiles) over regions."""
    table = one_variant(planning)
    rows = []
    for (name, effect), part in table.groupby(["metric", "effect"], sort=False):
        rows.append(
            [
                metric(str(name)).label,
                _middle(part["residual_sd"] * PPB_PER_PPM, 1),
                f"{effect * PPB_PER_PPM:g}",
                _middle(part["n_per_group"]),
                _middle(part["n_per_group_corrected"]),
                f"{len(part)}",
            ]
        )
    return [HEADER, *rows] if rows else []


def _middle(values: pd.Series, digits: int = 0) -> str:
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
