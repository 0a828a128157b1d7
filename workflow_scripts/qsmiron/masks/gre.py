"""Brain mask on the grid of the GRE: its surface in the T1w, the template's, or by itself."""

from __future__ import annotations

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import look_up
from ..storage_order import as_stored, nearest_to_ras
from ..volumes import Volume
from .brain import ExtractionParameters, extract_brain
from .holes import filled
from .surface import SurfaceParameters, TemplateBrain, find_surface


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
    surface: SurfaceParameters = Field(SurfaceParameters(), description="surface in the T1w")


def brain_of(template: Volume) -> np.ndarray:
    """Brain (X, Y, Z) bool of a ``template`` that is 0 outside it, without holes."""
    return filled(template.data > 0.02 * template.data.max())


def mask_from_t1w(
    magnitude: Volume,
    t1w: Volume,
    to_t1w: np.ndarray,
    coordinates: Volume,
    template: TemplateBrain,
    parameters: GreMaskParameters,
) -> np.ndarray:
    """Brain mask (X, Y, Z) of a ``magnitude`` by the brain's surface in the ``t1w``.

    Arguments as for :func:`.surface.find_surface`, ``coordinates`` on the magnitude's grid. Voids
    as for :func:`mask_from_template`.

    Raises
    ------
    InputError
        If the T1w or the magnitude has no signal where the brain should be.
    """
    t1w, _ = nearest_to_ras(t1w)
    parts = [
        nearest_to_ras(Volume(part, coordinates.affine))
        for part in np.moveaxis(coordinates.data, -1, 0)
    ]
    first, turn = parts[0]
    turned = Volume(np.stack([part.data for part, _ in parts], axis=-1), first.affine)
    inside = find_surface(t1w, to_t1w, turned, template, parameters.surface)
    return _where_signal(as_stored(inside, turn) > 0.5, magnitude, parameters)


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
    inside = (template.data > 0.02 * template.data.max()).astype(np.float32)
    brain = look_up(inside, template.affine, coordinates) > 0.5
    return _where_signal(brain, magnitude, parameters)


def _where_signal(
    brain: np.ndarray, magnitude: Volume, parameters: GreMaskParameters
) -> np.ndarray:
    data = _finite(magnitude.data)
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
    return filled(mask)
