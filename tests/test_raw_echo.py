"""Scans in other forms than magnitude and phase of single echoes: found, and extracted."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_trees import (
    AFFINE,
    SHAPE,
    edit_sidecar,
    make_tree,
    megre,
    store_in_one_file,
    store_real_and_imaginary,
)

import extract_echo
from qsmiron.bids import find_scans, raw_scan
from qsmiron.checks.sidecars import IDENTIFYING_FIELDS
from qsmiron.echoes import read_magnitude, read_phase
from qsmiron.raw_parts import MEGRE_NAME

TIMES = [0.005, 0.01, 0.015]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "bids", n_subjects=1)


def anat(root: Path, name: str) -> Path:
    return root / f"sub-01/anat/sub-01_{name}"


def extract(folder: Path, echo: int, **files: Path) -> tuple[Path, Path]:
    """Magnitude and phase that the script writes."""
    outputs = tuple(folder / f"out/echo-{echo}_part-{part}.nii.gz" for part in ("mag", "phase"))
    given = [t for key, path in files.items() for t in (f"--{key.replace('_', '-')}", str(path))]
    outs = ["--magnitude", str(outputs[0]), "--phase", str(outputs[1])]
    extract_echo.main([*given, "--echo", str(echo), *outs])
    return outputs


def whole(root: Path) -> dict[str, Path]:
    return {
        "raw_magnitude": anat(root, "part-mag_MEGRE.nii.gz"),
        "raw_phase": anat(root, "part-phase_MEGRE.nii.gz"),
    }


def cartesian(root: Path, echo: int) -> dict[str, Path]:
    return {
        "real": megre(root, "01", echo, "real"),
        "imaginary": megre(root, "01", echo, "imag"),
    }


def refusal(capsys, folder: Path, echo: int, **files: Path) -> str:
    with pytest.raises(SystemExit) as end:
        extract(folder, echo, **files)
    assert end.value.code == 1
    assert not list((folder / "out").glob("*")), "nothing is half-written"
    return capsys.readouterr().err


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [store_in_one_file, store_real_and_imaginary])
def test_echoes_are_to_be_extracted_into_the_work_folder(root: Path, store) -> None:
    store(root, "01")
    (scan,) = find_scans(root, results_dir="out")
    work = Path("out/work/sub-01")
    for part, files in (("mag", scan.magnitude), ("phase", scan.phase)):
        names = [f"sub-01_echo-{echo}_part-{part}_MEGRE.nii.gz" for echo in (1, 2, 3)]
        assert list(files) == [work / name for name in names]
    assert set(scan.files) == set((root / "sub-01/anat").glob("*.nii.gz"))
    assert scan.n_echoes == 3


def test_plain_scans_are_found_as_before(root: Path) -> None:
    (scan,) = find_scans(root)
    assert scan == raw_scan(root, "01", 3)
    assert scan.stored == ()


def test_the_number_of_echoes_comes_from_the_sidecar(root: Path) -> None:
    store_in_one_file(root, "01")
    for image in anat(root, "").parent.glob("*MEGRE.nii.gz"):
        image.write_bytes(b"")  # never opened
    for part in ("mag", "phase"):
        edit_sidecar(anat(root, f"part-{part}_MEGRE.json"), EchoTime=None, EchoTimes=TIMES[:2])
    assert find_scans(root)[0].n_echoes == 2
    for part in ("mag", "phase"):
        anat(root, f"part-{part}_MEGRE.json").write_text("{")
    assert find_scans(root)[0].n_echoes == 1


@pytest.mark.parametrize("name", ["echo-x_part-mag", "echo-1_run-2_part-mag", "part-mag_part-mag",
                                  "part-mag_echo-1", "echo-1_part-imaginary"])  # fmt: skip
def test_names_that_are_no_echo(name: str) -> None:
    assert not MEGRE_NAME.fullmatch(f"sub-01_{name}_MEGRE.nii.gz")


# --- the script --------------------------------------------------------------------------------


def test_an_echo_of_one_file_keeps_its_values_and_unit(root: Path) -> None:
    plain = [megre(root, "01", echo, "phase") for echo in (1, 2, 3)]
    phase = read_phase(plain).data
    magnitude = read_magnitude([megre(root, "01", echo, "mag") for echo in (1, 2, 3)]).data
    store_in_one_file(root, "01")
    for echo in (1, 2, 3):
        made, turn = extract(root, echo, **whole(root))
        np.testing.assert_array_equal(read_magnitude([made]).data[0], magnitude[echo - 1])
        found = read_phase([turn])
        np.testing.assert_array_equal(found.data[0], phase[echo - 1])
        assert found.echo_times == [TIMES[echo - 1]]
        assert found.sidecars[0]["Units"] == "arbitrary"
        np.testing.assert_array_equal(found.grid.affine, AFFINE)
        assert nib.load(made).get_data_dtype() == np.float32


def test_the_scaling_of_a_file_is_applied(root: Path) -> None:
    for echo in (1, 2, 3):
        path = megre(root, "01", echo, "mag")
        image = nib.load(path)
        made = nib.Nifti1Image(np.asarray(image.dataobj), AFFINE)
        made.header.set_slope_inter(0.25, 3)
        nib.save(made, path)
    expected = nib.load(megre(root, "01", 2, "mag")).get_fdata()
    store_in_one_file(root, "01")
    made, _ = extract(root, 2, **whole(root))
    np.testing.assert_allclose(nib.load(made).get_fdata(), expected, rtol=1e-6)


def test_real_and_imaginary_parts_give_magnitude_and_phase_in_rad(root: Path) -> None:
    rng = np.random.default_rng(8)
    magnitude, phase = rng.uniform(1, 900, SHAPE), rng.uniform(-np.pi, np.pi, SHAPE)
    store_real_and_imaginary(root, "01")
    for part, data in (("real", np.cos(phase)), ("imag", np.sin(phase))):
        image = nib.Nifti1Image((magnitude * data).astype(np.float32), AFFINE)
        nib.save(image, megre(root, "01", 2, part))
    made, turn = extract(root, 2, **cartesian(root, 2))
    np.testing.assert_allclose(read_magnitude([made]).data[0], magnitude, rtol=1e-5)
    np.testing.assert_allclose(read_phase([turn]).data[0], phase, atol=1e-5)
    fields = json.loads(turn.with_name("echo-2_part-phase.json").read_text())
    assert fields["Units"] == "rad"
    assert (fields["EchoTime"], fields["MagneticFieldStrength"]) == (0.01, 3)


def test_sidecars_name_nobody(root: Path) -> None:
    names = dict.fromkeys((*IDENTIFYING_FIELDS, "DeviceSerialNumber", "AcquisitionTime"), "Doe")
    store_in_one_file(root, "01")
    for part in ("mag", "phase"):
        edit_sidecar(anat(root, f"part-{part}_MEGRE.json"), **names)
    extract(root, 1, **whole(root))
    sidecars = sorted((root / "out").glob("*.json"))
    assert len(sidecars) == 2
    for path in sidecars:
        text = path.read_text()
        assert "Doe" not in text
        assert "RepetitionTime" in text


@pytest.mark.parametrize(
    ("shape", "echo", "words"),
    [
        ((*SHAPE, 2), 1, "4 dimensions (6, 7, 5, 2) and 3 echo times"),
        (SHAPE, 1, "3 dimensions (6, 7, 5) and 3 echo times"),
        ((*SHAPE, 3, 2), 1, "5 dimensions (6, 7, 5, 3, 2)"),
        ((3, *SHAPE), 1, "along the first of its axes"),
        ((*SHAPE, 3), 4, "3 echoes; expected at least 4"),
        ((6, 8, 5, 3), 1, "the grid (6, 8, 5)"),
    ],
)
def test_files_of_another_shape_are_refused(root: Path, capsys, shape, echo, words) -> None:
    store_in_one_file(root, "01")
    path = anat(root, "part-phase_MEGRE.nii.gz")
    nib.save(nib.Nifti1Image(np.ones(shape, np.float32), AFFINE), path)
    text = refusal(capsys, root, echo, **whole(root))
    assert words in text


def test_parts_that_do_not_belong_together_are_refused(root: Path, capsys) -> None:
    store_real_and_imaginary(root, "01")
    files = {"real": megre(root, "01", 1, "real"), "imaginary": megre(root, "01", 2, "imag")}
    assert "0.01 s; expected 0.005 s" in refusal(capsys, root, 1, **files)
    moved = nib.Nifti1Image(np.ones(SHAPE, np.float32), AFFINE + np.eye(4, k=3))
    nib.save(moved, megre(root, "01", 1, "imag"))
    assert "found the grid" in refusal(capsys, root, 1, **cartesian(root, 1))


def test_a_damaged_file_is_refused(root: Path, capsys) -> None:
    store_in_one_file(root, "01")
    path = anat(root, "part-phase_MEGRE.nii.gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 255  # the checksum of the whole, far from the first echo
    path.write_bytes(bytes(content))
    assert "cannot be read" in refusal(capsys, root, 1, **whole(root))


def test_half_a_pair_is_no_command(root: Path, capsys) -> None:
    store_real_and_imaginary(root, "01")
    with pytest.raises(SystemExit) as end:
        extract(root, 1, real=megre(root, "01", 1, "real"))
    assert end.value.code == 2
    assert "--real and --imaginary" in capsys.readouterr().err
