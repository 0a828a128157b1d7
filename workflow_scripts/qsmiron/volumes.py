"""Volumes in (NIfTI, MGZ) and out (NIfTI): checked when read, whole when written.

A volume is its array in the file's own voxel order and the affine that takes voxel indices to
scanner RAS millimetres. Nothing here reorients or resamples.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError, Problem
from .nifti import nib
from .overwriting import was_read
from .sidecars import sidecar_path
from .stored_files import why_no_content

GRID_TOLERANCE_MM = 1e-2

_COMMENT = re.compile(rb"(?:^|[\s,{\[])(?://|/\*|#)", re.MULTILINE)
"""What people write into JSON to comment on it."""


@dataclass(frozen=True)
class Volume:
    """An image: ``data`` of shape (X, Y, Z[, …]) and its ``affine`` (4, 4), voxel → RAS mm."""

    data: np.ndarray
    affine: np.ndarray

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Edge lengths of a voxel in mm along the three array axes."""
        return voxel_size(self.affine)


def voxel_size(affine: np.ndarray) -> tuple[float, float, float]:
    """Edge lengths (mm) of a voxel of the grid with this ``affine`` (4, 4)."""
    x, y, z = np.sqrt((np.asarray(affine, float)[:3, :3] ** 2).sum(axis=0))
    return float(x), float(y), float(z)


def read_volume(
    path: str | Path,
    dtype: Any = np.float32,
    dimensions: int = 3,
    finite: bool = True,
    index: int | None = None,
) -> Volume:
    """Read a NIfTI or MGZ file, its scaling (scl_slope, scl_inter) applied.

    ``finite=False`` lets NaN and infinity through, for maps that may mark missing voxels so.
    ``index`` takes one position (from 0) along the last axis, and leaves the others on the disk.

    Raises
    ------
    InputError
        If the file is missing, unreadable, truncated, not of ``dimensions`` dimensions or, for
        floating-point types, holds a NaN or an infinity (unless ``finite`` is false).
    """
    path = Path(path)
    if absent := why_no_content(path, "a NIfTI or MGZ image", "Check the path."):
        raise InputError(absent)
    try:
        image = _opened(path, whole=index is None)
        stored = image.dataobj if index is None else image.dataobj[..., index]
        data = np.asarray(stored, dtype=dtype)
    except Exception as error:  # nibabel, gzip and zlib each raise their own for a broken file
        raise InputError(
            Problem(
                str(path),
                f"a file that cannot be read ({error})",
                "a complete NIfTI or MGZ image",
                "Export or copy it again.",
            )
        ) from error
    while data.ndim > dimensions and data.shape[-1] == 1:
        data = data[..., 0]
    if data.ndim != dimensions:
        raise InputError(
            Problem(
                str(path),
                f"{data.ndim} dimensions {data.shape}",
                f"{dimensions} dimensions",
                "Give one file per echo and part.",
            )
        )
    if finite and np.issubdtype(data.dtype, np.floating) and not np.isfinite(data).all():
        raise InputError(
            Problem(
                str(path),
                f"{int((~np.isfinite(data)).sum())} voxels that are NaN or infinite",
                "finite values",
                "Export the image again or repair those voxels.",
            )
        )
    return Volume(data, np.asarray(image.affine, dtype=float))


def image_shape(path: str | Path) -> tuple[int, ...]:
    """The shape in an image's header; see :func:`image_grid`."""
    return image_grid(path)[0]


def image_grid(path: str | Path) -> tuple[tuple[int, ...], np.ndarray]:
    """The shape in an image's header, and its affine (4, 4; voxel → RAS mm).

    The shape has no trailing axes of length 1 beyond the third. Raises :class:`InputError` if the
    file is missing or has no readable header.
    """
    if absent := why_no_content(path, "a NIfTI or MGZ image", "Check the path."):
        raise InputError(absent)
    try:
        image = nib.load(path)
        shape, affine = image.shape, np.asarray(image.affine, dtype=float)
    except Exception as error:  # as in read_volume
        raise InputError(
            Problem(
                str(path),
                f"a file that cannot be read ({error})",
                "a complete NIfTI or MGZ image",
                "Check the path, or export the image again.",
            )
        ) from error
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return tuple(shape), affine


def _opened(path: Path, whole: bool) -> nib.spatialimages.SpatialImage:
    """An image, a compressed one read to its checksum, so that a flipped bit is an error.

    nibabel itself does not reach the checksum. Unless ``whole``, what is read is not kept.
    """
    image = nib.load(path)
    if path.name.endswith((".gz", ".mgz")):
        if whole and isinstance(image, nib.filebasedimages.SerializableImage):
            return type(image).from_bytes(gzip.decompress(path.read_bytes()))
        with gzip.open(path) as file:
            while file.read(2**22):
                pass
    return image


def read_mask(path: str | Path, like: Volume | None = None) -> np.ndarray:
    """Read a mask as a boolean array (X, Y, Z): True where the file is above 0.5.

    ``like`` names the volume whose grid it must share. Raises :class:`InputError` if it does not,
    or if the mask is empty.
    """
    volume = read_volume(path)
    if like is not None:
        check_same_grid(volume, like, str(path))
    mask = volume.data > 0.5
    if not mask.any():
        raise InputError(
            Problem(str(path), "an empty mask", "at least one voxel inside", "See how it was made.")
        )
    return mask


