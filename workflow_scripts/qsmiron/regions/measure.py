"""All metrics of all regions of a scan, from its sorted values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .deposits import IronParameters, Threshold, deposits_by_region
from .distribution import shape
from .iron import Calibration, calibrate, iron_by_line, nucleus_of
from .label_table import Label
from .metrics import METRICS
from .relative import right_minus_left
from .sources import SourceRegions, median_and_spread
from .susceptibility import location
from .values import RegionValues, SortedRegions


def measure(
    scan: RegionValues,
    labels: Sequence[Label],
    parameters: IronParameters,
    age: float | None = None,
    thresholds: Mapping[int, Threshold] | None = None,
    r2star: SortedRegions | None = None,
    sources: SourceRegions | None = None,
    adjacent_white: np.ndarray | None = None,
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
    thresholds : mapping of label to Threshold (ppm), optional
        Without it the deposit metrics are NaN.
    r2star : SortedRegions, optional
        R2* (1/s) of the same regions.
    sources : SourceRegions, optional
        χ⁺ and χ⁻ (ppm) of the same regions; without them their metrics are NaN.
    adjacent_white : ndarray, shape (R,), optional
        Mean χ (ppm) of the white matter next to each region; without it there is no contrast of
        cortex with white matter.

    Returns
    -------
    metrics : dict of ndarray, shape (R,)
        In the metrics' units. ``chi_mean``, the means of R2* and of the sources, and what
        follows from the mean are weighted if the scan has weights, all others never. NaN for
        what a region lacks: everything without a voxel or with too little coverage; weighted
        means if all weights are 0; what :mod:`.distribution` leaves undefined;
        ``iron_calibrated`` without a usable line and in the nuclei that the line is fitted to,
        also where a composite is made of them.
    calibration : Calibration
    """
    n_regions = len(labels)
    metrics = {name: np.full(n_regions, np.nan) for name in METRICS}
    for region in range(n_regions):
        values = scan.chi.of(region).astype(np.float64)
        if values.size:
            for name, value in (location(values) | shape(values)).items():
                metrics[name][region] = value
            metrics["chi_mean"][region] = _mean(values, scan.chi.weights_of(region))
        if r2star is not None:
            metrics["r2star_mean"][region] = _mean(r2star.of(region), r2star.weights_of(region))
        for prefix, part in (sources.by_prefix if sources else {}).items():
            values = part.of(region).astype(np.float64)
            if values.size:
                metrics[f"{prefix}_mean"][region] = _mean(values, part.weights_of(region))
                for name, value in median_and_spread(values, prefix).items():
                    metrics[name][region] = value
    metrics["chi_right_left"] = right_minus_left(labels, metrics["chi_mean"])
    if adjacent_white is not None:
        metrics["chi_cortex_white"] = metrics["chi_mean"] - adjacent_white
    metrics["iron_line"] = iron_by_line(metrics["chi_mean"], parameters)
    calibration = calibrate(labels, metrics["chi_median"], age)
    metrics["iron_calibrated"] = calibration.iron(metrics["chi_mean"])
    metrics["iron_calibrated"][_of_nuclei(labels)] = np.nan
    if thresholds is not None:
        metrics |= deposits_by_region(scan, thresholds, parameters)
    return metrics, calibration


def _mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """Mean of a region's values; NaN without a value or a weight above 0."""
    if not values.size:
        return math.nan
    if weights is None:
        return float(values.mean(dtype=np.float64))
    weights = weights.astype(np.float64)
    total = weights.sum()
    return float((weights * values).sum() / total) if total > 0 else math.nan


def _of_nuclei(labels: Sequence[Label]) -> list[bool]:
    """Whether a region is a nucleus of the calibration, or a composite of nothing else."""
    nuclei = {label.index for label in labels if nucleus_of(label) is not None}
    return [set(label.members or (label.index,)) <= nuclei for label in labels]


def remarks(scan: RegionValues, labels: Sequence[Label], fit: Calibration) -> list[str]:
    """What of a scan is ``n/a`` that one might expect, in sentences for a log."""
    found = []
    empty = scan.chi.n_voxels == 0
    for which, what in (
        (empty, "without a voxel to measure"),
        (
            scan.chi.withheld & ~empty,
            f"with less than the minimum coverage of {scan.chi.minimum_coverage:g}",
        ),
    ):
        names = [f"{labels[i].name} {labels[i].hemisphere}" for i in np.flatnonzero(which)]
        if names:
            found.append(f"{len(names)} regions {what}: {', '.join(names)}")
    if fit.reason:
        found.append(f"iron_calibrated is n/a: {fit.reason}")
    return found
