"""What an image's header says, read without its voxels, and whether the file can hold them."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import Problem
from ..nifti import nib
from ..stored_files import why_no_content
from ..volumes import voxel_size

LARGEST_IMAGE_BYTES = 2 * 2**30
"""Refuse what would take more memory as float32: 512 Mi voxels, a head at 0.3 mm."""

SPARE_BYTES = 2**20
"""A file may hold so much more than its header's voxels; beyond it, one of them is wrong."""


@dataclass(frozen=True)
class Form:
    """An sform or qform: its affine (4, 4) and its code, 1 for the scanner's coordinates."""

    affine: np.ndarray
    code: int


@dataclass(frozen=True)
class Header:
    """Shape (X, Y, Z), affine (voxel → RAS mm) and storage of a NIfTI file.

    ``n_volumes`` is the length of the 4th dimension, where echoes may lie along it. A voxel's value
    is the stored one (``dtype``, from byte ``offset`` on) times ``slope`` plus ``intercept``.
    ``forms`` holds sform and qform, each with a code above 0, ``forms_apart`` how far (mm) they
    put a corner of the grid from each other, ``edges`` the voxel's by pixdim (mm).
    """

    shape: tuple[int, ...]
    affine: np.ndarray
    dtype: np.dtype
    offset: int
    slope: float
    intercept: float
    forms: Mapping[str, Form]
    forms_apart: float
    edges: tuple[float, ...]
    n_volumes: int = 1

    @property
    def oriented(self) -> bool:
        """Whether any orientation is declared."""
        return bool(self.forms)

    @property
    def integer(self) -> bool:
        """Whether whole numbers are stored."""
        return self.dtype.kind in "iu"

    @property
    def stored_bytes(self) -> int:
        """Bytes that the voxels take in the file, decompressed."""
        return self.n_volumes * self.volume_bytes

    @property
    def volume_bytes(self) -> int:
        """Bytes that the voxels of one echo take."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Edge lengths in mm."""
        return voxel_size(self.affine)


def read_header(path: Path, all_echoes: bool = False) -> Header | Problem:
    """Read the header of an image, or say why it cannot be used.

    ``all_echoes`` allows a 4th dimension. A truncated file is found by its length (the length that
    gzip notes at its end), not by reading it; only where that note contradicts the header is the
    file decompressed to make sure.
    """
    try:
        image = nib.load(path)
        header, affine = image.header, np.asarray(image.affine, float)
        shape, dtype = image.shape, header.get_data_dtype()
        # of the file: nibabel puts 0 into the header of a loaded image
        offset = int(image.dataobj.offset)
        slope, intercept = float(image.dataobj.slope), float(image.dataobj.inter)
        forms = _forms(header)
        forms_apart = _forms_apart(forms, shape)
        stored = _stored_header(path, type(header))
    except Exception as error:  # nibabel, gzip and zlib each raise their own for a broken file
        return _unreadable(path, error)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    n_volumes = shape[3] if all_echoes and len(shape) == 4 else 1
    shape = shape[:3] if n_volumes > 1 else shape
    edges = tuple(float(edge) for edge in stored["pixdim"][1:4])
    seen = Header(
        shape, affine, dtype, offset, slope, intercept, forms, forms_apart, edges, n_volumes
    )
    if found := _impossible(path, seen, stored):
        return found
    contents = _compare_length(path, offset + seen.stored_bytes)
    if contents == "short":
        found = f"fewer bytes than its header's {shape} voxels take"
        remedy = "Export or copy it again."
        return Problem(str(path), found, "a complete NIfTI image", remedy)
    if contents == "long":
        found = f"more bytes than its header's {shape} voxels take"
        remedy = "Export it again: the header is not that of the voxels."
        return Problem(str(path), found, "a header that describes the whole image", remedy)
    return seen


def _stored_header(path: Path, kind: type) -> nib.Nifti1Header:
    """The header as the file has it; nibabel mends some faults when it loads an image."""
    opener = gzip.open if path.name.endswith(".gz") else open
    with opener(path, "rb") as file:
        return kind(file.read(kind.template_dtype.itemsize), check=False)


def _forms(header: nib.Nifti1Header) -> dict[str, Form]:
    given = {"sform": header.get_sform(coded=True), "qform": header.get_qform(coded=True)}
    return {
        name: Form(np.asarray(affine, float), int(code))
        for name, (affine, code) in given.items()
        if affine is not None and code > 0
    }


def _forms_apart(forms: Mapping[str, Form], shape: tuple[int, ...]) -> float:
    if len(forms) < 2:
        return 0.0
    corners = np.array(np.meshgrid(*((0, max(n - 1, 0)) for n in shape[:3]), [1])).reshape(-1, 8)
    if len(corners) != 4:
        return 0.0
    return float(np.abs((forms["sform"].affine - forms["qform"].affine) @ corners).max())


