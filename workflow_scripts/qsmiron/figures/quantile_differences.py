"""Histograms of χ by group, and the difference between the groups' quantile functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .cells import ARMS, Cell, choose_cells, one_variant, result_of
from .contrast_groups import Groups
from .style import FAINT, INK, LEVEL_COLOURS, PAGE_WIDTH, PALETTE, fit_titles, paper_style
from .wording import PPB_PER_PPM, format_p

COLUMNS = 4
BOOTSTRAPS = 1000
CENTRED = "wasserstein_centred"


def quantiles_figure(
    quantiles: pd.DataFrame,
    tests: pd.DataFrame,
    groups: Groups,
    contrast: str,
    seed: int = 1,
) -> tuple[Any, str, str]:
    """Draw the mean χ histogram of each group above the shift curve, for the top regions.

    Parameters
    ----------
    quantiles, tests
        The ``quantiles`` and ``group_tests`` tables. Regions are chosen by the p of the centred
        whole-distribution test where it was made, else by that of the SD of χ.
    groups, contrast
        As for the group distributions.
    seed
        Of the bootstrap over subjects.

    Returns
    -------
    figure, title, caption
    """
    tests = one_variant(tests[tests["contrast"] == contrast])
    quantiles = one_variant(quantiles)
    described = quantiles[["region", "hemisphere"]].drop_duplicates()
    cells = _cells(tests.merge(described, on=["region", "hemisphere"]), contrast)
    first, second = groups
    with paper_style():
        figure = _draw(cells, quantiles, tests, groups, seed)
    caption = (
        f"Top: χ histogram in the region, mean over the participants of each group with ± 1 "
        f"standard error. Bottom: {first} − {second} difference of the mean quantile functions, "
        "with its pointwise 95 % bootstrap interval over participants; dashed: after each one's "
        "median is removed, so that a mere shift vanishes. ★ region in which the study reports a "
        "finding on "
        "the susceptibility distribution; the others are those of smallest p of the "
        "distribution family."
    )
    return figure, f"Susceptibility distributions by {contrast}: {first} against {second}", caption


def _cells(tests: pd.DataFrame, contrast: str) -> list[Cell]:
    """The study's regions for the distribution, then the top ones of the whole-distribution test.

    All carry the metric that ranked them.
    """
    tested = ((tests["metric"] == CENTRED) & tests["p"].notna()).any()
    name = CENTRED if tested else "chi_sd"
    reported = [
        cell
        for cell in choose_cells(tests, "contrast", contrast, "distribution", "chi_sd", COLUMNS)
        if cell.reported
    ]
    ranked = choose_cells(tests, "", "", "distribution", name, COLUMNS + len(reported))
    taken = {(cell.region, cell.hemisphere) for cell in reported}
    others = [cell for cell in ranked if (cell.region, cell.hemisphere) not in taken]
    return ([cell._replace(metric=name) for cell in reported] + others)[:COLUMNS]


def _draw(
    cells: list[Cell],
    quantiles: pd.DataFrame,
    tests: pd.DataFrame,
    groups: Groups,
    seed: int,
) -> Any:
    from matplotlib import pyplot as plt

    functions = [(cell, quantile_functions(quantiles, cell, groups)) for cell in cells]
    functions = [(cell, found) for cell, found in functions if found is not None]
    if not functions:
        figure, axes = plt.subplots(figsize=(PAGE_WIDTH, 1.2))
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no region could be tested", ha="center", va="center", color=FAINT)
        return figure
    figure, grid = plt.subplots(2, COLUMNS, figsize=(PAGE_WIDTH, 3.7), squeeze=False)
    for column in range(len(functions), COLUMNS):
        grid[0, column].set_axis_off()
        grid[1, column].set_axis_off()
    titles = []
    for column, (cell, (probabilities, curves)) in enumerate(functions):
        top, bottom = grid[:, column]
        _histogram(top, probabilities, curves, _limits(curves))
        _shift(bottom, probabilities, curves, seed)
        titles.append(top.set_title(cell.title, pad=11))
        top.text(0.5, 1.02, _test_text(tests, cell), transform=top.transAxes, fontsize=5.8,
                 ha="center", va="bottom")  # fmt: skip
    grid[0, 0].set_ylabel("Voxels (% per 10 ppb)")
    first, second = groups
    grid[1, 0].set_ylabel(f"{first} − {second} (ppb)")
    handles, names = grid[0, 0].get_legend_handles_labels()
    more, more_names = grid[1, 0].get_legend_handles_labels()
    figure.tight_layout(h_pad=1.0, w_pad=0.8, rect=(0, 0, 1, 0.95))
    fit_titles(titles, PAGE_WIDTH / COLUMNS)
    figure.legend(handles + more, names + more_names, loc="upper center", ncols=4,
                  bbox_to_anchor=(0.5, 1.0))  # fmt: skip
    return figure


def _test_text(tests: pd.DataFrame, cell: Cell) -> str:
    raw = result_of(tests, cell, ARMS[0])
    adjusted = result_of(tests, cell, ARMS[1])
    name = "W₁ centred" if cell.metric == CENTRED else "SD"
    parts = [f"{name}: {format_p(raw['p'])}"] if raw is not None else []
    if adjusted is not None:
        parts.append(format_p(adjusted["p"], "adj. p"))
    return ", ".join(parts)


def quantile_functions(
    quantiles: pd.DataFrame, cell: Cell, groups: Groups
) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
    """Probabilities (m,) and, per level, the subjects' quantile functions (n, m) in ppb.

    ``None`` where a group has no subject with a complete quantile function.
    """
    rows = quantiles[
        (quantiles["region"] == cell.region) & (quantiles["hemisphere"] == cell.hemisphere)
    ]
    wide = rows.pivot_table("chi", "participant_id", "probability").dropna() * PPB_PER_PPM
    curves = {
        level: wide.reindex([who for who in ids if who in wide.index]).to_numpy()
        for level, ids in groups.items()
    }
    if any(len(found) == 0 for found in curves.values()):
        return None
    return wide.columns.to_numpy(float), curves


def _limits(curves: dict[str, np.ndarray]) -> tuple[float, float]:
    ends = [np.median(curve[:, [0, -1]], axis=0) for curve in curves.values()]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    return 10 * np.floor(low / 10) - 10, 10 * np.ceil(high / 10) + 10


def densities(probabilities: np.ndarray, curves: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Density (% per 10 ppb) of each subject on ``grid`` (k,), from its quantile function (m,).

    The cumulative distribution is interpolated linearly and differenced over the grid, then
    smoothed with a Gaussian of 6 ppb, since the quantile function is coarse in the tails.
    """
    from scipy.ndimage import gaussian_filter1d

    step = grid[1] - grid[0]
    cumulative = np.stack(
        [np.interp(grid, curve, probabilities, left=0.0, right=1.0) for curve in curves]
    )
    return gaussian_filter1d(np.gradient(cumulative, step, axis=1), 6.0 / step, axis=1) * 1000.0


