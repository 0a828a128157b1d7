"""Which of the tests a figure shows, in words for its caption."""

from __future__ import annotations

import pandas as pd


def shown_rows(shown: pd.DataFrame, tests: pd.DataFrame) -> str:
    """``Atlas DK.``, or ``Atlas DK, variant main.`` where ``tests`` are of several variants.

    ``shown`` are the rows of ``tests`` that the figure shows; nothing is said of no row.
    """
    if shown.empty:
        return ""
    variant = f", variant {shown['desc'].iloc[0]}" if tests["desc"].nunique() > 1 else ""
    return f"Atlas {shown['atlas'].iloc[0]}{variant}. "
