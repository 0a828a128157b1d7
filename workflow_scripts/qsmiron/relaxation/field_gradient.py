"""Decay that a course of the field through the voxel adds to R2*, and the magnitude without it.

Near air the field changes over a voxel; spins dephase and the signal decays by more than the
tissue's R2*. A linear course over a voxel of uniform profile multiplies the echo by a sinc along
each axis (Fernández-Seara & Wehrli, Magn Reson Med 2000, doi
10.1002/1522-2594(200009)44:3<358::AID-MRM3>3.0.CO;2-P), which the field map gives.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T

LEAST_SIGNAL = 0.3
"""An echo that the gradient leaves less of is no measurement of R2*: the sinc is near its zero."""


def rise_through_voxel(field: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Rise of ``field`` (X, Y, Z) through a voxel along each axis: (3, X, Y, Z), in its unit.

    The mean of the steps to both neighbours; of one where the other lies outside the ``mask``, 0
    where both do.
    """
    rises = np.zeros((3, *field.shape), np.float32)
    for axis in range(3):
        first, second = (
            tuple(part if each == axis else slice(None) for each in range(3))
            for part in (slice(None, -1), slice(1, None))
        )
        known = mask[first] & mask[second]
        step = np.where(known, field[second] - field[first], 0).astype(np.float32)
        count = np.zeros(field.shape, np.uint8)
        rises[axis][first] += step
        rises[axis][second] += step
        count[first] += known
        count[second] += known
        rises[axis] /= np.maximum(count, 1)
    return rises


def remaining_signal(
    field: np.ndarray,
    mask: np.ndarray,
    field_strength: float,
    echo_times: Sequence[float],
) -> np.ndarray:
    """Share (E, X, Y, Z; float32) of each echo that dephasing within the voxel leaves.

    Parameters
    ----------
    field : total field (ppm), unwrapped.
    mask : where it holds.
    field_strength : B0 (T).
    echo_times : s.
    """
    hertz_per_ppm = np.float32(GYROMAGNETIC_RATIO_MHZ_PER_T * field_strength)
    rises = rise_through_voxel(field, mask) * hertz_per_ppm
    share = np.ones((len(echo_times), *field.shape), np.float32)
    for echo, time in zip(share, np.float32(echo_times), strict=True):
        for rise in rises:
            echo *= np.sinc(np.minimum(np.abs(rise * time), 1))
    return share


def without_dephasing(magnitude: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Magnitude (E, X, Y, Z) that the tissue alone would leave; 0 where too little is left."""
    kept = share >= LEAST_SIGNAL
    return np.where(kept, magnitude / np.where(kept, share, 1), 0).astype(np.float32)
