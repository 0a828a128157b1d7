"""Field mapping by ROMEO: exact unwrapping of one echo in space, and of the others in time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from .romeo import RomeoParameters, unwrap_in_space, unwrap_in_time, voxel_quality
from .steps import CommonParameters, FieldMap, edge_trust, finish, prepare, reliable_part


class FieldMapParameters(CommonParameters):
    """Parameters of field mapping by ROMEO."""

    unwrapping: RomeoParameters = Field(
        default_factory=RomeoParameters, description="phase unwrapping"
    )


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

    Inputs and errors are those of :func:`.steps.prepare`; in addition, :class:`InputError` is
    raised if no voxel's phase is reliable. A voxel without signal in the template echo gets no
    field; one without signal in another echo is fitted without that echo.
    """
    scan = prepare(
        phase, magnitude, mask, echo_times, field_strength, voxel_size, parameters, threads
    )
    template = min(parameters.unwrapping.template_echo, len(scan.echo_times)) - 1
    inside = scan.with_signal(template)
    trust = edge_trust(scan, inside, template)
    in_space = unwrap_in_space(scan.phase[template], trust, inside)
    unwrapped = unwrap_in_time(scan.phase, in_space, template, scan.magnitude, scan.echo_times)
    quality = voxel_quality(trust, inside)
    reliable = reliable_part(quality, inside, parameters.quality)
    return finish(scan, unwrapped, inside, quality, reliable, parameters.quality)
