"""Cerebrospinal fluid of the ventricles, where R2* is low deep inside the brain.

As for the zero reference of MEDI+0 (Liu et al., Magn Reson Med 2018, doi 10.1002/mrm.26946): low
R2* near the centre of the brain is ventricle; the largest such pieces are followed outwards, but
not to the surface, where low R2* is also fluid of the sulci beside vessels and bone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..parameters import Parameters


class CsfParameters(Parameters):
    """How ventricular fluid is told from tissue."""

    largest_r2star: float = Field(5.0, gt=0, description="fluid is below this R2* (1/s)")
    signal: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="fluid is above this fraction of the brain's median magnitude: without "
        "signal R2* is 0 too (1)",
    )
    radius: float = Field(
        30.0, gt=0, description="ventricles pass within this distance of the brain's centre (mm)"
    )
    depth: float = Field(10.0, ge=0, description="least distance to the brain's surface (mm)")
    pieces: int = Field(3, ge=1, description="largest central pieces that are followed (1)")
    least_voxels: int = Field(
        50, ge=1, description="fewer voxels do not make a reference: their noise stays in it (1)"
    )


def ventricular_fluid(
    r2star: np.ndarray,
    magnitude: np.ndarray,
    brain: np.ndarray,
    voxel_size: Sequence[float],
    parameters: CsfParameters,
) -> np.ndarray:
    """Mask (X, Y, Z) bool of the fluid in the ventricles; empty where there is none.

    Parameters
    ----------
    r2star : (X, Y, Z), 1/s; NaN is no fluid.
    magnitude : (X, Y, Z), any unit, of an early echo; NaN is no signal.
    brain : (X, Y, Z) bool, not empty.
    voxel_size : mm.
    """
    depth = ndimage.distance_transform_edt(brain, sampling=voxel_size)
    signal = magnitude > parameters.signal * np.nanmedian(magnitude[brain])
    fluid = (r2star < parameters.largest_r2star) & signal & brain & (depth > parameters.depth)
    centre = np.argwhere(brain).mean(axis=0)
    offsets = np.ix_(
        *(
            (np.arange(n) - c) * size
            for n, c, size in zip(brain.shape, centre, voxel_size, strict=True)
        )
    )
    central = sum(offset**2 for offset in offsets) <= parameters.radius**2

    pieces, count = ndimage.label(fluid & central)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    seeds = np.isin(pieces, 1 + np.argsort(-sizes, kind="stable")[: parameters.pieces])
    connected, _ = ndimage.label(fluid)
    return np.isin(connected, np.setdiff1d(connected[seeds & fluid], [0]))
