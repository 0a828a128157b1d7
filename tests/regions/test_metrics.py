"""Every metric against a plain loop over voxels, written without the library."""

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from qsmiron.regions.deposits import IronParameters, Threshold
from qsmiron.regions.distribution import PROBABILITIES, quantiles
from qsmiron.regions.label_table import Label
from qsmiron.regions.measure import measure, remarks
from qsmiron.regions.metrics import METRICS, SOURCE_FAMILIES
from qsmiron.regions.region_tables import quantile_rows, region_rows
from qsmiron.regions.values import RegionValues, Who, sort_by_region

NAMES = ["caudate", "putamen", "pallidum", "thalamus", "single", "constant", "outside", "absent"]
TABLE = [Label(5 * i + 4, name, "L") for i, name in enumerate(NAMES)]
MEANS = dict(zip(NAMES, [0.05, 0.06, 0.14, 0.01, -0.02, 0.0371, 0.0, 0.0], strict=True))
VOXEL_VOLUME = 6.0


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(11)
    shape = (14, 13, 12)
    labels = np.zeros(shape, dtype=np.int16)
    chi = np.zeros(shape, dtype=np.float32)
    slots = rng.permutation(labels.size)
    sizes = [211, 340, 97, 500, 1, 30, 25, 0]
    start = 0
    for label, size in zip(TABLE, sizes, strict=True):
        voxels = np.unravel_index(slots[start : start + size], shape)
        start += size
        labels[voxels] = label.index
        noise = rng.gamma(2.0, 0.01, size) if label.name != "constant" else 0.0
        chi[voxels] = MEANS[label.name] + noise
    mask = rng.random(shape) < 0.8
    mask[labels == 24] = True
    mask[labels == 34] = False
    r2star = rng.normal(25, 4, shape).astype(np.float32)
    return labels, chi, mask, r2star


THRESHOLDS = {
    label: Threshold(chi)
    for label, chi in {4: 0.06, 9: 0.08, 14: 0.5, 19: 0.02, 24: -0.5, 29: 0.01, 34: 0.01}.items()
}


def measured(case, **options):
    labels, chi, mask, r2star = case
    index = [label.index for label in TABLE]
    scan = RegionValues(Who("sub-01"), sort_by_region(labels, chi, mask, index), VOXEL_VOLUME)
    relaxation = sort_by_region(labels, r2star, mask, index)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics, fit = measure(
            scan, TABLE, IronParameters(), r2star=relaxation, **{"age": 60.0, **options}
        )
        rows = region_rows(scan.who, TABLE, metrics, scan.chi, relaxation)
    return scan, metrics, fit, rows


def naive(x, r2, threshold, line):
    n = len(x)
    ordered = sorted(x)
    mean = math.fsum(x) / n
    cut = n // 10
    kept = ordered[cut : n - cut]
    m2, m3, m4 = (math.fsum((v - mean) ** k for v in x) / n for k in (2, 3, 4))
    above = [v for v in x if v > threshold]
    return {
        "chi_mean": mean,
        "chi_median": float(np.percentile(x, 50)),
        "chi_trimmed_mean": math.fsum(kept) / len(kept),
        "chi_sd": math.sqrt(m2 * n / (n - 1)),
        "chi_iqr": float(np.percentile(x, 75) - np.percentile(x, 25)),
        "chi_skewness": m3 / m2**1.5,
        "chi_kurtosis": m4 / m2**2 - 3,
        "chi_p05": float(np.percentile(x, 5)),
        "chi_p95": float(np.percentile(x, 95)),
        "r2star_mean": math.fsum(r2) / n,
        "iron_line": mean * 1000 / 0.89,
        "iron_calibrated": (mean - line[1]) / line[0],
        "deposit_volume": len(above) * VOXEL_VOLUME,
        "deposit_fraction": len(above) / n,
        "deposit_mass": math.fsum((v * 1000 / 0.89) * 1.04 * (VOXEL_VOLUME * 1e-6) for v in above),
        "deposit_fraction_centred": math.nan,
        "chi_right_left": math.nan,
        "chi_cortex_white": math.nan,
    }


