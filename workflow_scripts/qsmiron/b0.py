"""Where B0 points in an image: by its affine, or by the config where that is not the scanner's.

A NIfTI header has two forms, sform and qform, each with a code: 1 is the scanner's coordinates, 2
to 4 those that the image was aligned with (another image, Talairach, MNI). A program that realigns
an image rewrites the sform, and B0 turns with it unless the qform or a direction is taken instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .acquisition import b0_direction
from .errors import InputError, Problem
from .nifti import nib
from .storage_order import direction_as_stored, turned_direction
from .volumes import Volume

_NAMES = ("affine", "sform", "qform")
"""What ``b0_direction`` may name beside three numbers; ``affine``: the sform where it has a code,
else the qform, as every step takes the image's position."""

B0_SETTINGS = "affine, sform, qform, or three numbers [x, y, z] that are not all 0"

SIDECAR_FIELD = "B0Direction"
"""The direction that a step took, along the stored axes."""


def is_direction(value: Any) -> bool:
    """Whether it is three finite numbers that are not all 0."""
    if not isinstance(value, list | tuple) or len(value) != 3:
        return False
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        return False
    return all(abs(v) < 1e100 for v in value) and any(abs(v) > 1e-100 for v in value)


def is_b0_setting(value: Any) -> bool:
    """Whether the config may set ``b0_direction`` to it."""
    return is_direction(value) or (isinstance(value, str) and value in _NAMES)


def unit_vector(direction: Sequence[float]) -> np.ndarray:
    """The direction (3,), of any length above 0, as a unit vector."""
    scaled = np.asarray(direction, float) / max(map(abs, direction))
    return scaled / np.linalg.norm(scaled)


def direction_of_job(
    grid: Volume,
    turn: np.ndarray,
    direction: Sequence[float] | None = None,
    qform_of: str | Path | None = None,
) -> np.ndarray:
    """B0 as a unit vector (3,) along the axes of an image that was turned nearest to RAS.

    Parameters
    ----------
    grid, turn : as :func:`.storage_order.nearest_to_ras` gives them.
    direction : along the axes as stored, of any length above 0, in place of the affine's.
    qform_of : an image of the same axes as stored whose qform is taken in place of the affine.

    Raises
    ------
    InputError
        If the direction is none, or the image has no qform.
    """
    if direction is not None:
        if not is_direction(tuple(direction)):
            raise InputError(
                Problem(
                    "--b0-direction",
                    " ".join(f"{part:g}" for part in direction),
                    "three finite numbers that are not all 0",
                    "Give the direction of B0 along the voxel axes, such as 0 0.34 0.94.",
                )
            )
        return turned_direction(unit_vector(direction), turn)
    if qform_of is not None:
        unturn = nib.orientations.inv_ornt_aff(turn, _stored_shape(grid.data.shape, turn))
        return b0_direction(_qform(qform_of) @ unturn)
    return b0_direction(grid.affine)


def direction_field(direction: np.ndarray, turn: np.ndarray) -> dict[str, list[float]]:
    """The field of a sidecar that says which direction a step took, along the stored axes."""
    stored = direction_as_stored(direction, turn)
    return {SIDECAR_FIELD: [round(float(part), 6) for part in stored]}


def _qform(path: str | Path) -> np.ndarray:
    try:
        qform = nib.load(path).header.get_qform(coded=True)[0]
    except Exception as error:  # nibabel and gzip each raise their own for a broken file
        found = f"a header that cannot be read ({error})"
        remedy = "Export or copy it again."
        raise InputError(Problem(str(path), found, "a NIfTI image", remedy)) from error
    if qform is None:
        raise InputError(
            Problem(
                str(path),
                "no qform (qform_code is 0)",
                "the qform that acquisition.b0_direction names",
                "Set it to affine, or to the direction of B0 along the voxel axes.",
            )
        )
    return np.asarray(qform, float)


def _stored_shape(shape: tuple[int, ...], turn: np.ndarray) -> tuple[int, ...]:
    return tuple(shape[int(axis)] for axis in turn[:, 0])
