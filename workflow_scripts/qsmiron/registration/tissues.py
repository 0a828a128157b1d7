"""Grey matter, white matter and fluid of a T1w, from its own contrast and the template's priors.

A Gaussian mixture with spatial priors and a Markov random field, by ANTs' Atropos (Avants et al.,
Neuroinformatics 2011, doi 10.1007/s12021-011-9109-y). The priors are the template's probability
maps seen through the registration, so that a class keeps its meaning whatever the contrast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spaces import bounding_box, crop, look_up
from ..volumes import Volume
from .itk_bridge import to_itk

CLASSES = ("grey", "white", "fluid")
"""The order of the probabilities' last axis."""

PROBABILITY_STEP = 1 / 1000
"""Probabilities are stored in these steps."""


class TissueParameters(Parameters):
    """What Atropos is asked for."""

    iterations: int = Field(3, ge=1, le=50, description="iterations of the mixture (1)")
    prior_weight: float = Field(0.5, ge=0, le=1, description="weight of the template's priors (1)")
    smoothness: float = Field(0.1, ge=0, le=1, description="weight of the Markov random field (1)")


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
    session: tuple[Any, Path],
    t1w: Volume,
    brain: np.ndarray,
    priors: np.ndarray,
    parameters: TissueParameters,
) -> np.ndarray:
    """Probabilities (X, Y, Z, 3) float32 of :data:`CLASSES`: 1 in sum in the brain, 0 outside.

    Parameters
    ----------
    session : from :func:`.itk_bridge.ants_session`.
    t1w : (X, Y, Z), bias-corrected, any unit.
    brain : (X, Y, Z) bool.
    priors : (X, Y, Z, 3), from :func:`template_priors`.

    Raises
    ------
    RuntimeError
        If Atropos gives up.
    """
    ants, _ = session
    box = bounding_box(brain, margin=2)
    t1w, brain, priors, shape = crop(t1w, box), brain[box], priors[box], priors.shape
    try:
        result = ants.atropos(
            a=to_itk(ants, t1w),
            x=to_itk(ants, Volume(brain, t1w.affine)),
            i=[to_itk(ants, Volume(part, t1w.affine)) for part in np.moveaxis(priors, -1, 0)],
            m=f"[{parameters.smoothness:g},1x1x1]",
            c=f"[{parameters.iterations},0]",
            priorweight=parameters.prior_weight,
            r=0,  # no random seed: the order in which voxels are visited is drawn
        )
    except Exception as error:  # what antspyx raises is no narrower
        raise RuntimeError(f"Atropos gave up: {error}") from error
    found = np.stack([image.numpy() for image in result["probabilityimages"]], axis=-1)
    # the maps are float32 and need not add up to 1 to the last digit; where none is left, the prior
    total = found.sum(axis=-1, keepdims=True)
    found = np.where(total > 0, found / np.maximum(total, 1e-6), priors)
    probabilities = np.zeros(shape, np.float32)
    probabilities[box] = np.where(brain[..., None], found, 0)
    return probabilities


def tissue_labels(probabilities: np.ndarray) -> np.ndarray:
    """The likeliest class of each voxel, (X, Y, Z) int16: 1 grey, 2 white, 3 fluid, 0 no brain.

    Brain is where the ``probabilities`` (X, Y, Z, 3) add up to at least one half.
    """
    brain = probabilities.sum(axis=-1) >= 0.5
    return np.where(brain, 1 + probabilities.argmax(axis=-1), 0).astype(np.int16)