def test_every_metric_against_a_loop(case):
    labels, chi, mask, r2star = case
    _, metrics, _, _ = measured(case, thresholds=THRESHOLDS)
    expected_iron = {
        "caudate": 10 * (9.66 * (1 - math.exp(-0.05 * 60)) + 0.33),
        "putamen": 10 * (14.62 * (1 - math.exp(-0.04 * 60)) + 0.46),
        "pallidum": 10 * (21.41 * (1 - math.exp(-0.09 * 60)) + 0.37),
    }
    points = [
        (expected_iron[label.name], np.median(chi[(labels == label.index) & mask]))
        for label in TABLE[:3]
    ]
    line = stats.linregress([iron for iron, _ in points], [float(y) for _, y in points])
    for position in range(4):
        inside = (labels == TABLE[position].index) & mask
        truth = naive(
            [float(v) for v in chi[inside]],
            [float(v) for v in r2star[inside]],
            THRESHOLDS[TABLE[position].index].chi,
            (line.slope, line.intercept),
        )
        if position < 3:
            truth["iron_calibrated"] = math.nan
        truth |= {name: math.nan for name in METRICS if METRICS[name].family in SOURCE_FAMILIES}
        assert truth.keys() == METRICS.keys()
        for name, value in truth.items():
            np.testing.assert_allclose(
                metrics[name][position], value, rtol=1e-6, atol=1e-12, err_msg=name
            )


def test_against_scipy(case):
    labels, chi, mask, _ = case
    _, metrics, _, _ = measured(case)
    x = chi[(labels == TABLE[3].index) & mask].astype(float)
    assert metrics["chi_trimmed_mean"][3] == pytest.approx(stats.trim_mean(x, 0.1), rel=1e-6)
    assert metrics["chi_skewness"][3] == pytest.approx(stats.skew(x), rel=1e-6)
    assert metrics["chi_kurtosis"][3] == pytest.approx(stats.kurtosis(x), rel=1e-6)


def test_single_voxel(case):
    _, metrics, _, _ = measured(case, thresholds=THRESHOLDS)
    value = metrics["chi_mean"][4]
    for name in ("chi_median", "chi_trimmed_mean", "chi_p05", "chi_p95"):
        assert metrics[name][4] == value
    assert metrics["chi_iqr"][4] == 0
    for name in ("chi_sd", "chi_skewness", "chi_kurtosis"):
        assert math.isnan(metrics[name][4])
    assert metrics["deposit_fraction"][4] == 1


def test_constant_region(case):
    _, metrics, _, _ = measured(case, thresholds=THRESHOLDS)
    assert metrics["chi_mean"][5] == pytest.approx(0.0371, rel=1e-6)
    assert metrics["chi_sd"][5] == 0
    assert metrics["chi_iqr"][5] == 0
    assert math.isnan(metrics["chi_skewness"][5])
    assert math.isnan(metrics["chi_kurtosis"][5])


def test_very_small_values_keep_their_shape():
    x = np.array([0.0, 1, 2, 4, 9]) * 1e-35
    labels = np.full((5, 1, 1), 4, dtype=int)
    chi = sort_by_region(labels, x.reshape(5, 1, 1), labels > 0, [4])
    metrics, _ = measure(RegionValues(Who("sub-01"), chi, 1.0), TABLE[:1], IronParameters())
    scaled = stats.skew([0, 1, 2, 4, 9])
    assert metrics["chi_skewness"][0] == pytest.approx(scaled, rel=1e-6)


