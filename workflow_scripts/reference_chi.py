r"""Susceptibility map of a scan (ppm): relative to its reference, 0 outside the reliable mask.

The sidecar says what the map refers to: mean, SD (ppm), volume (mL) and share of the brain mask of
the reference region, and the algorithms that led to it. Examples::

    python workflow_scripts/reference_chi.py --chi chi.nii.gz --mask brain.nii.gz \
        --reliable-mask local_mask.nii.gz --output sub-01_Chimap.nii.gz
    ... --region csf --r2star R2starmap.nii.gz --magnitude sub-01_echo-1_part-mag_MEGRE.nii.gz
    ... --region thalamus --labels sub-01_atlas-DK_dseg.nii.gz --label-table DesikanKilliany.tsv
"""

import argparse
import json
from pathlib import Path

import numpy as np

from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.masks.csf import CsfParameters
from qsmiron.reference import (
    REGIONS,
    Tissue,
    brain_tissue,
    fluid_tissue,
    labelled_tissue,
    measure_reference,
    region_indices,
    subtract_reference,
    untouched,
)
from qsmiron.regions.label_table import read_label_table
from qsmiron.sidecars import sidecar_path
from qsmiron.volumes import (
    Volume,
    check_same_grid,
    read_json,
    read_mask,
    read_volume,
    write_volume,
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, metavar="NII", help="susceptibility (ppm)")
    add("--mask", required=True, metavar="NII", help="brain mask")
    add("--reliable-mask", required=True, metavar="NII", help="where the local field holds")
    add("--output", required=True, metavar="NII", help="output: referenced susceptibility (ppm)")
    add(
        "--region",
        default="brain",
        metavar="NAME",
        help="its mean is 0 afterwards: brain, inside the reliable mask (default); csf, of the "
        "ventricles; with --labels, a region of the label table, both hemispheres; none: χ is "
        "left as it is",
    )
    add(
        "--keep-stated",
        action="store_true",
        help="leave a map as it is whose sidecar says what it is relative to (ReferenceRegion)",
    )
    add("--r2star", metavar="NII", help="R2* (1/s), for csf")
    add("--magnitude", metavar="NII", help="magnitude of the first echo, for csf")
    add("--labels", metavar="NII", help="labels on the grid of χ, for a region of them")
    add("--label-table", metavar="TSV", help="index and name of the labels")
    add(
        "--algorithm",
        metavar="JSON",
        help="JSON object of the chain's steps, kept in the sidecar as EstimationAlgorithm",
    )
    return parser


def find_tissue(arguments: argparse.Namespace, brain: np.ndarray, chi: Volume) -> Tissue:
    """The reference region that the arguments name."""
    if arguments.labels:
        return _labelled(arguments, chi)
    if arguments.region == "csf":
        return _fluid(arguments, brain, chi)
    if arguments.region not in REGIONS:
        raise InputError(
            Problem(
                "--region",
                repr(arguments.region),
                f"{', '.join(REGIONS)}, or a region's name together with --labels",
                "Correct it, or give --labels and --label-table.",
            )
        )
    return brain_tissue(brain) if arguments.region == "brain" else untouched(brain)


def _labelled(arguments: argparse.Namespace, chi: Volume) -> Tissue:
    if not arguments.label_table:
        raise InputError("--labels: found no --label-table; expected the table that names them.")
    names = {label.index: label.name for label in read_label_table(arguments.label_table)}
    indices = region_indices(names, arguments.region, arguments.label_table)
    labels = read_volume(arguments.labels, dtype=np.int32)
    check_same_grid(labels, chi, arguments.labels)
    return labelled_tissue(labels.data, indices, arguments.region, Path(arguments.labels).name)


def _fluid(arguments: argparse.Namespace, brain: np.ndarray, chi: Volume) -> Tissue:
    if not (arguments.r2star and arguments.magnitude):
        raise InputError(
            Problem(
                "--region csf",
                "no --r2star or no --magnitude",
                "both: fluid is found by its low R2*, which takes at least two echoes",
                "Give them, or refer a scan of a single echo to the brain.",
            )
        )
    r2star, magnitude = read_volume(arguments.r2star), read_volume(arguments.magnitude)
    check_same_grid(r2star, chi, arguments.r2star)
    check_same_grid(magnitude, chi, arguments.magnitude)
    return fluid_tissue(r2star.data, magnitude.data, brain, chi.voxel_size, CsfParameters())


def read_algorithm(text: str | None) -> dict:
    try:
        steps = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise InputError(f"--algorithm: not a JSON object: {error}") from error
    if not isinstance(steps, dict):
        raise InputError(f"--algorithm: found {text}; expected a JSON object, step → method")
    return steps


def stated_reference(chi: str) -> str | None:
    """What the sidecar of a map says that it is relative to; None without a reference."""
    path = sidecar_path(chi)
    stated = read_json(path).get("ReferenceRegion") if path.exists() else None
    return None if stated in (None, "none") else str(stated)


def as_it_came(region: str) -> dict:
    """What the sidecar says of a ready map that keeps its reference."""
    words = f"{region}, as the ready map came"
    return {"EstimationReference": words, "ReferenceRegion": region}


def subtracted(arguments: argparse.Namespace, chi: Volume, reliable: np.ndarray) -> tuple:
    """The mean of the reference (ppm) that χ loses, and what the sidecar says of it."""
    stated = stated_reference(arguments.chi) if arguments.keep_stated else None
    if stated:
        return 0.0, as_it_came(stated)
    brain = read_mask(arguments.mask, chi)
    tissue = find_tissue(arguments, brain, chi)
    reference = measure_reference(chi.data, tissue, brain, reliable, chi.voxel_size)
    return 0.0 if tissue.region == "none" else reference.mean, {
        "EstimationReference": tissue.words,
        "ReferenceRegion": reference.region,
        "ReferenceMean": reference.mean,
        "ReferenceSD": reference.sd,
        "ReferenceVolume": reference.volume,
        "ReferenceFraction": reference.fraction,
    }


def main(argv: list[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        steps = read_algorithm(arguments.algorithm)
        chi = read_volume(arguments.chi)
        reliable = read_mask(arguments.reliable_mask, chi)
        shift, described = subtracted(arguments, chi, reliable)
        sidecar = {
            "Units": "ppm",
            "EstimationAlgorithm": steps,
            "SkullStripped": True,
            **described,
        }
        referenced = subtract_reference(chi.data, reliable, shift)
        write_volume(arguments.output, referenced, chi.affine, sidecar)


if __name__ == "__main__":
    main()
