"""False-positive rates under permuted labels: a table per variant and atlas."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..figures.wording import format_probability, metric
from .region_table import telling_columns


def null_rates_tables(table: pd.DataFrame) -> list[dict[str, Any]]:
    """``name`` and ``rows`` (header first) of each: a metric a row, a contrast and arm a column.

    ``table`` is the table ``null_rates``. A metric that no region could be tested for is left
    out. ``name`` is empty where there is one variant and atlas.
    """
    which = telling_columns(table)
    found = []
    for kind, part in table.groupby(which or (lambda _: ""), sort=False):
        tested = part[part["n_cells"] > 0]
        questions = [
            (name, arm) for name in tested["contrast"].unique() for arm in tested["arm"].unique()
        ]
        header = ["Metric", "Regions", *(f"{name}, {arm}" for name, arm in questions)]
        rows = [
            [
                metric(name).label,
                f"{cells['n_cells'].max():.0f}",
                *(_rate(cells, *question) for question in questions),
            ]
            for name, cells in tested.groupby("metric", sort=False)
        ]
        if rows:
            found.append({"name": ", ".join(kind) if which else "", "rows": [header, *rows]})
    return found


def _rate(cells: pd.DataFrame, contrast: str, arm: str) -> str:
    row = cells[(cells["contrast"] == contrast) & (cells["arm"] == arm)]
    if row.empty:
        return "n/a"
    # a rate of 0 was counted, other than a p that cannot be 0
    rate, low, high = (
        "0" if row.iloc[0][key] <= 0 else format_probability(row.iloc[0][key])
        for key in ("rate", "rate_low", "rate_high")
    )
    return f"{rate} [{low}, {high}]"
