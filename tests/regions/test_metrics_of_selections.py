"""Every metric under every option, weighted, of composites: against plain loops over voxels."""

import math
from dataclasses import replace

import numpy as np
import pytest
from region_scan import (
    COMPOSITES,
    EVERYTHING,
    INDEX,
    OPTIONS,
    TABLE,
    THRESHOLDS,
    VOXEL_VOLUME,
    Case,
    naive_select,
)

from qsmiron.regions.deposits import DepositParameters, IronParameters, pool_thresholds
from qsmiron.regions.distribution import PROBABILITIES
from qsmiron.regions.label_table import Label
from qsmiron.regions.measure import measure, remarks
from qsmiron.regions.metrics import METRICS, SOURCE_FAMILIES
from qsmiron.regions.region_tables import quantile_rows, region_rows
from qsmiron.regions.selection import (
    SelectionParameters,
    voxel_weights,
)
from qsmiron.regions.values import (
    RegionValues,
    Who,
    read_values,
    sort_by_region,
    write_values,
)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def case():
    return Case()


def naive_metrics(x, r2, weights, r2_weights):
    """All metrics but iron_calibrated, of lists of floats."""
    nothing = math.nan
    n = len(x)
    if not n:
        return dict.fromkeys(METRICS, nothing)
    ordered = sorted(x)
    plain = math.fsum(x) / n
    m2, m3, m4 = (math.fsum((v - plain) ** k for v in x) / n for k in (2, 3, 4))
    flat = ordered[0] == ordered[-1]
    kept = ordered[n // 10 : n - n // 10]
    above = [v for v in x if np.float32(v) > np.float32(0.02)]
    middle = np.float32(np.median(np.float32(x)))
    beyond = [v for v in x if np.float32(v) - middle > np.float32(0.01)]

    def weighted(values, by):
        total = math.fsum(by)
        return (
            math.fsum(v * w for v, w in zip(values, by, strict=True)) / total if total else nothing
        )

    mean = weighted(x, weights)
    return {
        "chi_mean": mean,
        "chi_median": float(np.median(x)),
        "chi_trimmed_mean": math.fsum(kept) / len(kept),
        "chi_sd": nothing if n == 1 else 0.0 if flat else math.sqrt(m2 * n / (n - 1)),
        "chi_iqr": float(np.percentile(x, 75) - np.percentile(x, 25)),
        "chi_skewness": nothing if flat else m3 / m2**1.5,
        "chi_kurtosis": nothing if flat else m4 / m2**2 - 3,
        "chi_p05": float(np.percentile(x, 5)),
        "chi_p95": float(np.percentile(x, 95)),
        "iron_line": mean * 1000 / 0.89,
        "iron_calibrated": nothing,
        "deposit_volume": len(above) * VOXEL_VOLUME,
        "deposit_fraction": len(above) / n,
        "deposit_mass": math.fsum(v * 1000 / 0.89 * 1.04 * VOXEL_VOLUME * 1e-6 for v in above),
        "deposit_fraction_centred": len(beyond) / n,
        "r2star_mean": weighted(r2, r2_weights) if r2 else nothing,
    }


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", OPTIONS)
def test_every_metric_under_every_option(case, name, weighted):
    parameters = SelectionParameters(**{**OPTIONS[name], "partial_volume_weights": weighted})
    scan, relaxation, metrics, _ = case.measure(parameters)
    fate = naive_select(case, parameters)
    for position, label in enumerate(TABLE):
        parts = label.members or (label.index,)
        used = [v for v, what in fate.items() if what == "used" and case.labels[v] in parts]
        relaxing = [v for v in used if np.isfinite(case.r2star[v])]

        def weight(voxel):
            if not weighted:
                return 1.0
            grey = float(case.grey[voxel]) if case.labels[voxel] in (7, 20) else 1.0
            return float(case.fraction[voxel]) * grey

        truth = naive_metrics(
            [float(case.chi[v]) for v in used],
            [float(case.r2star[v]) for v in relaxing],
            [weight(v) for v in used],
            [weight(v) for v in relaxing],
        )
        truth["chi_cortex_white"] = math.nan  # without tissues
        if label.name == "thalamus" and label.hemisphere == "R":
            both = [metrics["chi_mean"][INDEX.index(index)] for index in (3, label.index)]
            truth["chi_right_left"] = both[1] - both[0]
        else:
            truth["chi_right_left"] = math.nan
        assert scan.chi.n_voxels[position] == len(used)
        assert relaxation.n_voxels[position] == len(relaxing)
        truth |= {key: math.nan for key in METRICS if METRICS[key].family in SOURCE_FAMILIES}
        assert truth.keys() == METRICS.keys()
        for metric, value in truth.items():
            np.testing.assert_allclose(
                metrics[metric][position], value, rtol=1e-6, atol=1e-9, err_msg=f"{label} {metric}"
            )


def test_only_the_means_are_weighted(case):
    plain = case.measure(EVERYTHING)[2]
    weighted = case.measure(EVERYTHING.model_copy(update={"partial_volume_weights": True}))[2]
    means = {"chi_mean", "iron_line", "r2star_mean", "chi_right_left"}
    for name in METRICS:
        same = np.array_equal(plain[name], weighted[name], equal_nan=True)
        assert same == (name not in means), name


def test_weights_of_one_are_no_weights(case):
    parameters = SelectionParameters()
    scan, _, metrics, _ = case.measure(parameters)
    ones = np.ones(case.labels.shape, np.float32)
    by_one = case.sort(case.chi, case.select(parameters).measured, ones)
    again, _ = measure(replace(scan, chi=by_one), TABLE, IronParameters(), None, THRESHOLDS)
    for name in METRICS:
        if name != "r2star_mean":
            np.testing.assert_allclose(again[name], metrics[name], rtol=1e-12, err_msg=name)


def test_weights_of_zero_leave_no_mean(case):
    zeros = np.zeros(case.labels.shape, np.float32)
    chi = case.sort(case.chi, case.reliable, zeros)
    relaxation = case.sort(case.r2star, case.reliable & np.isfinite(case.r2star), zeros)
    scan = RegionValues(Who("sub-01"), chi, VOXEL_VOLUME)
    metrics, _ = measure(scan, TABLE, IronParameters(), None, THRESHOLDS, relaxation)
    for name in ("chi_mean", "iron_line", "r2star_mean"):
        assert np.isnan(metrics[name]).all()
    some = chi.n_voxels > 0
    assert np.isfinite(metrics["chi_median"][some]).all()


def test_weights_follow_their_voxels(case):
    """The lighter of equal values first, in composites too."""
    weights = voxel_weights(case.labels, TABLE, case.fraction, case.grey)
    values = np.round(case.chi, 2)
    chi = case.sort(values, case.reliable, weights)
    for position, label in enumerate(TABLE):
        inside = np.isin(case.labels, label.members or (label.index,)) & case.reliable
        pairs = sorted(zip(values[inside], weights[inside], strict=True))
        assert list(zip(chi.of(position), chi.weights_of(position), strict=True)) == pairs


def test_a_composite_is_the_union_of_its_members(case, tmp_path):
    """Metrics, quantiles, stored values and thresholds: bit by bit those of one merged label."""
    parameters = EVERYTHING.model_copy(update={"partial_volume_weights": True})
    scan, relaxation, metrics, _ = case.measure(parameters)
    measured = case.select(parameters).measured
    weights = voxel_weights(case.labels, TABLE, case.fraction, case.grey)
    quantiles = quantile_rows(scan.who, TABLE, scan.chi).set_index("index")["chi"]
    write_values(tmp_path / "v.npz", scan)
    stored = read_values(tmp_path / "v.npz", TABLE)
    pooled, _, _ = pool_thresholds([stored], DepositParameters())
    for position, label in enumerate(TABLE):
        if not label.members:
            continue
        table = [Label(label.index, label.name, "B")]
        merged = np.where(np.isin(case.labels, label.members), label.index, 0)

        def sort(values, where, merged=merged, index=label.index):
            return sort_by_region(
                merged, values, where, [index], reliable=case.reliable, weights=weights
            )

        union = RegionValues(scan.who, sort(case.chi, measured), VOXEL_VOLUME)
        r2star = sort(case.r2star, measured & np.isfinite(case.r2star))
        alone, _ = measure(union, table, IronParameters(), None, THRESHOLDS, r2star)
        for name in METRICS:
            np.testing.assert_array_equal(metrics[name][position], alone[name][0], err_msg=name)
        assert scan.chi.n_label_voxels[position] == (merged > 0).sum()
        assert scan.chi.coverage[position] == union.chi.coverage[0]
        assert relaxation.n_voxels[position] == r2star.n_voxels[0]
        np.testing.assert_array_equal(stored.chi.of(position), union.chi.of(0))
        expected = quantile_rows(union.who, table, union.chi)["chi"]
        np.testing.assert_array_equal(quantiles[label.index], expected)
        if union.chi.n_voxels[0]:
            np.testing.assert_array_equal(
                pooled[position], pool_thresholds([union], DepositParameters())[0][0]
            )


def test_composites_leave_the_other_regions_alone(case):
    plain = [label.index for label in TABLE if not label.members]
    alone = sort_by_region(case.labels, case.chi, case.reliable, plain)
    together = case.sort(case.chi, case.reliable)
    for position, index in enumerate(plain):
        at = INDEX.index(index)
        np.testing.assert_array_equal(together.of(at), alone.of(position))
        assert together.coverage[at] == alone.coverage[position]


def test_a_composite_of_nuclei_has_no_calibrated_iron():
    table = [
        Label(1, "caudate", "L"),
        Label(2, "putamen", "L"),
        Label(3, "pallidum", "L"),
        Label(4, "thalamus", "L"),
        Label(5, "lentiform", "L", "", (2, 3)),
        Label(6, "deep", "L", "", (3, 4)),
    ]
    labels = np.repeat([1, 2, 3, 4], 5).reshape(20, 1, 1)
    chi = np.repeat([0.05, 0.06, 0.13, 0.01], 5).reshape(20, 1, 1)
    composites = {label.index: label.members for label in table if label.members}
    regions = sort_by_region(labels, chi, labels > 0, range(1, 7), composites=composites)
    scan = RegionValues(Who("sub-01"), regions, 1.0)
    metrics, fit = measure(scan, table, IronParameters(), age=60)
    assert np.isnan(metrics["iron_calibrated"]).tolist() == [True, True, True, False, True, False]
    assert fit.nuclei == (0, 1, 2)


def test_the_index_of_a_composite_is_no_voxels_label(case):
    labels = case.labels.copy()
    labels[0, 0, 0] = 5
    with pytest.raises(ValueError, match="label of a composite"):
        sort_by_region(labels, case.chi, case.reliable, INDEX, composites=COMPOSITES)


def test_minimum_coverage(case, tmp_path):
    coverage = case.measure(SelectionParameters())[0].chi.coverage
    limit = float(coverage[INDEX.index(7)])  # this very coverage is enough
    parameters = SelectionParameters(minimum_coverage=limit, outlier_robust_sd=2.0)
    scan, relaxation, metrics, fit = case.measure(parameters)
    free = case.measure(SelectionParameters(outlier_robust_sd=2.0))
    enough = np.array([c >= limit for c in coverage])
    assert 2 < enough.sum() < len(TABLE) - 2
    assert enough[INDEX.index(7)]
    np.testing.assert_array_equal(scan.chi.coverage, coverage)
    np.testing.assert_array_equal(scan.chi.n_voxels, free[0].chi.n_voxels)
    for name in METRICS:
        expected = np.where(enough, free[2][name], np.nan)
        np.testing.assert_array_equal(metrics[name], expected, err_msg=name)
    rows = region_rows(scan.who, TABLE, metrics, scan.chi, relaxation)
    assert len(rows) == len(TABLE) * len(METRICS)
    mean = rows[rows["metric"] == "chi_mean"]
    assert mean["n_voxels"].tolist() == free[0].chi.n_voxels.tolist()
    assert mean["coverage"].tolist() == coverage.tolist()
    quantiles = quantile_rows(scan.who, TABLE, scan.chi)["chi"].to_numpy()
    by_region = np.isfinite(quantiles.reshape(-1, PROBABILITIES.size)).all(axis=1)
    np.testing.assert_array_equal(by_region, enough & (scan.chi.n_voxels > 0))
    write_values(tmp_path / "v.npz", scan)
    stored = read_values(tmp_path / "v.npz", TABLE)
    np.testing.assert_array_equal(stored.chi.coverage, coverage)
    np.testing.assert_array_equal(stored.chi.n_voxels, scan.chi.n_voxels)
    thresholds, _, n_subjects = pool_thresholds([stored], DepositParameters(deposit_threshold=0.1))
    np.testing.assert_array_equal(n_subjects > 0, enough & (scan.chi.n_voxels > 0))
    np.testing.assert_array_equal(np.isfinite(thresholds), n_subjects > 0)
    low = [label for label, one in zip(TABLE, enough, strict=True) if not one and label.index != 30]
    names = ", ".join(f"{label.name} {label.hemisphere}" for label in low if label.index != 31)
    said = f"{len(low) - 1} regions with less than the minimum coverage of {limit:g}: {names}"
    assert said in remarks(scan, TABLE, fit)


def test_coverage_is_not_what_the_options_leave(case):
    scan = case.measure(EVERYTHING)[0]
    reliable = case.measure(SelectionParameters())[0]
    np.testing.assert_array_equal(scan.chi.coverage, reliable.chi.coverage)
    assert (scan.chi.n_voxels[:4] < reliable.chi.n_voxels[:4]).all()


def test_order_of_voxels_does_not_matter(case):
    """Turned images give the same bits, also where equal values have unequal weights."""
    parameters = EVERYTHING.model_copy(update={"partial_volume_weights": True})
    first, turned = Case(), Case()
    for one in (first, turned):
        one.chi = np.round(one.chi, 2)
    for name, array in vars(turned).items():
        setattr(turned, name, np.ascontiguousarray(array[::-1, :, ::-1]))
    (scan, _, metrics, _), (_, _, again, _) = (one.measure(parameters) for one in (first, turned))
    for name in METRICS:
        np.testing.assert_array_equal(again[name], metrics[name], err_msg=name)
    repeated = np.unique(scan.chi.of(3)).size
    assert repeated < scan.chi.n_voxels[3] / 5


def test_nothing_single_and_constant(case):
    scan, _, metrics, _ = case.measure(
        EVERYTHING.model_copy(update={"partial_volume_weights": True})
    )
    single, constant, absent, nothing = (INDEX.index(i) for i in (20, 21, 30, 31))
    assert scan.chi.n_voxels[[single, absent, nothing]].tolist() == [1, 0, 0]
    assert metrics["chi_mean"][single] == pytest.approx(0.01, rel=1e-6)
    assert metrics["chi_mean"][constant] == pytest.approx(0.0371, rel=1e-6)
    assert scan.chi.n_voxels[constant] == scan.chi.n_reliable[constant] > 1, "MAD 0: all stay"
    for name in METRICS:
        assert np.isnan(metrics[name][[absent, nothing]]).all()
    assert metrics["chi_sd"][constant] == 0
    assert math.isnan(metrics["chi_sd"][single])
