"""A spin echo of the same session → the GRE's grid: a rigid map, and maps carried along it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from ..spaces import apply_affine, grid_points, look_up
from ..volumes import Volume
from .itk_bridge import ants_session
from .storage import own_frame, straightened
from .within_subject import RigidParameters, combine_echoes, register_gre

SEED = 1
"""Of ANTs' random sampling."""


def gre_to_spin_echo(
    spin_echo: Sequence[np.ndarray],
    affine: np.ndarray,
    magnitude: Sequence[np.ndarray],
    brain: Volume,
    parameters: RigidParameters,
    threads: int = 1,
) -> np.ndarray:
    """Rigid map (4, 4) of the GRE's points to those of the spin echo (RAS mm).

    Parameters
    ----------
    spin_echo : echoes (X, Y, Z) on a grid with this ``affine``, stored nearest to RAS.
    magnitude : echoes of the GRE, on the grid of its ``brain`` mask, stored so as well.
    """
    frame = own_frame(brain.affine)
    fixed = straightened(Volume(combine_echoes(spin_echo), affine), frame)
    moving = straightened(Volume(combine_echoes(magnitude), brain.affine), frame)
    with ants_session(threads, SEED) as session:
        found = register_gre(session, fixed, moving, brain.data, parameters)
    return np.linalg.inv(frame @ found @ frame.T)


def carried_mask(mask: Volume, to_other: np.ndarray, other: Volume, margin: int = 2) -> np.ndarray:
    """A mask (bool) on the grid of ``other``, wider by ``margin`` of its voxels.

    ``to_other`` (4, 4) takes the mask's points to the other's.
    """
    points = apply_affine(np.linalg.inv(to_other), grid_points(other.data.shape, other.affine))
    seen = look_up(mask.data, mask.affine, points, order=0, outside=False).astype(bool)
    return ndimage.binary_dilation(seen, iterations=margin)


def carried_map(
    values: Volume, known: np.ndarray, mask: Volume, to_other: np.ndarray
) -> np.ndarray:
    """A map (X, Y, Z; float32) on the grid of ``mask``; NaN where it is not known, 0 outside.

    One linear interpolation of ``values``, which hold where ``known`` (bool); ``to_other`` (4, 4)
    takes the mask's points to theirs.
    """
    points = apply_affine(to_other, grid_points(mask.data.shape, mask.affine)[mask.data])
    weight = look_up(known.astype(np.float32), values.affine, points, outside=0.0)
    total = look_up(np.where(known, values.data, 0), values.affine, points, outside=0.0)
    carried = np.zeros(mask.data.shape, np.float32)
    carried[mask.data] = np.where(weight > 0.5, total / np.maximum(weight, 0.5), np.nan)
    return carried
