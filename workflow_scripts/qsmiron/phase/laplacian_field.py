"""Field mapping by Laplacian unwrapping of every echo.

Its field is the total field up to a harmonic one (see :mod:`.laplacian`): good for background
removal, not as a map of the total field.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .laplacian import unwrap_laplacian
from .quality import interior
from .romeo import voxel_quality
from .steps import CommonParameters, FieldMap, edge_trust, finish, prepare, reliable_part


class LaplacianFieldParameters(CommonParameters):
    """Parameters of field mapping by Laplacian unwrapping, which itself has none."""


def map_field(
    phase: np.ndarray,
    magnitude: np.ndarray,
    mask: np.ndarray,
    echo_times: np.ndarray,
    field_strength: float,
    voxel_size: Sequence[float],
    parameters: LaplacianFieldParameters,
    threads: int = 1,
) -> FieldMap:
    """Total field, up to a harmonic one, from the wrapped phase of one or more echoes.

    Inputs and errors are those of :func:`.steps.prepare`; in addition, :class:`InputError` is
    raised if no voxel's phase is reliable. A voxel needs a signal in every echo: a gap in one of
    them would change the phase around it. Only voxels whose neighbours are all known are reliable,
    since it takes them to know a Laplacian.
    """
    scan = prepare(
        phase, magnitude, mask, echo_times, field_strength, voxel_size, parameters, threads
    )
    inside = scan.with_signal()
    unwrapped = np.stack(
        [unwrap_laplacian(echo, inside, scan.voxel_size, threads) for echo in scan.phase]
    )
    trust = edge_trust(scan, inside, 0)
    known = interior(inside)
    quality = voxel_quality(trust, known)
    reliable = reliable_part(quality, known, parameters.quality)
    return finish(scan, unwrapped, inside, quality, reliable, parameters.quality)
