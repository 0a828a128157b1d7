"""The slice viewer: means of χ, χ⁺ and χ⁻, labels and regions' effects, for the page's script.

Volumes travel as gzip in base64, so that the page stays one file. Their axes point to R, A and S
and their arrays run in C order; labels are on a grid of half the step of χ with the same first
voxel.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..figures.cells import one_variant
from ..figures.wording import (
    PPB_PER_PPM,
    format_coefficient,
    format_p,
    metric,
    region_label,
    score_name,
)
from ..registration.labels import carry_labels
from ..registration.routes import CoordinateRoute, read_template_map
from ..shared_columns import WITHOUT_T1W
from ..spaces import grid_points
from ..statistics.multiplicity import PRIMARY_METRICS
from ..template import TEMPLATE_NAME
from ..volumes import Volume, check_same_grid, read_json, read_volume, sidecar_path

CHI_STEP_PPB = 0.1
CHI_MISSING = -32768

WINDOWS_PPB = ((-50.0, 100.0), (-25.0, 50.0))
"""Grey windows that the page offers besides that of the figures: a mean is flatter than a scan."""

SOURCES = {
    "paramagnetic": ("χ⁺ (paramagnetic)", "chi_para_mean", ((0.0, 100.0), (0.0, 50.0))),
    "diamagnetic": ("χ⁻ (diamagnetic)", "chi_dia_mean", ((0.0, -100.0), (0.0, -50.0))),
}
"""Of each sign the map's name, its metric and grey windows: bright where there is much of it."""

MEASURES = {"contrast": "Cliff's δ", "score": "ρ"}
LEAST_LIMIT = 0.2

_COLOURS = np.linspace(0.1, 0.9, 33)
"""Places in the signed map: its darkest ends would be lost on dark χ."""


@dataclass(frozen=True)
class ViewerSources:
    """Files that the viewer is made of.

    ``mean_chi`` in template space (ppm, NaN where empty); the name of an ``atlas`` of the results,
    its ``labels`` and, if they belong to another template, the map to that (both are None where
    the template has no labels). ``mean_sources`` are the means of χ⁺ and χ⁻, by sign, in the same
    space.
    """

    mean_chi: Path
    atlas: str = ""
    labels: Path | None = None
    template_map: Path | None = None
    mean_sources: Mapping[str, Path] = field(default_factory=dict)


