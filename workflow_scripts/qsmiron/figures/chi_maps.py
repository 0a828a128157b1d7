"""Susceptibility map of one subject in three planes, with contours of the deep nuclei."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..spaces import bounding_box, crop
from ..volumes import Volume
from .slices import centre_of, labelled, mark_sides, show_slice, smooth_contour, to_ras
from .style import CHI_RANGE_PPB, INK, NUCLEUS_COLOURS, PAGE_WIDTH, panel_letter, paper_style
from .wording import PPB_PER_PPM

PLANES_SHOWN = ("axial", "coronal", "sagittal")


def chi_maps_figure(
    chi: Volume, labels: Volume, nuclei: Mapping[str, list[int]], participant: str
) -> tuple[Any, str, str]:
    """Draw χ in three planes through the deep nuclei, whole and close, the latter with contours.

    Parameters
    ----------
    chi
        Referenced susceptibility (X, Y, Z), ppm, 0 outside the brain.
    labels
        Atlas labels on the same grid.
    nuclei
        Region name → its labels (both sides); those in
        :data:`~qsmiron.figures.style.NUCLEUS_COLOURS` are drawn.
    participant
        Shown in the title.

    Returns
    -------
    figure, title, caption
    """
    chi, labels = to_ras(chi), to_ras(labels)
    box = bounding_box(chi.data != 0, margin=2)
    chi = Volume(chi.data * PPB_PER_PPM, chi.affine)
    chi, labels = crop(chi, box), crop(labels, box)
    shown = {
        name: found
        for name, found in nuclei.items()
        if name in NUCLEUS_COLOURS and np.isin(found, labels.data).any()
    }
    with paper_style():
        figure = _draw(chi, labels, shown)
    caption = (
        f"χ of {participant} in ppb, relative to the reference of the reconstruction, in the "
        "scan's own planes (left of the picture is the patient's left). Upper row: whole brain; "
        "lower row: the deep nuclei with the (smoothed) outlines of the atlas labels on the same "
        "slices. Bright: paramagnetic (iron, veins); dark: diamagnetic (myelin, calcium)."
    )
    return figure, f"Quantitative susceptibility map of {participant}", caption


def _draw(chi: Volume, labels: Volume, nuclei: Mapping[str, list[int]]) -> Any:
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    deep = labelled(labels.data, [index for found in nuclei.values() for index in found])
    if not deep.any():
        deep = chi.data != 0
    at = _through(labels, nuclei, deep)
    close = bounding_box(deep, margin=round(8 / min(chi.voxel_size)))
    near, near_labels = crop(chi, close), crop(labels, close)
    sizes = np.array(chi.data.shape) * chi.voxel_size
    widths = [sizes[0], sizes[0], sizes[1]]
    near_sizes = np.array(near.data.shape) * near.voxel_size
    near_widths = [near_sizes[0], near_sizes[0], near_sizes[1]]
    inner = PAGE_WIDTH - 0.55
    heights = (
        inner / sum(widths) * max(sizes[1], sizes[2]),
        inner / sum(near_widths) * max(near_sizes[1], near_sizes[2]),
    )
    total = sum(heights) + 0.4
    figure = plt.figure(figsize=(PAGE_WIDTH, total))
    right = inner / PAGE_WIDTH
    rows = (
        figure.add_gridspec(1, 3, width_ratios=widths, left=0.005, right=right, top=1,
                            bottom=1 - heights[0] / total, wspace=0.01),
        figure.add_gridspec(1, 3, width_ratios=near_widths, left=0.005, right=right,
                            top=1 - (heights[0] + 0.05) / total, bottom=0.35 / total,
                            wspace=0.01),
    )  # fmt: skip
    for column, plane in enumerate(PLANES_SHOWN):
        index = at[plane]
        axes = figure.add_subplot(rows[0][column])
        image = _panel(axes, chi, plane, index)
        mark_sides(axes, plane, colour=INK)
        panel_letter(axes, "abc"[column])
        axes = figure.add_subplot(rows[1][column])
        index -= close[["sagittal", "coronal", "axial"].index(plane)].start
        _panel(axes, near, plane, index)
        for name, found in nuclei.items():
            mask = Volume(labelled(near_labels.data, found), near.affine)
            smooth_contour(axes, mask, plane, index, NUCLEUS_COLOURS[name], 1.0)
        panel_letter(axes, "def"[column], "white")
    bar = figure.add_axes((right + 0.012, 0.3, 0.014, 0.4))
    figure.colorbar(image, cax=bar, extend="both")
    bar.set_title("χ (ppb)", fontsize=6.5, fontweight="normal", pad=8, loc="left")
    handles = [Line2D([], [], color=NUCLEUS_COLOURS[name], label=name) for name in nuclei]
    if handles:
        figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=7,
                      bbox_to_anchor=(right / 2, 0.0), labelcolor=INK)  # fmt: skip
    return figure


def _through(labels: Volume, nuclei: Mapping[str, list[int]], deep: np.ndarray) -> dict[str, int]:
    """Slice of each plane: axial through the lentiform nucleus, sagittal through its right half."""
    lentiform = labelled(labels.data, [*nuclei.get("putamen", ()), *nuclei.get("pallidum", ())])
    x, y, z = centre_of(lentiform if lentiform.any() else deep)
    right = lentiform.copy() if lentiform.any() else deep.copy()
    right[: labels.data.shape[0] // 2] = False
    if right.any():
        x = centre_of(right)[0]
    return {"axial": z, "coronal": y, "sagittal": x}


def _panel(axes: Any, chi: Volume, plane: str, index: int) -> Any:
    low, high = CHI_RANGE_PPB
    data = np.ma.masked_equal(chi.data, 0)
    return show_slice(
        axes, Volume(data, chi.affine), plane, index, cmap="gray", vmin=low, vmax=high,
        interpolation="bicubic",
    )  # fmt: skip
