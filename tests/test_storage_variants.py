"""One scan, stored in every way that a data set may store it, gives one χ map.

Phase is a multiple of 2π/4096, which a file holds exactly or rounded to single precision. Maps are
compared in world space, voxel by voxel: of a nearly linear chain from all variants; of the default
one, which magnifies that rounding a thousandfold, from those that are exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from qsmiron import background, inversion
from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T, b0_direction
from qsmiron.bids import find_scans
from qsmiron.checks import check_inputs
from qsmiron.raw_parts import files_of_echo
from qsmiron.spectral import convolve_dipole

SHAPE = (32, 36, 30)
TIMES = (0.004, 0.009, 0.014)
TOLERANCE_PPM = 1e-4
TILT = np.radians(12)
AFFINE = np.array(
    [
        [2, 0, 0, -31],
        [0, 2 * np.cos(TILT), -2 * np.sin(TILT), -20],
        [0, 2 * np.sin(TILT), 2 * np.cos(TILT), -40],
        [0, 0, 0, 1],
    ]
)


@dataclass(frozen=True)
class Stored:
    """Arrays (X, Y, Z) of one echo: whole numbers; phase in steps of π/4096."""

    magnitude: np.ndarray
    phase: np.ndarray


@pytest.fixture(scope="module")
def scan() -> tuple[list[Stored], np.ndarray]:
    """Three echoes of a ball with two sources in oblique slices, and its mask."""
    rng = np.random.default_rng(5)
    x, y, z = np.indices(SHAPE) - np.array(SHAPE).reshape(3, 1, 1, 1) / 2 + 0.5
    mask = (x / 13) ** 2 + (y / 15) ** 2 + (z / 12) ** 2 < 1
    chi = 0.1 * (np.linalg.norm([x - 4, y, z], axis=0) < 4) + np.where(
        np.linalg.norm([x + 5, y - 3, z + 2], axis=0) < 3, -0.06, 0
    )
    field = convolve_dipole(chi.astype(np.float32), (2, 2, 2), b0_direction(AFFINE)) + 0.004 * x
    echoes = []
    for te in TIMES:
        turn = 2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * 3 * te * field + 0.5 + 0.02 * y
        signal = np.where(mask, 1000, 10) * np.exp(-25 * te + 1j * turn)
        signal = signal + rng.normal(0, 8, SHAPE) + 1j * rng.normal(0, 8, SHAPE)
        steps = 2 * np.rint(np.angle(signal) * 2048 / np.pi).astype(np.int16)
        steps[steps == 4096] = -4096
        echoes.append(Stored(np.rint(np.abs(signal)).astype(np.int16), steps))
    return echoes, mask


def image(data: np.ndarray, codes: str = "", slope: float = 0) -> nib.Nifti1Image:
    """An image, stored in another orientation if ``codes`` are given."""
    made = nib.Nifti1Image(data, AFFINE)
    if codes:
        made = made.as_reoriented(ornt_transform(io_orientation(AFFINE), axcodes2ornt(codes)))
        made = nib.Nifti1Image(np.asarray(made.dataobj), made.affine)
    if slope:
        made.header.set_slope_inter(slope, 0)
    return made


@dataclass(frozen=True)
class Variant:
    """How magnitude and phase are stored; ``units`` is what the config says of the phase.

    ``exact`` says whether the file holds the phase to double precision.
    """

    name: str
    phase: Callable[[np.ndarray], nib.Nifti1Image]
    magnitude: Callable[[np.ndarray], nib.Nifti1Image] = image
    sidecar: tuple[tuple[str, str], ...] = (("Units", "rad"),)
    units: str = "declared"
    codes: str = ""
    ending: str = "nii.gz"
    exact: bool = True


def radians(steps: np.ndarray) -> np.ndarray:
    return steps * (np.pi / 4096)


def from_zero(steps: np.ndarray) -> np.ndarray:
    """Radians from 0 to 2π."""
    return radians(np.where(steps < 0, steps + 8192, steps))


def single(data: np.ndarray) -> nib.Nifti1Image:
    return image(data.astype(np.float32))


def turned(codes: str) -> Variant:
    return Variant(
        f"stored as {codes}",
        lambda p: image(p, codes),
        lambda m: image(m, codes),
        SIEMENS,
        codes=codes,
    )


def big_endian(data: np.ndarray) -> nib.Nifti1Image:
    header = nib.Nifti1Header(endianness=">")
    return nib.Nifti1Image(data.astype(">i2"), AFFINE, header)


SIEMENS = (("Units", "arbitrary"), ("Manufacturer", "Siemens"))
VARIANTS = [
    Variant("uncompressed", image, sidecar=SIEMENS, ending="nii"),
    Variant("radians", lambda p: image(radians(p)), lambda m: image(m.astype(np.float64))),
    Variant("radians from 0", lambda p: image(from_zero(p))),
    Variant("milliradians", lambda p: image(1e3 * radians(p)), units="milliradian"),
    Variant("radians, single", lambda p: single(radians(p)), single, exact=False),
    Variant("radians from 0, single", lambda p: single(from_zero(p)), exact=False),
    Variant("milliradians, single", lambda p: single(1e3 * radians(p)), units="milliradian",
            exact=False),
    Variant("scaled integers", lambda p: image(p, slope=np.pi / 4096), exact=False),
    Variant("unsigned", lambda p: image((p + 4096).astype(np.uint16) // 2), sidecar=(),
            units="siemens_unsigned"),
    Variant("unsigned magnitude", image, lambda m: image(m.astype(np.uint16)), SIEMENS),
    Variant("scaled magnitude", image, lambda m: image(2 * m, slope=0.5), SIEMENS),
    Variant("big-endian", big_endian, big_endian, SIEMENS),
    *map(turned, ("LPS", "RAI", "SAR", "PIL")),
]  # fmt: skip


def write(root: Path, echoes: list[Stored], variant: Variant) -> Path:
    anat = root / "sub-01/anat"
    anat.mkdir(parents=True)
    for echo, (te, stored) in enumerate(zip(TIMES, echoes, strict=True), start=1):
        for part, made in (
            ("mag", variant.magnitude(stored.magnitude)),
            ("phase", variant.phase(stored.phase)),
        ):
            name = f"sub-01_echo-{echo}_part-{part}_MEGRE"
            nib.save(made, anat / f"{name}.{variant.ending}")
            fields = {"EchoTime": te, "MagneticFieldStrength": 3, **dict(variant.sidecar)}
            (anat / f"{name}.json").write_text(json.dumps(fields))
    (root / "participants.tsv").write_text("participant_id\tage\nsub-01\t60\n")
    return root


def run(script: str, *arguments: object) -> None:
    import_module(script).main([str(argument) for argument in arguments])


NEARLY_LINEAR = ("vsharp", "rts")
DEFAULT = (background.DEFAULT, inversion.DEFAULT)
CHAINS = (NEARLY_LINEAR, DEFAULT)
"""Background removal and inversion."""


def chi_map(
    root: Path,
    mask: np.ndarray,
    methods: tuple[str, str],
    units: str = "declared",
    codes: str = "",
) -> np.ndarray:
    """χ (ppm) of the data set's scan, in the order of ``SHAPE``."""
    problems = check_inputs(root, None, {"acquisition": {"phase_units": units}})
    assert [str(p) for p in problems if p.severity == "error"] == []
    (found,) = find_scans(root, results_dir=root.parent / "results")
    file = {name: root / f"out/{name}.nii.gz" for name in ("mask", "f", "l", "lm", "x", "chi")}
    file["mask"].parent.mkdir()
    nib.save(image(mask.astype(np.uint8), codes), file["mask"])
    run("map_field", "--phase", *found.phase, "--magnitude", *found.magnitude, "--mask",
        file["mask"], "--field", file["f"], "--phase-units", units)  # fmt: skip
    run("remove_background_field", "--field", file["f"], "--mask", file["mask"], "--local-field",
        file["l"], "--local-mask", file["lm"], "--method", methods[0])  # fmt: skip
    run("invert_dipole", "--local-field", file["l"], "--mask", file["lm"], "--magnitude",
        found.magnitude[0], "--chi", file["x"], "--method", methods[1])  # fmt: skip
    run("reference_chi", "--chi", file["x"], "--mask", file["mask"], "--reliable-mask", file["lm"],
        "--output", file["chi"])  # fmt: skip
    made = nib.load(file["chi"])
    change = ornt_transform(io_orientation(made.affine), io_orientation(AFFINE))
    made = made.as_reoriented(change)
    np.testing.assert_allclose(made.affine, AFFINE, atol=1e-4)
    return np.asarray(made.dataobj)


