"""Draw the quality page of one subject: masks, χ, labels, R2* and local field on one PNG.

Example:

    python workflow_scripts/draw_subject.py --chi chi.nii.gz --magnitude echo1.nii.gz
        --labels dseg.nii.gz --brain-mask brain.nii.gz --reliable-mask reliable.nii.gz
        --r2star r2star.nii.gz --field local.nii.gz --participant sub-01 --output sub-01.png
"""

import argparse

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.figures.nuclei import nuclei_of
from qsmiron.figures.quality_page import PAGE_DPI, SubjectMaps, quality_page
from qsmiron.figures.style import save_figure
from qsmiron.volumes import check_same_grid, read_mask, read_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, help="referenced susceptibility map (NIfTI, ppm)")
    add("--magnitude", required=True, help="magnitude of the first echo, same grid")
    add("--brain-mask", required=True, help="brain mask, same grid")
    add("--reliable-mask", required=True, help="where the local field is reliable, same grid")
    add("--r2star", help="R2* map (1/s), same grid; a single echo has none")
    add("--labels", help="atlas labels, same grid; without them no outlines are drawn")
    add("--label-table", help="TSV: index, name[, hemisphere]; default: the TSV beside --labels")
    add("--field", help="local field (ppm), same grid")
    add("--participant", required=True, help="participant_id, shown on the page")
    add("--output", required=True, help="output: the page (PNG)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        chi = read_volume(args.chi)
        maps = SubjectMaps(
            magnitude=read_volume(args.magnitude),
            chi=chi,
            brain=read_mask(args.brain_mask, like=chi),
            reliable=read_mask(args.reliable_mask, like=chi),
            r2star=read_volume(args.r2star) if args.r2star else None,
            labels=read_volume(args.labels, dtype=np.int32) if args.labels else None,
            field=read_volume(args.field) if args.field else None,
        )
        for name in ("magnitude", "r2star", "labels", "field"):
            if (volume := getattr(maps, name)) is not None:
                check_same_grid(volume, chi, getattr(args, name))
        nuclei = nuclei_of(args.labels, args.label_table) if args.labels else {}
        page = quality_page(maps, nuclei, args.participant)
        save_figure(page[0], args.output, *page[1:], svg=False, dpi=PAGE_DPI)


if __name__ == "__main__":
    main()
