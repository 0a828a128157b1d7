"""Correlate clinical scores with every region and metric.

Two arms: replication (Spearman) and rigorous (partial Spearman with covariates, Freedman-Lane
permutation, Benjamini-Hochberg and max-T within correction sets), with bootstrap intervals of rho.
Example:

    python workflow_scripts/correlate_scores.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --score alsfrs_r
        --output alsfrs_r.tsv
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
from qsmiron.statistics.regressors import score_regressors
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add_inputs(add, "scores, covariates and statistics")
    add_calibration(add)
    add("--score", help="one score (column) of the config (default: all)")
    add("--output", required=True, help="output: correlations table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        statistics = data.design.statistics
        regressors = score_regressors(data, args.score)
        tables = [
            cell_test_table(cells, score, data.covariates(cells), statistics)
            for score in regressors
            for cells in data.cells
        ]
        table = pd.concat(tables) if tables else pd.DataFrame()
        if args.calibration:
            lines = read_calibrations(args.calibration, statistics.session)
            found = calibration_test_table(regressors, lines, data)
            table = mark_calibrated(table, found, statistics.alpha)
        else:
            found = pd.DataFrame()
        write_table(table, args.output, "correlations")
        if args.calibration_tests:
            write_table(found, args.calibration_tests, "calibration_tests")


if __name__ == "__main__":
    main()