def _histogram(
    axes: Any,
    probabilities: np.ndarray,
    curves: dict[str, np.ndarray],
    limits: tuple[float, float],
) -> None:
    grid = np.arange(limits[0], limits[1] + 1, 2.0)
    for (level, found), colour in zip(curves.items(), LEVEL_COLOURS, strict=True):
        density = densities(probabilities, found, grid)
        mean = density.mean(axis=0)
        error = density.std(axis=0, ddof=1) / np.sqrt(len(density)) if len(density) > 1 else 0.0
        axes.fill_between(grid, mean - error, mean + error, color=colour, alpha=0.25, linewidth=0)
        axes.plot(grid, mean, color=colour, label=f"{level} (n = {len(found)})")
    axes.set_xlim(*limits)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("χ (ppb)")


def _shift(axes: Any, probabilities: np.ndarray, curves: dict[str, np.ndarray], seed: int) -> None:
    first, second = curves.values()
    difference = first.mean(axis=0) - second.mean(axis=0)
    generator = np.random.default_rng(seed)
    resampled = [
        found[generator.integers(0, len(found), (BOOTSTRAPS, len(found)))].mean(axis=1)
        for found in (first, second)
    ]
    low, high = np.percentile(resampled[0] - resampled[1], [2.5, 97.5], axis=0)
    centred = [found - np.median(found, axis=1, keepdims=True) for found in (first, second)]
    axes.axhline(0, color=FAINT, linewidth=0.6)
    axes.fill_between(probabilities, low, high, color=PALETTE["purple"], alpha=0.22, linewidth=0)
    axes.plot(probabilities, difference, color=PALETTE["purple"], label="difference, 95 % CI")
    axes.plot(
        probabilities, centred[0].mean(axis=0) - centred[1].mean(axis=0), color=INK,
        linestyle=(0, (3, 1.5)), linewidth=0.9, label="medians removed",
    )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    axes.set_xlabel("Quantile")
