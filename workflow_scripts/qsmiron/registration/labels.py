"""Atlas labels on the grid of the GRE, through the coordinate map: nearest neighbour, once."""

from __future__ import annotations

import numpy as np

from ..errors import InputError, Problem
from ..spaces import look_up
from ..volumes import Volume


def carry_labels(coordinates: np.ndarray, atlas: Volume) -> np.ndarray:
    """Label of every voxel, (X, Y, Z) int32; 0 where its point lies outside the atlas.

    ``coordinates`` (X, Y, Z, 3) are template RAS mm; ``atlas`` is in the template's space, on any
    grid of it.
    """
    return look_up(atlas.data.astype(np.int32), atlas.affine, coordinates, order=0)


def check_labels(atlas: Volume, indices: set[int], atlas_file: str, table_file: str) -> None:
    """Raise :class:`InputError` unless atlas and label table share at least one label."""
    found = {int(value) for value in np.unique(atlas.data)} - {0}
    if not found & indices:
        raise InputError(
            Problem(
                table_file,
                f"none of the {len(found)} labels of {atlas_file}",
                "the index of every label of the atlas",
                "Give the label table that belongs to this atlas.",
            )
        )
