"""Change over time: of each question how many regions pass, and the strongest; repeatability."""

from __future__ import annotations

import pandas as pd

from ..figures.wording import format_coefficient, format_p, metric, region_label, shown_values
from .headline_table import SETS

HEADER = [
    "Question", "Term", "Test", "Metric", "n (scans)", "Regions", "p < .05", "q < .05",
    "p max-T < .05", "Smallest p",
]  # fmt: skip
REPEAT_HEADER = ["Metric", "n (scans)", "Regions", "Within-subject SD", "ICC(1,1)", "Detectable"]
TESTS = {"mixed_model": "mixed model", "rank_t": "ranks", "t": "linear"}


def change_table(tests: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without a test.

    ``tests`` is the table ``change``; of several variants and atlases the first is shown, and of
    each family its primary metric.
    """
    tested = _first_variant(tests[tests["p"].notna() & tests["metric"].isin(SETS)])
    rows = [HEADER] if len(tested) else []
    keys = ["model", "test", "term", "metric"]
    for (model, test, term, name), part in tested.groupby(keys, sort=False):
        best = part.sort_values(["p", "region", "hemisphere"], kind="stable").iloc[0]
        where = region_label(best["region"], best["hemisphere"])
        passed = [
            str(int((part[key] < 0.05).sum())) if part[key].notna().any() else "–"
            for key in ("p", "q", "p_maxt")
        ]
        rows.append(
            [
                str(model),
                str(term),
                TESTS.get(str(test), str(test)),
                metric(str(name)).label,
                f"{part['n'].max():.0f} ({part['n_scans'].max():.0f})",
                str(len(part)),
                *passed,
                f"{where}: {format_p(best['p'])}, {_effect(best)}",
            ]
        )
    return rows


def _effect(row: pd.Series) -> str:
    name = str(row["metric"])
    if not isinstance(row["unit"], str):
        return f"effect {format_coefficient(row['effect'])}"
    shown = metric(name)
    numbers = [
        f"{float(shown_values(name, row[key])):.3g}".replace("-", "−")
        for key in ("effect", "ci_low", "ci_high")
    ]
    unit = row["unit"].replace("ppm", "ppb") if shown.unit == "ppb" else row["unit"]
    return f"{numbers[0]} [{numbers[1]}, {numbers[2]}] {unit}"


def repeatability_rows(tests: pd.DataFrame) -> list[list[str]]:
    """Medians over the regions of each primary metric, header first; empty without repeats."""
    found = tests[(tests["test"] == "repeatability") & tests["effect"].notna()]
    found = _first_variant(found[found["metric"].isin(SETS)])
    rows = [REPEAT_HEADER] if len(found) else []
    for name, part in found.groupby("metric", sort=False):
        shown = metric(str(name))
        median = part.groupby("term")["effect"].median()
        sd, least = (
            f"{float(shown_values(str(name), median[key])):.3g} {shown.unit}".strip()
            for key in ("within_subject_sd", "smallest_detectable_change")
        )
        counts = f"{part['n'].max():.0f} ({part['n_scans'].max():.0f})"
        regions = str(part[["region", "hemisphere"]].drop_duplicates().shape[0])
        icc = format_coefficient(median["icc"])
        rows.append([shown.label, counts, regions, sd, icc, least])
    return rows


def _first_variant(rows: pd.DataFrame) -> pd.DataFrame:
    keys = ["desc", "atlas"]
    return rows if rows.empty else rows[(rows[keys] == rows[keys].iloc[0]).all(axis=1)]