@pytest.fixture(scope="module")
def plain(scan, tmp_path_factory) -> dict[tuple[str, str], np.ndarray]:
    """The map of the scan as a Siemens scanner stores it, by chain."""
    echoes, mask = scan
    variant = Variant("plain", image, sidecar=SIEMENS)
    return {
        methods: chi_map(
            write(tmp_path_factory.mktemp("plain") / "bids", echoes, variant), mask, methods
        )
        for methods in CHAINS
    }


@pytest.mark.parametrize("methods", CHAINS, ids=" ".join)
def test_the_map_shows_its_sources(plain, methods):
    assert plain[methods][20, 18, 15] > 0.04
    assert plain[methods][11, 21, 13] < -0.02


@pytest.mark.parametrize(
    ("methods", "variant"),
    [
        pytest.param(methods, variant, id=f"{variant.name}, {' '.join(methods)}")
        for methods in CHAINS
        for variant in VARIANTS
        if variant.exact or methods is NEARLY_LINEAR
    ],
)
def test_one_map_from_every_way_of_storing(scan, plain, tmp_path, methods, variant):
    echoes, mask = scan
    root = write(tmp_path / "bids", echoes, variant)
    chi = chi_map(root, mask, methods, variant.units, variant.codes)
    np.testing.assert_allclose(chi, plain[methods], rtol=0, atol=TOLERANCE_PPM)


