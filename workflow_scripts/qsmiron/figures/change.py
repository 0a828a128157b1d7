"""Figures of change over time: each participant's line, rates, and rates on the brain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..regions.label_table import Label
from ..statistics.change.scans import Scans
from ..statistics.multiplicity import PRIMARY_METRICS
from ..volumes import Volume
from .cells import Cell, one_variant, shown_rows
from .effects import Painted, agrees, draw_on_brain, known_labels, words_figure
from .slices import to_ras
from .style import (
    FAINT,
    INK,
    LEVEL_COLOURS,
    LEVEL_MARKERS,
    PAGE_WIDTH,
    PALETTE,
    fit_titles,
    paper_style,
)
from .wording import FAMILY_LABELS, abbreviated, format_p, metric, region_label

COLUMNS = 4
REGIONS = 14
REGION_LETTERS = 28
ALPHA = 0.05
PAINTED_METRICS = ("chi_mean", "chi_para_mean", "chi_dia_mean")
"""Metrics whose rates are painted on the brain: one bar of colours for all, in ppb."""


def question_term(rows: pd.DataFrame) -> str:
    """The term of a part's mixed model that figures are ordered by."""
    terms = list(rows.loc[rows["test"] == "mixed_model", "term"].unique())
    across = [term for term in terms if "×" in str(term)]
    return str((across or terms or [""])[0])


def rates_by_group(rows: pd.DataFrame) -> list[str]:
    """The terms of a part's mixed model that are rates of somebody."""
    terms = rows.loc[rows["test"] == "mixed_model", "term"].unique()
    return [str(term) for term in terms if str(term).startswith("time") and "×" not in str(term)]


# --- each participant's line ---------------------------------------------------------------------


def trajectories_figure(
    tests: pd.DataFrame, scans: Scans, groups: dict[str, list[str]], name: str
) -> tuple[Any, str, str]:
    """A panel per region: each participant's line over the months, and the groups' means by visit.

    Parameters
    ----------
    tests
        The ``change`` rows of one part and one variant.
    scans
        The scans of that variant.
    groups
        Participants by level, two of a contrast; one entry for everybody.
    name
        The contrast, or ``everybody``.

    Returns
    -------
    figure, title, caption
    """
    term = question_term(tests)
    rows = tests[(tests["test"] == "mixed_model") & (tests["term"] == term)]
    panels = [_cells(rows, family, one) for family, one in PRIMARY_METRICS.items()]
    with paper_style():
        figure = _draw_lines([cells for cells in panels if cells], rows, scans, groups)
    whose = " of each group" if len(groups) > 1 else ""
    caption = (
        f"{shown_rows(rows, tests)}A line per participant over the months since baseline. Thick: "
        f"means of the visits{whose} (by session, with standard errors). In each row the regions "
        f"of smallest p. p and q: mixed model, {term} (t with Satterthwaite's degrees of freedom; "
        "q over the regions of the metric)."
    )
    return figure, f"Change over time: {name}", caption


def _cells(rows: pd.DataFrame, family: str, measured: str) -> list[Cell]:
    tested = rows[(rows["metric"] == measured) & rows["p"].notna()]
    tested = tested.sort_values(["p", "region", "hemisphere"], kind="stable").head(COLUMNS)
    return [
        Cell(family, measured, str(region), str(side))
        for region, side in zip(tested["region"], tested["hemisphere"], strict=True)
    ]


def _draw_lines(
    panels: list[list[Cell]], rows: pd.DataFrame, scans: Scans, groups: dict[str, list[str]]
) -> Any:
    from matplotlib import pyplot as plt

    if not panels:
        return words_figure("no region could be tested")
    figure, grid = plt.subplots(
        len(panels), COLUMNS, figsize=(PAGE_WIDTH, 1.75 * len(panels) + 0.35), squeeze=False
    )
    titles = []
    for place, (line, cells) in enumerate(zip(grid, panels, strict=True)):
        for axes in line[len(cells) :]:
            axes.set_axis_off()
        for column, (axes, cell) in enumerate(zip(line, cells, strict=False)):
            _lines(axes, cell, scans, groups)
            found = _row_of(rows, cell)
            titles.append(axes.set_title(cell.title, pad=11.5, fontsize=7))
            axes.text(
                0.5, 1.03, f"{format_p(found['p'])}   {format_p(found['q'], 'q')}",
                transform=axes.transAxes, ha="center", va="bottom", fontsize=5.8,
            )  # fmt: skip
            if column == 0:
                axes.set_ylabel(
                    f"{FAMILY_LABELS[cell.family]}\n{metric(cell.metric).axis}", linespacing=1.5
                )
            if place == len(panels) - 1:
                axes.set_xlabel("Months since baseline")
    if len(groups) > 1:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right", ncols=2, fontsize=6.5)
    legend = 0.16 if len(groups) > 1 else 0
    figure.tight_layout(h_pad=1.0, w_pad=0.7, rect=(0, 0, 1, 1 - legend / figure.get_figheight()))
    fit_titles(titles, PAGE_WIDTH / COLUMNS)
    return figure


