"""Estimate how often the group tests find something when the group labels are shuffled.

The labels are permuted over the measured table; for each contrast, arm and metric the share of
regions with p at or below alpha is given, with a 99 % interval that accounts for correlated
regions. Example:

    python workflow_scripts/estimate_null_rates.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --output null_rates.tsv
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.statistics.arguments import add_inputs, inputs_of
from qsmiron.statistics.null_rates import null_rate_table
from qsmiron.statistics.regressors import contrast_regressors
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add_inputs(add, "contrasts, covariates and statistics")
    add("--contrast", help="name of one contrast of the config (default: all)")
    add("--output", required=True, help="output: null_rates table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        tables = [
            null_rate_table(cells, contrast, data.covariates(cells), data.design.statistics)
            for contrast in contrast_regressors(data, args.contrast)
            for cells in data.cells
        ]
        write_table(pd.concat(tables) if tables else pd.DataFrame(), args.output, "null_rates")


if __name__ == "__main__":
    main()
