"""The metrics against other implementations of them, and against cases known by construction."""

import numpy as np
import pytest
from benchmarks.image_metrics import (
    Judged,
    compare_maps,
    compare_regions,
    depth_errors,
    detrended_nrmse,
    difference_error,
    hfen,
    neighbouring_regions,
    nrmse,
    region_means,
    smooth_error,
    xsim,
)
from scipy import ndimage, stats

SHAPE = (24, 26, 22)


@pytest.fixture(scope="module")
def maps():
    """A smooth truth in ppm, an erroneous map of it, and a ball to judge them in."""
    rng = np.random.default_rng(0)
    truth = ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.5)
    truth *= 0.05 / truth.std()
    found = 0.8 * truth + 0.02 * rng.normal(size=SHAPE) + 0.3
    x, y, z = np.meshgrid(*(np.arange(n) - n // 2 for n in SHAPE), indexing="ij")
    return found, truth, x**2 + y**2 + z**2 < 81


def masked(data, mask):
    return np.where(mask, data - data[mask].mean(), 0)


def test_nrmse_by_construction(maps):
    _, truth, mask = maps
    assert nrmse(truth + 5, truth, mask) == pytest.approx(0, abs=1e-9)
    assert nrmse(1.25 * truth, truth, mask) == pytest.approx(25)
    assert nrmse(np.zeros(SHAPE), truth, mask) == pytest.approx(100)
    # An error without mean, as long as a third of the truth.
    error = np.zeros(SHAPE)
    error[mask] = np.random.default_rng(1).normal(size=mask.sum())
    error[mask] -= error[mask].mean()
    error *= np.linalg.norm(masked(truth, mask)) / np.linalg.norm(error) / 3
    assert nrmse(truth + error, truth, mask) == pytest.approx(100 / 3)


def test_only_the_mask_counts(maps):
    found, truth, mask = maps
    elsewhere = np.where(mask, found, 1e3)
    for metric in (nrmse, detrended_nrmse, hfen, xsim):
        assert metric(elsewhere, truth, mask) == pytest.approx(metric(found, truth, mask))
        assert metric(found + 1, truth - 2, mask) == pytest.approx(metric(found, truth, mask))


def test_detrended_nrmse_is_that_after_a_linear_regression(maps):
    found, truth, mask = maps
    line = stats.linregress(truth[mask], found[mask])
    straightened = (found - line.intercept) / line.slope
    assert detrended_nrmse(found, truth, mask) == pytest.approx(nrmse(straightened, truth, mask))
    assert detrended_nrmse(0.4 * truth + 1, truth, mask) == pytest.approx(0, abs=1e-9)


def test_hfen_is_the_nrmse_after_a_laplacian_of_gaussian(maps):
    found, truth, mask = maps
    filtered = [ndimage.gaussian_laplace(masked(data, mask), 1.5) for data in (found, truth)]
    assert hfen(found, truth, mask) == pytest.approx(nrmse(*filtered, mask), rel=1e-6)
    assert hfen(0.7 * truth, truth, mask) == pytest.approx(30)


def test_xsim_is_the_structural_similarity_of_scikit_image(maps):
    """With the definition's population covariance: ``use_sample_covariance=False``."""
    metrics = pytest.importorskip("skimage.metrics")
    found, truth, mask = maps
    _, everywhere = metrics.structural_similarity(
        masked(found, mask),
        masked(truth, mask),
        win_size=5,
        data_range=1.0,
        K1=0.01,
        K2=0.001,
        gaussian_weights=False,
        use_sample_covariance=False,
        full=True,
    )
    assert xsim(found, truth, mask) == pytest.approx(everywhere[mask].mean(), rel=1e-9)


def test_xsim_by_construction(maps):
    found, truth, mask = maps
    assert xsim(truth + 1, truth, mask) == pytest.approx(1)
    assert xsim(found, truth, mask) < xsim(0.95 * truth, truth, mask) < 1


def test_region_means_within_the_mask():
    labels = np.zeros(SHAPE, int)
    labels[2:8], labels[8:14] = 1, 3
    labels[20, 0, :5] = 4
    mask = np.ones(SHAPE, bool)
    mask[2:5] = False
    data = np.where(labels == 3, -0.5, np.arange(SHAPE[0])[:, None, None])
    means = region_means(data, labels, mask)
    np.testing.assert_allclose(means, [np.nan, 6, np.nan, -0.5, np.nan])


def test_regional_agreement_is_that_of_a_linear_regression():
    rng = np.random.default_rng(2)
    truth = rng.normal(0, 0.06, 40)
    found = 0.7 * truth + 0.1 + rng.normal(0, 0.005, 40)
    line = stats.linregress(truth, found)
    # linregress gives the slope's standard error, residual SD / √Sxx.
    residual_sd = 1000 * line.stderr * np.sqrt(((truth - truth.mean()) ** 2).sum())
    with_gaps = np.append(found, [np.nan, 1]), np.append(truth, [0.1, np.nan])
    agreement = compare_regions(*with_gaps)
    assert agreement.n == 40
    assert agreement.slope == pytest.approx(line.slope)
    assert agreement.residual_sd == pytest.approx(residual_sd)
    assert agreement.error == pytest.approx(residual_sd / line.slope)


def test_shrinking_is_no_accuracy():
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 0.06, 30)
    found = truth + rng.normal(0, 0.005, 30)
    whole, half = compare_regions(found, truth), compare_regions(0.5 * found, truth)
    assert half.residual_sd == pytest.approx(0.5 * whole.residual_sd)
    assert half.error == pytest.approx(whole.error)


def test_two_regions_leave_no_residual():
    assert np.isnan(compare_regions(np.array([np.nan, 1, 2]), np.array([np.nan, 1, 2])).error)


def test_error_of_differences_by_construction():
    truth = np.array([np.nan, 0.10, 0.08, 0.02, 0.03, 0.5])
    found = truth + 0.2 + np.array([0, 0.003, 0.0, 0.0, 0.004, np.nan])
    # The common shift goes; what is left are 3 and −4 ppb, and no value for the last pair.
    error = difference_error(found, truth, [(1, 2), (3, 4), (1, 5)])
    assert error == pytest.approx(np.sqrt((9 + 16) / 2))
    assert difference_error(found, truth, [(2, 1), (4, 3)]) == pytest.approx(error)
    assert np.isnan(difference_error(found, truth, [(1, 5)]))
    assert np.isnan(difference_error(found, truth, []))


def test_neighbours_touch_or_are_within_reach():
    labels = np.zeros((12, 8, 8), int)
    labels[0:3], labels[3:6], labels[7:10] = 2, 1, 5
    labels[11, 0, :4] = 7
    assert neighbouring_regions(labels) == [(1, 2)]
    assert neighbouring_regions(labels, reach=2) == [(1, 2), (1, 5)]


def test_smooth_error_keeps_waves_that_are_long_and_no_others(maps):
    """A Gaussian of 4 voxels passes exp(-k² 4² / 2) of a wave, far from the mask's surface too."""
    shape = (96, 20, 20)
    truth, mask = np.zeros(shape), np.ones(shape, bool)
    place = np.arange(shape[0])[:, None, None]
    for length in (48, 16):
        wave = 0.01 * np.sqrt(2) * np.cos(2 * np.pi * (place + 0.5) / length) + truth
        passed = 10 * np.exp(-((2 * np.pi / length * 4) ** 2) / 2)
        assert smooth_error(wave, truth, mask) == pytest.approx(passed, rel=0.02, abs=0.02)
    assert smooth_error(truth + 3, truth, mask) == pytest.approx(0, abs=1e-9)


def test_errors_by_depth_are_those_of_their_shells():
    """Layers of a cube, 2 mm a voxel: depths 2, 4, 6, 8, 10, 12 … mm."""
    mask = np.zeros((22, 22, 22), bool)
    mask[1:-1, 1:-1, 1:-1] = True
    layer = np.minimum.reduce([np.minimum(n, 21 - n) for n in np.indices(mask.shape)])
    rng = np.random.default_rng(4)
    sign = rng.choice([-1, 1], mask.shape)
    error = sign * np.select([layer == 1, layer <= 5], [0.03, 0.01], 0.002)
    mean = error[mask].mean()
    found = depth_errors(error, np.zeros(mask.shape), mask, (2, 2, 2))
    for value, shell in zip(
        found, (layer == 1, (layer > 1) & (layer <= 5), layer > 5), strict=True
    ):
        expected = 1000 * np.sqrt(np.mean((error[shell & mask] - mean) ** 2))
        assert value == pytest.approx(expected)
    assert np.isnan(depth_errors(error, error, layer == 1, (2, 2, 2))[2])


def test_deep_structures_and_cortex_are_judged_apart():
    labels = np.repeat(np.arange(9), 20).reshape(9, 20, 1)
    truth = np.array([0, 10, 30, 20, 50, -5, 5, 1, 8])[labels] / 1000
    found = np.where(labels <= 4, truth, 0.6 * truth)
    judged = Judged(truth, labels, labels > 0, (1, 1, 1), deep=(1, 2, 3, 4))
    row = compare_maps(found, judged)
    assert row["deep_slope"] == pytest.approx(1)
    assert row["cortex_slope"] == pytest.approx(0.6)
    assert row["deep_residual_sd"] == pytest.approx(0, abs=1e-9)
    nobody_said = compare_maps(found, Judged(truth, labels, labels > 0, (1, 1, 1)))
    assert np.isnan(nobody_said["cortex_slope"])
    assert np.isnan(nobody_said["deep_slope"])
