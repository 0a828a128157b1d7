"""Test designs beyond two groups in every region and metric: more levels, trends, interactions.

Rank models with the design's covariates and Freedman-Lane permutation: an omnibus F, every pair of
levels (corrected together), the trend of ordered levels; interactions of a contrast with a number.
Example:

    python workflow_scripts/test_models.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --model stage --output stage.tsv
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.statistics.arguments import add_inputs, inputs_of
from qsmiron.statistics.model_tests import model_test_table
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add_inputs(add, "contrasts, models, covariates and statistics")
    add("--model", help="name of one model of the config (default: all)")
    add("--output", required=True, help="output: model_tests table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        tables = [
            model_test_table(data, name, cells)
            for name in data.design.pick_models(args.model, args.config)
            for cells in data.cells
        ]
        write_table(pd.concat(tables) if tables else pd.DataFrame(), args.output, "model_tests")


if __name__ == "__main__":
    main()
