"""ROMEO: region-growing phase unwrapping that crosses the most trustworthy edges first.

An edge between neighbouring voxels is trusted by the product of three coherences: of the phase,
of the phase gradient between two echoes, and of the magnitude. A region grows from the most
trusted voxel through a bucket queue of edges; further echoes are then unwrapped in time, voxel by
voxel. The loops are compiled by numba, which is loaded on first use. Dymerska et al., Magn Reson
Med 2021, doi 10.1002/mrm.28563.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from .wrapping import TWO_PI


class RomeoParameters(Parameters):
    """Parameters of the unwrapping."""

    template_echo: int = Field(
        1, ge=1, description="echo that is unwrapped in space; the last one where there are fewer"
    )


def edge_weights(
    phase: np.ndarray,
    mask: np.ndarray,
    magnitude: np.ndarray | None = None,
    second_phase: np.ndarray | None = None,
    echo_time_ratio: float = 1.0,
) -> np.ndarray:
    """Trust in each edge from a voxel to the next one along x, y and z.

    Parameters
    ----------
    phase : wrapped or unwrapped phase (X, Y, Z), rad.
    mask : boolean; edges with an end outside get 0.
    magnitude : (X, Y, Z), any unit; left out of the product if ``None``.
    second_phase : phase of another echo, rad; left out of the product if ``None``.
    echo_time_ratio : echo time of ``phase`` over that of ``second_phase`` (1).

    Returns
    -------
    float32 array (3, X, Y, Z), 0 (none) to 1.
    """
    from .romeo_loops import edge_weights as loop

    empty = np.zeros((0, 0, 0), np.float32)
    return loop(
        _single(phase),
        np.ascontiguousarray(mask),
        empty if magnitude is None else _single(magnitude),
        empty if second_phase is None else _single(second_phase),
        np.float32(echo_time_ratio),
    )


def voxel_quality(weights: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Mean trust in a voxel's edges to neighbours inside the mask (X, Y, Z), 0 to 1, float32."""
    from .romeo_loops import voxel_quality as loop

    return loop(weights, np.ascontiguousarray(mask))


def unwrap_in_space(phase: np.ndarray, weights: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Unwrapped ``phase`` (X, Y, Z; rad) inside ``mask``, 0 outside; float32.

    Each connected part of the mask is grown by itself, and shifted by the multiple of 2π that
    brings its median closest to 0: parts that do not touch tell nothing about each other.
    """
    from .romeo_loops import grow

    mask = np.ascontiguousarray(mask)
    unwrapped = _single(np.where(mask, phase, 0))
    # Voxels in the order of their trust, in 8 bits since these sort fast: the first that is not yet
    # reached starts the next part.
    distrust = np.uint8(255) - np.round(255 * voxel_quality(weights, mask)).astype(np.uint8)
    seeds = np.flatnonzero(mask)
    seeds = seeds[np.argsort(distrust.ravel()[seeds], kind="stable")]
    part = grow(unwrapped, np.ascontiguousarray(weights), mask, seeds)[mask]
    values = unwrapped[mask]
    # Sorted by part, each is a run of its own, however many there are.
    order = np.argsort(part, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        turns = np.round(np.median(values[members]) / TWO_PI) if members.size else 0
        if turns:
            values[members] -= np.float32(turns * TWO_PI)
    unwrapped[mask] = values
    return unwrapped


def unwrap_in_time(
    phase: np.ndarray,
    template: np.ndarray,
    template_echo: int,
    magnitude: np.ndarray,
    echo_times: np.ndarray,
) -> np.ndarray:
    """Unwrap all echoes from one that is unwrapped, assuming a phase in proportion to TE.

    From the template outwards, each echo is put within π of what the echoes unwrapped so far
    predict by a fit through the origin, weighted with magnitude² as in the later field fit.

    Parameters
    ----------
    phase : wrapped, offset-free phase (E, X, Y, Z), rad.
    template : unwrapped phase of echo ``template_echo`` (from 0).
    magnitude : (E, X, Y, Z), any unit.
    echo_times : (E,), s, increasing.

    Returns
    -------
    float32 (E, X, Y, Z), rad.
    """
    n_echoes = len(echo_times)
    order = [*range(template_echo + 1, n_echoes), *range(template_echo - 1, -1, -1)]
    times = np.asarray(echo_times, np.float32)
    unwrapped = np.array(phase, np.float32)
    unwrapped[template_echo] = template
    tiny = np.finfo(np.float32).tiny
    square = magnitude[template_echo] ** 2
    moment = square * template * times[template_echo]
    norm = square * times[template_echo] ** 2
    for echo in order:
        predicted = moment / np.maximum(norm, tiny) * times[echo]
        predicted -= unwrapped[echo]
        predicted /= np.float32(TWO_PI)
        unwrapped[echo] += np.float32(TWO_PI) * np.round(predicted)
        square = magnitude[echo] ** 2
        moment += square * unwrapped[echo] * times[echo]
        norm += square * times[echo] ** 2
    return unwrapped


def _single(data: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(data, np.float32)
