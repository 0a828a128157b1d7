"""Repeat the tests of the headline findings of a contrast or score without each patient in turn.

Example:

    python workflow_scripts/leave_one_out.py --regions regions.tsv --tests group_tests.tsv
        --participants participants.tsv --config config/config.yaml --contrast progression
        --influence influence.tsv
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.statistics.arguments import add_headlines, add_inputs, inputs_of
from qsmiron.statistics.headline_inputs import main_cells, read_headlines
from qsmiron.statistics.headline_tables import influence_table
from qsmiron.statistics.regressors import regressor_of
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add_inputs(add, "contrasts, scores, covariates and statistics")
    add_headlines(parser)
    add("--influence", required=True, help="output: a row per headline and patient (TSV)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        cells = main_cells(data, args.regions, args.desc, args.atlas, args.prefer)
        regressor = regressor_of(data, args.contrast, args.score)
        found = read_headlines(args.tests, regressor, cells.desc, cells.atlas)
        table = influence_table(found, cells, data.covariates(cells), regressor)
        write_table(table, args.influence, "influence")


if __name__ == "__main__":
    main()
