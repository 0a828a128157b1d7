import numpy as np
from scipy import ndimage

from qsmiron.registration.similarity import (
    WINDOW_MM,
    local_correlation,
    mutual_information,
    relative_bias_field,
)
from qsmiron.volumes import Volume


def test_mutual_information_knows_no_scale_and_no_contrast():
    random = np.random.default_rng(0)
    image = random.standard_normal((32, 32, 32))
    mask = np.ones(image.shape, bool)
    assert abs(mutual_information(image, np.exp(-3 * image), mask) - np.log(32)) < 1e-3
    assert mutual_information(image, random.standard_normal(image.shape), mask) < 0.03


def test_mutual_information_of_a_nearly_empty_mask_is_missing():
    image = np.zeros((5, 5, 5))
    assert np.isnan(mutual_information(image, image, image > 0))


def test_local_correlation_is_that_of_a_loop_over_windows():
    random = np.random.default_rng(0)
    one, two = random.standard_normal((2, 9, 8, 10)) + 5
    two += one
    mask = random.random(one.shape) > 0.3
    size = 0.4 * WINDOW_MM  # windows of three voxels
    found = local_correlation(Volume(one, np.diag([size, size, size, 1])), two, mask)
    expected = []
    for voxel in np.argwhere(mask):
        window = tuple(slice(max(0, at - 1), at + 2) for at in voxel)
        a, b = one[window][mask[window]], two[window][mask[window]]
        if a.size > 1:
            expected.append(np.corrcoef(a, b)[0, 1])
    assert abs(found - np.mean(expected)) < 1e-4


def test_local_correlation_needs_more_than_a_common_outline():
    random = np.random.default_rng(1)
    detail, other = ndimage.gaussian_filter(random.standard_normal((2, 60, 60, 60)), (0, 2, 2, 2))
    x, y, z = np.ogrid[-1:1:60j, -1:1:60j, -1:1:60j]
    radius = np.sqrt(x**2 + y**2 + z**2)
    brain = radius < 0.8
    outline = 40 * detail.std() * (1 - radius)
    one, affine = detail + outline, np.diag([2.0, 2, 2, 1])
    overall = np.corrcoef(one[brain], (other + outline)[brain])[0, 1]
    assert overall > 0.9
    assert local_correlation(Volume(one, affine), one * 3 - 7, brain) > 0.9999
    assert local_correlation(Volume(one, affine), -one, brain) < -0.9999
    assert np.isnan(local_correlation(Volume(one, affine), np.ones_like(one), brain))
    unlike = local_correlation(Volume(detail, affine), other, brain)
    assert abs(unlike) < 0.1


def test_bias_field_is_found_from_a_model_of_another_contrast():
    random = np.random.default_rng(1)
    tissue = ndimage.gaussian_filter(random.standard_normal((48, 48, 48)), 1.5) > 0
    model = np.where(tissue, 200.0, 90).astype(np.float32)
    x = np.linspace(-1, 1, 48)
    bias = np.exp(0.25 * x)[:, None, None] * np.ones((48, 48, 48))
    image = (np.where(tissue, 3.0, 2.0) * bias).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    mask[6:-6, 6:-6, 6:-6] = True
    found = relative_bias_field(image, model, mask, 6.0)
    ratio = (found / bias)[12:-12, 12:-12, 12:-12]
    assert np.std(np.log(ratio)) < 0.03
