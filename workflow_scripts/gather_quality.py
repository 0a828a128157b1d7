"""Gather what was measured of each scan into one table, with flags for what deserves a look.

Example: python workflow_scripts/gather_quality.py --results results --scans "sub-01|sub-01|5|3"
    --desc main --regions results/group/regions.tsv --output results/group/quality.tsv
"""

import argparse
from pathlib import Path

import pandas as pd

from qsmiron.bids import Results
from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.quality import QualityParameters, ScanRecord, quality_row
from qsmiron.tables import read_table, write_table
from qsmiron.volumes import read_json, read_mask, read_volume, sidecar_path


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--results", required=True, help="results folder")
    add("--scans", nargs="+", required=True, help="folder|entities|number of echoes|first sidecar")
    add("--desc", nargs="+", required=True, help="variants")
    add("--regions", required=True, help="regions table (TSV)")
    add("--output", required=True, help="output: quality table (TSV)")
    add("--parameters", help="JSON object that overrides the limits of the flags")
    return parser


def record(scan: str, desc: str, results: str, regions: pd.DataFrame) -> ScanRecord:
    folder, entities, n_echoes, sidecar = scan.split("|")
    paths = Results(results, folder, entities, desc)
    participant, _, session = folder.partition("/")
    session = session.removeprefix("ses-") or None
    rows = regions[(regions["participant_id"] == participant) & (regions["desc"] == desc)]
    if session:
        rows = rows[rows["session"] == session]
    registered = Path(paths.registration_quality)
    brain = read_volume(paths.brain_mask)
    return ScanRecord(
        participant,
        session,
        desc,
        int(n_echoes),
        read_json(sidecar).get("MagneticFieldStrength"),
        brain.affine,
        brain.data > 0.5,
        read_mask(paths.reliable_mask, like=brain),
        read_json(sidecar_path(paths.chi)),
        read_json(registered) if registered.exists() else {},
        rows,
    )


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        limits = parse_parameters(QualityParameters, args.parameters, "--parameters")
        regions = read_table(args.regions, "regions")
        rows = [
            quality_row(record(scan, desc, args.results, regions), limits)
            for scan in args.scans
            for desc in args.desc
        ]
        write_table(pd.DataFrame(rows), args.output, "quality")


if __name__ == "__main__":
    main()
