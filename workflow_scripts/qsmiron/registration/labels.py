"""Labels on the grid of the GRE: nearest neighbour, once; and how much of a voxel is its label."""

from __future__ import annotations

from itertools import product

import numpy as np

from ..errors import InputError, Problem
from ..spaces import look_up
from ..volumes import Volume
from .routes import Route

FRACTION_STEP = 1 / 8
_CHUNK = 2**18


def carry_labels(coordinates: np.ndarray, atlas: Volume) -> np.ndarray:
    """Label of every voxel, (X, Y, Z) int32; 0 where its point lies outside the atlas.

    ``coordinates`` (X, Y, Z, 3) are RAS mm in the space of ``atlas``, which is on any grid of it.
    """
    return look_up(atlas.data.astype(np.int32), atlas.affine, coordinates, order=0)


def label_fractions(labels: np.ndarray, route: Route, image: Volume) -> np.ndarray:
    """Fraction of each voxel that bears the voxel's own label, (X, Y, Z) float32; 0 in background.

    Eight points of the voxel (¼ voxel from its centre along the array axes) are looked up in the
    label ``image`` that ``labels`` (X, Y, Z) were carried from along ``route``; so the fractions
    are multiples of 1/8.
    """
    source = Volume(image.data.astype(np.int32), image.affine)
    fractions = np.zeros(labels.shape, np.float32)
    voxels = np.flatnonzero(labels)
    for start in range(0, len(voxels), _CHUNK):
        chosen = voxels[start : start + _CHUNK]
        own = labels.reshape(-1)[chosen]
        index = np.stack(np.unravel_index(chosen, labels.shape), axis=-1).astype(float)
        count = np.zeros(len(chosen), np.float32)
        for offset in product((-0.25, 0.25), repeat=3):
            points = route.between(index + offset)
            count += look_up(source.data, source.affine, points, order=0) == own
        fractions.reshape(-1)[chosen] = count * FRACTION_STEP
    return fractions


def compact(labels: np.ndarray) -> np.ndarray:
    """The labels as int16, or as int32 where that is too small for them."""
    small = labels.max(initial=0) <= np.iinfo(np.int16).max
    return labels.astype(np.int16 if small else np.int32)


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


def check_carried(labels: np.ndarray, segmentation_file: str, magnitude_file: str) -> None:
    """Raise :class:`InputError` if no voxel of the GRE has got a label of the segmentation."""
    if not labels.any():
        raise InputError(
            Problem(
                segmentation_file,
                f"no labelled voxel in the field of view of {magnitude_file}",
                "a segmentation of the same head",
                "Check the subject, the space it is said to be in and the map GRE → T1w.",
            )
        )
