"""How far patients lie from controls, summed up: which regions, how many patients."""

from __future__ import annotations

import pandas as pd

from ..figures.wording import metric, region_label

HEADER = ["Metric", "Controls", "Region", "Mean z", "Patients with p < .05"]
SHOWN = 5
"""Regions of each metric, by |mean z|."""


def deviations_table(deviations: pd.DataFrame) -> list[list[str]]:
    """Rows of the table, header first; empty without deviations, with reasons where none is known.

    ``deviations`` is the table of that name; of several variants and atlases the first is shown.
    """
    tested = deviations[deviations["p"].notna()]
    if tested.empty:
        reasons = list(dict.fromkeys(deviations["reason"].dropna()))
        return (
            [["No patient could be compared"], *([one] for one in reasons[:3])] if reasons else []
        )
    keys = ["desc", "atlas"]
    tested = tested[(tested[keys] == tested[keys].iloc[0]).all(axis=1)]
    rows = [HEADER]
    for name, part in tested.groupby("metric", sort=False):
        cells = part.groupby(["region", "hemisphere"], sort=False)
        means = cells["z"].mean().sort_values(key=abs, ascending=False)
        for region, hemisphere in means.index[:SHOWN]:
            here = cells.get_group((region, hemisphere))
            rows.append(
                [
                    metric(str(name)).label,
                    f"{here['n_controls'].max():.0f}",
                    region_label(region, hemisphere),
                    f"{here['z'].mean():+.2f}".replace("-", "−"),
                    f"{(here['p'] < 0.05).sum()} of {len(here)}",
                ]
            )
    return rows