def check_same_grid(volume: Volume, like: Volume, name: str) -> None:
    """Raise :class:`InputError` unless both volumes have one shape and one affine (to .01 mm)."""
    if volume.data.shape[:3] != like.data.shape[:3]:
        found, expected = volume.data.shape[:3], like.data.shape[:3]
    elif not np.allclose(volume.affine, like.affine, atol=GRID_TOLERANCE_MM):
        found, expected = volume.affine.round(3).tolist(), like.affine.round(3).tolist()
    else:
        return
    raise InputError(
        Problem(
            name,
            f"the grid {found}",
            f"the grid {expected} of the images it goes with",
            "Give images of one acquisition, or put this one on their grid first.",
        )
    )


def write_volume(
    path: str | Path,
    data: np.ndarray,
    affine: np.ndarray,
    sidecar: Mapping[str, Any] | None = None,
) -> None:
    """Write ``data`` (X, Y, Z[, …]) as NIfTI, and ``sidecar`` as the JSON beside it.

    Booleans become uint8; other types are kept. The file appears under its name only when it is
    complete, and the same data give the same bytes.
    """
    if data.dtype == bool:
        data = data.astype(np.uint8)
    elif data.dtype == np.float64:
        data = data.astype(np.float32)
    _write_image(Path(path), nib.Nifti1Image(data, affine), sidecar)


def write_scaled_volume(
    path: str | Path,
    data: np.ndarray,
    affine: np.ndarray,
    step: float,
    sidecar: Mapping[str, Any] | None = None,
) -> None:
    """Write real ``data`` (X, Y, Z[, …]) as int16 multiples of ``step`` (the file's scl_slope).

    Values beyond ±32767 steps are clipped to that. Read back, they differ by at most step/2.
    """
    limit = np.iinfo(np.int16).max
    stored = np.clip(np.rint(np.asarray(data) / step), -limit, limit).astype(np.int16)
    image = nib.Nifti1Image(stored, affine)
    image.header.set_slope_inter(step, 0)
    _write_image(Path(path), image, sidecar)


def write_stored_volume(
    path: str | Path, image: nib.Nifti1Image, sidecar: Mapping[str, Any] | None = None
) -> None:
    """Write an image that was read as it is stored: its numbers, their scaling, and its grid.

    Nothing else of its header is taken over, neither texts nor extensions.
    """
    copy = nib.Nifti1Image(image.dataobj.get_unscaled(), image.affine)
    copy.header.set_slope_inter(image.dataobj.slope, image.dataobj.inter)
    _write_image(Path(path), copy, sidecar)


def _write_image(path: Path, image: nib.Nifti1Image, sidecar: Mapping[str, Any] | None) -> None:
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(image.affine, code=1)
    image.set_qform(image.affine, code=1)
    raw = image.to_bytes()
    if path.name.endswith(".gz"):
        raw = gzip.compress(raw, compresslevel=1, mtime=0)
    write_bytes(path, raw)
    if sidecar is not None:
        write_json(sidecar_path(path), sidecar)


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object; :class:`InputError` if it is missing or malformed."""
    path, expected = Path(path), "a JSON sidecar"
    if absent := why_no_content(path, expected, "Put it beside its image."):
        raise InputError(absent)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise InputError(Problem(str(path), found, expected, "Check its permissions.")) from error
    except (ValueError, RecursionError) as error:  # malformed, no text, absurdly nested or long
        found = f"malformed JSON ({error})"
        remedy = "Mend the file."
        if _COMMENT.search(path.read_bytes()):
            remedy += " JSON has no comments (//, /* or #)."
        raise InputError(Problem(str(path), found, "a JSON object", remedy)) from error
    if not isinstance(content, dict):
        raise InputError(Problem(str(path), "no JSON object", "a JSON object", "Mend the file."))
    return content


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object atomically, indented."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8) atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file so that it appears under its name only when it is complete."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


_PARTIAL = ".partial-"


class atomic_path:  # noqa: N801 - reads as a verb where it is used
    """Context manager: a temporary path beside ``path`` that replaces it on a clean exit.

    For libraries that want to write a file themselves (figures, tables). The temporary keeps the
    file's ending, since such libraries choose their format by it. What a process that was killed
    left of the same file is removed; an error of the disk names ``path``.

    Raises
    ------
    InputError
        If ``path`` is a file that was read (:func:`.overwriting.reads_noted`), or its sidecar.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __enter__(self) -> Path:
        if was_read(self.path):
            raise InputError(
                Problem(
                    str(self.path),
                    "a file that is an input as well, or the sidecar of one",
                    "another file to write to; inputs are never changed",
                    "Give the output another name or folder.",
                )
            )
        folder, ending = self.path.parent, "-" + self.path.name
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f"{_PARTIAL}*"):
            # eight characters of mkstemp between the two
            if path.name[len(_PARTIAL) + 8 :] == ending:
                path.unlink(missing_ok=True)
        try:
            handle, name = tempfile.mkstemp(dir=folder, prefix=_PARTIAL, suffix=ending)
        except OSError as error:
            error.filename = str(self.path)
            raise
        os.close(handle)
        self.temporary = Path(name)
        return self.temporary

    def __exit__(self, kind: object, value: object, traceback: object) -> None:
        if kind is not None:
            self.temporary.unlink(missing_ok=True)
            if isinstance(value, OSError) and value.filename in (None, str(self.temporary)):
                value.filename = str(self.path)
            return
        mask = os.umask(0)
        os.umask(mask)
        self.temporary.chmod(0o666 & ~mask)
        self.temporary.replace(self.path)
