"""Whether the calibration lines go with a contrast or score, beside what they are divided by."""

from __future__ import annotations

import pandas as pd

from ..figures.wording import format_coefficient, format_probability, score_name

HEADER = ["Contrast or score", "Line", "n", "Effect", "p", "adj. p", "adj. p perm."]


def calibration_table(lines: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without tests of the lines.

    ``lines`` is the table ``calibration_tests``; of several variants the first is shown.
    """
    if lines.empty:
        return []
    first = lines[(lines[["desc", "atlas"]] == lines[["desc", "atlas"]].iloc[0]).all(axis=1)]
    rows = [HEADER]
    for (kind, name, parameter), both in first.groupby(["kind", "name", "parameter"], sort=False):
        raw, adjusted = (both[both["arm"] == arm].iloc[0] for arm in ("replication", "rigorous"))
        symbol = "ρ" if kind == "score" else "δ"
        rows.append(
            [
                score_name(name) if kind == "score" else name,
                parameter,
                f"{raw['n']:.0f}",
                f"{symbol} = {format_coefficient(raw['effect'])}",
                *(format_probability(p) for p in (raw["p"], adjusted["p"], adjusted["p_perm"])),
            ]
        )
    return rows
