"""Group distributions: every patient as a point, box, p and q, for the primary metrics."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..statistics.multiplicity import DISTINCT_PRIMARY
from .cells import Cell, annotation, choose_cells, one_variant
from .contrast_groups import Groups
from .remarks import remarks
from .style import FAINT, INK, LEVEL_COLOURS, LEVEL_MARKERS, PAGE_WIDTH, fit_titles, paper_style
from .wording import FAMILY_LABELS, metric, shown_values

COLUMNS = 5


def distributions_figure(
    regions: pd.DataFrame,
    tests: pd.DataFrame,
    groups: Groups,
    contrast: str,
) -> tuple[Any, str, str]:
    """Draw one row of panels per outcome family: the study's regions, then those of smallest p.

    Parameters
    ----------
    regions, tests
        The ``regions`` and ``group_tests`` tables.
    groups
        Level → its participants, from :func:`~qsmiron.figures.contrast_groups.members`.
    contrast
        Name of the contrast.

    Returns
    -------
    figure, title, caption
    """
    tests = one_variant(tests[tests["contrast"] == contrast])
    regions = one_variant(regions)
    rows = [
        choose_cells(tests, "contrast", contrast, family, name, COLUMNS)
        for family, name in DISTINCT_PRIMARY.items()
    ]
    rows = [cells for cells in rows if cells]
    first, second = groups
    title = f"Regional iron by {contrast}: {first} against {second}"
    with paper_style():
        figure = _draw(rows, regions, tests, groups)
    caption = (
        f"Every point is a participant; box: median and quartiles, whiskers to 1.5 × IQR. One row "
        f"per outcome family with its primary metric; {first} (n = {len(groups[first])}) and "
        f"{second} (n = {len(groups[second])}). ★ regions in which the study reports a finding for "
        "this family; the precentral cortex comes first in the last two families, where other "
        "studies look; the others are those of smallest p. p: Mann-Whitney, uncorrected; δ: "
        f"Cliff's δ, positive where {first} is higher; adj. p: rank ANCOVA with covariates; q: "
        "Benjamini-Hochberg over all regions of the family."
    )
    return figure, title, caption + remarks(tests, DISTINCT_PRIMARY.values())


def _draw(
    rows: list[list[Cell]],
    regions: pd.DataFrame,
    tests: pd.DataFrame,
    groups: Groups,
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
    for row, cells in zip(grid, rows, strict=True):
        for axes in row[len(cells) :]:
            axes.set_axis_off()
        for column, (axes, cell) in enumerate(zip(row, cells, strict=False)):
            values = values_of(regions, cell)
            draw_groups(axes, values, groups, cell.metric)
            titles.append(axes.set_title(cell.title, pad=20.5, fontsize=7))
            axes.text(
                0.5, 1.03, annotation(tests, cell, "effect", "δ"), transform=axes.transAxes,
                ha="center", va="bottom", fontsize=5.8, linespacing=1.25,
            )  # fmt: skip
            if column == 0:
                axes.set_ylabel(
                    f"{FAMILY_LABELS[cell.family]}\n{metric(cell.metric).axis}", linespacing=1.5
                )
    figure.tight_layout(h_pad=1.1, w_pad=0.7)
    # tick labels of any row may leave its panels less than their share of the page
    step = grid[0, 1].get_position().x0 - grid[0, 0].get_position().x0
    fit_titles(titles, PAGE_WIDTH * step)
    return figure


def values_of(regions: pd.DataFrame, cell: Cell) -> pd.Series:
    """participant_id → value of a cell, in the unit that is shown; missing values dropped."""
    rows = regions[
        (regions["metric"] == cell.metric)
        & (regions["region"] == cell.region)
        & (regions["hemisphere"] == cell.hemisphere)
    ]
    values = pd.Series(
        shown_values(cell.metric, rows["value"]), index=rows["participant_id"].to_numpy()
    )
    return values[~values.index.duplicated()].dropna()


def draw_groups(axes: Any, values: pd.Series, groups: Groups, name: str) -> None:
    """Box and points of each group on ``axes``; the tick labels carry n."""
    labels = []
    for place, (level, ids) in enumerate(groups.items()):
        shown = values.reindex(ids).dropna()
        labels.append(f"{level}\nn = {len(shown)}")
        if shown.empty:
            continue
        colour = LEVEL_COLOURS[place]
        line = {"color": INK, "linewidth": 0.7}
        axes.boxplot(
            shown.to_numpy(), positions=[place], widths=0.55, showfliers=False,
            patch_artist=True, boxprops={"facecolor": colour + "40", "edgecolor": colour},
            medianprops={"color": INK, "linewidth": 1.4}, whiskerprops=line, capprops=line,
        )  # fmt: skip
        axes.scatter(
            place + beeswarm(shown.to_numpy(), span=_span(values)), shown.to_numpy(), s=9,
            color=colour, marker=LEVEL_MARKERS[place], linewidths=0.3, edgecolors="white",
            zorder=3, gid=f"points-{name}-{level}",
        )  # fmt: skip
    axes.set_xticks(range(len(labels)), labels, fontsize=6)
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.set_xlabel("")
    axes.set_ylabel("")
    axes.margins(y=0.08)
    axes.locator_params(axis="y", nbins=5)


def _span(values: pd.Series) -> float:
    return float(values.max() - values.min()) or 1.0


def beeswarm(values: Any, span: float, height: float = 0.055, step: float = 0.105) -> Any:
    """Sideways offsets that keep points of similar ``values`` (n,) apart; deterministic.

    Each point, from the smallest value up, takes the free place nearest to the middle; two
    points collide when they are closer than ``height`` × ``span`` in value and ``step`` aside.
    (seaborn's swarmplot lays out anew at every draw: 18 s for a page of these.)
    """
    import numpy as np

    values = np.asarray(values, float)
    places = step * np.array([0, 1, -1, 2, -2, 3, -3, 4, -4])
    offsets = np.zeros(len(values))
    done: list[int] = []
    for number, point in enumerate(np.argsort(values, kind="stable")):
        near = [other for other in done if values[point] - values[other] < height * span]
        taken = {round(float(offsets[other]), 4) for other in near}
        # sides take turns, so that the swarm does not lean
        ordered = places if number % 2 else -places
        free = [place for place in ordered if round(float(place), 4) not in taken]
        offsets[point] = free[0] if free else places[len(near) % len(places)]
        done.append(int(point))
    return offsets
