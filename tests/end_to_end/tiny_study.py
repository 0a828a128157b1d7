"""A study that runs in half a minute: balls for brains, regions drawn on the GRE, no registration.

It has every stage from the phase to the report, but for what needs a T1w.
"""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
from end_to_end.small_cohort import Run

from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from qsmiron.spectral import dipole_kernel

ECHO_TIMES = (0.005, 0.012, 0.019)  # s
B0 = 3.0  # T
SHAPE, VOXEL = (36, 36, 30), 5.0  # mm
REGIONS = ("pallidum", "putamen", "caudate")
LEVELS = ("fast", "slow")


def tiny_study(folder: Path, participants: int = 2) -> Run:
    """The study's raw data and settings, in ``folder``; nothing has run."""
    rows = ["participant_id\tage\tsex\tprogression"]
    for number in range(1, participants + 1):
        subject = f"sub-{number:02d}"
        _write_participant(folder, subject, number)
        rows.append(f"{subject}\t{50 + number}\t{'MF'[number % 2]}\t{LEVELS[number % 2]}")
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    labels = [f"{n + 1}\t{name}\t{side}\tsubcortex" for n, (name, side) in enumerate(_regions())]
    (folder / "regions.tsv").write_text("index\tname\themisphere\tstructure\n" + "\n".join(labels))
    drawn = {
        "label_table": "regions.tsv",
        "segmentation": "../labels/{subject}.nii.gz",
        "segmentation_space": "GRE",
        "segmentation_required": True,
    }
    nothing = {"covariates": [], "metrics": {}, "reference": [], "regions": []}
    return Run(
        folder,
        {
            "bids_dir": "raw",
            "atlases": {"DK": None, "tissues": None, "drawn": drawn},
            "reconstruction": {
                "field_map": {"method": "laplacian"},
                "background_field": {"method": "none"},
                "inversion": {"method": "tkd"},
            },
            "contrasts": {"phenotype": None},
            "scores": [],
            "statistics": {"permutations": 99, "bootstrap": 200, "null_permutations": 20},
            "multiverse": nothing,
        },
    )


def _regions() -> list[tuple[str, str]]:
    return [(name, side) for name in REGIONS for side in "LR"]


def _write_participant(folder: Path, subject: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    affine = np.diag([VOXEL] * 3 + [1.0])
    place = np.indices(SHAPE) - np.reshape([(n - 1) / 2 for n in SHAPE], (3, 1, 1, 1))
    brain = np.sqrt((place**2).sum(axis=0)) < 0.4 * min(SHAPE)
    labels = np.zeros(SHAPE, np.int16)
    for number, (name, side) in enumerate(_regions(), start=1):
        along = 4 * (REGIONS.index(name) - 1)
        here = np.abs(place[1] - along) < 2
        here &= np.abs(place[0] - (3 if side == "R" else -3)) < 2
        labels[here & (np.abs(place[2]) < 3)] = number
    chi = np.where(labels > 0, 0.05 + 0.02 * rng.random((7,))[labels], 0) * brain  # ppm
    kernel = dipole_kernel(SHAPE, (VOXEL,) * 3, (0, 0, 1))
    field = np.fft.irfftn(kernel * np.fft.rfftn(chi), SHAPE, axes=(0, 1, 2))  # ppm
    anat = folder / f"raw/{subject}/anat"
    anat.mkdir(parents=True)
    for echo, time in enumerate(ECHO_TIMES, start=1):
        signal = 1000 * brain * np.exp(-20 * time)
        signal = signal * np.exp(2j * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * B0 * field * time)
        signal = signal + 5 * (rng.standard_normal(SHAPE) + 1j * rng.standard_normal(SHAPE))
        fields = {"EchoTime": time, "MagneticFieldStrength": B0}
        for part, values in (("mag", np.abs(signal)), ("phase", np.angle(signal))):
            image = nib.Nifti1Image(values.astype(np.float32), affine)
            image.header.set_xyzt_units("mm", "sec")
            path = anat / f"{subject}_echo-{echo}_part-{part}_MEGRE.nii.gz"
            nib.save(image, path)
            units = {"Units": "rad"} if part == "phase" else {}
            path.with_name(path.name[:-7] + ".json").write_text(json.dumps({**fields, **units}))
    (folder / "labels").mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(labels, affine), folder / f"labels/{subject[4:]}.nii.gz")
