"""How every figure looks: palette, fonts, sizes, and how a figure is written.

Colours are those of Okabe and Ito (Color Universal Design, 2008), which people with any common
colour-vision deficiency tell apart; signed maps run from blue over near-white to vermilion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text

from ..volumes import atomic_path

PAGE_WIDTH = 7.09
"""Width of a figure over two columns of a journal page, in inches (180 mm)."""

DPI = 250
"""Resolution of the PNG of a figure for print."""

SVG_DPI = 150
"""Resolution of pictures inside an SVG; lines and text have none."""

TITLE_GAP = 0.1
"""Least room between the titles of neighbouring panels, and at the edges together, in inches."""

INK = "#222222"
"""Text and axes."""

FAINT = "#8a8f98"
"""Reference lines and secondary text."""

PALETTE = {
    "vermilion": "#D55E00",
    "blue": "#0072B2",
    "green": "#009E73",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "purple": "#CC79A7",
    "yellow": "#F0E442",
    "black": "#000000",
}

LEVEL_COLOURS = (PALETTE["vermilion"], PALETTE["blue"])
"""Colours of a contrast's first and second level, the same in all figures."""

LEVEL_MARKERS = ("o", "^")
"""Markers of the two levels, so that they differ in black and white as well."""

NUCLEUS_COLOURS = {
    "caudate": PALETTE["sky"],
    "putamen": PALETTE["orange"],
    "pallidum": PALETTE["vermilion"],
    "thalamus": PALETTE["green"],
    "accumbens": PALETTE["blue"],
    "hippocampus": PALETTE["purple"],
    "amygdala": PALETTE["yellow"],
}
"""Contour colours of the deep nuclei, by the region names of the default atlas."""

SIGNED_MAP = LinearSegmentedColormap.from_list(
    "signed",
    ["#023858", "#0072B2", "#74b3d8", "#f4f2ee", "#f0a36b", "#D55E00", "#6b2500"],
)
"""Diverging map for effects and fields: blue below zero, vermilion above."""

CHI_RANGE_PPB = (-100.0, 150.0)
"""Grey window of susceptibility maps; vein and pallidum are white, calcium and myelin dark."""

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 4.0,
    "axes.labelsize": 7.0,
    "axes.labelpad": 2.5,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "text.color": INK,
    # names of regions, levels and contrasts may have dollar signs
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "auto",
    # text stays text in SVG: small files that an editor can still change
    "svg.fonttype": "none",
    "svg.hashsalt": "qsmiron",
    "image.interpolation": "nearest",
}


@contextmanager
def paper_style() -> Iterator[None]:
    """The look of all figures, for the ``with`` block that draws one."""
    with plt.rc_context(RC):
        yield


def save_figure(
    figure: Figure, output: str | Path, title: str, caption: str, svg: bool = True, dpi: int = DPI
) -> None:
    """Write ``figure`` as PNG at ``output`` and, unless ``svg`` is off, as SVG beside it.

    ``title`` and ``caption`` go into both files' metadata. No date or version is written, so
    that the same figure gives the same bytes.
    """
    output = Path(output)
    described = {"Title": title, "Description": caption}
    with paper_style():
        with atomic_path(output.with_suffix(".png")) as temporary:
            figure.savefig(temporary, dpi=dpi, metadata={**described, "Software": None})
        if svg:
            with atomic_path(output.with_suffix(".svg")) as temporary:
                figure.savefig(
                    temporary,
                    dpi=SVG_DPI,
                    metadata={**described, "Date": None, "Creator": None},
                )
    plt.close(figure)


def fit_titles(titles: Iterable[Text], width: float) -> None:
    """Give titles wider than ``width`` (inches) a smaller font, once their axes have their place.

    A centred title may also not reach beyond the figure.
    """
    for title in titles:
        figure = title.get_figure(root=True)
        extent = title.get_window_extent(figure.canvas.get_renderer())
        room = width * figure.dpi
        if title.get_horizontalalignment() == "center":
            middle = (extent.x0 + extent.x1) / 2
            room = min(room, 2 * middle, 2 * (figure.bbox.width - middle))
        room -= TITLE_GAP * figure.dpi
        while extent.width > room > 0:
            # glyphs are set to whole pixels: a small font is not narrower in proportion
            title.set_fontsize(0.98 * title.get_fontsize() * room / extent.width)
            extent = title.get_window_extent(figure.canvas.get_renderer())


def panel_letter(axes: Any, letter: str, colour: str = INK) -> None:
    """A bold panel letter inside the upper left corner of ``axes``."""
    axes.annotate(
        letter, (0, 1), (3, -3), "axes fraction", "offset points", color=colour, fontsize=9,
        fontweight="bold", ha="left", va="top",
    )  # fmt: skip
