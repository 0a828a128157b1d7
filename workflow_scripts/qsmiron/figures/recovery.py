"""Planted against recovered effects of the demo cohort, as a forest plot of their ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .style import FAINT, INK, PAGE_WIDTH, PALETTE, paper_style
from .wording import format_coefficient, format_probability, metric, region_label, score_name

HEADINGS = ("planted", "recovered", "p\nplanted", "p\nrecovered", "p\nreported")
RATIO_LIMITS = (-1.0, 3.0)


def recovery_figure(recovery: pd.DataFrame) -> tuple[Any, str, str]:
    """Draw recovered / planted with its interval for each effect of the ``recovery`` table.

    Returns
    -------
    figure, title, caption
    """
    with paper_style():
        figure = _draw(recovery)
    right = int((recovery["same_sign"] == "yes").sum())
    judged = int(recovery["same_sign"].notna().sum())
    caption = (
        f"Ratio of the recovered to the planted effect with its 95 % bootstrap interval over "
        f"patients; 1: recovered in full, 0: lost. {right} of {judged} effects come back "
        "with their sign. Planted: from the true values of the simulation; recovered: from the "
        "simulated raw phase through the whole workflow. Differences are between group means; "
        "correlations are Spearman's ρ. Arrows: the interval reaches beyond the axis."
    )
    return figure, "Planted and recovered effects of the demo cohort", caption


def _draw(recovery: pd.DataFrame) -> Any:
    from matplotlib import pyplot as plt

    count = max(len(recovery), 1)
    figure, (axes, table) = plt.subplots(
        1, 2, figsize=(PAGE_WIDTH, 0.27 * count + 0.9), width_ratios=[1, 1.15], sharey=True
    )
    places = np.arange(len(recovery))[::-1]
    for place, (_, row) in zip(places, recovery.iterrows(), strict=True):
        _ratio(axes, place, row)
        for column, text in enumerate(_texts(row)):
            table.text(column, place, text, ha="center", va="center", fontsize=6.3)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_xlim(*RATIO_LIMITS)
    axes.set_ylim(-0.7, count - 0.3)
    axes.set_yticks(places, [_name(row) for _, row in recovery.iterrows()], fontsize=6.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("recovered / planted")
    table.set_axis_off()
    table.set_xlim(-0.5, len(HEADINGS) - 0.5)
    for column, text in enumerate(HEADINGS):
        table.text(column, count - 0.35, text, ha="center", va="bottom", fontsize=6.3,
                   fontweight="bold")  # fmt: skip
    figure.tight_layout(w_pad=0.5)
    return figure


def _ratio(axes: Any, place: float, row: pd.Series) -> None:
    colour = PALETTE["blue"] if row["same_sign"] == "yes" else PALETTE["vermilion"]
    low, high = (np.clip(row[end], *RATIO_LIMITS) for end in ("ratio_low", "ratio_high"))
    axes.plot([low, high], [place, place], color=colour, linewidth=1.4, solid_capstyle="butt")
    for end, limit, marker in (
        (row["ratio_low"], RATIO_LIMITS[0], "<"),
        (row["ratio_high"], RATIO_LIMITS[1], ">"),
    ):
        if np.isfinite(end) and (end - limit) * (1 if marker == ">" else -1) > 0:
            axes.plot([limit], [place], marker, color=colour, markersize=4, clip_on=False)
    if np.isfinite(row["ratio"]):
        axes.plot(
            [np.clip(row["ratio"], *RATIO_LIMITS)], [place], "o", color=colour, markersize=5,
            markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip


def _name(row: pd.Series) -> str:
    region = region_label(row["region"], row["hemisphere"])
    who = row["contrast_or_score"]
    against = f" ~ {score_name(who)}" if row["measure"] == "rho" else f", {who}"
    return f"{metric(row['metric']).label}, {region}{against}"


def _texts(row: pd.Series) -> list[str]:
    shown = metric(row["metric"])

    def amount(value: float) -> str:
        if not np.isfinite(value):
            return "n/a"
        if row["measure"] == "rho":
            return "ρ " + format_coefficient(value)
        per = "/year" if str(row["unit"]).endswith("/year") else ""
        return f"{value * shown.factor:+.1f} {shown.unit}{per}".replace("-", "−").strip()

    return [
        amount(row["planted"]),
        amount(row["recovered"]),
        *(format_probability(row[key]) for key in ("p_planted", "p_recovered", "p_reported")),
    ]
