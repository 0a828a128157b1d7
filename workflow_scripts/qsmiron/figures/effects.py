"""Brain picture of effects: atlas regions on template slices, coloured by Cliff's δ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..regions.label_table import Label
from ..spaces import bounding_box, crop
from ..statistics.multiplicity import PRIMARY_METRICS
from ..volumes import Volume
from .cells import one_variant, shown_rows
from .remarks import remarks
from .slices import PLANES, mark_sides, pixel_size, show_picture, smooth_contour, take, to_ras
from .style import INK, PAGE_WIDTH, SIGNED_MAP, paper_style
from .wording import FAMILY_LABELS, abbreviated, metric

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

LEVEL_LETTERS = 38
"""Most letters of a level's name beside the colour bar."""


class Painted(NamedTuple):
    """What the colours mean: the bar's title, the words at its ends, and its round numbers.

    The bar reaches the next multiple of ``step`` above the largest value, ``least`` at least.
    """

    title: str
    low: str
    high: str
    step: float = 0.1
    least: float = 0.2
    decimals: int = 2


def effects_figure(
    tests: pd.DataFrame,
    contrast: str,
    metrics: Sequence[str],
    template: Volume,
    atlas: Volume,
    labels: Sequence[Label],
    atlas_name: str | None = None,
) -> tuple[Any, str, str]:
    """Draw one row of template slices per metric, regions coloured by the effect.

    A region is painted where its index, name and hemisphere in ``tests`` are those of a label;
    without such a region the figure says so in words.

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
        T1-weighted template and a label image, any grids in one space (mm).
    labels
        The label table of the image.
    atlas_name
        The atlas in ``tests`` that the image is of; by default the first one.

    Returns
    -------
    figure, title, caption
    """
    title = f"Effects over the brain by {contrast}"
    tests = tests[tests["contrast"] == contrast]
    tested = [str(name) for name in tests["atlas"].dropna().unique()]
    own = one_variant(tests if atlas_name is None else tests[tests["atlas"] == atlas_name])
    known = known_labels(atlas, labels)
    painted = own[agrees(own, known)]
    if painted.empty:
        name = atlas_name or (tested[0] if tested else "")
        words = _without_image(name, tested, own.empty)
        with paper_style():
            return words_figure(words), title, words.replace("\n", " ")
    with paper_style():
        levels = painted[["level_1", "level_2"]].iloc[0]
        first, second = (abbreviated(str(level), LEVEL_LETTERS) for level in levels)
        what = Painted("Cliff's δ", f"{second} higher", f"{first} higher")
        figure = draw_on_brain(painted, metrics, to_ras(template), to_ras(atlas), what)
    first, second = painted[["level_1", "level_2"]].iloc[0]
    caption = (
        f"{shown_rows(painted, tests)}Cliff's δ of {first} against {second} in each region "
        f"(vermilion: {first} higher), on the template; one row per metric. Outlined: p < .05 "
        "uncorrected (Mann-Whitney); outlined twice as thick: q < .05 (rank ANCOVA with "
        "covariates, Benjamini-Hochberg over the regions). Left of the picture is the patient's "
        "left; coordinates are template mm."
    )
    return figure, title, caption + _left_out(own, painted) + remarks(painted, metrics)


def known_labels(atlas: Volume, labels: Sequence[Label]) -> dict[int, tuple[str, str]]:
    """Region and hemisphere of each number that a label image holds."""
    there = set(np.unique(atlas.data).tolist())
    return {label.index: _key(label) for label in labels if label.index in there}


def _key(label: Label) -> tuple[str, str]:
    return label.standard_name, label.hemisphere


def agrees(tests: pd.DataFrame, known: dict[int, tuple[str, str]]) -> list[bool]:
    """Whether each row's index has its name and hemisphere among the ``known`` labels."""
    named = zip(tests["index"], tests["region"], tests["hemisphere"], strict=True)
    return [
        bool(index in known and known[index] == _key(Label(index, str(name), str(side))))
        for index, name, side in named
    ]


def _without_image(name: str, tested: Sequence[str], no_test: bool) -> str:
    """Why nothing is painted."""
    if not tested:
        return "Nothing is painted: no region could be tested."
    if no_test:
        return (
            f"Nothing is painted: the tests are of the atlas {' and '.join(tested)}, and the first "
            f"atlas with a label image\nin the configuration is {name}. To paint another, give its "
            f"image there and leave {name} out (atlases.{name}: null)."
        )
    return (
        f"Nothing is painted: there is no label image whose numbers and names\n"
        f"are those of the regions of the atlas {name}."
    )


def _left_out(own: pd.DataFrame, painted: pd.DataFrame) -> str:
    """What the caption says of regions that the label image does not have."""
    missing = own.drop(painted.index)[["region", "hemisphere"]].drop_duplicates()
    if missing.empty:
        return ""
    return f" Not painted, for want of such a label in the image: {len(missing)} of the regions."


def words_figure(words: str) -> Any:
    """A figure that says in words why it shows nothing."""
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(PAGE_WIDTH, 0.6))
    figure.text(0.5, 0.5, words, ha="center", va="center")
    return figure


def draw_on_brain(
    tests: pd.DataFrame,
    metrics: Sequence[str],
    template: Volume,
    atlas: Volume,
    what: Painted,
) -> Any:
    """One row of slices per metric, of the replication arm's effects where there are two arms.

    ``template`` and ``atlas`` are RAS volumes in one space.
    """
    from matplotlib import pyplot as plt
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    labels = _onto(atlas, template)
    box = bounding_box(template.data > 0, margin=3)
    template, labels = crop(template, box), crop(labels, box)
    raw = tests[tests["arm"] == "replication"] if (tests["arm"] == "replication").any() else tests
    shown = raw[raw["metric"].isin(metrics)]["effect"].abs().max()
    reach = float(np.ceil(shown / what.step) * what.step) if np.isfinite(shown) else 1.0
    limit = max(what.least, reach)
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
    ticks = np.linspace(-limit, limit, 5)
    bar.set_xticks(ticks, [f"{tick:.{what.decimals}f}".replace("-", "−") for tick in ticks])
    bar.tick_params(length=2, pad=1.5)
    how = {"transform": bar.transAxes, "va": "center", "fontsize": 6.5}
    bar.text(-0.03, 0.5, what.low, ha="right", **how)
    bar.text(1.03, 0.5, what.high, ha="left", **how)
    bar.set_xlabel(what.title, fontsize=6.5, labelpad=1)
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
