"""The field from unwrapped phase: a weighted fit through the origin, and its noise.

With phase noise in inverse proportion to magnitude m, the best estimate of the slope of phase on
TE is Σ m² TE φ / Σ m² TE² (Robinson et al., NMR Biomed 2017, doi 10.1002/nbm.3601).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.special import gammaincinv

from ..acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T


def fit_field(
    phase: np.ndarray,
    magnitude: np.ndarray,
    mask: np.ndarray,
    echo_times: np.ndarray,
    field_strength: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Total field and its standard error per voxel.

    Parameters
    ----------
    phase : unwrapped, offset-free phase (E, X, Y, Z), rad.
    magnitude : (E, X, Y, Z), any unit.
    mask : boolean; both results are 0 outside, and where the magnitude of all echoes is 0.
    echo_times : (E,), s.
    field_strength : T.

    Returns
    -------
    field, noise : float32 (X, Y, Z), ppm of B0. The noise of the magnitude, from which that of
        each voxel follows, comes from the median squared residual of the fit; with one echo,
        which leaves no residual, from the roughness of the phase.
    """
    times = np.asarray(echo_times, np.float32)[:, None, None, None]
    square = magnitude.astype(np.float32) ** 2
    norm = (square * times**2).sum(axis=0)
    fitted = mask & (norm > 0)
    norm[~fitted] = np.inf
    slope = (square * times * phase).sum(axis=0) / norm
    if not fitted.any():
        sigma = 0.0
    elif len(times) > 1:
        residual = (square * (phase - slope * times) ** 2).sum(axis=0)
        sigma = np.sqrt(np.median(residual[fitted]) / _median_of_chi_square(len(times) - 1))
    else:
        sigma = _roughness(phase[0], magnitude[0], fitted)
    noise = np.where(fitted, np.float32(sigma) / np.sqrt(norm), 0)
    to_ppm = np.float32(1 / (2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * field_strength))
    return (slope * to_ppm).astype(np.float32), (noise * to_ppm).astype(np.float32)


def _median_of_chi_square(freedom: int) -> float:
    return float(2 * gammaincinv(freedom / 2, 0.5))


def _roughness(phase: np.ndarray, magnitude: np.ndarray, mask: np.ndarray) -> float:
    """Noise of the magnitude (its unit) from third differences of the phase along each axis.

    Anatomy adds to it, so each axis gives an upper bound and the least is taken; 0 if the mask is
    nowhere four voxels long. 20 = 1 + 9 + 9 + 1 is the sum of the squared coefficients, and
    0.6745 σ the median of a normal variable's absolute value.
    """
    bounds = []
    for axis in range(3):
        inside = ndimage.binary_erosion(mask, np.ones(np.roll((4, 1, 1), axis), bool))
        if inside.any():
            third = ndimage.correlate1d(phase, [-1.0, 3.0, -3.0, 1.0], axis=axis)[inside]
            scale = 0.6745 * np.sqrt(20)
            bounds.append(float(np.median(np.abs(third * magnitude[inside])) / scale))
    return min(bounds, default=0.0)
