"""Average the T1w of a participant's visits, and register the study's template with the mean.

Each visit is moved rigidly to a space halfway between all. All work that needs ANTs and is not of
one visit alone is in this job. Example:

    python workflow_scripts/average_visits.py --t1w ses-1_T1w.nii.gz ses-2_T1w.nii.gz
        --visits 1 2 --mean mean_T1w.nii.gz --image T1w.nii.gz --tissues tissues.nii.gz
        --displacement displacement.nii.gz --maps visits.json
"""

import argparse
import sys

import numpy as np

from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.registration.itk_bridge import ants_session
from qsmiron.registration.scan import (
    GAVE_UP,
    RegistrationParameters,
    Template,
    check_contrast,
    register_head,
)
from qsmiron.registration.stored_head import HeadFiles, write_failed_head, write_head
from qsmiron.registration.within_subject_template import average_visits
from qsmiron.template import template_grey_matter, template_t1w, template_white_matter
from qsmiron.volumes import read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--t1w", nargs="+", required=True, help="T1-weighted image of each visit (NIfTI)")
    add("--visits", nargs="+", required=True, help="their labels, in the same order")
    add("--mean", required=True, help="output: the mean head, with all around the brain")
    add("--image", required=True, help="output: its brain's surroundings, bias-corrected")
    add("--tissues", required=True, help="output: its grey matter, white matter and fluid")
    add("--displacement", required=True, help="output: its deformation to the template (mm)")
    add("--maps", required=True, help="output: rigid map of each visit's T1w to it (JSON)")
    add("--parameters", help="JSON object that overrides defaults of the registration")
    add("--threads", type=int, default=1, help="threads (default: %(default)s)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(RegistrationParameters, args.parameters, "--parameters")
        if len(args.visits) != len(args.t1w):
            found, expected = f"{len(args.visits)} labels", f"{len(args.t1w)}, one for each --t1w"
            raise InputError(Problem("--visits", found, expected, "Name every visit once."))
        visits = [read_volume(path) for path in args.t1w]
        template = Template(
            *map(read_volume, (template_t1w(), template_grey_matter(), template_white_matter()))
        )
        files = HeadFiles(args.image, args.tissues, args.displacement, args.maps)
        try:
            for path, visit in zip(args.t1w, visits, strict=True):
                check_contrast(path, visit)
            with ants_session(args.threads, parameters.seed) as session:
                mean = average_visits(
                    session,
                    visits,
                    template.t1w,
                    parameters.template,
                    parameters.rigid,
                    parameters.visits,
                )
                head = register_head(session, mean.image, template, parameters)
        except GAVE_UP as error:
            print(f"warning: no registration: {error}", file=sys.stderr)
            write_volume(args.mean, np.zeros((1, 1, 1), np.float32), np.eye(4))
            write_failed_head(files, str(error))
            return
        about = {"Description": "Median of the visits' T1w, halfway between all"}
        write_volume(args.mean, mean.image.data, mean.image.affine, about)
        to_head = map(np.linalg.inv, mean.to_visits)
        write_head(files, head, dict(zip(args.visits, to_head, strict=True)))


if __name__ == "__main__":
    main()
