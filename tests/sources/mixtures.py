"""Sources whose maps and relaxation are known exactly, for the tests of every separation."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from qsmiron.sources.maps import Maps

SHAPE = (36, 40, 32)
VOXEL = (1.0, 1.0, 1.0)


def sources(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """χ⁺ and χ⁻ (ppm): overlapping blobs of iron in one place and of myelin in another."""
    rng = np.random.default_rng(seed)
    blobs = [ndimage.gaussian_filter(rng.standard_normal(SHAPE), 4) for _ in range(2)]
    positive, negative = (0.03 * np.clip(blob / blob.std() + 0.5, 0, None) for blob in blobs)
    return positive.astype(np.float32), -negative.astype(np.float32)


def inner() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[3:-3, 3:-3, 3:-3] = True
    return mask


def maps_of(positive: np.ndarray, negative: np.ndarray, rate: np.ndarray, **others) -> Maps:
    settings = {"mask": inner(), "voxel_size": VOXEL, "field_strength": 3.0, **others}
    return Maps(
        chi=(positive + negative).astype(np.float32), r2star=rate.astype(np.float32), **settings
    )


def nrmse(found: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """‖found − truth‖ / ‖truth‖ in the mask, nothing demeaned: sources are absolute."""
    return float(np.linalg.norm((found - truth)[mask]) / np.linalg.norm(truth[mask]))
