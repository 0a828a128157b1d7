"""Ways in which images are broken: name, how, and words of the message that it must give.

``where``, ``found``, ``expected`` and ``remedy`` are what the message must contain in each part.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from bids_trees import AFFINE, SHAPE, edit_sidecar, image_bytes, megre
from nibabel.affines import from_matvec
from nibabel.eulerangles import euler2mat


@dataclass(frozen=True)
class Case:
    """One broken input; ``settings`` are those of the config beside the usual ones."""

    name: str
    breaks: Callable[[Path], object]
    where: str
    found: str
    expected: str
    remedy: str
    severity: str = "error"
    settings: dict[str, Any] = field(default_factory=dict)


MAG = "sub-02_echo-1_part-mag_MEGRE.nii.gz"
PHASE = "sub-02_echo-1_part-phase_MEGRE.nii.gz"


def mag(root: Path) -> Path:
    return megre(root, "02", 1, "mag")


def phase(root: Path) -> Path:
    return megre(root, "02", 1, "phase")


def store(path: Path, data: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    path.write_bytes(gzip.compress(nib.Nifti1Image(data, affine).to_bytes(), 1))


def noise(low: float, high: float, dtype: Any = np.float32, shape: tuple = SHAPE) -> np.ndarray:
    values = np.random.default_rng(3).uniform(low, high, shape)
    values.flat[:2] = low, high
    return values.astype(dtype)


def with_value(path: Path, value: float) -> None:
    data = noise(0, 900)
    data[2, 3, 1] = value
    store(path, data)


def raw(path: Path, offset: int, content: np.ndarray | bytes) -> None:
    """Overwrite bytes of the decompressed file."""
    held = bytearray(gzip.decompress(path.read_bytes()))
    content = bytes(content) if isinstance(content, bytes) else content.tobytes()
    held[offset : offset + len(content)] = content
    path.write_bytes(gzip.compress(bytes(held), 1))


def pixdim(path: Path, value: float) -> None:
    raw(path, 76 + 4, np.array([value], "<f4"))


def phases(root: Path, data: np.ndarray, **sidecar: Any) -> None:
    """Give every phase echo of sub-02 data that differ from echo to echo only in one voxel."""
    for echo in (1, 2, 3):
        data = data.copy()
        data.flat[5 + echo] = data.flat[5]
        store(megre(root, "02", echo, "phase"), data)
        if sidecar:
            edit_sidecar(megre(root, "02", echo, "phase", "json"), **sidecar)


def shifted(root: Path) -> None:
    moved = AFFINE.copy()
    moved[0, 3] += 5
    phase(root).write_bytes(image_bytes(affine=moved, part="phase"))


def flipped(root: Path) -> None:
    phase(root).write_bytes(image_bytes(affine=np.diag([-10.0, 10, 10, 1]), part="phase"))


def bomb(root: Path) -> None:
    mag(root).write_bytes(gzip.compress(gzip.decompress(image_bytes()) + bytes(40 * 2**20), 1))


def forms_apart(root: Path) -> None:
    image = nib.load(mag(root))
    image = nib.Nifti1Image(np.asarray(image.dataobj), image.affine)
    turned = AFFINE.copy()
    turned[:3, 3] = (0, 0, 7)
    image.set_qform(turned, 1)
    image.set_sform(AFFINE, 1)
    nib.save(image, mag(root))


def blind(root: Path) -> None:
    for part in ("mag", "phase"):
        for echo in (1, 2, 3):
            raw(megre(root, "02", echo, part), 252, np.array([0, 0], "<i2"))


def alternating(root: Path) -> None:
    """A smooth phase along ten slices, of which every other is stored with the other sign."""
    shape = (6, 7, 10)
    x, y, z = np.indices(shape)
    smooth = 0.3 * x - 0.2 * y + 0.1 * z + np.pi * (z % 2)
    stored = np.rint(np.angle(np.exp(1j * smooth)) * 4096 / np.pi).astype(np.int16)
    for echo in (1, 2, 3):
        stored[0, 0, :2] = -4096, 4095 - echo
        store(megre(root, "02", echo, "phase"), stored)
        store(megre(root, "02", echo, "mag"), noise(500, 900 + echo, np.int16, shape))


def on_grid(root: Path, affine: np.ndarray, code: int = 1, qform: np.ndarray | None = None) -> None:
    """Put all MEGRE images of sub-02 on another grid, and a scanner's ``qform`` beside it."""
    for part in ("mag", "phase"):
        for echo in (1, 2, 3):
            path = megre(root, "02", echo, part)
            image = nib.Nifti1Image(np.asarray(nib.load(path).dataobj), affine)
            if qform is not None:
                image.set_qform(qform, 1)
            image.set_sform(affine, code)
            nib.save(image, path)


