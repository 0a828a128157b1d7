"""The study's reported findings beside the same cells of this cohort."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..figures.cells import Cell, one_variant, result_of
from ..figures.wording import (
    FAMILY_LABELS,
    format_coefficient,
    format_p,
    format_probability,
    metric,
    region_label,
    score_name,
)
from ..statistics.study_findings import FINDINGS, Finding

HEADER = [
    "Reported finding", "Measured here as", "Reported", "n", "Effect [95 % CI]", "p", "adj. p",
    "q", "This cohort",
]  # fmt: skip


def findings_table(tests: pd.DataFrame, correlations: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first: what the study reports, and what this cohort shows.

    ``tests`` and ``correlations`` are the group tables. A finding whose contrast or score this
    config does not have is left out; one without a named region is answered by the region of
    smallest p, and how many reach .05.
    """
    tests, correlations = one_variant(tests), one_variant(correlations)
    rows = [HEADER]
    for finding in FINDINGS:
        if finding.kind == "contrast":
            table = tests[tests["contrast"] == finding.names]
        else:
            table = correlations[correlations["score"] == finding.names]
        if not table.empty:
            rows.append(_row(finding, table))
    return rows


def _row(finding: Finding, table: pd.DataFrame) -> list[str]:
    is_contrast = finding.kind == "contrast"
    reported = format_p(finding.p)
    if finding.rho is not None:
        reported = f"ρ = {format_coefficient(finding.rho)}, {reported}"
    region, hemisphere, remark = finding.region, finding.hemisphere, ""
    if region is None:
        cells = table[(table["metric"] == finding.metric) & (table["arm"] == "replication")]
        cells = cells.dropna(subset=["p"]).sort_values("p", kind="stable")
        if cells.empty:
            return [_claim(finding), metric(finding.metric).label, reported, *["n/a"] * 6]
        region, hemisphere = cells.iloc[0][["region", "hemisphere"]]
        passed = int((cells["p"] < 0.05).sum())
        remark = f"no region named: smallest p of {len(cells)}, {passed} below .05; "
    cell = Cell(finding.family, finding.metric, str(region), str(hemisphere))
    raw, adjusted = result_of(table, cell, "replication"), result_of(table, cell, "rigorous")
    measured = f"{metric(finding.metric).label}, {region_label(cell.region, cell.hemisphere)}"
    if raw is None:
        return [_claim(finding), measured, reported, *["n/a"] * 5, "not measured"]
    effect = raw["effect"] if is_contrast else raw["rho"]
    n = f"{raw['n_1']:.0f} + {raw['n_2']:.0f}" if is_contrast else f"{raw['n']:.0f}"
    return [
        _claim(finding), measured, reported, n, _effect("δ" if is_contrast else "ρ", effect, raw),
        format_probability(raw["p"]),
        format_probability(adjusted["p"]) if adjusted is not None else "n/a",
        format_probability(adjusted["q"]) if adjusted is not None else "n/a",
        remark + _verdict(finding, effect, raw),
    ]  # fmt: skip


def _claim(finding: Finding) -> str:
    where = "a region not named"
    if finding.region is not None:
        where = region_label(finding.region, str(finding.hemisphere))
    family = FAMILY_LABELS[finding.family]
    if finding.kind == "contrast":
        return f"{family}, {where}: differs by {finding.names}"
    return f"{family}, {where}: correlates with {score_name(finding.names)}"


def _effect(symbol: str, effect: float, row: pd.Series) -> str:
    text = f"{symbol} = {format_coefficient(effect)}"
    if np.isfinite(row["ci_low"]) and np.isfinite(row["ci_high"]):
        low, high = format_coefficient(row["ci_low"]), format_coefficient(row["ci_high"])
        text += f" [{low}, {high}]"
    return text


def _verdict(finding: Finding, effect: float, row: Any) -> str:
    if not np.isfinite(row["p"]):
        return "not testable"
    strength = "p < .05" if row["p"] < 0.05 else "not significant"
    if finding.kind == "contrast":
        higher = row["level_1"] if effect > 0 else row["level_2"]
        return f"{higher} higher, {strength}"
    if finding.rho is None or effect == 0:
        return strength
    return f"{'same' if effect * finding.rho > 0 else 'opposite'} direction, {strength}"
