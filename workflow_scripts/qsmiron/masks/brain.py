"""Brain mask from one image's contrast alone: no template, no training.

Air and bone are dark in T1-weighted and gradient-echo magnitude images; what is bright is brain,
scalp, fat and muscle. A threshold relative to the local brightness finds it whatever the coil's
shading, an erosion cuts the thin bridges through skull base and eyes, the largest piece is the
brain, and growing it back within the bright tissue restores its surface. The idea is that of
Lemieux et al. 1999, Magn Reson Med 42:127-135.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError
from ..parameters import Parameters
from ..spaces import boxed_grid, corners, decimate, grid_points, look_up, resample
from ..volumes import Volume
from .holes import filled

BRIGHTNESS_MM = 4.0
"""About the grid of the local brightness, which changes over centimetres."""

FARTHEST = 10_000
"""Squared distance (voxels²) of what is not near: no radius here has 100 voxels."""

JUST_LESS = 1e-6
"""Voxels: what makes a distance a little smaller."""


class ExtractionParameters(Parameters):
    """How the brain is told from what surrounds it."""

    spacing: float = Field(3.0, gt=0.5, le=5, description="grid of the extraction (mm)")
    shading: float = Field(
        25.0, gt=5, description="SD of the kernel that finds the local brightness (mm)"
    )
    threshold: float = Field(
        0.5, gt=0, lt=1, description="bright tissue, as a fraction of the local brightness (1)"
    )
    erosion: float = Field(6.0, gt=0, description="bridges thinner than twice this are cut (mm)")
    closing: float = Field(
        6.0, ge=0, description="grooves narrower than twice this are filled (mm)"
    )


def extract_brain(image: Volume, parameters: ExtractionParameters) -> np.ndarray:
    """Brain mask (X, Y, Z) bool of a head ``image`` (X, Y, Z; any unit, 0 is no signal).

    Raises
    ------
    InputError
        If there is no bright tissue of the size of a brain's core.
    """
    shape, grid = boxed_grid(corners(image.data.shape, image.affine), parameters.spacing, 0)
    small = resample(image, shape, grid)
    bright = bright_tissue(small, parameters)
    eroded = _eroded(bright, parameters.erosion / parameters.spacing)
    pieces, count = ndimage.label(eroded)
    if not count:
        raise InputError(
            "brain mask: found no bright tissue thicker than "
            f"{2 * parameters.erosion:g} mm; expected a head. Give a mask, or lower "
            "mask.erosion or mask.threshold in the config."
        )
    core = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    grown = near(core, parameters.erosion / parameters.spacing + 1 - JUST_LESS)
    brain = _close(grown & bright, parameters.closing / parameters.spacing)
    brain = filled(brain)
    points = grid_points(image.data.shape, image.affine)
    return look_up(brain.astype(np.float32), grid, points, outside=None) > 0.5


def refine_brain(
    image: Volume, guess: np.ndarray, reach: float, parameters: ExtractionParameters
) -> np.ndarray:
    """Move the surface of a mask by at most ``reach`` mm to where the bright tissue ends.

    ``image`` is on an isotropic grid, ``guess`` (X, Y, Z) bool a mask about the brain. What is
    deeper in the guess than ``reach`` stays; bright tissue within ``reach`` of its surface is
    taken where it hangs together with that by more than a thin bridge.
    """
    spacing = image.voxel_size[0]
    parameters = parameters.model_copy(update={"spacing": spacing})
    core = ~near(~guess, reach / spacing)
    around = near(guess, reach / spacing)
    bright = (bright_tissue(image.data, parameters) & around) | core
    # on a coarse grid a bridge is at least a voxel to either side, or none would be cut
    bridge = max(parameters.erosion / 2, spacing)
    eroded = _eroded(bright, bridge / spacing) | core
    pieces, _ = ndimage.label(eroded)
    kept = np.isin(pieces, np.setdiff1d(np.unique(pieces[core]), [0]))
    grown = near(kept, bridge / spacing + 1 - JUST_LESS)
    brain = _close((grown & bright) | core, parameters.closing / spacing)
    return filled(brain)


def bright_tissue(image: np.ndarray, parameters: ExtractionParameters) -> np.ndarray:
    """Voxels (X, Y, Z) brighter than a fraction of the brightness of the tissue around them.

    ``image`` is on an isotropic grid of ``parameters.spacing`` mm.
    """
    every = max(1, round(BRIGHTNESS_MM / parameters.spacing))
    small = decimate(Volume(image, np.eye(4)), every, 0.0)
    local = local_brightness(small.data, [parameters.shading / parameters.spacing / every] * 3)
    if every > 1:
        points = grid_points(image.shape, np.eye(4))
        local = look_up(local, small.affine, points, outside=None)
    return image > parameters.threshold * local


def local_brightness(image: np.ndarray, sigma: Sequence[float]) -> np.ndarray:
    """Mean brightness (X, Y, Z) of the tissue around each voxel; ``sigma`` in voxels an axis.

    Tissue is what exceeds Otsu's threshold. Far from any tissue it falls towards 0.
    """
    tissue = image > otsu_threshold(image)
    weight = ndimage.gaussian_filter(tissue.astype(np.float32), sigma, truncate=2)
    total = ndimage.gaussian_filter(np.where(tissue, image, 0), sigma, truncate=2)
    return total / np.maximum(weight, np.float32(0.02))


def otsu_threshold(image: np.ndarray, bins: int = 256) -> float:
    """Value that splits an image's histogram into the two classes of least variance.

    Otsu 1979, IEEE Trans Syst Man Cybern, doi 10.1109/TSMC.1979.4310076.
    """
    top = float(np.percentile(image, 99.9))
    counts, edges = np.histogram(np.clip(image, 0, top), bins=bins, range=(0, top or 1.0))
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = counts.sum() - below
    sums = np.cumsum(counts * middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1 + np.nanargmax(np.where(above > 0, between, 0))])


def near(mask: np.ndarray, radius: float) -> np.ndarray:
    """Voxels (X, Y, Z) bool no farther than ``radius`` (voxels) from ``mask``, itself included.

    The squared distance is the least over one axis after another of what the others left, as in
    Felzenszwalb & Huttenlocher 2012 (Theory of Computing, doi 10.4086/toc.2012.v008a019), here
    looked for within the radius only, which makes it cheap.
    """
    far = int(radius + 1e-9)
    squared = np.where(mask, 0, FARTHEST).astype(np.int16)
    for axis in range(squared.ndim):
        here = np.moveaxis(squared, axis, 0)
        least = here.copy()
        for step in range(1, min(far, len(here) - 1) + 1):
            moved = here + np.int16(step * step)
            np.minimum(least[step:], moved[:-step], out=least[step:])
            np.minimum(least[:-step], moved[step:], out=least[:-step])
        here[...] = least
    return squared <= radius**2 + 1e-6


def _eroded(mask: np.ndarray, radius: float) -> np.ndarray:
    """Voxels farther than ``radius`` (voxels) from the outside, which begins at the border."""
    return ~near(~np.pad(mask, 1), radius)[1:-1, 1:-1, 1:-1]


def _close(mask: np.ndarray, radius: float) -> np.ndarray:
    if radius <= 0:
        return mask
    pad = int(np.ceil(radius)) + 1
    dilated = near(np.pad(mask, pad), radius)
    closed = ~near(~dilated, radius)
    return closed[(slice(pad, -pad),) * 3] | mask
