"""Pool the scans' susceptibility in each region into one high-iron threshold per region.

The threshold is the 95th percentile (by default) of the mixture in which every subject weighs the
same; another one is that of χ less each subject's median in the region. Give only a reference
group's files to take them from that group. Example:

    python workflow_scripts/pool_thresholds.py --values sub-*_values.npz
        --label-table config/atlases/DesikanKilliany.tsv --thresholds thresholds.tsv

Of a large cohort, the arguments may stand in a file, one a line: @arguments.txt.
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.regions.deposits import IronParameters, pool_thresholds
from qsmiron.regions.label_table import read_label_table
from qsmiron.regions.region_tables import threshold_rows
from qsmiron.regions.values import read_values
from qsmiron.tables import write_table


def build_parser():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        fromfile_prefix_chars="@",
    )
    add = parser.add_argument
    add("--values", nargs="+", required=True, help="NPZ files of measure_regions.py --values")
    add("--label-table", required=True, help="TSV: index, name[, hemisphere, structure]")
    add("--thresholds", required=True, help="output: threshold of each region (TSV, ppm)")
    add(
        "--parameters",
        help="JSON object that overrides defaults of the config block iron: deposit_percentile "
        "(%%), or a fixed deposit_threshold (ppm)",
    )
    return parser


def main(argv=None):
    args = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(IronParameters, args.parameters, "--parameters")
        labels = read_label_table(args.label_table)
        scans = [read_values(path, labels, lazily=True) for path in args.values]
        rows = threshold_rows(scans[0].who, labels, pool_thresholds(scans, parameters))
        write_table(rows, args.thresholds, "thresholds")


if __name__ == "__main__":
    main()
