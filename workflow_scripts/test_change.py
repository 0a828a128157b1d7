"""Test change over time in every region and metric, of participants with several sessions.

Mixed models of all scans (Satterthwaite's degrees of freedom), rates of each participant against
groups, scores and their change (permutation of whole participants), the baseline of who drops out,
and repeatability. The visits (months since baseline, scores) come from the tables beside
participants.tsv, or from a clinical table with a row per visit. Example:

    python workflow_scripts/test_change.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --part contrast-progression
        --output change.tsv
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.statistics.change.change_table import change_table
from qsmiron.statistics.change.scans import read_change_inputs
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--regions", required=True, help="regions table (TSV) with several sessions")
    add("--participants", required=True, help="clinical table (TSV)")
    add("--config", required=True, help="YAML or JSON: change, contrasts, covariates, statistics")
    add(
        "--part",
        required=True,
        help="time, contrast-NAME, score-NAME, predictor-NAME, dropout or repeats",
    )
    add("--quality", help="quality table (TSV), for covariates of the scans")
    add("--region-voxels", help="region_voxels table (TSV), for the covariate region_volume")
    add("--output", required=True, help="output: change table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        inputs = read_change_inputs(
            args.regions, args.participants, args.config, args.quality, args.region_voxels
        )
        write_table(change_table(inputs, args.part), args.output, "change")


if __name__ == "__main__":
    main()
