"""What an image's header says, read without its voxels, and whether the file can hold them."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from ..errors import Problem
from ..volumes import voxel_size

LARGEST_IMAGE_BYTES = 8 * 2**30
"""Refuse what would take more memory than this: no image of this workflow comes near it."""

_POINTERS = {
    b"/annex/objects": "Fetch the content first: datalad get, or git annex get.",
    b"version https://git-lfs": "Fetch the content first: git lfs pull.",
}


@dataclass(frozen=True)
class Header:
    """Shape, affine (voxel → RAS mm) and storage of a NIfTI file."""

    shape: tuple[int, ...]
    affine: np.ndarray
    integer: bool
    slope: float
    oriented: bool

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Edge lengths in mm."""
        return voxel_size(self.affine)


def read_header(path: Path) -> Header | Problem:
    """Read the header of an image, or say why it cannot be used.

    A truncated file is found by its length (the length that gzip notes at its end), not by
    reading it; only where that note contradicts the header is the file decompressed to make sure.
    """
    try:
        image = nib.load(path)
        header, affine = image.header, np.asarray(image.affine, float)
        shape, dtype = image.shape, header.get_data_dtype()
        # of the file: nibabel puts 0 into the header of a loaded image
        offset, slope = int(image.dataobj.offset), float(image.dataobj.slope)
        oriented = any(int(header[key]) > 0 for key in ("sform_code", "qform_code"))
    except Exception as error:  # nibabel, gzip and zlib each raise their own for a broken file
        return _unreadable(path, error)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    name, stored = str(path), math.prod(shape) * dtype.itemsize
    if min(shape, default=1) < 1:
        found = f"a header of impossible shape {shape}"
        return Problem(name, found, "a complete NIfTI image", "Export or copy it again.")
    if len(shape) != 3:
        remedy = "Give one 3D file per echo and part (fslsplit or mrconvert can split a 4D file)."
        return Problem(name, f"{len(shape)} dimensions {shape}", "3 dimensions", remedy)
    if dtype.kind not in "iuf":
        remedy = "Export magnitude and phase, each as numbers of its own."
        return Problem(name, f"values of type {dtype}", "real numbers", remedy)
    if stored > LARGEST_IMAGE_BYTES:
        found = f"a header of {shape} voxels, {stored / 2**30:.0f} GiB"
        return Problem(name, found, "an image of a head", "Export it again.")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        remedy = "Export it again: its sform or qform is broken."
        return Problem(name, "an affine that spans no space", "voxel axes in mm", remedy)
    if not _is_complete(path, offset + stored):
        found = f"fewer bytes than its header's {shape} voxels take"
        return Problem(name, found, "a complete NIfTI image", "Export or copy it again.")
    return Header(shape, affine, dtype.kind in "iu", slope, oriented)


def _unreadable(path: Path, error: Exception) -> Problem:
    expected, remedy = "a complete NIfTI image", "Export or copy it again."
    if path.is_symlink() and not path.exists():
        remedy = _POINTERS[b"/annex/objects"] if "annex" in str(path.readlink()) else remedy
        return Problem(str(path), "a link to a file that is not there", expected, remedy)
    try:
        with path.open("rb") as file:
            start = file.read(200)
    except OSError as cause:
        found = f"a file that cannot be opened ({cause.strerror})"
        return Problem(str(path), found, expected, "Check its permissions.")
    for mark, fetch in _POINTERS.items():
        if mark in start:
            return Problem(str(path), "a pointer to content elsewhere", expected, fetch)
    if not start:
        return Problem(str(path), "an empty file", expected, remedy)
    if path.name.endswith(".gz") and not start.startswith(b"\x1f\x8b"):
        found = "a file that is not compressed although it ends in .gz"
        return Problem(str(path), found, expected, "Rename it to .nii, or compress it with gzip.")
    if isinstance(error, nib.filebasedimages.ImageFileError):
        return Problem(str(path), "a file cut off or of another format", expected, remedy)
    reason = (str(error).splitlines() or [type(error).__name__])[0].replace(f"{path}", path.name)
    return Problem(str(path), f"a file that cannot be read ({reason[:120]})", expected, remedy)


def _is_complete(path: Path, length: int) -> bool:
    """Whether a file holds ``length`` bytes (decompressed)."""
    if not path.name.endswith(".gz"):
        return path.stat().st_size >= length
    with path.open("rb") as file:
        file.seek(-4, 2)
        noted = int.from_bytes(file.read(4), "little")
    if noted == length % 2**32:
        return True
    try:
        with gzip.open(path) as file:
            while length > 0 and (chunk := file.read(min(length, 2**20))):
                length -= len(chunk)
    except (OSError, EOFError, zlib.error):
        return False
    return length <= 0
