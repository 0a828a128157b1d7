"""Test a two-group contrast in every region and metric.

Two arms: replication (Mann-Whitney) and rigorous (rank ANCOVA with covariates, Freedman-Lane
permutation, Benjamini-Hochberg and max-T within correction sets), with effect sizes and their
bootstrap intervals. Given the quantiles table, the whole χ distribution of every region is tested
as well (metrics wasserstein and wasserstein_centred); without it those rows are absent. Example:

    python workflow_scripts/test_groups.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --contrast progression
        --quantiles results/group/quantiles.tsv --output progression.tsv
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.statistics.arguments import add_calibration, add_inputs, inputs_of
from qsmiron.statistics.calibration_tests import (
    calibration_test_table,
    mark_calibrated,
    read_calibrations,
)
from qsmiron.statistics.cell_tests import cell_test_table
from qsmiron.statistics.distribution_tests import distribution_test_table
from qsmiron.statistics.regressors import contrast_regressors
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add_inputs(add, "contrasts, covariates and statistics")
    add_calibration(add)
    add("--quantiles", help="quantile functions of χ (TSV), for the whole-distribution rows")
    add("--contrast", help="name of one contrast of the config (default: all)")
    add("--output", required=True, help="output: group_tests table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        statistics = data.design.statistics
        regressors = contrast_regressors(data, args.contrast)
        tables = [
            test(part, contrast, data.covariates(part), statistics)
            for contrast in regressors
            for measured, test in (
                (data.cells, cell_test_table),
                (data.functions, distribution_test_table),
            )
            for part in measured
        ]
        table = pd.concat(tables) if tables else pd.DataFrame()
        if args.calibration:
            lines = read_calibrations(args.calibration, statistics.session)
            found = calibration_test_table(regressors, lines, data)
            table = mark_calibrated(table, found, statistics.alpha)
        else:
            found = pd.DataFrame()
        write_table(table, args.output, "group_tests")
        if args.calibration_tests:
            write_table(found, args.calibration_tests, "calibration_tests")


if __name__ == "__main__":
    main()
