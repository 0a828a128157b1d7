"""Draw the specification curves of the headline findings of one contrast or score.

Example:

    python workflow_scripts/draw_specification_curves.py --multiverse multiverse.tsv
        --curves specification_curves.tsv --output results/figures/multiverse.png
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.figures.specification_curves import specification_figure
from qsmiron.figures.style import save_figure
from qsmiron.tables import read_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--multiverse", required=True, help="multiverse table (TSV) of the contrast or score")
    add("--curves", required=True, help="its specification_curves table (TSV)")
    add("--alpha", type=float, default=0.05, help="level of a single test (default: %(default)s)")
    add("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        multiverse = read_table(args.multiverse, "multiverse")
        curves = read_table(args.curves, "specification_curves")
        figure, title, caption = specification_figure(multiverse, curves, args.alpha)
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
