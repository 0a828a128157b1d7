"""The rigid map between the scans of a session, as a file.

A JSON object: ``{"gre_to_t1w": {"matrix": [[…], […], […], […]]}}``, the matrix (4, 4) takes RAS mm
of the GRE to RAS mm of the T1w.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import InputError, Problem
from ..volumes import read_json, write_json

KEY = "gre_to_t1w"
TOLERANCE = 1e-3


def write_rigid_map(path: str | Path, matrix: np.ndarray) -> None:
    """Write the rigid map (4, 4) of GRE points to T1w points (RAS mm), to the last digit."""
    description = "Takes RAS mm (scanner) of the GRE to RAS mm (scanner) of the T1w"
    rows = np.asarray(matrix, float).tolist()
    write_json(path, {KEY: {"matrix": rows, "Units": "mm", "Description": description}})


def read_rigid_map(path: str | Path) -> np.ndarray:
    """Read what :func:`write_rigid_map` wrote: float64, shape (4, 4).

    Raises
    ------
    InputError
        If the file is missing or no JSON object, or holds no matrix that turns and moves only: one
        that scales, shears or mirrors would swap or change what it should carry.
    """
    entry = read_json(path).get(KEY)
    try:
        matrix = np.array(entry["matrix"], dtype=float)
    except (TypeError, KeyError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise _refused(path, "no matrix of 4 by 4 numbers")
    turn = matrix[:3, :3]
    if not np.allclose(matrix[3], (0, 0, 0, 1), atol=1e-9):
        raise _refused(path, f"the last row {matrix[3].tolist()}")
    if np.linalg.det(turn) < 0:
        raise _refused(path, "a matrix that mirrors")
    if not np.allclose(turn @ turn.T, np.eye(3), atol=TOLERANCE):
        raise _refused(path, "a matrix that scales or shears")
    return matrix


def _refused(path: str | Path, found: str) -> InputError:
    expected = 'a rotation and a translation, as {"matrix": [[…], […], […], [0, 0, 0, 1]]}'
    remedy = "Give the GRE → T1w map that registration wrote."
    return InputError(Problem(f"{path}, key {KEY}", found, expected, remedy))
