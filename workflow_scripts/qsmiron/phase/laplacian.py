"""Laplacian unwrapping: the phase whose Laplacian is that of the wrapped one.

Whole turns do not show in the sine and cosine of the phase, so its Laplacian can be had from them
and solved for by Fourier transforms (Schofield & Zhu, Opt Lett 2003, doi 10.1364/OL.28.001194).
Taken over neighbours, cos φ ∇² sin φ − sin φ ∇² cos φ is the sum of the sines of the steps to
them, which falls short where steps are large; here the angle belonging to each step's sine and
cosine is summed, exact up to half a turn per voxel (as in least-squares unwrapping, Ghiglia &
Romero, J Opt Soc Am A 1994, doi 10.1364/JOSAA.11.000107).

Nothing is known of the phase outside the mask. The result is therefore the true phase plus a
function that is harmonic inside it: background removal takes that away with the background.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..spectral import inverse, padded_shape, transform, wave_numbers
from .wrapping import wrap


def unwrap_laplacian(
    phase: np.ndarray, mask: np.ndarray, voxel_size: Sequence[float], threads: int = 1
) -> np.ndarray:
    """Unwrapped ``phase`` (X, Y, Z; rad) up to a harmonic function; float32, 0 outside ``mask``.

    Its mean over the mask is 0. The result is linear in the phase wherever steps between
    neighbours stay below half a turn, so that echoes remain in proportion to their echo times.
    The Laplacian, and with it the result's harmonic rest, is in mm.
    """
    shape = padded_shape(mask.shape)
    source = np.zeros(mask.shape, np.float32)
    laplacian = np.zeros((1, 1, 1), np.float32)
    for axis, (k, edge) in enumerate(zip(wave_numbers(shape, voxel_size), voxel_size, strict=True)):
        lower = (slice(None),) * axis + (slice(0, -1),)
        upper = (slice(None),) * axis + (slice(1, None),)
        step = np.where(mask[lower] & mask[upper], wrap(phase[upper] - phase[lower]), 0)
        step /= np.float32(edge**2)
        source[lower] += step
        source[upper] -= step
        half = np.float32(np.pi * edge) * k
        laplacian = laplacian - (2 * np.sin(half) / np.float32(edge)) ** 2
    laplacian[0, 0, 0] = np.inf
    spectrum = transform(source, shape, threads)
    spectrum /= laplacian
    unwrapped = inverse(spectrum, shape, mask.shape, threads)
    unwrapped = np.where(mask, unwrapped - unwrapped[mask].mean(dtype=float), 0)
    return unwrapped.astype(np.float32)
