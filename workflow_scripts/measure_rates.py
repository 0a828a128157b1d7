"""Measure each participant's rate of change in every region and metric, with its standard error.

Example:

    python workflow_scripts/measure_rates.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --output results/group/rates.tsv
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.statistics.change.rates import rates_table
from qsmiron.statistics.change.scans import read_change_inputs
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--regions", required=True, help="regions table (TSV) with several sessions")
    add("--participants", required=True, help="clinical table (TSV), with its visits beside it")
    add("--config", required=True, help="YAML or JSON with the block change")
    add("--output", required=True, help="output: rates table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        inputs = read_change_inputs(args.regions, args.participants, args.config)
        write_table(rates_table(inputs), args.output, "rates")


if __name__ == "__main__":
    main()
