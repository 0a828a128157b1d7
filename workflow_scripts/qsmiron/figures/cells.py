"""Which cells (region × hemisphere × metric) a figure shows, and what the tests say of them."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from ..statistics.study_findings import EXPECTED, findings_of
from .wording import format_coefficient, format_p, region_label

ARMS = ("replication", "rigorous")

VALUE_COLUMNS = (
    "participant_id", "session", "desc", "atlas", "region", "hemisphere", "metric", "value",
)  # fmt: skip
"""What the figures need of a regions table."""


class Cell(NamedTuple):
    """A region of one side and a metric; ``reported`` where the study reports a finding in it."""

    family: str
    metric: str
    region: str
    hemisphere: str
    reported: bool = False

    @property
    def title(self) -> str:
        """The region with its side, first letter upper-case; a star where the study reports it."""
        name = region_label(self.region, self.hemisphere)
        return name[:1].upper() + name[1:] + (" ★" if self.reported else "")


def one_variant(table: pd.DataFrame, desc: str = "main") -> pd.DataFrame:
    """The rows of one reconstruction variant and atlas: ``desc`` if there, else the first one."""
    if table.empty:
        return table
    found = list(table["desc"].dropna().unique())
    table = table[table["desc"] == (desc if desc in found else found[0])] if found else table
    atlases = list(table["atlas"].dropna().unique())
    return table[table["atlas"] == atlases[0]] if len(atlases) > 1 else table


def shown_rows(shown: pd.DataFrame, tests: pd.DataFrame) -> str:
    """``Atlas DK.``, or ``Atlas DK, variant main.`` where ``tests`` are of several variants.

    ``shown`` are the rows of ``tests`` that the figure shows; nothing is said of no row.
    """
    if shown.empty:
        return ""
    variant = f", variant {shown['desc'].iloc[0]}" if tests["desc"].nunique() > 1 else ""
    return f"Atlas {shown['atlas'].iloc[0]}{variant}. "


def choose_cells(
    tests: pd.DataFrame, kind: str, names: str, family: str, metric: str, count: int
) -> list[Cell]:
    """The cells that the study reports for this family, then those of smallest p, ``count`` in all.

    Where other studies name a region for the metric, it comes first.

    ``tests`` is a group_tests or correlations table of one variant; ranked by the replication
    arm's p where it has one.
    """
    rows = tests[(tests["metric"] == metric) & tests["p"].notna()]
    first_arm = rows[rows["arm"] == ARMS[0]]
    rows = (rows if first_arm.empty else first_arm).sort_values(
        ["p", "region", "hemisphere"], kind="stable"
    )
    there = set(zip(rows["region"], rows["hemisphere"], strict=True))
    cells = [
        Cell(family, metric, str(finding.region), str(finding.hemisphere), True)
        for finding in findings_of(kind, names)
        if finding.metric == metric and (finding.region, finding.hemisphere) in there
    ]
    expected = rows[rows["region"] == EXPECTED.get(metric)].sort_values("hemisphere")
    rows = pd.concat([expected, rows])
    taken = {(cell.region, cell.hemisphere) for cell in cells}
    for region, hemisphere in zip(rows["region"], rows["hemisphere"], strict=True):
        if (region, hemisphere) not in taken:
            cells.append(Cell(family, metric, region, hemisphere))
            taken.add((region, hemisphere))
    return cells[:count]


def result_of(tests: pd.DataFrame, cell: Cell, arm: str) -> pd.Series | None:
    """The row of ``cell`` in one arm; ``None`` without one."""
    rows = tests[
        (tests["arm"] == arm)
        & (tests["metric"] == cell.metric)
        & (tests["region"] == cell.region)
        & (tests["hemisphere"] == cell.hemisphere)
    ]
    return None if rows.empty else rows.iloc[0]


def annotation(
    tests: pd.DataFrame, cell: Cell, effect: str, symbol: str, n: int | None = None
) -> str:
    """Two lines: raw p with the effect of the replication arm; p and q of the rigorous arm."""
    lines = []
    raw = result_of(tests, cell, ARMS[0])
    if raw is not None:
        lines.append(f"{format_p(raw['p'])}   {symbol} = {format_coefficient(raw[effect])}")
        lines[0] += f"   n = {n}" if n is not None else ""
    adjusted = result_of(tests, cell, ARMS[1])
    if adjusted is not None:
        lines.append(f"{format_p(adjusted['p'], 'adj. p')}   {format_p(adjusted['q'], 'q')}")
    return "\n".join(lines)
