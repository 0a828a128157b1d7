"""Headline findings: the cells whose result is looked at under other choices and patients.

They are the cells in which the study reports a finding, and of every contrast or score the one
that is this cohort's own strongest, by the rigorous arm's p of the primary metrics; beside it the
strongest of χ⁺ and χ⁻, which hang on choices that no other finding does.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from ..regions.metrics import SOURCE_FAMILIES
from .multiplicity import COPIES, PRIMARY_METRICS
from .study_findings import Finding, findings_of


class Headline(NamedTuple):
    """A region of one side, an outcome family and its primary metric, by contrast or score.

    ``origin`` is ``study`` where the study reports a finding there, ``cohort`` where it is this
    cohort's strongest, ``both`` where it is either.
    """

    kind: str
    name: str
    family: str
    metric: str
    region: str
    hemisphere: str
    index: int
    origin: str


def headlines(tests: pd.DataFrame, kind: str, name: str) -> list[Headline]:
    """The headline findings of one contrast or score.

    Parameters
    ----------
    tests
        Rows of one variant and atlas of its ``group_tests`` or ``correlations`` table.
    kind, name
        ``contrast`` or ``score``, and its name in the config.
    """
    rows = tests[(tests["arm"] == "rigorous") & tests["p"].notna()]
    rows = rows[rows["metric"].isin(PRIMARY_METRICS.values())]
    rows = rows.sort_values(["p", "metric", "region", "hemisphere"], kind="stable")
    if rows.empty:
        return []
    own = rows[~rows["metric"].isin(COPIES)]
    of_sources = own[own["family"].isin(SOURCE_FAMILIES)]
    strongest = [int((rows if own.empty else own).index[0]), *map(int, of_sources.index[:1])]
    found: dict[int, str] = {}
    for finding in findings_of(kind, name):
        row = _row_of(finding, rows)
        if row is not None:
            found[row] = "study"
    for row in dict.fromkeys(strongest):
        found[row] = "both" if row in found else "cohort"
    return [
        Headline(
            kind,
            name,
            *rows.loc[row, ["family", "metric", "region", "hemisphere"]],
            int(rows.loc[row, "index"]),
            origin,
        )
        for row, origin in found.items()
    ]


def _row_of(finding: Finding, rows: pd.DataFrame) -> int | None:
    """The cell of a reported finding; where no region is named, the one of smallest p."""
    rows = rows[rows["metric"] == finding.metric]
    if finding.region is not None:
        there = (rows["region"] == finding.region) & (rows["hemisphere"] == finding.hemisphere)
        rows = rows[there]
    return None if rows.empty else int(rows.index[0])
