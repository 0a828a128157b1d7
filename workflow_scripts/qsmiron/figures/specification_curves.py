"""Specification curves: a finding's effect under every combination of choices, in order of size.

After Simonsohn et al. 2020, doi 10.1038/s41562-020-0912-z: effects above, the choices behind each
of them below.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.text import Text

from .style import FAINT, INK, PAGE_WIDTH, PALETTE, fit_titles, paper_style
from .wording import (
    FAMILY_LABELS,
    format_coefficient,
    format_p,
    metric,
    region_label,
    score_name,
)

STAGES = {
    "field_map": "Field map",
    "background_field": "Background",
    "inversion": "Inversion",
    "reference": "Reference",
    "sources": "Sources",
    "regions": "Voxels",
    "iron": "Iron",
    "metric": "Metric",
    "covariates": "Covariates",
}
"""Columns of the multiverse table that are choices, and their names on the figure."""

NOT_COUNTED = "#b0b0b0"
NO_FINDING = "No finding could be tested."

CELL = ["kind", "name", "region", "hemisphere", "family"]
_COLUMNS = 2
_ROW_INCHES = 0.125
_CURVE_INCHES = 1.15
_LEFT = 0.36
"""Share of a panel's width that the names of the choices take."""


def specification_figure(
    multiverse: pd.DataFrame, curves: pd.DataFrame, alpha: float
) -> tuple[Any, str, str]:
    """Draw the specification curve of every headline finding of one contrast or score.

    Parameters
    ----------
    multiverse, curves
        Its rows of the tables ``multiverse`` and ``specification_curves``.
    alpha
        Level of the single tests.

    Returns
    -------
    figure, title, caption
    """
    with paper_style():
        figure = _draw(multiverse, curves, alpha)
    known = pd.concat([curves, multiverse])[["kind", "name"]].head(1)
    kind, name = ("", "") if known.empty else known.astype(str).iloc[0]
    title = "Other choices"
    if name:
        title += f": the findings by {score_name(name) if kind == 'score' else name}"
    if curves.empty:
        return figure, title, NO_FINDING
    effect = "ρ (partial)" if kind == "score" else "Cliff's δ of residuals"
    caption = (
        f"Effect ({effect}) of each headline finding under every combination of choices, in order "
        "of size; below each effect, the choices behind it. Filled: p "
        f"< {format_coefficient(alpha)} with the sign of the analysis as configured, which is the "
        "ringed one; grey: without a covariate of the design, drawn and not counted. p (curve): "
        "how often the median partial correlation of the counted ones is as large when "
        "participants are permuted. ★: the study reports a finding there; without it, "
        "the strongest of this cohort. That one was picked by its p, and so was the region of a "
        "finding that names none: their own p and p (curve) are too small."
    )
    return figure, title, caption


