"""How many cells of the primary metrics pass, per question: whether there is more than chance."""

from __future__ import annotations

import pandas as pd

from ..figures.wording import score_name
from ..statistics.multiplicity import DISTINCT_PRIMARY
from .region_table import WHICH, telling_columns

SETS = list(DISTINCT_PRIMARY.values())
"""Primary metrics with a correction set of their own: a copy has another's test."""

COUNTS = ["Cells", "p < .05", "by chance", "adj. p < .05", "q < .05", "p max-T < .05"]


def headline_table(tests: pd.DataFrame, correlations: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without any test.

    Of several variants and atlases, each by itself: q corrects over the regions of one.
    """
    counted: list[tuple[tuple[str, ...], list[str]]] = []
    which = sorted(
        {*telling_columns(tests), *telling_columns(correlations)},
        key=[key for key, _, _ in WHICH].index,
    )
    for table, key in ((tests, "contrast"), (correlations, "score")):
        for (name, *kind), rows in table.groupby([key, *which], sort=False):
            question = score_name(name) if key == "score" else f"{name[:1].upper()}{name[1:]}"
            counted.append((tuple(map(str, kind)), [question, *_counts(rows)]))
    if not counted:
        return []
    kinds = list(dict.fromkeys(kind for kind, _ in counted))
    counted.sort(key=lambda row: kinds.index(row[0]))
    header = [*(label for key, label, _ in WHICH if key in which), "Contrast or score", *COUNTS]
    return [header, *([*kind, *row] for kind, row in counted)]


def count_sets(tests: pd.DataFrame, correlations: pd.DataFrame) -> int:
    """How many correction sets of primary metrics there are: q and p max-T correct within one."""
    return sum(
        table[
            (table["arm"] == "rigorous")
            & table["metric"].isin(SETS)
            & table["p"].notna()
        ].groupby([key, "desc", "atlas", "metric"], dropna=False).ngroups
        for table, key in ((tests, "contrast"), (correlations, "score"))
    )  # fmt: skip


def _counts(rows: pd.DataFrame) -> list[str]:
    primary = rows[rows["metric"].isin(SETS)]
    raw = primary[primary["arm"] == "replication"]
    adjusted = primary[primary["arm"] == "rigorous"]
    tested = int(raw["p"].notna().sum())
    return [
        f"{tested}",
        _passing(raw["p"]),
        f"{0.05 * tested:.1f}",
        *(_passing(adjusted[key]) for key in ("p", "q", "p_maxt")),
    ]


def _passing(p: pd.Series) -> str:
    """How many are below .05; n/a where nothing could be tested."""
    return f"{int((p < 0.05).sum())}" if p.notna().any() else "n/a"
