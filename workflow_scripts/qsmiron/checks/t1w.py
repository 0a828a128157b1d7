"""The values of a T1w image: whether registration can find a head in them.

MP2RAGE's uniform image (UNI) is the usual trap: it is centred on 0 or on the middle of its range,
and holds noise as bright as tissue outside the head.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from ..errors import Problem
from .values import Values

NEGATIVE_LEVEL = 0.02
"""Interpolation undershoots an edge by a few per cent of the brightest tissue."""
NEGATIVE_SHARE = 0.1
"""Share of voxels (but those that are 0) below that level from which an image is centred on 0."""
BACKGROUND_LEVEL = 0.12
"""Air in a T1w has a few per cent of the brightest tissue."""
LEAST_EDGE = 24
"""Voxels along each axis from which the corners of an image lie outside the head."""
CORNER = 0.08
"""Edge of a corner, as a share of the image's."""
FEWEST_LEVELS = 16
LEAST_VOXELS_FOR_LEVELS = 4096
MOST_LABELS = 256
GAPS = 4.0
"""Numbers of labels leave gaps: so many times fewer are taken than lie in between."""
SAME_IMAGE = 0.999

_UNI = (
    "Give an image with dark air: of MP2RAGE the denoised UNI (UNI-DEN of the scanner, or the "
    "background removed with the two inversions), of others the image without an offset."
)


def check_t1w_values(path: Path, values: Values) -> Iterator[Problem]:
    """Masks, labels, and images whose air is not dark."""
    if (found := _labels(values)) is not None:
        yield Problem(
            str(path),
            found,
            "a T1w image of the head",
            "It looks like a mask or a segmentation under the name of a T1w: see which image it "
            "is, and export the T1w.",
        )
        return
    physical = values.physical
    top = float(np.percentile(physical[:: max(1, physical.shape[0] // 64)], 98))
    low, high = values.limits
    there = physical != 0
    negative = float((physical < -NEGATIVE_LEVEL * high)[there].mean()) if high > 0 else 1.0
    if negative > NEGATIVE_SHARE:
        yield Problem(
            str(path),
            f"values from {low:g} to {high:g}, {negative:.0%} of them below 0",
            "a T1w image whose air is about 0 and whose tissue is above it",
            "The head's outline and the registration go wrong with values on both sides of 0 (an "
            f"MP2RAGE UNI, or standardised values). {_UNI}",
            "warning",
        )
        return
    air = _air(physical)
    if air is not None and air > BACKGROUND_LEVEL * top > 0:
        yield Problem(
            str(path),
            f"{air:g} in the corners of the image, {air / top:.0%} of its brightest tissue",
            "air that is dark, outside the head",
            "The head's outline and the registration go wrong with a bright or noisy background "
            f"(an MP2RAGE UNI, or an offset). {_UNI}",
            "warning",
        )


def check_t1w_is_other(path: Path, t1w: Values, magnitude: Values) -> Iterator[Problem]:
    """A T1w that has the voxels of the GRE's first magnitude, in whatever scaling."""
    if t1w.stored.shape != magnitude.stored.shape:
        return
    one, other = t1w.lines(0).ravel(), magnitude.lines(0).ravel()
    if np.ptp(one) and np.ptp(other) and np.corrcoef(one, other)[0, 1] > SAME_IMAGE:
        yield Problem(
            str(path),
            "the voxels of the GRE's first magnitude",
            "a T1w image of its own",
            "Export the T1w; without one, take this file away: there are maps then, but no "
            "regions.",
        )


def _labels(values: Values) -> str | None:
    """What says that an image holds a mask or numbers of labels; ``None`` for others."""
    stored = values.stored
    if stored.size < LEAST_VOXELS_FOR_LEVELS:
        return None
    # a part shows most of an image's values, and is sorted in no time
    levels = np.unique(stored[tuple(slice(None, None, max(1, n // 64)) for n in stored.shape)])
    if len(levels) < FEWEST_LEVELS:
        levels = np.unique(stored)
        if len(levels) < FEWEST_LEVELS:
            return f"{len(levels)} values in all of its voxels"
    if stored.dtype.kind in "iu" or (levels == np.rint(levels)).all():
        steps = np.diff(levels.astype(np.int64))
        span = int(steps.sum()) // int(np.gcd.reduce(steps))
        if len(levels) <= MOST_LABELS and span > GAPS * MOST_LABELS:
            return f"{len(levels)} whole numbers from {levels[0]:g} to {levels[-1]:g}"
    return None


def _air(physical: np.ndarray) -> float | None:
    """Median of the values in the corners of the image, in the darker half of these."""
    if min(physical.shape) < LEAST_EDGE:
        return None
    edges = [max(2, int(CORNER * n)) for n in physical.shape]
    corners = [
        float(np.median(physical[tuple(slice(None, n) if low else slice(-n, None)
                                       for n, low in zip(edges, at, strict=True))]))
        for at in product((True, False), repeat=3)
    ]  # fmt: skip
    return sorted(corners)[2]
