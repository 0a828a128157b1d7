"""The one place that speaks to antspyx: images, linear registration, its coordinates.

ITK's world is LPS, this library's RAS; both directions of the conversion are here. Importing ants
costs about 3 s of CPU, so it is imported when first needed, after the thread count is set.
Everything ants writes goes into a folder that is removed on exit.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..volumes import Volume

_FLIP = np.diag([-1.0, -1.0, 1.0])


@contextmanager
def ants_session(threads: int, seed: int) -> Iterator[tuple[Any, Path]]:
    """The ants module, seeded and with so many threads, and a folder for its files.

    The folder is also its TMPDIR: ants leaves files in the system's otherwise.
    """
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(threads)
    with tempfile.TemporaryDirectory(prefix="qsmiron-") as folder:
        before = tempfile.tempdir
        tempfile.tempdir = folder
        try:
            import ants

            ants.config.set_ants_deterministic(on=True, seed_value=seed)
            # set_ants_deterministic also sets one thread
            os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(threads)
            yield ants, Path(folder)
        finally:
            tempfile.tempdir = before


def to_itk(ants: Any, volume: Volume) -> Any:
    """A volume as an ants image."""
    matrix = _FLIP @ volume.affine[:3, :3]
    spacing = np.linalg.norm(matrix, axis=0)
    return ants.from_numpy(
        np.ascontiguousarray(volume.data, dtype=np.float32),
        origin=[float(x) for x in _FLIP @ volume.affine[:3, 3]],
        spacing=[float(x) for x in spacing],
        direction=matrix / spacing,
    )


def matrix_of(transform: Any) -> np.ndarray:
    """RAS → RAS matrix (4, 4) of an ITK affine or Euler transform read by ants."""
    parameters = np.asarray(transform.parameters, float)
    centre = np.asarray(transform.fixed_parameters, float)[:3]
    linear, shift = parameters[:9].reshape(3, 3), parameters[9:12]
    matrix = np.eye(4)
    matrix[:3, :3] = _FLIP @ linear @ _FLIP
    matrix[:3, 3] = _FLIP @ (centre + shift - linear @ centre)
    return matrix


def transform_of(ants: Any, matrix: np.ndarray) -> Any:
    """The ITK affine transform of a RAS → RAS matrix (4, 4)."""
    linear = _FLIP @ matrix[:3, :3] @ _FLIP
    return ants.create_ants_transform(
        transform_type="AffineTransform",
        dimension=3,
        matrix=linear,
        translation=[float(x) for x in _FLIP @ matrix[:3, 3]],
        center=[0.0, 0.0, 0.0],
    )


def register_linear(
    session: tuple[Any, Path],
    fixed: Volume,
    moving: Volume,
    mask: np.ndarray,
    start: np.ndarray,
    kind: str,
    iterations: tuple[int, ...],
    shrink: tuple[int, ...],
    smoothing: tuple[float, ...],
    sampling: float,
) -> np.ndarray:
    """Map (4, 4) of ``fixed`` RAS mm to ``moving`` RAS mm by Mattes mutual information.

    ``kind`` is Rigid or Affine; ``mask`` (on the fixed grid) is where the images are compared,
    ``sampling`` the fraction of its points that are; ``start`` a map of the same direction. One
    value a level in ``iterations``, ``shrink`` and ``smoothing`` (voxels).
    """
    ants, folder = session
    initial = folder / "start.mat"
    ants.write_transform(transform_of(ants, start), str(initial))
    result = ants.registration(
        to_itk(ants, fixed),
        to_itk(ants, moving),
        kind,
        initial_transform=[str(initial)],
        outprefix=str(folder / f"{kind}-"),
        mask=to_itk(ants, Volume(mask, fixed.affine)),
        aff_iterations=iterations,
        aff_shrink_factors=shrink,
        aff_smoothing_sigmas=smoothing,
        aff_random_sampling_rate=sampling,
    )
    matrix = np.eye(4)
    for name in result["fwdtransforms"]:
        matrix = matrix_of(ants.read_transform(name)) @ matrix
    return matrix
