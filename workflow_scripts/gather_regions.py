"""Put the scans' tables of one kind together, in the order of participant, session and region.

In a regions table a value takes the place of an n/a of the same cell, so deposits counted later
may be given beside the tables they belong to. Example:

    python workflow_scripts/gather_regions.py --name regions --output regions.tsv
        --tables sub-*_regions.tsv sub-*_deposits.tsv

Of a large cohort, the arguments may stand in a file, one a line: @arguments.txt.
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.regions.region_tables import KEYS, gather
from qsmiron.tables import write_table


def build_parser():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        fromfile_prefix_chars="@",
    )
    add = parser.add_argument
    add("--tables", nargs="*", default=[], help="TSV files of the kind --name, or none")
    add("--output", required=True, help="output: the table of all (TSV)")
    add("--desc", help="only the rows of this variant or branch; default: all")
    add("--name", choices=list(KEYS), default="regions", help="kind (default: %(default)s)")
    return parser


def main(argv=None):
    args = build_parser().parse_args(argv)
    with reported_to_user():
        write_table(gather(args.tables, args.name, args.desc), args.output, args.name)


if __name__ == "__main__":
    main()
