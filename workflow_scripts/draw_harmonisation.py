"""Draw what harmonising did to the sites: mean and spread of every region, before and after.

Example:

    python workflow_scripts/draw_harmonisation.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml
        --output results/figures/harmonisation.png
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.figures.harmonisation import harmonisation_figure
from qsmiron.figures.style import save_figure
from qsmiron.statistics.arguments import add_inputs, inputs_of
from qsmiron.statistics.headline_inputs import main_cells


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_inputs(parser.add_argument, "covariates and statistics")
    parser.add_argument("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        cells = main_cells(data, args.regions, preferred=["main", "DK"])
        harmonised = data.harmonised(cells, "combat")
        sites, names = data.sites(cells.participants)
        figure, title, caption = harmonisation_figure(
            harmonised, sites, names, data.protected(cells)
        )
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
