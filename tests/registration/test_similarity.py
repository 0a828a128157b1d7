import numpy as np
from scipy import ndimage

from qsmiron.registration.similarity import (
    correlation,
    mutual_information,
    relative_bias_field,
)


def test_mutual_information_knows_no_scale_and_no_contrast():
    random = np.random.default_rng(0)
    image = random.standard_normal((32, 32, 32))
    mask = np.ones(image.shape, bool)
    assert abs(mutual_information(image, np.exp(-3 * image), mask) - np.log(32)) < 1e-3
    assert mutual_information(image, random.standard_normal(image.shape), mask) < 0.03


def test_mutual_information_of_a_nearly_empty_mask_is_missing():
    image = np.zeros((5, 5, 5))
    assert np.isnan(mutual_information(image, image, image > 0))


def test_correlation():
    random = np.random.default_rng(0)
    one, two = random.standard_normal((2, 20, 20, 20))
    mask = one > -1
    expected = np.corrcoef(one[mask], (one + two)[mask])[0, 1]
    assert abs(correlation(one, one + two, mask) - expected) < 1e-12
    assert np.isnan(correlation(one, np.ones_like(one), mask))


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
