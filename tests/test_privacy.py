"""What identifies a patient in raw sidecars and headers gets into no result."""

from __future__ import annotations

import gzip
import json
from importlib import import_module
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from qsmiron.report.acquisition_table import acquisition_table
from qsmiron.volumes import sidecar_path, write_volume

HOME = Path(__file__).parents[1]
SHAPE = (30, 32, 28)
TIMES = (0.004, 0.009, 0.014)

IDENTIFYING = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "PatientWeight",
    "PatientAddress", "OtherPatientIDs", "AccessionNumber", "StudyID", "StudyInstanceUID",
    "SeriesInstanceUID", "DeviceSerialNumber", "StationName", "InstitutionName",
    "InstitutionAddress", "InstitutionalDepartmentName", "OperatorsName", "PerformingPhysicianName",
    "ReferringPhysicianName", "RequestingPhysician", "AcquisitionDateTime", "AcquisitionTime",
    "AcquisitionDate", "StudyDate", "SeriesDescription", "ProtocolName", "ProcedureStepDescription",
    "ImageComments", "ConversionComments",
)  # fmt: skip
MARK = "QZXJ"


def run(script: str, *arguments: object) -> None:
    import_module(script).main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A raw scan whose every identifying place holds the mark, and results made from it."""
    folder = tmp_path_factory.mktemp("private")
    anat, out = folder / "raw/sub-01/anat", folder / "out"
    rng = np.random.default_rng(0)
    x, y, z = np.indices(SHAPE) - np.array(SHAPE).reshape(3, 1, 1, 1) / 2
    inside = x**2 + y**2 + z**2 < 12**2
    identity = {name: f"{MARK}{name}" for name in IDENTIFYING}
    images: dict[str, list] = {"mag": [], "phase": []}
    for echo, te in enumerate(TIMES, start=1):
        signal = np.where(inside, 900, 15) * np.exp(-20 * te + 1j * (0.4 + 8 * te * x))
        signal = signal + rng.normal(0, 5, SHAPE) + 1j * rng.normal(0, 5, SHAPE)
        for part, data in (("mag", np.abs(signal)), ("phase", np.angle(signal))):
            path = anat / f"sub-01_echo-{echo}_part-{part}_MEGRE.nii.gz"
            image = nib.Nifti1Image(data.astype(np.float32), np.diag([2.0, 2, 2, 1]))
            for key in ("descrip", "aux_file", "db_name", "intent_name"):
                image.header[key] = MARK + key[:6]
            image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", MARK.encode()))
            path.parent.mkdir(parents=True, exist_ok=True)
            nib.save(image, path)
            fields = {"EchoTime": te, "MagneticFieldStrength": 3, "Units": "rad"}
            fields |= {"Manufacturer": "Siemens", "ManufacturersModelName": "Prisma"}
            sidecar_path(path).write_text(json.dumps(identity | fields))
            images[part].append(path)
    (folder / "raw/participants.tsv").write_text("participant_id\tage\nsub-01\t60\n")
    mask = folder / "mask.nii.gz"
    write_volume(mask, inside, np.diag([2.0, 2, 2, 1]))

    names = ("field", "noise", "reliable", "local", "local_mask", "chi", "Chimap", "R2starmap")
    file = {name: out / f"{name}.nii.gz" for name in names}
    run("check_inputs", folder / "raw", "--report", out / "check.json")
    run("map_field", "--phase", *images["phase"], "--magnitude", *images["mag"], "--mask", mask,
        "--field", file["field"], "--noise", file["noise"],
        "--reliable-mask", file["reliable"])  # fmt: skip
    run("remove_background_field", "--field", file["field"], "--mask", file["reliable"],
        "--local-field", file["local"], "--local-mask", file["local_mask"],
        "--method", "vsharp")  # fmt: skip
    run("invert_dipole", "--local-field", file["local"], "--mask", file["local_mask"],
        "--magnitude", images["mag"][0], "--chi", file["chi"], "--method", "tkd")  # fmt: skip
    run("reference_chi", "--chi", file["chi"], "--mask", mask, "--reliable-mask",
        file["local_mask"], "--output", file["Chimap"])  # fmt: skip
    run("map_r2star", "--magnitude", *images["mag"], "--mask", mask, "--r2star", file["R2starmap"])
    run("describe_results", "--results", out, "--source", folder / "raw")
    sidecars = [sidecar_path(path) for path in images["mag"]]
    (out / "acquisition.json").write_text(json.dumps(acquisition_table(sidecars)))
    run("write_methods", "--config", HOME / "config/config.yaml", "--output", out / "methods.md",
        "--sidecar", *sidecars)  # fmt: skip
    return folder


def test_the_mark_is_in_the_raw_data(folder):
    """So that the search below can find it."""
    for path in sorted((folder / "raw/sub-01").rglob("*MEGRE*")):
        assert MARK.encode() in content(path)


def content(path) -> bytes:
    held = path.read_bytes()
    return gzip.decompress(held) if path.suffix == ".gz" else held


def test_no_result_holds_anything_that_identifies(folder):
    files = [path for path in sorted((folder / "out").rglob("*")) if path.is_file()]
    assert len(files) >= 14
    for path in files:
        held = content(path)
        assert MARK.encode() not in held, path
        assert not [key for key in IDENTIFYING if f'"{key}"'.encode() in held], path


def test_the_check_names_the_fields_and_not_what_they_hold(folder):
    report = (folder / "out/check.json").read_text()
    assert "PatientName" in report
    assert "the fields PatientName, PatientID, PatientBirthDate" in report
    assert MARK not in report


def test_the_report_knows_the_scanner_all_the_same(folder):
    assert "Siemens Prisma" in (folder / "out/acquisition.json").read_text()
