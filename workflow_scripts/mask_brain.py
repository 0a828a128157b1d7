"""Mask the brain on the grid of the GRE: its surface in the T1w, where the magnitude has signal.

The surface is looked for near the template's brain; without --t1w that brain itself is the mask.
Without template coordinates (no T1w, or its registration gave up) the mask comes from the
magnitude alone; a mask of your own is taken as it is, if it lies on the GRE grid and is binary.
Of a ready map, --extent has the grid, and without coordinates and magnitude the brain as well.
Example:

    python workflow_scripts/mask_brain.py --magnitude echo-1.nii.gz --coordinates coordinates.nii.gz
        --t1w T1w.nii.gz --gre-to-t1w gretot1w.json --mask sub-01_label-brain_desc-main_mask.nii.gz
"""

import argparse
from pathlib import Path

import numpy as np
from scipy import ndimage

from qsmiron.errors import reported_to_user
from qsmiron.masks import EXTRACTORS
from qsmiron.masks.gre import GreMaskParameters, brain_of, mask_from_t1w, mask_from_template
from qsmiron.masks.surface import TemplateBrain
from qsmiron.masks.user import read_user_mask
from qsmiron.methods import get_method
from qsmiron.parameters import parse_parameters
from qsmiron.registration.coordinates import is_registered, read_coordinates
from qsmiron.registration.rigid_map import read_rigid_map
from qsmiron.registration.within_subject import combine_echoes
from qsmiron.template import template_grey_matter, template_t1w, template_white_matter
from qsmiron.volumes import Volume, check_same_grid, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--magnitude", nargs="+", default=[], help="GRE magnitude, one file per echo")
    add("--extent", help="mask of where a ready map has values; needed without --magnitude")
    add("--coordinates", help="template coordinates of every GRE voxel")
    add("--t1w", help="T1-weighted image in which the surface is looked for")
    add("--gre-to-t1w", help="rigid map of GRE points to T1w points (JSON), with --t1w")
    add("--user-mask", help="your own brain mask on the GRE grid, in place of a computed one")
    add(
        "--extractor",
        default="brightness",
        help=f"without coordinates: {', '.join(EXTRACTORS)} (default: %(default)s)",
    )
    add("--mask", required=True, help="output: brain mask; the sidecar goes beside it")
    add("--parameters", help="JSON object that overrides defaults")
    return parser


def read_gre(magnitude: list[str], extent: Volume | None) -> Volume:
    """The echoes' magnitude in one; without any, one value everywhere: nothing lacks signal."""
    echoes = [read_volume(path) for path in magnitude]
    for path, echo in zip(magnitude, echoes, strict=True):
        check_same_grid(echo, extent or echoes[0], path)
    if not echoes:
        return Volume(np.ones_like(extent.data), extent.affine)
    return Volume(combine_echoes([echo.data for echo in echoes]), echoes[0].affine)


def main(argv: list[str] | None = None) -> None:
    parser = build_parser()
    args = parser.parse_args(argv)
    if not (args.magnitude or args.extent):
        parser.error("--magnitude or --extent is needed")
    with reported_to_user():
        parameters = parse_parameters(GreMaskParameters, args.parameters, "--parameters")
        extent = read_volume(args.extent) if args.extent else None
        gre = read_gre(args.magnitude, extent)
        coordinates = read_coordinates(args.coordinates) if args.coordinates else None
        if args.user_mask:
            mask = read_user_mask(args.user_mask, gre)
            origin = f"given by the user: {Path(args.user_mask).name}"
        elif coordinates is not None and is_registered(coordinates.data):
            check_same_grid(coordinates, gre, args.coordinates)
            template = read_volume(template_t1w())
            if args.t1w and args.gre_to_t1w:
                brain = mask_from_t1w(
                    gre,
                    read_volume(args.t1w),
                    read_rigid_map(args.gre_to_t1w),
                    coordinates,
                    TemplateBrain(
                        Volume(brain_of(template), template.affine),
                        read_volume(template_grey_matter()),
                        read_volume(template_white_matter()),
                    ),
                    parameters,
                )
                mask, origin = brain, "surface in the T1w, where the magnitude has signal"
            else:
                mask = mask_from_template(gre, coordinates.data, template, parameters)
                origin = "template brain through the registration, where the magnitude has signal"
        elif not args.magnitude:
            mask = ndimage.binary_fill_holes(extent.data > 0)
            origin = "where the ready map has values, its holes filled"
        else:
            _, extract = get_method(EXTRACTORS, args.extractor).load()
            mask = extract(gre, parameters)
            origin = f"magnitude alone, by {args.extractor}"
        write_volume(args.mask, mask, gre.affine, {"Type": "Brain", "Description": origin})


if __name__ == "__main__":
    main()
