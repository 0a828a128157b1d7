"""Decays with known R2*, for the tests of every method."""

from __future__ import annotations

import numpy as np

TIMES = np.array([4, 10, 16, 22, 28]) * 1e-3
SHAPE = (30, 30, 30)


def decay(rates: np.ndarray, times: np.ndarray = TIMES, scale: float = 1000.0) -> np.ndarray:
    """Noiseless magnitude (E, X, Y, Z) of ``rates`` (X, Y, Z; 1/s) at ``times`` (s)."""
    return scale * np.exp(-times[:, None, None, None] * rates)


def rician(signal: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """Magnitude of a signal with noise of SD ``sigma`` in each channel."""
    rng = np.random.default_rng(seed)
    real = signal + sigma * rng.normal(size=signal.shape)
    return np.hypot(real, sigma * rng.normal(size=signal.shape))


def cramer_rao_bound(rate: float, times: np.ndarray, sigma: float, scale: float = 1000.0) -> float:
    """Least SD of R2* (1/s) from an exponential of unknown amplitude in Gaussian noise."""
    signal = scale * np.exp(-times * rate)
    jacobian = np.stack([signal, -times * signal])
    return float(np.sqrt(np.linalg.inv(jacobian @ jacobian.T / sigma**2)[1, 1]))
