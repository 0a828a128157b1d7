"""Referencing: susceptibility relative to the mean of a stated region.

Dipole inversion leaves the mean undefined. The consensus (ISMRM EMTP, Magn Reson Med 2024, doi
10.1002/mrm.30006) asks for a stated reference and favours the whole brain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .errors import InputError, Problem

REGIONS = ("brain", "none")
"""``brain``: mean over the reliable part of the brain; ``none``: left as the inversion gave it."""


@dataclass(frozen=True)
class Reference:
    """The reference of a map: what was subtracted and from how much tissue it came.

    ``mean`` and ``sd`` in ppm before referencing, ``volume`` in mL, ``fraction`` of the brain
    mask. A mean over an eroded mask differs between subjects, hence volume and fraction.
    """

    region: str
    mean: float
    sd: float
    volume: float
    fraction: float


def subtract_reference(
    chi: np.ndarray,
    brain: np.ndarray,
    reliable: np.ndarray,
    voxel_size: Sequence[float],
    region: str = "brain",
) -> tuple[np.ndarray, Reference]:
    """Referenced χ (float32 ppm, 0 outside ``reliable``) and what it refers to.

    ``chi`` (X, Y, Z) in ppm; ``brain`` and ``reliable`` boolean; ``voxel_size`` in mm; ``region``
    one of :data:`REGIONS`. Raises :class:`InputError` where both masks share no voxel.
    """
    inside = brain & reliable
    if not inside.any():
        raise InputError(
            Problem(
                "reference region",
                "no voxel inside both the brain mask and the reliable mask",
                "masks of one image that overlap",
                "Check that both masks belong to this susceptibility map.",
            )
        )
    values = chi[inside].astype(float)
    mean = float(values.mean())
    subtracted = mean if region == "brain" else 0.0
    reference = Reference(
        region,
        mean,
        float(values.std()),
        float(inside.sum() * np.prod(voxel_size) / 1000),
        float(inside.sum() / brain.sum()),
    )
    return np.where(reliable, chi - subtracted, 0).astype(np.float32), reference
