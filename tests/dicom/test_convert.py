"""From DICOM to BIDS with the real dcm2niix: values, places, times, and nothing of the patient."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_series import (
    BIRTH_DATE,
    MARK,
    PHILIPS_SLOPES,
    SCAN_DATE,
    SHAPE,
    TIMES_MS,
    Series,
    affine,
    write_series,
)
from end_to_end.test_bids_validator import errors
from nibabel.orientations import io_orientation, ornt_transform

import convert_dicom
from qsmiron.dicom.tree import KEPT_FIELDS
from qsmiron.volumes import read_json, sidecar_path

pytest.importorskip("dcm2niix", reason="needs pip install -r envs/requirements-dicom.txt")

ECHOES = (1, 2, 3)
MAPPING = """folder\tparticipant_id\tsession\tgre\tt1w
{siemens}\tsub-01\tn/a\t*gre*\t*MPRAGE*
philips\t02\t1\tqsm mffe\t301
ge\t03\tn/a\tSWAN*\tn/a
"""
SIEMENS_FOLDER = "exam 1; touch pwned $(touch pwned)"


def images(rng: np.random.Generator, *parts: str) -> dict[tuple[str, int], np.ndarray]:
    """Noise over the range that the scanners store."""
    return {
        (part, echo): rng.integers(0, 4096 if part == "phase" else 1000, SHAPE).astype(np.uint16)
        for part in parts
        for echo in ECHOES
    }


def signed(rng: np.random.Generator, *parts: str) -> dict[tuple[str, int], np.ndarray]:
    return {
        (part, echo): rng.integers(-3141, 3142, SHAPE).astype(np.int16)
        for part in parts
        for echo in ECHOES
    }


@pytest.fixture(scope="module")
def series() -> dict[str, list[Series]]:
    """Three examinations: the series of each."""
    rng = np.random.default_rng(8)
    t1w = {("mag", 1): rng.integers(0, 900, SHAPE).astype(np.uint16)}
    return {
        SIEMENS_FOLDER: [
            Series(3, "t1_mprage_sag", dict(t1w), echo_times=(2.98,)),
            Series(5, "gre_qsm", images(rng, "mag")),
            Series(6, "gre_qsm", images(rng, "phase")),
        ],
        "philips": [
            Series(301, "3D T1 TFE", dict(t1w), "philips", echo_times=(2.98,)),
            Series(501, "QSM mFFE", images(rng, "mag", "phase"), "philips"),
        ],
        "ge": [Series(5, "SWAN QSM", signed(rng, "real", "imag"), "ge")],
    }


@pytest.fixture(scope="module")
def converted(series, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    for name, content in series.items():
        for one in content:
            write_series(folder / "export" / name, one)
    mapping = folder / "mapping.tsv"
    mapping.write_text(MAPPING.format(siemens=SIEMENS_FOLDER))
    config = folder / "config.yaml"
    config.write_text("participant_label: ['01', '03']\n")
    arguments = [folder / "export", "--mapping", mapping, "--output", folder / "new/bids"]
    convert_dicom.main([str(argument) for argument in [*arguments, "--config", config]])
    return folder / "new/bids"


def file(root: Path, who: str, name: str) -> Path:
    return root / who / "anat" / f"{who.replace('/', '_')}_{name}.nii.gz"


def in_dicom_order(path: Path) -> np.ndarray:
    """Values (columns, rows, slices), after a check that they lie where the DICOM files say."""
    image = nib.load(path)
    image = image.as_reoriented(
        ornt_transform(io_orientation(image.affine), io_orientation(affine()))
    )
    np.testing.assert_allclose(image.affine, affine(), atol=1e-3)
    return np.asarray(image.dataobj, np.float32)


def test_every_file_that_the_workflow_needs_and_no_other(converted):
    def names(who: str, *parts: str) -> set[str]:
        echoes = {f"echo-{n}_part-{part}_MEGRE" for n in ECHOES for part in parts}
        return {str(file(Path(), who, name)) for name in echoes}

    expected = names("sub-01", "mag", "phase") | names("sub-02/ses-1", "mag", "phase")
    expected |= names("sub-03", "real", "imag")
    expected |= {str(file(Path(), who, "T1w")) for who in ("sub-01", "sub-02/ses-1")}
    expected |= {name.replace(".nii.gz", ".json") for name in expected}
    expected |= {"dataset_description.json", "participants.tsv"}
    there = {str(p.relative_to(converted)) for p in converted.rglob("*") if p.is_file()}
    assert there == expected
    assert (converted / "participants.tsv").read_text() == (
        "participant_id\nsub-01\nsub-02\nsub-03\n"
    )
    assert sorted(path.name for path in converted.parent.iterdir()) == ["bids"]
    assert converted.stat().st_mode & 0o077


@pytest.mark.parametrize("echo", ECHOES)
def test_values_lie_where_the_scanner_put_them(converted, series, echo):
    _, magnitude, phase = series[SIEMENS_FOLDER]
    stored = in_dicom_order(file(converted, "sub-01", f"echo-{echo}_part-mag_MEGRE"))
    np.testing.assert_array_equal(stored, magnitude.images["mag", echo])
    stored = in_dicom_order(file(converted, "sub-01", f"echo-{echo}_part-phase_MEGRE"))
    np.testing.assert_array_equal(stored, phase.images["phase", echo] * 2.0 - 4096)

    _, both = series["philips"]
    slope, intercept, scale = PHILIPS_SLOPES["phase"]
    radians = (both.images["phase", echo] * slope + intercept) / (slope * scale)
    stored = in_dicom_order(file(converted, "sub-02/ses-1", f"echo-{echo}_part-phase_MEGRE"))
    # rad; dcm2niix rounds the scaling, by less than a third of the scanner's own step (1.5e-3)
    np.testing.assert_allclose(stored, radians, rtol=0, atol=5e-4)

    (ge,) = series["ge"]
    for part in ("real", "imag"):
        stored = in_dicom_order(file(converted, "sub-03", f"echo-{echo}_part-{part}_MEGRE"))
        np.testing.assert_array_equal(stored, ge.images[part, echo])


def test_the_t1w(converted, series):
    for who, folder in (("sub-01", SIEMENS_FOLDER), ("sub-02/ses-1", "philips")):
        stored = in_dicom_order(file(converted, who, "T1w"))
        ratio = stored / np.maximum(series[folder][0].images["mag", 1], 1)
        assert np.ptp(ratio[stored > 0]) < 1e-3 * ratio.max()


def test_sidecars_say_what_the_workflow_asks(converted):
    for path in sorted(converted.rglob("*MEGRE.nii.gz")):
        sidecar = read_json(sidecar_path(path))
        echo = int(re.search("echo-([0-9])", path.name)[1])
        assert sidecar["EchoTime"] == pytest.approx(TIMES_MS[echo - 1] / 1e3)
        assert sidecar["MagneticFieldStrength"] == 3
        assert sidecar.get("Units") == ("arbitrary" if "phase" in path.name else None)
    makers = {read_json(p)["Manufacturer"] for p in converted.rglob("*MEGRE.json")}
    assert makers == {"Siemens", "Philips", "GE"}


def content(path: Path) -> bytes:
    held = path.read_bytes()
    return gzip.decompress(held) + held if path.suffix == ".gz" else held


def test_nothing_of_the_patient_is_left(converted):
    raw = b"".join(p.read_bytes() for p in converted.parents[1].rglob("00001.dcm"))
    telling = (MARK, BIRTH_DATE, SCAN_DATE, "134722", "13:47", "71.25", "gre_qsm", "exam 1")
    assert all(text.encode() in raw for text in (MARK, BIRTH_DATE, SCAN_DATE, "134722"))
    files = [path for path in sorted(converted.rglob("*")) if path.is_file()]
    assert len(files) == 42
    for path in files:
        held = content(path)
        assert not [text for text in telling if text.encode() in held], path
        if path.suffix == ".json" and path.parent != converted:
            assert set(json.loads(held)) <= {*KEPT_FIELDS, "Units"}
        if path.suffix == ".gz":
            image = nib.load(path)
            texts = [image.header[key] for key in ("descrip", "aux_file", "db_name", "intent_name")]
            assert not any(text.tobytes().strip(b"\0") for text in texts)
            assert not image.header.extensions
            assert not path.read_bytes()[3] & 0b11000, "gzip keeps no name and no comment"


def test_no_name_reaches_a_shell(converted):
    assert not list(converted.parents[1].rglob("pwned"))
    assert not Path("pwned").exists()


def test_the_data_set_is_valid(converted):
    assert errors(converted) == []
