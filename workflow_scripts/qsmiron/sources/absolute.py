"""χ relative to tissue without sources, which a separation needs and no inversion gives.

A map of χ is relative to its reference, such as the mean of the brain; iron and myelin are counted
from what has neither. That is taken to be the fluid of the ventricles, as is usual in QSM. Where
none is found in the map, the mean of the brain is taken to lie at a stated value. Either way one
constant is added to the whole map, so that contrasts of χ⁺ + χ⁻ are those of χ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..masks.csf import CsfParameters, ventricular_fluid

BRAIN_CHI_PPM = -0.015
"""Mean χ of the brain relative to ventricular fluid, where that cannot be seen (assumption)."""


@dataclass(frozen=True)
class Origin:
    """``offset`` (ppm) is added to χ; ``words`` say where it comes from."""

    offset: float
    words: str
    n_voxels: int


def find_origin(
    chi: np.ndarray,
    r2star: np.ndarray,
    magnitude: np.ndarray | None,
    mask: np.ndarray,
    voxel_size: Sequence[float],
) -> Origin:
    """What is to be added to ``chi`` (X, Y, Z; ppm) so that fluid of the ventricles is at 0.

    ``r2star`` (1/s) shows the fluid; NaN and 0 are none. ``magnitude`` (any unit, or None) tells
    it from places without signal.
    """
    parameters = CsfParameters()
    signal = (r2star > 0).astype(np.float32) if magnitude is None else magnitude
    fluid = ventricular_fluid(r2star, signal, mask, voxel_size, parameters) & (r2star > 0)
    count = int(fluid.sum())
    if count >= parameters.least_voxels:
        return Origin(
            -float(np.median(chi[fluid].astype(float))),
            f"median of the ventricles' fluid (R2* below {parameters.largest_r2star:g} 1/s) is 0",
            count,
        )
    return Origin(
        BRAIN_CHI_PPM - float(chi[mask].mean(dtype=float)),
        f"no ventricular fluid found: the mean of the mask is taken to be {BRAIN_CHI_PPM:g} ppm",
        int(mask.sum()),
    )


def given_origin(offset: float) -> Origin:
    """An offset (ppm) that the user names."""
    return Origin(offset, "given", 0)
