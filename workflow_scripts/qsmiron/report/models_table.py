"""The terms of the models beyond two groups: how many regions pass, and the strongest of each."""

from __future__ import annotations

import pandas as pd

from ..figures.wording import format_coefficient, format_p, metric, region_label
from .headline_table import SETS

HEADER = ["Model", "Term", "Metric", "Regions", "p < .05", "q < .05", "p max-T < .05", "Smallest p"]


def models_table(tests: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without a model.

    ``tests`` is the table ``model_tests``; of several variants and atlases the first is shown, and
    of each family its primary metric.
    """
    tested = tests[tests["p"].notna() & tests["metric"].isin(SETS)]
    if tested.empty:
        return []
    keys = ["desc", "atlas"]
    tested = tested[(tested[keys] == tested[keys].iloc[0]).all(axis=1)]
    rows = [HEADER]
    for (model, term, name), part in tested.groupby(["model", "term", "metric"], sort=False):
        best = part.sort_values(["p", "region", "hemisphere"], kind="stable").iloc[0]
        where = region_label(best["region"], best["hemisphere"])
        rows.append(
            [
                str(model),
                str(term),
                metric(str(name)).label,
                str(len(part)),
                *(str(int((part[key] < 0.05).sum())) for key in ("p", "q", "p_maxt")),
                f"{where}: {format_p(best['p'])}, effect {format_coefficient(best['effect'])}",
            ]
        )
    return rows
