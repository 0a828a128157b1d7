"""Write simulated patients as a scanner's export in BIDS: integer images and full sidecars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from ..bids import BIDS_VERSION, Scan, raw_scan
from ..dataset import DEMO_NAME, DESCRIPTION, check_demo_folder
from ..errors import InputError, Problem
from ..overwriting import looked_at
from ..volumes import read_json, sidecar_path, write_json, write_text, write_volume
from .signal import SequenceParameters
from .subject import SimulatedSubject

MAGNITUDE_SCALE = 1500
"""Stored value of the mean magnitude in the brain at the first echo."""
T1W_SCALE = 800
PHASE_STEPS = 4096

README = """\
Simulated demonstration cohort
==============================

Multi-echo gradient echo (magnitude and phase) and T1-weighted images of patients who do not exist.
Anatomy, susceptibility and signal are simulated by the workflow's own `simulate_subject.py` from
`config/demo/plan.tsv`; no image comes from a person. The anatomy derives from the MNI ICBM152 2009a
template. The clinical table that goes with it is `config/demo/participants.tsv`.

Phase is stored as by Siemens scanners: integers from -4096 to 4095 stand for -pi to pi.
"""

_SCANNER = {
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Simulated",
    "Modality": "MR",
    "BodyPartExamined": "BRAIN",
    "PatientPosition": "HFS",
    "MRAcquisitionType": "3D",
}


def write_dataset_description(bids_dir: str | Path) -> None:
    """Write dataset_description.json and README of the raw data set.

    Raises :class:`.InputError` if the folder is another data set's.
    """
    root = Path(bids_dir)
    check_demo_folder(root)
    write_json(
        root / DESCRIPTION,
        {
            "Name": DEMO_NAME,
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "raw",
            "License": "CC0",
            "Authors": ["Simulated data; no person was scanned"],
        },
    )
    write_text(root / "README", README)


def write_subject(
    bids_dir: str | Path,
    participant_id: str,
    subject: SimulatedSubject,
    session: str | None = None,
) -> None:
    """Write all raw files of one patient: echoes' magnitude and phase, T1w, sidecars.

    ``session`` is the visit's label, where there are several.

    Raises :class:`.InputError` if it would replace images that were not simulated.
    """
    parameters = SequenceParameters()
    label = participant_id.removeprefix("sub-")
    scan = raw_scan(bids_dir, label, len(subject.echo_times), session)
    _check_images(scan)
    level = np.abs(subject.echoes[0][subject.brain]).mean()
    for number, (echo, te) in enumerate(zip(subject.echoes, subject.echo_times, strict=True), 1):
        sidecar = _echo_sidecar(parameters, number, te, subject.field_strength)
        magnitude = np.rint(np.abs(echo) * (MAGNITUDE_SCALE / level))
        write_volume(
            scan.magnitude[number - 1],
            np.minimum(magnitude, np.iinfo(np.int16).max).astype(np.int16),
            subject.affine,
            {**sidecar, "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]},
        )
        phase = np.rint(np.angle(echo) * (PHASE_STEPS / np.pi)).astype(np.int16)
        phase[phase == PHASE_STEPS] = -PHASE_STEPS  # pi and −pi are the same
        write_volume(
            scan.phase[number - 1],
            phase,
            subject.affine,
            {**sidecar, "ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"], "Units": "arbitrary"},
        )
    write_volume(
        scan.t1w,
        np.rint(subject.t1w * T1W_SCALE).astype(np.int16),
        subject.t1w_tissues.affine,
        _t1w_sidecar(subject.field_strength),
    )


def _check_images(scan: Scan) -> None:
    for path in scan.files:
        if not path.exists():
            continue
        with looked_at():
            sidecar = read_json(sidecar_path(path)) if sidecar_path(path).exists() else {}
        if sidecar.get("ManufacturersModelName") != _SCANNER["ManufacturersModelName"]:
            raise InputError(
                Problem(
                    str(path),
                    "an image that was not simulated",
                    "a folder without a participant of this name",
                    "Give another folder.",
                )
            )


def _echo_sidecar(
    parameters: SequenceParameters, number: int, te: float, field_strength: float
) -> dict[str, Any]:
    return {
        **_SCANNER,
        "MagneticFieldStrength": field_strength,
        "ImagingFrequency": round(GYROMAGNETIC_RATIO_MHZ_PER_T * field_strength, 6),
        "PulseSequenceType": "Multi-echo gradient echo, monopolar readout",
        "ScanningSequence": "GR",
        "SequenceVariant": "SP",
        "SequenceName": "simulated_megre",
        "ProtocolName": "MEGRE",
        "NonlinearGradientCorrection": False,
        "EchoNumber": number,
        "EchoTime": round(te, 6),
        "RepetitionTime": parameters.repetition_time,
        "FlipAngle": parameters.flip_angle,
        "ParallelReductionFactorInPlane": 1,
    }


def _t1w_sidecar(field_strength: float) -> dict[str, Any]:
    return {
        **_SCANNER,
        "MagneticFieldStrength": field_strength,
        "PulseSequenceType": "MPRAGE",
        "ScanningSequence": "GR",
        "SequenceVariant": "SK",
        "SequenceName": "simulated_mprage",
        "ProtocolName": "T1w",
        "EchoTime": 0.003,
        "RepetitionTime": 2.3,
        "InversionTime": 0.9,
        "FlipAngle": 9,
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
    }
