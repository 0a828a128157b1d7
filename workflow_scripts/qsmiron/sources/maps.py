"""What every separation starts from, and what holds of its result whatever the method.

Net susceptibility is χ = χ⁺ + χ⁻ with χ⁺ ≥ 0 ≥ χ⁻; a relaxation rate adds their moduli,
r⁺χ⁺ + r⁻|χ⁻| (Yablonskiy & Haacke 1994, doi 10.1002/mrm.1910320610). Two equations, two unknowns,
and a wedge of pairs (χ, rate) that have a solution: beyond it one source has the wrong sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TESLA_OF_CONSTANTS = 3.0
"""Relaxation constants are given at this field; they grow in proportion to B0."""


@dataclass(frozen=True)
class Maps:
    """Maps on one grid (X, Y, Z), float32; ``mask`` (bool) is where they hold.

    ``chi`` in ppm relative to tissue without sources (:mod:`.absolute`), ``r2star`` and ``r2`` in
    1/s, NaN where not known; ``r2`` is None where it was not measured. ``r2star_error`` (1/s) and
    ``chi_error`` (ppm) are standard deviations, None where not known. ``voxel_size`` in mm,
    ``field_strength`` in T.
    """

    chi: np.ndarray
    r2star: np.ndarray
    mask: np.ndarray
    voxel_size: tuple[float, float, float]
    field_strength: float
    r2: np.ndarray | None = None
    r2star_error: np.ndarray | None = None
    chi_error: np.ndarray | None = None

    def at_field(self, constant: float) -> np.float32:
        """A relaxation constant (1/(s·ppm)) that is given at 3 T, at the field of these maps."""
        return np.float32(constant * self.field_strength / TESLA_OF_CONSTANTS)


def in_closed_form(
    chi: np.ndarray, rate: np.ndarray, paramagnetic: np.float32, diamagnetic: np.float32
) -> np.ndarray:
    """χ⁺ (ppm) that solves χ = χ⁺ + χ⁻ and rate = r⁺χ⁺ + r⁻|χ⁻|, whatever its sign.

    ``rate`` in 1/s, ``paramagnetic`` (r⁺) and ``diamagnetic`` (r⁻) in 1/(s·ppm); all shapes alike.
    """
    return (rate + diamagnetic * chi) / (paramagnetic + diamagnetic)


def admissible(paramagnetic: np.ndarray, maps: Maps) -> np.ndarray:
    """The nearest χ⁺ (float32 ppm, 0 outside the mask) that leaves both sources their signs.

    χ⁺ ≥ max(χ, 0) is the same as χ⁺ ≥ 0 and χ⁻ = χ − χ⁺ ≤ 0. Where the rate is not known χ is one
    source alone.
    """
    least = np.maximum(maps.chi, 0)
    lifted = np.fmax(paramagnetic, least)
    return np.where(maps.mask, lifted, 0).astype(np.float32)
