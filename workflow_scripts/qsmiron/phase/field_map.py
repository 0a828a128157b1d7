"""The whole way from wrapped phase to the total field, in the box around the mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spectral import bounding_box
from .field_fit import fit_field
from .offset import OffsetParameters, estimate_offset, remove_offset
from .quality import QualityParameters, reliable_mask
from .romeo import (
    RomeoParameters,
    edge_weights,
    unwrap_in_space,
    unwrap_in_time,
    voxel_quality,
)


class FieldMapParameters(Parameters):
    """Parameters of field mapping."""

    phase_sign: Literal[1, -1] = Field(
        1,
        description="-1 where the scanner's phase falls with a rising field, so that veins would "
        "come out diamagnetic (1)",
    )
    offset: OffsetParameters = Field(
        default_factory=OffsetParameters, description="phase offset removal"
    )
    unwrapping: RomeoParameters = Field(
        default_factory=RomeoParameters, description="phase unwrapping"
    )
    quality: QualityParameters = Field(
        default_factory=QualityParameters, description="phase-quality mask"
    )


@dataclass(frozen=True)
class FieldMap:
    """Total field and its standard error (float32, ppm, 0 outside the mask), and where to trust it.

    All of shape (X, Y, Z); ``reliable`` is boolean.
    """

    field: np.ndarray
    noise: np.ndarray
    reliable: np.ndarray


def map_field(
    phase: np.ndarray,
    magnitude: np.ndarray,
    mask: np.ndarray,
    echo_times: np.ndarray,
    field_strength: float,
    voxel_size: Sequence[float],
    parameters: FieldMapParameters,
    threads: int = 1,
) -> FieldMap:
    """Total field from the wrapped phase of one or more echoes.

    With one echo no offset can be told from the field, so none is removed: its smooth part then
    goes with the background.

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
        If the magnitude is 0 all over the mask, or no voxel's phase is reliable.
    """
    box = bounding_box(mask, margin=1)
    inside = mask[box]
    phase = np.float32(parameters.phase_sign) * phase[(slice(None), *box)]
    magnitude = magnitude[(slice(None), *box)]
    if not magnitude[:, inside].any():
        raise InputError(
            Problem(
                "magnitude",
                "0 in every voxel of the mask",
                "signal in the brain",
                "Check that the mask belongs to these images.",
            )
        )
    several = len(echo_times) > 1
    if several:
        offset = estimate_offset(
            phase, magnitude, inside, echo_times, voxel_size, parameters.offset, threads
        )
        phase = remove_offset(phase, offset)

    template = min(parameters.unwrapping.template_echo, len(echo_times)) - 1
    other = template + 1 if template + 1 < len(echo_times) else template - 1
    weights = edge_weights(
        phase[template],
        inside,
        magnitude[template],
        phase[other] if several else None,
        echo_times[template] / echo_times[other] if several else 1.0,
    )
    unwrapped = unwrap_in_space(phase[template], weights, inside)
    if several:
        unwrapped = unwrap_in_time(phase, unwrapped, template, magnitude, echo_times)
    else:
        unwrapped = unwrapped[None]

    reliable = reliable_mask(voxel_quality(weights, inside), inside, parameters.quality)
    if not reliable.any():
        raise InputError(
            Problem(
                "phase",
                f"no voxel with a phase quality of {parameters.quality.threshold:g} in the mask",
                "coherent phase in most of the brain",
                "Check that phase, magnitude and mask belong together, and the phase units.",
            )
        )
    field, noise = fit_field(unwrapped, magnitude, inside, echo_times, field_strength)
    return FieldMap(
        *(_back(part, box, mask.shape) for part in (field, noise, reliable)),
    )


def _back(part: np.ndarray, box: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray:
    whole = np.zeros(shape, part.dtype)
    whole[box] = part
    return whole