def test_missing_regions_keep_their_rows(case):
    scan, _, fit, rows = measured(case, thresholds=THRESHOLDS)
    assert len(rows) == len(TABLE) * len(METRICS)
    assert list(rows["metric"][: len(METRICS)]) == list(METRICS)
    for name in ("outside", "absent"):
        part = rows[rows["region"] == name]
        assert len(part) == len(METRICS)
        assert part["value"].isna().all()
        assert (part["n_voxels"] == 0).all()
        assert (part["coverage"] == 0).all()
    caudate = rows[rows["region"] == "caudate"]
    assert caudate["coverage"].nunique() == 1
    assert caudate["coverage"].iloc[0] == scan.chi.n_voxels[0] / 211
    assert remarks(scan, TABLE, fit) == [
        "2 regions without a voxel to measure: outside L, absent L"
    ]


def test_without_thresholds_age_and_r2star(case):
    labels, chi, mask, _ = case
    index = [label.index for label in TABLE]
    scan = RegionValues(Who("sub-01"), sort_by_region(labels, chi, mask, index), VOXEL_VOLUME)
    metrics, fit = measure(scan, TABLE, IronParameters())
    for name in ("iron_calibrated", "deposit_volume", "deposit_fraction", "deposit_mass"):
        assert np.isnan(metrics[name]).all()
    assert np.isnan(metrics["r2star_mean"]).all()
    assert np.isfinite(metrics["iron_line"][:6]).all()
    rows = region_rows(scan.who, TABLE, metrics, scan.chi)
    relaxation = rows[rows["metric"] == "r2star_mean"]
    assert (relaxation["n_voxels"] == 0).all()
    assert relaxation["coverage"].tolist() == scan.chi.coverage.tolist()
    assert "the age is not known" in remarks(scan, TABLE, fit)[-1]


def test_table_order_does_not_matter(case):
    """Voxels in any order give the same bits."""
    flipped = tuple(np.ascontiguousarray(array[::-1, :, ::-1].transpose(2, 0, 1)) for array in case)
    first, second = (measured(arrays, thresholds=THRESHOLDS)[1] for arrays in (case, flipped))
    for name in METRICS:
        np.testing.assert_array_equal(first[name], second[name])


def test_sign(case):
    labels, chi, mask, r2star = case
    _, metrics, _, _ = measured(case)
    _, mirrored, fit, _ = measured((labels, -chi, mask, r2star))
    np.testing.assert_allclose(mirrored["chi_mean"], -metrics["chi_mean"], rtol=1e-12)
    np.testing.assert_allclose(mirrored["iron_line"], -metrics["iron_line"], rtol=1e-12)
    assert metrics["iron_line"][2] > 150
    assert fit.slope < 0
    assert "does not rise" in fit.reason
    assert np.isnan(mirrored["iron_calibrated"]).all()


def test_quantile_function(case):
    scan, _, _, _ = measured(case)
    rows = quantile_rows(scan.who, TABLE, scan.chi)
    assert len(rows) == len(TABLE) * 199
    assert PROBABILITIES[0] == 0.005
    assert PROBABILITIES[-1] == 0.995
    for position in (0, 3, 4, 5):
        part = rows[rows["index"] == TABLE[position].index]["chi"].to_numpy()
        expected = np.quantile(scan.chi.of(position).astype(float), PROBABILITIES)
        np.testing.assert_allclose(part, expected, rtol=1e-12, atol=1e-15)
    assert rows[rows["region"] == "absent"]["chi"].isna().all()


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101])
def test_quantiles_are_those_of_numpy(n):
    x = np.sort(np.random.default_rng(n).normal(size=n))
    p = np.linspace(0, 1, 37)
    np.testing.assert_allclose(quantiles(x, p), np.quantile(x, p), rtol=1e-12, atol=1e-14)


def test_families_and_units_are_those_of_the_contract():
    assert {metric.family for metric in METRICS.values()} == {
        "susceptibility",
        "distribution",
        "iron_concentration",
        "iron_deposits",
        "relaxation",
        "paramagnetic",
        "diamagnetic",
        "asymmetry",
        "cortical_contrast",
    }
    assert METRICS["deposit_mass"] == ("iron_deposits", "mg")
    assert METRICS["chi_kurtosis"] == ("distribution", "1")
