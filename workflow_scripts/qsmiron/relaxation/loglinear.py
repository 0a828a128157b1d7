"""R2* from the decay of the magnitude by a weighted log-linear fit.

The noise of log m is σ/m, so each echo weighs m²; taking the weights from a first fit instead of
from the noisy data themselves removes most of the bias (Veraart et al., NeuroImage 2013, doi
10.1016/j.neuroimage.2013.05.028). σ comes from the residuals of that first fit; it then corrects
the magnitude's noise floor, E[m²] = S² + 2σ² (Gudbjartsson & Patz 1995, doi
10.1002/mrm.1910340618), and echoes that have decayed into the noise are left out.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from .noise import noise_variance, signal_inside


class LoglinearParameters(Parameters):
    """Parameters of the log-linear fit."""

    least_snr: float = Field(
        3.0,
        ge=0,
        description="echoes whose fitted signal is below this multiple of the noise are left "
        "out, except the first two (1)",
    )
    largest: float = Field(
        500.0, gt=0, description="R2* above this is set to it, below 0 to 0 (1/s)"
    )


def fit_loglinear(
    magnitude: np.ndarray,
    echo_times: np.ndarray,
    mask: np.ndarray,
    parameters: LoglinearParameters,
) -> np.ndarray:
    """R2* (X, Y, Z; float32, 1/s), 0 outside ``mask``.

    Parameters
    ----------
    magnitude : (E, X, Y, Z), any unit, not below 0; NaN and infinite values are no signal.
    echo_times : (E,), s, increasing.
    mask : boolean.

    Raises
    ------
    InputError
        With fewer than two echoes.
    """
    if len(echo_times) < 2:
        raise InputError(
            Problem(
                "magnitude",
                f"{len(echo_times)} echo",
                "at least two echoes, since R2* is a decay between echoes",
                "Leave R2* out for this scan, or give the magnitude of all its echoes.",
            )
        )
    times = np.asarray(echo_times, np.float32)[:, None]
    signal = signal_inside(magnitude, mask)
    positive = signal > 0
    logarithm = np.log(np.where(positive, signal, 1))
    intercept, rate = _fit(logarithm, times, np.where(positive, signal**2, 0))
    # Where noise alone was fitted the line may leave the range whose squares are finite.
    fitted = np.exp(np.clip(intercept - rate * times, -43, 43))

    residual = (fitted**2 * (logarithm - np.log(fitted)) ** 2 * positive).sum(axis=0)
    variance = noise_variance(signal, residual)
    corrected = signal**2 - 2 * variance
    usable = (corrected > 0) & (fitted >= parameters.least_snr * np.sqrt(variance))
    usable[:2] = corrected[:2] > 0
    logarithm = 0.5 * np.log(np.where(usable, corrected, 1))
    _, rate = _fit(logarithm, times, np.where(usable, fitted**2, 0))

    r2star = np.zeros(mask.shape, np.float32)
    r2star[mask] = np.clip(rate, 0, parameters.largest)
    return r2star


def _fit(
    logarithm: np.ndarray, times: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted straight line through log signal (E, N): intercept and decay rate, each (N,)."""
    # Relative weights: squares of large magnitudes would overflow single precision below.
    weights = weights / np.maximum(weights.max(axis=0), np.finfo(np.float32).tiny)
    total = np.maximum(weights.sum(axis=0), np.finfo(np.float32).tiny)
    mean_time = (weights * times).sum(axis=0) / total
    mean_log = (weights * logarithm).sum(axis=0) / total
    spread = (weights * (times - mean_time) ** 2).sum(axis=0)
    slope = (weights * (times - mean_time) * (logarithm - mean_log)).sum(axis=0)
    # One usable echo tells nothing of a decay.
    rate = -np.divide(slope, spread, out=np.zeros_like(slope), where=spread > 0)
    return mean_log + rate * mean_time, rate
