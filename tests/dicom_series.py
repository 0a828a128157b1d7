"""Examinations as scanners export them: DICOM files of made-up patients, one file per slice.

Every field that names a person, a place or a device holds :data:`MARK`, or one of
:data:`BIRTH_DATE` and :data:`SCAN_DATE`, so that a search finds what was left of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

MARK = "QZXJ"
BIRTH_DATE = "19431107"
SCAN_DATE = "20190523"
TIMES_MS = (4.0, 9.0, 14.0)
SHAPE = (14, 12, 10)
"""Columns, rows, slices."""
SPACING = (4.0, 5.0, 6.0)
"""Between columns, rows and slices (mm)."""
TILT = np.radians(12)

MANUFACTURERS = {
    "siemens": "SIEMENS",
    "philips": "Philips Medical Systems",
    "ge": "GE MEDICAL SYSTEMS",
}


@dataclass
class Series:
    """One series: ``images`` maps (part, echo) to stored values (columns, rows, slices)."""

    number: int
    description: str
    images: dict[tuple[str, int], np.ndarray]
    maker: str = "siemens"
    image_types: dict[str, list[str]] = field(default_factory=dict)
    echo_times: Sequence[float] = TIMES_MS
    coils: Sequence[str] = ("",)
    three_d: bool = True


IMAGE_TYPES = {
    "siemens": {"mag": ["M", "ND"], "phase": ["P", "ND"]},
    "philips": {
        "mag": ["M_FFE", "M", "FFE"],
        "phase": ["PHASE MAP", "P", "FFE"],
        "real": ["R", "R", "FFE"],
        "imag": ["I", "I", "FFE"],
    },
    "ge": {part: ["OTHER"] for part in ("mag", "phase", "real", "imag")},
}
GE_PARTS = {"mag": 0, "phase": 1, "real": 2, "imag": 3}
PHILIPS_SLOPES = {"mag": (1.2, 0.0, 0.01), "phase": (1.53455, -3142.0, 651.74)}


def affine() -> np.ndarray:
    """Voxel (column, row, slice) → RAS mm of the images: slices tilted towards the front."""
    row, column, normal, origin = _orientation()
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2] = row * SPACING[0], column * SPACING[1], normal * SPACING[2]
    lps[:3, 3] = origin
    return np.diag([-1.0, -1, 1, 1]) @ lps


def _orientation() -> tuple[np.ndarray, ...]:
    row = np.array([1.0, 0, 0])
    column = np.array([0, np.cos(TILT), np.sin(TILT)])
    return row, column, np.cross(row, column), np.array([-20.0, -25.0, -30.0])


def write_series(folder: Path, series: Series) -> None:
    """Write every slice of a series below ``folder``."""
    study = generate_uid(entropy_srcs=[str(folder)])[:40]
    uid = f"{study}.{series.number}"
    instance = 0
    place = folder / f"series{series.number:03d}"
    place.mkdir(parents=True, exist_ok=True)
    for coil, ((part, echo), data) in product(series.coils, series.images.items()):
        for index in range(data.shape[2]):
            instance += 1
            one = _slice(series, part, echo, data[:, :, index], index, instance)
            if coil:
                block = one.private_block(0x0051, "SIEMENS MR HEADER", create=True)
                block.add_new(0x0F, "LO", coil)
            one.SeriesInstanceUID, one.StudyInstanceUID = uid, study
            one.FrameOfReferenceUID = study + ".1"
            one.SOPInstanceUID = f"{uid}.{instance}"
            one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
            one.save_as(place / f"{instance:05d}.dcm", enforce_file_format=True)


def _slice(
    series: Series, part: str, echo: int, data: np.ndarray, index: int, instance: int
) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    one.SOPClassUID = MRImageStorage
    one.Modality = "MR"
    _identity(one)
    one.Manufacturer = MANUFACTURERS[series.maker]
    one.ManufacturerModelName = "Prisma"
    one.MagneticFieldStrength, one.ImagingFrequency = 3, 123.25
    one.SeriesNumber, one.SeriesDescription = series.number, series.description
    one.ProtocolName = series.description
    one.AcquisitionNumber, one.InstanceNumber = 1, instance
    kinds = {**IMAGE_TYPES[series.maker], **series.image_types}
    given = kinds[part]
    one.ImageType = given if given[0] == "DERIVED" else ["ORIGINAL", "PRIMARY", *given]
    one.ScanningSequence, one.SequenceVariant, one.ScanOptions = "GR", "SP", ""
    one.MRAcquisitionType = "3D" if series.three_d else "2D"
    one.EchoTime, one.EchoNumbers = series.echo_times[echo - 1], echo
    one.RepetitionTime, one.FlipAngle, one.EchoTrainLength = 35, 15, len(series.echo_times)
    one.SliceThickness = one.SpacingBetweenSlices = SPACING[2]
    row, column, normal, origin = _orientation()
    one.ImageOrientationPatient = [*row, *column]
    one.ImagePositionPatient = list(origin + index * SPACING[2] * normal)
    one.SliceLocation = index * SPACING[2]
    one.PixelSpacing = [SPACING[1], SPACING[0]]
    one.Rows, one.Columns = data.shape[1], data.shape[0]
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
    one.PixelRepresentation = int(data.dtype.kind == "i")
    one.PixelData = np.ascontiguousarray(data.T).astype(data.dtype.newbyteorder("<")).tobytes()
    _scale(one, series, part)
    return one


def _scale(one: Dataset, series: Series, part: str) -> None:
    if series.maker == "siemens" and part == "phase":
        one.RescaleSlope, one.RescaleIntercept, one.RescaleType = 2, -4096, "US"
    if series.maker == "philips":
        slope, intercept, scale = PHILIPS_SLOPES["phase" if part == "phase" else "mag"]
        one.RescaleSlope, one.RescaleIntercept, one.RescaleType = slope, intercept, "normalized"
        block = one.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0D, "FL", -intercept / slope)
        block.add_new(0x0E, "FL", scale)
    if series.maker == "ge":
        block = one.private_block(0x0043, "GEMS_PARM_01", create=True)
        block.add_new(0x2F, "SS", GE_PARTS[part])


def _identity(one: Dataset) -> None:
    one.PatientName, one.PatientID = f"{MARK}^Paula", f"{MARK}4711"
    one.PatientBirthDate, one.PatientSex, one.PatientAge = BIRTH_DATE, "F", "076Y"
    one.PatientWeight, one.PatientSize = 71.25, 1.66
    one.PatientAddress = f"{MARK} Street 1"
    one.OtherPatientIDs = f"{MARK}OTHER"
    one.AccessionNumber, one.StudyID = f"{MARK}ACC", f"{MARK}STUDY"
    one.StudyDescription = f"{MARK} brain"
    one.InstitutionName, one.InstitutionAddress = f"{MARK} Hospital", f"{MARK} Road 2"
    one.InstitutionalDepartmentName = f"{MARK} Radiology"
    one.StationName, one.DeviceSerialNumber = f"{MARK}MR3", f"{MARK}66031"
    one.OperatorsName = one.PerformingPhysicianName = f"{MARK}^Operator"
    one.ReferringPhysicianName = one.RequestingPhysician = f"{MARK}^Doctor"
    one.ImageComments = f"{MARK} comment"
    one.PerformedProcedureStepDescription = f"{MARK} step"
    one.StudyDate = one.SeriesDate = one.AcquisitionDate = one.ContentDate = SCAN_DATE
    one.StudyTime = one.SeriesTime = one.AcquisitionTime = one.ContentTime = "134722.515000"
    one.AcquisitionDateTime = SCAN_DATE + "134722.515000"