def _draw(multiverse: pd.DataFrame, curves: pd.DataFrame, alpha: float) -> Any:
    from matplotlib import pyplot as plt

    if curves.empty:
        figure = plt.figure(figsize=(PAGE_WIDTH, 0.6))
        figure.text(0.5, 0.5, NO_FINDING, ha="center", va="center")
        return figure
    panels = [(curve, _rows_of(multiverse, curve)) for _, curve in curves.reset_index().iterrows()]
    choices = [_choices(rows) for _, rows in panels]
    lines = max(len(found) for found in choices)
    height = _CURVE_INCHES + _ROW_INCHES * lines + 0.62
    columns = min(_COLUMNS, len(panels))
    bands = -(-len(panels) // columns)
    figure = plt.figure(figsize=(PAGE_WIDTH * columns / _COLUMNS + 0.001, height * bands))
    for number, ((curve, rows), found) in enumerate(zip(panels, choices, strict=True)):
        band, column = divmod(number, columns)
        left = (column + _LEFT) / columns
        width = 0.61 / columns
        top = 1 - (band + 0.4 / height) / bands
        upper = _CURVE_INCHES / height / bands
        lower = _ROW_INCHES * max(len(found), 1) / height / bands
        above = figure.add_axes((left, top - upper, width, upper))
        below = figure.add_axes((left, top - upper - lower - 0.06 / height / bands, width, lower))
        title = _curve(above, curve, rows, alpha)
        fit_titles([title], PAGE_WIDTH * (1 - _LEFT) / _COLUMNS)
        _matrix(below, rows, found)
    return figure


def _rows_of(multiverse: pd.DataFrame, curve: pd.Series) -> pd.DataFrame:
    """The tested specifications of a curve, in order of effect."""
    here = np.logical_and.reduce([multiverse[key] == curve[key] for key in CELL])
    rows = multiverse[here & multiverse["p"].notna().to_numpy()].copy()
    rows["covariates"] = rows["covariates"].fillna("none").str.replace(",", ", ")
    rows["metric"] = [metric(name).label for name in rows["metric"]]
    return rows.sort_values(["effect", "p"], kind="stable").reset_index(drop=True)


def _choices(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """(stage, choice) of every stage that varies, the main choice first."""
    found: list[tuple[str, str]] = []
    for stage in STAGES:
        values = rows[stage].dropna()
        if values.nunique() < 2:
            continue
        chosen = rows.loc[rows["main"] == "yes", stage]
        ordered = list(dict.fromkeys([*chosen, *sorted(values.unique(), key=str)]))
        found += [(stage, str(value)) for value in ordered]
    return found


def _curve(axes: Any, curve: pd.Series, rows: pd.DataFrame, alpha: float) -> Text:
    """Draw the effects; the title, for its size."""
    x = np.arange(len(rows))
    effects = rows["effect"].to_numpy(float)
    main = float(curve["effect_main"])
    passed = (rows["p"].to_numpy(float) < alpha) & (np.sign(effects) == np.sign(main))
    counted = (rows["counted"] == "yes").to_numpy()
    size = np.clip(160 / max(len(rows), 1), 3, 13)
    colour = PALETTE["blue"]
    axes.axhline(0, color=FAINT, linewidth=0.7)
    for which, edge in ((~counted, NOT_COUNTED), (counted, colour)):
        for here, face in ((which & passed, edge), (which & ~passed, "white")):
            axes.scatter(
                x[here], effects[here], s=size, facecolor=face, edgecolor=edge, linewidth=0.5,
                zorder=3,
            )  # fmt: skip
    own = np.flatnonzero(rows["main"] == "yes")
    axes.scatter(
        x[own], effects[own], s=42, facecolor="none", edgecolor=PALETTE["vermilion"], zorder=4
    )
    low, high = min(0.0, effects.min(initial=0)), max(0.0, effects.max(initial=0))
    margin = 0.12 * max(high - low, 0.1)
    axes.set_ylim(low - margin, high + margin)
    axes.set_xlim(-0.7, len(rows) - 0.3)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_ylabel("ρ" if curve["effect_name"] == "rho" else "Cliff's δ")
    star = " ★" if curve["origin"] != "cohort" else ""
    name = region_label(curve["region"], curve["hemisphere"])
    title = axes.set_title(
        f"{name[:1].upper()}{name[1:]}, {FAMILY_LABELS[curve['family']].lower()}{star}", loc="left",
        pad=13,
    )  # fmt: skip
    same, passing, tested = (
        int(curve[key]) for key in ("n_same_sign", "n_significant", "n_tested")
    )
    summary = f"{same} of {tested} same sign, {passing} p < {format_coefficient(alpha)}"
    if np.isfinite(curve["p_median"]):
        summary += f";  {format_p(curve['p_median'], 'p (curve)')}"
    axes.annotate(summary, (0, 1), (0, 3), "axes fraction", "offset points", fontsize=6.2)
    return title


def _matrix(axes: Any, rows: pd.DataFrame, choices: list[tuple[str, str]]) -> None:
    many = len(rows) > 60
    stages: list[str] = []
    for line, (stage, choice) in enumerate(choices):
        if stage not in stages:
            stages.append(stage)
        here = np.flatnonzero(rows[stage].astype(str) == choice)
        colour = INK if len(stages) % 2 else PALETTE["blue"]
        axes.scatter(
            here, np.full(len(here), line), s=8 if many else 5, marker="|" if many else "o",
            color=colour, linewidth=0.4,
        )  # fmt: skip
    axes.set_ylim(len(choices) - 0.4, -0.6)
    axes.set_xlim(-0.7, len(rows) - 0.3)
    axes.set_xticks([])
    first = {stage: [key for key, _ in choices].index(stage) for stage in stages}
    labels = [
        f"{STAGES[stage]}: {choice}" if first[stage] == line else choice
        for line, (stage, choice) in enumerate(choices)
    ]
    axes.set_yticks(range(len(choices)), labels, fontsize=5.6)
    axes.tick_params(axis="y", length=0, pad=2)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    for line in first.values():
        if line:
            axes.axhline(line - 0.5, color=FAINT, linewidth=0.3)
    low, high = rows["n"].min(), rows["n"].max()
    n = f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"
    axes.set_xlabel(f"{len(rows)} specifications, by effect; n = {n}", labelpad=1)
