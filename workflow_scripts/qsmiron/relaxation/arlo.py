"""R2* from the decay of the magnitude by auto-regression on linear operations (ARLO).

The integral of an exponential decay over two echo spacings is its decrease between their ends
times T2*. With Simpson's rule for the integral this is linear in the data: no logarithm, no
starting value (Pei et al., Magn Reson Med 2015, doi 10.1002/mrm.25137). It needs equally spaced
echoes. The paper's estimate errs by (R2* ΔTE)⁴/180 of itself, the error of Simpson's rule; since
that is known for an exponential, the estimate is inverted exactly.

σ comes from the residuals of a first fit; it then corrects the magnitude's noise floor, A² = m² −
σ² (Gudbjartsson & Patz 1995, doi 10.1002/mrm.1910340618), and echoes that have decayed into the
noise are left out.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from .noise import noise_variance, signal_inside

SPACING_TOLERANCE = 0.01
"""Spacings may differ by so much of their mean: sidecars round echo times."""


class ArloParameters(Parameters):
    """Parameters of ARLO."""

    least_snr: float = Field(
        3.0,
        ge=0,
        description="echoes whose fitted signal is below this multiple of the noise are left "
        "out, except the first three (1)",
    )
    largest: float = Field(
        500.0, gt=0, description="R2* above this is set to it, below 0 to 0 (1/s)"
    )


def fit_arlo(
    magnitude: np.ndarray, echo_times: np.ndarray, mask: np.ndarray, parameters: ArloParameters
) -> np.ndarray:
    """R2* (X, Y, Z; float32, 1/s), 0 outside ``mask`` and where three echoes in a row are missing.

    Parameters
    ----------
    magnitude : (E, X, Y, Z), any unit, not below 0; NaN and infinite values are no signal.
    echo_times : (E,), s, equally spaced.
    mask : boolean.

    Raises
    ------
    InputError
        With fewer than three echoes, or echoes that are not equally spaced.
    """
    times = np.asarray(echo_times, float)
    spacing = _spacing(times)
    signal = signal_inside(magnitude, mask)
    measured = signal > 0
    rate = _rate(signal, _windows(measured), spacing)

    decay = np.exp(-np.outer(times - times[0], np.minimum(rate, parameters.largest)))
    decay = decay.astype(np.float32)
    amplitude = (signal * decay).sum(axis=0) / (decay**2 * measured).sum(axis=0).clip(1e-6)
    fitted = amplitude * decay
    variance = noise_variance(signal, ((signal - fitted) ** 2).sum(axis=0))
    corrected = np.sqrt(np.maximum(signal**2 - variance, 0))
    usable = measured & (fitted >= parameters.least_snr * np.sqrt(variance))
    usable[:3] = measured[:3]
    rate = _rate(corrected, _windows(usable), spacing)

    r2star = np.zeros(mask.shape, np.float32)
    r2star[mask] = np.minimum(rate, parameters.largest)
    return r2star


def _spacing(times: np.ndarray) -> float:
    """Echo spacing (s); :class:`InputError` where there is no single one."""
    steps = np.diff(times)
    if len(times) >= 3 and np.ptp(steps) <= 2 * SPACING_TOLERANCE * steps.mean():
        return float(steps.mean())
    raise InputError(
        Problem(
            "echo times",
            ", ".join(f"{1000 * time:g}" for time in times) + " ms",
            "at least three equally spaced echoes, which ARLO integrates over",
            "Use the method loglinear (r2star.method in the config), which takes any two echoes.",
        )
    )


def _windows(usable: np.ndarray) -> np.ndarray:
    """Windows (E − 2, N) of three echoes in a row that are all usable (E, N)."""
    return usable[:-2] & usable[1:-1] & usable[2:]


def _rate(signal: np.ndarray, windows: np.ndarray, spacing: float) -> np.ndarray:
    """R2* (N; 1/s, may be infinite) of ``signal`` (E, N); 0 without a window or a decay."""
    first, middle, last = signal[:-2], signal[1:-1], signal[2:]
    # In units of spacing/3 the integral is of the size of the signal.
    integral = (first + 4 * middle + last) * windows
    decrease = (first - last) * windows
    # The paper's estimate T2* = (ΔTE/3) · over / under minimises the effect of noise in both.
    product = (integral * decrease).sum(axis=0, dtype=float)
    over = (integral**2).sum(axis=0, dtype=float) + product
    under = (decrease**2).sum(axis=0, dtype=float) + product
    decays = (under > 0) & (over > 0)
    ratio = np.divide(over, under, out=np.full_like(over, np.inf), where=decays)
    # For a pure decay the ratio is (2 + cosh x) / sinh x with x = R2* ΔTE; solved for exp(−x).
    base = np.where(decays, ratio, 1)
    per_echo = (np.sqrt(3 + base**2) - 2) / (1 + base)
    with np.errstate(divide="ignore"):
        exact = -np.log(np.maximum(per_echo, 0)) / spacing
    return np.where(decays, exact, 0)
