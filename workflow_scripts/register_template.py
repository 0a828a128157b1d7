"""Register the template that an atlas belongs to with the default one, once for the study.

Example: python workflow_scripts/register_template.py --template ch2.nii.gz
    --template-map atlas-AAL_templatemap.nii.gz
"""

import argparse
import sys
from pathlib import Path

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.registration.between_templates import map_between_templates
from qsmiron.registration.coordinates import write_coordinates
from qsmiron.registration.itk_bridge import ants_session
from qsmiron.registration.scan import RegistrationParameters
from qsmiron.template import template_t1w
from qsmiron.volumes import read_volume

POOR_FIT = 0.45


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--template", required=True, help="T1w template, with or without skull (NIfTI)")
    add(
        "--template-map",
        required=True,
        help="output: its RAS mm at every voxel of the default template",
    )
    add("--parameters", help="JSON object that overrides defaults of the registration")
    add("--threads", type=int, default=1, help="threads (default: %(default)s)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(RegistrationParameters, args.parameters, "--parameters")
        default, other = read_volume(template_t1w()), read_volume(args.template)
        with ants_session(args.threads, parameters.seed) as session:
            points, fit = map_between_templates(session, default, other, parameters.template)
        write_coordinates(args.template_map, points, default.affine, space=Path(args.template).name)
        print(f"local correlation of the two templates: {fit:.3f}")
        if fit < POOR_FIT:
            print(f"warning: {args.template}: agrees poorly with the default", file=sys.stderr)


if __name__ == "__main__":
    main()
