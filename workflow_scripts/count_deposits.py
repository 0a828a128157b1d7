"""Count the voxels of each region above its high-iron threshold: volume, fraction, iron mass.

Writes the deposit rows of the regions table for one scan; no image is read. Example:

    python workflow_scripts/count_deposits.py --values sub-01_values.npz --thresholds thresholds.tsv
        --label-table config/atlases/DesikanKilliany.tsv --deposits sub-01_deposits.tsv

With the values of several variants or atlases, give as many label tables and thresholds in the
same order, and parameters for each or for all.
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.regions.deposits import IronParameters, deposits_by_region
from qsmiron.regions.label_table import read_label_table
from qsmiron.regions.region_tables import read_thresholds, region_rows
from qsmiron.regions.values import read_values
from qsmiron.tables import write_table


def build_parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--values", nargs="+", required=True, help="NPZ files of measure_regions.py --values")
    add("--label-table", nargs="+", required=True, help="TSV: index, name[, hemisphere, structure]")
    add("--thresholds", nargs="+", required=True, help="TSV of pool_thresholds.py (ppm)")
    add("--deposits", required=True, help="output: the deposit rows (TSV, a regions table)")
    add(
        "--parameters",
        nargs="+",
        default=[None],
        help="JSON object that overrides defaults of the config block iron",
    )
    return parser


def read_arguments(argv):
    """The arguments, with one label table, thresholds and parameters for each of the values."""
    parser = build_parser()
    args = parser.parse_args(argv)
    n = len(args.values)
    if len(args.parameters) == 1:
        args.parameters *= n
    for name in ("label_table", "thresholds", "parameters"):
        if len(getattr(args, name)) != n:
            option = "--" + name.replace("_", "-")
            parser.error(
                f"{option}: {len(getattr(args, name))} for {n} --values; give one for each"
            )
    return args


def deposit_rows(values, label_table, thresholds, parameters):
    parameters = parse_parameters(IronParameters, parameters, "--parameters")
    labels = read_label_table(label_table)
    scan = read_values(values, labels)
    metrics = deposits_by_region(scan, read_thresholds(thresholds, scan.who), parameters)
    return region_rows(scan.who, labels, metrics, scan.chi)


def main(argv=None):
    args = read_arguments(argv)
    given = zip(args.values, args.label_table, args.thresholds, args.parameters, strict=True)
    with reported_to_user():
        rows = pd.concat([deposit_rows(*one) for one in given], ignore_index=True)
        write_table(rows, args.deposits, "regions")


if __name__ == "__main__":
    main()
