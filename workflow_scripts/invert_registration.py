"""Find where each voxel of the template's brain lies in the scan.

Example:

    python workflow_scripts/invert_registration.py --coordinates coordinates.nii.gz
        --inverse templatetogre.nii.gz
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.registration.coordinates import read_coordinates, write_coordinates
from qsmiron.registration.inverse import invert_coordinates
from qsmiron.template import template_t1w
from qsmiron.volumes import read_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--coordinates", required=True, help="template RAS mm of every voxel of the scan")
    add("--inverse", required=True, help="output: scanner RAS mm of every voxel of the template")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        template = read_volume(template_t1w())
        points = invert_coordinates(read_coordinates(args.coordinates), template)
        write_coordinates(args.inverse, points, template.affine, "scanner")


if __name__ == "__main__":
    main()
