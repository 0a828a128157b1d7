"""Gather what was measured of each scan into one table, with flags for what deserves a look.

Example: python workflow_scripts/gather_quality.py --results results --scans "sub-01|sub-01|5|3"
    --desc main --regions results/group/regions.tsv
    --region-voxels results/group/region_voxels.tsv --output results/group/quality.tsv

Arguments may stand in a file, one a line: @arguments.txt.
"""

import argparse
from itertools import product

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.failures import read_failure
from qsmiron.parameters import parse_parameters
from qsmiron.quality import (
    QualityParameters,
    failed_row,
    quality_row,
    read_scan,
    row_without_phase,
)
from qsmiron.results import Results
from qsmiron.tables import read_table, write_table
from qsmiron.visit_quality import VisitParameters, flag_visits
from qsmiron.volume_outliers import volume_scores


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        fromfile_prefix_chars="@",
    )
    add = parser.add_argument
    add("--results", required=True, help="results folder")
    add("--scans", nargs="+", required=True, help="folder|entities|number of echoes|first sidecar")
    add("--desc", nargs="+", required=True, help="variants")
    add("--regions", required=True, help="regions table (TSV)")
    add("--region-voxels", help="table of the regions' volumes (TSV), to compare the scans by")
    add("--failures", nargs="+", default=[], help="records of scans that failed (JSON)")
    add("--without-phase", nargs="+", default=[], help="folders of scans that have no phase")
    add("--output", required=True, help="output: quality table (TSV)")
    add("--parameters", help="JSON object that overrides the limits of the flags")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        limits = parse_parameters(QualityParameters, args.parameters, "--parameters")
        regions = read_table(args.regions, "regions")
        volumes = None
        if args.region_voxels:
            volumes = volume_scores(read_table(args.region_voxels, "region_voxels"))
        rows = []
        for scan, desc in product(args.scans, args.desc):
            folder, entities, n_echoes, sidecar = scan.split("|")
            paths = Results(args.results, folder, entities, desc)
            record = read_scan(paths, int(n_echoes), sidecar, regions, volumes)
            rows.append(quality_row(record, limits))
        failures = [read_failure(path) for path in args.failures]
        rows += [failed_row(failure, desc) for failure, desc in product(failures, args.desc)]
        rows += [row_without_phase(*scan) for scan in product(args.without_phase, args.desc)]
        table = flag_visits(pd.DataFrame(rows), VisitParameters())
        write_table(table, args.output, "quality")


if __name__ == "__main__":
    main()
