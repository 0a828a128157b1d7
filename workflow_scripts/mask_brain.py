"""Mask the brain on the grid of the GRE: the template's brain, where the magnitude has signal.

Without template coordinates (no T1w) the mask comes from the magnitude alone. Example:

    python workflow_scripts/mask_brain.py --magnitude echo-1.nii.gz --coordinates coordinates.nii.gz
        --mask sub-01_label-brain_desc-main_mask.nii.gz
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.masks.gre import GreMaskParameters, mask_from_magnitude, mask_from_template
from qsmiron.parameters import parse_parameters
from qsmiron.registration.coordinates import read_coordinates
from qsmiron.registration.within_subject import combine_echoes
from qsmiron.template import template_t1w
from qsmiron.volumes import Volume, check_same_grid, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--magnitude", nargs="+", required=True, help="GRE magnitude, one file per echo")
    add("--coordinates", help="template coordinates of every GRE voxel")
    add("--mask", required=True, help="output: brain mask; the sidecar goes beside it")
    add("--parameters", help="JSON object that overrides defaults")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(GreMaskParameters, args.parameters, "--parameters")
        echoes = [read_volume(path) for path in args.magnitude]
        gre = Volume(combine_echoes([echo.data for echo in echoes]), echoes[0].affine)
        if args.coordinates:
            coordinates = read_coordinates(args.coordinates)
            check_same_grid(coordinates, gre, args.coordinates)
            mask = mask_from_template(
                gre, coordinates.data, read_volume(template_t1w()), parameters
            )
            origin = "template brain through the registration, where the magnitude has signal"
        else:
            mask = mask_from_magnitude(gre, parameters)
            origin = "magnitude alone"
        write_volume(args.mask, mask, gre.affine, {"Type": "Brain", "Description": origin})


if __name__ == "__main__":
    main()
