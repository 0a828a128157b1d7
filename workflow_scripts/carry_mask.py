"""Carry a scan's mask to the template's space.

Example:

    python workflow_scripts/carry_mask.py --mask sub-01_label-reliable_desc-main_mask.nii.gz
        --inverse templatetogre.nii.gz
        --target-mask sub-01_space-MNI152NLin2009aSym_label-reliable_desc-main_mask.nii.gz
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.registration.coordinates import read_coordinates
from qsmiron.registration.inverse import carry_mask
from qsmiron.template import TEMPLATE_NAME
from qsmiron.volumes import read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--mask", required=True, help="where the scan's maps are reliable (NIfTI)")
    add("--inverse", required=True, help="scanner RAS mm of every voxel of the template")
    add("--target-mask", required=True, help="output: the mask in the template's space")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        points = read_coordinates(args.inverse)
        carried = carry_mask(read_volume(args.mask), points.data)
        about = {
            "Type": "Brain",
            "Description": "Where the maps in the template's space have values",
            "SpatialReference": TEMPLATE_NAME,
        }
        write_volume(args.target_mask, carried, points.affine, about)


if __name__ == "__main__":
    main()
