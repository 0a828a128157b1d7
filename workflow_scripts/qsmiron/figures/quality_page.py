"""Quality page of one subject: what came in, what was masked, labelled and reconstructed.

One column per quantity, one row per slice, on black as on a viewing station: T1w with the
template's edges, magnitude with the masks' edges and the deep nuclei, χ with the labels' edges, χ,
R2*, its sources and the local field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..spaces import bounding_box, crop
from ..volumes import Volume
from .slices import (
    centre_of,
    labelled,
    mark_sides,
    outline,
    show_slice,
    smooth_contour,
    to_ras,
    window,
)
from .style import CHI_RANGE_PPB, NUCLEUS_COLOURS, PALETTE, RC, SIGNED_MAP
from .wording import PPB_PER_PPM

PAGE_INCHES = 12.0
"""Least width of the page; at :data:`PAGE_DPI` it is 1560 pixels."""

COLUMN_INCHES = 2.4
"""Least width of a column: with all eight the page is 2496 pixels wide."""

PAGE_DPI = 130
TOP_INCHES = 0.88
BOTTOM_INCHES = 0.5
R2STAR_RANGE = (0.0, 60.0)
SOURCE_LIMIT_PPB = 120.0
HIGHER_MM = 32.0
"""Second axial slice: this far above the first (centrum semiovale, motor cortex)."""


TEMPLATE_COLOURS = {"brain": PALETTE["sky"], "white matter": PALETTE["orange"]}
MASK_COLOURS = {"brain": PALETTE["green"], "reliable": PALETTE["orange"]}
NUCLEI_COLOUR = PALETTE["yellow"]
"""Of all deep nuclei on the magnitude, where green and orange are the masks: light on grey."""

LABELS_COLOUR = "#ffffff60"


class SubjectMaps(NamedTuple):
    """What the page shows; all on one grid. χ, its parts, field: ppm; R2*: 1/s; template: 0–1."""

    magnitude: Volume | None
    chi: Volume
    brain: np.ndarray
    reliable: np.ndarray
    r2star: Volume | None = None
    labels: Volume | None = None
    field: Volume | None = None
    t1w: Volume | None = None
    template_brain: Volume | None = None
    template_white: Volume | None = None
    paramagnetic: Volume | None = None
    diamagnetic: Volume | None = None


def quality_page(
    maps: SubjectMaps, nuclei: Mapping[str, list[int]], participant: str
) -> tuple[Any, str, str]:
    """Draw the page of one subject.

    Parameters
    ----------
    maps
        The subject's volumes; without ``labels`` the page shows no outlines and its slices go
        through the middle of the brain; without T1w, R2* or field it has no such column, and
        without ``template_brain`` and ``template_white`` the T1w no edges.
    nuclei
        Region name → labels, to colour the deep nuclei and to choose the slices.
    participant
        Shown on the page.

    Returns
    -------
    figure, title, caption
    """
    from matplotlib import pyplot as plt

    prepared = _prepared(maps)
    with plt.rc_context({**RC, "text.color": "white", "font.size": 9}):
        figure = _draw(prepared, nuclei, participant)
    shown = ", ".join(_DESCRIPTIONS[name] for name in _columns(prepared))
    caption = (
        f"Quality page of {participant}: {shown}, in the scan's own planes, patient's left on the "
        "left."
    )
    return figure, f"Quality page of {participant}", caption


def _prepared(maps: SubjectMaps) -> SubjectMaps:
    affine = maps.chi.affine
    brain = to_ras(Volume(maps.brain, affine))
    box = bounding_box(brain.data, margin=3)

    def ready(volume: Volume | None, factor: float = 1.0) -> Volume | None:
        if volume is None:
            return None
        turned = crop(to_ras(volume), box)
        return turned if factor == 1 else Volume(turned.data * factor, turned.affine)

    return SubjectMaps(
        ready(maps.magnitude),
        ready(maps.chi, PPB_PER_PPM),
        crop(brain, box).data,
        ready(Volume(maps.reliable, affine)).data,
        ready(maps.r2star),
        ready(maps.labels),
        ready(maps.field, PPB_PER_PPM),
        ready(maps.t1w),
        ready(maps.template_brain),
        ready(maps.template_white),
        ready(maps.paramagnetic, PPB_PER_PPM),
        ready(maps.diamagnetic, PPB_PER_PPM),
    )


def _slices(maps: SubjectMaps, nuclei: Mapping[str, list[int]]) -> list[tuple[str, int]]:
    centre = centre_of(maps.brain)
    side = centre[0] + round(24 / maps.chi.voxel_size[0])
    if maps.labels is not None:
        deep = [index for name in ("putamen", "pallidum") for index in nuclei.get(name, ())]
        found = labelled(maps.labels.data, deep)
        if found.any():
            centre = centre_of(found)
            right = found.copy()
            right[: centre[0]] = False
            side = centre_of(right)[0] if right.any() else side
    _, y, z = centre
    higher = min(z + round(HIGHER_MM / maps.chi.voxel_size[2]), maps.chi.data.shape[2] - 1)
    side = min(side, maps.chi.data.shape[0] - 1)
    return [("axial", higher), ("axial", z), ("coronal", y), ("sagittal", side)]


def _columns(maps: SubjectMaps) -> list[str]:
    # each is a field of the maps of its name
    order = (
        "t1w", "magnitude", "labels", "chi", "r2star", "paramagnetic", "diamagnetic", "field",
    )  # fmt: skip
    return [name for name in order if getattr(maps, name) is not None]


def _draw(maps: SubjectMaps, nuclei: Mapping[str, list[int]], participant: str) -> Any:
    from matplotlib import pyplot as plt

    columns = _columns(maps)
    rows = _slices(maps, nuclei)
    sizes = np.array(maps.chi.data.shape) * maps.chi.voxel_size
    heights = [sizes[1] if plane == "axial" else sizes[2] for plane, _ in rows]
    column_width = max(sizes[0], sizes[1])
    page = max(PAGE_INCHES, COLUMN_INCHES * len(columns))
    inches = page / (column_width * len(columns))
    total = inches * sum(heights) + TOP_INCHES + BOTTOM_INCHES
    figure = plt.figure(figsize=(page, total), facecolor="black")
    grid = figure.add_gridspec(
        len(rows), len(columns), height_ratios=heights, left=0, right=1,
        top=1 - TOP_INCHES / total, bottom=BOTTOM_INCHES / total, wspace=0.01, hspace=0.01,
    )  # fmt: skip
    for column, name in enumerate(columns):
        for row, (plane, index) in enumerate(rows):
            axes = figure.add_subplot(grid[row, column])
            image = _DRAWERS[name](axes, maps, nuclei, plane, index)
            if column == 0:
                mark_sides(axes, plane, size=9)
        left, width = column / len(columns), 1 / len(columns)
        centre = left + width / 2
        figure.text(centre, 1 - 0.4 / total, _HEADINGS[name], ha="center", fontsize=10.5)
        if name in _UNITS:
            bar = figure.add_axes((left + width * 0.2, 0.36 / total, width * 0.6, 0.1 / total))
            figure.colorbar(image, cax=bar, orientation="horizontal")
            bar.tick_params(colors="white", labelsize=8, length=2, pad=2)
            bar.text(1.05, 0.5, _UNITS[name], transform=bar.transAxes, va="center", fontsize=8)
        _legend(figure, _lines(name, maps, nuclei), (centre, 1 - 0.43 / total))
    figure.text(0.006, 1 - 0.06 / total, participant, ha="left", va="top", fontsize=13,
                fontweight="bold")  # fmt: skip
    return figure


def _lines(name: str, maps: SubjectMaps, nuclei: Mapping[str, list[int]]) -> dict[str, str]:
    """What each line of a column is: its words → its colour."""
    named = {nucleus: NUCLEUS_COLOURS[nucleus] for nucleus in nuclei if nucleus in NUCLEUS_COLOURS}
    if name == "t1w":
        template = zip(
            TEMPLATE_COLOURS.items(), (maps.template_brain, maps.template_white), strict=True
        )
        return {words: colour for (words, colour), found in template if found is not None}
    if name == "magnitude":
        found = maps.labels is not None and named
        return MASK_COLOURS | ({"deep nuclei": NUCLEI_COLOUR} if found else {})
    if name == "labels":
        return named | {"other": LABELS_COLOUR}
    return {}


def _legend(figure: Any, lines: Mapping[str, str], at: tuple[float, float]) -> None:
    from matplotlib.lines import Line2D

    if lines:
        handles = [Line2D([], [], color=colour, label=words) for words, colour in lines.items()]
        figure.legend(
            handles=handles, loc="upper center", bbox_to_anchor=at, ncols=min(len(handles), 3),
            fontsize=7.5, labelcolor="white", handlelength=0.9, handletextpad=0.35,
            columnspacing=0.8, labelspacing=0.25, borderaxespad=0, borderpad=0.2,
        )  # fmt: skip


def _t1w(axes: Any, maps: SubjectMaps, nuclei: Any, plane: str, index: int) -> Any:
    low, high = window(maps.t1w.data[maps.brain], 0.5, 99.8)
    image = show_slice(axes, maps.t1w, plane, index, cmap="gray", vmin=min(low, 0.1 * high),
                       vmax=high)  # fmt: skip
    edges = (maps.template_brain, maps.template_white)
    for edge, colour, width in zip(edges, TEMPLATE_COLOURS.values(), (1.2, 0.8), strict=True):
        if edge is not None:
            smooth_contour(axes, edge, plane, index, colour, width)
    return image


def _magnitude(
    axes: Any, maps: SubjectMaps, nuclei: Mapping[str, list[int]], plane: str, index: int
) -> Any:
    low, high = window(maps.magnitude.data[maps.brain], 0.5, 99.7)
    image = show_slice(axes, maps.magnitude, plane, index, cmap="gray", vmin=min(low, 0.3 * high),
                       vmax=high)  # fmt: skip
    brain_colour, reliable_colour = MASK_COLOURS.values()
    reliable = Volume(maps.reliable.astype(np.int8), maps.chi.affine)
    brain = Volume(maps.brain.astype(np.int8), maps.chi.affine)
    outline(axes, reliable, plane, index, reliable_colour, 0.8)
    outline(axes, brain, plane, index, brain_colour, 1.0)
    if maps.labels is not None:
        # in the table's order: where two meet, the later is on top
        for name in (name for name in nuclei if name in NUCLEUS_COLOURS):
            mask = Volume(labelled(maps.labels.data, nuclei[name]), maps.labels.affine)
            smooth_contour(axes, mask, plane, index, NUCLEI_COLOUR, 0.9)
    return image


def _chi(axes: Any, maps: SubjectMaps, nuclei: Any, plane: str, index: int) -> Any:
    low, high = CHI_RANGE_PPB
    # 0 outside the mask: there the black page shows
    shown = Volume(np.ma.masked_equal(maps.chi.data, 0), maps.chi.affine)
    return show_slice(axes, shown, plane, index, cmap="gray", vmin=low, vmax=high)


def _labels(
    axes: Any, maps: SubjectMaps, nuclei: Mapping[str, list[int]], plane: str, index: int
) -> Any:
    image = _chi(axes, maps, nuclei, plane, index)
    labels = maps.labels
    outline(axes, labels, plane, index, LABELS_COLOUR, 0.5)
    for name, found in nuclei.items():
        if name in NUCLEUS_COLOURS:
            mask = Volume(labelled(labels.data, found).astype(np.int8), labels.affine)
            outline(axes, mask, plane, index, NUCLEUS_COLOURS[name], 1.1)
    return image


def _r2star(axes: Any, maps: SubjectMaps, nuclei: Any, plane: str, index: int) -> Any:
    low, high = R2STAR_RANGE
    return show_slice(axes, maps.r2star, plane, index, cmap="gray", vmin=low, vmax=high)


def _paramagnetic(axes: Any, maps: SubjectMaps, nuclei: Any, plane: str, index: int) -> Any:
    shown = Volume(np.ma.array(maps.paramagnetic.data, mask=~maps.reliable), maps.chi.affine)
    return show_slice(axes, shown, plane, index, cmap="gray", vmin=0, vmax=SOURCE_LIMIT_PPB)


def _diamagnetic(axes: Any, maps: SubjectMaps, nuclei: Any, plane: str, index: int) -> Any:
    shown = Volume(np.ma.array(maps.diamagnetic.data, mask=~maps.reliable), maps.chi.affine)
    # bright where there is much of it, as of χ⁺
    return show_slice(axes, shown, plane, index, cmap="gray_r", vmin=-SOURCE_LIMIT_PPB, vmax=0)


def _field(axes: Any, maps: SubjectMaps, nuclei: Any, plane: str, index: int) -> Any:
    inside = np.abs(maps.field.data[maps.reliable])
    limit = max(10.0, float(np.ceil(np.percentile(inside, 99) / 10) * 10)) if inside.size else 50.0
    shown = Volume(np.ma.masked_equal(maps.field.data, 0), maps.field.affine)
    return show_slice(axes, shown, plane, index, cmap=SIGNED_MAP, vmin=-limit, vmax=limit)


_DRAWERS = {
    "t1w": _t1w,
    "magnitude": _magnitude,
    "chi": _chi,
    "labels": _labels,
    "r2star": _r2star,
    "paramagnetic": _paramagnetic,
    "diamagnetic": _diamagnetic,
    "field": _field,
}
_HEADINGS = {
    "t1w": "T1w, template's edges",
    "magnitude": "Magnitude, masks",
    "chi": "χ",
    "labels": "χ, labels",
    "r2star": "R2*",
    "paramagnetic": "χ⁺, iron",
    "diamagnetic": "χ⁻, myelin",
    "field": "Local field",
}
_UNITS = {"chi": "ppb", "labels": "ppb", "r2star": "s⁻¹", "field": "ppb"}
_UNITS |= {"paramagnetic": "ppb", "diamagnetic": "ppb"}
_DESCRIPTIONS = {
    "t1w": "T1w with the edges of the template's brain (sky blue) and white matter (orange)",
    "magnitude": "first echo's magnitude with the edges of the brain mask (green), of the reliable "
    "mask (orange) and of the deep nuclei (yellow)",
    "labels": "χ with label edges (deep nuclei in colour)",
    "chi": "χ",
    "r2star": "R2*",
    "paramagnetic": "χ of paramagnetic sources",
    "diamagnetic": "χ of diamagnetic sources (bright: much of it)",
    "field": "local field",
}