def sheared(share: float) -> np.ndarray:
    affine = AFFINE.copy()
    affine[0, 1] = share * affine[0, 0]
    return affine @ np.diag([0.9, 0.9, 0.9, 1])  # below the largest voxel that is allowed


def t1w(root: Path) -> Path:
    return root / "sub-02/anat/sub-02_T1w.nii.gz"


def swapped(root: Path) -> None:
    for echo in (1, 2, 3):
        one, other = megre(root, "02", echo, "mag"), megre(root, "02", echo, "phase")
        first, second = one.read_bytes(), other.read_bytes()
        one.write_bytes(second)
        other.write_bytes(first)


def linked(root: Path) -> None:
    mag(root).unlink()
    mag(root).symlink_to("../../.git/annex/objects/aa/bb")


def renamed(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def folder_for_file(root: Path) -> None:
    mag(root).unlink()
    mag(root).mkdir()


def clipped(root: Path) -> None:
    data = noise(0, 4000, np.int16)
    data[:2] = 4095
    store(mag(root), data)


def large(path: Path) -> Path:
    """More than what is read to see of which kind a file is."""
    path.write_bytes(image_bytes((40, 40, 40)))
    return path


def wrong_checksum(root: Path) -> None:
    content = bytearray(large(mag(root)).read_bytes())
    content[-8] ^= 255
    mag(root).write_bytes(bytes(content))


def cut(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


COMPLETE = "a complete NIfTI image"
AGAIN = "Export or copy it again"
TURNED = np.diag([10.0, 10, 0, 1])
TILTED = AFFINE @ from_matvec(euler2mat(x=np.deg2rad(20)))

CASES = [
    Case("a NaN in the magnitude", lambda r: with_value(mag(r), np.nan), MAG, "1 of 210 voxels",
         "finite values", "outside the head"),
    Case("an infinity in the phase", lambda r: with_value(phase(r), np.inf), PHASE, "infinite",
         "finite values", "Export the image again"),
    Case("numbers beyond single precision", lambda r: store(mag(r), noise(0, 1e300, np.float64)),
         MAG, "to 1e+300", "single precision holds", "broken"),
    Case("a NaN in the T1w", lambda r: with_value(r / "sub-02/anat/sub-02_T1w.nii.gz", np.nan),
         "sub-02_T1w.nii.gz", "NaN", "finite values", "Export the image again"),
    Case("an empty magnitude", lambda r: store(mag(r), np.zeros(SHAPE, np.int16)), MAG,
         "the value 0 in every voxel", "an image", "the file is empty"),
    Case("a constant phase", lambda r: store(phase(r), np.full(SHAPE, 7, np.int16)), PHASE,
         "the value 7 in every voxel", "an image", AGAIN),
    Case("an empty T1w", lambda r: store(r / "sub-02/anat/sub-02_T1w.nii.gz", np.zeros(SHAPE)),
         "sub-02_T1w.nii.gz", "the value 0 in every voxel", "an image", AGAIN),
    Case("a gzip file cut in the middle", lambda r: cut(large(mag(r)), 0.7), MAG, "fewer bytes",
         COMPLETE, AGAIN),
    Case("a gzip file cut in its header", lambda r: cut(mag(r), 0.05), MAG, "cut off", COMPLETE,
         AGAIN),
    Case("fewer voxels than the header says",
         lambda r: mag(r).write_bytes(gzip.compress(gzip.decompress(image_bytes())[:-90])), MAG,
         "fewer bytes than its header's (6, 7, 5) voxels take", COMPLETE, AGAIN),
    Case("a wrong checksum", wrong_checksum, MAG, "voxels that cannot be read", COMPLETE, AGAIN),
    Case("an empty file", lambda r: mag(r).write_bytes(b""), MAG, "an empty file", COMPLETE, AGAIN),
    Case("not compressed although .gz", lambda r: mag(r).write_bytes(
        gzip.decompress(image_bytes())), MAG, "not compressed", COMPLETE, "compress it with gzip"),
    Case("compressed although .nii", lambda r: renamed(mag(r), MAG.removesuffix(".gz")),
         MAG.removesuffix(".gz"), "a compressed file", COMPLETE, "Rename it to .nii.gz"),
    Case("all echoes in one file", lambda r: mag(r).write_bytes(image_bytes((*SHAPE, 3))), MAG,
         "4 dimensions (6, 7, 5, 3)", "3 dimensions", "its name without echo-"),
    Case("echoes along the first axis", lambda r: mag(r).write_bytes(image_bytes((3, *SHAPE))), MAG,
         "4 dimensions (3, 6, 7, 5)", "3 dimensions", "along the first of its axes"),
    Case("complex numbers", lambda r: mag(r).write_bytes(image_bytes(dtype=np.complex64)), MAG,
         "values of type complex64", "real numbers", "Export magnitude and phase"),
    Case("colours", lambda r: store(mag(r), np.zeros(SHAPE, [(c, "u1") for c in "RGB"])), MAG,
         "values of type", "real numbers", "Export magnitude and phase"),
    Case("a header of absurd size", lambda r: raw(mag(r), 40, np.array([3, *[32000] * 3], "<i2")),
         MAG, "32000) voxels", "at most 2 GiB", "it was not read"),
    Case("a gzip bomb", bomb, MAG, "more bytes than its header's", "describes the whole image",
         "not that of the voxels"),
    Case("a negative voxel edge", lambda r: pixdim(mag(r), -10), MAG, "-10 x 10 x 10",
         "edges above 0 mm", "its header is broken"),
    Case("a voxel edge of 0", lambda r: pixdim(mag(r), 0), MAG, "0 x 10 x 10", "edges above 0 mm",
         "its header is broken"),
    Case("a voxel edge of NaN", lambda r: pixdim(mag(r), np.nan), MAG, "nan x 10 x 10",
         "edges above 0 mm", "its header is broken"),
    Case("an affine that is flat", lambda r: raw(mag(r), 280, TURNED[:3].astype("<f4")), MAG,
         "spans no space", "voxel axes in mm", "sform or qform is broken"),
    Case("an affine with a NaN", lambda r: raw(mag(r), 280, np.array([np.nan], "<f4")), MAG,
         "spans no space", "voxel axes in mm", "sform or qform is broken"),
    Case("an infinite scaling", lambda r: raw(mag(r), 112, np.array([np.inf], "<f4")), MAG,
         "of inf, 0", "finite numbers", "its header is broken"),
    Case("another shape of the phase", lambda r: phase(r).write_bytes(
        image_bytes((6, 8, 5), part="phase")), PHASE, "the shape (6, 8, 5)", "(6, 7, 5)",
        "one acquisition"),
    Case("a phase that is half a voxel off", shifted, PHASE, "another position", "that of echo 1",
         "one acquisition"),
    Case("a phase stored in another orientation", flipped, PHASE, "another position or orientation",
         "affine 10.00 0.00 0.00 0.00", "one acquisition"),
    Case("voxels in metres", lambda r: [
        megre(r, "02", e, p).write_bytes(
            image_bytes(affine=np.diag([0.01, 0.01, 0.01, 1]), part=p, seed=e))
        for e in (1, 2, 3) for p in ("mag", "phase")], MAG, "0.01 x 0.01 x 0.01 mm",
        "edges from 0.1 to 10 mm", "metres"),
    Case("a slab of three slices", lambda r: [
        megre(r, "02", e, p).write_bytes(image_bytes((6, 7, 3), part=p, seed=e))
        for e in (1, 2, 3) for p in ("mag", "phase")], MAG, "6 x 7 x 3 voxels", "at least 50 mm",
        "wrong order", "warning"),
    Case("no orientation", blind, MAG, "codes are 0", "the orientation that the scanner gave",
         "from DICOM again", "warning"),
    Case("sform and qform that differ", forms_apart, MAG, "differ by 7.0 mm", "one position",
         "The sform is used", "warning"),
    Case("axes of the GRE that are sheared", lambda r: on_grid(r, sheared(0.3)), MAG,
         "16.7 degrees from perpendicular", "perpendicular axes (to 1 degree)",
         "B0 turns and tissue is stretched"),
    Case("sheared axes beside the scanner's qform",
         lambda r: on_grid(r, sheared(0.05), qform=AFFINE), MAG, "2.9 degrees",
         "perpendicular axes", "copy its qform, the scanner's, to the sform"),
    Case("axes of the T1w that are sheared", lambda r: t1w(r).write_bytes(
        image_bytes(affine=sheared(0.1), seed=99)), "sub-02_T1w", "5.7 degrees",
        "perpendicular axes", "tissue is stretched in such a sform", "warning"),
    Case("voxels of another size by pixdim", lambda r: pixdim(mag(r), 8), MAG,
         "10 x 10 x 10 mm by the affine and of 8 x 10 x 10 mm by pixdim", "one size",
         "The affine is used", "warning"),
    Case("a realigned image", lambda r: on_grid(r, TILTED, 2), PHASE,
         "sform_code 2 (aligned), B0 20.0 degrees from the nearest voxel axis", "sform_code 1",
         "acquisition.b0_direction_of: {sub-02: [x, y, z]}", "warning"),
    Case("an upright image of MNI", lambda r: on_grid(r, AFFINE, 4), PHASE, "sform_code 4 (MNI)",
         "the scanner's own orientation", "tens of ppb", "warning"),
    Case("a realigned sform beside the scanner's qform",
         lambda r: on_grid(r, AFFINE, 2, qform=TILTED), PHASE,
         "an sform of code 2 (aligned) and a qform of code 1 (scanner) that put B0 20.0 degrees",
         "one direction of B0", "set acquisition.b0_direction_of: {sub-02: qform}", "warning"),
    Case("two forms of the scanner that differ in B0",
         lambda r: on_grid(r, TILTED, 1, qform=AFFINE), PHASE,
         "20.0 degrees from each other", "one direction of B0", "If the qform is the scanner's",
         "warning"),
    Case("a sidecar that tells another orientation", lambda r: edit_sidecar(
        megre(r, "02", 1, "phase", "json"),
        ImageOrientationPatientDICOM=[1, 0, 0, 0, 0.939693, 0.342020]),
        "phase_MEGRE.json, ImageOrientationPatientDICOM",
        "turned by 20.0 degrees from the sform", "as dcm2niix writes both",
        "{sub-02: [0, -0.342, 0.9397]}", "warning"),
    Case("a direction of B0 by a qform that is not there", lambda r: None, PHASE,
         "no qform (qform_code is 0)", "acquisition.b0_direction names for sub-02",
         "b0_direction_of", settings={"acquisition": {"b0_direction": "qform"}}),
    Case("a T1w that is centred on 0", lambda r: store(t1w(r), noise(-2048, 2047, np.int16)),
         "sub-02_T1w", "from -2048 to 2047, 45% of them below 0", "whose air is about 0",
         "denoised UNI", "warning"),
    Case("a magnitude that overflowed", lambda r: store(mag(r), noise(-3000, 32000, np.int16)), MAG,
         "values from -3000 to 32000", "0 or more", "overflowed"),
    Case("a magnitude that is clipped", clipped, MAG, "the largest number stored, 4095",
         "not clipped", "another scaling", "warning"),
    Case("magnitude and phase swapped", swapped, MAG, "values from -4096", "a magnitude",
         "It may be a phase"),
    Case("radians declared, Siemens stored", lambda r: phases(r, noise(-4096, 4092), Units="rad"),
         PHASE, "-4096 to 4092", "rad values, -3.14159 to 3.14159",
         "set acquisition.phase_units: siemens in the config"),
    Case("radians declared, whole numbers stored", lambda r: edit_sidecar(
        megre(r, "02", 1, "phase", "json"), Units="rad"), "phase_MEGRE.json, Units",
        "whole numbers without scaling", "the unit of the stored values",
        "acquisition.phase_units"),
    Case("Siemens declared, unsigned stored", lambda r: phases(r, noise(0, 4095, np.int16)), PHASE,
         "0 to 4095", "siemens values", "acquisition.phase_units: siemens_unsigned"),
    Case("Siemens declared, milliradians stored", lambda r: phases(r, noise(-3142, 3141, np.int16)),
         PHASE, "-3142 to 3141", "siemens values", "acquisition.phase_units: milliradian"),
    Case("Siemens declared, radians stored", lambda r: phases(r, noise(-3.14, 3.14)), PHASE,
         "-3.14 to 3.14", "siemens values", "acquisition.phase_units: rad"),
    Case("milliradians in the config, Siemens stored", lambda r: phases(
        r, noise(-4096, 4092, np.int16)), PHASE, "-4096 to 4092", "milliradian values",
        "acquisition.phase_units: siemens",
        settings={"acquisition": {"phase_units": "milliradian"}}),
    Case("the config against a sidecar, and values that fit both", lambda r: phases(
        r, noise(-3000, 3100, np.int16)), "sub-02_echo-1_part-phase_MEGRE.json, Units",
        "siemens by the sidecar but acquisition.phase_units: milliradian", "one unit of the phase",
        "phase_units_of: {sub-02: milliradian}",
        settings={"acquisition": {"phase_units": "milliradian"}}),
    Case("milliradians of a maker who has none", lambda r: phases(
        r, noise(-3000, 3100, np.int16), Units=None), "phase_MEGRE.json, Manufacturer",
        "'Siemens' with acquisition.phase_units: milliradian", "Philips, whose scale",
        "Siemens stores siemens", "warning",
        {"acquisition": {"phase_units_of": {"sub-02": "milliradian"}}}),
    Case("unwrapped phase", lambda r: phases(r, noise(-31, 44), Units="rad"), PHASE, "-31 to 44",
         "rad values", "unwrapped phase or a field map"),
    Case("phase in degrees", lambda r: phases(r, noise(-180, 180), Units="rad"), PHASE,
         "-180 to 180", "rad values", "degrees"),
    Case("phase of no known scale", lambda r: phases(r, noise(-32768, 32767)), PHASE,
         "-32768 to 32767", "siemens values", "see whether it is a phase image"),
    Case("phase of a small range", lambda r: phases(r, noise(-900, 900, np.int16)), PHASE,
         "22% of the range of siemens", "noise outside the head", "acquisition.phase_units",
         "warning"),
    Case("phase on half of Siemens' scale", lambda r: phases(r, noise(-2048, 2047, np.int16)),
         PHASE, "-2048 to 2047 that wrap within 49.99% of the range of siemens",
         "siemens values, -4096 to 4096", "half of Siemens' scale"),
    Case("cycles declared radians", lambda r: phases(r, noise(-0.5, 0.5), Units="rad"), PHASE,
         "-0.5 to 0.5 that wrap within 15.92% of the range of rad", "rad values",
         "It looks like cycles"),
    Case("cycles from 0 to 1 declared radians", lambda r: phases(r, noise(0, 1), Units="rad"),
         PHASE, "0 to 1 that wrap", "rad values", "multiply the values by 6.28319"),
    Case("degrees declared as Siemens' scale", lambda r: phases(r, noise(-180, 180, np.int16)),
         PHASE, "4.39% of the range of siemens", "that wrap at its ends", "degrees"),
    Case("a magnitude as the phase", lambda r: phases(
        r, 2 * np.asarray(nib.load(mag(r)).dataobj)), PHASE, "go with the magnitude (r = 1.00)",
        "a phase image", "a magnitude under the name of a phase"),
    Case("the GRE's magnitude as the T1w", lambda r: store(
        t1w(r), np.asarray(nib.load(mag(r)).dataobj).astype(np.float32) * 3), "sub-02_T1w",
        "the voxels of the GRE's first magnitude", "a T1w image of its own", "Export the T1w"),
    Case("slices of alternating sign", alternating, PHASE, "9 of 9 pairs of neighbouring slices",
         "varies smoothly", "every other slice"),
    Case("one echo copied over another", lambda r: shutil.copy(mag(r), megre(r, "02", 2, "mag")),
         "sub-02_echo-2_part-mag", f"the very image of {MAG}", "another image in every file",
         "copied over"),
    Case("the T1w of another participant", lambda r: shutil.copy(
        r / "sub-01/anat/sub-01_T1w.nii.gz", r / "sub-02/anat/sub-02_T1w.nii.gz"),
        "sub-02_T1w.nii.gz", "the very image of sub-01_T1w.nii.gz", "another image",
        "exported under a wrong name"),
    Case("a link to nothing", linked, MAG, "a link to a file that is not there", COMPLETE,
         "git annex get"),
    Case("a pointer of git lfs", lambda r: mag(r).write_bytes(
        b"version https://git-lfs.github.com/spec/v1"), MAG, "a pointer", COMPLETE, "git lfs pull"),
    Case("a folder in place of an image", folder_for_file, MAG, "cannot be opened", COMPLETE, ""),
]  # fmt: skip
