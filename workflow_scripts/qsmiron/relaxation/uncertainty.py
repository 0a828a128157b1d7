"""How uncertain R2* is in each voxel: by the noise of its echoes, and by a correction of them."""

from __future__ import annotations

import numpy as np

from .noise import noise_variance, signal_inside

CORRECTION_SHARE = 0.25
"""A correction for the field's course may be off by this share of itself (assumption)."""
LARGEST_ERROR = 500.0
"""1/s; where the echoes say nothing of R2*."""


def r2star_error(
    magnitude: np.ndarray, echo_times: np.ndarray, mask: np.ndarray, r2star: np.ndarray
) -> np.ndarray:
    """Standard deviation (X, Y, Z; float32 1/s) of an R2* that was fitted to ``magnitude``.

    The Cramér-Rao bound of a decay with unknown amplitude, σ/√Σs²(t − t̄)² with t̄ weighted by the
    squared signal s², at the noise σ that the fit leaves over in the whole ``mask``. 0 outside.

    Parameters
    ----------
    magnitude : (E, X, Y, Z), any unit; 0, NaN and infinite values are no signal.
    echo_times : (E,), s.
    r2star : (X, Y, Z), 1/s.
    """
    times = np.asarray(echo_times, np.float32)[:, None]
    signal = signal_inside(magnitude, mask)
    decay = np.exp(-times * r2star[mask]) * (signal > 0)
    square = np.maximum((decay**2).sum(axis=0), np.finfo(np.float32).tiny)
    fitted = (signal * decay).sum(axis=0) / square * decay
    residual = ((signal - fitted) ** 2 * (signal > 0)).sum(axis=0)
    variance = noise_variance(signal, residual)
    weight = fitted**2
    total = np.maximum(weight.sum(axis=0), np.finfo(np.float32).tiny)
    mean_time = (weight * times).sum(axis=0) / total
    spread = (weight * (times - mean_time) ** 2).sum(axis=0)
    error = np.zeros(mask.shape, np.float32)
    with np.errstate(divide="ignore"):
        error[mask] = np.minimum(np.sqrt(variance / spread), LARGEST_ERROR)
    return error


def with_correction(error: np.ndarray, corrected: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """``error`` (1/s) of a corrected R2*, the doubt about the correction included."""
    return np.hypot(error, np.float32(CORRECTION_SHARE) * (plain - corrected)).astype(np.float32)