def _impossible(path: Path, header: Header, stored: nib.Nifti1Header) -> Problem | None:
    """What no image of this workflow can be."""
    edges = np.array(header.edges)
    name, shape, affine = str(path), header.shape, header.affine
    if min(shape, default=1) < 1:
        found = f"a header of impossible shape {shape}"
        return Problem(name, found, "a complete NIfTI image", "Export or copy it again.")
    if len(shape) != 3:
        return Problem(name, f"{len(shape)} dimensions {shape}", "3 dimensions", _store(shape))
    if header.dtype.kind not in "iuf":
        remedy = "Export magnitude and phase, each as numbers of its own."
        return Problem(name, f"values of type {header.dtype}", "real numbers", remedy)
    if math.prod(shape) * max(header.dtype.itemsize, 4) > LARGEST_IMAGE_BYTES:
        found = f"a header of {shape} voxels, {math.prod(shape) * 4 / 2**30:.0f} GiB"
        expected = f"an image of a head, at most {LARGEST_IMAGE_BYTES / 2**30:.0f} GiB"
        return Problem(name, found, expected, "Export it again; it was not read.")
    if not np.isfinite(edges).all() or (edges <= 0).any():
        found = f"voxel edges (pixdim) of {' x '.join(f'{edge:g}' for edge in edges)}"
        return Problem(name, found, "edges above 0 mm", "Export it again: its header is broken.")
    volume = np.linalg.det(affine[:3, :3]) if np.isfinite(affine).all() else math.nan
    if not abs(volume) > 1e-9 * np.prod(voxel_size(affine)) > 0:
        remedy = "Export it again: its sform or qform is broken."
        return Problem(name, "an affine that spans no space", "voxel axes in mm", remedy)
    slope = float(stored["scl_slope"])
    if math.isinf(slope) or math.isinf(float(stored["scl_inter"])):
        # NaN, like 0, says that there is none; nibabel takes infinity for that too.
        found = f"a scaling (scl_slope, scl_inter) of {slope:g}, {float(stored['scl_inter']):g}"
        return Problem(name, found, "finite numbers", "Export it again: its header is broken.")
    return None


def _store(shape: tuple[int, ...]) -> str:
    """How to store an image with more dimensions."""
    advice = (
        "Give one 3D file per echo and part, or one 4D file of all echoes, its name without echo-; "
        "docs/inputs.md shows how."
    )
    if len(shape) == 4 and shape[0] == min(shape) < shape[3]:
        return f"The echoes seem to lie along the first of its axes, not the last. {advice}"
    return advice


def _unreadable(path: Path, error: Exception) -> Problem:
    expected, remedy = "a complete NIfTI image", "Export or copy it again."
    if absent := why_no_content(path, expected, remedy):
        return absent
    with path.open("rb") as file:
        start = file.read(2)
    if not start:
        return Problem(str(path), "an empty file", expected, remedy)
    if path.name.endswith(".gz") and not start.startswith(b"\x1f\x8b"):
        found = "a file that is not compressed although it ends in .gz"
        return Problem(str(path), found, expected, "Rename it to .nii, or compress it with gzip.")
    if path.name.endswith(".nii") and start.startswith(b"\x1f\x8b"):
        found = "a compressed file although it ends in .nii"
        return Problem(str(path), found, expected, "Rename it to .nii.gz, or decompress it.")
    if isinstance(error, nib.filebasedimages.ImageFileError):
        return Problem(str(path), "a file cut off or of another format", expected, remedy)
    reason = (str(error).splitlines() or [type(error).__name__])[0].replace(f"{path}", path.name)
    return Problem(str(path), f"a file that cannot be read ({reason[:120]})", expected, remedy)


def _compare_length(path: Path, length: int) -> str:
    """Whether a file holds ``length`` bytes (decompressed): ``short``, ``right`` or ``long``."""
    there = path.stat().st_size
    if path.name.endswith(".gz"):
        if there > LARGEST_IMAGE_BYTES:
            return "long"
        with path.open("rb") as file:
            file.seek(-4, 2)
            noted = int.from_bytes(file.read(4), "little")
        if noted == length % 2**32:
            return "right"
        there = _count_bytes(path, length + SPARE_BYTES)
    return "short" if there < length else "right" if there < length + SPARE_BYTES else "long"


def _count_bytes(path: Path, at_most: int) -> int:
    """Length of what a gzip file holds, counted up to ``at_most``; 0 if it is cut off."""
    count = 0
    try:
        with gzip.open(path) as file:
            while count < at_most and (chunk := file.read(min(at_most - count, 2**20))):
                count += len(chunk)
    except (OSError, EOFError, zlib.error):
        return 0
    return count
