"""Draw rates of change: a forest of regions with their intervals, and the rates over the brain.

Example:

    python workflow_scripts/draw_rates.py --change change.tsv --part time
        --forest results/figures/rates_time.png --brain results/figures/ratemaps_time.png
"""

import argparse
from pathlib import Path

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.figures.cells import one_variant
from qsmiron.figures.change import rates_figure, rates_on_brain_figure
from qsmiron.figures.style import save_figure
from qsmiron.regions.label_table import read_label_table
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
    add("--change", required=True, help="change table of the part (TSV)")
    add("--part", required=True, help="time, or contrast-NAME")
    add("--atlas-name", help="label of the atlas in the tests (default: the first one)")
    add("--atlas", help="label image in template space (default: Desikan-Killiany)")
    add("--label-table", default=LABEL_TABLE, help="its names (default: Desikan-Killiany's)")
    add("--template", help="T1w template, brain only (default: MNI ICBM152 2009a)")
    add("--forest", required=True, help="output: PNG of the forest; the SVG goes beside it")
    add("--brain", required=True, help="output: PNG of the brain; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        tests = read_table(args.change, "change")
        name = args.part.partition("-")[2] or "everybody"
        figure, title, caption = rates_figure(one_variant(tests), name)
        save_figure(figure, args.forest, title, caption)
        figure, title, caption = rates_on_brain_figure(
            tests,
            name,
            read_volume(args.template or template_t1w()),
            read_volume(args.atlas or desikan_killiany(), dtype=np.int32),
            read_label_table(args.label_table),
            args.atlas_name,
        )
        save_figure(figure, args.brain, title, caption)


if __name__ == "__main__":
    main()
