"""A ready map beside the scan's other images: its own grid, in the scanner's coordinates of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError, Problem
from ..spaces import box_of, overlap, resample
from ..volumes import GRID_TOLERANCE_MM, Volume, image_grid

LEAST_OVERLAP = 0.5
"""Share of the smaller of two grids' boxes in the other: images of one head have nearly all of it,
a header that lost its position about an eighth.
"""


def same_grid(volume: Volume, shape: tuple[int, ...], affine: np.ndarray) -> bool:
    """Whether an image lies on a grid."""
    close = np.allclose(volume.affine, affine, rtol=0, atol=GRID_TOLERANCE_MM)
    return volume.data.shape[:3] == tuple(shape[:3]) and close


def on_grid(volume: Volume, shape: tuple[int, ...], affine: np.ndarray, where: str) -> np.ndarray:
    """An image (X, Y, Z) on another grid of the same scanner coordinates, trilinearly.

    ``where`` is the file that the grid is of. Raises :class:`InputError` where the two lie apart.
    """
    if same_grid(volume, shape, affine):
        return volume.data
    check_overlap(volume.data.shape, volume.affine, shape, affine, where)
    return resample(volume, shape, affine)


def result_grid(path: str | None, images: Sequence[Volume]) -> Volume:
    """An empty image on the grid of a scan's results: the file's, or that of its first image.

    Raises :class:`InputError` where the file and the image lie apart.
    """
    first = images[0]
    shape, affine = first.data.shape, first.affine
    if path is not None:
        shape, affine = image_grid(path)
        check_overlap(first.data.shape, first.affine, shape, affine, path)
    return Volume(np.zeros(shape, np.float32), affine)


def check_overlap(
    shape: tuple[int, ...],
    affine: np.ndarray,
    map_shape: tuple[int, ...],
    map_affine: np.ndarray,
    where: str,
) -> None:
    """Raise :class:`InputError` where a map's grid and that of its scan's image lie apart."""
    share = overlap(box_of(shape, affine), box_of(map_shape, map_affine))
    if share < LEAST_OVERLAP:
        raise InputError(
            Problem(
                where,
                f"a box of which {share:.0%} lies in that of the scan's image, in the scanner's "
                "coordinates",
                f"nearly all of the smaller of the two ({LEAST_OVERLAP:.0%} at least)",
                "See whose map it is, and that its header has kept its position.",
            )
        )
