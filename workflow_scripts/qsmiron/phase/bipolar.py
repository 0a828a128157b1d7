"""Phase error of bipolar readouts: what even and odd echoes disagree by.

Where every other echo is read out backwards, gradient delays and eddy currents add a phase whose
sign alternates from echo to echo. It is linear in space, mainly along the readout direction, plus
a constant (Li et al., Magn Reson Mater Phy 2015, doi 10.1007/s10334-014-0470-3); three echoes tell
it from the field and from the phase offset (Eckstein et al., Magn Reson Med 2018,
doi 10.1002/mrm.26963). A ramp along all three array axes is fitted, so that the readout
direction need not be known.

With echoes at equal distances an alternating phase of a quarter turn is the same as a field of
half a turn per echo spacing. The constant is therefore taken under the assumption that the median
field makes less than half a turn between echoes 1 and 3, and the field's level follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, Problem
from .romeo import edge_weights, unwrap_in_space
from .wrapping import wrap

LEAST_ECHOES = 3
REFINEMENTS = 3
OUTLIER_RAD = np.pi / 2
"""A voxel this far from the ramp is wrapped or noise, and takes no part in its refinement."""

COARSE_MM = 6.0
LEAST_VOXELS = 100
"""Fewer do not tell a ramp from noise."""


def alternating_phase(
    phase: np.ndarray, magnitude: np.ndarray, mask: np.ndarray, echo_times: np.ndarray
) -> np.ndarray:
    """The ramp a(x, y, z) in rad (float32) by which echo e (from 1) is ahead: (−1)^e · a.

    Parameters
    ----------
    phase : wrapped phase (E, X, Y, Z), rad; the first three echoes are used.
    magnitude : (E, X, Y, Z), any unit, 0 where there is no signal.
    mask : boolean.
    echo_times : (E,), s, increasing; not necessarily at equal distances.

    Raises
    ------
    InputError
        With fewer than three echoes, or without a voxel that has a signal in the first three.
    """
    if len(echo_times) < LEAST_ECHOES:
        raise InputError(
            Problem(
                "field_map parameters, readout",
                f"bipolar with {len(echo_times)} echo{'es' if len(echo_times) > 1 else ''}",
                "three echoes or more, to tell the readout's phase error from the field",
                "Set readout to monopolar if all echoes are read out in one direction; otherwise "
                "the error cannot be removed.",
            )
        )
    magnitude = magnitude[:LEAST_ECHOES]
    inside = mask & (magnitude > 0).all(axis=0)
    if not inside.any():
        raise InputError(
            Problem(
                "magnitude",
                "no voxel of the mask with a signal in each of the first three echoes",
                "three echoes to tell the readout's phase error from the field",
                "Check that the images are echoes of one scan.",
            )
        )
    # Echoes 1 and 3 share their sign: their difference is the field's alone, and its share up to
    # echo 2 leaves twice the alternating phase.
    share = np.float32((echo_times[1] - echo_times[0]) / (echo_times[2] - echo_times[0]))
    evolution = wrap(phase[2] - phase[0])
    trust = edge_weights(evolution, inside, np.sqrt(magnitude[0] * magnitude[2]))
    evolution = unwrap_in_space(evolution, trust, inside)
    twice = wrap(phase[1] - phase[0] - share * evolution)
    parts = np.where(inside, magnitude, 1)
    variance = ((1 - share) / parts[0]) ** 2 + 1 / parts[1] ** 2 + (share / parts[2]) ** 2
    return fit_ramp(twice, np.where(inside, 1 / variance, 0)) / 2


@dataclass(frozen=True)
class Alternation:
    """How far even and odd echoes are apart: ``slope`` is the change of the alternating phase
    across the mask, ``constant`` its mean there without the quarter turns that a field explains as
    well, both in rad and without sign.
    """

    slope: float
    constant: float


def measure_alternation(
    phase: np.ndarray,
    magnitude: np.ndarray,
    mask: np.ndarray,
    echo_times: np.ndarray,
    voxel_size: Sequence[float],
) -> Alternation | None:
    """The alternating phase on a coarse grid, to notice it; ``None`` where it cannot be told.

    Parameters are those of :func:`alternating_phase`, and the edges of a voxel in mm. A voxel of
    every ``COARSE_MM`` is enough for four coefficients, and costs next to nothing.
    """
    if len(echo_times) < LEAST_ECHOES:
        return None
    strides = [max(1, int(COARSE_MM / edge)) for edge in voxel_size]
    coarse = tuple(slice(None, None, stride) for stride in strides)
    phase, magnitude = (data[(slice(LEAST_ECHOES), *coarse)] for data in (phase, magnitude))
    if (mask[coarse] & (magnitude > 0).all(axis=0)).sum() < LEAST_VOXELS:
        return None
    found = alternating_phase(phase, magnitude, mask[coarse], echo_times)
    ramp = _spread(found, strides, mask.shape)[mask]
    # A whole turn more or less between echoes 1 and 3 is a field, not an alternation.
    share = (echo_times[1] - echo_times[0]) / (echo_times[2] - echo_times[0])
    turns = 2 * np.pi * share * np.arange(-1, 2)
    constants = np.abs(wrap(2 * float(ramp.mean(dtype=float)) - turns)) / 2
    return Alternation(float(np.ptp(ramp)), float(constants.min()))


def _spread(ramp: np.ndarray, strides: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """A linear function that is known on every so many voxels, on a grid of ``shape``; float32."""
    corner = ramp[0, 0, 0]
    spread = np.full(shape, corner, np.float32)
    for axis, (stride, length) in enumerate(zip(strides, shape, strict=True)):
        along = ramp[tuple(slice(None) if other == axis else 0 for other in range(3))]
        step = (along[-1] - along[0]) / max(1, stride * (len(along) - 1))
        line = np.arange(length, dtype=np.float32) * step
        spread += line.reshape([-1 if other == axis else 1 for other in range(3)])
    return spread


def remove_alternating_phase(phase: np.ndarray, alternating: np.ndarray) -> np.ndarray:
    """Phase (E, X, Y, Z; rad) without it, wrapped to −π…π; float32."""
    signs = np.where(np.arange(len(phase)) % 2, 1, -1).astype(np.float32)
    return wrap(phase - signs[:, None, None, None] * alternating)


def fit_ramp(phase: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Linear function of position (X, Y, Z; float32 rad) closest to a wrapped ``phase``.

    The slopes are first the directions of the mean complex step between neighbours, which no wrap
    can touch; least squares on the wrapped rest then make the most of the noise. ``weight``
    (X, Y, Z) is the inverse variance up to a factor, 0 outside.
    """
    axes = np.ix_(*(np.arange(n) - (n - 1) / 2 for n in phase.shape))
    coefficients = np.zeros(4)
    for axis, length in enumerate(phase.shape):
        lower = (slice(None),) * axis + (slice(0, length - 1),)
        upper = (slice(None),) * axis + (slice(1, length),)
        steps = np.exp(1j * (phase[upper] - phase[lower]).astype(float))
        coefficients[axis] = np.angle((weight[lower] * weight[upper] * steps).sum())
    level = (weight * np.exp(1j * (phase - _ramp(coefficients, axes)))).sum()
    coefficients[3] = np.angle(level)

    inside = weight > 0
    columns = np.stack([*(np.broadcast_to(x, phase.shape)[inside] for x in axes)], axis=1)
    columns = np.concatenate([columns, np.ones((len(columns), 1))], axis=1)
    for _ in range(REFINEMENTS):
        rest = wrap(phase - _ramp(coefficients, axes))[inside]
        weights = np.where(np.abs(rest) < OUTLIER_RAD, weight[inside], 0).astype(float)
        weighted = columns * weights[:, None]
        # Sums by einsum, since those of a threaded product depend on the number of threads.
        normal = np.einsum("ni,nj->ij", weighted, columns)
        right = np.einsum("ni,n->i", weighted, rest)
        # Least squares of minimum norm: along an axis of one voxel there is no slope to find.
        coefficients += np.linalg.lstsq(normal, right, rcond=1e-9)[0]
    return _ramp(coefficients, axes).astype(np.float32)


def _ramp(coefficients: np.ndarray, axes: tuple[np.ndarray, ...]) -> np.ndarray:
    return coefficients[3] + sum(c * x for c, x in zip(coefficients[:3], axes, strict=True))
