"""How far a susceptibility map or a field is from its truth: the metrics of the QSM field.

Maps are in ppm, region errors in ppb; ``mask`` (boolean) is where both maps are judged. Every
metric takes the mean in the mask off both maps first: susceptibility is relative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

PPB_PER_PPM = 1000.0
HFEN_SIGMA_VOXELS = 1.5
XSIM_WINDOW_VOXELS = 5
XSIM_RANGE_PPM, XSIM_K1, XSIM_K2 = 1.0, 0.01, 0.001
SMALLEST_REGION_VOXELS = 10
SMOOTH_SIGMA_VOXELS = 4.0
SHELLS_MM = (3.0, 10.0)

Pairs = Sequence[tuple[int, int]]


def nrmse(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    """Normalised root-mean-square error, 100·‖x − y‖ / ‖y‖ (%), both demeaned in the mask.

    QSM Challenge 2.0 Committee, Magn Reson Med 2021, doi 10.1002/mrm.28754.
    """
    found, truth = _demeaned_values(x, mask), _demeaned_values(y, mask)
    return float(100 * np.linalg.norm(found - truth) / np.linalg.norm(truth))


def detrended_nrmse(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    """dNRMSE (%): NRMSE of (x − b)/a, with x = a·y + b fitted by least squares in the mask.

    It forgives a wrong scale, and nothing else (QSM Challenge 2.0, doi 10.1002/mrm.28754).
    """
    found, truth = _demeaned_values(x, mask), _demeaned_values(y, mask)
    slope = found @ truth / (truth @ truth)
    return float(100 * np.linalg.norm(found / slope - truth) / np.linalg.norm(truth))


def hfen(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    """High-frequency error norm (%): NRMSE after a Laplacian of Gaussian, σ = 1.5 voxels.

    The maps are demeaned in the mask and 0 around it when they are filtered, so that the step at
    the rim counts too, as is usual. Ravishankar & Bresler, IEEE Trans Med Imaging 2011,
    doi 10.1109/TMI.2010.2090538.
    """
    box = _box(mask, margin=round(4 * HFEN_SIGMA_VOXELS))
    inside = mask[box]
    found, truth = (
        ndimage.gaussian_laplace(_demeaned_map(data[box], inside), HFEN_SIGMA_VOXELS)
        for data in (x, y)
    )
    return nrmse(found, truth, inside)


def xsim(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    """XSIM (1 = equal): SSIM of the maps in ppm with L = 1, K1 = 0.01, K2 = 0.001.

    The mean over the mask of (2μxμy + C1)(2σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2)) with
    Ci = (Ki·L)²; moments over a uniform window of 5³ voxels, divided by their number N, not by
    N − 1. The maps are demeaned in the mask and 0 around it. Milovic et al., Magn Reson Med 2025,
    doi 10.1002/mrm.30271.
    """
    box = _box(mask, margin=XSIM_WINDOW_VOXELS // 2)
    inside = mask[box]
    found, truth = (_demeaned_map(data[box], inside) for data in (x, y))

    def mean(data: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(data, XSIM_WINDOW_VOXELS)

    c1, c2 = (XSIM_K1 * XSIM_RANGE_PPM) ** 2, (XSIM_K2 * XSIM_RANGE_PPM) ** 2
    mean_x, mean_y = mean(found), mean(truth)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    covariance = mean(found * truth) - mean_x * mean_y
    variances = mean(found**2) - mean_x**2 + mean(truth**2) - mean_y**2
    structure = (2 * covariance + c2) / (variances + c2)
    return float((luminance * structure)[inside].mean())


@dataclass(frozen=True)
class RegionalAgreement:
    """OLS of region means on their truth: ``slope`` (1), ``residual_sd`` and ``error`` (ppb).

    ``residual_sd`` has n − 2 degrees of freedom; ``error`` = ``residual_sd`` / ``slope``, so that
    shrinking a map does not look like accuracy. ``n`` is the number of regions.
    """

    slope: float
    residual_sd: float
    error: float
    n: int


def region_means(data: np.ndarray, labels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean (ppm) of each label within the mask, indexed by label.

    NaN for the background (label 0) and where fewer than 10 voxels are left.
    """
    inside = labels[mask].astype(int)
    counts = np.bincount(inside, minlength=int(labels.max()) + 1)
    sums = np.bincount(inside, data[mask].astype(float), minlength=counts.size)
    known = counts >= SMALLEST_REGION_VOXELS
    known[0] = False
    return np.where(known, sums / np.maximum(counts, 1), np.nan)


def compare_regions(found: np.ndarray, truth: np.ndarray) -> RegionalAgreement:
    """Agreement of region means (ppm, NaN where there is none) with their truth.

    All NaN if fewer than three regions are known: then no residual is left.
    """
    known = np.isfinite(found) & np.isfinite(truth)
    n = int(known.sum())
    if n < 3:
        return RegionalAgreement(np.nan, np.nan, np.nan, n)
    x, y = truth[known] - truth[known].mean(), found[known] - found[known].mean()
    slope = float(x @ y / (x @ x))
    residual = float(np.sqrt(((y - slope * x) ** 2).sum() / (n - 2))) * PPB_PER_PPM
    return RegionalAgreement(slope, residual, residual / slope, n)


