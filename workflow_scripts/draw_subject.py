"""Draw the quality page of one subject: T1w with the template, masks, χ, labels, R2*, local field.

Example:

    python workflow_scripts/draw_subject.py --chi chi.nii.gz --magnitude echo1.nii.gz
        --labels dseg.nii.gz --brain-mask brain.nii.gz --reliable-mask reliable.nii.gz
        --t1w T1w.nii.gz --gre-to-t1w gre_to_t1w.json --coordinates coordinates.nii.gz
        --r2star r2star.nii.gz --field local.nii.gz --participant sub-01 --output sub-01.png
"""

import argparse

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.figures.nuclei import nuclei_of
from qsmiron.figures.quality_page import PAGE_DPI, SubjectMaps, quality_page
from qsmiron.figures.style import save_figure
from qsmiron.registration.coordinates import read_coordinates
from qsmiron.registration.rigid_map import read_rigid_map
from qsmiron.spaces import apply_affine, grid_points, look_up
from qsmiron.template import template_t1w, template_white_matter
from qsmiron.volumes import Volume, check_same_grid, read_mask, read_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, help="referenced susceptibility map (NIfTI, ppm)")
    add("--magnitude", help="magnitude of the first echo, same grid")
    add("--brain-mask", required=True, help="brain mask, same grid")
    add("--reliable-mask", required=True, help="where the local field is reliable, same grid")
    add("--r2star", help="R2* map (1/s), same grid; a single echo has none")
    add("--paramagnetic", help="χ⁺ (ppm), same grid")
    add("--diamagnetic", help="χ⁻ (ppm), same grid")
    add("--labels", help="atlas labels, same grid; without them no outlines are drawn")
    add("--label-table", help="TSV: index, name[, hemisphere]; default: the TSV beside --labels")
    add("--field", help="local field (ppm), same grid")
    add("--t1w", help="T1w image, on its own grid; needs --gre-to-t1w")
    add("--gre-to-t1w", help="rigid map of GRE points to T1w points (JSON)")
    add("--coordinates", help="template coordinates of every GRE voxel, to outline it on the T1w")
    add("--participant", required=True, help="participant_id, shown on the page")
    add("--output", required=True, help="output: the page (PNG)")
    return parser


def t1w_on_grid(t1w: str, gre_to_t1w: str, like: Volume) -> Volume:
    """The T1w image looked up on the grid of ``like``."""
    image = read_volume(t1w)
    points = apply_affine(read_rigid_map(gre_to_t1w), grid_points(like.data.shape, like.affine))
    return Volume(look_up(image.data, image.affine, points), like.affine)


def template_on_grid(coordinates: str, like: Volume) -> tuple[Volume, Volume]:
    """Probabilities 0–1 of the template's brain and of its white matter on the grid of ``like``."""
    points = read_coordinates(coordinates)
    check_same_grid(points, like, coordinates)
    brain = read_volume(template_t1w())
    white = read_volume(template_white_matter())
    return (
        Volume(look_up((brain.data > 0) * 1.0, brain.affine, points.data), like.affine),
        Volume(look_up(white.data / 255, white.affine, points.data), like.affine),
    )


def main(argv: list[str] | None = None) -> None:
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.t1w and not args.gre_to_t1w:
        parser.error("--t1w needs --gre-to-t1w")
    with reported_to_user():
        chi = read_volume(args.chi)
        t1w = t1w_on_grid(args.t1w, args.gre_to_t1w, chi) if args.t1w else None
        template = (None, None)
        if args.t1w and args.coordinates:
            template = template_on_grid(args.coordinates, chi)
        maps = SubjectMaps(
            magnitude=read_volume(args.magnitude) if args.magnitude else None,
            chi=chi,
            brain=read_mask(args.brain_mask, like=chi),
            reliable=read_mask(args.reliable_mask, like=chi),
            r2star=read_volume(args.r2star) if args.r2star else None,
            labels=read_volume(args.labels, dtype=np.int32) if args.labels else None,
            field=read_volume(args.field) if args.field else None,
            paramagnetic=read_volume(args.paramagnetic) if args.paramagnetic else None,
            diamagnetic=read_volume(args.diamagnetic) if args.diamagnetic else None,
            t1w=t1w,
            template_brain=template[0],
            template_white=template[1],
        )
        for name in ("magnitude", "r2star", "labels", "field", "paramagnetic", "diamagnetic"):
            if (volume := getattr(maps, name)) is not None:
                check_same_grid(volume, chi, getattr(args, name))
        nuclei = nuclei_of(args.labels, args.label_table) if args.labels else {}
        page = quality_page(maps, nuclei, args.participant)
        save_figure(page[0], args.output, *page[1:], svg=False, dpi=PAGE_DPI)


if __name__ == "__main__":
    main()
