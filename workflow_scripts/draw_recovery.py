"""Draw the planted against the recovered effects of the demo cohort, with intervals.

Example:

    python workflow_scripts/draw_recovery.py --recovery results/group/recovery.tsv
        --output results/figures/recovery.png
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.figures.recovery import recovery_figure
from qsmiron.figures.style import save_figure
from qsmiron.tables import read_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recovery", required=True, help="recovery table (TSV)")
    parser.add_argument("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        figure, title, caption = recovery_figure(read_table(args.recovery, "recovery"))
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
