"""The sortable region tables: group tests and correlations as the page's script takes them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from ..figures.cells import one_variant
from ..figures.wording import (
    format_coefficient,
    format_probability,
    metric,
    region_name,
    score_name,
)
from ..statistics.multiplicity import PRIMARY_METRICS, role

COLUMNS: dict[str, list[tuple[str, str, str]]] = {
    # column of the table, heading, kind (how it is shown and sorted)
    "group_tests": [
        ("contrast", "Contrast", "text"),
        ("arm", "Arm", "text"),
        ("region", "Region", "text"),
        ("hemisphere", "Side", "text"),
        ("metric", "Metric", "text"),
        ("role", "Role", "text"),
        ("n", "n", "text"),
        ("effect", "Effect", "coefficient"),
        ("p", "p", "p"),
        ("q", "q", "p"),
        ("p_perm", "p perm.", "p"),
        ("p_maxt", "p max-T", "p"),
        ("ci_low", "CI low", "coefficient"),
        ("ci_high", "CI high", "coefficient"),
        ("hedges_g", "g", "coefficient"),
        ("median_1", "Median 1", "value"),
        ("median_2", "Median 2", "value"),
        ("reason", "Remark", "text"),
    ],
    "correlations": [
        ("score", "Score", "text"),
        ("arm", "Arm", "text"),
        ("region", "Region", "text"),
        ("hemisphere", "Side", "text"),
        ("metric", "Metric", "text"),
        ("role", "Role", "text"),
        ("n", "n", "text"),
        ("rho", "ρ", "coefficient"),
        ("p", "p", "p"),
        ("q", "q", "p"),
        ("p_perm", "p perm.", "p"),
        ("p_maxt", "p max-T", "p"),
        ("ci_low", "CI low", "coefficient"),
        ("ci_high", "CI high", "coefficient"),
        ("reason", "Remark", "text"),
    ],
}

FIRST_ROWS = 25

WHICH = [("desc", "Variant", "text"), ("atlas", "Atlas", "text")]
"""Columns that come first, and that the page filters by, where there are several of the kind."""


def region_table(table: pd.DataFrame, name: str) -> dict[str, Any]:
    """What the template and the script need of one table.

    ``json`` holds every row for the script; ``rows`` are the first ones, formatted, for readers
    without a script and for a page that is printed at once: the primary metrics in the
    replication arm, smallest p first. Columns without any value are left out. Of several
    variants and atlases the first rows show one (:func:`.cells.one_variant`), the script starts
    with that one, and a column tells them apart.
    """
    shown = _shown(table)
    telling = telling_columns(shown)
    which = [column for column in WHICH if column[0] in telling]
    columns = which + [column for column in COLUMNS[name] if shown[column[0]].notna().any()]
    shown = shown.sort_values("p", kind="stable", na_position="last")
    primary = shown["metric"].isin([metric(key).axis for key in PRIMARY_METRICS.values()])
    start = one_variant(table).iloc[:1]
    chosen = {key: str(start[key].iloc[0]) for key, _, _ in which}
    kept = primary & (shown["arm"] == "replication")
    for key, value in chosen.items():
        kept &= shown[key] == value
    first = shown[kept].head(FIRST_ROWS)
    payload = {
        "columns": [{"key": key, "label": label, "kind": kind} for key, label, kind in columns],
        "chosen": chosen,
        "primary": [metric(key).axis for key in PRIMARY_METRICS.values()],
        "rows": [
            [_plain(value) for value in row]
            for row in shown[[key for key, _, _ in columns]].itertuples(index=False, name=None)
        ],
    }
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return {
        "name": name,
        "columns": [label for _, label, _ in columns],
        "kinds": [kind for _, _, kind in columns],
        "rows": [
            [format_cell(row[key], kind) for key, _, kind in columns]
            for _, row in first.iterrows()
        ],
        "shown_of": ", ".join(chosen.values()),
        "total": len(shown),
        # escaped, so that no text of a table can end the script element
        "json": text.replace("<", "\\u003c"),
    }  # fmt: skip


def telling_columns(table: pd.DataFrame) -> list[str]:
    """The columns that tell variants and atlases apart, where there are several."""
    return [key for key, _, _ in WHICH if table[key].nunique() > 1]


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    shown = table.copy()
    shown["role"] = [role(*cell) for cell in zip(shown["family"], shown["metric"], strict=True)]
    factor = shown["metric"].map(lambda name: metric(name).factor)
    for key in ("median_1", "median_2"):
        if key in shown:
            shown[key] = pd.to_numeric(shown[key]) * factor
    shown["metric"] = shown["metric"].map(lambda name: metric(name).axis)
    shown["region"] = shown["region"].map(region_name)
    if "score" in shown:
        shown["score"] = shown["score"].map(score_name)
    if "n_1" in shown:
        shown["n"] = [f"{a:.0f} + {b:.0f}" for a, b in zip(shown["n_1"], shown["n_2"], strict=True)]
    else:
        shown["n"] = [f"{n:.0f}" for n in shown["n"]]
    return shown


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return None if value is None or value is pd.NA else str(value)


def format_cell(value: Any, kind: str) -> str:
    """A value as the table shows it."""
    if kind == "text":
        return "" if pd.isna(value) else str(value)
    if not np.isfinite(value):
        return ""
    if kind == "p":
        return format_probability(value)
    if kind == "coefficient":
        return format_coefficient(value)
    return f"{value:.3g}".replace("-", "−")
