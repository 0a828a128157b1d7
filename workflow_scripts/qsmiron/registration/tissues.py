"""Grey matter, white matter and fluid of a T1w, from its own contrast and the template's priors.

A Gaussian mixture with spatial priors and a Markov random field whose neighbours count by their
probabilities, after Van Leemput et al. 1999 (IEEE Trans Med Imaging, doi 10.1109/42.811270). The
priors are the template's probability maps seen through the registration, so that a class keeps its
meaning whatever the contrast. All voxels change at once: no order of visiting them matters.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..parameters import Parameters
from ..spaces import bounding_box, look_up
from ..volumes import Volume

CLASSES = ("grey", "white", "fluid")
"""The order of the probabilities' last axis."""

PROBABILITY_STEP = 1 / 1000
"""Probabilities are stored in these steps."""


LEAST_PRIOR = 1e-3
"""No class is impossible anywhere: the template is another brain."""

LEAST_VARIANCE = 1e-4
"""Of a class, as a fraction of the brain's: an image without noise has none."""


class TissueParameters(Parameters):
    """The mixture and its random field."""

    iterations: int = Field(5, ge=1, le=50, description="iterations of the mixture (1)")
    image_weight: float = Field(
        0.35,
        gt=0,
        le=1,
        description="a voxel's brightness, as a fraction of an observation: the noise of "
        "neighbours hangs together (1)",
    )
    prior_weight: float = Field(
        1.0, ge=0, le=1, description="exponent of the template's priors (1)"
    )
    smoothness: float = Field(
        2.0, ge=0, description="logarithm of the odds that neighbours of one class give it (1)"
    )


def template_priors(grey: Volume, white: Volume, points: np.ndarray) -> np.ndarray:
    """Probabilities (X, Y, Z, 3) of the classes at template ``points`` (X, Y, Z, 3) mm.

    ``grey`` and ``white`` are the template's, 0–255; fluid is what is neither. They add up to 1
    everywhere, also outside the template's brain.
    """
    known = [look_up(image.data, image.affine, points) / 255 for image in (grey, white)]
    fluid = np.maximum(1 - known[0] - known[1], 0)
    priors = np.stack([*known, fluid], axis=-1)
    return priors / priors.sum(axis=-1, keepdims=True)


def segment_tissues(
    t1w: Volume,
    brain: np.ndarray,
    priors: np.ndarray,
    parameters: TissueParameters,
) -> np.ndarray:
    """Probabilities (X, Y, Z, 3) float32 of :data:`CLASSES`: 1 in sum in the brain, 0 outside.

    Parameters
    ----------
    t1w : (X, Y, Z), bias-corrected, any unit.
    brain : (X, Y, Z) bool.
    priors : (X, Y, Z, 3), from :func:`template_priors`.
    """
    box = bounding_box(brain, margin=2)
    inside = brain[box]
    values = t1w.data[box][inside].astype(np.float32)
    least = LEAST_VARIANCE * float(values.var(dtype=float)) + 1e-30
    found = np.ascontiguousarray(priors[box][inside].T, dtype=np.float32)
    expected = np.float32(parameters.prior_weight) * np.log(np.maximum(found, LEAST_PRIOR))
    neighbours = np.maximum(_neighbours(inside.astype(np.float32))[inside], np.float32(1e-3))
    for _ in range(parameters.iterations):
        odds = np.empty_like(found)
        for each, probability in enumerate(found):
            part = np.zeros(inside.shape, np.float32)
            part[inside] = probability
            around = _neighbours(part)[inside] / neighbours
            odds[each] = expected[each] + np.float32(parameters.smoothness) * around
            odds[each] += parameters.image_weight * _likelihood(values, probability, least)
        odds -= odds.max(axis=0)
        np.exp(odds, out=odds)
        found = odds / odds.sum(axis=0)
    probabilities = np.zeros(priors.shape, np.float32)
    probabilities[box][inside] = found.T
    return probabilities


def _likelihood(values: np.ndarray, probability: np.ndarray, least: float) -> np.ndarray:
    """Logarithm of a class's Gaussian at the ``values``, of which it has the ``probability``."""
    count = max(float(probability.sum(dtype=float)), 1e-6)
    mean = float((probability * values).sum(dtype=float)) / count
    square = (values - np.float32(mean)) ** 2
    variance = max(float((probability * square).sum(dtype=float)) / count, least)
    return square * np.float32(-0.5 / variance) - np.float32(0.5 * np.log(variance))


def _neighbours(image: np.ndarray) -> np.ndarray:
    """Sum (X, Y, Z) over 26 neighbours: weight 1/2 across a face, 1/4 an edge, 1/8 a corner."""
    total = image
    for axis in range(3):
        total = ndimage.correlate1d(
            total, np.array([0.5, 1, 0.5], np.float32), axis=axis, mode="constant"
        )
    return total - image


def tissue_labels(probabilities: np.ndarray) -> np.ndarray:
    """The likeliest class of each voxel, (X, Y, Z) int16: 1 grey, 2 white, 3 fluid, 0 no brain.

    Brain is where the ``probabilities`` (X, Y, Z, 3) add up to at least one half.
    """
    brain = probabilities.sum(axis=-1) >= 0.5
    return np.where(brain, 1 + probabilities.argmax(axis=-1), 0).astype(np.int16)
