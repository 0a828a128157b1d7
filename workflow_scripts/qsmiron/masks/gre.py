"""Brain mask on the grid of the GRE, from the template where there is a T1w, else by itself."""

from __future__ import annotations

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import look_up
from ..volumes import Volume
from .brain import ExtractionParameters, extract_brain


class GreMaskParameters(Parameters):
    """How the brain mask of the GRE is made."""

    signal: float = Field(
        0.1, ge=0, lt=1, description="least signal, as a fraction of the brain's median (1)"
    )
    extraction: ExtractionParameters = Field(
        ExtractionParameters(erosion=10.0),
        description="without a T1w: extraction from the magnitude; its fluid is bright, so the "
        "spinal canal is a wide bridge",
    )


def mask_from_template(
    magnitude: Volume, coordinates: np.ndarray, template: Volume, parameters: GreMaskParameters
) -> np.ndarray:
    """Brain mask (X, Y, Z) of a ``magnitude`` whose voxels lie at template ``coordinates``.

    ``coordinates`` (X, Y, Z, 3) in RAS mm of ``template``, which is brain only. Voids at the
    brain's surface are left out; voids inside (deep nuclei, veins) are kept. NaN is no signal.

    Raises
    ------
    InputError
        If there is no signal where the brain should be.
    """
    data = _finite(magnitude.data)
    inside = (template.data > 0.02 * template.data.max()).astype(np.float32)
    brain = look_up(inside, template.affine, coordinates) > 0.5
    typical = np.median(data[brain]) if brain.any() else 0
    if typical <= 0:
        raise InputError(
            Problem(
                "brain mask",
                "no signal of the magnitude where the registration puts the brain",
                "a magnitude that shows the brain",
                "Look at the registration of this scan and at its magnitude.",
            )
        )
    return _whole(brain & (data > parameters.signal * typical))


def mask_from_magnitude(magnitude: Volume, parameters: GreMaskParameters) -> np.ndarray:
    """Brain mask (X, Y, Z) of a ``magnitude`` by its own contrast. NaN is no signal."""
    finite = Volume(_finite(magnitude.data), magnitude.affine)
    return _whole(extract_brain(finite, parameters.extraction))


def _finite(image: np.ndarray) -> np.ndarray:
    """The image (X, Y, Z), 0 where it is NaN or infinite."""
    return np.nan_to_num(image, nan=0, posinf=0, neginf=0)


def _whole(mask: np.ndarray) -> np.ndarray:
    """The largest piece, its holes filled."""
    pieces, count = ndimage.label(mask)
    if count > 1:
        mask = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    return ndimage.binary_fill_holes(mask)
