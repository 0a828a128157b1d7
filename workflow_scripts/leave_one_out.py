"""Repeat the tests of the headline findings of a contrast or score without each patient in turn.

Example:

    python workflow_scripts/leave_one_out.py --regions regions.tsv --tests group_tests.tsv
        --participants participants.tsv --config config/config.yaml --contrast progression
        --influence influence.tsv
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.statistics.headline_inputs import main_cells, read_headlines
from qsmiron.statistics.headline_tables import influence_table
from qsmiron.statistics.inputs import read_inputs
from qsmiron.statistics.regressors import regressor_of
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--regions", required=True, help="regions table (TSV)")
    add("--tests", required=True, help="group_tests or correlations table, for the headlines")
    add("--participants", required=True, help="clinical table (TSV)")
    add("--config", required=True, help="YAML or JSON: contrasts, scores, covariates, statistics")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--contrast", help="name of a contrast of the config")
    which.add_argument("--score", help="name of a score of the config")
    add("--desc", help="variant (default: by --prefer)")
    add("--atlas", help="atlas of the headlines (default: by --prefer)")
    add(
        "--prefer",
        nargs="+",
        default=["main", "DK"],
        help="variants and atlases to take before others of the table (default: %(default)s)",
    )
    add("--quality", help="quality table (TSV), for covariates of the scans")
    add("--region-voxels", help="region_voxels table (TSV), for the covariate region_volume")
    add("--influence", required=True, help="output: a row per headline and patient (TSV)")
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
        cells = main_cells(data, args.regions, args.desc, args.atlas, args.prefer)
        regressor = regressor_of(data, args.contrast, args.score)
        found = read_headlines(args.tests, regressor, cells.desc, cells.atlas)
        table = influence_table(found, cells, data.covariates(cells), regressor)
        write_table(table, args.influence, "influence")


if __name__ == "__main__":
    main()
