"""Count the voxels of each region above its high-iron threshold: volume, fraction, iron mass.

Writes the deposit rows of the regions table for one scan; no image is read. Example:

    python workflow_scripts/count_deposits.py --values sub-01_values.npz --thresholds thresholds.tsv
        --label-table config/atlases/DesikanKilliany.tsv --deposits sub-01_deposits.tsv
"""

import argparse

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
    add("--values", required=True, help="NPZ file of measure_regions.py --values")
    add("--label-table", required=True, help="TSV: index, name[, hemisphere, structure]")
    add("--thresholds", required=True, help="TSV of pool_thresholds.py (ppm)")
    add("--deposits", required=True, help="output: the deposit rows (TSV, a regions table)")
    add("--parameters", help="JSON object that overrides defaults of the config block iron")
    return parser


def main(argv=None):
    args = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(IronParameters, args.parameters, "--parameters")
        labels = read_label_table(args.label_table)
        scan = read_values(args.values, labels)
        thresholds = read_thresholds(args.thresholds, scan.who)
        metrics = deposits_by_region(scan, thresholds, parameters)
        write_table(region_rows(scan.who, labels, metrics, scan.chi), args.deposits, "regions")


if __name__ == "__main__":
    main()
