"""Take a ready map of R2*: convert it to 1/s.

Its unit is that of --settings or of its sidecar (Units). Example:

    python workflow_scripts/take_r2star.py --map sub-01_R2starmap.nii.gz --chi chi.nii.gz
        --r2star r2star.nii.gz --settings '{"r2star_units": "1/ms"}'
"""

import argparse
from pathlib import Path

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.ready_maps.reading import read_r2star
from qsmiron.ready_maps.settings import MapSettings
from qsmiron.volumes import read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--map", required=True, metavar="NII", help="the ready map; NaN or 0: no value")
    add("--chi", required=True, metavar="NII", help="the susceptibility map, on whose grid it lies")
    add("--r2star", required=True, metavar="NII", help="output: R2* (1/s)")
    add("--settings", metavar="JSON", help="r2star_units of the config block maps")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        settings = parse_parameters(MapSettings, args.settings, "--settings")
        chi = read_volume(args.chi, finite=False)
        rates = read_r2star(args.map, settings, chi)
        described = {"Units": "1/s", "Description": f"ready map {Path(args.map).name}"}
        write_volume(args.r2star, rates.data, rates.affine, described)


if __name__ == "__main__":
    main()
