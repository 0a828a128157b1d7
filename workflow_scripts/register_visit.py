"""Register the GRE of one visit by the template within the participant.

What it writes is what register_subject writes of a scan by itself. Example:

    python workflow_scripts/register_visit.py --image T1w.nii.gz --tissues-of-head tissues.nii.gz
        --displacement displacement.nii.gz --maps visits.json --t1w ses-2_T1w.nii.gz --visit 2
        --magnitude echo-1.nii.gz --coordinates coordinates.nii.gz --gre-to-t1w gretot1w.json
        --tissues tissues.nii.gz --quality registration.json
"""

import argparse
import sys

import numpy as np

from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.ready_maps.placing import result_grid
from qsmiron.registration.scan import RegistrationParameters, failed_scan
from qsmiron.registration.stored_head import HeadFiles, read_head
from qsmiron.registration.stored_scan import write_scan
from qsmiron.registration.visit import register_visit
from qsmiron.template import template_t1w
from qsmiron.volumes import read_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--image", required=True, help="mean of the participant's visits, bias-corrected")
    add("--tissues-of-head", required=True, help="its grey matter, white matter and fluid")
    add("--displacement", required=True, help="its deformation to the template (mm)")
    add("--maps", required=True, help="rigid map of each visit's T1w to it (JSON)")
    add("--visit", required=True, help="label of this visit")
    add("--t1w", help="T1-weighted image of this visit, if it has one")
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
    if not (args.magnitude or (args.grid and args.t1w)):
        parser.error("--magnitude, or --grid and --t1w, is needed")
    with reported_to_user():
        parameters = parse_parameters(RegistrationParameters, args.parameters, "--parameters")
        files = HeadFiles(args.image, args.tissues_of_head, args.displacement, args.maps)
        head, maps = read_head(files)
        magnitude = [read_volume(path) for path in args.magnitude]
        t1w = read_volume(args.t1w) if args.t1w else None
        grid = result_grid(args.grid, [*magnitude, *([t1w] if t1w else [])])
        if "failed" in head.quality:
            scan = failed_scan(grid, head.quality["failed"])
        else:
            if args.t1w and args.visit not in maps:
                found = f"no map of the visit {args.visit!r}"
                remedy = "Average the visits again, this one among them."
                raise InputError(Problem(args.maps, found, f"one of {', '.join(maps)}", remedy))
            to_head = maps.get(args.visit, np.eye(4))
            scan = register_visit(head, t1w, to_head, magnitude, parameters, args.threads, grid)
        outputs = (args.coordinates, args.gre_to_t1w, args.tissues, args.quality)
        write_scan(scan, grid.affine, read_volume(template_t1w()), *outputs)
        if "failed" in scan.quality:
            print(f"warning: no registration: {scan.quality['failed']}", file=sys.stderr)


if __name__ == "__main__":
    main()
