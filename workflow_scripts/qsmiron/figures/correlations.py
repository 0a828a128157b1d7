"""Correlation scatters: a regional metric against a clinical score, with fit and band."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..statistics.multiplicity import DISTINCT_PRIMARY
from .cells import Cell, annotation, choose_cells, one_variant
from .distributions import values_of
from .remarks import remarks
from .style import FAINT, INK, PAGE_WIDTH, PALETTE, fit_titles, paper_style
from .wording import FAMILY_LABELS, metric, score_label

COLUMNS = 4


def correlations_figure(
    regions: pd.DataFrame, correlations: pd.DataFrame, scores: pd.Series, score: str
) -> tuple[Any, str, str]:
    """Draw one row of scatters per outcome family: the study's regions, then smallest p.

    Tables are ``regions`` and ``correlations``; ``scores`` holds the score called ``score`` by
    participant_id.

    Returns
    -------
    figure, title, caption
    """
    correlations = one_variant(correlations[correlations["score"] == score])
    regions = one_variant(regions)
    scores = scores.dropna()
    rows = [
        choose_cells(correlations, "score", score, family, name, COLUMNS)
        for family, name in DISTINCT_PRIMARY.items()
    ]
    with paper_style():
        figure = _draw([cells for cells in rows if cells], regions, correlations, scores, score)
    caption = (
        f"Every point is a participant with a value of {score_label(score)} (n = {len(scores)}). "
        "Line: least-squares fit with its 95 % bootstrap band, as a guide to the eye; the "
        "statistics are rank based. ★ regions in which the study reports a finding for this "
        "family; the precentral cortex comes first in the last two families, where other studies "
        "look; the others are those of smallest p. p, ρ: Spearman, uncorrected; adj. p: partial "
        "Spearman with covariates; q: Benjamini-Hochberg over all regions of the family."
    )
    return (
        figure,
        f"Regional iron and {score_label(score)}",
        caption + remarks(correlations, DISTINCT_PRIMARY.values()),
    )


def _draw(
    rows: list[list[Cell]],
    regions: pd.DataFrame,
    correlations: pd.DataFrame,
    scores: pd.Series,
    score: str,
) -> Any:
    from matplotlib import pyplot as plt

    if not rows:
        figure, axes = plt.subplots(figsize=(PAGE_WIDTH, 1.2))
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no region could be tested", ha="center", va="center", color=FAINT)
        return figure
    figure, grid = plt.subplots(
        len(rows), COLUMNS, figsize=(PAGE_WIDTH, 1.95 * len(rows) + 0.25), squeeze=False
    )
    titles = []
    for place, (row, cells) in enumerate(zip(grid, rows, strict=True)):
        for axes in row[len(cells) :]:
            axes.set_axis_off()
        for column, (axes, cell) in enumerate(zip(row, cells, strict=False)):
            values = values_of(regions, cell)
            ids = [who for who in scores.index if who in values.index]
            _scatter(axes, scores[ids].to_numpy(), values[ids].to_numpy())
            titles.append(axes.set_title(cell.title, pad=20.5, fontsize=7))
            axes.text(
                0.5, 1.03, annotation(correlations, cell, "rho", "ρ", len(ids)),
                transform=axes.transAxes, ha="center", va="bottom", fontsize=5.8, linespacing=1.25,
            )  # fmt: skip
            if column == 0:
                axes.set_ylabel(
                    f"{FAMILY_LABELS[cell.family]}\n{metric(cell.metric).axis}", linespacing=1.5
                )
            if place == len(rows) - 1 or column >= len(rows[place + 1]):
                axes.set_xlabel(score_label(score))
    figure.tight_layout(h_pad=1.1, w_pad=0.7)
    fit_titles(titles, PAGE_WIDTH / COLUMNS)
    return figure


def _scatter(axes: Any, x: np.ndarray, y: np.ndarray) -> None:
    import seaborn

    points = {"s": 10, "color": INK, "alpha": 0.75, "linewidths": 0.3, "edgecolors": "white"}
    seaborn.regplot(
        x=x, y=y, ax=axes, fit_reg=len(x) > 2 and np.ptp(x) > 0, seed=1, truncate=True,
        scatter_kws={**points, "zorder": 3, "gid": "points"},
        line_kws={"color": PALETTE["green"], "linewidth": 1.3},
    )  # fmt: skip
    axes.locator_params(axis="both", nbins=5)
    axes.margins(0.06)
