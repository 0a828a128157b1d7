"""Sources from R2* alone, voxel by voxel (R2*QSM; Dimov 2022, doi 10.3390/tomography8030127).

R2* = r(χ⁺ + |χ⁻|) with r = 274 1/(s·ppm) at 3 T: relaxation that no source of susceptibility makes
counts as if it were one.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from .maps import Maps, admissible, in_closed_form


class R2starParameters(Parameters):
    """Parameters of the closed form from R2*."""

    r: float = Field(
        274.0, gt=0, description="R2* per ppm of either source at 3 T (1/(s·ppm)); grows with B0"
    )


def from_r2star(maps: Maps, parameters: R2starParameters) -> np.ndarray:
    """χ⁺ (X, Y, Z; float32 ppm), see :mod:`qsmiron.sources`."""
    r = maps.at_field(parameters.r)
    return admissible(in_closed_form(maps.chi, maps.r2star, r, r), maps)
