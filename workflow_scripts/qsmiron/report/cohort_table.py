"""Table one: the cohort, as a whole and by the levels of a contrast."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..figures.contrast_groups import Groups
from ..figures.wording import format_probability, score_label

NUMERIC = (
    "age", "months_since_onset", "alsfrs_r", "delta_fs", "alsfrs_r_followup", "umn_score",
    "ecas_total", "ecas_als_specific", "ecas_nonspecific", "kings_stage", "mitos_stage",
)  # fmt: skip


def cohort_table(participants: pd.DataFrame, groups: Groups) -> list[list[str]]:
    """Rows of table one: header first; columns: item, all, each level, p.

    Numbers are mean ± SD (n where values are missing); p from Mann-Whitney, for sex from Fisher's
    exact test, uncorrected.
    """
    table = participants.set_index("participant_id")
    parts = [table, *(table.loc[[who for who in ids if who in table.index]]
                      for ids in groups.values())]  # fmt: skip
    rows = [["", "All", *groups, "p"], ["Participants", *(str(len(part)) for part in parts), ""]]
    if "sex" in table:
        rows.append(_sex(parts))
    rows.extend(_numeric(name, parts) for name in NUMERIC if name in table)
    return rows


def _sex(parts: list[pd.DataFrame]) -> list[str]:
    from scipy.stats import fisher_exact

    known = [part["sex"].dropna().astype(str).str.upper() for part in parts]
    # of those who have a letter: BIDS knows other and unknown as well
    male = [found[found.str[:1].isin(["M", "F", "O"])].str.startswith("M") for found in known]
    counts = [[int(found.sum()), int((~found).sum())] for found in male]
    p = fisher_exact(counts[1:])[1] if len(counts) == 3 else float("nan")
    cells = [
        f"{men} ({100 * men / max(men + others, 1):.0f} %)"
        + (f" (n = {men + others})" if men + others < len(part) else "")
        for (men, others), part in zip(counts, parts, strict=True)
    ]
    return ["Male", *cells, format_probability(p)]


def _numeric(name: str, parts: list[pd.DataFrame]) -> list[str]:
    from scipy.stats import mannwhitneyu

    values = [pd.to_numeric(part[name], errors="coerce").to_numpy(float) for part in parts]
    there = [found[np.isfinite(found)] for found in values]
    cells = []
    for found, part in zip(there, parts, strict=True):
        spread = f"{found.mean():.1f} ± {found.std(ddof=1):.1f}" if len(found) > 1 else "n/a"
        cells.append(spread + (f" (n = {len(found)})" if len(found) < len(part) else ""))
    enough = len(there) == 3 and min(len(there[1]), len(there[2])) > 0
    p = mannwhitneyu(there[1], there[2])[1] if enough else float("nan")
    return [score_label(name), *cells, format_probability(p)]
