"""Tiny BIDS data sets for tests: a few voxels an image, complete sidecars."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

AFFINE = np.diag([10.0, 10.0, 10.0, 1.0])
SHAPE = (6, 7, 5)
COLUMNS = [
    "participant_id",
    "age",
    "sex",
    "months_since_onset",
    "alsfrs_r",
    "delta_fs",
    "umn_score",
    "ecas_total",
    "progression",
    "phenotype",
]


def image_bytes(
    shape=SHAPE, affine=AFFINE, dtype=np.int16, part: str = "mag", seed: int = 0
) -> bytes:
    """A NIfTI file of noise: magnitudes, or phases as Siemens scanners store them."""
    rng = np.random.default_rng(seed)
    low, high = (-4096, 4095) if part == "phase" else (0, 1000)
    values = rng.integers(low, high, shape)
    values.flat[:2] = low, high - 1
    return gzip.compress(nib.Nifti1Image(values.astype(dtype), affine).to_bytes(), 1)


def megre(root: Path, subject: str, echo: int, part: str, ending: str = "nii.gz") -> Path:
    return root / f"sub-{subject}/anat/sub-{subject}_echo-{echo}_part-{part}_MEGRE.{ending}"


def add_subject(root: Path, subject: str, n_echoes: int = 3) -> None:
    anat = root / f"sub-{subject}" / "anat"
    anat.mkdir(parents=True)
    seed = abs(zlib.crc32(subject.encode())) * 100  # no two files are alike
    for echo in range(1, n_echoes + 1):
        for part in ("mag", "phase"):
            seed += 1
            megre(root, subject, echo, part).write_bytes(image_bytes(part=part, seed=seed))
            fields = {
                "EchoTime": 0.005 * echo,
                "MagneticFieldStrength": 3,
                "ImagingFrequency": 123.25,
                "Manufacturer": "Siemens",
                "RepetitionTime": 0.035,
            }
            if part == "phase":
                fields["Units"] = "arbitrary"
            megre(root, subject, echo, part, "json").write_text(json.dumps(fields))
    (anat / f"sub-{subject}_T1w.nii.gz").write_bytes(image_bytes(seed=seed + 1))


def row(number: int, **changes: str) -> dict[str, str]:
    score, months = 40 - number % 5, 10 + number
    values = {
        "participant_id": f"sub-{number:02d}",
        "age": str(50 + number),
        "sex": "MF"[number // 2 % 2],
        "months_since_onset": str(months),
        "alsfrs_r": str(score),
        "delta_fs": f"{(48 - score) / months:.2f}",
        "umn_score": str(5 + number * 7 % 11),
        "ecas_total": str(90 + number * 5 % 13),
        "progression": ("fast", "slow")[number % 2],
        "phenotype": ("UMN+", "other")[number % 3 > 0],
    }
    return values | changes


def write_rows(path: Path, rows: list[dict[str, str]], columns: list[str] = COLUMNS) -> Path:
    lines = ["\t".join(columns), *("\t".join(r.get(c, "n/a") for c in columns) for r in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_tree(root: Path, n_subjects: int = 9, n_echoes: int = 3) -> Path:
    """A data set without a fault, with participants.tsv."""
    for number in range(1, n_subjects + 1):
        add_subject(root, f"{number:02d}", n_echoes)
    write_rows(root / "participants.tsv", [row(n) for n in range(1, n_subjects + 1)])
    return root


def edit_sidecar(path: Path, **changes: object) -> None:
    """Change fields of a sidecar; ``None`` removes one."""
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not None}))


def new_images(anat: Path, seed: int = 10) -> None:
    """Other voxels in every image of a folder, as another acquisition would have."""
    for number, path in enumerate(sorted(anat.glob("*.nii.gz"))):
        part = "phase" if "part-phase" in path.name else "mag"
        path.write_bytes(image_bytes(part=part, seed=seed + number))


def store_in_one_file(root: Path, subject: str, parts: tuple[str, ...] = ("mag", "phase")) -> None:
    """Put the echoes of each part along the 4th dimension of one file, times in its sidecar."""
    for part in parts:
        files = sorted((root / f"sub-{subject}/anat").glob(f"*echo-*_part-{part}_MEGRE.nii.gz"))
        sidecars = [path.with_name(path.name.replace(".nii.gz", ".json")) for path in files]
        images = [nib.load(path) for path in files]
        whole = np.stack([np.asarray(image.dataobj.get_unscaled()) for image in images], axis=-1)
        fields = [json.loads(path.read_text()) for path in sidecars]
        target = root / f"sub-{subject}/anat/sub-{subject}_part-{part}_MEGRE.nii.gz"
        made = nib.Nifti1Image(whole, images[0].affine)
        made.header.set_slope_inter(images[0].dataobj.slope, images[0].dataobj.inter)
        nib.save(made, target)
        times = [one["EchoTime"] for one in fields]
        content = json.dumps(fields[0] | {"EchoTime": times})
        target.with_name(f"sub-{subject}_part-{part}_MEGRE.json").write_text(content)
        for path in (*files, *sidecars):
            path.unlink()


def store_real_and_imaginary(root: Path, subject: str) -> None:
    """Replace magnitude and phase (in steps of π/4096) of every echo by real and imaginary part."""
    for path in sorted((root / f"sub-{subject}/anat").glob("*echo-*_part-mag_MEGRE.nii.gz")):
        turn = path.with_name(path.name.replace("part-mag", "part-phase"))
        magnitude = nib.load(path)
        steps = np.asarray(nib.load(turn).dataobj)
        signal = np.asarray(magnitude.dataobj) * np.exp(1j * np.pi / 4096 * steps)
        for part, data in (("real", signal.real), ("imag", signal.imag)):
            made = nib.Nifti1Image(data.astype(np.float32), magnitude.affine)
            nib.save(made, path.with_name(path.name.replace("part-mag", f"part-{part}")))
            sidecar = path.name.replace("part-mag_MEGRE.nii.gz", f"part-{part}_MEGRE.json")
            fields = path.with_name(path.name.replace(".nii.gz", ".json")).read_text()
            path.with_name(sidecar).write_text(fields)
        for old in (path, turn):
            old.unlink()
            old.with_name(old.name.replace(".nii.gz", ".json")).unlink()
