"""The template within a participant as files: its image, tissues, and map to the study's template.

Beside them a JSON object: ``maps``, by visit the rigid map (4, 4) of its T1w's RAS mm to those of
the template within the participant; ``affine`` (4, 4), which follows the displacement; ``quality``,
what was measured of the registration, or why there is none under ``failed``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, Problem
from ..volumes import read_json, read_volume, write_json, write_scaled_volume, write_volume
from .coordinates import STEP_MM, TemplateMap
from .scan import RegisteredHead
from .tissues import CLASSES, PROBABILITY_STEP


@dataclass(frozen=True)
class HeadFiles:
    """Where they are: ``image``, ``tissues`` and ``displacement`` on one grid, and ``maps``."""

    image: str | Path
    tissues: str | Path
    displacement: str | Path
    maps: str | Path


def write_head(files: HeadFiles, head: RegisteredHead, to_head: Mapping[str, np.ndarray]) -> None:
    """Write the template within a participant; ``to_head`` are the maps by visit."""
    affine = head.image.affine
    about = {"Description": "Mean T1w of the visits, bias-corrected"}
    write_volume(files.image, head.image.data.astype(np.float32), affine, about)
    about = {"Description": "Tissue probabilities", "Classes": list(CLASSES), "Units": "1"}
    write_scaled_volume(files.tissues, head.tissues, affine, PROBABILITY_STEP, about)
    about = {"Description": "Displacement before the affine map to the template", "Units": "mm"}
    displacement = head.to_template.displacement
    write_scaled_volume(files.displacement, displacement, affine, STEP_MM, about)
    write_json(
        files.maps,
        {
            "Description": "Rigid maps of each visit's T1w to the template within the participant",
            "Units": "mm",
            "maps": {visit: np.asarray(matrix).tolist() for visit, matrix in to_head.items()},
            "affine": head.to_template.affine.tolist(),
            "quality": head.quality,
        },
    )


def write_failed_head(files: HeadFiles, reason: str) -> None:
    """Write that there is none because of ``reason``: images of one voxel, and the JSON."""
    for path, shape in (
        (files.image, (1, 1, 1)),
        (files.tissues, (1, 1, 1, 3)),
        (files.displacement, (1, 1, 1, 3)),
    ):
        about = {"Description": "Nothing: the registration gave up"}
        write_volume(path, np.zeros(shape, np.float32), np.eye(4), about)
    quality = {"failed": " ".join(reason.split())}
    write_json(files.maps, {"maps": {}, "affine": np.eye(4).tolist(), "quality": quality})


def read_head(files: HeadFiles) -> tuple[RegisteredHead, dict[str, np.ndarray]]:
    """Read what :func:`write_head` or :func:`write_failed_head` wrote: the head, and the maps.

    Raises
    ------
    InputError
        If a file is missing or not such a file.
    """
    stored: dict[str, Any] = read_json(files.maps)
    try:
        maps = {visit: _matrix(rows) for visit, rows in stored["maps"].items()}
        affine, quality = _matrix(stored["affine"]), dict(stored["quality"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        expected = "maps, affine and quality of a participant's visits"
        problem = Problem(str(files.maps), "no such", expected, "Give what average_visits wrote.")
        raise InputError(problem) from error
    image = read_volume(files.image)
    tissues = read_volume(files.tissues, dimensions=4).data
    displacement = read_volume(files.displacement, dimensions=4)
    to_template = TemplateMap(displacement.data, displacement.affine, affine)
    return RegisteredHead(image, tissues, to_template, quality), maps


def _matrix(rows: Any) -> np.ndarray:
    matrix = np.array(rows, dtype=float)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise ValueError("no matrix of 4 by 4 numbers")
    return matrix
