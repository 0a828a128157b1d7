"""Slices of volumes as pictures: orientation, cropping, outlines.

All slices are shown with the patient's left on the left of the picture (neurological), marked L
and R. A volume is turned to the closest RAS order by swapping and flipping axes; nothing is
resampled, so an oblique scan is shown in its own planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..nifti import nib
from ..volumes import Volume

PLANES = {"sagittal": 0, "coronal": 1, "axial": 2}


def to_ras(volume: Volume) -> Volume:
    """The volume with its array axes ordered and flipped to point closest to R, A, S."""
    orientation = nib.io_orientation(volume.affine)
    data = nib.apply_orientation(volume.data, orientation)
    affine = volume.affine @ nib.orientations.inv_ornt_aff(orientation, volume.data.shape)
    return Volume(np.ascontiguousarray(data), affine)


def take(data: np.ndarray, plane: str, index: int) -> np.ndarray:
    """Slice ``index`` of ``data`` (RAS) as a picture array (rows bottom to top, columns)."""
    return np.take(data, index, axis=PLANES[plane]).T


def pixel_size(volume: Volume, plane: str) -> tuple[float, float]:
    """Width and height (mm) of a pixel of a slice of a RAS volume."""
    across, up = (size for axis, size in enumerate(volume.voxel_size) if axis != PLANES[plane])
    return across, up


def show_picture(axes: Any, picture: np.ndarray, pixel: tuple[float, float], **how: Any) -> Any:
    """Draw a picture array (rows bottom to top, columns[, RGBA]) in mm, without axes."""
    height, width = picture.shape[:2]
    extent = (0.0, width * pixel[0], 0.0, height * pixel[1])
    image = axes.imshow(picture, origin="lower", extent=extent, aspect="equal", **how)
    axes.set_axis_off()
    return image


def show_slice(axes: Any, volume: Volume, plane: str, index: int, **how: Any) -> Any:
    """Draw one slice of a RAS volume in mm, with true proportions and no axes; the image."""
    return show_picture(axes, take(volume.data, plane, index), pixel_size(volume, plane), **how)


def voxel_edges(labels: np.ndarray, across: float, up: float) -> np.ndarray:
    """Edges between pixels of different label, as segments (n, 2, 2) in mm.

    ``labels`` (rows, columns) is a picture array from :func:`take`; pixels are ``across`` ×
    ``up`` mm. Exact, and much cheaper than contouring each label.
    """
    rows, columns = np.nonzero(labels[:, 1:] != labels[:, :-1])
    upright = np.stack(
        [np.stack([columns + 1, rows], 1), np.stack([columns + 1, rows + 1], 1)], axis=1
    )
    rows, columns = np.nonzero(labels[1:] != labels[:-1])
    level = np.stack(
        [np.stack([columns, rows + 1], 1), np.stack([columns + 1, rows + 1], 1)], axis=1
    )
    return np.concatenate([upright, level]) * np.array([across, up])


def outline(axes: Any, labels: Volume, plane: str, index: int, colour: Any, width: float) -> None:
    """Draw the voxel edges between different labels of one slice."""
    from matplotlib.collections import LineCollection

    segments = voxel_edges(take(labels.data, plane, index), *pixel_size(labels, plane))
    axes.add_collection(
        LineCollection(segments, colors=[colour], linewidths=width, capstyle="projecting"),
        autolim=False,
    )


def smooth_contour(
    axes: Any, mask: Volume, plane: str, index: int, colour: Any, width: float, refine: int = 4
) -> None:
    """Draw a smooth contour of a mask's slice, ``refine`` times finer than its voxels.

    The mask is smoothed by .6 voxels first, so that corners of voxels do not show.
    """
    from scipy.ndimage import gaussian_filter, zoom

    picture = take(mask.data, plane, index).astype(np.float32)
    if not picture.any():
        return
    # only where the mask is: a contour keeps its picture, and a figure has hundreds of them
    (top, bottom), (left, right) = (np.flatnonzero(picture.any(axis=a))[[0, -1]] for a in (1, 0))
    across, up = pixel_size(mask, plane)
    fine = zoom(
        gaussian_filter(np.pad(picture[top : bottom + 1, left : right + 1], 2), 0.6),
        refine,
        order=1,
        grid_mode=True,
        mode="grid-constant",
    )
    if fine.max() <= 0.5:
        return
    height, width_pixels = fine.shape
    x = ((np.arange(width_pixels) + 0.5) / refine - 2 + left) * across
    y = ((np.arange(height) + 0.5) / refine - 2 + top) * up
    limits = axes.get_xlim(), axes.get_ylim()
    axes.contour(x, y, fine, levels=[0.5], colors=[colour], linewidths=width)
    axes.set(xlim=limits[0], ylim=limits[1])


def mark_sides(axes: Any, plane: str, colour: str = "white", size: float = 7.0) -> None:
    """Write L and R (or P and A) at the sides of a slice."""
    left, right = ("P", "A") if plane == "sagittal" else ("L", "R")
    how = {"transform": axes.transAxes, "color": colour, "fontsize": size, "fontweight": "bold"}
    axes.text(0.02, 0.03, left, ha="left", va="bottom", **how)
    axes.text(0.98, 0.03, right, ha="right", va="bottom", **how)


def centre_of(mask: np.ndarray) -> tuple[int, int, int]:
    """Voxel closest to the centre of mass of a mask (X, Y, Z)."""
    x, y, z = (round(float(axis.mean())) for axis in np.nonzero(mask))
    return x, y, z


def window(values: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Grey window from percentiles of ``values``; never of zero width."""
    bottom, top = np.percentile(values, [low, high]) if values.size else (0.0, 1.0)
    return float(bottom), float(top if top > bottom else bottom + 1.0)


def labelled(labels: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
    """Mask of the voxels whose label is one of ``wanted``."""
    return np.isin(labels, np.asarray(list(wanted), dtype=labels.dtype))