def _row_of(rows: pd.DataFrame, cell: Cell) -> pd.Series:
    here = (rows["metric"] == cell.metric) & (rows["region"] == cell.region)
    return rows[here & (rows["hemisphere"] == cell.hemisphere)].iloc[0]


def _lines(axes: Any, cell: Cell, scans: Scans, groups: dict[str, list[str]]) -> None:
    index = scans.cells.index
    where = (index["metric"] == cell.metric) & (index["region"] == cell.region)
    column = int(np.flatnonzero(where & (index["hemisphere"] == cell.hemisphere))[0])
    values = scans.cells.values[:, column] * metric(cell.metric).factor
    colours = LEVEL_COLOURS if len(groups) > 1 else (PALETTE["green"],)
    for (level, people), colour, marker in zip(
        groups.items(), colours, LEVEL_MARKERS, strict=False
    ):
        for number in np.flatnonzero(scans.people.isin(people)):
            own = np.flatnonzero((scans.person == number) & np.isfinite(values))
            own = own[np.argsort(scans.time[own])]
            alone = {"marker": ".", "markersize": 2} if own.size == 1 else {}
            axes.plot(
                scans.time[own], values[own], color=colour, alpha=0.28, linewidth=0.6, **alone
            )
        here = scans.people.isin(people)[scans.person] & np.isfinite(values)
        table = pd.DataFrame({"t": scans.time[here], "v": values[here]})
        by_visit = table.groupby(scans.sessions[here])
        means, count = by_visit.mean(), by_visit["v"].count()
        error = by_visit["v"].std() / np.sqrt(count)
        order = np.argsort(means["t"].to_numpy())
        order = order[count.to_numpy()[order] > 1]
        label = f"{abbreviated(level, 30)} (n = {int(here_count(scans, here))})"
        axes.errorbar(
            means["t"].iloc[order], means["v"].iloc[order], error.iloc[order], color=colour,
            linewidth=1.6, marker=marker, markersize=4, markeredgecolor="white", capsize=0,
            markeredgewidth=0.5, zorder=5, label=label,
        )  # fmt: skip
    axes.locator_params(axis="both", nbins=5)
    axes.margins(0.05)


def here_count(scans: Scans, here: np.ndarray) -> int:
    """Participants of some scans."""
    return len(np.unique(scans.person[here]))


# --- rates with intervals ------------------------------------------------------------------------


def rates_figure(tests: pd.DataFrame, name: str) -> tuple[Any, str, str]:
    """A panel per outcome family: rates of the regions with their 95 % intervals.

    ``tests`` are the ``change`` rows of one part and variant.

    Returns
    -------
    figure, title, caption
    """
    term = question_term(tests)
    shown = rates_by_group(tests)
    with paper_style():
        figure = _draw_rates(tests, term, shown)
    caption = (
        f"{shown_rows(tests, tests)}Mean rates of change with 95 % intervals, by mixed models of "
        f"all scans (t, Satterthwaite's degrees of freedom). The {REGIONS} regions of smallest p "
        f"({term}), in order of its estimate; filled: its p < .05, a square: q < .05 over all "
        "regions. The largest of many rates are overestimated."
    )
    return figure, f"Rates of change: {name}", caption


def _draw_rates(tests: pd.DataFrame, term: str, shown: list[str]) -> Any:
    from matplotlib import pyplot as plt

    known = [
        (family, one) for family, one in PRIMARY_METRICS.items() if (tests["metric"] == one).any()
    ]
    if not known:
        return words_figure("no region could be tested")
    n_columns = min(2, len(known))
    n_rows = math.ceil(len(known) / n_columns)
    legend = 0.15 if len(shown) > 1 else 0
    size = (PAGE_WIDTH * n_columns / 2, n_rows * (0.148 * REGIONS + 0.62) + legend)
    figure, grid = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
    for axes in grid.flat[len(known) :]:
        axes.set_axis_off()
    for axes, (family, measured) in zip(grid.flat, known, strict=False):
        rows = tests[(tests["test"] == "mixed_model") & (tests["metric"] == measured)]
        _rates_panel(axes, rows, term, shown)
        axes.set_title(f"{FAMILY_LABELS[family]}: {metric(measured).label}", loc="left")
        per = str(rows["unit"].dropna().iloc[0]).partition("/")[2] if len(rows) else ""
        axes.set_xlabel(f"{metric(measured).unit or '1'} per {per.split(' ')[0].split('/')[-1]}")
    if len(shown) > 1:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right", ncols=2, fontsize=6.5)
    figure.tight_layout(w_pad=1.2, h_pad=1.0, rect=(0, 0, 1, 1 - legend / figure.get_figheight()))
    return figure


