"""Draw the susceptibility map of a subject in three planes, with contours of the deep nuclei.

Example:

    python workflow_scripts/draw_chi_maps.py --chi chi.nii.gz --labels dseg.nii.gz
        --label-table dseg.tsv --participant sub-01 --output results/figures/chi_maps.png
"""

import argparse

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.figures.chi_maps import chi_maps_figure
from qsmiron.figures.nuclei import nuclei_of
from qsmiron.figures.style import save_figure
from qsmiron.volumes import check_same_grid, read_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, help="referenced susceptibility map (NIfTI, ppm)")
    add("--labels", required=True, help="label image on the grid of --chi")
    add("--label-table", help="TSV: index, name[, hemisphere]; default: the TSV beside --labels")
    add("--participant", required=True, help="participant_id, shown in the caption")
    add("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        chi, labels = read_volume(args.chi), read_volume(args.labels, dtype=np.int32)
        check_same_grid(labels, chi, args.labels)
        nuclei = nuclei_of(args.labels, args.label_table)
        figure, title, caption = chi_maps_figure(chi, labels, nuclei, args.participant)
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
