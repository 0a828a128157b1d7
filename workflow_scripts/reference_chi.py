r"""Susceptibility map of a scan (ppm): relative to its reference, 0 outside the reliable mask.

The sidecar says what the map refers to: mean, SD (ppm), volume (mL) and share of the brain mask of
the reference region, and the algorithms that led to it.

Example::

    python workflow_scripts/reference_chi.py --chi chi.nii.gz --mask brain.nii.gz \
        --reliable-mask local_mask.nii.gz --output sub-01_Chimap.nii.gz
"""

import argparse
import json

from qsmiron.errors import InputError, reported_to_user
from qsmiron.reference import REGIONS, subtract_reference
from qsmiron.volumes import read_mask, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chi", required=True, metavar="NII", help="susceptibility (ppm)")
    parser.add_argument("--mask", required=True, metavar="NII", help="brain mask")
    parser.add_argument(
        "--reliable-mask", required=True, metavar="NII", help="where the local field holds"
    )
    parser.add_argument(
        "--output", required=True, metavar="NII", help="output: referenced susceptibility (ppm)"
    )
    parser.add_argument(
        "--region",
        choices=REGIONS,
        default="brain",
        help="brain: mean over brain and reliable mask is 0 (default); none: left as it is",
    )
    parser.add_argument(
        "--algorithm",
        metavar="JSON",
        help="JSON object of the chain's steps, kept in the sidecar as EstimationAlgorithm",
    )
    return parser


def read_algorithm(text: str | None) -> dict:
    try:
        steps = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise InputError(f"--algorithm: not a JSON object: {error}") from error
    if not isinstance(steps, dict):
        raise InputError(f"--algorithm: found {text}; expected a JSON object, step → method")
    return steps


def main(argv: list[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        steps = read_algorithm(arguments.algorithm)
        chi = read_volume(arguments.chi)
        referenced, reference = subtract_reference(
            chi.data,
            read_mask(arguments.mask, chi),
            read_mask(arguments.reliable_mask, chi),
            chi.voxel_size,
            arguments.region,
        )
        whole = {"brain": "mean of the brain inside the reliable mask", "none": "none"}
        sidecar = {
            "Units": "ppm",
            "EstimationReference": whole[arguments.region],
            "EstimationAlgorithm": steps,
            "SkullStripped": True,
            "ReferenceRegion": reference.region,
            "ReferenceMean": reference.mean,
            "ReferenceSD": reference.sd,
            "ReferenceVolume": reference.volume,
            "ReferenceFraction": reference.fraction,
        }
        write_volume(arguments.output, referenced, chi.affine, sidecar)


if __name__ == "__main__":
    main()