def slice_viewer(
    sources: ViewerSources,
    tests: pd.DataFrame,
    correlations: pd.DataFrame,
    regions: pd.DataFrame,
) -> dict[str, Any]:
    """What the template needs of the viewer: the script's data as ``json``, and words.

    ``tests``, ``correlations`` and ``regions`` are the group tables, of which the rows of one
    variant and of the viewer's atlas are shown (:func:`.cells.one_variant`), effects, p and q from
    the rigorous arm. Without labels there is χ alone.

    Raises
    ------
    InputError
        For an unreadable file.
    """
    chi = read_volume(sources.mean_chi, finite=False)
    tests, correlations, regions = (
        one_variant(table[table["atlas"] == sources.atlas])
        for table in (tests, correlations, regions)
    )
    measured = regions[regions["metric"] == "chi_mean"]
    cells = measured.drop_duplicates("index").sort_values("index")
    labels = None
    if sources.labels is not None and len(cells):
        labels = _labels(sources, chi, measured, cells["index"].to_numpy(int))
    if labels is None:
        cells = cells.iloc[:0]
    data = {
        "origin": chi.affine[:3, 3].tolist(),
        "chi": {
            "shape": chi.data.shape,
            "step": CHI_STEP_PPB,
            "missing": CHI_MISSING,
            "data": _packed(_in_steps(chi.data * PPB_PER_PPM)),
        },
        "sources": [
            _source(sign, path, chi, cells, regions) for sign, path in sources.mean_sources.items()
        ],
        "labels": None if labels is None else _packed(labels.astype("<u2")),
        "regions": _regions(cells, measured),
        "overlays": [
            *_overlays(tests, "contrast", "effect", cells),
            *_overlays(correlations, "score", "rho", cells),
        ],
        **_colours(),
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return {
        "json": text.replace("<", "\\u003c"),
        "n": read_json(sidecar_path(sources.mean_chi)).get("NumberOfParticipants", "all"),
        "space": TEMPLATE_NAME,
        "atlas": sources.atlas if len(cells) else "",
        "sources": bool(sources.mean_sources),
    }


def _source(
    sign: str, path: Path, chi: Volume, cells: pd.DataFrame, regions: pd.DataFrame
) -> dict[str, Any]:
    """A map of one sign as the page's script takes it, with each region's words."""
    name, primary, windows = SOURCES[sign]
    mean = read_volume(path, finite=False)
    check_same_grid(mean, chi, path)
    measured = _regions(cells, regions[regions["metric"] == primary])
    return {
        "name": name,
        "data": _packed(_in_steps(mean.data * PPB_PER_PPM)),
        "windows": windows,
        "measured": [words for _, words in measured],
    }


def _in_steps(ppb: np.ndarray) -> np.ndarray:
    limit = -CHI_MISSING - 1
    steps = np.clip(np.rint(np.nan_to_num(ppb) / CHI_STEP_PPB), -limit, limit)
    return np.where(np.isfinite(ppb), steps, CHI_MISSING).astype("<i2")


def _packed(data: np.ndarray) -> str:
    content = gzip.compress(np.ascontiguousarray(data).tobytes(), compresslevel=9, mtime=0)
    return base64.b64encode(content).decode()


def _labels(
    sources: ViewerSources, chi: Volume, measured: pd.DataFrame, indices: np.ndarray
) -> np.ndarray | None:
    """Labels on the fine grid as places in ``indices`` from 1; None if they are other regions."""
    atlas = read_volume(str(sources.labels), dtype=np.int32)
    # Where every scan has a segmentation of its own, nothing says that the image is numbered alike.
    carried = measured["labels_source"].isin(["atlas", "atlas" + WITHOUT_T1W]).any()
    if not carried and not np.isin(np.unique(atlas.data), [0, *indices]).all():
        return None
    shape = tuple(2 * length - 1 for length in chi.data.shape)
    affine = chi.affine @ np.diag([0.5, 0.5, 0.5, 1.0])
    onward = read_template_map(sources.template_map) if sources.template_map else None
    points = CoordinateRoute(grid_points(shape, affine), onward).centres()
    found = carry_labels(points, atlas)
    place = np.searchsorted(indices, found)
    known = indices[np.minimum(place, len(indices) - 1)] == found
    return np.where(known, place + 1, 0)


def _regions(cells: pd.DataFrame, measured: pd.DataFrame) -> list[list[str]]:
    """Name, and mean ± SD over the participants, of each region."""
    own = measured.groupby(["index", "participant_id"])["value"].mean() * PPB_PER_PPM
    by_index = own.groupby("index").agg(["mean", "std", "count"])
    rows = []
    for cell in cells.to_dict("records"):
        mean, sd, n = by_index.reindex([cell["index"]]).fillna(0).iloc[0]
        words = f"{mean:.1f} ± {sd:.1f} ppb (n = {n:.0f})" if n > 1 else "n/a"
        rows.append([region_label(cell["region"], cell["hemisphere"]), words.replace("-", "−")])
    return rows


def _overlays(
    table: pd.DataFrame, key: str, effect: str, cells: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """For each contrast or score and primary metric every region's effect, p, q and their words."""
    if cells.empty:
        return
    table = table[table["arm"] == "rigorous"]
    for name, rows in table.groupby(key, sort=False):
        first, second = "positive", "negative"
        title = score_name(str(name))
        if key == "contrast":
            levels = rows.iloc[0]
            title = f"{name}: {levels['level_1']} vs {levels['level_2']}"
            first, second = f"{levels['level_1']} higher", f"{levels['level_2']} higher"
        for primary in PRIMARY_METRICS.values():
            found = rows[rows["metric"] == primary].drop_duplicates("index").set_index("index")
            found = found.reindex(cells["index"])
            if not found[effect].notna().any():
                continue
            largest = float(np.ceil(10 * found[effect].abs().max()) / 10)
            yield {
                "question": title,
                "metric": metric(primary).label,
                "measure": MEASURES[key],
                "low": second,
                "high": first,
                "limit": max(LEAST_LIMIT, largest),
                "cells": [_cell(row, effect, MEASURES[key]) for _, row in found.iterrows()],
            }


def _cell(row: pd.Series, effect: str, measure: str) -> list[Any] | None:
    if not np.isfinite(row[effect]):
        return None
    words = f"{measure} = {format_coefficient(row[effect])}"
    words += f", {format_p(row['p'], 'adj. p')}, {format_p(row['q'], 'q')}"
    numbers = (
        round(float(row[key]), 5) if np.isfinite(row[key]) else None for key in (effect, "p", "q")
    )
    return [*numbers, words]


def _colours() -> dict[str, Any]:
    from matplotlib.colors import to_hex

    from ..figures.style import CHI_RANGE_PPB, SIGNED_MAP

    return {
        "windows": [CHI_RANGE_PPB, *WINDOWS_PPB],
        "signed": [to_hex(SIGNED_MAP(place)) for place in _COLOURS],
    }
