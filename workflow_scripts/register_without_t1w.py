"""Register the template with a scan that has no T1w, by a hybrid contrast of its R2* and χ.

The outputs are those of register_subject.py; the labels that are carried by them are less exact.
Example:

    python workflow_scripts/register_without_t1w.py --chi chi.nii.gz --r2star R2starmap.nii.gz
        --mask mask.nii.gz --coordinates coordinates.nii.gz --gre-to-t1w gretot1w.json
        --tissues tissues.nii.gz --quality registration.json
"""

import argparse
import sys

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.registration.hybrid import HybridParameters, register_without_t1w
from qsmiron.registration.scan import RegistrationParameters, Template
from qsmiron.registration.stored_scan import write_scan
from qsmiron.template import template_grey_matter, template_t1w, template_white_matter
from qsmiron.volumes import check_same_grid, read_mask, read_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, help="χ (ppm), relative to anything; NaN counts as missing")
    add("--r2star", required=True, help="R2* (1/s) on the grid of --chi")
    add("--mask", required=True, help="brain mask on that grid")
    add("--coordinates", required=True, help="output: template RAS mm of every voxel")
    add("--gre-to-t1w", required=True, help="output: the identity, as there is no T1w (JSON)")
    add("--tissues", required=True, help="output: probabilities of grey, white matter and fluid")
    add("--quality", required=True, help="output: what was measured of the registration (JSON)")
    add("--parameters", help="JSON object that overrides defaults of the registration")
    add("--hybrid", help="JSON object that overrides defaults of the hybrid contrast")
    add("--threads", type=int, default=1, help="threads (default: %(default)s)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(RegistrationParameters, args.parameters, "--parameters")
        hybrid = parse_parameters(HybridParameters, args.hybrid, "--hybrid")
        chi, r2star = (read_volume(path, finite=False) for path in (args.chi, args.r2star))
        check_same_grid(r2star, chi, args.r2star)
        brain = read_mask(args.mask, chi)
        template = Template(
            *map(read_volume, (template_t1w(), template_grey_matter(), template_white_matter()))
        )
        scan = register_without_t1w(
            chi, r2star.data, brain, template, parameters, hybrid, args.threads
        )
        outputs = (args.coordinates, args.gre_to_t1w, args.tissues, args.quality)
        write_scan(scan, chi.affine, template.t1w, *outputs)
        if "failed" in scan.quality:
            print(f"warning: no registration: {scan.quality['failed']}", file=sys.stderr)


if __name__ == "__main__":
    main()
