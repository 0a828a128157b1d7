"""Steps that all methods of field mapping share: before unwrapping, and after it.

A method takes a :class:`Scan` from :func:`prepare`, unwraps it in its own way, and hands the
result to :func:`finish`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from ..acquisition import check_echo_times
from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import bounding_box
from .bipolar import (
    Alternation,
    alternating_phase,
    measure_alternation,
    remove_alternating_phase,
)
from .field_fit import fit_field
from .offset import OffsetParameters, estimate_offset, remove_offset
from .quality import QualityParameters, reliable_mask, without_noise
from .romeo import edge_weights


class CommonParameters(Parameters):
    """Parameters of the steps that all methods share."""

    phase_sign: Literal[1, -1] = Field(
        1,
        description="-1 where the scanner's phase falls with a rising field, so that veins would "
        "come out diamagnetic (1)",
    )
    readout: Literal["monopolar", "bipolar"] = Field(
        "monopolar",
        description="bipolar where every other echo is read out backwards: the phase error that "
        "alternates between echoes is then removed (three echoes or more)",
    )
    offset: OffsetParameters = Field(
        default_factory=OffsetParameters, description="phase offset removal"
    )
    quality: QualityParameters = Field(
        default_factory=QualityParameters, description="phase-quality mask"
    )


@dataclass(frozen=True)
class Scan:
    """Wrapped phase without offset, in the box around the mask, with all that goes with it.

    ``phase`` (rad) and ``magnitude`` are float32 (E, X, Y, Z) and 0 where a voxel has no signal;
    ``mask`` is boolean (X, Y, Z), ``echo_times`` in s, ``field_strength`` in T, ``voxel_size`` in
    mm. ``box`` is where all this lies in the image of shape ``shape``. ``alternation`` is what even
    and odd echoes still disagree by, where three echoes or more tell it.
    """

    phase: np.ndarray
    magnitude: np.ndarray
    mask: np.ndarray
    echo_times: np.ndarray
    field_strength: float
    voxel_size: tuple[float, ...]
    box: tuple[slice, slice, slice]
    shape: tuple[int, ...]
    alternation: Alternation | None = None

    def with_signal(self, *echoes: int) -> np.ndarray:
        """Part of the mask (X, Y, Z) with a signal in these echoes (from 0); none given: all.

        Raises :class:`InputError` if it is empty.
        """
        inside = self.mask & (self.magnitude[list(echoes) or slice(None)] > 0).all(axis=0)
        if not inside.any():
            numbers = [echo + 1 for echo in echoes] or range(1, len(self.echo_times) + 1)
            raise InputError(
                Problem(
                    "magnitude",
                    "no voxel of the mask with a signal in echo " + ", ".join(map(str, numbers)),
                    "signal in most of the brain",
                    "Check that the images are echoes of one scan.",
                )
            )
        return inside


@dataclass(frozen=True)
class FieldMap:
    """Total field and its standard error (float32, ppm), and where to trust it.

    All of shape (X, Y, Z). Both maps are 0 outside the mask and where there is no signal, as is
    ``quality``, the coherence of the phase (float32, 0 to 1); ``reliable`` is boolean and lies
    inside the mask. ``alternation`` is that of the :class:`Scan`.
    """

    field: np.ndarray
    noise: np.ndarray
    quality: np.ndarray
    reliable: np.ndarray
    alternation: Alternation | None = None


def prepare(
    phase: np.ndarray,
    magnitude: np.ndarray,
    mask: np.ndarray,
    echo_times: np.ndarray,
    field_strength: float,
    voxel_size: Sequence[float],
    parameters: CommonParameters,
    threads: int = 1,
) -> Scan:
    """Crop, set the sign right, and remove the readout's phase error and the phase offset.

    With one echo no offset can be told from the field, so none is removed: its smooth part then
    goes with the background. A voxel whose phase or magnitude is NaN or infinite has no signal in
    that echo, just as where the magnitude is 0.

    Parameters
    ----------
    phase, magnitude : (E, X, Y, Z), rad and any unit.
    mask : brain mask (X, Y, Z), boolean.
    echo_times : (E,), s, increasing.
    field_strength : T.
    voxel_size : mm.

    Raises
    ------
    InputError
        If shapes or echo times do not fit, the mask is empty, an echo has no signal in it, or
        there are too few echoes for a bipolar readout.
    """
    echo_times = np.asarray(echo_times, float)
    _check(phase, magnitude, mask, echo_times)
    box = bounding_box(mask, margin=1)
    inside = mask[box]
    phase, magnitude = phase[(slice(None), *box)], magnitude[(slice(None), *box)]
    signal = np.isfinite(phase) & np.isfinite(magnitude) & (magnitude > 0)
    phase = np.where(signal, np.float32(parameters.phase_sign) * phase, 0).astype(np.float32)
    magnitude = np.where(signal, magnitude, 0).astype(np.float32)
    _check_signal(magnitude, inside)
    if parameters.readout == "bipolar":
        alternating = alternating_phase(phase, magnitude, inside, echo_times)
        phase = remove_alternating_phase(phase, alternating)
    alternation = measure_alternation(phase, magnitude, inside, echo_times, voxel_size)
    if len(echo_times) > 1:
        offset = estimate_offset(
            phase, magnitude, inside, echo_times, voxel_size, parameters.offset, threads
        )
        phase = remove_offset(phase, offset)
    return Scan(
        phase,
        magnitude,
        inside,
        echo_times,
        field_strength,
        tuple(voxel_size),
        box,
        mask.shape,
        alternation,
    )


def edge_trust(scan: Scan, inside: np.ndarray, echo: int) -> np.ndarray:
    """Trust in the edges (3, X, Y, Z) of one echo (from 0), judged together with its neighbour."""
    phase, times = scan.phase, scan.echo_times
    if len(times) == 1:
        return edge_weights(phase[0], inside, scan.magnitude[0])
    other = echo + 1 if echo + 1 < len(times) else echo - 1
    ratio = times[echo] / times[other]
    return edge_weights(phase[echo], inside, scan.magnitude[echo], phase[other], ratio)


def reliable_part(
    quality: np.ndarray, inside: np.ndarray, parameters: QualityParameters
) -> np.ndarray:
    """Part of ``inside`` (X, Y, Z; boolean) with coherent phase, by the voxels' ``quality``.

    Raises :class:`InputError` if there is none.
    """
    reliable = reliable_mask(quality, inside, parameters)
    if not reliable.any():
        raise InputError(
            Problem(
                "phase",
                f"no voxel with a phase quality of {parameters.threshold:g} in the mask",
                "coherent phase in most of the brain",
                "Check that phase, magnitude and mask belong together, and the phase units.",
            )
        )
    return reliable


def finish(
    scan: Scan,
    unwrapped: np.ndarray,
    inside: np.ndarray,
    quality: np.ndarray,
    reliable: np.ndarray,
    parameters: QualityParameters,
) -> FieldMap:
    """Fit the field to ``unwrapped`` phase (E, X, Y, Z; rad); back from the box to the image.

    Voxels that turn out to hold noise are no longer reliable.
    """
    field, noise = fit_field(
        unwrapped, scan.magnitude, inside, scan.echo_times, scan.field_strength
    )
    parts = (field, noise, quality, without_noise(reliable, noise, parameters))
    maps = (_back(part, scan.box, scan.shape) for part in parts)
    return FieldMap(*maps, scan.alternation)


def _check(
    phase: np.ndarray, magnitude: np.ndarray, mask: np.ndarray, echo_times: np.ndarray
) -> None:
    expected = (len(echo_times), *mask.shape)
    for name, data in (("phase", phase), ("magnitude", magnitude)):
        if data.shape != expected:
            raise InputError(
                Problem(
                    name,
                    f"the shape {data.shape}",
                    f"{expected}, one image of the mask's shape for every echo time",
                    "Give phase, magnitude and mask of one scan.",
                )
            )
    check_echo_times(echo_times, "echoes")
    if not mask.any():
        raise InputError(
            Problem("mask", "an empty mask", "at least one voxel inside", "See how it was made.")
        )


def _check_signal(magnitude: np.ndarray, inside: np.ndarray) -> None:
    empty = [str(echo + 1) for echo, image in enumerate(magnitude) if not image[inside].any()]
    if empty:
        raise InputError(
            Problem(
                f"magnitude, echo {', '.join(empty)}",
                "0 in every voxel of the mask (or not a number, or the phase is not)",
                "signal in the brain",
                "Check that the mask belongs to these images; leave out echoes without signal.",
            )
        )


def _back(part: np.ndarray, box: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray:
    whole = np.zeros(shape, part.dtype)
    whole[box] = part
    return whole
