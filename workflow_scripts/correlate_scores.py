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
from qsmiron.statistics.correlations import correlation_table
from qsmiron.statistics.groups import get_numeric
from qsmiron.statistics.inputs import read_inputs
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--regions", required=True, help="regions table (TSV)")
    add("--participants", required=True, help="clinical table (TSV)")
    add(
        "--config",
        required=True,
        help="YAML or JSON; its blocks scores, covariates and statistics are used",
    )
    add("--score", help="one score (column) of the config (default: all)")
    add("--quality", help="quality table (TSV), for covariates of the scans")
    add("--region-voxels", help="region_voxels table (TSV), for the covariate region_volume")
    add("--output", required=True, help="output: correlations table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = read_inputs(
            args.regions,
            args.participants,
            args.config,
            quality=args.quality,
            region_voxels=args.region_voxels,
        )
        tables = []
        for score in data.design.pick_scores(args.score, args.config):
            values = get_numeric(data.clinical, score, args.participants)
            tables += [
                correlation_table(
                    cells, score, values, data.covariates(cells), data.design.statistics
                )
                for cells in data.cells
            ]
        write_table(pd.concat(tables) if tables else pd.DataFrame(), args.output, "correlations")


if __name__ == "__main__":
    main()
