"""Sources from R2', voxel by voxel (Shin 2021, doi 10.1016/j.neuroimage.2021.118371, Eqs. 2 and 3).

R2' = R2* − R2 = Dr⁺χ⁺ + Dr⁻|χ⁻|. The paper's Dr is one constant for both sources, 137 1/(s·ppm) at
3 T. Without a measured R2 the same value is taken off everywhere.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from .maps import Maps, admissible, in_closed_form


class R2primeParameters(Parameters):
    """Parameters of the closed form from R2'."""

    dr_paramagnetic: float = Field(
        137.0, gt=0, description="R2' per ppm of χ⁺ at 3 T (1/(s·ppm)); grows with B0"
    )
    dr_diamagnetic: float = Field(
        137.0, gt=0, description="R2' per ppm of |χ⁻| at 3 T (1/(s·ppm)); grows with B0"
    )
    assumed_r2: float = Field(
        12.5, ge=0, description="R2 everywhere, where it was not measured (1/s)"
    )


def from_r2prime(maps: Maps, parameters: R2primeParameters) -> np.ndarray:
    """χ⁺ (X, Y, Z; float32 ppm), see :mod:`qsmiron.sources`."""
    r2 = np.float32(parameters.assumed_r2) if maps.r2 is None else maps.r2
    r2prime = np.maximum(maps.r2star - r2, 0)
    solution = in_closed_form(
        maps.chi,
        r2prime,
        maps.at_field(parameters.dr_paramagnetic),
        maps.at_field(parameters.dr_diamagnetic),
    )
    return admissible(solution, maps)
