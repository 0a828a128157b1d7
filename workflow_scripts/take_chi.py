"""Take a ready map of susceptibility: convert it to ppm and say where it has values.

Its unit is that of --settings or of its sidecar (Units); its grid stays. Example:

    python workflow_scripts/take_chi.py --map sub-01_Chimap.nii.gz --chi chi.nii.gz
        --mask reliable.nii.gz --settings '{"units": "ppb", "reference": "csf"}'
"""

import argparse
from pathlib import Path

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.ready_maps.reading import read_chi
from qsmiron.ready_maps.settings import UNREFERENCED, MapSettings
from qsmiron.volumes import write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--map", required=True, metavar="NII", help="the ready map; NaN or 0: no value")
    add("--chi", required=True, metavar="NII", help="output: susceptibility (ppm), as it came")
    add("--mask", required=True, metavar="NII", help="output: where the map has values")
    add("--settings", metavar="JSON", help="units and the like of the config block maps")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        settings = parse_parameters(MapSettings, args.settings, "--settings")
        ready = read_chi(args.map, settings)
        name, affine = Path(args.map).name, ready.volume.affine
        described = {
            "Units": "ppm",
            "ReferenceRegion": ready.reference or UNREFERENCED,
            "Description": f"ready map {name}, in {ready.unit}",
        }
        write_volume(args.chi, ready.volume.data, affine, described)
        origin = {"Type": "Brain", "Description": f"where the ready map {name} has values"}
        write_volume(args.mask, ready.inside, affine, origin)


if __name__ == "__main__":
    main()
