"""A brain mask that the user made, checked before it is used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError, Problem
from ..volumes import Volume, check_same_grid, read_volume


def read_user_mask(path: str | Path, like: Volume) -> np.ndarray:
    """The mask (X, Y, Z) bool in ``path``, on the grid of ``like``.

    Raises
    ------
    InputError
        Unless it lies on that grid and holds 0 and one other value above it.
    """
    volume = read_volume(path)
    check_same_grid(volume, like, str(path))
    values = np.unique(volume.data)
    if values[-1] <= 0:
        found = "an empty mask"
    elif len(values) > 2 or (len(values) == 2 and values[0] != 0):
        listed = ", ".join(f"{value:g}" for value in values[:5])
        found = f"{len(values)} values ({listed}{', …' * (len(values) > 5)})"
    else:
        return volume.data > 0
    raise InputError(
        Problem(str(path), found, "a binary mask of the brain: 0 and 1", "See how it was made.")
    )
