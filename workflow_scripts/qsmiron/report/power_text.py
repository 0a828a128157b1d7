"""What a cohort of this size could have found, in words."""

from __future__ import annotations

import pandas as pd

from ..figures.wording import format_coefficient, score_name
from ..statistics.multiplicity import PRIMARY_METRICS
from ..statistics.power import detectable_correlation, detectable_difference

ABSENCE = "A p above .05 is no evidence of absence."


def power_words(tests: pd.DataFrame | None, correlations: pd.DataFrame | None) -> str:
    """The smallest effects with 80 % power, from the numbers of patients in the tests.

    Tables are ``group_tests`` and ``correlations``. Cells differ where values are missing; the
    most patients count, so that this is the best case.
    """
    named: dict[str, list[str]] = {}
    for contrast, rows in _primary(tests, "contrast"):
        n_1, n_2 = (0 if rows[key].isna().all() else int(rows[key].max()) for key in ("n_1", "n_2"))
        found = detectable_difference(n_1, n_2)
        if found is not None:
            words = (
                f"{n_1} against {n_2} patients have 80 % power only for d of at least "
                f"{found.d:.2f} (Cliff's δ {format_coefficient(found.delta)})"
            )
            named.setdefault(words, []).append(str(contrast))
    for score, rows in _primary(correlations, "score"):
        n = 0 if rows["n"].isna().all() else int(rows["n"].max())
        rho = detectable_correlation(n)
        if rho is not None:
            words = f"{n} patients for |ρ| of at least {format_coefficient(rho)}"
            named.setdefault(words, []).append(score_name(str(score)))
    if not named:
        return ABSENCE
    lines = "; ".join(f"{words} ({', '.join(names)})" for words, names in named.items())
    return (
        f"Power: {lines}, at p < .05 in one region, without any correction, in normal data; rank "
        f"tests need effects 2 to 3 % larger. {ABSENCE}"
    )


def _primary(table: pd.DataFrame | None, key: str) -> list[tuple[str, pd.DataFrame]]:
    if table is None or table.empty:
        return []
    kept = (table["arm"] == "replication") & table["metric"].isin(PRIMARY_METRICS.values())
    return list(table[kept].groupby(key, sort=False))
