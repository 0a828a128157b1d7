"""Register template, T1w and GRE of one scan: where does every GRE voxel lie in the template?

All work that needs ANTs is in this job. Of a ready map with a grid of its own, --grid is the map,
in the scanner's coordinates of the magnitude; without a magnitude, in those of the T1w. Example:

    python workflow_scripts/register_subject.py --t1w T1w.nii.gz --magnitude echo-1.nii.gz
        --coordinates coordinates.nii.gz --gre-to-t1w gretot1w.json --tissues tissues.nii.gz
        --quality registration.json
"""

import argparse
import sys

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.ready_maps.placing import result_grid
from qsmiron.registration.scan import RegistrationParameters, Template, register_scan
from qsmiron.registration.stored_scan import write_scan
from qsmiron.template import template_grey_matter, template_t1w, template_white_matter
from qsmiron.volumes import read_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--t1w", required=True, help="T1-weighted image, with or without skull (NIfTI)")
    add("--magnitude", nargs="+", default=[], help="GRE magnitude, one file per echo")
    add("--grid", help="image on whose grid the results lie; needed without --magnitude")
    add("--coordinates", required=True, help="output: template RAS mm of every GRE voxel")
    add("--gre-to-t1w", required=True, help="output: rigid map of GRE points to T1w points (JSON)")
    add("--tissues", required=True, help="output: probabilities of grey, white matter and fluid")
    add("--quality", required=True, help="output: what was measured of the registration (JSON)")
    add("--parameters", help="JSON object that overrides defaults")
    add("--threads", type=int, default=1, help="threads (default: %(default)s)")
    return parser


def main(argv: list[str] | None = None) -> None:
    parser = build_parser()
    args = parser.parse_args(argv)
    if not (args.magnitude or args.grid):
        parser.error("--magnitude or --grid is needed")
    with reported_to_user():
        parameters = parse_parameters(RegistrationParameters, args.parameters, "--parameters")
        magnitude = [read_volume(path) for path in args.magnitude]
        template = Template(
            *map(read_volume, (template_t1w(), template_grey_matter(), template_white_matter()))
        )
        t1w = read_volume(args.t1w)
        grid = result_grid(args.grid, magnitude or [t1w])
        scan = register_scan(t1w, magnitude, template, parameters, args.threads, grid)
        outputs = (args.coordinates, args.gre_to_t1w, args.tissues, args.quality)
        write_scan(scan, grid.affine, template.t1w, *outputs)
        if "failed" in scan.quality:
            print(f"warning: no registration: {scan.quality['failed']}", file=sys.stderr)


if __name__ == "__main__":
    main()
