"""What the simulation needs of the template: tissues, labels, and a head around the brain.

Everything is in template RAS mm. The head (cerebrospinal fluid, skull, scalp, face, neck, sinuses,
ear canals) is made here from the distance to the brain's hull and a few ellipsoids, since the
template shows the brain only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from ..nifti import nib
from ..template import (
    desikan_killiany,
    template_grey_matter,
    template_t1w,
    template_white_matter,
)

COARSE_MM = 4
MARGIN_MM = 40
VENTRICLES_MM = ((-30, 30), (-50, 30), (0, 35))
"""Box (left-right, back-front, down-up) outside of which fluid is not ventricular."""
VENTRICLE_SMOOTHING_MM = 5.0

# Ellipsoids: centre (mm), semi-axes (mm). The face and the neck reach below any field of view.
FACE = ((0, 42, -66), (58, 52, 62))
NECK = ((0, -28, -130), (56, 66, 110))
SKULL_BASE = ((0, 5, -48), (58, 70, 22))
AIR = (
    ((0, 52, -44), (13, 24, 15)),  # nasal cavity and ethmoid
    ((0, 26, -36), (11, 10, 9)),  # sphenoid sinus
    ((-26, 50, -56), (12, 13, 13)),  # maxillary sinuses
    ((26, 50, -56), (12, 13, 13)),
    ((0, 80, -6), (20, 6, 10)),  # frontal sinus
    ((-70, -22, -40), (20, 5, 5)),  # ear canals
    ((70, -22, -40), (20, 5, 5)),
    ((0, 14, -100), (9, 11, 34)),  # pharynx
)


@dataclass(frozen=True)
class TemplateHead:
    """Template arrays and the affines (4, 4; voxel → RAS mm) that place them.

    ``grey``, ``white``: probability × 255, uint8, on the template grid; ``brain`` its mask;
    ``labels`` the atlas on that grid (0 outside). ``hull`` is the signed distance (mm, negative
    inside) to the brain's smoothed hull and ``to_ventricle`` (3, …) a smooth field of vectors of
    length ≤ 1 that point at the ventricles, both on the coarse grid.
    """

    affine: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    brain: np.ndarray
    labels: np.ndarray
    coarse_affine: np.ndarray
    hull: np.ndarray
    to_ventricle: np.ndarray


@lru_cache(maxsize=1)
def load_template_head() -> TemplateHead:
    """Read the template and atlas, once per process."""
    image = nib.load(template_t1w())
    brain = np.asarray(image.dataobj) > 0
    grey = np.asarray(nib.load(template_grey_matter()).dataobj)
    white = np.asarray(nib.load(template_white_matter()).dataobj)
    atlas = nib.load(desikan_killiany())
    offset = np.rint(atlas.affine[:3, 3] - image.affine[:3, 3]).astype(int)
    labels = np.zeros(brain.shape, np.uint8)
    box = tuple(slice(o, o + n) for o, n in zip(offset, atlas.shape, strict=True))
    labels[box] = np.asarray(atlas.dataobj)
    labels *= brain

    pad = MARGIN_MM // COARSE_MM
    step = (slice(None, None, COARSE_MM),) * 3
    coarse_brain = np.pad(brain[step], pad)
    coarse_affine = np.diag([COARSE_MM, COARSE_MM, COARSE_MM, 1.0])
    coarse_affine[:3, 3] = image.affine[:3, 3] - MARGIN_MM
    return TemplateHead(
        affine=image.affine,
        grey=grey,
        white=white,
        brain=brain,
        labels=labels,
        coarse_affine=coarse_affine,
        hull=_signed_distance(coarse_brain),
        to_ventricle=_towards_ventricles(
            coarse_brain,
            np.pad(grey[step], pad).astype(np.float32) + np.pad(white[step], pad),
            coarse_affine,
        ),
    )


def _signed_distance(brain: np.ndarray) -> np.ndarray:
    """Distance (mm) to the hull of the brain, negative inside, smoothed to hide the grid."""
    closed = ndimage.binary_closing(brain, iterations=4)
    outside = ndimage.distance_transform_edt(~closed, sampling=COARSE_MM)
    inside = ndimage.distance_transform_edt(closed, sampling=COARSE_MM)
    return ndimage.gaussian_filter((outside - inside).astype(np.float32), 1.0)


def _towards_ventricles(brain: np.ndarray, tissue: np.ndarray, affine: np.ndarray) -> np.ndarray:
    fluid = (brain & (tissue < 100)).astype(np.float32)
    for axis, (low, high) in enumerate(VENTRICLES_MM):
        position = affine[axis, 3] + COARSE_MM * np.arange(brain.shape[axis])
        shape = [1, 1, 1]
        shape[axis] = -1
        fluid *= ((position >= low) & (position <= high)).reshape(shape)
    potential = ndimage.gaussian_filter(fluid, VENTRICLE_SMOOTHING_MM / COARSE_MM)
    vectors = np.stack(np.gradient(potential)).astype(np.float32)
    return vectors / np.sqrt((vectors**2).sum(axis=0).max())


def ellipsoid(points: np.ndarray, shape: tuple) -> np.ndarray:
    """Approximate signed distance (mm, negative inside) of ``points`` (3, …) to an ellipsoid."""
    centre, axes = shape
    square = sum(
        np.square((part - np.float32(c)) / np.float32(a))
        for part, c, a in zip(points, centre, axes, strict=True)
    )
    return (np.sqrt(square) - np.float32(1)) * np.float32(min(axes))
