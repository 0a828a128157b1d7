"""A registered scan as files, for every later step."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..volumes import Volume, write_json, write_scaled_volume
from .coordinates import coarse_far_from, write_coordinates
from .rigid_map import write_rigid_map
from .scan import RegisteredScan
from .tissues import CLASSES, PROBABILITY_STEP


def write_scan(
    scan: RegisteredScan,
    affine: np.ndarray,
    template: Volume,
    coordinates: str | Path,
    gre_to_t1w: str | Path,
    tissues: str | Path,
    quality: str | Path,
) -> None:
    """Write a registered scan whose GRE has this ``affine`` (4, 4).

    ``template`` is 0 outside the brain; the other arguments are the files.
    """
    brain = Volume(template.data > 0, template.affine)
    write_coordinates(coordinates, coarse_far_from(brain, scan.coordinates), affine)
    write_rigid_map(gre_to_t1w, scan.gre_to_t1w)
    classes = {"Description": "Tissue probabilities", "Classes": list(CLASSES), "Units": "1"}
    write_scaled_volume(tissues, scan.tissues, affine, PROBABILITY_STEP, classes)
    write_json(quality, scan.quality)
