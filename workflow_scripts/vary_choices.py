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
from qsmiron.statistics.headline_inputs import (
    main_cells,
    read_branches,
    read_choices,
    read_headlines,
)
from qsmiron.statistics.headline_tables import multiverse_tables
from qsmiron.statistics.inputs import read_inputs
from qsmiron.statistics.regressors import regressor_of
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--regions", nargs="+", required=True, help="regions tables (TSV), the main one first")
    add("--tests", required=True, help="group_tests or correlations table, for the headlines")
    add("--participants", required=True, help="clinical table (TSV)")
    add("--config", required=True, help="YAML or JSON: contrasts, scores, covariates, statistics")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--contrast", help="name of a contrast of the config")
    which.add_argument("--score", help="name of a score of the config")
    add("--desc", help="variant of the main branch (default: by --prefer)")
    add("--atlas", help="atlas of the headlines (default: by --prefer)")
    add(
        "--prefer",
        nargs="+",
        default=["main", "DK"],
        help="variants and atlases to take before others of the table (default: %(default)s)",
    )
    add("--analysis", help="JSON object: other covariates and metrics, the config's multiverse")
    add("--choices", default="{}", help="JSON object: desc → stage → what was chosen, in words")
    add("--quality", help="quality table (TSV), for covariates of the scans")
    add("--region-voxels", help="region_voxels table (TSV), for the covariate region_volume")
    add("--multiverse", required=True, help="output: every specification (TSV)")
    add("--curves", required=True, help="output: a row per headline finding (TSV)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        analysis = parse_parameters(AnalysisChoices, args.analysis, "--analysis")
        choices = read_choices(args.choices, "--choices")
        data = read_inputs(
            args.regions[0],
            args.participants,
            args.config,
            quality=args.quality,
            region_voxels=args.region_voxels,
        )
        cells = main_cells(data, args.regions[0], args.desc, args.atlas, args.prefer)
        branches = read_branches(args.regions[1:], data, cells)
        regressor = regressor_of(data, args.contrast, args.score)
        found = read_headlines(args.tests, regressor, cells.desc, cells.atlas)
        rows, curves = multiverse_tables(found, branches, choices, analysis, regressor, data)
        write_table(rows, args.multiverse, "multiverse")
        write_table(curves, args.curves, "specification_curves")


if __name__ == "__main__":
    main()
