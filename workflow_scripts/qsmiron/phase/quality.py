"""Where the phase can be trusted: a quality map and the mask it gives.

The quality of a voxel is the mean coherence with its neighbours that ROMEO unwraps by (Dymerska
et al. 2021, doi 10.1002/mrm.28563); masks from it are described by Hagberg et al., Magn Reson Med
2022, doi 10.1002/mrm.29368. Holes are filled: strong sources (veins, pallidum) make steep phase,
and leaving them out would leave out what is looked for.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..parameters import Parameters


class QualityParameters(Parameters):
    """Parameters of the phase-quality mask."""

    threshold: float = Field(
        0.3, ge=0, lt=1, description="least phase quality of a reliable voxel (1)"
    )
    closing: int = Field(
        1, ge=0, le=10, description="gaps that are closed before holes are filled (voxels)"
    )
    largest_noise: float = Field(
        20.0,
        gt=1,
        description="a voxel whose field is so many times noisier than the mask's median has no "
        "signal (1)",
    )


def reliable_mask(
    quality: np.ndarray, mask: np.ndarray, parameters: QualityParameters
) -> np.ndarray:
    """Part of ``mask`` (X, Y, Z) with reliable phase: largest connected part, holes filled.

    ``quality`` runs from 0 to 1. The result lies inside ``mask`` and is empty only if no voxel
    reaches the threshold.
    """
    cross = neighbourhood(mask)
    good = mask & (quality >= parameters.threshold)
    if parameters.closing:
        padded = np.pad(good, parameters.closing)
        closed = ndimage.binary_closing(padded, cross, iterations=parameters.closing)
        inner = slice(parameters.closing, -parameters.closing)
        good = closed[inner, inner, inner] & mask
    # One opening cuts off what hangs on by a voxel (scalp, noise at the rim).
    opened = ndimage.binary_opening(good, cross)
    labels, count = ndimage.label(opened)
    if not count:
        return good
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = labels == sizes.argmax()
    return ndimage.binary_fill_holes(ndimage.binary_dilation(largest, cross) & good, cross) & mask


def without_noise(
    reliable: np.ndarray, noise: np.ndarray, parameters: QualityParameters
) -> np.ndarray:
    """Part of ``reliable`` (X, Y, Z; boolean) with a signal, by the field's ``noise`` (ppm).

    What was filled as a hole may be a void, whose field is drawn by lot.
    """
    typical = np.median(noise[reliable])
    return reliable & (noise <= parameters.largest_noise * typical)


def interior(mask: np.ndarray) -> np.ndarray:
    """Voxels of ``mask`` (X, Y, Z) whose neighbours all lie inside it."""
    return ndimage.binary_erosion(mask, neighbourhood(mask))


def neighbourhood(mask: np.ndarray) -> np.ndarray:
    """A voxel and its neighbours (3, 3, 3), boolean, along the axes that ``mask`` has depth in.

    A slab of one or two voxels has no inside along its thin axis: erosion there leaves nothing.
    """
    cross = np.zeros((3, 3, 3), bool)
    cross[1, 1, 1] = True
    for axis in range(3):
        occupied = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        if occupied.size and np.ptp(occupied) >= 2:
            arm = [1, 1, 1]
            for arm[axis] in (0, 2):
                cross[tuple(arm)] = True
    return cross
