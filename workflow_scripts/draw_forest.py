"""Draw the largest effects of one contrast or score with their intervals, as a forest plot.

Example:

    python workflow_scripts/draw_forest.py --tests results/group/group_tests.tsv
        --contrast progression --output results/figures/forest.png
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.figures.forest import forest_figure
from qsmiron.figures.style import save_figure
from qsmiron.tables import read_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--tests", required=True, help="group_tests or correlations table (TSV)")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--contrast", help="name of a contrast")
    which.add_argument("--score", help="name of a score")
    add("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        kind, table = ("score", "correlations") if args.score else ("contrast", "group_tests")
        tests = read_table(args.tests, table)
        figure, title, caption = forest_figure(tests, kind, args.score or args.contrast)
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
