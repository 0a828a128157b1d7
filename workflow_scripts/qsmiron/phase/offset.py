"""MCPC-3D-S: removal of the phase that does not grow with echo time.

Coils, receiver and radio-frequency pulse add a phase offset that is smooth in space and the same
in all echoes. The unwrapped phase difference of two echoes, extrapolated to echo time 0, gives it.
Eckstein et al., Magn Reson Med 2018, doi 10.1002/mrm.26963.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spectral import inverse, padded_shape, transform, wave_numbers
from .romeo import edge_weights, unwrap_in_space


class OffsetParameters(Parameters):
    """Parameters of the offset removal."""

    smoothing: float = Field(
        7.0, gt=0, le=100, description="standard deviation of the offset's Gaussian filter (mm)"
    )
    passes: int = Field(
        3,
        ge=1,
        le=10,
        description="times the filter is applied, each further time to what the ones before left "
        "(1)",
    )


def estimate_offset(
    phase: np.ndarray,
    magnitude: np.ndarray,
    mask: np.ndarray,
    echo_times: np.ndarray,
    voxel_size: Sequence[float],
    parameters: OffsetParameters,
    threads: int = 1,
) -> np.ndarray:
    """Phase offset (X, Y, Z; float32 rad in −π…π), smoothed with magnitude weights in ``mask``.

    Parameters
    ----------
    phase, magnitude : (E, X, Y, Z) with at least two echoes; the first two are used.
    echo_times : (E,), s.
    voxel_size : mm.
    """
    first, second = echo_times[:2]
    difference = np.angle(np.exp(1j * (phase[1] - phase[0]))).astype(np.float32)
    product = magnitude[0] * magnitude[1]
    weights = edge_weights(difference, mask, np.sqrt(product))
    difference = unwrap_in_space(difference, weights, mask)
    at_zero = phase[0] - difference * np.float32(first / (second - first))
    weight = np.where(mask, product, 0)
    offset = np.zeros_like(at_zero)
    for _ in range(parameters.passes):
        real = _smooth(weight * np.cos(at_zero - offset), voxel_size, parameters.smoothing, threads)
        imaginary = _smooth(
            weight * np.sin(at_zero - offset), voxel_size, parameters.smoothing, threads
        )
        offset += np.arctan2(imaginary, real)
    return offset


def remove_offset(phase: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """All echoes (E, X, Y, Z; rad) without ``offset`` (X, Y, Z), wrapped to −π…π; float32."""
    turn = np.float32(2 * np.pi)
    result = phase - offset
    result -= turn * np.round(result / turn)
    return result


def _smooth(
    data: np.ndarray, voxel_size: Sequence[float], sigma: float, threads: int
) -> np.ndarray:
    """Gaussian filter with standard deviation ``sigma`` (mm), zero outside the grid."""
    shape = padded_shape(data.shape, [int(np.ceil(3 * sigma / edge)) for edge in voxel_size])
    spectrum = transform(data, shape, threads)
    for k in wave_numbers(shape, voxel_size):
        spectrum *= np.exp(np.float32(-2 * (np.pi * sigma) ** 2) * k**2)
    return inverse(spectrum, shape, data.shape, threads)
