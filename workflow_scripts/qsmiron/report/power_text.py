"""What a cohort of this size could have found, in words."""

from __future__ import annotations

import pandas as pd

from ..figures.wording import format_coefficient, score_name
from ..statistics.multiplicity import PRIMARY_METRICS
from ..statistics.power import detectable_correlation, detectable_difference

LEVEL = 0.05
ABSENCE = "A p above .05 is no evidence of absence."


def power_words(tests: pd.DataFrame | None, correlations: pd.DataFrame | None) -> str:
    """The smallest effects with 80 % power, for one test and corrected over its set.

    Tables are ``group_tests`` and ``correlations``. Cells differ where values are missing; the
    most participants count, so that this is the best case.
    """
    named: dict[str, list[str]] = {}
    for contrast, rows in _primary(tests, "contrast"):
        n_1, n_2 = (0 if rows[key].isna().all() else int(rows[key].max()) for key in ("n_1", "n_2"))
        found = detectable_difference(n_1, n_2)
        corrected = detectable_difference(n_1, n_2, LEVEL / _regions(rows))
        if found is not None and corrected is not None:
            words = (
                f"{n_1} against {n_2} have 80 % power only for d of at least "
                f"{found.d:.2f} (Cliff's δ {format_coefficient(found.delta)}), corrected over "
                f"{_regions(rows)} regions {corrected.d:.2f} "
                f"(δ {format_coefficient(corrected.delta)})"
            )
            named.setdefault(words, []).append(str(contrast))
    for score, rows in _primary(correlations, "score"):
        n = 0 if rows["n"].isna().all() else int(rows["n"].max())
        rho = detectable_correlation(n)
        corrected = detectable_correlation(n, LEVEL / _regions(rows))
        if rho is not None and corrected is not None:
            words = (
                f"{n} participants for |ρ| of at least {format_coefficient(rho)}, corrected "
                f"{format_coefficient(corrected)}"
            )
            named.setdefault(words, []).append(score_name(str(score)))
    if not named:
        return ABSENCE
    lines = "; ".join(f"{words} ({', '.join(names)})" for words, names in named.items())
    return (
        f"Power: {lines}, at p < .05 in one region, or corrected over the regions of a set "
        f"(Bonferroni), in normal data; rank tests need effects 2 to 3 % larger. {ABSENCE}"
    )


def _regions(rows: pd.DataFrame) -> int:
    """The most tests of one correction set, at least 1."""
    sets = rows[rows["p"].notna()].groupby(["desc", "atlas", "metric"], dropna=False)
    return int(max(sets.size().max(), 1)) if len(sets) else 1


def _primary(table: pd.DataFrame | None, key: str) -> list[tuple[str, pd.DataFrame]]:
    if table is None or table.empty:
        return []
    kept = (table["arm"] == "replication") & table["metric"].isin(PRIMARY_METRICS.values())
    return list(table[kept].groupby(key, sort=False))