def difference_error(found: np.ndarray, truth: np.ndarray, pairs: Pairs) -> float:
    """Error (ppb) of differences between the regions of a pair, as an SD about zero.

    √ of the mean over pairs of ((found_i − found_j) − (truth_i − truth_j))². Differences of
    homologous or neighbouring regions are free of the smooth part of the error, which no background
    removal can tell from χ. Pairs with an unknown mean (NaN) are left out; NaN if none remains.
    """
    if not len(pairs):
        return np.nan
    first, second = np.asarray(pairs, int).T
    errors = (found[first] - found[second]) - (truth[first] - truth[second])
    errors = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(errors**2))) * PPB_PER_PPM if errors.size else np.nan


def neighbouring_regions(labels: np.ndarray, reach: int = 1) -> list[tuple[int, int]]:
    """Pairs of labels (smaller first) at most ``reach`` voxels apart along an array axis.

    A chance contact of fewer than 10 pairs of voxels does not count.
    """
    size = int(labels.max()) + 1
    contacts = np.zeros(size * size, int)
    for axis in range(3):
        for step in range(1, reach + 1):
            ahead = np.moveaxis(labels, axis, 0)[step:].astype(int)
            behind = np.moveaxis(labels, axis, 0)[:-step].astype(int)
            met = (ahead > 0) & (behind > 0) & (ahead != behind)
            low, high = np.minimum(ahead, behind)[met], np.maximum(ahead, behind)[met]
            contacts += np.bincount(low * size + high, minlength=size * size)
    enough = np.flatnonzero(contacts >= SMALLEST_REGION_VOXELS)
    return [(int(pair // size), int(pair % size)) for pair in enough]


def smooth_error(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    """SD (ppb) of the error after a Gaussian of σ = 4 voxels, normalised in the mask."""
    box = _box(mask, margin=round(4 * SMOOTH_SIGMA_VOXELS))
    inside = mask[box]
    share = ndimage.gaussian_filter(inside.astype(float), SMOOTH_SIGMA_VOXELS)
    error = _demeaned_map(x[box], inside) - _demeaned_map(y[box], inside)
    smooth = ndimage.gaussian_filter(error, SMOOTH_SIGMA_VOXELS)[inside] / share[inside]
    return float(smooth.std()) * PPB_PER_PPM


def depth_errors(
    x: np.ndarray, y: np.ndarray, mask: np.ndarray, edges: Sequence[float]
) -> tuple[float, float, float]:
    """Root-mean-square errors (ppb) at 0–3, 3–10 and more mm under the mask's surface.

    ``edges`` of a voxel in mm; both maps are demeaned in the whole mask. NaN where there is nothing
    so deep.
    """
    box = _box(mask, margin=1)
    inside = mask[box]
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=edges)[1:-1, 1:-1, 1:-1]
    square = (_demeaned_values(x, mask) - _demeaned_values(y, mask)) ** 2
    shells = np.searchsorted(SHELLS_MM, depth[inside], side="left")
    counts = np.bincount(shells, minlength=3)
    means = np.bincount(shells, square, minlength=3) / np.where(counts, counts, np.nan)
    rim, middle, inner = np.sqrt(means) * PPB_PER_PPM
    return float(rim), float(middle), float(inner)


@dataclass(frozen=True)
class Judged:
    """What maps are compared with: the true χ (ppm), its regions, and where they are judged.

    ``voxel_size`` in mm. ``homologous`` are the labels of the same structure on both sides,
    ``neighbours`` those of regions side by side, ``deep`` the deep grey matter's. Regional metrics
    are NaN without labels, those of cortex too where no label is said to be deep.
    """

    chi: np.ndarray
    labels: np.ndarray
    mask: np.ndarray
    voxel_size: Sequence[float]
    homologous: Pairs = ()
    neighbours: Pairs = ()
    deep: Sequence[int] = ()


def compare_maps(found: np.ndarray, judged: Judged) -> dict[str, float]:
    """Every metric of a susceptibility map (ppm), by the name of its column in the benchmark."""
    truth, mask = judged.chi, judged.mask
    means, true_means = (region_means(data, judged.labels, mask) for data in (found, truth))
    regional = compare_regions(means, true_means)
    is_deep = np.isin(np.arange(len(means)), judged.deep)
    deep = compare_regions(np.where(is_deep, means, np.nan), true_means)
    surface = np.nan if not len(judged.deep) else np.where(is_deep, np.nan, means)
    cortex = compare_regions(surface * np.ones(len(means)), true_means)
    rim, middle, inner = depth_errors(found, truth, mask, judged.voxel_size)
    return {
        "nrmse": nrmse(found, truth, mask),
        "dnrmse": detrended_nrmse(found, truth, mask),
        "hfen": hfen(found, truth, mask),
        "xsim": xsim(found, truth, mask),
        "slope": regional.slope,
        "residual_sd": regional.residual_sd,
        "regional_error": regional.error,
        "deep_slope": deep.slope,
        "deep_residual_sd": deep.residual_sd,
        "cortex_slope": cortex.slope,
        "cortex_residual_sd": cortex.residual_sd,
        "left_right_error": difference_error(means, true_means, judged.homologous),
        "neighbour_error": difference_error(means, true_means, judged.neighbours),
        "smooth_error": smooth_error(found, truth, mask),
        "rim_error": rim,
        "middle_error": middle,
        "inner_error": inner,
    }


def _demeaned_values(data: np.ndarray, mask: np.ndarray) -> np.ndarray:
    values = data[mask].astype(float)
    return values - values.mean()


def _demeaned_map(data: np.ndarray, mask: np.ndarray) -> np.ndarray:
    result = np.zeros(mask.shape)
    result[mask] = _demeaned_values(data, mask)
    return result


def _box(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    """The mask's bounding box plus ``margin``: the filters need see no farther."""
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(slice(max(0, part.start - margin), part.stop + margin) for part in found)
