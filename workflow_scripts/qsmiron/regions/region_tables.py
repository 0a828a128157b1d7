"""The tables of the regions stage: built from measured arrays, read, and put together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError, Problem
from ..tables import TABLES, read_table
from .deposits import Pooled, Threshold
from .distribution import PROBABILITIES, quantiles
from .iron import Calibration
from .label_table import Label
from .metrics import METRICS
from .values import SortedRegions, Who

KEYS: dict[str, list[str]] = {
    "regions": ["participant_id", "session", "desc", "atlas", "index", "metric"],
    "quantiles": ["participant_id", "session", "desc", "atlas", "index", "probability"],
    "calibration": ["participant_id", "session", "desc", "atlas"],
    "thresholds": ["desc", "atlas", "index"],
    "region_voxels": ["participant_id", "session", "desc", "atlas", "index"],
}
"""What tells the rows of a table apart, and their order when tables are gathered."""


def region_rows(
    who: Who,
    labels: Sequence[Label],
    metrics: Mapping[str, np.ndarray],
    chi: SortedRegions,
    r2star: SortedRegions | None = None,
) -> pd.DataFrame:
    """Rows of the table ``regions``: one per region and metric, whatever is missing.

    ``n_voxels`` counts the region's measured voxels, for ``r2star_mean`` those with an R2* value,
    also where too little coverage leaves no value; ``coverage`` is always the region's.
    ``metrics`` has arrays of shape (R,).
    """
    names = list(metrics)
    n_voxels = np.repeat(chi.n_voxels, len(names))
    if "r2star_mean" in metrics:
        rows = slice(names.index("r2star_mean"), None, len(names))
        n_voxels[rows] = 0 if r2star is None else r2star.n_voxels
    tiled = {
        "metric": names,
        "family": [METRICS[name].family for name in names],
        "unit": [METRICS[name].unit for name in names],
    }
    return pd.DataFrame(
        _identity(who)
        | {"labels_source": who.labels_source}
        | _cells(labels, len(names))
        | {key: list(column) * len(labels) for key, column in tiled.items()}
        | {
            "value": np.stack([metrics[name] for name in names], axis=1).ravel(),
            "n_voxels": n_voxels,
            "coverage": np.repeat(chi.coverage, len(names)),
        }
    )


def quantile_rows(who: Who, labels: Sequence[Label], chi: SortedRegions) -> pd.DataFrame:
    """Rows of the table ``quantiles``; all are missing in a region that has no values."""
    functions = np.full((len(labels), PROBABILITIES.size), np.nan)
    for region in range(len(labels)):
        values = chi.of(region)
        if values.size:
            functions[region] = quantiles(values.astype(np.float64), PROBABILITIES)
    return pd.DataFrame(
        _identity(who)
        | _cells(labels, PROBABILITIES.size)
        | {"probability": np.tile(PROBABILITIES, len(labels)), "chi": functions.ravel()}
    )


def voxel_rows(
    who: Who, labels: Sequence[Label], counts: Mapping[str, np.ndarray], voxel_volume: float
) -> pd.DataFrame:
    """Rows of the table ``region_voxels``: what became of each region's voxels.

    ``counts`` are those of :class:`.selection.Selection`; ``voxel_volume`` is in mm³.
    """
    whole = counts["label"] + counts["beyond"]
    return pd.DataFrame(
        _identity(who)
        | {"labels_source": who.labels_source}
        | _cells(labels, 1)
        | {f"n_{name}": count for name, count in counts.items()}
        | {
            "volume": whole * voxel_volume,
            "used_volume": counts["used"] * voxel_volume,
            "coverage": counts["reliable"] / np.maximum(whole, 1),
        }
    )


def calibration_row(who: Who, labels: Sequence[Label], fit: Calibration) -> pd.DataFrame:
    """The one row of a scan in the table ``calibration``."""

    def listed(items: Sequence[str]) -> str | None:
        return ",".join(items) or None

    nuclei = [labels[i] for i in fit.nuclei]
    row = {
        "age": math.nan if fit.age is None else fit.age,
        "slope": fit.slope,
        "intercept": fit.intercept,
        "r_squared": fit.r_squared,
        "n_nuclei": len(nuclei),
        "nucleus": listed([f"{nucleus.name}-{nucleus.hemisphere}" for nucleus in nuclei]),
        "expected_iron": listed([f"{value:.8g}" for value in fit.expected]),
        "measured_chi": listed([f"{value:.8g}" for value in fit.measured]),
        "reason": fit.reason or None,
    }
    return pd.DataFrame([_identity(who) | row])


def threshold_rows(who: Who, labels: Sequence[Label], pooled: Pooled) -> pd.DataFrame:
    """Rows of the table ``thresholds``; variant and atlas are those of ``who``."""
    # A threshold is a float32 from the data: nine digits give exactly that number back.
    raw, centred = (
        [None if math.isnan(value) else f"{value:.9g}" for value in thresholds]
        for thresholds in (pooled.chi, pooled.centred)
    )
    return pd.DataFrame(
        {"desc": who.desc, "atlas": who.atlas}
        | _cells(labels, 1)
        | {"threshold": raw, "threshold_centred": centred, "n_subjects": pooled.n_subjects}
    )


def read_thresholds(path: str | Path, who: Who) -> dict[int, Threshold]:
    """Thresholds (ppm) of each label; NaN where the table has ``n/a``.

    A table of your own needs the columns index and threshold only; without threshold_centred
    there are no centred deposits. With a column desc it is one of this workflow's, of which the
    rows of ``who``'s variant and atlas are taken.

    Raises
    ------
    InputError
        If there is no such row, a label occurs twice, or a threshold is no number.
    """
    table = read_table(path)
    absent = [name for name in ("index", "threshold") if name not in table.columns]
    if absent:
        raise InputError(
            Problem(
                str(path),
                f"no column {', '.join(absent)}",
                "the columns index and threshold (ppm)",
                "Make it with pool_thresholds.py, or add them.",
            )
        )
    if "desc" in table.columns:
        # Read as declared: a variant or atlas may be called 01.
        table = read_table(path, "thresholds")
        table = table[(table["desc"] == who.desc) & (table["atlas"] == who.atlas)]
    given = table.reindex(columns=["index", "threshold", "threshold_centred"])
    index, threshold, centred = (pd.to_numeric(given[key], errors="coerce") for key in given)
    wrong = index.isna() | index.duplicated() | (threshold.isna() & table["threshold"].notna())
    wrong |= centred.isna() & given["threshold_centred"].notna()
    if table.empty or wrong.any():
        found = (
            f"row {wrong.idxmax() + 2} with index {table['index'][wrong.idxmax()]}, threshold "
            f"{table['threshold'][wrong.idxmax()]}"
            if wrong.any()
            else f"no row of desc {who.desc}, atlas {who.atlas}"
        )
        raise InputError(
            Problem(str(path), found, "one number (ppm) or n/a for every label", "Mend the table.")
        )
    both = map(Threshold, threshold.tolist(), centred.tolist())
    return dict(zip(index.astype(int).tolist(), both, strict=True))


def gather(paths: Sequence[str | Path], name: str, desc: str | None = None) -> pd.DataFrame:
    """Put tables of one kind together, sorted by :data:`KEYS`; of ``desc`` only, if it is given.

    Metrics are in their own order, variants and atlases in that of the tables: the first one
    configured is the first that figures find.

    In ``regions`` a value takes the place of an ``n/a`` of the same cell, so that deposits that
    were counted later replace the rows that were waiting for them.

    Raises
    ------
    InputError
        If a table is not of that kind, or two rows give a value for one cell.
    """
    if not paths:  # no scan has labels
        return pd.DataFrame(columns=list(TABLES[name]))
    tables = (read_table(path, name) for path in paths)
    kept = (table[table["desc"] == desc] if desc else table for table in tables)
    table = pd.concat(list(kept), ignore_index=True)
    keys = KEYS[name]
    for key in ("desc", "atlas"):
        table[key] = pd.Categorical(table[key], table[key].dropna().unique(), ordered=True)
    if name == "regions":
        known = [*METRICS, *sorted(set(table["metric"].dropna()) - set(METRICS))]
        table["metric"] = pd.Categorical(table["metric"], known, ordered=True)
        waiting = table["value"].isna()
        taken = pd.MultiIndex.from_frame(table.loc[~waiting, keys])
        superseded = waiting & pd.MultiIndex.from_frame(table[keys]).isin(taken)
        repeated_gap = waiting & table.duplicated(keys)
        table = table[~(superseded | repeated_gap)]
    repeated = table.duplicated(keys)
    if repeated.any():
        first = table.loc[repeated.idxmax(), keys]
        cell = ", ".join(f"{key} {value}" for key, value in first.items() if pd.notna(value))
        raise InputError(
            Problem(
                ", ".join(map(str, paths)) if len(paths) < 4 else f"{len(paths)} tables",
                f"{cell} more than once ({int(repeated.sum())} such rows)",
                "every cell once",
                "Give the table of each scan once.",
            )
        )
    return table.sort_values(keys, kind="stable", na_position="first", ignore_index=True)


def _identity(who: Who) -> dict[str, str | None]:
    text = asdict(who)
    return {key: text[key] or None for key in ("participant_id", "session", "desc", "atlas")}


def _cells(labels: Sequence[Label], times: int) -> dict[str, np.ndarray]:
    """The columns that name a region, each region repeated ``times``."""
    return {
        "index": np.repeat([label.index for label in labels], times),
        "region": np.repeat(np.array([label.name for label in labels], dtype=object), times),
        "hemisphere": np.repeat([label.hemisphere for label in labels], times),
    }
