"""Numbers that say whether a registration worked."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..volumes import Volume

WINDOW_MM = 10.0
"""Edge of the windows of :func:`local_correlation`: a gyrus with its neighbours."""
LEAST_CONTRAST = 1e-3
"""Variance of a window with contrast, as a fraction of that in the whole mask."""


def relative_bias_field(
    image: np.ndarray, model: np.ndarray, mask: np.ndarray, smoothness: float
) -> np.ndarray:
    """Smooth factor (X, Y, Z) by which ``image`` departs from its intensities given ``model``.

    Within ``mask`` each intensity of the model (here: the warped template) has a mean intensity in
    the image; the logarithm of what departs from it, smoothed with a Gaussian of ``smoothness``
    voxels, is the bias field. 1 on average in the mask, and outside it the nearest smooth value.
    """
    inside = mask & (image > 0)
    logarithm = np.log(np.where(inside, image, 1), dtype=np.float32)
    expected = conditional_mean(logarithm[inside], model[inside])
    residual = np.zeros(image.shape, np.float32)
    residual[inside] = logarithm[inside] - expected
    weight = ndimage.gaussian_filter(inside.astype(np.float32), smoothness, truncate=3)
    smooth = ndimage.gaussian_filter(residual, smoothness, truncate=3)
    field = smooth / np.maximum(weight, 1e-3)
    return np.exp(field - field[inside].mean())


def conditional_mean(values: np.ndarray, given: np.ndarray, bins: int = 64) -> np.ndarray:
    """Mean of ``values`` at each element's level of ``given`` (both flat), of that length."""
    low, high = float(given.min()), float(given.max())
    level = np.rint((given - low) / max(high - low, 1e-12) * (bins - 1)).astype(np.int64)
    count = np.bincount(level, minlength=bins)
    total = np.bincount(level, weights=values, minlength=bins)
    return (total / np.maximum(count, 1))[level]


def local_correlation(one: Volume, two: np.ndarray, mask: np.ndarray) -> float:
    """Mean over ``mask`` of the correlation of two images in the window around each voxel.

    ``one`` is on an isotropic grid, ``two`` (X, Y, Z) on the same. Windows are cubes of about
    :data:`WINDOW_MM`, of which only voxels in the mask count; those without contrast have no say.
    Two brains that agree only by their outline and depth have a correlation in all of the brain,
    and hardly any in such windows. nan where no window has contrast.
    """
    width = max(3, 2 * round(WINDOW_MM / one.voxel_size[0] / 2) + 1)
    inside = mask.astype(np.float32)
    share = np.maximum(_window(inside, width), np.float32(width**-3))

    def mean(image: np.ndarray) -> np.ndarray:
        return _window(image * inside, width) / share

    first, second = (
        (image - image[mask].mean(dtype=float)).astype(np.float32) for image in (one.data, two)
    )
    first_mean, second_mean = mean(first), mean(second)
    variances = mean(first * first) - first_mean**2, mean(second * second) - second_mean**2
    used = mask.copy()
    for variance, image in zip(variances, (first, second), strict=True):
        used &= variance > LEAST_CONTRAST * image[mask].var(dtype=float)
    if not used.any():
        return float("nan")
    covariance = mean(first * second) - first_mean * second_mean
    product = variances[0][used] * variances[1][used]
    return float((covariance[used] / np.sqrt(product)).mean(dtype=float))


def _window(image: np.ndarray, width: int) -> np.ndarray:
    return ndimage.uniform_filter(image, width, mode="constant")


def mutual_information(one: np.ndarray, two: np.ndarray, mask: np.ndarray, bins: int = 32) -> float:
    """Mutual information (nats) of two images (X, Y, Z) in ``mask``.

    From a joint histogram of ``bins`` equally filled levels each, so that neither the scale nor a
    monotone change of contrast matters. 0 for unrelated images, at most log(bins).
    """
    if mask.sum() < bins:
        return float("nan")
    count = mask.sum()
    levels = []
    for image in (one, two):
        order = np.argsort(image[mask], kind="stable")
        level = np.empty(count, np.int64)
        level[order] = np.arange(count) * bins // count
        levels.append(level)
    joint = np.bincount(levels[0] * bins + levels[1], minlength=bins * bins) / count
    joint = joint.reshape(bins, bins)
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    used = joint > 0
    return float((joint[used] * np.log(joint[used] / product[used])).sum())
