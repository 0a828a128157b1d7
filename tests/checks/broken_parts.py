"""Ways in which real and imaginary parts, and echoes in one file, are broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from bids_trees import (
    AFFINE,
    SHAPE,
    edit_sidecar,
    image_bytes,
    megre,
    store_in_one_file,
    store_real_and_imaginary,
)
from checks.broken_images import Case, noise, store

MAG = "sub-02_part-mag_MEGRE"
PHASE = "sub-02_part-phase_MEGRE"
REAL = "sub-02_echo-1_part-real_MEGRE.nii.gz"
TWO_FILES = "sub-02_echo-2_part-imag_MEGRE.nii.gz"


def file(root: Path, name: str) -> Path:
    return root / "sub-02/anat" / name


def whole(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """All echoes of sub-02 in one file per part, then a change."""

    def breaks(root: Path) -> None:
        store_in_one_file(root, "02")
        change(root)

    return breaks


def cartesian(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Real and imaginary parts of sub-02, then a change."""

    def breaks(root: Path) -> None:
        store_real_and_imaginary(root, "02")
        change(root)

    return breaks


def edited(name: str, **changes: Any) -> Callable[[Path], None]:
    return lambda root: edit_sidecar(file(root, f"{name}.json"), **changes)


def shaped(name: str, shape: tuple[int, ...], affine: np.ndarray = AFFINE) -> Callable:
    part = "phase" if "phase" in name else "mag"
    return lambda r: file(r, f"{name}.nii.gz").write_bytes(image_bytes(shape, affine, part=part))


def without(pattern: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for path in sorted((root / "sub-02/anat").glob(pattern)):
            path.unlink()

    return change


def alternating(root: Path) -> None:
    """A smooth phase along ten slices, of which every other has the other sign."""
    x, y, z = np.indices((6, 7, 10))
    signal = 500 * np.exp(1j * (0.3 * x - 0.2 * y + 0.1 * z)) * (-1.0) ** z
    for echo in (1, 2, 3):
        for part, data in (("real", signal.real), ("imag", signal.imag)):
            store(megre(root, "02", echo, part), (data + echo).astype(np.float32))


def two_echoes(root: Path) -> None:
    path = file(root, f"{PHASE}.nii.gz")
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[..., :2], image.affine), path)
    edit_sidecar(file(root, f"{PHASE}.json"), EchoTime=[0.005, 0.01])


MOVED = AFFINE + np.array([[0, 0, 0, 9], *np.zeros((3, 4))])

CASES = [
    Case("fewer echo times than volumes", whole(edited(MAG, EchoTime=[0.005, 0.01])),
         f"{MAG}.nii.gz", "4 dimensions (6, 7, 5, 3) and 2 echo times", "as many as echo times",
         "Correct EchoTime"),
    Case("one echo time for all volumes", whole(edited(MAG, EchoTime=0.005)), f"{MAG}.nii.gz",
         "4 dimensions (6, 7, 5, 3) and 1 echo times", "as many as echo times", "a list in s"),
    Case("echo times of a single volume", whole(shaped(MAG, SHAPE)), f"{MAG}.nii.gz",
         "3 dimensions (6, 7, 5) and 3 echo times", "along the 4th dimension", "Correct EchoTime"),
    Case("all echoes along the first axis", whole(shaped(MAG, (3, *SHAPE))), f"{MAG}.nii.gz",
         "4 dimensions (3, 6, 7, 5) and 3 echo times", "4th dimension", "along the first"),
    Case("five dimensions", whole(shaped(MAG, (*SHAPE, 3, 2))), f"{MAG}.nii.gz",
         "5 dimensions (6, 7, 5, 3, 2)", "3 dimensions", "one 4D file of all echoes"),
    Case("no echo times of a whole file", whole(edited(PHASE, EchoTime=None)),
         f"{PHASE}.json, EchoTime", "no such field", "a number above 0", "Add it"),
    Case("two lists of echo times", whole(edited(MAG, EchoTimes=[0.005, 0.01, 0.016])),
         f"{MAG}.json, EchoTime", "another list than in EchoTimes", "every echo", "Correct"),
    Case("a list of milliseconds", whole(edited(MAG, EchoTime=[5, 10, 15])),
         f"{MAG}.json, EchoTime", "5", "seconds", "divide it by 1000"),
    Case("a list that does not increase", whole(edited(MAG, EchoTime=[0.01, 0.005, 0.015])),
         f"{MAG}.json, EchoTime", "10, 5, 15 ms", "increase from echo to echo", "Check the order"),
    Case("other echo times in the phase", whole(edited(PHASE, EchoTime=[0.005, 0.01, 0.016])),
         f"{PHASE}.json, EchoTime", "0.016 s where the magnitude has 0.015 s", "one echo time",
         "belong together"),
    Case("fewer echoes in the whole phase", whole(two_echoes), f"{PHASE}.nii.gz",
         "2 echoes, where the magnitude has 3", "of every echo", "belong together"),
    Case("another grid in the whole phase", whole(shaped(PHASE, (*SHAPE, 3), MOVED)),
         f"{PHASE}.nii.gz", "another position", f"that of {MAG}.nii.gz", "one acquisition"),
    Case("a whole file without its sidecar", whole(lambda r: file(r, f"{MAG}.json").unlink()),
         f"{MAG}.json", "no such file", "a JSON sidecar", "beside its image"),
    Case("a whole phase of another unit", whole(edited(PHASE, Units="rad")), f"{PHASE}.json, Units",
         "rad, but the image holds whole numbers", "unit of the stored values", "phase_units"),
    Case("a NaN in the first of all echoes", whole(lambda r: store(file(r, f"{MAG}.nii.gz"),
         np.where(np.arange(3) == 0, np.nan, noise(0, 9, shape=(*SHAPE, 3))).astype(np.float32))),
         f"{MAG}.nii.gz", "210 of 210 voxels that are NaN", "finite values", "outside the head"),
    Case("real without imaginary parts", cartesian(without("*part-imag*")), "sub-02_*_MEGRE",
         "3 real files and no imaginary file", "real and imaginary of every echo", "Export"),
    Case("an imaginary part is missing", cartesian(without("*echo-2_part-imag*")), TWO_FILES,
         "no such file (3 real and 2 imaginary files)", "real and imaginary", "Add the file"),
    Case("real and imaginary parts on two grids", cartesian(lambda r: store(
        megre(r, "02", 2, "imag"), noise(-9, 9, shape=(6, 8, 5)))), TWO_FILES,
        "the shape (6, 8, 5)", "(6, 7, 5) as in echo 1", "one acquisition"),
    Case("a real part without negative values", cartesian(lambda r: store(
        megre(r, "02", 1, "real"), noise(1, 900))), REAL, "values from 1 to 900",
        "below and above 0", "scaling"),
    Case("real and imaginary parts swapped", cartesian(
        edited("sub-02_echo-1_part-real_MEGRE", ImageType=["ORIGINAL", "IMAGINARY"])),
        "sub-02_echo-1_part-real_MEGRE.json, ImageType", "IMAGINARY", "real, as the file's name",
        "swapped"),
    Case("alternating signs of real and imaginary parts", cartesian(alternating), REAL,
         "opposite phase in 9 of 9", "smoothly", "real and imaginary part by -1"),
]  # fmt: skip
