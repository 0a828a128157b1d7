"""The acquisition as the consensus wants it reported, from the sidecars of the raw images."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..acquisition import read_sidecar
from ..volumes import voxel_size

COLUMNS = (
    "Scans", "Scanner", "B0 (T)", "TE1:ΔTE:TEmax (ms)", "Echoes", "TR (ms)", "Flip angle (°)",
    "Matrix", "Voxel (mm)", "Acceleration",
)  # fmt: skip

UNKNOWN = "not stated"


def acquisition_table(echoes: Iterable[str | Path]) -> list[dict[str, str]]:
    """One row per distinct protocol, the commonest first, with the number of its scans.

    ``echoes`` are the magnitude or phase images of all echoes, or the JSON files beside them.
    Matrix and voxel size come from the header of the image where there is one.
    """
    scans: dict[str, dict[float, Path]] = {}
    for path in map(Path, echoes):
        content = read_sidecar(path)
        name = re.sub(r"_(echo|part)-[A-Za-z0-9]+", "", str(path))
        scans.setdefault(name, {})[float(content.get("EchoTime", np.nan))] = path
    protocols = Counter(tuple(_protocol(echoes)) for echoes in scans.values())
    return [
        dict(zip(COLUMNS, (str(count), *protocol), strict=True))
        for protocol, count in protocols.most_common()
    ]


def _protocol(echoes: dict[float, Path]) -> list[str]:
    times = 1e3 * np.array(sorted(echoes))
    sidecar = read_sidecar(echoes[min(echoes)])
    maker = [str(sidecar[key]) for key in ("Manufacturer", "ManufacturersModelName")
             if sidecar.get(key)]  # fmt: skip
    matrix, voxel = _grid(echoes[min(echoes)])
    return [
        " ".join(maker) or UNKNOWN,
        _number(sidecar.get("MagneticFieldStrength")),
        echo_train(times),
        str(len(times)),
        _number(sidecar.get("RepetitionTime"), 1e3),
        _number(sidecar.get("FlipAngle")),
        matrix,
        voxel,
        _number(sidecar.get("ParallelReductionFactorInPlane")),
    ]


def echo_train(times: np.ndarray) -> str:
    """``TE1:ΔTE:TEmax`` in ms; ``varying`` in the middle where the spacing is not constant."""
    if not np.isfinite(times).all() or not len(times):
        return UNKNOWN
    if len(times) == 1:
        return f"{times[0]:.4g}"
    steps = np.diff(times)
    step = f"{steps.mean():.4g}" if np.ptp(steps) < 0.02 else "varying"
    return f"{times[0]:.4g}:{step}:{times[-1]:.4g}"


def _number(value: Any, factor: float = 1.0) -> str:
    return f"{value * factor:g}" if isinstance(value, int | float) else UNKNOWN


def _grid(echo: Path) -> tuple[str, str]:
    from ..nifti import nib

    beside = [echo.with_name(echo.stem + ending) for ending in (".nii.gz", ".nii")]
    for image in beside if echo.suffix == ".json" else [echo]:
        if image.exists():
            header = nib.load(image)
            matrix = " × ".join(str(size) for size in header.shape[:3])
            edges = (f"{round(edge, 2):g}" for edge in voxel_size(header.affine))
            return matrix, " × ".join(edges)
    return UNKNOWN, UNKNOWN