def _rates_panel(axes: Any, rows: pd.DataFrame, term: str, shown: list[str]) -> None:
    where = ["region", "hemisphere"]
    asked = rows[(rows["term"] == term) & rows["p"].notna()]
    asked = asked.sort_values(["p", *where], kind="stable").head(REGIONS)
    asked = asked.sort_values(["effect", *where], kind="stable")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.7, max(len(asked), 1) - 0.3)
    axes.axvline(0, color=FAINT, linewidth=0.7, zorder=0)
    colours = LEVEL_COLOURS if len(shown) > 1 else (INK,)
    offsets = (0.17, -0.17) if len(shown) > 1 else (0.0,)
    for one, colour, offset, marker in zip(shown, colours, offsets, LEVEL_MARKERS, strict=False):
        own = rows[rows["term"] == one].set_index(where)
        for place, (_, row) in enumerate(asked.iterrows()):
            rate = own.loc[(row["region"], row["hemisphere"])]
            factor = metric(str(row["metric"])).factor
            height = place + offset
            ends = [factor * rate["ci_low"], factor * rate["ci_high"]]
            axes.plot(ends, [height] * 2, color=colour, linewidth=1.0)
            axes.plot(
                [factor * rate["effect"]], [height], "s" if row["q"] < ALPHA else marker,
                color=colour, markersize=3.6, markeredgewidth=0.8,
                markerfacecolor=colour if row["p"] < ALPHA else "white",
                label=one if place == 0 else None,
            )  # fmt: skip
    names = [
        abbreviated(region_label(row["region"], row["hemisphere"]), REGION_LETTERS)
        for _, row in asked.iterrows()
    ]
    axes.set_yticks(range(len(asked)), names, fontsize=6.2)
    axes.locator_params(axis="x", nbins=5)


# --- rates on the brain --------------------------------------------------------------------------


def rates_on_brain_figure(
    tests: pd.DataFrame,
    name: str,
    template: Volume,
    atlas: Volume,
    labels: Sequence[Label],
    atlas_name: str | None = None,
) -> tuple[Any, str, str]:
    """Atlas regions on template slices, coloured by the rate, or by how the groups' rates differ.

    Arguments as in :func:`.effects.effects_figure`; ``tests`` are the ``change`` rows of one part.

    Returns
    -------
    figure, title, caption
    """
    title = f"Rates over the brain: {name}"
    term = question_term(tests)
    rows = tests[(tests["test"] == "mixed_model") & (tests["term"] == term)]
    own = one_variant(rows if atlas_name is None else rows[rows["atlas"] == atlas_name])
    painted = own[np.array(agrees(own, known_labels(atlas, labels)), dtype=bool)]
    shown = [one for one in PAINTED_METRICS if (painted["metric"] == one).any()]
    if not shown:
        words = "Nothing is painted: there is no label image of the regions of the table."
        with paper_style():
            return words_figure(words), title, words
    per = str(painted["unit"].dropna().iloc[0]).partition("/")[2].split(" ")[0]
    table = painted[painted["metric"].isin(shown)]
    table = pd.concat(
        [
            table.assign(arm="replication", effect=1000 * table["effect"]),
            table.assign(arm="rigorous", effect=1000 * table["effect"]),
        ]
    )
    high, low = "rising", "falling"
    if "×" in term:
        first, second = term.partition("(")[2].rstrip(")").split(" − ")
        high, low = (
            f"{abbreviated(first, 30)} rising more",
            f"{abbreviated(second, 30)} rising more",
        )
    what = Painted(f"ppb per {per}", low, high, step=0.5, least=0.5, decimals=2)
    with paper_style():
        figure = draw_on_brain(table, shown, to_ras(template), to_ras(atlas), what)
    caption = (
        f"{shown_rows(own, tests)}{term}: estimate of the mixed model in each region, on the "
        "template; one row per metric. Outlined: p < .05 uncorrected; outlined twice as thick: q < "
        ".05 over the regions. Left of the picture is the patient's left; coordinates are template "
        "mm."
    )
    return figure, title, caption