def test_the_default_chain_reads_scaled_integers_as_their_values(scan, tmp_path):
    """A slope is in single precision, so that the phase is not quite that of the other variants."""
    echoes, mask = scan
    slope = np.float32(np.pi / 4096)
    scaled = Variant("scaled integers", lambda p: image(p, slope=slope))
    spelt_out = Variant("their values", lambda p: image(p * np.float64(slope)))
    one, other = (
        chi_map(write(tmp_path / str(number) / "bids", echoes, variant), mask, DEFAULT)
        for number, variant in enumerate((scaled, spelt_out))
    )
    np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE_PPM)


def extracted_chi_map(root: Path, mask: np.ndarray, methods: tuple[str, str]) -> np.ndarray:
    """χ of a scan whose echoes are extracted first, as the workflow does."""
    (found,) = find_scans(root, results_dir=root.parent / "results")
    option = {"mag": "--raw-magnitude", "phase": "--raw-phase", "real": "--real",
              "imag": "--imaginary"}  # fmt: skip
    outputs = zip(found.magnitude, found.phase, strict=True)
    for echo, (magnitude, phase) in enumerate(outputs, start=1):
        files = files_of_echo(found.parts, echo)
        given = [text for part, path in files.items() for text in (option[part], path)]
        run("extract_echo", *given, "--echo", echo, "--magnitude", magnitude, "--phase", phase)
    return chi_map(root, mask, methods)


def in_one_file(root: Path, parts: tuple[str, str]) -> None:
    anat = root / "sub-01/anat"
    for part in parts:
        files = sorted(anat.glob(f"*echo-*_part-{part}_MEGRE.nii.gz"))
        data = np.stack([np.asarray(nib.load(path).dataobj) for path in files], axis=-1)
        nib.save(nib.Nifti1Image(data, AFFINE), anat / f"sub-01_part-{part}_MEGRE.nii.gz")
        fields = json.loads((anat / f"sub-01_echo-1_part-{part}_MEGRE.json").read_text())
        sidecar = anat / f"sub-01_part-{part}_MEGRE.json"
        sidecar.write_text(json.dumps(fields | {"EchoTime": TIMES}))
        for path in anat.glob(f"*echo-*_part-{part}_MEGRE*"):
            path.unlink()


def as_real_and_imaginary(root: Path, echoes: list[Stored], dtype: type) -> None:
    anat = root / "sub-01/anat"
    for echo, stored in enumerate(echoes, start=1):
        signal = stored.magnitude * np.exp(1j * np.pi / 4096 * stored.phase)
        for part, old, data in (("real", "mag", signal.real), ("imag", "phase", signal.imag)):
            name = f"sub-01_echo-{echo}_part-{part}_MEGRE"
            nib.save(nib.Nifti1Image(data.astype(dtype), AFFINE), anat / f"{name}.nii.gz")
            sidecar = anat / f"sub-01_echo-{echo}_part-{old}_MEGRE.json"
            sidecar.rename(anat / f"{name}.json")
            sidecar.with_suffix(".nii.gz").unlink()


@pytest.mark.parametrize(("methods", "dtype"), [(NEARLY_LINEAR, np.float32), (DEFAULT, np.float64)])
@pytest.mark.parametrize("one_file", [False, True])
def test_one_map_from_real_and_imaginary_parts(scan, plain, tmp_path, methods, dtype, one_file):
    echoes, mask = scan
    root = write(tmp_path / "bids", echoes, Variant("plain", image, sidecar=SIEMENS))
    as_real_and_imaginary(root, echoes, dtype)
    if one_file:
        in_one_file(root, ("real", "imag"))
    chi = extracted_chi_map(root, mask, methods)
    np.testing.assert_allclose(chi, plain[methods], rtol=0, atol=TOLERANCE_PPM)


@pytest.mark.parametrize("methods", CHAINS, ids=" ".join)
def test_one_map_from_echoes_in_one_file(scan, plain, tmp_path, methods):
    echoes, mask = scan
    root = write(tmp_path / "bids", echoes, Variant("plain", image, sidecar=SIEMENS))
    in_one_file(root, ("mag", "phase"))
    np.testing.assert_array_equal(extracted_chi_map(root, mask, methods), plain[methods])
