"""Bring a magnitude to the grid of a ready map, by the scanner's coordinates of both.

On the map's own grid it stays as it is. Example:

    python workflow_scripts/grid_magnitude.py --magnitude sub-01_echo-1_part-mag_MEGRE.nii.gz
        --map sub-01_Chimap.nii.gz --output magnitude.nii.gz
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.ready_maps.placing import on_grid
from qsmiron.volumes import image_grid, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--magnitude", required=True, metavar="NII", help="magnitude of the first echo")
    add("--map", required=True, metavar="NII", help="the ready map")
    add("--output", required=True, metavar="NII", help="output: magnitude on the map's grid")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        shape, affine = image_grid(args.map)
        magnitude = on_grid(read_volume(args.magnitude), shape, affine, args.map)
        write_volume(args.output, magnitude, affine)


if __name__ == "__main__":
    main()
