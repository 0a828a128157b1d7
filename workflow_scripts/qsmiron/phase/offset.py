"""MCPC-3D-S: removal of the phase that does not grow with echo time.

Coils, receiver and radio-frequency pulse add a phase offset that is smooth in space and the same
in all echoes. The unwrapped phase difference of two echoes, extrapolated to echo time 0, gives it.
Eckstein et al., Magn Reson Med 2018, doi 10.1002/mrm.26963.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from .romeo import edge_weights, unwrap_in_space
from .smoothing import LocalFit
from .wrapping import wrap


class OffsetParameters(Parameters):
    """Parameters of the offset removal."""

    smoothing: float = Field(
        7.0, gt=0, le=100, description="standard deviation of the offset's Gaussian window (mm)"
    )
    passes: int = Field(
        3,
        ge=1,
        le=10,
        description="smoothing passes: the first takes local means, each further one fits local "
        "lines to what the ones before left (1)",
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
    """Phase offset (X, Y, Z; float32 rad in −π…π), smoothed with magnitude weights; 0 outside.

    Parameters
    ----------
    phase, magnitude : (E, X, Y, Z) with at least two echoes; the first two are used, where both
        have a magnitude above 0.
    mask : boolean.
    echo_times : (E,), s.
    voxel_size : mm.

    Raises
    ------
    InputError
        If no voxel has a signal in both echoes.
    """
    first, second = echo_times[:2]
    product = magnitude[0] * magnitude[1]
    inside = mask & (product > 0)
    if not inside.any():
        raise InputError(
            Problem(
                "magnitude",
                "no voxel of the mask with a signal in both of the first two echoes",
                "two echoes to tell the phase offset from the field",
                "Check that the images are echoes of one scan.",
            )
        )
    difference = wrap(phase[1] - phase[0])
    weights = edge_weights(difference, inside, np.sqrt(product))
    difference = unwrap_in_space(difference, weights, inside)
    at_zero = phase[0] - difference * np.float32(first / (second - first))
    fit = LocalFit(np.where(inside, product, 0), mask, voxel_size, parameters.smoothing, threads)
    offset = fit.mean_angle(at_zero)
    for _ in range(parameters.passes - 1):
        offset += fit.line(wrap(at_zero - offset))
    return wrap(offset)


def remove_offset(phase: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """All echoes (E, X, Y, Z; rad) without ``offset`` (X, Y, Z), wrapped to −π…π; float32."""
    return wrap(phase - offset)
