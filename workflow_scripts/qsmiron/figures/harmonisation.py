"""What harmonising did to the sites: location and spread of every region, before and after."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..statistics.cells import Cells
from ..statistics.covariates import Covariates
from ..statistics.linear import nuisance_space
from .style import FAINT, INK, PAGE_WIDTH, PALETTE, paper_style
from .wording import metric, shown_values

METRIC = "chi_mean"


def harmonisation_figure(
    cells: Cells, sites: np.ndarray, names: list[str], covariates: Covariates
) -> tuple[Any, str, str]:
    """Draw mean and SD of residuals after the covariates, by site, a point per region.

    Parameters
    ----------
    cells
        Harmonised, with what was measured.
    sites
        Number of each participant's site in ``names``, −1 where missing.
    covariates
        Those that were protected.

    Returns
    -------
    figure, title, caption
    """
    chosen = (cells.index["metric"] == METRIC).to_numpy() & ~cells.is_reference
    known = (sites >= 0) & covariates.complete
    nuisance = nuisance_space(covariates.values[known])
    found = {
        when: _by_site(nuisance.residuals(values[known][:, _whole(values, known, chosen)]),
                       sites[known], len(names))
        for when, values in (("measured", cells.measured), ("harmonised", cells.values))
    }  # fmt: skip
    with paper_style():
        figure = _draw(found, names, np.bincount(sites[known], minlength=len(names)))
    shown = metric(METRIC)
    caption = (
        f"{shown.label} of every region without missing values, by site, after the covariates: "
        "mean and SD of the residuals, as measured (grey) and after ComBat (blue). Box: median and "
        "quartiles over regions, whiskers to 1.5 × IQR. ComBat takes each site's mean and SD to "
        "those of all; what of them comes from unequal groups goes with the sites."
    )
    return figure, "Sites before and after harmonising", caption


def _whole(values: np.ndarray | None, known: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return chosen & np.isfinite(values[known]).all(axis=0)  # type: ignore[index]


def _by_site(residuals: np.ndarray, sites: np.ndarray, n_sites: int) -> np.ndarray:
    """Mean and SD (2 × sites × regions), in the unit that is shown."""
    parts = [shown_values(METRIC, residuals[sites == site]) for site in range(n_sites)]
    return np.array([[part.mean(axis=0) for part in parts],
                     [part.std(axis=0, ddof=1) for part in parts]])  # fmt: skip


def _draw(found: dict[str, np.ndarray], names: list[str], counts: np.ndarray) -> Any:
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6))
    for axes, number, label in zip(grid, (0, 1), ("Mean", "SD"), strict=True):
        for (when, values), offset, colour in zip(
            found.items(), (-0.17, 0.17), (FAINT, PALETTE["blue"]), strict=True
        ):
            places = np.arange(len(names)) + offset
            boxes = axes.boxplot(
                list(values[number]), positions=places, widths=0.28, patch_artist=True,
                boxprops={"facecolor": colour + "40", "edgecolor": colour},
                medianprops={"color": INK}, flierprops={"marker": ".", "markersize": 2},
            )  # fmt: skip
            boxes["boxes"][0].set_label(when)
        ticks = [f"{name}\nn = {count}" for name, count in zip(names, counts, strict=True)]
        axes.set_xticks(range(len(names)), ticks)
        axes.set_ylabel(f"{label} of residuals of {metric(METRIC).axis}")
    grid[0].axhline(0, color=FAINT, linewidth=0.6, zorder=0)
    grid[1].set_ylim(bottom=0)
    grid[1].legend(frameon=False)
    figure.tight_layout(w_pad=1.5)
    return figure
