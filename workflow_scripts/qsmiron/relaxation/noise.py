"""What the methods for R2* share: the signal inside the mask, and how noisy it is."""

from __future__ import annotations

import numpy as np


def signal_inside(magnitude: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Signal (E, N; float32) of the voxels inside the mask; 0 where there is none.

    ``magnitude`` (E, X, Y, Z); NaN, infinite and negative values are no signal.
    """
    signal = magnitude[:, mask].astype(np.float32)
    return np.where(np.isfinite(signal) & (signal > 0), signal, 0)


def noise_variance(signal: np.ndarray, squares: np.ndarray) -> np.float32:
    """Variance σ² of the noise of one echo, from what a fit of the decay leaves over.

    Parameters
    ----------
    signal : (E, N), 0 where there is none.
    squares : (N,), sum over echoes of the squared residuals of a fit of amplitude and rate.

    Returns
    -------
    The median over the voxels with signal in every echo, so that those whose decay is not
    exponential are outvoted; 0 with two echoes, which leave no residual.
    """
    freedom = len(signal) - 2
    whole = (signal > 0).all(axis=0)
    if freedom < 1 or not whole.any():
        return np.float32(0)
    typical = freedom * (1 - 2 / (9 * freedom)) ** 3  # median of χ²
    return np.float32(np.median(squares[whole]) / typical)
