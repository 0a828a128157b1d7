"""Draw effects over the brain: atlas regions on template slices, coloured by Cliff's δ.

Example:

    python workflow_scripts/draw_effects.py --group-tests group_tests.tsv
        --contrast progression --output results/figures/effects_progression.png
"""

import argparse
from pathlib import Path

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.figures.effects import effects_figure
from qsmiron.figures.style import save_figure
from qsmiron.regions.label_table import read_label_table
from qsmiron.statistics.multiplicity import PRIMARY_METRICS
from qsmiron.tables import read_table
from qsmiron.template import desikan_killiany, template_t1w
from qsmiron.volumes import read_volume

LABEL_TABLE = Path(__file__).parents[1] / "config/atlases/DesikanKilliany.tsv"
"""The regions of the default label image."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--group-tests", required=True, help="group tests of the contrast (TSV)")
    add("--contrast", required=True, help="name of the contrast")
    add(
        "--metric",
        nargs="+",
        default=list(PRIMARY_METRICS.values()),
        help="metrics, one row each (default: the primary metric of every family)",
    )
    add("--atlas-name", help="label of the atlas in the tests (default: the first one)")
    add("--atlas", help="label image in template space (default: Desikan-Killiany)")
    add("--label-table", default=LABEL_TABLE, help="its names (default: Desikan-Killiany's)")
    add("--template", help="T1w template, brain only (default: MNI ICBM152 2009a)")
    add("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        figure, title, caption = effects_figure(
            read_table(args.group_tests, "group_tests"),
            args.contrast,
            args.metric,
            read_volume(args.template or template_t1w()),
            read_volume(args.atlas or desikan_killiany(), dtype=np.int32),
            read_label_table(args.label_table),
            args.atlas_name,
        )
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
