"""Brain picture of effects: atlas regions on template slices, coloured by Cliff's δ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..spaces import bounding_box, crop
from ..statistics.multiplicity import PRIMARY_METRICS
from ..volumes import Volume
from .cells import one_variant
from .slices import PLANES, mark_sides, pixel_size, show_picture, smooth_contour, take, to_ras
from .style import INK, PAGE_WIDTH, SIGNED_MAP, paper_style
from .wording import FAMILY_LABELS, metric

SLICES_MM: tuple[tuple[str, float], ...] = (
    ("axial", -18.0),
    ("axial", 2.0),
    ("axial", 22.0),
    ("axial", 42.0),
    ("axial", 60.0),
    ("coronal", -4.0),
    ("coronal", -20.0),
    ("coronal", -30.0),
)
"""Template slices (plane, mm): amygdala and hippocampus, deep nuclei, thalamus, motor cortex."""

ALPHA = 0.05


def effects_figure(
    tests: pd.DataFrame,
    contrast: str,
    metrics: Sequence[str],
    template: Volume,
    atlas: Volume,
) -> tuple[Any, str, str]:
    """Draw one row of template slices per metric, regions coloured by the effect.

    Parameters
    ----------
    tests
        The ``group_tests`` table; the replication arm's Cliff's δ and p are shown, and the
        rigorous arm's q.
    contrast
        Name of the contrast.
    metrics
        Metrics, one row each.
    template, atlas
        T1-weighted template and the atlas whose labels are ``tests``' indices, any grids in one
        space (mm).

    Returns
    -------
    figure, title, caption
    """
    tests = one_variant(tests[tests["contrast"] == contrast])
    with paper_style():
        figure = _draw(tests, metrics, to_ras(template), to_ras(atlas))
    levels = tests[["level_1", "level_2"]].iloc[0].tolist() if len(tests) else ["", ""]
    caption = (
        f"Cliff's δ of {levels[0]} against {levels[1]} in each region (vermilion: {levels[0]} "
        f"higher), on the template; one row per metric. Outlined: p < .05 uncorrected "
        "(Mann-Whitney); outlined twice as thick: q < .05 (rank ANCOVA with covariates, "
        "Benjamini-Hochberg over the regions). Left of the picture is the patient's left; "
        "coordinates are template mm."
    )
    return figure, f"Effects over the brain by {contrast}", caption


def _draw(tests: pd.DataFrame, metrics: Sequence[str], template: Volume, atlas: Volume) -> Any:
    from matplotlib import pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    labels = _onto(atlas, template)
    box = bounding_box(template.data > 0, margin=3)
    template, labels = crop(template, box), crop(labels, box)
    raw = tests[tests["arm"] == "replication"] if (tests["arm"] == "replication").any() else tests
    shown = raw[raw["metric"].isin(metrics)]["effect"].abs().max()
    limit = max(0.2, float(np.ceil(shown * 10) / 10)) if np.isfinite(shown) else 1.0
    scale = Normalize(-limit, limit)
    widths = [template.data.shape[0 if plane != "sagittal" else 1] for plane, _ in SLICES_MM]
    # row height: the tallest slice (axial) at the common scale
    inches = (PAGE_WIDTH - 0.32) / sum(widths)
    height = inches * template.data.shape[1]
    figure, grid = plt.subplots(
        len(metrics), len(SLICES_MM), width_ratios=widths, squeeze=False,
        figsize=(PAGE_WIDTH, (height + 0.07) * len(metrics) + 0.55),
    )  # fmt: skip
    for row, name in zip(grid, metrics, strict=True):
        _row(row, name, tests, raw, template, labels, scale)
    total = (height + 0.07) * len(metrics) + 0.55
    figure.subplots_adjust(0.045, 0.5 / total, 0.998, 1 - 0.17 / total, 0.02, 0.04)
    for axes, (plane, mm) in zip(grid[0], SLICES_MM, strict=True):
        words = f"{'y' if plane == 'coronal' else 'z'} = {mm:g}".replace("-", "−")
        place = axes.get_position()
        figure.text((place.x0 + place.x1) / 2, 1 - 0.05 / total, words, ha="center", va="top",
                    fontsize=6.5)  # fmt: skip
    bar = figure.add_axes((0.34, 0.3 / total, 0.32, 0.075 / total))
    figure.colorbar(ScalarMappable(scale, SIGNED_MAP), cax=bar, orientation="horizontal")
    bar.tick_params(length=2, pad=1.5)
    first, second = tests[["level_1", "level_2"]].iloc[0].tolist() if len(tests) else ("", "")
    how = {"transform": bar.transAxes, "va": "center", "fontsize": 6.5}
    bar.text(-0.03, 0.5, f"{second} higher", ha="right", **how)
    bar.text(1.03, 0.5, f"{first} higher", ha="left", **how)
    bar.set_xlabel("Cliff's δ", fontsize=6.5, labelpad=1)
    return figure


def _onto(atlas: Volume, like: Volume) -> Volume:
    """Labels of ``atlas`` at the voxels of ``like`` (nearest; 0 outside)."""
    from scipy.ndimage import affine_transform

    mapping = np.linalg.inv(atlas.affine) @ like.affine
    data = affine_transform(
        atlas.data.astype(np.int32), mapping[:3, :3], mapping[:3, 3], like.data.shape, order=0
    )
    return Volume(data, like.affine)


def _row(
    row: Any,
    name: str,
    tests: pd.DataFrame,
    raw: pd.DataFrame,
    template: Volume,
    labels: Volume,
    scale: Any,
) -> None:
    cells = raw[raw["metric"] == name].dropna(subset=["effect"])
    effect = np.full(int(labels.data.max()) + 1, np.nan)
    for index, value in zip(cells["index"], cells["effect"], strict=True):
        if 0 < index < len(effect):
            effect[int(index)] = value
    significant = {int(index) for index in cells.loc[cells["p"] < ALPHA, "index"]}
    corrected = tests[(tests["arm"] == "rigorous") & (tests["metric"] == name)]
    passed = {int(index) for index in corrected.loc[corrected["q"] < ALPHA, "index"]}
    white = float(np.percentile(template.data[template.data > 0], 99.5))
    for place, (axes, (plane, mm)) in enumerate(zip(row, SLICES_MM, strict=True)):
        axis = PLANES[plane]
        index = round((mm - template.affine[axis, 3]) / template.affine[axis, axis])
        index = min(max(index, 0), template.data.shape[axis] - 1)
        _slice(axes, template, labels, plane, index, effect, scale, white)
        for found in np.unique(take(labels.data, plane, index)):
            if found in significant or found in passed:
                mask = Volume(labels.data == found, labels.affine)
                smooth_contour(axes, mask, plane, index, INK, 1.3 if found in passed else 0.7)
        if place == 0:
            mark_sides(axes, plane, colour=INK, size=6)
    family = next((key for key, primary in PRIMARY_METRICS.items() if primary == name), None)
    words = metric(name).label + (f"\n{FAMILY_LABELS[family]}" if family else "")
    row[0].text(-0.04, 0.5, words, transform=row[0].transAxes, rotation=90, ha="right",
                va="center", fontsize=6.3, linespacing=1.4)  # fmt: skip


def _slice(
    axes: Any,
    template: Volume,
    labels: Volume,
    plane: str,
    index: int,
    effect: np.ndarray,
    scale: Any,
    white: float,
) -> None:
    """One slice as an RGBA picture: grey template, regions in colour, nothing outside."""
    grey = take(template.data, plane, index).astype(float)
    shade = 0.3 + 0.42 * np.clip(grey / white, 0, 1)
    picture = np.stack([shade, shade, shade, (grey > 0).astype(float)], axis=-1)
    value = effect[take(labels.data, plane, index)]
    coloured = np.isfinite(value)
    # a little of the anatomy shows through
    tint = SIGNED_MAP(scale(np.where(coloured, value, 0.0)))[..., :3]
    picture[coloured, :3] = 0.85 * tint[coloured] + 0.15 * shade[coloured, None]
    picture[coloured, 3] = 1.0
    show_picture(axes, picture, pixel_size(template, plane))
