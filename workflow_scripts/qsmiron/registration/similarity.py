"""Numbers that say whether a registration worked."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


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


def correlation(one: np.ndarray, two: np.ndarray, mask: np.ndarray) -> float:
    """Pearson correlation of two images (X, Y, Z) in ``mask``; nan where one is constant."""
    a, b = one[mask].astype(float), two[mask].astype(float)
    a -= a.mean()
    b -= b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm > 0 else float("nan")


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
