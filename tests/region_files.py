"""A made-up scan on disk for the tests of the region scripts, and how these are called."""

import nibabel as nib
import numpy as np

import measure_regions

NAMES = ["Left-Caudate", "Left-Putamen", "Left-Pallidum", "Left-Thalamus", "Brain-Stem", "absent"]
CHI = [0.05, 0.06, 0.13, 0.01, -0.01]
AFFINE = np.array([[0, -2, 0, 9], [1.5, 0, 0, -4], [0, 0, 2.5, 1], [0, 0, 0, 1]], float)


def save(path, data, affine=AFFINE):
    nib.save(nib.Nifti1Image(data, affine), path)
    return str(path)


def make_case(folder, seed):
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 6, (9, 10, 11)).astype(np.int16)
    chi = rng.normal(np.array([0, *CHI])[labels], 0.02).astype(np.float32)
    rows = [f"{i}\t{name}\n" for i, name in enumerate(NAMES, start=1)]
    (folder / "table.tsv").write_text("index\tname\n" + "".join(rows))
    return {
        "chi": save(folder / "chi.nii.gz", chi),
        "labels": save(folder / "dseg.nii.gz", labels),
        "mask": save(folder / "mask.nii.gz", (rng.random(chi.shape) < 0.9).astype(np.uint8)),
        "r2star": save(folder / "r2star.nii.gz", rng.normal(20, 2, chi.shape).astype(np.float32)),
        "label-table": str(folder / "table.tsv"),
    }


def call(script, **options):
    arguments = []
    for key, value in options.items():
        arguments.append("--" + key.replace("_", "-"))
        arguments += [str(one) for one in value] if isinstance(value, list) else [str(value)]
    script.main(arguments)


def measured(folder, seed=0, participant="sub-01", files=None, **options):
    files = files or make_case(folder, seed)
    out = folder / "regions.tsv"
    call(measure_regions, **files, participant=participant, regions=out, **options)
    return out
