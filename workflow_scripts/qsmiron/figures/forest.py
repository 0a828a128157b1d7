"""Forest plot: the largest effects of one contrast or score, with their intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from ..statistics.multiplicity import DISTINCT_PRIMARY
from ..statistics.study_findings import findings_of
from .cells import one_variant, shown_rows
from .remarks import remarks
from .style import FAINT, INK, PAGE_WIDTH, PALETTE, fit_titles, paper_style
from .wording import FAMILY_LABELS, abbreviated, metric, region_label, score_name

REGIONS = 14
"""Regions in a panel: those of a reported finding, and the largest effects."""

REGION_LETTERS = 28
"""Most letters of a region's name; the intervals need the rest of the panel."""

LEVEL_LETTERS = 36
"""Most letters of a level's name in the axis label."""

LINE_LETTERS = 46
"""Most letters of a line of the axis label that is made of several parts."""

_ROW_INCHES = 0.148
_LINE_INCHES = 0.11


def forest_figure(tests: pd.DataFrame, kind: str, name: str) -> tuple[Any, str, str]:
    """Draw a panel per outcome family with a test of its own, regions in order of effect.

    Parameters
    ----------
    tests
        The ``group_tests`` (``kind`` contrast) or ``correlations`` table (``kind`` score).
    kind, name
        ``contrast`` or ``score``, and its name in the config.

    Returns
    -------
    figure, title, caption
    """
    tests = tests[tests[kind] == name]
    rows = one_variant(tests).rename(columns={"rho": "effect"})
    with paper_style():
        figure = _draw(rows, kind, name)
    levels = rows[["level_1", "level_2"]].iloc[0].tolist() if kind == "contrast" else []
    effect = "Cliff's δ of residuals after the covariates" if levels else "partial ρ"
    what = name if levels else score_name(name)
    caption = (
        f"{shown_rows(rows, tests)}The {REGIONS} largest effects of each outcome family's primary "
        f"metric ({effect}, rigorous arm) with 95 % BCa bootstrap intervals; the small grey "
        "tick is the effect without covariates (replication arm). Filled: p < .05; a square: "
        "q < .05 over all regions. "
        + (f"Positive: {levels[0]} above {levels[1]}. " if levels else "")
        + "★: the study reports a finding there. The largest of many effects are overestimated."
    )
    return figure, f"Largest effects by {what}", caption + remarks(rows)


def _draw(rows: pd.DataFrame, kind: str, name: str) -> Any:
    from matplotlib import pyplot as plt

    label = _effect_label(rows, kind)
    height = _ROW_INCHES * REGIONS + 0.62 + _LINE_INCHES * label.count("\n")
    n_rows = math.ceil(len(DISTINCT_PRIMARY) / 2)
    figure, grid = plt.subplots(n_rows, 2, figsize=(PAGE_WIDTH, n_rows * height))
    limit = 0.0
    drawn = grid.flat[: len(DISTINCT_PRIMARY)]
    for axes in grid.flat[len(drawn) :]:
        axes.remove()
    for axes, (family, measured) in zip(drawn, DISTINCT_PRIMARY.items(), strict=True):
        limit = max(limit, _panel(axes, rows, kind, name, family, measured))
    for axes in drawn:
        axes.set_xlim(-limit, limit)
        axes.locator_params(axis="x", nbins=5)  # more run into each other
        axes.set_xlabel(label)
    figure.tight_layout(w_pad=1.2, h_pad=1.0)
    for axes, edge in zip(drawn, (0.5, 1.0) * n_rows, strict=False):
        title = axes.set_title(axes.get_title(loc="left"), loc="left")
        fit_titles([title], (edge - axes.get_position().x0) * PAGE_WIDTH)
    labels = [axes.xaxis.label for axes in drawn]
    fit_titles(labels, PAGE_WIDTH / 2)
    smallest = min(found.get_fontsize() for found in labels)
    for found in labels:
        found.set_fontsize(smallest)
    return figure


def _effect_label(rows: pd.DataFrame, kind: str) -> str:
    rigorous = rows[rows["arm"] == "rigorous"]
    if kind == "score":
        return f"ρ (partial), n = {_number(rigorous['n'])}"
    first, second = (
        abbreviated(str(level), LEVEL_LETTERS) for level in rows[["level_1", "level_2"]].iloc[0]
    )
    lines = ["Cliff's δ (adjusted),"]
    for part in (
        f"{first} (n = {_number(rigorous['n_1'])})",
        f"above {second} ({_number(rigorous['n_2'])})",
    ):
        if len(lines[-1]) + 1 + len(part) <= LINE_LETTERS:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return "\n".join(lines)


def _number(counts: pd.Series) -> str:
    """The largest number of subjects; regions that some lack have fewer."""
    return f"{counts.max():.0f}" if counts.notna().any() else "n/a"


def _panel(
    axes: Any, rows: pd.DataFrame, kind: str, name: str, family: str, measured: str
) -> float:
    """Draw one family; returns how far its axis has to reach."""
    axes.set_title(f"{FAMILY_LABELS[family]}: {metric(measured).label}", loc="left")
    shown = _chosen(rows[rows["metric"] == measured], kind, name, measured)
    axes.set_ylim(-0.7, max(len(shown), 1) - 0.3)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if shown.empty:
        axes.set_yticks([])
        axes.text(0, 0, "no test", ha="center", va="center", color=FAINT)
        return 0.2
    axes.axvline(0, color=FAINT, linewidth=0.7, zorder=0)
    for place, (_, row) in enumerate(shown.iterrows()):
        colour = PALETTE["vermilion"] if row["effect"] > 0 else PALETTE["blue"]
        if np.isfinite(row["ci_low"]):
            axes.plot([row["ci_low"], row["ci_high"]], [place] * 2, color=colour, linewidth=1.1)
        axes.plot(
            [row["effect"]], [place], "s" if row["q"] < 0.05 else "o", color=colour, markersize=4.2,
            markerfacecolor=colour if row["p"] < 0.05 else "white", markeredgewidth=0.8,
        )  # fmt: skip
        axes.plot([row["raw"]], [place], "|", color=INK, alpha=0.6, markersize=5, zorder=3)
    axes.set_yticks(range(len(shown)), [_label(row) for _, row in shown.iterrows()], fontsize=6.2)
    ends = shown[["ci_low", "ci_high", "effect", "raw"]].abs().max()
    return float(np.ceil(10 * ends.max()) / 10)


def _chosen(rows: pd.DataFrame, kind: str, name: str, measured: str) -> pd.DataFrame:
    """The rows shown, in order of effect, with ``raw``, the replication arm's effect."""
    where = ["region", "hemisphere"]
    adjusted = rows[(rows["arm"] == "rigorous") & rows["p"].notna()]
    raw = rows[rows["arm"] == "replication"].set_index(where)["effect"]
    adjusted = adjusted.join(raw.rename("raw"), on=where)
    reported = {
        (finding.region, finding.hemisphere)
        for finding in findings_of(kind, name)
        if finding.metric == measured
    }
    star = [pair in reported for pair in zip(*(adjusted[key] for key in where), strict=True)]
    adjusted = adjusted.assign(star=star, size=adjusted["effect"].abs())
    kept = adjusted.sort_values(["star", "size", *where], ascending=False, kind="stable")
    return kept.head(REGIONS).sort_values("effect", kind="stable")


def _label(row: pd.Series) -> str:
    name = abbreviated(region_label(row["region"], row["hemisphere"]), REGION_LETTERS)
    return name + (" ★" if row["star"] else "")
