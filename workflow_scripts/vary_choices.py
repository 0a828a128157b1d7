"""Repeat the tests of the headline findings of a contrast or score under every other choice.

The first regions table has the main branch, each further one a branch of the multiverse (another
reconstruction, reference, voxel selection, …); metrics and covariates are varied within. Example:

    python workflow_scripts/vary_choices.py --regions regions.tsv desc-mv1_regions.tsv
        --tests group_tests.tsv --participants participants.tsv --config config/config.yaml
        --contrast progression --desc main --atlas DK --multiverse multiverse.tsv
        --curves specification_curves.tsv
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.statistics.analysis_choices import AnalysisChoices
from qsmiron.statistics.arguments import add_headlines, add_inputs, inputs_of
from qsmiron.statistics.headline_inputs import (
    main_cells,
    read_branches,
    read_choices,
    read_headlines,
)
from qsmiron.statistics.headline_tables import multiverse_tables
from qsmiron.statistics.regressors import regressor_of
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add_inputs(
        add,
        "contrasts, scores, covariates and statistics",
        nargs="+",
        help="regions tables (TSV), the main one first",
    )
    add_headlines(parser)
    add("--analysis", help="JSON object: other covariates and metrics, the config's multiverse")
    add("--choices", default="{}", help="JSON object: desc → stage → what was chosen, in words")
    add("--multiverse", required=True, help="output: every specification (TSV)")
    add("--curves", required=True, help="output: a row per headline finding (TSV)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        analysis = parse_parameters(AnalysisChoices, args.analysis, "--analysis")
        choices = read_choices(args.choices, "--choices")
        data = inputs_of(args)
        cells = main_cells(data, args.regions[0], args.desc, args.atlas, args.prefer)
        branches = read_branches(args.regions[1:], data, cells)
        regressor = regressor_of(data, args.contrast, args.score)
        found = read_headlines(args.tests, regressor, cells.desc, cells.atlas)
        rows, curves = multiverse_tables(found, branches, choices, analysis, regressor, data)
        write_table(rows, args.multiverse, "multiverse")
        write_table(curves, args.curves, "specification_curves")


if __name__ == "__main__":
    main()
