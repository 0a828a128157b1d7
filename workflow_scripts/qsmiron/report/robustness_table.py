"""How far the headline findings depend on choices and on single patients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..figures.wording import (
    FAMILY_LABELS,
    format_coefficient,
    format_p,
    format_probability,
    region_label,
    score_name,
)

KEYS = ["kind", "name", "region", "hemisphere", "family"]
HEADER = [
    "Finding", "Effect", "Over all choices", "Same sign", "p < α", "p (curve)",
    "Without any one participant", "p", "Most influential",
]  # fmt: skip

# keeps a value on one line
_NBSP = "\u00a0"


def robustness_table(curves: pd.DataFrame, influence: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without headline findings.

    ``curves`` and ``influence`` are the tables ``specification_curves`` and ``influence``.
    """
    if curves.empty:
        return []
    rows = [HEADER]
    for _, curve in curves.iterrows():
        here = np.logical_and.reduce([influence[key] == curve[key] for key in KEYS])
        symbol = "ρ" if curve["effect_name"] == "rho" else "δ"
        tested = int(curve["n_tested"])
        rows.append(
            [
                _finding(curve),
                f"{symbol}{_NBSP}={_NBSP}{format_coefficient(curve['effect_main'])}, "
                + format_p(curve["p_main"]).replace(" ", _NBSP),
                _range(curve["effect_low"], curve["effect_high"]),
                f"{int(curve['n_same_sign'])}{_NBSP}of{_NBSP}{tested}",
                f"{int(curve['n_significant'])}{_NBSP}of{_NBSP}{tested}",
                format_probability(curve["p_median"]),
                *_influence(influence[here]),
            ]
        )
    return rows


def _finding(curve: pd.Series) -> str:
    who = str(curve["name"])
    if curve["kind"] == "score":
        who = score_name(who)
    star = " ★" if curve["origin"] != "cohort" else ""
    where = region_label(curve["region"], curve["hemisphere"])
    return f"{FAMILY_LABELS[curve['family']]}, {where}, {who}{star}"


def _influence(rows: pd.DataFrame) -> list[str]:
    """Ranges of effect and p without one patient, and who shifts the effect most."""
    rows = rows[rows["p_without"].notna()]
    if rows.empty:
        return ["n/a"] * 3
    shift = (rows["effect_without"] - rows["effect"]).abs()
    low, high = (format_probability(p) for p in (rows["p_without"].min(), rows["p_without"].max()))
    return [
        _range(rows["effect_without"].min(), rows["effect_without"].max()),
        f"{low} to {high}",
        str(rows.loc[shift.idxmax(), "participant_id"]),
    ]


def _range(low: float, high: float) -> str:
    return f"{format_coefficient(low)} to {format_coefficient(high)}"
