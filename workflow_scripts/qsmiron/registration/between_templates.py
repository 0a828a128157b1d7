"""From the default template to another one, so that an atlas of that one can be used.

Registered once for the whole study: the other template is taken for a subject's T1w, with or
without its skull, and the map that this gives is inverted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..spaces import apply_affine, grid_points
from ..volumes import Volume
from .coordinates import TemplateMap
from .template_to_t1w import TemplateParameters, register_template

ITERATIONS = 40
TOLERANCE_MM = 0.05


def map_between_templates(
    session: tuple[Any, Path], template: Volume, other: Volume, parameters: TemplateParameters
) -> tuple[np.ndarray, float]:
    """RAS mm (X, Y, Z, 3) in ``other`` of every voxel of ``template``, and the fit.

    ``template`` is brain only; ``session`` is from :func:`.itk_bridge.ants_session`. The fit is
    the local correlation of the two images in the other's brain.
    """
    registered = register_template(session, other, template, parameters)
    points = grid_points(template.data.shape, template.affine)
    fit = registered.agreement()
    return invert(registered.to_template, points), fit


def invert(to_template: TemplateMap, points: np.ndarray) -> np.ndarray:
    """Where ``to_template`` takes to ``points`` (…, 3) mm, to :data:`TOLERANCE_MM` or nearly.

    By fixed-point iteration (Chen et al., Med Phys 2008, doi 10.1118/1.2816107): with displacement
    d and affine A, q ← A⁻¹p − d(q).
    """
    back = apply_affine(np.linalg.inv(to_template.affine), points)
    found = back
    for _ in range(ITERATIONS):
        moved = back - to_template.displacement_at(found)
        change = np.abs(moved - found).max()
        found = moved
        if change < TOLERANCE_MM:
            break
    return found
