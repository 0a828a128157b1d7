"""All metrics of all regions of a scan, from its sorted values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .deposits import IronParameters, deposits_by_region
from .distribution import shape
from .iron import Calibration, calibrate, iron_by_line, nucleus_of
from .label_table import Label
from .metrics import METRICS
from .susceptibility import location
from .values import RegionValues, SortedRegions


def measure(
    scan: RegionValues,
    labels: Sequence[Label],
    parameters: IronParameters,
    age: float | None = None,
    thresholds: Mapping[int, float] | None = None,
    r2star: SortedRegions | None = None,
) -> tuple[dict[str, np.ndarray], Calibration]:
    """Every metric of :data:`.metrics.METRICS` for every region.

    Parameters
    ----------
    scan : RegionValues
        With R regions.
    labels : sequence of Label, length R
        The label table, in the order of ``scan.chi.index``.
    age : float or None
        Years, for ``iron_calibrated``.
    thresholds : mapping of label to ppm, optional
        Without it the deposit metrics are NaN.
    r2star : SortedRegions, optional
        R2* (1/s) of the same regions.

    Returns
    -------
    metrics : dict of ndarray, shape (R,)
        In the metrics' units. NaN for what a region lacks: everything without a voxel; what
        :mod:`.distribution` leaves undefined; ``iron_calibrated`` without a usable line and in
        the nuclei that the line is fitted to.
    calibration : Calibration
    """
    n_regions = len(labels)
    metrics = {name: np.full(n_regions, np.nan) for name in METRICS}
    for region in range(n_regions):
        values = scan.chi.of(region).astype(np.float64)
        if values.size:
            for name, value in (location(values) | shape(values)).items():
                metrics[name][region] = value
        if r2star is not None and r2star.n_voxels[region]:
            metrics["r2star_mean"][region] = r2star.of(region).mean(dtype=np.float64)
    metrics["iron_line"] = iron_by_line(metrics["chi_mean"], parameters)
    calibration = calibrate(labels, metrics["chi_median"], age)
    metrics["iron_calibrated"] = calibration.iron(metrics["chi_mean"])
    metrics["iron_calibrated"][[nucleus_of(label) is not None for label in labels]] = np.nan
    if thresholds is not None:
        metrics |= deposits_by_region(scan, thresholds, parameters)
    return metrics, calibration


def remarks(scan: RegionValues, labels: Sequence[Label], fit: Calibration) -> list[str]:
    """What of a scan is ``n/a`` that one might expect, in sentences for a log."""
    found = []
    empty = [
        f"{labels[i].name} {labels[i].hemisphere}" for i in np.flatnonzero(scan.chi.n_voxels == 0)
    ]
    if empty:
        found.append(f"{len(empty)} regions without a voxel to measure: {', '.join(empty)}")
    if fit.reason:
        found.append(f"iron_calibrated is n/a: {fit.reason}")
    return found
